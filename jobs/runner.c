/* runner.c - claims jobs and sees to their end; what they do is their type's. */
#include "jobs/runner.h"

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "jobs/settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    LOOK_MS = 500, /* between two looks at the queue when nobody pokes */
    BEAT_MAX_MS =
        1000, /* between two renewals: as late a cancel from another server may be heard */
    NS_PER_MS = 1000000
};

struct jobs {
    struct jobs_options options; /* fixed */
    char worker[48];             /* fixed */
    char *types;                 /* ",a,b,"; fixed */
    struct lock lock;            /* leaf lock; guards every GUARDED field */
    struct cond woken;           /* slots and the beating thread wait here */
    struct job_run *runs GUARDED;
    uint64_t n_pokes GUARDED;
    bool is_draining GUARDED;
    bool must_end GUARDED; /* the beating thread: when no slot runs any more */
    pthread_t beater;
    bool has_beater;
    unsigned n_threads;
    pthread_t slots[];
};

static void halt(struct job_run *run, enum job_halt why)
{
    static const enum stop_reason reasons[] = {[HALT_CANCELLED] = STOP_CLIENT_GONE,
                                               [HALT_DEADLINE] = STOP_DEADLINE,
                                               [HALT_LOST] = STOP_DRAINING,
                                               [HALT_DRAINING] = STOP_DRAINING};
    int none = HALT_NONE;
    if (atomic_compare_exchange_strong(&run->halt, &none, (int)why))
        stop_raise(&run->stop, reasons[why]);
}

static bool is_draining(struct jobs *jobs)
{
    lock_take(&jobs->lock);
    bool is = jobs->is_draining;
    lock_give(&jobs->lock);
    return is;
}

/* Waits for a poke after *seen_pokes, for ms at most, or for the end. */
static void pause_ms(struct jobs *jobs, uint64_t *seen_pokes, unsigned ms,
                     bool (*is_over)(struct jobs *))
{
    int64_t until_ns = clock_mono_ns() + (int64_t)ms * NS_PER_MS;
    lock_take(&jobs->lock);
    while (jobs->n_pokes == *seen_pokes && !is_over(jobs) && clock_mono_ns() < until_ns)
        (void)cond_wait_until(&jobs->woken, &jobs->lock, until_ns);
    *seen_pokes = jobs->n_pokes;
    lock_give(&jobs->lock);
}

static bool slot_is_over(struct jobs *jobs) REQUIRES(jobs->lock)
{
    return jobs->is_draining;
}

static bool beater_is_over(struct jobs *jobs) REQUIRES(jobs->lock)
{
    return jobs->must_end;
}

static const struct job_type *type_of(const struct jobs *jobs, struct str name)
{
    for (size_t i = 0; i < jobs->options.n_types; i++)
        if (str_eq_c(name, jobs->options.types[i].name))
            return &jobs->options.types[i];
    return NULL;
}

static enum status claim(struct jobs *jobs, struct arena *arena, struct job_record *ret,
                         bool *ret_found, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(jobs->options.pool, DB_WRITE, NULL, &db, err);
    return s != STATUS_OK ? s
                          : job_claim(db, str_of(jobs->worker), str_of(jobs->types),
                                      jobs->options.lease_ms, arena, ret, ret_found, err);
}

static void enter(struct jobs *jobs, struct job_run *run)
{
    run->beaten_ns = clock_mono_ns();
    lock_take(&jobs->lock);
    run->next = jobs->runs;
    jobs->runs = run;
    if (jobs->is_draining)
        halt(run, HALT_DRAINING);
    lock_give(&jobs->lock);
}

static void leave(struct jobs *jobs, struct job_run *run)
{
    lock_take(&jobs->lock);
    struct job_run **at = &jobs->runs;
    while (*at != run)
        at = &(*at)->next;
    *at = run->next;
    lock_give(&jobs->lock);
}

/* False when there was nothing to do. */
static bool run_one(struct jobs *jobs, struct arena *arena)
{
    struct err err = {0};
    struct job_record job;
    struct str result = STR_NONE;
    bool found = false;
    arena_reset(arena);
    /* Before the migrations, or without a database, there is nothing to do either; readiness tells of that. */
    if (claim(jobs, arena, &job, &found, &err) != STATUS_OK || !found)
        return false;
    struct job_run run = {.job = &job,
                          .fence = {job.id, str_of(jobs->worker), job.attempt},
                          .pool = jobs->options.pool,
                          .arena = arena};
    const struct job_type *type = type_of(jobs, job.type);
    enter(jobs, &run);
    if (job.cancel_requested)
        halt(&run, HALT_CANCELLED);
    int64_t started_ns = clock_mono_ns();
    enum status s = type->run(&run, type->cls, &result, &err);
    leave(jobs, &run);
    run.beaten_ns = started_ns; /* nobody else looks any more: what settle measures from */
    job_settle(&jobs->options, &run, s, result, &err);
    return true;
}

static void *slot_main(void *cls)
{
    struct jobs *jobs = cls;
    struct arena arena;
    uint64_t seen_pokes = 0;
    arena_init(&arena, jobs->options.arena_bytes);
    (void)setpriority(PRIO_PROCESS, 0, jobs->options.nice); /* of this thread alone */
    while (!is_draining(jobs))
        if (!run_one(jobs, &arena))
            pause_ms(jobs, &seen_pokes, LOOK_MS, slot_is_over);
    arena_clear(&arena);
    return NULL;
}

/* A run as the beating thread sees it: the texts are copied, for the run may end meanwhile. */
struct beat {
    struct job_run *run;
    char id[JOB_ID_BYTES_MAX + 1];
    int64_t attempt, deadline_ms;
};

static size_t copy_runs(struct jobs *jobs, struct beat *beats, size_t max)
{
    size_t n = 0;
    lock_take(&jobs->lock);
    for (struct job_run *run = jobs->runs; run != NULL && n < max; run = run->next) {
        beats[n] = (struct beat){
            .run = run, .attempt = run->fence.attempt, .deadline_ms = run->job->deadline_ms};
        (void)snprintf(beats[n].id, sizeof beats[n].id, "%.*s", STR_ARG(run->fence.id));
        n++;
    }
    lock_give(&jobs->lock);
    return n;
}

/* Tells the run of a beat, if it is still there. */
static void tell(struct jobs *jobs, const struct beat *beat, bool is_beaten, enum job_halt why)
{
    int64_t trust_ns = (int64_t)jobs->options.lease_ms * NS_PER_MS * 5 / 6;
    lock_take(&jobs->lock);
    for (struct job_run *run = jobs->runs; run != NULL; run = run->next) {
        if (run != beat->run || run->fence.attempt != beat->attempt ||
            !str_eq_c(run->fence.id, beat->id))
            continue;
        int64_t now = clock_mono_ns();
        if (is_beaten)
            run->beaten_ns = now;
        else if (now - run->beaten_ns > trust_ns)
            why = HALT_LOST; /* another may have it by now */
        if (why != HALT_NONE)
            halt(run, why);
    }
    lock_give(&jobs->lock);
}

static void beat_once(struct jobs *jobs, struct beat *beat)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    bool is_held = true, is_cancelled = false;
    const struct job_fence fence = {str_of(beat->id), str_of(jobs->worker), beat->attempt};
    enum job_halt why = HALT_NONE;
    enum status s = db_acquire(jobs->options.pool, DB_WRITE, NULL, &db, NULL);
    if (s == STATUS_OK)
        s = job_beat(db, &fence, jobs->options.lease_ms, &is_held, &is_cancelled, NULL);
    if (s == STATUS_OK && !is_held)
        why = HALT_LOST;
    else if (s == STATUS_OK && is_cancelled)
        why = HALT_CANCELLED;
    else if (beat->deadline_ms > 0 && clock_wall_ms() > beat->deadline_ms)
        why = HALT_DEADLINE;
    tell(jobs, beat, s == STATUS_OK, why);
}

static void requeue(struct jobs *jobs)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    int64_t n = 0;
    if (db_acquire(jobs->options.pool, DB_WRITE, NULL, &db, NULL) != STATUS_OK ||
        job_requeue_expired(db, &n, NULL) != STATUS_OK || n == 0)
        return;
    log_event(LOG_WARN, "jobs_taken_over", LOG_I64("n", n));
    jobs_poke(jobs);
}

static void *beat_main(void *cls)
{
    struct jobs *jobs = cls;
    unsigned sixth = jobs->options.lease_ms / 6;
    unsigned every_ms = sixth < BEAT_MAX_MS ? sixth : BEAT_MAX_MS;
    int64_t tended_ns = 0, requeued_ns = 0;
    uint64_t seen_pokes = 0;
    struct beat *beats = calloc(jobs->options.n_slots, sizeof *beats);
    bool must_end = beats == NULL;
    while (!must_end) {
        size_t n = copy_runs(jobs, beats, jobs->options.n_slots);
        for (size_t i = 0; i < n; i++)
            beat_once(jobs, &beats[i]);
        int64_t now = clock_mono_ns();
        if (now - requeued_ns > (int64_t)every_ms * NS_PER_MS) {
            requeue(jobs);
            requeued_ns = now;
        }
        if (now - tended_ns > (int64_t)JOBS_TEND_MS * NS_PER_MS && jobs->options.tend != NULL) {
            jobs->options.tend(jobs->options.cls);
            tended_ns = now;
        }
        pause_ms(jobs, &seen_pokes, every_ms, beater_is_over);
        lock_take(&jobs->lock);
        must_end = jobs->must_end;
        lock_give(&jobs->lock);
    }
    free(beats);
    return NULL;
}

static enum status name_types(struct jobs *jobs, struct err *err)
{
    size_t len = 2;
    for (size_t i = 0; i < jobs->options.n_types; i++)
        len += str_of(jobs->options.types[i].name).len + 1;
    jobs->types = malloc(len);
    if (jobs->types == NULL)
        return err_out_of_memory(err);
    size_t at = (size_t)snprintf(jobs->types, len, ",");
    for (size_t i = 0; i < jobs->options.n_types; i++)
        at += (size_t)snprintf(jobs->types + at, len - at, "%s,", jobs->options.types[i].name);
    return STATUS_OK;
}

static enum status start(struct jobs *jobs, struct err *err)
{
    jobs->has_beater = pthread_create(&jobs->beater, NULL, beat_main, jobs) == 0;
    if (!jobs->has_beater)
        return err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
    for (; jobs->n_threads < jobs->options.n_slots; jobs->n_threads++)
        if (pthread_create(&jobs->slots[jobs->n_threads], NULL, slot_main, jobs) != 0)
            return err_set(err, STATUS_OUT_OF_MEMORY, "A thread cannot be started.");
    return STATUS_OK;
}

enum status jobs_new(const struct jobs_options *options, struct jobs **ret, struct err *err)
{
    struct jobs *jobs = calloc(1, sizeof *jobs + options->n_slots * sizeof jobs->slots[0]);
    if (jobs == NULL)
        return err_out_of_memory(err);
    jobs->options = *options;
    lock_init(&jobs->lock);
    cond_init(&jobs->woken);
    (void)snprintf(jobs->worker, sizeof jobs->worker, "%ld-%llx", (long)getpid(),
                   (unsigned long long)clock_wall_ms());
    enum status s = name_types(jobs, err);
    if (s == STATUS_OK)
        s = start(jobs, err);
    if (s != STATUS_OK) {
        jobs_free(jobs);
        return s;
    }
    *ret = jobs;
    return STATUS_OK;
}

void jobs_poke(struct jobs *jobs)
{
    lock_take(&jobs->lock);
    jobs->n_pokes++;
    cond_broadcast(&jobs->woken);
    lock_give(&jobs->lock);
}

void jobs_drain(struct jobs *jobs)
{
    lock_take(&jobs->lock);
    jobs->is_draining = true;
    for (struct job_run *run = jobs->runs; run != NULL; run = run->next)
        halt(run, HALT_DRAINING);
    cond_broadcast(&jobs->woken);
    lock_give(&jobs->lock);
}

void jobs_free(struct jobs *jobs)
{
    if (jobs == NULL)
        return;
    jobs_drain(jobs);
    for (unsigned i = 0; i < jobs->n_threads; i++)
        (void)pthread_join(jobs->slots[i], NULL);
    lock_take(&jobs->lock);
    jobs->must_end = true;
    cond_broadcast(&jobs->woken);
    lock_give(&jobs->lock);
    if (jobs->has_beater)
        (void)pthread_join(jobs->beater, NULL);
    cond_clear(&jobs->woken);
    lock_clear(&jobs->lock);
    free(jobs->types);
    free(jobs);
}
