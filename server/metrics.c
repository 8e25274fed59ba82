/*
 * metrics.c - the series of metrics.def. A series is found through an open-addressing table whose slots
 * are written once under the lock and read without it; series are never removed while the server runs.
 */
#include "server/metrics.h"

#include "server/metrics_process.h"

#include "base/lock.h"
#include "base/number.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum kind { COUNTER, GAUGE, HISTOGRAM };

enum { TABLE_SLOTS = 2 * METRICS_SERIES_MAX, KEY_BYTES = 256 };

static const double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                0.25,   0.5,   1,      2.5,   5,    10,    30};

struct histogram {
    atomic_uint_least64_t buckets[ARRAY_LEN(bounds) + 1]; /* not cumulative; the last is +Inf */
    atomic_uint_least64_t sum;                            /* bits of a double */
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

struct row {
    const char *name;
    enum kind kind;
    const char *labels, *unit, *help;
};

static const struct row rows[METRIC_COUNT] = {
#define METRIC(name, kind, labels, unit, help) {#name, kind, labels, unit, help},
#include "server/metrics.def"
#undef METRIC
};

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

struct collector {
    metrics_collect_fn *collect;
    void *cls;
};

struct metrics {
    struct lock lock; /* leaf lock; guards the making of series */
    size_t n_series GUARDED;
    _Atomic(struct series *) table[TABLE_SLOTS];
    _Atomic(struct series *) first[METRIC_COUNT];
    atomic_uint_least64_t n_dropped;
    struct collector collectors[METRICS_COLLECTORS_MAX]; /* fixed while anybody writes */
    size_t n_collectors;
};

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

static double value_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void add_double(atomic_uint_least64_t *cell, double by)
{
    uint64_t old = atomic_load_explicit(cell, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(cell, &old, bits_of(value_of(old) + by),
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

static size_t count_labels(enum metric metric)
{
    if (rows[metric].labels[0] == '\0')
        return 0;
    size_t n = 1;
    for (const char *p = rows[metric].labels; *p != '\0'; p++)
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
static struct series *look_up(struct metrics *m, enum metric metric, const struct key *key, size_t *ret_slot)
{
    size_t slot = (size_t)(key->hash % TABLE_SLOTS);
    for (;;) {
        struct series *series = atomic_load_explicit(&m->table[slot], memory_order_acquire);
        if (series == NULL || is_series(series, metric, key)) {
            *ret_slot = slot;
            return series;
        }
        slot = (slot + 1) % TABLE_SLOTS;
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
    if (rows[metric].kind == HISTOGRAM)
        series->histogram = calloc(1, sizeof *series->histogram);
    if (series->key == NULL || (rows[metric].kind == HISTOGRAM && series->histogram == NULL)) {
        series_free(series);
        return NULL;
    }
    memcpy(series->key, key->bytes, key->len);
    return series;
}

static struct series *make_series(struct metrics *m, enum metric metric, const struct key *key)
{
    lock_take(&m->lock);
    size_t slot;
    struct series *series = look_up(m, metric, key, &slot);
    if (series == NULL && m->n_series < METRICS_SERIES_MAX)
        series = series_new(metric, key);
    if (series != NULL && atomic_load_explicit(&m->table[slot], memory_order_relaxed) == NULL) {
        m->n_series++;
        series->next = atomic_load_explicit(&m->first[metric], memory_order_relaxed);
        atomic_store_explicit(&m->first[metric], series, memory_order_release);
        atomic_store_explicit(&m->table[slot], series, memory_order_release);
    }
    lock_give(&m->lock);
    return series;
}

static struct series *find(struct metrics *m, enum metric metric, const char *const *labels)
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

void metrics_add_labeled(struct metrics *m, enum metric metric, const char *const *labels, double by)
{
    struct series *series = find(m, metric, labels);
    if (series != NULL)
        add_double(&series->value, by);
}

void metrics_add(struct metrics *m, enum metric metric, double by)
{
    metrics_add_labeled(m, metric, NULL, by);
}

void metrics_set_labeled(struct metrics *m, enum metric metric, const char *const *labels, double value)
{
    struct series *series = find(m, metric, labels);
    if (series != NULL)
        atomic_store_explicit(&series->value, bits_of(value), memory_order_relaxed);
}

void metrics_set(struct metrics *m, enum metric metric, double value)
{
    metrics_set_labeled(m, metric, NULL, value);
}

void metrics_observe_labeled(struct metrics *m, enum metric metric, const char *const *labels, double seconds)
{
    struct series *series = find(m, metric, labels);
    if (series == NULL || series->histogram == NULL)
        return;
    size_t i = 0;
    while (i < ARRAY_LEN(bounds) && seconds > bounds[i])
        i++;
    atomic_fetch_add_explicit(&series->histogram->buckets[i], 1, memory_order_relaxed);
    add_double(&series->histogram->sum, seconds);
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
        return value_of(atomic_load_explicit(&series->value, memory_order_relaxed));
    uint64_t count = 0;
    for (size_t i = 0; i <= ARRAY_LEN(bounds); i++)
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
        if (rows[i].labels[0] == '\0')
            metrics_add(m, (enum metric)i, 0.0); /* present from the start, at zero */
    *ret = m;
    return STATUS_OK;
}

void metrics_free(struct metrics *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < TABLE_SLOTS; i++)
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

struct metric_info metrics_describe(enum metric metric)
{
    const struct row *row = &rows[metric];
    return (struct metric_info){row->name, kind_names[row->kind], row->labels, row->unit, row->help};
}

static const char *prefix_of(const struct row *row)
{
    return strncmp(row->name, "process_", 8) == 0 ? "" : "cmmc_";
}

static void write_number(struct buf *out, double value)
{
    char text[NUMBER_TEXT_BYTES];
    if (!isfinite(value))
        buf_add_c(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
    else
        buf_add(out, (struct str){text, number_format(value, text)});
}

/* {a="x",b="y"} with le="bound" last when bound is not NULL. */
static void write_labels(const struct series *series, const char *bound, struct buf *out)
{
    struct str names = str_of(rows[series->metric].labels), name;
    struct str values = {series->key, series->key_len}, value;
    bool is_first = true;
    if (series->key_len == 0 && bound == NULL)
        return;
    buf_add_char(out, '{');
    while (series->key_len > 0 && str_next_field(&names, ',', &name) &&
           str_next_field(&values, 0x1f, &value)) {
        buf_printf(out, "%s%.*s=\"", is_first ? "" : ",", STR_ARG(name));
        for (size_t i = 0; i < value.len; i++) {
            if (value.ptr[i] == '"' || value.ptr[i] == '\\')
                buf_add_char(out, '\\');
            if (value.ptr[i] == '\n')
                buf_add_c(out, "\\n");
            else
                buf_add_char(out, value.ptr[i]);
        }
        buf_add_char(out, '"');
        is_first = false;
    }
    if (bound != NULL)
        buf_printf(out, "%sle=\"%s\"", is_first ? "" : ",", bound);
    buf_add_char(out, '}');
}

static void write_line(const struct series *series, const char *suffix, const char *bound, double value,
                       struct buf *out)
{
    const struct row *row = &rows[series->metric];
    buf_printf(out, "%s%s%s", prefix_of(row), row->name, suffix);
    write_labels(series, bound, out);
    buf_add_char(out, ' ');
    write_number(out, value);
    buf_add_char(out, '\n');
}

static void write_histogram(const struct series *series, struct buf *out)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= ARRAY_LEN(bounds); i++) {
        char bound[NUMBER_TEXT_BYTES] = "+Inf";
        if (i < ARRAY_LEN(bounds))
            bound[number_format(bounds[i], bound)] = '\0';
        count += atomic_load_explicit(&series->histogram->buckets[i], memory_order_relaxed);
        write_line(series, "_bucket", bound, (double)count, out);
    }
    double sum = value_of(atomic_load_explicit(&series->histogram->sum, memory_order_relaxed));
    write_line(series, "_sum", NULL, sum, out);
    write_line(series, "_count", NULL, (double)count, out);
}

bool metrics_write(struct metrics *m, struct buf *out)
{
    metrics_collect_process(m);
    for (size_t i = 0; i < m->n_collectors; i++)
        m->collectors[i].collect(m, m->collectors[i].cls);
    metrics_set(m, METRIC_metrics_series_dropped_total, (double)atomic_load(&m->n_dropped));

    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct row *row = &rows[i];
        const struct series *series = atomic_load_explicit(&m->first[i], memory_order_acquire);
        if (series == NULL)
            continue;
        buf_printf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", prefix_of(row), row->name, row->help,
                   prefix_of(row), row->name, kind_names[row->kind]);
        for (; series != NULL; series = series->next) {
            if (series->histogram != NULL)
                write_histogram(series, out);
            else
                write_line(series, "", NULL,
                           value_of(atomic_load_explicit(&series->value, memory_order_relaxed)), out);
        }
    }
    return !out->failed;
}
