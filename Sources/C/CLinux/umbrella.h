#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/sendfile.h>
#include <sys/prctl.h>
/* prctl is variadic: the name of the calling thread, 15 bytes at most. */
static inline void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
/* syscall is variadic: a descriptor that becomes readable when the process ends (pidfd_open(2)). */
static inline int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
