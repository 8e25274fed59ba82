/* routes.c - the route table built from routes.def. */
#include "handlers/handlers.h"

const struct route routes[] = {
#define ROUTE(m, p, h, l, deadline, body, who, text) \
    {.method = METHOD_##m,                           \
     .path = (p),                                    \
     .handler = (h),                                 \
     .lane = LANE_##l,                               \
     .deadline_ms = (deadline),                      \
     .body_max_bytes = (body),                       \
     .access = ACCESS_##who,                         \
     .summary = (text)},
#include "handlers/routes.def"
#undef ROUTE
};

const size_t routes_count = ARRAY_LEN(routes);
