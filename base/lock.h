/*
 * lock.h - a mutex and a condition variable that Clang's thread-safety analysis understands.
 * A failing pthread call here is a programming error, so these functions assert instead of returning.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/attrs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct CAPABILITY("mutex") lock {
    pthread_mutex_t mutex;
};

struct cond {
    pthread_cond_t cond; /* waits on CLOCK_MONOTONIC */
};

void lock_init(struct lock *lock);
void lock_clear(struct lock *lock);
void lock_take(struct lock *lock) ACQUIRES(lock);
void lock_give(struct lock *lock) RELEASES(lock);

void cond_init(struct cond *cond);
void cond_clear(struct cond *cond);
void cond_wait(struct cond *cond, struct lock *lock) REQUIRES(lock);

/* Waits until signalled or until the monotonic time at_ns; false when the time came first. */
bool cond_wait_until(struct cond *cond, struct lock *lock, int64_t at_ns) REQUIRES(lock);
void cond_signal(struct cond *cond);
void cond_broadcast(struct cond *cond);

#endif
