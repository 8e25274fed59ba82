/* backtest_keeper.c - a list of answers that wait, oldest first, and the thread that stores them. */
#include "handlers/backtest_keeper.h"

#include "base/blob.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/lock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { PAUSE_MS = 500, TRIES_MAX = 20, NICE = 5, NS_PER_MS = 1000000 };

/* One that waits. Links, is_writing and n_tries change, under the lock; whoever unlinks it frees it, and nobody unlinks what is being written. */
struct pending {
    struct pending *next;
    uint64_t number;
    char id[DIGEST_HEX_BYTES];
    struct blob *text; /* body, then the texts that kept points to */
    struct backtest_kept kept;
    bool is_writing;
    unsigned n_tries;
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

static void pending_free(struct pending *pending)
{
    blob_unref(pending->text);
    free(pending);
}

static struct str copy_text(char **to, struct str text)
{
    struct str copy = {text.ptr == NULL ? NULL : *to, text.len};
    if (text.ptr != NULL)
        memcpy(*to, text.ptr, text.len);
    *to += text.len;
    return copy;
}

static struct pending *pending_new(const struct backtest_kept *kept)
{
    const struct backtest_summary *summary = &kept->summary;
    struct pending *pending = calloc(1, sizeof *pending);
    struct blob *text =
        blob_new(kept->body.len + kept->spec.len + summary->strategy.len + summary->currency.len);
    if (pending == NULL || text == NULL || kept->id.len >= sizeof pending->id) {
        blob_unref(text);
        free(pending);
        return NULL;
    }
    char *to = text->bytes;
    memcpy(pending->id, kept->id.ptr, kept->id.len);
    pending->text = text;
    pending->kept = *kept;
    pending->kept.id = str_of(pending->id);
    pending->kept.body = copy_text(&to, kept->body);
    pending->kept.spec = copy_text(&to, kept->spec);
    pending->kept.summary.strategy = copy_text(&to, summary->strategy);
    pending->kept.summary.currency = copy_text(&to, summary->currency);
    return pending;
}

/* The link to the one with this id; to NULL when there is none. */
static struct pending **link_of(struct backtest_keeper *keeper, struct str id)
    REQUIRES(keeper->lock)
{
    struct pending **link = &keeper->first;
    while (*link != NULL && !str_eq((*link)->kept.id, id))
        link = &(*link)->next;
    return link;
}

static struct pending *unlink_from(struct backtest_keeper *keeper, struct pending **link)
    REQUIRES(keeper->lock)
{
    struct pending *pending = *link;
    *link = pending->next;
    if (keeper->last == &pending->next)
        keeper->last = link;
    keeper->stats.items--;
    keeper->stats.bytes -= pending->text->size;
    return pending;
}

bool backtest_keeper_take(struct backtest_keeper *keeper, const struct backtest_kept *kept)
{
    struct pending *pending = keeper == NULL ? NULL : pending_new(kept);
    if (pending == NULL)
        return false;
    lock_take(&keeper->lock);
    struct backtest_keeper_stats *stats = &keeper->stats;
    bool is_there = *link_of(keeper, kept->id) != NULL;
    bool has_room = !keeper->must_stop && stats->items < BACKTEST_KEEPER_ITEMS_MAX &&
                    pending->text->size <= keeper->max_bytes - stats->bytes;
    bool is_taken = has_room && !is_there;
    if (is_taken) {
        pending->number = ++keeper->n_taken;
        *keeper->last = pending;
        keeper->last = &pending->next;
        stats->items++;
        stats->bytes += pending->text->size;
        cond_signal(&keeper->woken);
    }
    stats->direct += !is_taken && !is_there;
    lock_give(&keeper->lock);
    if (!is_taken)
        pending_free(pending);
    return is_taken || is_there;
}

enum status backtest_keeper_find(struct backtest_keeper *keeper, struct str id, struct arena *arena,
                                 struct str *ret_body, bool *ret_found, struct err *err)
{
    struct blob *text = NULL;
    struct str body = STR_NONE;
    if (keeper != NULL) {
        lock_take(&keeper->lock);
        const struct pending *pending = *link_of(keeper, id);
        if (pending != NULL) {
            text = blob_ref(pending->text);
            body = pending->kept.body;
        }
        lock_give(&keeper->lock);
    }
    bool found = text != NULL;
    char *copy = found ? arena_dup(arena, body) : NULL;
    blob_unref(text);
    if (found && copy == NULL)
        return err_out_of_memory(err);
    if (found)
        *ret_body = (struct str){copy, body.len};
    *ret_found = found;
    return STATUS_OK;
}

bool backtest_keeper_has(struct backtest_keeper *keeper, struct str id)
{
    if (keeper == NULL)
        return false;
    lock_take(&keeper->lock);
    bool answer = *link_of(keeper, id) != NULL;
    lock_give(&keeper->lock);
    return answer;
}

bool backtest_keeper_forget(struct backtest_keeper *keeper, struct str id)
{
    if (keeper == NULL)
        return false;
    struct pending *dropped = NULL;
    lock_take(&keeper->lock);
    struct pending **link = link_of(keeper, id);
    bool was_there = *link != NULL;
    while (*link != NULL && (*link)->is_writing) {
        cond_wait(&keeper->written, &keeper->lock);
        link = link_of(keeper, id);
    }
    if (*link != NULL)
        dropped = unlink_from(keeper, link);
    cond_broadcast(&keeper->written);
    lock_give(&keeper->lock);
    if (dropped != NULL)
        pending_free(dropped);
    return was_there;
}

void backtest_keeper_settle(struct backtest_keeper *keeper, unsigned ms)
{
    if (keeper == NULL)
        return;
    int64_t end_ns = clock_mono_ns() + (int64_t)ms * NS_PER_MS;
    lock_take(&keeper->lock);
    uint64_t last = keeper->n_taken;
    while (keeper->first != NULL && keeper->first->number <= last &&
           cond_wait_until(&keeper->written, &keeper->lock, end_ns))
        continue;
    lock_give(&keeper->lock);
}

void backtest_keeper_stats(struct backtest_keeper *keeper, struct backtest_keeper_stats *ret)
{
    lock_take(&keeper->lock);
    *ret = keeper->stats;
    lock_give(&keeper->lock);
}

/* ---- The thread ---------------------------------------------------------------------------------------------- */

/* The oldest, marked as being written; NULL at the end, when all has been stored. */
static struct pending *next_to_write(struct backtest_keeper *keeper)
{
    lock_take(&keeper->lock);
    while (keeper->first == NULL && !keeper->must_stop)
        cond_wait(&keeper->woken, &keeper->lock);
    struct pending *pending = keeper->first;
    if (pending != NULL)
        pending->is_writing = true;
    lock_give(&keeper->lock);
    return pending;
}

static enum status write_one(struct backtest_keeper *keeper, const struct backtest_kept *kept,
                             struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(keeper->pool, DB_WRITE, NULL, &db, err);
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
    pending->is_writing = false;
    bool stays = !keeper->must_stop && is_passing(s, ++pending->n_tries);
    if (!stays)
        (void)unlink_from(keeper, &keeper->first);
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
        struct pending *pending = unlink_from(keeper, &keeper->first);
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
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* of this thread alone: runs go first */
    while ((pending = next_to_write(keeper)) != NULL) {
        struct err err = {0};
        enum status s = write_one(keeper, &pending->kept, &err);
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
