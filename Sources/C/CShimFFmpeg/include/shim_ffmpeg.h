#pragma once
#include <stdint.h>
#include <libavutil/avutil.h>
static const int64_t shim_av_nopts = AV_NOPTS_VALUE;
static const int32_t shim_av_eof = AVERROR_EOF;
