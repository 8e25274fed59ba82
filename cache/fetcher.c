/* fetcher.c - a queue of fetches and the thread that empties it. */
#include "cache/fetcher.h"

#include "base/lock.h"

#include <stdlib.h>

struct fetcher {
    struct l2 *l2;
    pthread_t thread;
    struct lock lock; /* leaf lock; guards every GUARDED field */
    struct cond has_work;
    struct l2_fetch *first GUARDED; /* oldest */
    struct l2_fetch *last GUARDED;
    bool is_closing GUARDED;
};

/* Waits for some and takes as many as go together; NULL when closing. */
static struct l2_fetch *take(struct fetcher *fetcher, size_t *ret_n)
{
    lock_take(&fetcher->lock);
    while (fetcher->first == NULL && !fetcher->is_closing)
        cond_wait(&fetcher->has_work, &fetcher->lock);
    struct l2_fetch *first = fetcher->first;
    *ret_n = 0;
    while (fetcher->first != NULL && *ret_n < L2_FETCHES_MAX) {
        fetcher->first = fetcher->first->next;
        ++*ret_n;
    }
    if (fetcher->first == NULL)
        fetcher->last = NULL;
    lock_give(&fetcher->lock);
    return first;
}

static void *run(void *cls)
{
    struct fetcher *fetcher = cls;
    size_t n;
    for (struct l2_fetch *first = take(fetcher, &n); first != NULL; first = take(fetcher, &n))
        l2_get_many(fetcher->l2, first, n);
    return NULL;
}

enum status fetcher_new(struct l2 *l2, struct fetcher **ret, struct err *err)
{
    struct fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (fetcher == NULL)
        return err_out_of_memory(err);
    fetcher->l2 = l2;
    lock_init(&fetcher->lock);
    cond_init(&fetcher->has_work);
    if (pthread_create(&fetcher->thread, NULL, run, fetcher) != 0) {
        cond_clear(&fetcher->has_work);
        lock_clear(&fetcher->lock);
        free(fetcher);
        return err_set(err, STATUS_OUT_OF_MEMORY, "The reader of Redis could not be started.");
    }
    *ret = fetcher;
    return STATUS_OK;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    lock_take(&fetcher->lock);
    fetcher->is_closing = true;
    cond_signal(&fetcher->has_work);
    lock_give(&fetcher->lock);
    (void)pthread_join(fetcher->thread, NULL);
    cond_clear(&fetcher->has_work);
    lock_clear(&fetcher->lock);
    free(fetcher);
}

void fetcher_ask(struct fetcher *fetcher, struct l2_fetch *fetch)
{
    fetch->next = NULL;
    lock_take(&fetcher->lock);
    bool is_first = fetcher->first == NULL;
    if (is_first)
        fetcher->first = fetch;
    else
        fetcher->last->next = fetch;
    fetcher->last = fetch;
    if (is_first)
        cond_signal(&fetcher->has_work);
    lock_give(&fetcher->lock);
}
