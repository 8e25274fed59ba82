/* store_service.h - the backtest service of a subcommand: settings and an open store, without a server. */
#ifndef CLI_STORE_SERVICE_H
#define CLI_STORE_SERVICE_H

#include "handlers/backtest_run.h"
#include "server/config.h"

/* Where a command's backtests find their data: the newest generation of an open store. *ret_catalog is the caller's. */
enum status store_service(const struct config *config, struct db_pool *pool,
                          struct catalog **ret_catalog, struct backtest_service *ret,
                          struct err *err) NODISCARD;

#endif
