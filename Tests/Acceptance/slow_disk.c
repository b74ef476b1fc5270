/* For the tests of a slow disk: fdatasync and fsync of files whose path holds SLOW_PATH take SLOW_SECONDS longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void wait_for(int descriptor) {
    const char *path = getenv("SLOW_PATH"), *seconds = getenv("SLOW_SECONDS");
    char link[64], name[4096];
    if (!path || !seconds) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0) return;
    name[length] = 0;
    if (!strstr(name, path)) return;
    double wanted = atof(seconds);
    struct timespec time = {(time_t)wanted, (long)((wanted - (time_t)wanted) * 1e9)};
    nanosleep(&time, NULL);
}

int fdatasync(int descriptor) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    wait_for(descriptor);
    return real(descriptor);
}

int fsync(int descriptor) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    wait_for(descriptor);
    return real(descriptor);
}
