/*
 * backtest_run.h - one backtest from request text to answer text: what the HTTP handler and the command
 * line share. The answer's id is the SHA-256 of the normalised request, the generation of every mart it
 * reads and the engine's version, so an equal question has one id and one answer, byte for byte.
 * One thread at a time per call; blocks on the database.
 */
#ifndef HANDLERS_BACKTEST_RUN_H
#define HANDLERS_BACKTEST_RUN_H

#include "backtest/kernels.h"
#include "base/digest.h"
#include "store/catalog.h"

struct backtest_answer {
    char id[DIGEST_HEX_BYTES];
    struct str body;                      /* JSON, in the arena */
    bool was_stored;                      /* found, not computed */
    double load_ms, engine_ms, render_ms; /* 0 when found */
};

/* Where the data is, and how much work one request may ask for. */
struct backtest_service {
    struct db_pool *pool;
    unsigned statement_ms; /* longest time for one statement that loads prices; 0: none */
    const struct catalog *catalog;
    const struct kernels *kernels; /* NULL: those for any machine */
    uint64_t cells_max; /* names x days x portfolios; more is TOO_LARGE, before any I/O on prices */
};

enum status backtest_answer_for(const struct backtest_service *service, struct str request_body,
                                struct arena *arena, const struct stop *stop,
                                struct backtest_answer *ret, struct err *err) NODISCARD;

#endif
