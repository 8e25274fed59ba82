/*
 * batch_team.h - some items of a batch, run by several threads at the same time; each has an arena of its own, and
 * what comes of an item does not depend on who ran it. One thread calls.
 */
#ifndef HANDLERS_BATCH_TEAM_H
#define HANDLERS_BATCH_TEAM_H

#include "backtest/overfit.h"
#include "handlers/backtest_run.h"
#include "store/backtest_item_store.h"

enum { TEAM_ITEMS_MAX = 256 };

/* One item and what came of it. The memory of row's texts and of standard is the outcome's, used again by the next. */
struct batch_outcome {
    const struct backtest_item *item;
    struct backtest_row row;
    char id[DIGEST_HEX_BYTES], detail[200];
    struct overfit_column column;  /* its returns, condensed for the study: only when asked for */
    double *standard;              /* beside the column: one for each session but the first */
    size_t n_returns, max_returns; /* 0: too few for OVERFIT_BLOCKS blocks, or not asked for */
    int32_t first, last;           /* sessions */
};

/* What stops a batch as a whole, and is no failure of the request that met it. */
bool batch_ends_all(enum status s);

struct batch_team;
enum status batch_team_new(unsigned n_threads, size_t arena_bytes, int nice,
                           struct batch_team **ret, struct err *err) NODISCARD;
void batch_team_free(struct batch_team *team);           /* NULL is allowed */
unsigned batch_team_size(const struct batch_team *team); /* its threads */

/* Every thread calls part with its number, 0 to batch_team_size - 1; what the first to fail returned. */
typedef enum status team_part_fn(void *cls, size_t part, struct err *err);
enum status batch_team_share(struct batch_team *team, team_part_fn *part, void *cls,
                             struct err *err) NODISCARD;

/*
 * Runs n items. A failure of an item is its outcome; what stops the work as a whole (the stop word, a database that
 * cannot be reached, memory) is returned.
 */
enum status batch_team_run(struct batch_team *team, const struct backtest_service *service,
                           struct str base, const struct backtest_item *items, size_t n,
                           bool is_study, const struct stop *stop, struct err *err) NODISCARD;
const struct batch_outcome *batch_team_outcome(const struct batch_team *team, size_t i);

#endif
