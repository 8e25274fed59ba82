/* lock.c - thin wrappers over pthread; leaf of everything that has threads. */
#include "base/lock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

static void must(int rc)
{
    assert(rc == 0);
    (void)rc;
}

void lock_init(struct lock *lock)
{
    must(pthread_mutex_init(&lock->mutex, NULL));
}

void lock_clear(struct lock *lock)
{
    must(pthread_mutex_destroy(&lock->mutex));
}

void lock_take(struct lock *lock) NO_THREAD_SAFETY
{
    must(pthread_mutex_lock(&lock->mutex));
}

void lock_give(struct lock *lock) NO_THREAD_SAFETY
{
    must(pthread_mutex_unlock(&lock->mutex));
}

void cond_init(struct cond *cond)
{
    pthread_condattr_t attr;
    must(pthread_condattr_init(&attr));
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
    must(pthread_cond_init(&cond->cond, &attr));
    must(pthread_condattr_destroy(&attr));
}

void cond_clear(struct cond *cond)
{
    must(pthread_cond_destroy(&cond->cond));
}

void cond_wait(struct cond *cond, struct lock *lock)
{
    must(pthread_cond_wait(&cond->cond, &lock->mutex));
}

bool cond_wait_until(struct cond *cond, struct lock *lock, int64_t at_ns)
{
    struct timespec at = {.tv_sec = (time_t)(at_ns / 1000000000),
                          .tv_nsec = (long)(at_ns % 1000000000)};
    int rc = pthread_cond_timedwait(&cond->cond, &lock->mutex, &at);
    assert(rc == 0 || rc == ETIMEDOUT);
    return rc == 0;
}

void cond_signal(struct cond *cond)
{
    must(pthread_cond_signal(&cond->cond));
}

void cond_broadcast(struct cond *cond)
{
    must(pthread_cond_broadcast(&cond->cond));
}
