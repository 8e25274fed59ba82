/* cors.h - what browsers need to let other origins' pages call this server. */
#ifndef SERVER_CORS_H
#define SERVER_CORS_H

#include "server/request.h"

/* The reply to OPTIONS: 204, Allow as the router set it, and the preflight headers when it is one. */
void cors_answer_options(struct request *request);

/* Headers that pages may read. */
#define CORS_EXPOSED_HEADERS                                                                              \
    "ETag, Link, Location, Retry-After, Server-Timing, X-Request-Id, Cache-Status, Content-Disposition, " \
    "Preference-Applied, RateLimit, RateLimit-Policy, WWW-Authenticate"

#endif
