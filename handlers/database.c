/* database.c - acquires a connection on behalf of a request. */
#include "handlers/database.h"

#include "base/clock.h"
#include "server/app.h"

#include <stdio.h>

static void trace(const struct request *request, struct db *db)
{
    char comment[DB_COMMENT_BYTES];
    if (!request->trace.is_sampled)
        return;
    (void)snprintf(comment, sizeof comment, "traceparent='00-%s-%s-01'", request->trace.trace_id,
                   request->trace.span_id);
    db_comment(db, comment);
}

enum status database_acquire(struct request *request, enum db_mode mode, struct db **ret_db,
                             struct err *err)
{
    const struct app *app = request->app;
    struct db *db = NULL;
    int64_t from_ns = clock_mono_ns();
    enum status s = db_acquire(app->db, mode, &request->stop, &db, err);
    int64_t waited_ns = clock_mono_ns() - from_ns;
    metrics_observe(app->metrics, METRIC_pg_wait_seconds, (double)waited_ns / 1e9);
    if (app->config->database_url[0] != '\0')
        request_time(request, "pgwait", waited_ns);
    if (s != STATUS_OK)
        return s;
    db_meter(db, &request->pg_ns);
    if (request->lane == LANE_STREAM)
        db_limit(db, app->config->db_stream_ms);
    trace(request, db);
    *ret_db = db;
    return STATUS_OK;
}
