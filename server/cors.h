/* cors.h - what browsers need to let other origins' pages call this server. */
#ifndef SERVER_CORS_H
#define SERVER_CORS_H

#include "server/request.h"

/* The reply to OPTIONS: 204, Allow as the router set it, and the preflight headers when it is one. */
void cors_answer_options(struct request *request);

/*
 * Headers that pages may read beside those that every page may: all that openapi.yaml describes, as a contract test proves.
 * By name, since older browsers take a star for a name.
 */
#define CORS_EXPOSED_HEADERS                                                         \
    "Accept-Ranges, Age, Allow, Cache-Status, Content-Digest, Content-Disposition, " \
    "Content-Location, Content-Range, Data-Warnings, ETag, Link, Location, "         \
    "Preference-Applied, RateLimit, RateLimit-Policy, Repr-Digest, Retry-After, "    \
    "Server-Timing, WWW-Authenticate, X-Request-Id, X-Row-Count, X-Total-Count"

#endif
