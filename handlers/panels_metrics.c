/* panels_metrics.c - the server's shelf of panels: its size from the settings, its figures to the metrics. */
#include "handlers/panels.h"

#include "server/app.h"

static void collect(struct metrics *metrics, void *cls)
{
    struct panels_stats stats = panels_stats(cls);
    metrics_set_labeled(metrics, METRIC_panel_cache_requests_total, LABELS("hit"),
                        (double)stats.hits);
    metrics_set_labeled(metrics, METRIC_panel_cache_requests_total, LABELS("miss"),
                        (double)stats.misses);
    metrics_set(metrics, METRIC_panel_cache_evictions_total, (double)stats.evictions);
    metrics_set(metrics, METRIC_panel_cache_bytes, (double)stats.bytes);
    metrics_set(metrics, METRIC_panel_cache_panels, (double)stats.panels);
}

enum status panels_open(struct app *app, struct err *err)
{
    if (app->config->panel_cache_mib == 0)
        return STATUS_OK;
    enum status s = panels_new((size_t)app->config->panel_cache_mib << 20, &app->panels, err);
    if (s == STATUS_OK)
        metrics_collector(app->metrics, collect, app->panels);
    return s;
}

void panels_close(struct app *app)
{
    if (app->panels == NULL)
        return;
    metrics_collector_remove(app->metrics, app->panels);
    panels_free(app->panels);
    app->panels = NULL;
}
