/* backtest_keeper_thread.c - the thread that stores what waits, its beginning and its end. */
#include "handlers/backtest_keeper_list.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { PAUSE_MS = 500, TRIES_MAX = 20, NICE = 10, NS_PER_MS = 1000000 };

/* The oldest one whose body is to be written, and was not tried in vain. */
static struct pending *next_to_draft(struct backtest_keeper *keeper) REQUIRES(keeper->lock)
{
    struct pending *pending = keeper->first;
    while (pending != NULL &&
           (pending->kept.later == NULL || pending->is_drafted || pending->has_failed))
        pending = pending->next;
    return pending;
}

/* The oldest one up to a number whose body is to be packed, and was not tried in vain. */
static struct pending *next_to_pack(struct backtest_keeper *keeper, uint64_t last)
    REQUIRES(keeper->lock)
{
    struct pending *pending = keeper->first;
    while (pending != NULL &&
           (pending->kept.later != NULL || pending->is_packed || pending->has_failed))
        pending = pending->next;
    return pending != NULL && pending->number <= last ? pending : NULL;
}

/* In memory of its own size. NULL: there is no memory, or it does not get smaller. */
static struct blob *packed_of(struct str body)
{
    CLEANUP(arena_clear) struct arena arena;
    struct str packed = STR_NONE;
    arena_init(&arena, SIZE_MAX);
    bool is_smaller =
        backtest_pack(body, &arena, &packed, NULL) == STATUS_OK && packed.len < body.len;
    struct blob *blob = is_smaller ? blob_new(packed.len) : NULL;
    if (blob != NULL)
        memcpy(blob->bytes, packed.ptr, packed.len);
    return blob;
}

/* pending has a body; it stays, marked, while the lock is given back. */
static void pack(struct backtest_keeper *keeper, struct pending *pending) REQUIRES(keeper->lock)
{
    struct backtest_kept *kept = &pending->kept;
    struct blob *plain = kept->blob;
    struct str body = kept->body;
    pending->is_writing = true;
    lock_give(&keeper->lock);
    struct blob *packed = packed_of(body);
    lock_take(&keeper->lock);
    pending->is_writing = false;
    pending->is_packed = packed != NULL;
    pending->has_failed = packed == NULL;
    if (packed != NULL) {
        kept->blob = packed;
        kept->body = (struct str){packed->bytes, packed->size};
        pending->bytes = pending->bytes - body.len + packed->size;
        keeper->stats.bytes = keeper->stats.bytes - body.len + packed->size;
    }
    cond_broadcast(&keeper->written);
    lock_give(&keeper->lock);
    if (packed != NULL)
        blob_unref(plain);
    lock_take(&keeper->lock);
}

/*
 * The oldest, marked as being written; NULL at the end, when all has been stored. What is there by now is made small first,
 * runs before documents: a run holds several times the memory of its document, and that three times what it takes packed.
 */
static struct pending *next_to_write(struct backtest_keeper *keeper)
{
    struct pending *draft, *large = NULL;
    lock_take(&keeper->lock);
    while (keeper->first == NULL && !keeper->must_stop)
        cond_wait(&keeper->woken, &keeper->lock);
    uint64_t last = keeper->n_taken;
    do {
        while ((draft = next_to_draft(keeper)) != NULL)
            (void)keeper_draft(keeper, draft, NULL); /* write_one says what is wrong */
        large = next_to_pack(keeper, last);
        if (large != NULL)
            pack(keeper, large);
    } while (large != NULL);
    struct pending *pending = keeper->first;
    if (pending != NULL)
        pending->is_writing = true;
    lock_give(&keeper->lock);
    return pending;
}

static enum status draft_first(struct backtest_keeper *keeper, struct pending *pending,
                               struct err *err)
{
    enum status s = STATUS_OK;
    lock_take(&keeper->lock);
    while (s == STATUS_OK && pending->kept.later != NULL) {
        if (pending->is_drafted)
            cond_wait(&keeper->written, &keeper->lock);
        else
            s = keeper_draft(keeper, pending, err);
    }
    lock_give(&keeper->lock);
    return s;
}

static enum status write_one(struct backtest_keeper *keeper, struct pending *pending,
                             struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    const struct backtest_kept *kept = &pending->kept;
    enum status s = draft_first(keeper, pending, err);
    if (s == STATUS_OK)
        s = db_acquire(keeper->pool, DB_WRITE, NULL, &db, err);
    if (s == STATUS_OK)
        s = backtest_save(db, kept->id, kept->spec, kept->generation, kept->body, &kept->summary,
                          err);
    return s;
}

/* There is no connection to be had: what waits, waits on. */
static bool is_down(enum status s)
{
    return s == STATUS_DB_UNAVAILABLE || s == STATUS_BUSY;
}

/* Will the same write do another time? Otherwise it is given up. */
static bool is_passing(enum status s, unsigned n_tries)
{
    bool may_pass = s == STATUS_DB_CONFLICT || s == STATUS_DB_TIMEOUT || s == STATUS_DEADLINE ||
                    s == STATUS_OUT_OF_MEMORY;
    return is_down(s) || (may_pass && n_tries < TRIES_MAX);
}

/* After a try: false when it is done with, and unlinked; else it stays first, and it is time for the next try. */
static bool put_down(struct backtest_keeper *keeper, struct pending *pending, enum status s)
{
    lock_take(&keeper->lock);
    bool stays = !keeper->must_stop && is_passing(s, ++pending->n_tries);
    while (!stays && pending->is_drafted) /* by somebody who looks for it */
        cond_wait(&keeper->written, &keeper->lock);
    pending->is_writing = false; /* not before: nobody else unlinks it meanwhile */
    if (!stays)
        (void)keeper_unlink(keeper, &keeper->first);
    keeper->stats.behind += s == STATUS_OK;
    keeper->stats.failed += s != STATUS_OK && !stays;
    cond_broadcast(&keeper->written);
    int64_t end_ns = clock_mono_ns() + (int64_t)PAUSE_MS * NS_PER_MS;
    while (stays && !keeper->must_stop && cond_wait_until(&keeper->woken, &keeper->lock, end_ns))
        continue;
    lock_give(&keeper->lock);
    return stays;
}

/* At the end: everything that is left, when it cannot be stored. */
static void give_up(struct backtest_keeper *keeper)
{
    struct pending *dropped = NULL;
    lock_take(&keeper->lock);
    uint64_t n = 0;
    while (keeper->must_stop && keeper->first != NULL) {
        if (keeper->first->is_drafted) {
            cond_wait(&keeper->written, &keeper->lock);
            continue;
        }
        struct pending *pending = keeper_unlink(keeper, &keeper->first);
        pending->next = dropped;
        dropped = pending;
        n++;
    }
    keeper->stats.failed += n;
    cond_broadcast(&keeper->written);
    lock_give(&keeper->lock);
    if (n > 0)
        log_event(LOG_WARN, "backtests_given_up", LOG_I64("n", (int64_t)n));
    for (struct pending *next; dropped != NULL; dropped = next) {
        next = dropped->next;
        pending_free(dropped);
    }
}

static void *thread_main(void *arg)
{
    struct backtest_keeper *keeper = arg;
    struct pending *pending;
    /* Of this thread alone: it stands beside the runs, not before them. */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    while ((pending = next_to_write(keeper)) != NULL) {
        struct err err = {0};
        enum status s = write_one(keeper, pending, &err);
        if (put_down(keeper, pending, s))
            continue;
        if (s != STATUS_OK)
            log_event(LOG_WARN, "backtest_not_stored", LOG_STR("id", pending->kept.id),
                      LOG_TEXT("detail", err.detail));
        pending_free(pending);
        if (is_down(s))
            give_up(keeper);
    }
    return NULL;
}

/* ---- Beginning and end ----------------------------------------------------------------------------------------- */

enum status backtest_keeper_new(struct db_pool *pool, uint64_t max_bytes,
                                struct backtest_keeper **ret, struct err *err)
{
    *ret = NULL;
    if (max_bytes == 0)
        return STATUS_OK;
    struct backtest_keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL)
        return err_out_of_memory(err);
    keeper->pool = pool;
    keeper->max_bytes = max_bytes;
    keeper->last = &keeper->first;
    lock_init(&keeper->lock);
    cond_init(&keeper->woken);
    cond_init(&keeper->written);
    keeper->is_running = pthread_create(&keeper->thread, NULL, thread_main, keeper) == 0;
    if (!keeper->is_running) {
        backtest_keeper_free(keeper);
        return err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
    }
    *ret = keeper;
    return STATUS_OK;
}

void backtest_keeper_stop(struct backtest_keeper *keeper)
{
    if (keeper == NULL || !keeper->is_running)
        return;
    lock_take(&keeper->lock);
    keeper->must_stop = true;
    cond_signal(&keeper->woken);
    lock_give(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    keeper->is_running = false;
}

void backtest_keeper_free(struct backtest_keeper *keeper)
{
    if (keeper == NULL)
        return;
    backtest_keeper_stop(keeper);
    cond_clear(&keeper->written);
    cond_clear(&keeper->woken);
    lock_clear(&keeper->lock);
    free(keeper);
}
