/* price_book.c - a table and a queue of pages under one leaf lock; used by backtest_market.c. */
#include "handlers/price_book.h"

#include "backtest/spec.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { N_BUCKETS = 1024, POLL_MS = 20 };
static const size_t PAGE_BYTES_MAX = (size_t)256
                                     << 20; /* one series: 200,000 rows need a tenth of it */

enum page_state { PAGE_READING, PAGE_READY, PAGE_FAILED };

/* Uid, arena and series are settled when the page is ready; the rest is guarded by the book's lock. */
struct price_page {
    struct queue_link link;
    char uid[SPEC_UID_BYTES_MAX + 1];
    struct arena arena;
    struct price_series series;
    enum page_state state;
    bool is_kept; /* in the table and the queue, and counted */
    size_t bytes; /* counted */
    unsigned n_holders;
    struct price_page *chain; /* of its bucket, or of pages to be freed */
};

struct price_book {
    struct lock lock;    /* leaf lock; guards every GUARDED field below */
    struct cond settled; /* some page is no longer being read */
    int64_t version GUARDED;
    struct price_page *bucket[N_BUCKETS] GUARDED;
    struct queue queue GUARDED;
    struct price_book_stats stats GUARDED;
    size_t max_bytes;
};

enum status price_book_new(size_t max_bytes, struct price_book **ret, struct err *err)
{
    struct price_book *book = calloc(1, sizeof *book);
    if (book == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for the book of prices.");
    lock_init(&book->lock);
    cond_init(&book->settled);
    book->max_bytes = max_bytes;
    *ret = book;
    return STATUS_OK;
}

static struct price_page *page_at(struct queue_link *link)
{
    return (struct price_page *)(void *)link;
}

static void page_free(struct price_page *page)
{
    if (page == NULL)
        return;
    arena_clear(&page->arena);
    free(page);
}

static void free_all(struct price_page *chain)
{
    while (chain != NULL) {
        struct price_page *next = chain->chain;
        page_free(chain);
        chain = next;
    }
}

void price_book_free(struct price_book *book)
{
    if (book == NULL)
        return;
    for (struct price_page *page = page_at(book->queue.newest); page != NULL;) {
        struct price_page *older = page_at(page->link.older);
        assert(page->n_holders == 0);
        page_free(page);
        page = older;
    }
    cond_clear(&book->settled);
    lock_clear(&book->lock);
    free(book);
}

struct price_book_stats price_book_stats(struct price_book *book)
{
    lock_take(&book->lock);
    struct price_book_stats stats = book->stats;
    lock_give(&book->lock);
    return stats;
}

/* FNV-1a; nobody outside can fill a bucket, for only the uids of instruments stay in the table. */
static size_t bucket_of(struct str uid)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < uid.len; i++)
        hash = (hash ^ (unsigned char)uid.ptr[i]) * 16777619u;
    return hash % N_BUCKETS;
}

static struct price_page *find(struct price_book *book, struct str uid) REQUIRES(book->lock)
{
    struct price_page *page = book->bucket[bucket_of(uid)];
    while (page != NULL && !str_eq_c(uid, page->uid))
        page = page->chain;
    return page;
}

static void insert(struct price_book *book, struct price_page *page) REQUIRES(book->lock)
{
    size_t b = bucket_of(str_of(page->uid));
    page->chain = book->bucket[b];
    book->bucket[b] = page;
    page->is_kept = true;
    queue_add(&book->queue, &page->link);
    book->stats.series++;
}

/* Out of the table and the queue. When nobody holds it, it is also put on *gone, to be freed without the lock. */
static void drop(struct price_book *book, struct price_page *page, struct price_page **gone)
    REQUIRES(book->lock)
{
    struct price_page **at = &book->bucket[bucket_of(str_of(page->uid))];
    while (*at != page)
        at = &(*at)->chain;
    *at = page->chain;
    queue_take(&book->queue, &page->link);
    page->is_kept = false;
    book->stats.series--;
    book->stats.bytes -= page->bytes;
    page->bytes = 0;
    if (page->n_holders > 0)
        return;
    page->chain = *gone;
    *gone = page;
}

/* Makes room: the pages that nobody holds go, the longest unused first. */
static void evict(struct price_book *book, struct price_page **gone) REQUIRES(book->lock)
{
    struct price_page *page = page_at(book->queue.oldest);
    while (page != NULL && book->stats.bytes > book->max_bytes) {
        struct price_page *newer = page_at(page->link.newer);
        if (page->n_holders == 0) {
            drop(book, page, gone);
            book->stats.evictions++;
        }
        page = newer;
    }
}

static void move_to(struct price_book *book, int64_t version, struct price_page **gone)
    REQUIRES(book->lock)
{
    while (book->queue.newest != NULL)
        drop(book, page_at(book->queue.newest), gone);
    book->version = version;
}

/* Gives up one hold of a page; the page if it has to be freed now. */
static struct price_page *let_go(struct price_page *page)
{
    page->n_holders--;
    if (page->n_holders > 0 || page->is_kept)
        return NULL;
    page->chain = NULL;
    return page;
}

/* Waits until a page that is being read is settled. False when it failed, or the wait was stopped. */
static bool await(struct price_book *book, struct price_page *page, const struct stop *stop)
    REQUIRES(book->lock)
{
    while (page->state == PAGE_READING && !stop_is_raised(stop))
        (void)cond_wait_until(&book->settled, &book->lock, clock_mono_ns() + POLL_MS * 1000000LL);
    return page->state == PAGE_READY;
}

static struct price_page *page_new(struct str uid)
{
    struct price_page *page = calloc(1, sizeof *page);
    if (page == NULL)
        return NULL;
    assert(uid.len <= SPEC_UID_BYTES_MAX);
    memcpy(page->uid, uid.ptr, uid.len);
    arena_init(&page->arena, PAGE_BYTES_MAX);
    page->n_holders = 1;
    return page;
}

/* Without the lock: the text of the uid outlives whoever asked first. */
static enum status read_page(struct price_page *page, price_book_read_fn *read, void *cls,
                             struct err *err)
{
    struct str uid = str_of(page->uid);
    return read(cls, uid, &page->arena, &page->series, err);
}

enum looked_up { LOOKED_FOUND, LOOKED_MISSING, LOOKED_MINE, LOOKED_OLD, LOOKED_STOPPED };

/*
 * One look at the table. MISSING: nobody has it and *fresh is NULL; MINE: *fresh was put in and is the
 * caller's to read.
 */
static enum looked_up look_up(struct price_book *book, int64_t version, struct str uid,
                              struct price_page **fresh, const struct stop *stop,
                              struct price_page **ret)
{
    struct price_page *gone = NULL, *failed = NULL;
    enum looked_up found = LOOKED_MISSING;
    lock_take(&book->lock);
    if (version > book->version)
        move_to(book, version, &gone);
    struct price_page *page = version == book->version ? find(book, uid) : NULL;
    if (version < book->version) {
        found = LOOKED_OLD;
    } else if (page != NULL) {
        page->n_holders++;
        found = LOOKED_FOUND;
        if (!await(book, page, stop)) {
            found = page->state == PAGE_FAILED ? LOOKED_MISSING : LOOKED_STOPPED;
            failed = let_go(page);
        } else {
            book->stats.hits++;
            if (page->is_kept)
                queue_renew(&book->queue, &page->link);
            *ret = page;
        }
    } else if (*fresh != NULL) {
        insert(book, *fresh);
        book->stats.misses++;
        *ret = *fresh;
        *fresh = NULL;
        found = LOOKED_MINE;
    }
    lock_give(&book->lock);
    free_all(gone);
    page_free(failed);
    return found;
}

/* The caller's own page, just put in the table, is read and settled. */
static enum status fill(struct price_book *book, struct price_page *page, price_book_read_fn *read,
                        void *cls, struct price_page **ret, struct err *err)
{
    struct price_page *gone = NULL;
    enum status s = read_page(page, read, cls, err);
    lock_take(&book->lock);
    page->state = s == STATUS_OK ? PAGE_READY : PAGE_FAILED;
    if (page->is_kept && s == STATUS_OK) {
        page->bytes = page->arena.used_bytes + sizeof *page;
        book->stats.bytes += page->bytes;
        evict(book, &gone);
    } else if (page->is_kept) {
        drop(book, page, &gone);
    }
    struct price_page *failed = s == STATUS_OK ? NULL : let_go(page);
    cond_broadcast(&book->settled);
    lock_give(&book->lock);
    free_all(gone);
    page_free(failed);
    if (s == STATUS_OK)
        *ret = page;
    return s;
}

static enum status out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while loading prices.");
}

/* A page of one run's own. */
static enum status read_alone(struct price_page *page, price_book_read_fn *read, void *cls,
                              struct price_page **ret, struct err *err)
{
    if (page == NULL)
        return out_of_memory(err);
    enum status s = read_page(page, read, cls, err);
    if (s != STATUS_OK) {
        page_free(page);
        return s;
    }
    page->state = PAGE_READY;
    *ret = page;
    return STATUS_OK;
}

enum status price_book_get(struct price_book *book, int64_t version, struct str uid,
                           price_book_read_fn *read, void *cls, const struct stop *stop,
                           struct price_page **ret, struct err *err)
{
    struct price_page *fresh = NULL, *page = NULL;
    enum looked_up found = book == NULL ? LOOKED_OLD : LOOKED_MISSING;
    while (found == LOOKED_MISSING) {
        found = look_up(book, version, uid, &fresh, stop, &page);
        if (found == LOOKED_MISSING && fresh == NULL && (fresh = page_new(uid)) == NULL)
            return out_of_memory(err);
    }
    switch (found) {
    case LOOKED_OLD:
        return read_alone(fresh != NULL ? fresh : page_new(uid), read, cls, ret, err);
    case LOOKED_MINE:
        return fill(book, page, read, cls, ret, err);
    case LOOKED_FOUND:
        *ret = page;
        break;
    case LOOKED_STOPPED:
    case LOOKED_MISSING:
        break;
    }
    page_free(fresh);
    return found == LOOKED_FOUND ? STATUS_OK : stop_status(stop, err);
}

const struct price_series *price_page_series(const struct price_page *page)
{
    return &page->series;
}

void price_book_release(struct price_book *book, struct price_page *page)
{
    struct price_page *gone = NULL;
    if (page == NULL)
        return;
    if (book == NULL) {
        page_free(page);
        return;
    }
    lock_take(&book->lock);
    struct price_page *last = let_go(page);
    evict(book, &gone);
    lock_give(&book->lock);
    page_free(last);
    free_all(gone);
}
