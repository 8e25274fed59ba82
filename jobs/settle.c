/* settle.c - what became of a run, written down once. */
#include "jobs/settle.h"

#include "base/clock.h"
#include "base/json_out.h"
#include "base/log.h"

#include <stdio.h>
#include <time.h>

enum {
    FINISH_TRIES = 5,
    FINISH_PAUSE_MS = 200,
    NS_PER_MS = 1000000,
    RETRY_FIRST_MS = 30000,
    RETRY_MAX_MS = 1800000
};

/* What is said of a failed job: an RFC 9457 problem as JSON, in the arena. ptr NULL without memory. */
static struct str problem_of(enum status s, const struct err *err, struct arena *arena)
{
    struct buf out;
    struct json_out json;
    char type[64];
    buf_init(&out, arena, 4096);
    jw_init(&json, &out);
    bool is_told = err->status == s && err->detail[0] != '\0';
    jw_object(&json);
    (void)snprintf(type, sizeof type, "/docs/problems/%s", status_slug(s));
    jw_key_c(&json, "type", type);
    jw_key_c(&json, "title", status_title(s));
    jw_key_i64(&json, "status", status_http(s));
    jw_key_c(&json, "code", status_code(s));
    jw_key_c(&json, "detail", is_told ? err->detail : status_title(s));
    if (is_told && err->name[0] != '\0')
        jw_key_c(&json, err->where == ERR_POINTER ? "pointer" : "parameter", err->name);
    if (is_told && err->allowed[0] != '\0')
        jw_key_c(&json, "allowed", err->allowed);
    jw_end_object(&json);
    return out.failed ? STR_NONE : buf_str(&out);
}

/* Full jitter: anywhere from a second to a limit that doubles with every try; not before the source allows it. */
static int64_t retry_delay_ms(const struct job_record *job, const struct err *why)
{
    int64_t limit_ms = (int64_t)RETRY_FIRST_MS << (job->tries < 6 ? job->tries : 6);
    uint64_t mixed = (uint64_t)clock_mono_ns() * 0x9E3779B97F4A7C15U;
    if (limit_ms > RETRY_MAX_MS)
        limit_ms = RETRY_MAX_MS;
    int64_t delay_ms = 1000 + (int64_t)((mixed >> 20) % (uint64_t)(limit_ms - 999));
    int64_t asked_ms = (int64_t)why->retry_after_s * 1000;
    return delay_ms > asked_ms ? delay_ms : asked_ms;
}

static bool is_outage(enum status s)
{
    return s == STATUS_DB_UNAVAILABLE || s == STATUS_DB_TIMEOUT || s == STATUS_DB_CONFLICT;
}

/* What is to be written about a run. */
struct ending {
    enum { END_STATE, END_RETRY, END_HAND_BACK, END_LEFT } kind; /* END_LEFT: nothing */
    enum job_state state;
    int64_t delay_ms;
};

static struct ending end_in(enum job_state state)
{
    return (struct ending){.kind = END_STATE, .state = state};
}

static bool is_tried_again(const struct jobs_options *options, const struct job_record *job,
                           enum status s)
{
    for (size_t i = 0; i < options->n_types; i++)
        if (str_eq_c(job->type, options->types[i].name))
            return options->types[i].may_pass != NULL && options->types[i].may_pass(s) &&
                   job->tries + 1 < job->tries_max;
    return false;
}

static struct ending verdict(const struct jobs_options *options, const struct job_run *run,
                             enum status s, const struct err *why)
{
    switch ((enum job_halt)atomic_load(&run->halt)) {
    case HALT_NONE:
        break;
    case HALT_CANCELLED:
        return end_in(s == STATUS_OK ? JOB_SUCCEEDED : JOB_CANCELLED); /* it was faster */
    case HALT_DEADLINE:
        return end_in(s == STATUS_OK ? JOB_SUCCEEDED : JOB_FAILED);
    case HALT_LOST:
        return (struct ending){.kind = END_LEFT};
    case HALT_DRAINING:
        return s == STATUS_OK ? end_in(JOB_SUCCEEDED) : (struct ending){.kind = END_HAND_BACK};
    }
    if (is_outage(s))
        return (struct ending){.kind = END_LEFT};
    if (s != STATUS_OK && is_tried_again(options, run->job, s))
        return (struct ending){.kind = END_RETRY, .delay_ms = retry_delay_ms(run->job, why)};
    return end_in(s == STATUS_OK ? JOB_SUCCEEDED : JOB_FAILED);
}

static enum status write_end(const struct jobs_options *options, const struct job_run *run,
                             const struct ending *end, struct str result, struct str problem,
                             struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    bool is_held = false;
    enum status s = db_acquire(options->pool, DB_WRITE, NULL, &db, err);
    if (s != STATUS_OK)
        return s;
    if (end->kind == END_HAND_BACK)
        return job_hand_back(db, &run->fence, err);
    return end->kind == END_RETRY
               ? job_retry(db, &run->fence, end->delay_ms, problem, &is_held, err)
               : job_finish(db, &run->fence, end->state, result, problem, &is_held, err);
}

static void write_until_done(const struct jobs_options *options, const struct job_run *run,
                             const struct ending *end, struct str result, struct str problem)
{
    struct err err = {0};
    enum status written = STATUS_DB_UNAVAILABLE;
    for (int i = 0; written != STATUS_OK && i < FINISH_TRIES; i++) {
        if (i > 0)
            (void)nanosleep(&(struct timespec){.tv_nsec = (long)FINISH_PAUSE_MS * NS_PER_MS}, NULL);
        written = write_end(options, run, end, result, problem, &err);
    }
    if (written != STATUS_OK)
        log_event(LOG_WARN, "job_end_not_written", LOG_TEXT("detail", err.detail));
}

void job_settle(const struct jobs_options *options, struct job_run *run, enum status s,
                struct str result, const struct err *why)
{
    const struct ending end = verdict(options, run, s, why);
    bool is_failure = end.kind == END_RETRY || (end.kind == END_STATE && end.state == JOB_FAILED);
    struct str problem = is_failure ? problem_of(s, why, run->arena) : STR_NONE;
    double seconds = (double)(clock_mono_ns() - run->beaten_ns) / 1e9;
    if (end.kind != END_LEFT)
        write_until_done(options, run, &end, result, problem);
    if (end.kind == END_STATE && options->ended != NULL)
        options->ended(options->cls, run->job, end.state, seconds);
    if (is_failure)
        log_event(LOG_WARN, end.kind == END_RETRY ? "job_tried_again" : "job_failed",
                  LOG_TEXT("status", status_name(s)), LOG_TEXT("detail", why->detail),
                  LOG_I64("delay_ms", end.delay_ms));
}
