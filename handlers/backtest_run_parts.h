/*
 * backtest_run_parts.h - the steps of one call of backtest_run.h, in the order in which they are taken: what is asked for
 * and which data it reads (backtest_identify.c), what is kept of it already (backtest_keep.c), prices, panel and
 * monkeys, its own or shared ones (backtest_share.c), and keeping the answer (backtest_keep.c).
 */
#ifndef HANDLERS_BACKTEST_RUN_PARTS_H
#define HANDLERS_BACKTEST_RUN_PARTS_H

#include "handlers/backtest_draft.h"
#include "handlers/backtest_run.h"

/* What the steps of one call share. */
struct run {
    const struct backtest_service *service;
    struct arena *arena;        /* of the run */
    struct arena *answer_arena; /* the caller's: what is answered outlives the run */
    const struct stop *stop;
    struct spec *spec;
    struct market_data market;
    struct market_hold *hold; /* the caller's */
    bool is_loaded;
    const struct backtest_result *result; /* once it was computed */
    struct backtest_passport passport;
    int64_t generation;
    int64_t version; /* the last publish that changed something that series are made of */
};

/* Parses the request, names its data and makes answer->id; *ret_spec is the normalised request. */
enum status run_begin(struct run *run, struct str request_body, struct backtest_answer *answer,
                      struct str *ret_spec, struct err *err) NODISCARD;
enum status run_read_generations(struct run *run, struct err *err) NODISCARD;
void run_write_data(const struct run *run, struct buf *out); /* engine and generations, as text */
uint64_t run_cells(const struct spec *spec);                 /* that a run visits */
enum status run_check_cost(const struct run *run, uint64_t cells, struct err *err) NODISCARD;

enum status run_load(struct run *run, struct err *err) NODISCARD; /* prices, into run->market */
enum status run_simulate(struct run *run, struct backtest_result **ret, struct err *err) NODISCARD;

/* The kept answer of answer->id, whole: answer->was_stored says whether there is one. */
enum status run_find(struct run *run, struct backtest_answer *answer, struct err *err) NODISCARD;

/*
 * Stores answer->body, or, with a draft, what that will write: behind the answer where there is a keeper with room, which
 * *draft then belongs to and is NULL for the caller.
 */
enum status run_keep(struct run *run, struct str spec, const struct backtest_answer *answer,
                     struct backtest_draft **draft, struct err *err) NODISCARD;

double run_ms_since(int64_t from_ns);

#endif
