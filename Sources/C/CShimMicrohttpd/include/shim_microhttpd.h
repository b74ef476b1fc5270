#pragma once
#include <stdint.h>
#include <stddef.h>
#include <microhttpd.h>

/* MHD_start_daemon is variadic, and so is its logger: both get a plain form here. */
typedef struct {
    int listen_socket;              /* bound and listening; the daemon closes it */
    size_t connection_memory;       /* bytes: header and read buffer of one connection */
    unsigned int connections;
    unsigned int idle_seconds;
    const char *tls_priorities;     /* NULL: plain HTTP */
    const void *tls_retrieve;       /* a gnutls_certificate_retrieve_function2 */
} shim_mhd_settings;

typedef struct {
    void *context;
    MHD_AcceptPolicyCallback accept;
    MHD_AccessHandlerCallback access;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection;
    void *(*target)(void *context, const char *target, struct MHD_Connection *connection);
    void (*log)(void *context, const char *line);
} shim_mhd_callbacks;

/* `callbacks` must outlive the daemon. Query and path are left as they came: nothing is unescaped. */
struct MHD_Daemon *shim_mhd_start(const shim_mhd_settings *settings, const shim_mhd_callbacks *callbacks);

/* A copy of `bytes`. */
struct MHD_Response *shim_mhd_response_bytes(const void *bytes, size_t count);
/* `count` bytes from `offset` of a file; the response owns and closes the descriptor. */
struct MHD_Response *shim_mhd_response_file(int descriptor, uint64_t offset, uint64_t count);

/* The typed members of what MHD_get_connection_info returns. */
size_t shim_mhd_header_size(struct MHD_Connection *connection);
int shim_mhd_socket(struct MHD_Connection *connection);
