/*
 * router.h - finds the route of a method and a raw path. Built once from the route table, then read-only:
 * callable from any thread. A literal segment is preferred over a {parameter}.
 */
#ifndef SERVER_ROUTER_H
#define SERVER_ROUTER_H

#include "server/request.h"

struct router;

/*
 * Takes the rows with is_ops equal to the argument; routes must outlive the router.
 * Errors: STATUS_INTERNAL naming a row that cannot be served: a path without '/', an unclosed brace, too
 * many segments or parameters, no handler, a worker lane without deadline, the same address twice.
 */
enum status router_new(const struct route *routes, size_t n_routes, bool is_ops,
                       struct router **ret, struct err *err) NODISCARD;
void router_free(struct router *router);

/*
 * Fills request->route and ->path_params from ->method and ->path. HEAD finds GET's route.
 * Errors: STATUS_NOT_FOUND with the nearest address as suggestion; STATUS_METHOD_NOT_ALLOWED, and
 * STATUS_OK with route NULL for OPTIONS, both with the Allow header set on the reply;
 * STATUS_BAD_REQUEST when a parameter does not decode.
 */
enum status router_match(const struct router *router, struct request *request, struct err *err)
    NODISCARD;

const char *method_name(enum method method);
bool method_parse(struct str name, enum method *ret); /* exact: methods are case-sensitive */

#endif
