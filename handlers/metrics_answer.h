/*
 * metrics_answer.h - measures a track record and writes the document of POST /v1/metrics.
 * Reads prices when the request has monkeys or factors that are instruments, and then blocks on the database; otherwise pure
 * apart from the arena.
 */
#ifndef HANDLERS_METRICS_ANSWER_H
#define HANDLERS_METRICS_ANSWER_H

#include "handlers/backtest_run.h"
#include "handlers/metrics_request.h"

/*
 * ret is made in the arena. service is looked at for prices and kernels; NULL is allowed for a request that reads none.
 * Errors: STATUS_NO_DATA, STATUS_BAD_SPEC (record.h), STATUS_TOO_LARGE, STATUS_OUT_OF_MEMORY;
 * with monkeys those of backtest_market_for and monkey_record_rank.
 */
enum status metrics_answer(const struct metrics_request *request,
                           const struct backtest_service *service, struct arena *arena,
                           const struct stop *stop, struct str *ret, struct err *err) NODISCARD;

#endif
