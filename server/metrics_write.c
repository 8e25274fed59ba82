/* metrics_write.c - the series as Prometheus text 0.0.4. */
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

static void write_line(const struct series *series, const char *suffix, const char *bound,
                       double value, struct buf *out)
{
    const struct metric_row *row = &metric_rows[series->metric];
    buf_printf(out, "%s%s%s", prefix_of(row), row->name, suffix);
    write_labels(series, bound, out);
    buf_add_char(out, ' ');
    write_number(out, value);
    buf_add_char(out, '\n');
}

static void write_histogram(const struct series *series, struct buf *out)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= METRICS_BOUNDS; i++) {
        char bound[NUMBER_TEXT_BYTES] = "+Inf";
        if (i < METRICS_BOUNDS)
            bound[number_format(metric_bounds[i], bound)] = '\0';
        count += atomic_load_explicit(&series->histogram->buckets[i], memory_order_relaxed);
        write_line(series, "_bucket", bound, (double)count, out);
    }
    double sum =
        metrics_double(atomic_load_explicit(&series->histogram->sum, memory_order_relaxed));
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
        const struct metric_row *row = &metric_rows[i];
        const struct series *series = atomic_load_explicit(&m->first[i], memory_order_acquire);
        if (series == NULL)
            continue;
        buf_printf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", prefix_of(row), row->name, row->help,
                   prefix_of(row), row->name, kind_names[row->kind]);
        for (; series != NULL; series = series->next) {
            if (series->histogram != NULL)
                write_histogram(series, out);
            else
                write_line(
                    series, "", NULL,
                    metrics_double(atomic_load_explicit(&series->value, memory_order_relaxed)),
                    out);
        }
    }
    return !out->failed;
}
