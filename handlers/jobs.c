/* jobs.c - a job as a resource: state, end, log and events. Whatever type it is; its rows are job_rows.c's. */
#include "handlers/handlers.h"

#include "base/date.h"
#include "handlers/database.h"
#include "handlers/document.h"
#include "handlers/job_answer.h"
#include "handlers/job_watch.h"
#include "handlers/params.h"
#include "jobs/runner.h"
#include "server/app.h"
#include "store/backtest_item_store.h"
#include "store/backtest_study_store.h"

enum { LOG_BYTES_MAX = 4 << 20, RING_BYTES = 64 * 1024 };

static enum status find(struct request *request, enum db_mode mode, struct db **ret_db,
                        struct job_record *ret, struct err *err)
{
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = database_acquire(request, mode, ret_db, err);
    return s != STATUS_OK ? s : job_find(request, *ret_db, request->path_params[0], ret, err);
}

enum status job_get_one(struct request *request, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct job_record job;
    enum status s = find(request, DB_READ, &db, &job, err);
    return s != STATUS_OK ? s : job_reply(request, &job, 200, err);
}

/* Asks for the end of one that waits or runs, and answers how it stands. */
static enum status cancel(struct request *request, struct db *db, struct job_record *job,
                          struct err *err)
{
    enum job_state now = job->state;
    enum status s = job_cancel(db, job->id, &now, err);
    if (s == STATUS_OK)
        s = job_find(request, db, job->id, job, err);
    if (s != STATUS_OK)
        return s;
    if (request->app->jobs != NULL)
        jobs_poke(request->app->jobs);
    job_watch_poke(request->app->job_watch);
    return job_reply(request, job, 202, err);
}

enum status job_cancel_post(struct request *request, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct job_record job;
    enum status s = find(request, DB_WRITE, &db, &job, err);
    return s != STATUS_OK ? s : cancel(request, db, &job, err);
}

static enum status forget(struct request *request, struct db *db, const struct job_record *job,
                          struct err *err)
{
    enum status s = db_begin(db, err);
    if (s == STATUS_OK)
        s = backtest_items_delete(db, job->id, err);
    if (s == STATUS_OK)
        s = backtest_study_delete(db, job->id, err);
    if (s == STATUS_OK)
        s = job_delete(db, job->id, err);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    if (s != STATUS_OK) {
        db_rollback(db);
        return s;
    }
    reply_header(request, "Cache-Control", "no-store");
    reply_type(request, 204, NULL);
    return STATUS_OK;
}

/* Ends one that is not over (202), forgets one that is (204). */
enum status job_delete_one(struct request *request, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct job_record job;
    enum status s = find(request, DB_WRITE, &db, &job, err);
    if (s != STATUS_OK)
        return s;
    return job_is_over(job.state) ? forget(request, db, &job, err) : cancel(request, db, &job, err);
}

enum status job_log_get(struct request *request, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct job_record job;
    struct job_line *lines = NULL;
    size_t n = 0;
    struct buf out;
    char at[INSTANT_TEXT_BYTES];
    enum status s = find(request, DB_READ, &db, &job, err);
    if (s == STATUS_OK)
        s = job_log_read(db, job.id, 0, &request->arena, &lines, &n, err);
    if (s != STATUS_OK)
        return s;
    buf_init(&out, &request->arena, LOG_BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        instant_format(lines[i].at_ms / 1000, at);
        buf_printf(&out, "%s %.*s\n", at, STR_ARG(lines[i].line));
    }
    return document_no_store(request, 200, "text/plain; charset=utf-8", &out, err);
}

/* "log.done" of an id that we have sent; anything else is from the beginning. */
static struct job_place read_place(struct request *request)
{
    struct str id = request_header(request, "Last-Event-ID");
    struct job_place place = {0, -1};
    size_t dot = id.ptr == NULL ? 0 : str_find(id, '.', 0);
    int64_t log = 0, done = 0;
    if (id.ptr == NULL || dot >= id.len || !str_to_i64(str_sub(id, 0, dot), &log) ||
        !str_to_i64(str_sub(id, dot + 1, id.len), &done) || log < 0 || done < 0)
        return place;
    return (struct job_place){log, done};
}

enum status job_events_get(struct request *request, struct err *err)
{
    struct job_watch *watch = request->app->job_watch;
    struct job_record job;
    struct db *db = NULL;
    enum status s = find(request, DB_READ, &db, &job, err);
    db_release(db); /* nothing is held while the client listens */
    if (s == STATUS_OK)
        s = job_watch_admit(watch, request, err);
    if (s != STATUS_OK)
        return s;
    reply_header(request, "Cache-Control", "no-store");
    reply_header(request, "X-Accel-Buffering", "no");
    reply_type(request, 200, "text/event-stream; charset=utf-8");
    if (request->method != METHOD_HEAD)
        s = stream_begin_detached(request, RING_BYTES, err);
    if (s != STATUS_OK || request->method == METHOD_HEAD) {
        job_watch_leave(watch, request);
        return s;
    }
    if (job_watch_stream(watch, request, job.id, read_place(request), err) != STATUS_OK) {
        job_watch_leave(watch, request);
        stream_end(request, STATUS_OUT_OF_MEMORY);
    }
    return stream_detach(request);
}
