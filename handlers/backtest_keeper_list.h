/* backtest_keeper_list.h - the list of answers that wait, for the files of the keeper. */
#ifndef HANDLERS_BACKTEST_KEEPER_LIST_H
#define HANDLERS_BACKTEST_KEEPER_LIST_H

#include "base/digest.h"
#include "base/lock.h"
#include "handlers/backtest_keeper.h"

#include <pthread.h>

/*
 * One that waits. Links, body, the marks and n_tries change, under the lock; whoever unlinks it frees it, and nobody
 * unlinks what is being written.
 */
struct pending {
    struct pending *next;
    uint64_t number;
    char id[DIGEST_HEX_BYTES];
    size_t bytes;              /* that it holds */
    struct backtest_kept kept; /* blob NULL as long as later is not */
    bool is_writing;           /* by the thread: packed, or to the store */
    bool is_drafted;           /* later is at work */
    bool is_packed;            /* kept.blob and its body are: see backtest_pack */
    bool has_failed;           /* to get smaller: by later, or by packing */
    unsigned n_tries;
    char texts[]; /* what kept points to, but the body */
};

struct backtest_keeper {
    struct db_pool *pool;
    uint64_t max_bytes;
    pthread_t thread;
    bool is_running;     /* the thread exists; the owner's own */
    struct lock lock;    /* leaf lock; guards every GUARDED field below */
    struct cond woken;   /* there is work, or an end: for the thread */
    struct cond written; /* a try is over, or one is gone: for those who wait */
    struct pending *first GUARDED;
    struct pending **last GUARDED; /* where the next one is linked */
    uint64_t n_taken GUARDED;
    struct backtest_keeper_stats stats GUARDED;
    bool must_stop GUARDED;
};

void pending_free(struct pending *pending);

/* Takes it off the list; the caller frees it without the lock. */
struct pending *keeper_unlink(struct backtest_keeper *keeper, struct pending **link)
    REQUIRES(keeper->lock);

/*
 * Has the body written that pending waits for. Nobody is at that, and pending stays, marked, while the lock is given back.
 */
enum status keeper_draft(struct backtest_keeper *keeper, struct pending *pending, struct err *err)
    REQUIRES(keeper->lock);

#endif
