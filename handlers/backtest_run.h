/*
 * backtest_run.h - one backtest from request text to answer text: what the HTTP handler and the command
 * line share. The answer's id is the SHA-256 of the normalised request, the generation of every mart it
 * reads and the engine's version, so an equal question has one id and one answer, byte for byte.
 * One thread at a time per call; blocks on the database.
 */
#ifndef HANDLERS_BACKTEST_RUN_H
#define HANDLERS_BACKTEST_RUN_H

#include "backtest/kernels.h"
#include "backtest/backtest.h"
#include "base/blob.h"
#include "base/digest.h"
#include "handlers/backtest_keeper.h"
#include "handlers/backtest_market.h"
#include "handlers/crowds.h"
#include "handlers/hand.h"
#include "handlers/panel_shelf.h"
#include "handlers/price_file.h"
#include "store/catalog.h"

struct backtest_answer {
    char id[DIGEST_HEX_BYTES];
    struct str body;                      /* JSON, in the arena or in blob */
    struct blob *blob;                    /* a reference; NULL: the arena has the body */
    bool was_stored;                      /* found, not computed */
    double load_ms, engine_ms, render_ms; /* 0 when found */
    uint64_t cells;                       /* that the request visits */
};

/* Where the data is, and how much work one request may ask for. */
struct backtest_service {
    struct db_pool *pool;
    unsigned statement_ms;   /* longest time for one statement that loads prices; 0: none */
    struct price_book *book; /* NULL: prices are read for each run */
    struct panels *panels;   /* NULL: panels are built for each run */
    const struct catalog *catalog;
    const struct kernels *kernels;  /* NULL: those for any machine */
    struct crowds *crowds;          /* monkeys of earlier requests; NULL: none are kept */
    struct hand *hand;              /* helps to write answers; NULL: nobody does */
    struct backtest_keeper *keeper; /* stores answers after they were given; NULL: before */
    uint64_t cells_max; /* names x days x portfolios; more is TOO_LARGE, before any I/O on prices */
    const struct price_file
        *file; /* prices from there, and nothing is looked up or kept; NULL: the store's */
};

void backtest_answer_clear(
    struct backtest_answer *answer); /* also for CLEANUP, and of a zeroed one */

/*
 * The answer, or the parts of it that select names (see backtest_select.h; ptr NULL: all). Only those are written before
 * it returns where service has a keeper: the whole is written and stored behind the answer, or when it is asked for. The
 * caller clears *ret.
 */
enum status backtest_answer_for(const struct backtest_service *service, struct str request_body,
                                struct str select, struct arena *arena, const struct stop *stop,
                                struct backtest_answer *ret, struct err *err) NODISCARD;

/* What a request comes to before it is run. Texts are in the arena. */
struct backtest_plan {
    char id[DIGEST_HEX_BYTES];
    struct str spec;       /* the normalised request */
    struct spec *parsed;   /* dates resolved */
    uint64_t cells, bytes; /* names x days x portfolios; memory that the panel and its lines take */
    bool is_stored;        /* the answer is there already: nothing would be run */
    struct market_data market;             /* empty unless asked for */
    const struct backtest_result *preview; /* NULL unless asked for: see backtest_preview */
    const struct backtest_mart *marts;
    size_t n_marts;
};

/*
 * with_data: prices are loaded, and the plan has market and preview. hold, zeroed before, is released by the
 * caller when it has done with the plan, whatever the outcome.
 */
enum status backtest_plan_for(const struct backtest_service *service, struct str request_body,
                              bool with_data, struct arena *arena, const struct stop *stop,
                              struct backtest_plan *ret, struct market_hold *hold, struct err *err)
    NODISCARD;

struct backtest_outcome {
    char id[DIGEST_HEX_BYTES];
    const struct backtest_result *result;
};

/*
 * The run alone, for a row of a batch: nothing is looked up, rendered or stored, and no monkeys are drawn. Every
 * figure is that of the answer with the same id, bit for bit. hold: as above, for the result. Prices and panel are
 * those of the shelf when an earlier run has left the same ones there; NULL: each run has its own. The result is good
 * until the next run with that shelf.
 */
enum status backtest_figures_for(const struct backtest_service *service, struct panel_shelf *shelf,
                                 struct str request_body, struct arena *arena,
                                 const struct stop *stop, struct backtest_outcome *ret,
                                 struct market_hold *hold, struct err *err) NODISCARD;

/*
 * The series that a spec of the caller's own names, for a run of cells visits. Refusals of too many name
 * /monkeys/count. hold: as above, for the market.
 */
enum status backtest_market_for(const struct backtest_service *service, struct spec *spec,
                                uint64_t cells, struct arena *arena, const struct stop *stop,
                                struct market_data *ret, struct market_hold *hold, struct err *err)
    NODISCARD;

#endif
