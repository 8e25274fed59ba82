/*
 * backtest_keeper.h - finished backtests on their way to the store. Writing out the parts that nobody asked for,
 * compressing and storing take longer than computing, so a thread of the keeper's own does it after the answer has gone
 * out. What comes is compressed at once, so that its memory can take the next answer, and stored when nothing else has
 * come. What waits is bounded in bytes and in number and is found by its id as if it were stored already; what does not
 * fit is the caller's to store.
 * A process that is killed loses what waits, and no more than that: the same request gives the same answer again.
 * Callable from any thread, unless said otherwise; a keeper of NULL has nothing and takes nothing.
 */
#ifndef HANDLERS_BACKTEST_KEEPER_H
#define HANDLERS_BACKTEST_KEEPER_H

#include "base/arena.h"
#include "base/blob.h"
#include "store/backtest_store.h"

struct backtest_keeper;
struct app;

enum { BACKTEST_KEEPER_ITEMS_MAX = 1024 };

/* A body that is not there yet. write succeeds once, on whichever thread asks first, and gives a reference. */
struct backtest_later {
    size_t bytes; /* of memory that it holds */
    enum status (*write)(struct backtest_later *later, struct blob **ret, struct str *ret_body,
                         struct err *err);
    void (*free)(struct backtest_later *later);
};

/*
 * An answer to be stored: see backtest_save. Texts are borrowed for the call. The body is in blob, which is shared; or, blob
 * NULL, is copied; or later writes it.
 */
struct backtest_kept {
    struct str id, spec, body;
    struct blob *blob;
    struct backtest_later *later; /* NULL: the body is there */
    int64_t generation;
    struct backtest_summary summary;
};

struct backtest_keeper_stats {
    uint64_t items, bytes; /* that wait */
    uint64_t behind, direct,
        failed; /* stored here; left to the caller because all was full; given up */
};

/* Starts the thread. pool outlives the keeper. max_bytes 0: *ret is NULL. */
enum status backtest_keeper_new(struct db_pool *pool, uint64_t max_bytes,
                                struct backtest_keeper **ret, struct err *err) NODISCARD;

/*
 * Stores what waits and ends the thread; afterwards nothing is taken. While the database cannot be reached the rest is
 * given up. By the owner's thread.
 */
void backtest_keeper_stop(struct backtest_keeper *keeper);
void backtest_keeper_free(struct backtest_keeper *keeper); /* stops it first */

/*
 * Takes an answer and returns at once; later is the keeper's then, also when it has another answer under this id. False:
 * there is no room, and the caller stores it; later is still the caller's.
 */
bool backtest_keeper_take(struct backtest_keeper *keeper, const struct backtest_kept *kept)
    NODISCARD;

/*
 * What waits under this id, with a reference of the blob it is in, or, *ret_blob NULL, in arena; *ret_found false when
 * nothing does, and then the store knows. Asked before the store, because an answer goes from here to there. A body that is
 * still to be written is written by this call.
 */
enum status backtest_keeper_find(struct backtest_keeper *keeper, struct str id, struct arena *arena,
                                 struct blob **ret_blob, struct str *ret_body, bool *ret_found,
                                 struct err *err) NODISCARD;
bool backtest_keeper_has(struct backtest_keeper *keeper, struct str id) NODISCARD;

/*
 * Drops what waits under this id; false when nothing did. One that is being written is waited for, so that the store
 * has it for the caller to remove.
 */
bool backtest_keeper_forget(struct backtest_keeper *keeper, struct str id);

/* Returns when what waits now has been stored, or after ms. For readers of the store who look for the newest. */
void backtest_keeper_settle(struct backtest_keeper *keeper, unsigned ms);

void backtest_keeper_stats(struct backtest_keeper *keeper, struct backtest_keeper_stats *ret);

/* The server's: its size from the settings, its figures to the metrics. close stops it first, before pools close. */
enum status backtest_keeper_open(struct app *app, struct err *err) NODISCARD;
void backtest_keeper_close(struct app *app);

#endif
