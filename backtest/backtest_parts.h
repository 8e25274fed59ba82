/*
 * backtest_parts.h - the stages of one backtest, shared by the files backtest*.c of this folder and by nobody else.
 * Each stage reads what the ones before have left in struct run, and adds to run->result.
 */
#ifndef BACKTEST_BACKTEST_PARTS_H
#define BACKTEST_BACKTEST_PARTS_H

#include "backtest/backtest.h"

struct run {
    const struct market_data *market;
    struct arena *arena;
    const struct stop *stop;
    const struct panel_shared *shared; /* NULL: the panel is built */
    struct spec *spec;
    const struct panel *panel; /* given, or built by prepare */
    struct risk_free risk_free;
    struct measure_details details; /* of the strategy's measures */
    struct sim_rules rules;
    struct plan plan;
    struct sim_workspace workspace;
    size_t n_live; /* sessions of the equity that count: measure_live_length */
    struct backtest_result *result;
    const struct backtest_selection *wanted; /* see backtest_figures; NULL: everything */
};

/* backtest_play.c */
enum status run_out_of_memory(struct err *err);
enum status run_set_plan(struct run *run, struct err *err) NODISCARD;  /* target weights */
enum status run_set_rules(struct run *run, struct err *err) NODISCARD; /* schedule, costs, flows */
enum status run_strategy(struct run *run, struct err *err) NODISCARD; /* the lines and the ledger */

/* backtest_judge.c: figures of the strategy that has been played */
enum status run_take_measures(struct run *run, struct err *err) NODISCARD;
enum status run_attribute(struct run *run, struct err *err) NODISCARD;
enum status run_roll(struct run *run, struct err *err) NODISCARD;
enum status run_deflate(struct run *run, struct err *err) NODISCARD;  /* real terms, withdrawals */
enum status run_tabulate(struct run *run, struct err *err) NODISCARD; /* drawdowns and calendar */
enum status run_describe(struct run *run, struct err *err) NODISCARD; /* how old the prices were */
enum status run_draw_frontier(struct run *run, struct err *err) NODISCARD;
enum status run_play_monkeys(struct run *run, const struct monkey_crowd *kept, struct err *err)
    NODISCARD;
enum status run_explain(struct run *run, struct err *err) NODISCARD; /* by factors */
enum status run_judge(struct run *run, struct err *err) NODISCARD;

#endif
