/*
 * metrics_series.h - how metrics are kept. Private to metrics*.c.
 */
#ifndef SERVER_METRICS_SERIES_H
#define SERVER_METRICS_SERIES_H

#include "server/metrics.h"

#include "base/lock.h"

#include <stdatomic.h>

enum metric_kind { COUNTER, GAUGE, HISTOGRAM };

enum { METRICS_SLOTS = 2 * METRICS_SERIES_MAX, METRICS_BOUNDS = 15 };

/* A request of a sampled trace that fell into a bucket: the last one. */
struct exemplar {
    char trace_id[METRICS_TRACE_BYTES]; /* "": none yet */
    double seconds;
    int64_t at; /* seconds since 1970 */
};

struct histogram {
    atomic_uint_least64_t buckets[METRICS_BOUNDS + 1]; /* not cumulative; the last is +Inf */
    atomic_uint_least64_t sum;                         /* bits of a double */
    struct exemplar exemplars[METRICS_BOUNDS + 1];     /* under the lock of the metrics */
};

struct series {
    struct series *next; /* of the same metric */
    enum metric metric;
    uint64_t hash;
    char *key; /* label values, each ended by 0x1f */
    size_t key_len;
    atomic_uint_least64_t value; /* bits of a double */
    struct histogram *histogram; /* of a HISTOGRAM */
};

struct metric_row {
    const char *name;
    enum metric_kind kind;
    const char *labels, *unit, *help;
};

extern const struct metric_row metric_rows[METRIC_COUNT];
extern const double metric_bounds[METRICS_BOUNDS]; /* upper ends of the buckets, seconds */

struct collector {
    metrics_collect_fn *collect;
    void *cls;
};

struct metrics {
    struct lock lock; /* leaf lock; guards the making of series, and exemplars */
    size_t n_series GUARDED;
    _Atomic(struct series *) table[METRICS_SLOTS];
    _Atomic(struct series *) first[METRIC_COUNT];
    atomic_uint_least64_t n_dropped;
    struct collector collectors[METRICS_COLLECTORS_MAX]; /* fixed while anybody writes */
    size_t n_collectors;
};

double metrics_double(uint64_t bits); /* the value that an atomic cell holds as bits */

#endif
