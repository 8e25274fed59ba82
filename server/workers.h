/*
 * workers.h - one bounded queue and the fixed threads that empty it. A job is a member of the thing it
 * works on; the queue links jobs, it never owns or copies them.
 *
 *   if (!workers_admit(w)) -> 503          (a place is reserved before anything is suspended)
 *   suspend; workers_push(w, &x->job)      (never fails: the place is there)
 *
 * Every job pushed is given back exactly once, by run or by skip, on a worker or on the thread that sweeps.
 * Callable from any thread.
 */
#ifndef SERVER_WORKERS_H
#define SERVER_WORKERS_H

#include "base/err.h"
#include "base/stop.h"

struct workers;

struct job {
    struct job *next, *prev; /* the queue's */
    const struct stop *stop; /* when raised before the job's turn, skip is called instead of run */
    int64_t queued_ns;       /* set by workers_push */
    int64_t started_ns;      /* set before run or skip */
};

struct workers_options {
    const char *name; /* of the lane; static */
    unsigned n_threads;
    unsigned queue_max;
    void (*run)(struct job *job);
    void (*skip)(struct job *job);
    int nice; /* of its threads, 0 to 19: how far they stand back for threads that answer at once */
};

enum status workers_new(const struct workers_options *options, struct workers **ret,
                        struct err *err) NODISCARD;

/* Runs or skips what is queued, then ends the threads. No pushes may follow. */
void workers_free(struct workers *workers);

bool workers_admit(struct workers *workers) NODISCARD;
void workers_push(struct workers *workers, struct job *job);

/* Without workers_admit, beyond queue_max if need be: for a job that has been here before. */
void workers_push_again(struct workers *workers, struct job *job);

/* Takes jobs whose stop is raised out of the queue and skips them, so that they need not wait for a thread. */
void workers_sweep(struct workers *workers);

/* Seconds after which a refused client may find a place, from the recent pace of the lane: 1 to 60. */
unsigned workers_retry_after_s(struct workers *workers);

struct workers_load {
    unsigned waiting, running;
};
struct workers_load workers_load(struct workers *workers);
const char *workers_name(const struct workers *workers);

#endif
