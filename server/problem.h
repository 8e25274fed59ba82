/*
 * problem.h - every failure as one RFC 9457 application/problem+json body, whatever the client accepts.
 * Called by whoever owns the request at that moment.
 */
#ifndef SERVER_PROBLEM_H
#define SERVER_PROBLEM_H

#include "server/request.h"

#define PROBLEM_CONTENT_TYPE "application/problem+json"

/*
 * Replaces the reply by a problem built from err, whose status must not be OK. Headers that were set stay
 * only if they are Allow, WWW-Authenticate, Vary, Content-Range or set by app->admit; Retry-After is added to 503 and 429. The body is built in spare, so that a
 * request that used up its own arena still gets one; without any memory it is a constant text.
 */
void problem_write(struct request *request, const struct err *err, struct arena *spare);

/* May the same request succeed later without a change? */
bool problem_is_retryable(enum status s);

#endif
