/* http_tls.h - the certificate and key of the data listener, read once at start. */
#ifndef SERVER_HTTP_TLS_H
#define SERVER_HTTP_TLS_H

#include "server/config.h"

struct http_tls {
    char *cert, *key; /* PEM; NULL: no TLS */
};

/* Protocols and ciphers, in GnuTLS's words. */
#define HTTP_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* Errors: STATUS_CONFIG (only one of both set, a file that cannot be read). */
enum status http_tls_load(const struct config *config, struct http_tls *ret, struct err *err)
    NODISCARD;
void http_tls_clear(struct http_tls *tls); /* wipes the key */

#endif
