#pragma once
#include <librtmp/log.h>
/* Sends each of librtmp's log lines, formatted, to `sink`; a null sink silences the library. */
typedef void (*shim_rtmp_log)(int level, const char *line);
void shim_rtmp_log_install(shim_rtmp_log sink);
