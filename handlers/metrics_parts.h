/* metrics_parts.h - the members of a track record's answer beside its metrics; for metrics_answer.c. */
#ifndef HANDLERS_METRICS_PARTS_H
#define HANDLERS_METRICS_PARTS_H

#include "base/json_out.h"
#include "handlers/backtest_run.h"
#include "handlers/metrics_request.h"

struct metrics_parts {
    const struct metrics_request *request;
    const struct record_ready *ready; /* NULL: no series */
    struct arena *arena;
    struct json_out *json;
    const struct backtest_service *service; /* where monkeys and factors find prices */
    const struct stop *stop;
};

/* Each writes its member, or null where it was not asked for. Errors: STATUS_OUT_OF_MEMORY; of monkeys, metrics_answer.h. */
enum status metrics_write_rolling(const struct metrics_parts *p, struct err *err) NODISCARD;
enum status metrics_write_regression(const struct metrics_parts *p, struct err *err) NODISCARD;
enum status metrics_write_money(const struct metrics_parts *p, struct err *err) NODISCARD;
enum status metrics_write_periods(const struct metrics_parts *p, struct err *err) NODISCARD;
enum status metrics_write_bootstrap(const struct metrics_parts *p, struct err *err) NODISCARD;
enum status metrics_write_monkeys(const struct metrics_parts *p, struct err *err) NODISCARD;
void metrics_write_trades(const struct metrics_parts *p);
void metrics_write_summary(const struct metrics_parts *p);

#endif
