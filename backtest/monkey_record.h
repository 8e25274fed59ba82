/*
 * monkey_record.h - random portfolios beside a track record of unknown making: is the record better than chance?
 *
 * The record says nothing of its rules, so the request names them: a universe, how many of its instruments each
 * monkey holds, and when it rebalances. The monkeys are those of monkey.h, without costs, decided and filled at
 * closes (random weights look at no price). They begin up to MONKEY_RECORD_LEAD_DAYS before V_0, so that they are
 * invested by then, and are looked at on the dates of the record alone: on each the last session on or before it.
 * Values are rebased to V_0 of the record. Pure apart from the arena; one thread.
 */
#ifndef BACKTEST_MONKEY_RECORD_H
#define BACKTEST_MONKEY_RECORD_H

#include "backtest/measure.h"
#include "backtest/monkey.h"
#include "base/json_in.h"

enum { MONKEY_RECORD_LEAD_DAYS = 10, MONKEY_RECORD_COUNT_MAX = 10000 };

struct monkey_record_ask {
    unsigned count; /* 0: not asked for */
    uint64_t seed;
    size_t n_names;    /* that each holds */
    struct spec *spec; /* universe, currency and rebalance, every asset equal; dates open */
};

/*
 * The member monkeys of a track record's request: {"universe", "names", "count", "seed", "rebalance", "currency"}.
 * *ret is left as it is when it is absent. Errors: those of spec_parse, naming the pointer.
 */
enum status monkey_record_read(struct json_val root, struct arena *arena,
                               struct monkey_record_ask *ret, struct err *err) NODISCARD;

/* What the record is, live part only: value[0] = V_0 > 0, dates not NULL, n >= 2. */
struct monkey_record {
    struct measure_path path;
    double periods_per_year;
    double rate;             /* risk-free, per period */
    const double *risk_free; /* instead, one for each return; NULL: rate */
};

/* Cells that the monkeys visit: see check_cost of handlers/backtest_run.c. */
uint64_t monkey_record_cells(const struct monkey_record_ask *ask, const struct measure_path *path);

/*
 * Plays ask->count monkeys on market, which has every series of ask->spec, and ranks the record among them.
 * Errors: STATUS_OUTSIDE_COVERAGE at /monkeys/universe when an instrument does not cover the record's dates;
 * STATUS_OUT_OF_RANGE at /dates above 60 years; the others of panel_build and monkey_crowd_play.
 */
enum status monkey_record_rank(const struct monkey_record_ask *ask,
                               const struct monkey_record *record, const struct market_data *market,
                               struct arena *arena, const struct stop *stop,
                               struct monkey_report *ret, struct err *err) NODISCARD;

#endif
