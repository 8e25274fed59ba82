/* price_book_metrics.c - the server's book of prices: its size from the settings, its figures to the metrics. */
#include "handlers/price_book.h"

#include "server/app.h"

static void collect(struct metrics *metrics, void *cls)
{
    struct price_book_stats stats = price_book_stats(cls);
    metrics_set_labeled(metrics, METRIC_price_book_requests_total, LABELS("hit"),
                        (double)stats.hits);
    metrics_set_labeled(metrics, METRIC_price_book_requests_total, LABELS("miss"),
                        (double)stats.misses);
    metrics_set(metrics, METRIC_price_book_evictions_total, (double)stats.evictions);
    metrics_set(metrics, METRIC_price_book_bytes, (double)stats.bytes);
    metrics_set(metrics, METRIC_price_book_series, (double)stats.series);
}

enum status price_book_open(struct app *app, struct err *err)
{
    if (app->config->price_book_mib == 0)
        return STATUS_OK;
    enum status s = price_book_new((size_t)app->config->price_book_mib << 20, &app->prices, err);
    if (s == STATUS_OK)
        metrics_collector(app->metrics, collect, app->prices);
    return s;
}

void price_book_close(struct app *app)
{
    if (app->prices == NULL)
        return;
    metrics_collector_remove(app->metrics, app->prices);
    price_book_free(app->prices);
    app->prices = NULL;
}
