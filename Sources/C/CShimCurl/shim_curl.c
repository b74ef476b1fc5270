#include "shim_curl.h"
