/* hand.c - one place for an errand under one leaf lock; used by backtest_draft.c. */
#include "handlers/hand.h"

#include "base/lock.h"
#include "server/app.h"

#include <stdlib.h>

struct hand {
    pthread_t thread;
    struct lock lock;              /* leaf lock; guards every GUARDED field below */
    struct cond offered;           /* there is an errand, or an end: for the thread */
    struct cond done;              /* an errand has been run: for those who wait */
    struct errand *errand GUARDED; /* offered or begun; its state changes under the lock */
    bool must_stop GUARDED;
};

/* The errand that was offered, marked as begun; NULL at the end. */
static struct errand *next_errand(struct hand *hand) REQUIRES(hand->lock)
{
    while (hand->errand == NULL && !hand->must_stop)
        cond_wait(&hand->offered, &hand->lock);
    if (hand->errand != NULL)
        hand->errand->state = ERRAND_BEGUN;
    return hand->errand;
}

static void *thread_main(void *arg)
{
    struct hand *hand = arg;
    struct errand *errand;
    lock_take(&hand->lock);
    while ((errand = next_errand(hand)) != NULL) {
        lock_give(&hand->lock);
        errand->run(errand->cls);
        lock_take(&hand->lock);
        errand->state = ERRAND_DONE;
        hand->errand = NULL;
        cond_broadcast(&hand->done);
    }
    lock_give(&hand->lock);
    return NULL;
}

void hand_offer(struct hand *hand, struct errand *errand)
{
    if (hand == NULL)
        return;
    lock_take(&hand->lock);
    bool is_taken = hand->errand == NULL;
    if (is_taken) {
        errand->state = ERRAND_OFFERED;
        hand->errand = errand;
    }
    lock_give(&hand->lock);
    if (is_taken)
        cond_signal(&hand->offered); /* without the lock, which the thread would have to wait for */
}

void hand_finish(struct hand *hand, struct errand *errand)
{
    enum errand_state state = ERRAND_OWN;
    if (hand != NULL) {
        lock_take(&hand->lock);
        if (errand->state == ERRAND_OFFERED) { /* taken back */
            errand->state = ERRAND_OWN;
            hand->errand = NULL;
        }
        while (errand->state == ERRAND_BEGUN)
            cond_wait(&hand->done, &hand->lock);
        state = errand->state;
        lock_give(&hand->lock);
    }
    if (state == ERRAND_OWN)
        errand->run(errand->cls);
    errand->state = ERRAND_DONE;
}

enum status hand_new(struct hand **ret, struct err *err)
{
    struct hand *hand = calloc(1, sizeof *hand);
    if (hand == NULL)
        return err_out_of_memory(err);
    lock_init(&hand->lock);
    cond_init(&hand->offered);
    cond_init(&hand->done);
    *ret = hand;
    if (pthread_create(&hand->thread, NULL, thread_main, hand) == 0)
        return STATUS_OK;
    *ret = NULL;
    cond_clear(&hand->done);
    cond_clear(&hand->offered);
    lock_clear(&hand->lock);
    free(hand);
    return err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
}

void hand_free(struct hand *hand)
{
    if (hand == NULL)
        return;
    lock_take(&hand->lock);
    hand->must_stop = true;
    cond_signal(&hand->offered);
    lock_give(&hand->lock);
    (void)pthread_join(hand->thread, NULL);
    cond_clear(&hand->done);
    cond_clear(&hand->offered);
    lock_clear(&hand->lock);
    free(hand);
}

enum status hand_open(struct app *app, struct err *err)
{
    return config_cpu_workers(app->config) > 1 ? hand_new(&app->hand, err) : STATUS_OK;
}

void hand_close(struct app *app)
{
    hand_free(app->hand);
    app->hand = NULL;
}
