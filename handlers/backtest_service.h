/* backtest_service.h - where a server's backtests find their data, and how much one may ask for: from its settings. */
#ifndef HANDLERS_BACKTEST_SERVICE_H
#define HANDLERS_BACKTEST_SERVICE_H

#include "handlers/backtest_run.h"
#include "server/app.h"

/* catalog is borrowed; it says which generation is read. */
static inline struct backtest_service backtest_service_of(const struct app *app,
                                                          const struct catalog *catalog)
{
    return (struct backtest_service){.pool = app->db,
                                     .statement_ms = app->config->db_backtest_ms,
                                     .book = app->prices,
                                     .panels = app->panels,
                                     .catalog = catalog,
                                     .cells_max = app->config->backtest_cells_max,
                                     .crowds = app->crowds,
                                     .hand = app->hand,
                                     .keeper = app->keeper,
                                     .kernels =
                                         kernels_choose((enum kernels_choice)app->config->kernels)};
}

#endif
