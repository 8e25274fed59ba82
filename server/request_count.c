/* request_count.c - from a completed request to three series, without building their keys each time. */
#include "server/request_count.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROBES = 8 };

struct request_series {
    struct request_kind kind;
    struct series *requests, *duration, *bytes;
};

static bool is_same(const struct request_kind *a, const struct request_kind *b)
{
    return a->route == b->route && a->method == b->method && a->cache == b->cache &&
           a->status == b->status;
}

static size_t slot_of(const struct request_kind *kind)
{
    uint64_t h = (uintptr_t)kind->route * 0x9e3779b97f4a7c15u;
    h = (h ^ (uintptr_t)kind->method) * 0x9e3779b97f4a7c15u;
    h = (h ^ (uintptr_t)kind->cache) * 0x9e3779b97f4a7c15u;
    h = (h ^ (uint64_t)kind->status) * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> 32) % REQUEST_KINDS;
}

static struct request_series look_up(struct metrics *metrics, const struct request_kind *kind)
{
    char code[12];
    (void)snprintf(code, sizeof code, "%d", kind->status);
    return (struct request_series){
        *kind,
        metrics_series(metrics, METRIC_http_requests_total,
                       LABELS(kind->route, kind->method, code)),
        metrics_series(metrics, METRIC_http_request_duration_seconds,
                       LABELS(kind->route, kind->cache)),
        metrics_series(metrics, METRIC_http_response_bytes_total, LABELS(kind->route)),
    };
}

static void count(struct metrics *metrics, const struct request_series *series,
                  const struct request_weight *weight)
{
    metrics_series_add(series->requests, 1);
    metrics_series_observe(series->duration, weight->seconds);
    metrics_series_add(series->bytes, weight->bytes);
    if (weight->trace_id != NULL)
        metrics_series_exemplar(metrics, series->duration, weight->seconds, weight->trace_id);
}

/* Keeps found in slot; false when another one was faster. */
static bool keep(_Atomic(struct request_series *) *slot, const struct request_series *found)
{
    struct request_series *kept = malloc(sizeof *kept), *empty = NULL;
    if (kept == NULL)
        return false;
    *kept = *found;
    if (atomic_compare_exchange_strong(slot, &empty, kept))
        return true;
    free(kept);
    return false;
}

void request_count(struct request_counts *counts, struct metrics *metrics,
                   const struct request_kind *kind, const struct request_weight *weight)
{
    size_t at = slot_of(kind);
    for (int i = 0; i < PROBES; i++) {
        _Atomic(struct request_series *) *slot = &counts->kinds[(at + (size_t)i) % REQUEST_KINDS];
        struct request_series *series = atomic_load_explicit(slot, memory_order_acquire);
        if (series != NULL && is_same(&series->kind, kind)) {
            count(metrics, series, weight);
            return;
        }
        if (series != NULL)
            continue;
        struct request_series found = look_up(metrics, kind);
        (void)keep(slot, &found);
        count(metrics, &found, weight);
        return;
    }
    struct request_series found = look_up(metrics, kind);
    count(metrics, &found, weight);
}

void request_counts_clear(struct request_counts *counts)
{
    for (size_t i = 0; i < REQUEST_KINDS; i++)
        free(atomic_exchange(&counts->kinds[i], NULL));
}
