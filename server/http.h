/*
 * http.h - one listener: an acceptor on a socket of ours, and a libmicrohttpd daemon with its polling threads.
 * Started, quiesced and stopped by server.c; everything in between happens on the polling threads.
 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include "server/router.h"
#include "server/traffic.h"

struct http;

struct http_options {
    const char *port_setting; /* its name, for messages */
    const char *bind;
    unsigned port; /* 0: any */
    unsigned n_threads;
    unsigned connection_limit;
    bool is_ops;
};

/* traffic and router must outlive the listener. Errors: STATUS_CONFIG when the address cannot be bound. */
enum status http_start(const struct http_options *options, struct traffic *traffic,
                       const struct router *router, struct http **ret, struct err *err) NODISCARD;
unsigned http_port(const struct http *http);

/* Closes the listening socket; connections that the kernel had accepted for us are served all the same. */
void http_quiesce(struct http *http);

/* Nothing may be suspended. Closes every connection, ends the threads, frees. */
void http_stop(struct http *http);

#endif
