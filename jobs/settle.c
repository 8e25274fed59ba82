/* settle.c - what became of a run, written down once. */
#include "jobs/settle.h"

#include "base/clock.h"
#include "base/json_out.h"
#include "base/log.h"

#include <stdio.h>
#include <time.h>

enum { FINISH_TRIES = 5, FINISH_PAUSE_MS = 200, NS_PER_MS = 1000000 };

struct str jobs_problem(enum status s, const struct err *err, struct arena *arena)
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

static bool is_outage(enum status s)
{
    return s == STATUS_DB_UNAVAILABLE || s == STATUS_DB_TIMEOUT || s == STATUS_DB_CONFLICT;
}

/* What became of a run: the state to write, or that there is nothing to write. */
static bool verdict(const struct job_run *run, enum status s, enum job_state *ret)
{
    switch ((enum job_halt)atomic_load(&run->halt)) {
    case HALT_NONE:
        break;
    case HALT_CANCELLED:
        *ret = s == STATUS_OK ? JOB_SUCCEEDED : JOB_CANCELLED; /* it was faster */
        return true;
    case HALT_DEADLINE:
        *ret = s == STATUS_OK ? JOB_SUCCEEDED : JOB_FAILED;
        return true;
    case HALT_LOST:
        return false;
    case HALT_DRAINING:
        *ret = JOB_SUCCEEDED;
        return s == STATUS_OK;
    }
    *ret = s == STATUS_OK ? JOB_SUCCEEDED : JOB_FAILED;
    return !is_outage(s);
}

static enum status write_end(const struct jobs_options *options, const struct job_run *run,
                             bool has_state, enum job_state state, struct str result,
                             struct str problem, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    bool is_held = false;
    enum status s = db_acquire(options->pool, DB_WRITE, NULL, &db, err);
    if (s != STATUS_OK)
        return s;
    return has_state ? job_finish(db, &run->fence, state, result, problem, &is_held, err)
                     : job_hand_back(db, &run->fence, err);
}

void job_settle(const struct jobs_options *options, struct job_run *run, enum status s,
                struct str result, const struct err *why)
{
    enum job_state state = JOB_FAILED;
    bool has_state = verdict(run, s, &state);
    bool is_left = !has_state && atomic_load(&run->halt) != HALT_DRAINING;
    struct str problem = state == JOB_FAILED ? jobs_problem(s, why, run->arena) : STR_NONE;
    double seconds = (double)(clock_mono_ns() - run->beaten_ns) / 1e9;
    struct err err = {0};
    enum status written = is_left ? STATUS_OK : STATUS_DB_UNAVAILABLE;
    for (int i = 0; written != STATUS_OK && i < FINISH_TRIES; i++) {
        if (i > 0)
            (void)nanosleep(&(struct timespec){.tv_nsec = (long)FINISH_PAUSE_MS * NS_PER_MS}, NULL);
        written = write_end(options, run, has_state, state, result, problem, &err);
    }
    if (written != STATUS_OK)
        log_event(LOG_WARN, "job_end_not_written", LOG_TEXT("detail", err.detail));
    if (has_state && options->ended != NULL)
        options->ended(options->cls, run->job, state, seconds);
    if (state == JOB_FAILED && has_state)
        log_event(LOG_WARN, "job_failed", LOG_TEXT("status", status_name(s)),
                  LOG_TEXT("detail", why->detail));
}
