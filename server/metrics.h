/*
 * metrics.h - counters, gauges and histograms of metrics.def, written as Prometheus text 0.0.4.
 * Updates are lock-free once a series exists and may come from any thread; a NULL struct metrics is
 * accepted and ignored, so that code under test needs none.
 * The number of series is bounded: updates that would make one too many are counted and dropped.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "base/err.h"

enum metric {
#define METRIC(name, kind, labels, unit, help) METRIC_##name,
#include "server/metrics.def"
#undef METRIC
    METRIC_COUNT
};

enum { METRICS_LABELS_MAX = 3, METRICS_SERIES_MAX = 4096, METRICS_COLLECTORS_MAX = 8 };

struct metrics;

enum status metrics_new(struct metrics **ret, struct err *err) NODISCARD;
void metrics_free(struct metrics *metrics);

/* Label values in the order of the row: metrics_add_labeled(m, METRIC_queue_rejected_total, LABELS("io"), 1) */
#define LABELS(...) ((const char *const[]){__VA_ARGS__})

void metrics_add(struct metrics *metrics, enum metric metric, double by);
void metrics_add_labeled(struct metrics *metrics, enum metric metric, const char *const *labels,
                         double by);
void metrics_set(struct metrics *metrics, enum metric metric, double value);
void metrics_set_labeled(struct metrics *metrics, enum metric metric, const char *const *labels,
                         double value);
void metrics_observe(struct metrics *metrics, enum metric metric, double seconds);
void metrics_observe_labeled(struct metrics *metrics, enum metric metric, const char *const *labels,
                             double seconds);

/*
 * The series itself, for those who update it often: valid as long as metrics; NULL when it cannot be had (and
 * then counted as dropped), which the two below accept.
 */
struct series;
struct series *metrics_series(struct metrics *metrics, enum metric metric,
                              const char *const *labels);
void metrics_series_add(struct series *series, double by);
void metrics_series_observe(struct series *series, double seconds);

/* After an observation of a sampled trace: its bucket names the trace from now on, where the format can say so. */
enum { METRICS_TRACE_BYTES = 33 };
void metrics_series_exemplar(struct metrics *metrics, struct series *series, double seconds,
                             const char *trace_id);

/*
 * A collector runs before each write and sets the gauges that are cheaper to look up than to maintain.
 * Registered while nobody writes, that is before the server starts; runs on the thread that writes and must not block.
 */
typedef void metrics_collect_fn(struct metrics *metrics, void *cls);
void metrics_collector(struct metrics *metrics, metrics_collect_fn *collect, void *cls);
void metrics_collector_remove(struct metrics *metrics,
                              const void *cls); /* when nobody writes any more */

/*
 * The whole exposition, in the Prometheus text format 0.0.4 or, with exemplars, in OpenMetrics 1.0. False when out
 * ran out of room.
 */
enum metrics_format { METRICS_TEXT, METRICS_OPEN };
const char *metrics_content_type(enum metrics_format format);
bool metrics_write(struct metrics *metrics, enum metrics_format format, struct buf *out);

/* Current value of one series; 0 when it does not exist. For tests. */
double metrics_get(struct metrics *metrics, enum metric metric, const char *const *labels);

#endif
