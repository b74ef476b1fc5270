#include "shim_microhttpd.h"
