/* backtest_draft.c - a run that outlives its request, and its document in one piece of memory. */
#include "handlers/backtest_draft.h"

#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_BYTES_MAX = 256 << 20 }; /* as much as the store takes */

/* A document that is written in two pieces, each with room of its own in blob. */
struct writing {
    const struct backtest_result *result;
    struct str id;
    struct blob *blob;
    size_t first_room;
    struct buf first, rest;
};

static size_t n_listed(const struct backtest_result *r)
{
    return r->ledger.n_trades < r->ledger.max_trades ? r->ledger.n_trades : r->ledger.max_trades;
}

/*
 * Some more than most documents take: memory that is not written to costs nothing. The first piece's is close: what lies
 * between the pieces is written to when they are put together.
 */
static size_t likely_first(const struct backtest_result *r)
{
    enum { FIXED = 112 << 10, A_SESSION = 80, A_TRADE = 96, AN_ASSET = 512 };
    return FIXED + r->panel->n_sessions * A_SESSION + n_listed(r) * A_TRADE +
           r->panel->n_assets * AN_ASSET;
}

static size_t likely_rest(const struct backtest_result *r)
{
    enum { FIXED = 144 << 10, A_SESSION = 48, A_TRADE = 160, AN_ASSET = 512 };
    return FIXED + r->panel->n_sessions * A_SESSION + n_listed(r) * A_TRADE +
           r->panel->n_assets * AN_ASSET;
}

static enum status too_large(struct err *err)
{
    return err_set(err, STATUS_TOO_LARGE,
                   "The answer does not fit in the memory one request may use.");
}

static void write_first(void *cls)
{
    struct writing *w = cls;
    buf_init_fixed(&w->first, w->blob->bytes, w->first_room);
    backtest_render_first(w->result, w->id, &w->first);
}

/* False when a piece does not fit; *ret_len: of both, which are one behind the other then. */
static bool write_both(struct writing *w, const struct backtest_passport *passport,
                       struct hand *hand, size_t *ret_len)
{
    struct errand errand = {.run = write_first, .cls = w};
    hand_offer(hand, &errand);
    buf_init_fixed(&w->rest, w->blob->bytes + w->first_room, w->blob->size - w->first_room);
    backtest_render_rest(w->result, w->id, passport, &w->rest);
    hand_finish(hand, &errand);
    if (w->first.failed || w->rest.failed)
        return false;
    memmove(w->blob->bytes + w->first.len, w->rest.ptr, w->rest.len);
    *ret_len = w->first.len + w->rest.len;
    return true;
}

/* One that turns out longer than likely is written again into twice the room. */
enum status backtest_document(const struct backtest_result *result, const char *id,
                              const struct backtest_passport *passport, size_t limit_bytes,
                              struct hand *hand, struct blob **ret, struct str *ret_body,
                              struct err *err)
{
    size_t first = likely_first(result), rest = likely_rest(result);
    for (size_t times = 1;; times *= 2) {
        size_t len, size = times * (first + rest);
        if (size > limit_bytes)
            size = limit_bytes;
        struct writing w = {.result = result, .id = str_of(id), .blob = blob_new(size)};
        w.first_room = times * first < size / 2 ? times * first : size / 2;
        if (w.blob == NULL)
            return err_out_of_memory(err);
        if (write_both(&w, passport, hand, &len)) {
            *ret = blob_trim(w.blob, len);
            *ret_body = (struct str){(*ret)->bytes, len};
            return STATUS_OK;
        }
        blob_unref(w.blob);
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
    return backtest_document(draft->result, draft->id, &draft->passport, DOCUMENT_BYTES_MAX, NULL,
                             ret, ret_body, err);
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
