/*
 * runner.h - the threads of one server that work on the durable queue (store/job_store.h).
 *
 * A job belongs to a type, and a type is a function. It gets the job, works in pieces that survive it (each written
 * with job_progress in the same transaction, so that another worker goes on behind the last one), looks at run->stop,
 * and returns. The runner does the rest: claims, keeps the lease alive from a thread of its own, ends a job that was
 * cancelled, is past its deadline or was taken over, hands back what a shutdown interrupts, and takes up what other
 * servers left when they died.
 */
#ifndef JOBS_RUNNER_H
#define JOBS_RUNNER_H

#include "store/job_store.h"
#include "store/schedule_store.h"

/* Why a run is to end before its time. */
enum job_halt { HALT_NONE, HALT_CANCELLED, HALT_DEADLINE, HALT_LOST, HALT_DRAINING };

struct job_run {
    const struct job_record
        *job;               /* as it was claimed; n_done says where an earlier worker got to */
    struct job_fence fence; /* for every write */
    struct stop stop;       /* raised for each of enum job_halt */
    struct db_pool *pool;
    struct arena *arena; /* of this run */
    /* The runner's own. */
    atomic_int halt;
    int64_t beaten_ns; /* last time the lease was renewed */
    struct job_run *next;
};

/*
 * *ret_result: JSON in run->arena, or ptr NULL. A failure ends the job as failed with err as its problem, except that
 * a database that cannot be reached leaves the job to whoever finds its lease run out, and that what may pass is tried again. Called on one thread; may use
 * others.
 */
typedef enum status job_fn(struct job_run *run, void *cls, struct str *ret_result, struct err *err);

struct job_type {
    const char *name;
    job_fn *run;
    void *cls;
    /* Whether such a failure may pass: the job is tried again later, as often as it has tries. NULL: none does. */
    bool (*may_pass)(enum status s);
    /* The job of a schedule's slot; *ret lives in the arena, without an id. NULL: the type cannot be scheduled. */
    enum status (*plan)(void *cls, const struct schedule *schedule, int64_t slot_s,
                        struct arena *arena, struct job_new *ret, struct err *err);
};

struct jobs_options {
    struct db_pool *pool; /* lives longer; a connection for each slot and two more */
    const struct job_type *types;
    size_t n_types;
    unsigned n_slots;  /* jobs that run here at the same time */
    unsigned lease_ms; /* a job is taken over so long after its server has died */
    int nice;          /* of the threads: how far they stand back, 0 to 19 */
    size_t arena_bytes;
    /* Any may be NULL. Called on the runner's threads, without locks. */
    void (*ended)(void *cls, const struct job_record *job, enum job_state state, double seconds);
    void (*tend)(void *cls); /* every JOBS_TEND_MS: old things may be removed */
    void *cls;
};

enum { JOBS_TEND_MS = 5000 };

struct jobs;
enum status jobs_new(const struct jobs_options *options, struct jobs **ret, struct err *err)
    NODISCARD;

/* There is something new in the queue, or someone asked for a job's end. Any thread. */
void jobs_poke(struct jobs *jobs);

/* Tells every run to end, and claims nothing more. Returns at once. */
void jobs_drain(struct jobs *jobs);
void jobs_free(struct jobs *jobs); /* drains, and waits for the threads; NULL is allowed */

#endif
