/* backtest_render_accounts.h - the member accounts of a backtest's document; for backtest_render.c. */
#ifndef HANDLERS_BACKTEST_RENDER_ACCOUNTS_H
#define HANDLERS_BACKTEST_RENDER_ACCOUNTS_H

#include "backtest/backtest.h"

/* Where the final wealth comes from, what moved in and out, and what the fills had to do without. */
void render_accounts(const struct backtest_result *result, struct json_out *json);

#endif
