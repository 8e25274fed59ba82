/*
 * job_store.h - the durable queue: jobs, their leases, and what they log. What a job does is no business of this file.
 *
 * queued -> running -> succeeded, failed or cancelled. A running job belongs to the worker that claimed it until its
 * lease runs out; every write of that worker names its fence and changes nothing once another has taken over. Several
 * servers share one queue on PostgreSQL (SKIP LOCKED); on SQLite claims take turns at the one write lock. Time is the
 * database's. Callable from any thread, each with a connection of its own, acquired for DB_WRITE where rows change.
 */
#ifndef STORE_JOB_STORE_H
#define STORE_JOB_STORE_H

#include "base/arena.h"
#include "store/db.h"

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED, JOB_CANCELLED, JOB_STATES };
extern const char *const job_state_names[JOB_STATES];
static inline bool job_is_over(enum job_state state)
{
    return state >= JOB_SUCCEEDED;
}

enum { JOB_CRASHES_MAX = 10, JOB_ID_BYTES_MAX = 63, JOB_LOG_LINES_MAX = 1000 };

struct job_stage;

/* Texts live in the arena they were read into. Times in milliseconds since 1970; 0: not yet, or none. */
struct job_record {
    struct str id, type;
    int64_t owner; /* the key that asked; 0: without one */
    enum job_state state;
    struct str request; /* JSON, as the type wants it */
    int64_t cost;       /* in the type's unit of work */
    int64_t n_items, n_done, n_failed;
    int64_t attempt, crashes;
    int64_t tries, tries_max; /* failures that were tried again, and how many tries there are */
    int64_t ready_ms;         /* a queued one is not claimed before */
    struct str worker;
    bool cancel_requested;
    int64_t created_ms, started_ms, finished_ms, deadline_ms, now_ms;
    int64_t n_log;
    struct str result, problem; /* JSON; ptr NULL: none */
    const struct job_stage
        *stages; /* of a job that has some, for those who read them: job_stage_store.h */
    size_t n_stages;
};

struct job_new {
    struct str id, type, request;
    int64_t owner, cost, n_items;
    int64_t priority;    /* lower ones first */
    int64_t deadline_ms; /* from now on; 0: none */
    struct str only_one; /* what may wait or run once at a time; ptr NULL: no matter */
    int64_t tries_max;   /* how often it is tried when it fails for a while; 0: once */
};

/* How much may wait and run; 0: no limit. */
struct job_limits {
    int64_t queued;        /* jobs waiting, whoever asked */
    int64_t per_owner;     /* jobs waiting or running of one owner */
    int64_t cost_of_owner; /* sum of their cost */
};

/*
 * Inside a transaction (db_begin): checks the limits and adds the job, one creator at a time, so that no limit is
 * passed. Errors: TOO_MANY_JOBS naming the owner's limit, BUSY when the queue is full; retry_after_s is set. JOB_EXISTS
 * when another that waits or runs has the same only_one; what is allowed then has that one's address.
 */
enum status job_create(struct db *db, const struct job_new *job, const struct job_limits *limits,
                       struct err *err) NODISCARD;

/* Whose the running job is. */
struct job_fence {
    struct str id, worker;
    int64_t attempt;
};

/*
 * The next queued job of one of types (",a,b,") becomes this worker's for lease_ms; owners with fewer running jobs come
 * first within a priority.
 */
enum status job_claim(struct db *db, struct str worker, struct str types, int64_t lease_ms,
                      struct arena *arena, struct job_record *ret, bool *ret_found, struct err *err)
    NODISCARD;

/*
 * Jobs whose lease ran out go back to the queue; to failed after JOB_CRASHES_MAX such ends without progress, to
 * cancelled when that was asked for.
 */
enum status job_requeue_expired(struct db *db, int64_t *ret_n, struct err *err) NODISCARD;

/* *ret_is_held false: another has taken over, or the job is gone; stop working. */
enum status job_beat(struct db *db, const struct job_fence *fence, int64_t lease_ms,
                     bool *ret_is_held, bool *ret_is_cancelled, struct err *err) NODISCARD;
enum status job_progress(struct db *db, const struct job_fence *fence, int64_t n_done,
                         int64_t n_failed, bool *ret_is_held, struct err *err) NODISCARD;
/* result and problem: JSON; ptr NULL: none. */
enum status job_finish(struct db *db, const struct job_fence *fence, enum job_state state,
                       struct str result, struct str problem, bool *ret_is_held, struct err *err)
    NODISCARD;
/* Back to the queue, for another try after delay_ms; problem is shown until then. */
enum status job_retry(struct db *db, const struct job_fence *fence, int64_t delay_ms,
                      struct str problem, bool *ret_is_held, struct err *err) NODISCARD;
/* Back to the queue at once, as if it had not been claimed: another server goes on with it. */
enum status job_hand_back(struct db *db, const struct job_fence *fence, struct err *err) NODISCARD;

/* A queued job is cancelled; a running one is asked to end. *ret_state: afterwards. Errors: UNKNOWN_JOB. */
enum status job_cancel(struct db *db, struct str id, enum job_state *ret_state, struct err *err)
    NODISCARD;

enum status job_get(struct db *db, struct str id, struct arena *arena, struct job_record *ret,
                    bool *ret_found, struct err *err) NODISCARD;

/* What changes while a job lives, and its problem at the end: for those who watch it. */
struct job_glimpse {
    enum job_state state;
    bool cancel_requested;
    int64_t n_items, n_done, n_failed, n_log, started_ms, now_ms;
    struct str problem;
};
enum status job_peek(struct db *db, struct str id, struct arena *arena, struct job_glimpse *ret,
                     bool *ret_found, struct err *err) NODISCARD;

struct job_once {
    int64_t owner;
    struct str key, hash;
    struct str job_id; /* ptr NULL: none */
};

/*
 * Inside a transaction: notes that this owner's key stands for a request of this hash and for that job.
 * *ret_is_new false: it did already; *ret_job_id is then that job's, ptr NULL when there is none.
 * Errors: IDEMPOTENCY_MISMATCH when it stood for another request.
 */
enum status job_once(struct db *db, const struct job_once *once, struct arena *arena,
                     bool *ret_is_new, struct str *ret_job_id, struct err *err) NODISCARD;
enum { JOB_ONCE_MS = 86400000 }; /* keys older than that mean nothing any more */
enum status job_once_purge(struct db *db, struct err *err) NODISCARD;

/*
 * Removes a finished job, its log and the idempotency key that stands for it: a retry then makes a new one.
 * What its type keeps beside it is the type's to remove first.
 */
enum status job_delete(struct db *db, struct str id, struct err *err) NODISCARD;

/* The oldest job that was finished more than age_ms ago. */
enum status job_oldest(struct db *db, int64_t age_ms, struct arena *arena, struct str *ret_id,
                       bool *ret_found, struct err *err) NODISCARD;

/* Lines past JOB_LOG_LINES_MAX are dropped. */
enum status job_log_add(struct db *db, struct str id, struct str line, struct err *err) NODISCARD;

struct job_line {
    int64_t seq, at_ms;
    struct str line;
};
enum status job_log_read(struct db *db, struct str id, int64_t after_seq, struct arena *arena,
                         struct job_line **ret, size_t *ret_n, struct err *err) NODISCARD;

/* How many jobs there are in each state. */
enum status job_count(struct db *db, int64_t ret[JOB_STATES], struct err *err) NODISCARD;

enum status job_unknown(struct err *err, struct str id);

#endif
