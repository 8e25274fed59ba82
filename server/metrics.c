/*
 * metrics.c - the series of metrics.def. A series is found through an open-addressing table whose slots
 * are written once under the lock and read without it; series are never removed while the server runs.
 */
#include "server/metrics_series.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 256 };

const struct metric_row metric_rows[METRIC_COUNT] = {
#define METRIC(name, kind, labels, unit, help) {#name, kind, labels, unit, help},
#include "server/metrics.def"
#undef METRIC
};

const double metric_bounds[METRICS_BOUNDS] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                              0.25,   0.5,   1,      2.5,   5,    10,    30};

struct key {
    char bytes[KEY_BYTES];
    size_t len;
    uint64_t hash;
};

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

double metrics_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void add_double(atomic_uint_least64_t *cell, double by)
{
    uint64_t old = atomic_load_explicit(cell, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(cell, &old, bits_of(metrics_double(old) + by),
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

static size_t count_labels(enum metric metric)
{
    if (metric_rows[metric].labels[0] == '\0')
        return 0;
    size_t n = 1;
    for (const char *p = metric_rows[metric].labels; *p != '\0'; p++)
        n += *p == ',' ? 1 : 0;
    return n;
}

static bool make_key(enum metric metric, const char *const *labels, struct key *key)
{
    size_t n = count_labels(metric);
    key->len = 0;
    key->hash = 14695981039346656037u ^ (uint64_t)metric; /* FNV-1a */
    for (size_t i = 0; i < n; i++) {
        size_t len = labels == NULL || labels[i] == NULL ? 0 : strlen(labels[i]);
        if (key->len + len + 1 > KEY_BYTES)
            return false;
        if (len > 0)
            memcpy(key->bytes + key->len, labels[i], len);
        key->len += len;
        key->bytes[key->len++] = 0x1f;
    }
    for (size_t i = 0; i < key->len; i++)
        key->hash = (key->hash ^ (unsigned char)key->bytes[i]) * 1099511628211u;
    return true;
}

static bool is_series(const struct series *series, enum metric metric, const struct key *key)
{
    return series->hash == key->hash && series->metric == metric && series->key_len == key->len &&
           memcmp(series->key, key->bytes, key->len) == 0;
}

/* The series, or NULL and the slot where it belongs. */
static struct series *look_up(struct metrics *m, enum metric metric, const struct key *key,
                              size_t *ret_slot)
{
    size_t slot = (size_t)(key->hash % METRICS_SLOTS);
    for (;;) {
        struct series *series = atomic_load_explicit(&m->table[slot], memory_order_acquire);
        if (series == NULL || is_series(series, metric, key)) {
            *ret_slot = slot;
            return series;
        }
        slot = (slot + 1) % METRICS_SLOTS;
    }
}

static void series_free(struct series *series)
{
    if (series == NULL)
        return;
    free(series->histogram);
    free(series->key);
    free(series);
}

static struct series *series_new(enum metric metric, const struct key *key)
{
    struct series *series = calloc(1, sizeof *series);
    if (series == NULL)
        return NULL;
    series->metric = metric;
    series->hash = key->hash;
    series->key_len = key->len;
    series->key = malloc(key->len + 1);
    if (metric_rows[metric].kind == HISTOGRAM)
        series->histogram = calloc(1, sizeof *series->histogram);
    if (series->key == NULL ||
        (metric_rows[metric].kind == HISTOGRAM && series->histogram == NULL)) {
        series_free(series);
        return NULL;
    }
    memcpy(series->key, key->bytes, key->len);
    return series;
}

static void publish(struct metrics *m, struct series *series, size_t slot) REQUIRES(m->lock)
{
    m->n_series++;
    series->next = atomic_load_explicit(&m->first[series->metric], memory_order_relaxed);
    atomic_store_explicit(&m->first[series->metric], series, memory_order_release);
    atomic_store_explicit(&m->table[slot], series, memory_order_release);
}

static struct series *make_series(struct metrics *m, enum metric metric, const struct key *key)
{
    lock_take(&m->lock);
    size_t slot;
    struct series *series = look_up(m, metric, key, &slot);
    if (series == NULL && m->n_series < METRICS_SERIES_MAX) {
        series = series_new(metric, key);
        if (series != NULL)
            publish(m, series, slot);
    }
    lock_give(&m->lock);
    return series;
}

struct series *metrics_series(struct metrics *m, enum metric metric, const char *const *labels)
{
    struct key key;
    size_t slot;
    struct series *series = NULL;
    if (m == NULL)
        return NULL;
    if (make_key(metric, labels, &key)) {
        series = look_up(m, metric, &key, &slot);
        if (series == NULL)
            series = make_series(m, metric, &key);
    }
    if (series == NULL)
        atomic_fetch_add_explicit(&m->n_dropped, 1, memory_order_relaxed);
    return series;
}

void metrics_series_add(struct series *series, double by)
{
    if (series != NULL)
        add_double(&series->value, by);
}

void metrics_add_labeled(struct metrics *m, enum metric metric, const char *const *labels,
                         double by)
{
    metrics_series_add(metrics_series(m, metric, labels), by);
}

void metrics_add(struct metrics *m, enum metric metric, double by)
{
    metrics_add_labeled(m, metric, NULL, by);
}

void metrics_set_labeled(struct metrics *m, enum metric metric, const char *const *labels,
                         double value)
{
    struct series *series = metrics_series(m, metric, labels);
    if (series != NULL)
        atomic_store_explicit(&series->value, bits_of(value), memory_order_relaxed);
}

void metrics_set(struct metrics *m, enum metric metric, double value)
{
    metrics_set_labeled(m, metric, NULL, value);
}

static size_t bucket_of(double seconds)
{
    size_t i = 0;
    while (i < METRICS_BOUNDS && seconds > metric_bounds[i])
        i++;
    return i;
}

void metrics_series_observe(struct series *series, double seconds)
{
    if (series == NULL || series->histogram == NULL)
        return;
    atomic_fetch_add_explicit(&series->histogram->buckets[bucket_of(seconds)], 1,
                              memory_order_relaxed);
    add_double(&series->histogram->sum, seconds);
}

void metrics_series_exemplar(struct metrics *m, struct series *series, double seconds,
                             const char *trace_id)
{
    if (m == NULL || series == NULL || series->histogram == NULL)
        return;
    struct exemplar exemplar = {.seconds = seconds, .at = clock_wall_s()};
    (void)snprintf(exemplar.trace_id, sizeof exemplar.trace_id, "%s", trace_id);
    lock_take(&m->lock);
    series->histogram->exemplars[bucket_of(seconds)] = exemplar;
    lock_give(&m->lock);
}

void metrics_observe_labeled(struct metrics *m, enum metric metric, const char *const *labels,
                             double seconds)
{
    metrics_series_observe(metrics_series(m, metric, labels), seconds);
}

void metrics_observe(struct metrics *m, enum metric metric, double seconds)
{
    metrics_observe_labeled(m, metric, NULL, seconds);
}

double metrics_get(struct metrics *m, enum metric metric, const char *const *labels)
{
    struct key key;
    size_t slot;
    if (m == NULL || !make_key(metric, labels, &key))
        return 0.0;
    struct series *series = look_up(m, metric, &key, &slot);
    if (series == NULL)
        return 0.0;
    if (series->histogram == NULL)
        return metrics_double(atomic_load_explicit(&series->value, memory_order_relaxed));
    uint64_t count = 0;
    for (size_t i = 0; i <= METRICS_BOUNDS; i++)
        count += atomic_load_explicit(&series->histogram->buckets[i], memory_order_relaxed);
    return (double)count;
}

enum status metrics_new(struct metrics **ret, struct err *err)
{
    struct metrics *m = calloc(1, sizeof *m);
    if (m == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for the metrics.");
    lock_init(&m->lock);
    for (int i = 0; i < METRIC_COUNT; i++)
        if (metric_rows[i].labels[0] == '\0')
            metrics_add(m, (enum metric)i, 0.0); /* present from the start, at zero */
    *ret = m;
    return STATUS_OK;
}

void metrics_free(struct metrics *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < METRICS_SLOTS; i++)
        series_free(atomic_load(&m->table[i]));
    lock_clear(&m->lock);
    free(m);
}

void metrics_collector(struct metrics *m, metrics_collect_fn *collect, void *cls)
{
    if (m == NULL || m->n_collectors == METRICS_COLLECTORS_MAX)
        return;
    m->collectors[m->n_collectors++] = (struct collector){collect, cls};
}

void metrics_collector_remove(struct metrics *m, const void *cls)
{
    for (size_t i = 0; m != NULL && i < m->n_collectors; i++)
        if (m->collectors[i].cls == cls)
            m->collectors[i--] = m->collectors[--m->n_collectors];
}
