/*
 * backtest_draft.h - a finished backtest whose document is written later, when somebody needs all of it: the answer to
 * a request that selects parts goes out with those alone. It owns everything that the result points to.
 */
#ifndef HANDLERS_BACKTEST_DRAFT_H
#define HANDLERS_BACKTEST_DRAFT_H

#include "base/digest.h"
#include "handlers/backtest_keeper.h"
#include "handlers/backtest_market.h"
#include "handlers/backtest_render.h"
#include "handlers/hand.h"

struct backtest_draft {
    struct backtest_later later; /* see backtest_draft_finish */
    struct arena arena;          /* of the run */
    struct market_hold hold;     /* what the run borrows */
    const struct backtest_result *result;
    struct backtest_passport passport;
    char id[DIGEST_HEX_BYTES];
};

struct backtest_draft *backtest_draft_new(size_t limit_bytes) NODISCARD; /* NULL: no memory */
void backtest_draft_free(struct backtest_draft *draft);                  /* NULL is allowed */
void backtest_draft_freep(struct backtest_draft **draft);

/* Sets what later needs: the run is over, its arena holds result, passport and all they point to. */
void backtest_draft_finish(struct backtest_draft *draft, const struct backtest_result *result,
                           const struct backtest_passport *passport, const char *id);

/*
 * The whole document, see backtest_render.h, in a blob of its own, of which the caller gets a reference. hand, which
 * may be NULL, writes a piece of it when it is free. Errors: STATUS_TOO_LARGE above limit_bytes, STATUS_OUT_OF_MEMORY.
 */
enum status backtest_document(const struct backtest_result *result, const char *id,
                              const struct backtest_passport *passport, size_t limit_bytes,
                              struct hand *hand, struct blob **ret, struct str *ret_body,
                              struct err *err) NODISCARD;

#endif
