/* urls.h - addresses in answers. */
#ifndef HANDLERS_URLS_H
#define HANDLERS_URLS_H

#include "server/request.h"

/* Appends s with everything but RFC 3986 unreserved characters percent-encoded. */
void url_encode(struct buf *out, struct str s);

/* The request's own path and parameters with cursor= replaced: the address of the next page. */
enum status url_with_cursor(struct request *request, struct str cursor, struct str *ret,
                            struct err *err) NODISCARD;

#endif
