/* metrics_write.c - the series as Prometheus text 0.0.4 and as OpenMetrics 1.0. */
#include "server/metrics_process.h"
#include "server/metrics_series.h"

#include "base/number.h"

#include <math.h>
#include <string.h>

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

static const char *prefix_of(const struct metric_row *row)
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
    struct str names = str_of(metric_rows[series->metric].labels), name;
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

/* One exposition at work. */
struct writer {
    struct metrics *metrics;
    enum metrics_format format;
    struct buf *out;
};

static void write_value(const struct series *series, const char *suffix, const char *bound,
                        double value, struct buf *out)
{
    const struct metric_row *row = &metric_rows[series->metric];
    buf_printf(out, "%s%s%s", prefix_of(row), row->name, suffix);
    write_labels(series, bound, out);
    buf_add_char(out, ' ');
    write_number(out, value);
}

static void write_line(const struct series *series, const char *suffix, double value,
                       struct buf *out)
{
    write_value(series, suffix, NULL, value, out);
    buf_add_char(out, '\n');
}

static void write_exemplar(const struct writer *w, const struct series *series, size_t bucket)
{
    lock_take(&w->metrics->lock);
    struct exemplar exemplar = series->histogram->exemplars[bucket];
    lock_give(&w->metrics->lock);
    if (exemplar.trace_id[0] == '\0')
        return;
    buf_printf(w->out, " # {trace_id=\"%s\"} ", exemplar.trace_id);
    write_number(w->out, exemplar.seconds);
    buf_printf(w->out, " %lld", (long long)exemplar.at);
}

static void write_histogram(const struct writer *w, const struct series *series)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= METRICS_BOUNDS; i++) {
        char bound[NUMBER_TEXT_BYTES + 2] = "+Inf";
        size_t len = i < METRICS_BOUNDS ? number_format(metric_bounds[i], bound) : 0;
        bool needs_point = w->format == METRICS_OPEN && len > 0 && memchr(bound, '.', len) == NULL;
        if (len > 0)
            bound[len] = '\0';
        if (needs_point) /* OpenMetrics writes bounds as floats */
            memcpy(bound + len, ".0", sizeof ".0");
        count += atomic_load_explicit(&series->histogram->buckets[i], memory_order_relaxed);
        write_value(series, "_bucket", bound, (double)count, w->out);
        if (w->format == METRICS_OPEN)
            write_exemplar(w, series, i);
        buf_add_char(w->out, '\n');
    }
    double sum =
        metrics_double(atomic_load_explicit(&series->histogram->sum, memory_order_relaxed));
    write_line(series, "_sum", sum, w->out);
    write_line(series, "_count", (double)count, w->out);
}

static bool is_metric(struct str name)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        if (str_eq_c(name, metric_rows[i].name))
            return true;
    return false;
}

/*
 * OpenMetrics names the family of a counter without the ending of its samples; where a gauge has that name already,
 * the counter is of unknown type, whose samples are named as the family is.
 */
static void write_head(const struct writer *w, const struct metric_row *row)
{
    struct str name = str_of(row->name), ending = STR("_total");
    const char *kind = kind_names[row->kind];
    if (w->format == METRICS_OPEN && row->kind == COUNTER) {
        struct str stem = str_sub(name, 0, name.len - ending.len);
        bool is_free = !is_metric(stem);
        kind = is_free ? kind : "unknown";
        name = is_free ? stem : name;
    }
    buf_printf(w->out, "# HELP %s%.*s %s\n# TYPE %s%.*s %s\n", prefix_of(row), STR_ARG(name),
               row->help, prefix_of(row), STR_ARG(name), kind);
}

const char *metrics_content_type(enum metrics_format format)
{
    return format == METRICS_OPEN ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                  : "text/plain; version=0.0.4; charset=utf-8";
}

bool metrics_write(struct metrics *m, enum metrics_format format, struct buf *out)
{
    const struct writer w = {m, format, out};
    metrics_collect_process(m);
    for (size_t i = 0; i < m->n_collectors; i++)
        m->collectors[i].collect(m, m->collectors[i].cls);
    metrics_set(m, METRIC_metrics_series_dropped_total, (double)atomic_load(&m->n_dropped));

    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct series *series = atomic_load_explicit(&m->first[i], memory_order_acquire);
        if (series == NULL)
            continue;
        write_head(&w, &metric_rows[i]);
        for (; series != NULL; series = series->next) {
            if (series->histogram != NULL)
                write_histogram(&w, series);
            else
                write_line(
                    series, "",
                    metrics_double(atomic_load_explicit(&series->value, memory_order_relaxed)),
                    out);
        }
    }
    if (format == METRICS_OPEN)
        buf_add(out, STR("# EOF\n"));
    return !out->failed;
}
