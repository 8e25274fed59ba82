/*
 * job_watch.h - requests that wait for a job's end, and streams of its events: one thread serves all of them, so that a
 * client that only listens costs no worker and one that leaves costs nothing. It looks at the jobs in the database, for
 * they may run on any server.
 *
 * Events (WHATWG HTML, section 9.2): "progress", "log" and at last "end"; docs/batches.md describes them. An id names
 * the last log line and the items done, so that Last-Event-ID goes on behind them.
 */
#ifndef HANDLERS_JOB_WATCH_H
#define HANDLERS_JOB_WATCH_H

#include "server/app.h"

enum status job_watch_new(struct app *app, struct job_watch **ret, struct err *err) NODISCARD;

/* No request waits any more: after server_drain_and_stop. NULL is allowed. */
void job_watch_free(struct job_watch *watch);

/* Something has happened to some job of this server. */
void job_watch_poke(struct job_watch *watch);

/* Unparks request when the job is over, at until_ns, or when its stop word is raised. Then park it. */
enum status job_watch_wait(struct job_watch *watch, struct request *request, struct str id,
                           int64_t until_ns, struct err *err) NODISCARD;

/* Where a stream goes on. */
struct job_place {
    int64_t log, done;
};

/*
 * A stream that was begun detached is this thread's from here on. TOO_MANY_JOBS when its caller has
 * job_streams_per_key of them already: ask before it is begun (job_watch_admit), which counts it.
 */
enum status job_watch_admit(struct job_watch *watch, const struct request *request, struct err *err)
    NODISCARD;
void job_watch_leave(struct job_watch *watch, const struct request *request); /* it was not begun */
enum status job_watch_stream(struct job_watch *watch, struct request *request, struct str id,
                             struct job_place from, struct err *err) NODISCARD;

#endif
