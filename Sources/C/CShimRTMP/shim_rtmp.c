#include "shim_rtmp.h"
#include <stdarg.h>
#include <stdio.h>

static shim_rtmp_log sink;

static void on_log(int level, const char *format, va_list arguments) {
    char line[1024];
    if (!sink) return;
    vsnprintf(line, sizeof line, format, arguments);
    sink(level, line);
}

void shim_rtmp_log_install(shim_rtmp_log function) {
    sink = function;
    RTMP_LogSetCallback(on_log);
}
