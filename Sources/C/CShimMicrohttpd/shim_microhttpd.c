#include "shim_microhttpd.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void on_log(void *context, const char *format, va_list arguments) {
    const shim_mhd_callbacks *callbacks = context;
    char line[512];
    vsnprintf(line, sizeof line, format, arguments);
    callbacks->log(callbacks->context, line);
}

static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    return strlen(text);
}

struct MHD_Daemon *shim_mhd_start(const shim_mhd_settings *settings, const shim_mhd_callbacks *callbacks) {
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)settings->tls_priorities},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)settings->tls_retrieve},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG
            | (settings->tls_priorities ? MHD_USE_TLS : 0),
        0, callbacks->accept, callbacks->context, callbacks->access, callbacks->context,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, (void *)callbacks,  /* first, so that errors of the others are logged */
        MHD_OPTION_LISTEN_SOCKET, settings->listen_socket,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings->connection_memory,
        MHD_OPTION_CONNECTION_LIMIT, settings->connections,
        MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_seconds,
        MHD_OPTION_NOTIFY_COMPLETED, callbacks->completed, callbacks->context,
        MHD_OPTION_NOTIFY_CONNECTION, callbacks->connection, callbacks->context,
        MHD_OPTION_URI_LOG_CALLBACK, callbacks->target, callbacks->context,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_ARRAY, settings->tls_priorities ? tls : none,
        MHD_OPTION_END);
}

struct MHD_Response *shim_mhd_response_bytes(const void *bytes, size_t count) {
    return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

struct MHD_Response *shim_mhd_response_file(int descriptor, uint64_t offset, uint64_t count) {
    return MHD_create_response_from_fd_at_offset64(count, descriptor, offset);
}

size_t shim_mhd_header_size(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

int shim_mhd_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}
