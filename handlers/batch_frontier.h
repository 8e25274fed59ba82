/*
 * batch_frontier.h - the efficient frontier beside the rows of a sweep of weights: what could have been chosen from the
 * first part of the sessions, and what came of it in the rest (backtest/frontier.h). One thread; blocks on the database.
 */
#ifndef HANDLERS_BATCH_FRONTIER_H
#define HANDLERS_BATCH_FRONTIER_H

#include "handlers/backtest_run.h"
#include "handlers/sweep.h"

/*
 * *ret: `frontier` of the answer to the base request with every asset in it and nothing else asked for, as JSON in the
 * arena, ptr NULL when there is none; *ret_reason: why, as the slug of a problem, ptr NULL when the sweep does not vary
 * the weight of every asset. Errors: those that end the whole job (batch_team.h).
 */
enum status batch_frontier(const struct backtest_service *service, const struct sweep_kept *kept,
                           struct arena *arena, const struct stop *stop, struct str *ret,
                           struct str *ret_reason, struct err *err) NODISCARD;

#endif
