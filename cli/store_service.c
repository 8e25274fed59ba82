/* store_service.c - where a subcommand's backtests find their data. */
#include "cli/store_service.h"

enum status store_service(const struct config *config, struct db_pool *pool,
                          struct catalog **ret_catalog, struct backtest_service *ret,
                          struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(pool, DB_READ, NULL, &db, err);
    if (s == STATUS_OK)
        s = catalog_load(db, ret_catalog, err);
    *ret =
        (struct backtest_service){.pool = pool,
                                  .statement_ms = config->db_backtest_ms,
                                  .catalog = *ret_catalog,
                                  .cells_max = config->backtest_cells_max,
                                  .kernels = kernels_choose((enum kernels_choice)config->kernels)};
    return s;
}
