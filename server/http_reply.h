/* http_reply.h - hands a finished reply to the library; only from within its access callback. */
#ifndef SERVER_HTTP_REPLY_H
#define SERVER_HTTP_REPLY_H

#include "server/exchange.h"

/* False when the library has no memory: the connection is then to be closed. */
bool http_reply(struct exchange *x);

#endif
