/* backtest_keeper_metrics.c - the server's keeper: its size from the settings, its figures to the metrics. */
#include "handlers/backtest_keeper.h"

#include "server/app.h"

static void collect(struct metrics *metrics, void *cls)
{
    struct backtest_keeper_stats stats;
    backtest_keeper_stats(cls, &stats);
    metrics_set(metrics, METRIC_backtests_pending, (double)stats.items);
    metrics_set(metrics, METRIC_backtests_pending_bytes, (double)stats.bytes);
    metrics_set_labeled(metrics, METRIC_backtest_stores_total, LABELS("behind"),
                        (double)stats.behind);
    metrics_set_labeled(metrics, METRIC_backtest_stores_total, LABELS("direct"),
                        (double)stats.direct);
    metrics_set_labeled(metrics, METRIC_backtest_stores_total, LABELS("failed"),
                        (double)stats.failed);
}

enum status backtest_keeper_open(struct app *app, struct err *err)
{
    enum status s =
        backtest_keeper_new(app->db, app->config->backtest_pending_bytes, &app->keeper, err);
    if (s == STATUS_OK && app->keeper != NULL)
        metrics_collector(app->metrics, collect, app->keeper);
    return s;
}

void backtest_keeper_close(struct app *app)
{
    if (app->keeper == NULL)
        return;
    metrics_collector_remove(app->metrics, app->keeper);
    backtest_keeper_free(app->keeper);
    app->keeper = NULL;
}
