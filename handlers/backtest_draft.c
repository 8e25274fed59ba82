/* backtest_draft.c - a run that outlives its request, and its document in one piece of memory. */
#include "handlers/backtest_draft.h"

#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_BYTES_MAX = 256 << 20 }; /* as much as the store takes */

/* Some more than most documents take: memory that is not written to costs nothing. */
static size_t likely_bytes(const struct backtest_result *r)
{
    enum { FIXED = 256 << 10, A_SESSION = 128, A_TRADE = 256, AN_ASSET = 1024 };
    size_t n_trades =
        r->ledger.n_trades < r->ledger.max_trades ? r->ledger.n_trades : r->ledger.max_trades;
    return FIXED + r->panel->n_sessions * A_SESSION + n_trades * A_TRADE +
           r->panel->n_assets * AN_ASSET;
}

static enum status too_large(struct err *err)
{
    return err_set(err, STATUS_TOO_LARGE,
                   "The answer does not fit in the memory one request may use.");
}

/* One that turns out longer than likely is written again into twice the room. */
enum status backtest_document(const struct backtest_result *result, const char *id,
                              const struct backtest_passport *passport, size_t limit_bytes,
                              struct blob **ret, struct str *ret_body, struct err *err)
{
    for (size_t size = likely_bytes(result);; size *= 2) {
        struct buf out;
        if (size > limit_bytes)
            size = limit_bytes;
        struct blob *blob = blob_new(size);
        if (blob == NULL)
            return err_out_of_memory(err);
        buf_init_fixed(&out, blob->bytes, size);
        backtest_render(result, str_of(id), passport, &out);
        if (!out.failed) {
            *ret = blob_trim(blob, out.len);
            *ret_body = (struct str){(*ret)->bytes, out.len};
            return STATUS_OK;
        }
        blob_unref(blob);
        if (size == limit_bytes)
            return too_large(err);
    }
}

static struct backtest_draft *draft_of(struct backtest_later *later)
{
    return (struct backtest_draft *)(void *)later;
}

static enum status write_later(struct backtest_later *later, struct blob **ret,
                               struct str *ret_body, struct err *err)
{
    const struct backtest_draft *draft = draft_of(later);
    return backtest_document(draft->result, draft->id, &draft->passport, DOCUMENT_BYTES_MAX, ret,
                             ret_body, err);
}

static void free_later(struct backtest_later *later)
{
    backtest_draft_free(draft_of(later));
}

struct backtest_draft *backtest_draft_new(size_t limit_bytes)
{
    struct backtest_draft *draft = calloc(1, sizeof *draft);
    if (draft != NULL)
        arena_init(&draft->arena, limit_bytes);
    return draft;
}

void backtest_draft_finish(struct backtest_draft *draft, const struct backtest_result *result,
                           const struct backtest_passport *passport, const char *id)
{
    draft->later = (struct backtest_later){
        .bytes = sizeof *draft + draft->arena.used_bytes, .write = write_later, .free = free_later};
    draft->result = result;
    draft->passport = *passport;
    memcpy(draft->id, id, sizeof draft->id);
}

void backtest_draft_free(struct backtest_draft *draft)
{
    if (draft == NULL)
        return;
    market_hold_release(&draft->hold);
    arena_clear(&draft->arena);
    free(draft);
}

void backtest_draft_freep(struct backtest_draft **draft)
{
    backtest_draft_free(*draft);
}
