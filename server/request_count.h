/*
 * request_count.h - the metrics of completed requests. The series of each kind of request (route, method,
 * status, cache) are looked up once and then found by the kind. Any thread.
 */
#ifndef SERVER_REQUEST_COUNT_H
#define SERVER_REQUEST_COUNT_H

#include "server/metrics.h"
#include "server/request.h"

#include <stdatomic.h>

struct request_kind {
    const char *route; /* these three are compared as pointers: static texts */
    const char *method;
    const char *cache;
    int status;
};

struct request_weight {
    double seconds, bytes;
    const char *trace_id; /* of a sampled trace; else NULL */
};

struct request_series;

enum { REQUEST_KINDS = 1024 };
struct request_counts {
    _Atomic(struct request_series *)
        kinds[REQUEST_KINDS]; /* by hash; what finds no slot is looked up each time */
};

void request_count(struct request_counts *counts, struct metrics *metrics,
                   const struct request_kind *kind, const struct request_weight *weight);
void request_counts_clear(struct request_counts *counts);

#endif
