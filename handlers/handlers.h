/*
 * handlers.h - every handler of the route table, one group a file. Each parses, calls and renders; none
 * holds SQL or formulas.
 */
#ifndef HANDLERS_HANDLERS_H
#define HANDLERS_HANDLERS_H

#include "server/request.h"

extern const struct route routes[];
extern const size_t routes_count;

#define ROUTE(method, path, handler, ...) \
    enum status handler(struct request *request, struct err *err);
#include "handlers/routes.def"
#undef ROUTE

#endif
