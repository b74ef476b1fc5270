#include "shim_ffmpeg.h"
