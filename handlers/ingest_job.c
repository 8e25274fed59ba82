/* ingest_job.c - see ingest_job.h. */
#include "handlers/ingest_job.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/log.h"
#include "handlers/ingest_world.h"
#include "handlers/publish_due.h"
#include "handlers/refresher.h"
#include "server/app.h"
#include "store/job_stage_store.h"

#include <stdio.h>

enum {
    PRIORITY = 20,
    BACKFILL_PRIORITY = 30,
    BACKFILL_DAYS = 40,
    REPORT_BYTES_MAX = 4096,
    DAY_S = 86400
};

#define PROGRESS_NS INT64_C(5000000000)

static int count_stages(unsigned stages)
{
    int n = 0;
    for (unsigned i = 0; i < INGEST_STAGES; i++)
        n += (stages >> i & 1) != 0;
    return n;
}

enum status ingest_job_new(const struct ingest_request *request, struct arena *arena,
                           struct job_new *ret, struct err *err)
{
    int32_t days = request->to - request->from + 1;
    *ret = (struct job_new){.type = STR(INGEST_JOB_TYPE),
                            .request = ingest_request_write(request, arena),
                            .only_one = ingest_request_key(request, arena),
                            .n_items = count_stages(request->stages),
                            .priority = days > BACKFILL_DAYS ? BACKFILL_PRIORITY : PRIORITY,
                            .tries_max = INGEST_TRIES};
    return ret->request.ptr == NULL || ret->only_one.ptr == NULL ? err_out_of_memory(err)
                                                                 : STATUS_OK;
}

static enum status read_request(const struct job_run *run, struct ingest_request *ret,
                                struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    enum status s = jr_parse(run->job->request, run->arena, &doc, err);
    return s != STATUS_OK ? s : ingest_request_read(jr_root(doc), DATE_MAX, ret, err);
}

static enum status write_stage(struct job_run *run, int64_t seq, enum ingest_stage stage,
                               bool is_begin, bool has_succeeded, struct str report,
                               struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    bool is_held = false;
    enum status s = db_acquire(run->pool, DB_WRITE, NULL, &db, err);
    if (s == STATUS_OK)
        s = is_begin ? job_stage_begin(db, &run->fence, seq, str_of(ingest_stage_names[stage]),
                                       &is_held, err)
                     : job_stage_end(db, &run->fence, seq, has_succeeded, report, &is_held, err);
    if (s == STATUS_OK && !is_held) {
        stop_raise(&run->stop, STOP_DRAINING); /* the job is another's by now */
        return stop_status(&run->stop, err);
    }
    return s;
}

static struct str report_text(const struct ingest_report *report, struct arena *arena)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, arena, REPORT_BYTES_MAX);
    jw_init(&json, &out);
    jw_object(&json);
    ingest_report_write(report, &json);
    jw_end_object(&json);
    return out.failed ? STR_NONE : buf_str(&out);
}

/* What is told beside the work must not end it. */
static void add_line(struct job_run *run, struct str line)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    if (db_acquire(run->pool, DB_WRITE, NULL, &db, NULL) == STATUS_OK)
        (void)!job_log_add(db, run->job->id, line, NULL);
}

static void log_stage(struct job_run *run, const char *stage, const struct ingest_report *report,
                      enum status s, const struct err *err)
{
    char line[512];
    int len = snprintf(line, sizeof line, "%s: %s%s%s; %lld rows in, %lld out, %lld rejected%s%s",
                       stage, s == STATUS_OK ? "done" : status_title(s), s == STATUS_OK ? "" : ": ",
                       s == STATUS_OK ? "" : err->detail, (long long)report->rows_in,
                       (long long)report->rows_out, (long long)report->rejected,
                       report->note[0] == '\0' ? "" : "; ", report->note);
    size_t n = len < 0 ? 0 : (size_t)len < sizeof line ? (size_t)len : sizeof line - 1;
    add_line(run, (struct str){line, n});
}

static void count_stage(const struct app *app, const char *dataset, const char *stage,
                        const struct ingest_report *report)
{
    struct metrics *m = app->metrics;
    metrics_add_labeled(m, METRIC_ingest_rows_total, LABELS(dataset, stage, "in"),
                        (double)report->rows_in);
    metrics_add_labeled(m, METRIC_ingest_rows_total, LABELS(dataset, stage, "out"),
                        (double)report->rows_out);
    metrics_add_labeled(m, METRIC_ingest_rows_total, LABELS(dataset, stage, "rejected"),
                        (double)report->rejected);
    metrics_add_labeled(m, METRIC_ingest_bytes_total, LABELS(dataset, stage),
                        (double)report->bytes);
    metrics_add_labeled(m, METRIC_ingest_s3_requests_total, LABELS(dataset, stage, "put"),
                        (double)report->s3_puts);
    metrics_add_labeled(m, METRIC_ingest_s3_requests_total, LABELS(dataset, stage, "list"),
                        (double)report->s3_lists);
    metrics_add_labeled(m, METRIC_ingest_s3_requests_total, LABELS(dataset, stage, "get"),
                        (double)report->s3_gets);
    metrics_add_labeled(m, METRIC_ingest_s3_bytes_total, LABELS(dataset, stage),
                        (double)report->s3_bytes);
    metrics_add_labeled(m, METRIC_ingest_rows_copied_total, LABELS(dataset, stage),
                        (double)report->rows_copied);
    if (report->provider[0] == '\0')
        return;
    metrics_add_labeled(m, METRIC_ingest_requests_total, LABELS(dataset, report->provider),
                        (double)report->requests);
    if (report->quota_left >= 0)
        metrics_set_labeled(m, METRIC_ingest_quota_left, LABELS(report->provider),
                            (double)report->quota_left);
}

/* What a stage tells while it runs goes to the job's log. */
struct follower {
    struct job_run *run;
    int64_t told_ns; /* when progress was last told */
};

static void say(void *listener, const char *line)
{
    const struct follower *follower = listener;
    add_line(follower->run, str_of(line));
}

static void tell_progress(void *listener, size_t n_done, size_t n,
                          const struct ingest_report *report)
{
    struct follower *follower = listener;
    int64_t now_ns = clock_mono_ns();
    char line[INGEST_PROGRESS_BYTES];
    if (now_ns - follower->told_ns < PROGRESS_NS)
        return;
    follower->told_ns = now_ns;
    ingest_progress_format(n_done, n, report, line);
    add_line(follower->run, str_of(line));
}

static enum status run_stage(struct job_run *run, struct app *app, const struct ingest_world *world,
                             const struct ingest_request *request, enum ingest_stage stage,
                             int64_t seq, struct ingest_report *report, struct err *err)
{
    const struct ingest_task task = {.dataset = request->dataset,
                                     .from = request->from,
                                     .to = request->to,
                                     .force = request->force};
    struct err unheard = {0};
    *report = (struct ingest_report){.quota_left = -1};
    enum status s = write_stage(run, seq, stage, true, false, STR_NONE, err);
    if (s != STATUS_OK)
        return s;
    s = ingest_stage_run(world, stage, &task, report, &run->stop, err);
    log_stage(run, ingest_stage_names[stage], report, s, err);
    count_stage(app, request->dataset->name, ingest_stage_names[stage], report);
    struct str text = report_text(report, run->arena);
    if (s == STATUS_OK)
        return write_stage(run, seq, stage, false, true, text, err);
    (void)!write_stage(run, seq, stage, false, false, text,
                       &unheard); /* the first failure counts */
    return s;
}

static enum status run_stages(struct job_run *run, struct app *app,
                              const struct ingest_request *request,
                              const struct ingest_world *world, struct ingest_report *report,
                              struct err *err)
{
    enum status s = STATUS_OK;
    int64_t seq = 0;
    for (unsigned i = 0; i < INGEST_STAGES && s == STATUS_OK; i++) {
        if ((request->stages >> i & 1) == 0)
            continue;
        if (seq >= run->job->n_done) /* an earlier attempt has done those before */
            s = run_stage(run, app, world, request, (enum ingest_stage)i, seq, report, err);
        seq++;
    }
    return s;
}

/* What was published is published, whether or not it can be told when the next one is due. */
static void note_due(const struct job_run *run)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct err err = {0};
    enum status s = db_acquire(run->pool, DB_WRITE, NULL, &db, &err);
    if (s == STATUS_OK)
        s = publish_due_note(db, run->arena, &err);
    if (s != STATUS_OK)
        log_event(LOG_WARN, "publish_due_failed", LOG_TEXT("detail", err.detail));
}

static enum status run_job(struct job_run *run, void *cls, struct str *ret_result, struct err *err)
{
    struct app *app = cls;
    struct ingest_request request;
    struct ingest_report report = {.quota_left = -1};
    struct follower follower = {run, clock_mono_ns()};
    struct ingest_parts parts = {.lake = NULL};
    enum status s = read_request(run, &request, err);
    if (s == STATUS_OK)
        s = ingest_parts_open(app->config, request.stages, run->pool, &parts, err);
    parts.world.say = say;
    parts.world.progress = tell_progress;
    parts.world.listener = &follower;
    if (s == STATUS_OK)
        s = run_stages(run, app, &request, &parts.world, &report, err);
    ingest_parts_clear(&parts);
    if (s == STATUS_OK && (request.stages & 1U << INGEST_PUBLISH) != 0) {
        note_due(run);
        refresher_wake(app->refresher);
    }
    if (s == STATUS_OK)
        *ret_result = report_text(&report, run->arena);
    return s;
}

static bool may_pass(enum status s)
{
    return s == STATUS_SOURCE_DOWN || s == STATUS_IO || s == STATUS_BUSY;
}

static enum status plan(void *cls, const struct schedule *schedule, int64_t slot_s,
                        struct arena *arena, struct job_new *ret, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct ingest_template template;
    (void)cls;
    enum status s = jr_parse(schedule->request, arena, &doc, err);
    if (s == STATUS_OK)
        s = ingest_template_read(jr_root(doc), &template, err);
    if (s != STATUS_OK)
        return s;
    const struct ingest_request request = ingest_template_at(&template, slot_s);
    return ingest_job_new(&request, arena, ret, err);
}

struct job_type ingest_job_type(struct app *app)
{
    return (struct job_type){
        .name = INGEST_JOB_TYPE, .run = run_job, .cls = app, .may_pass = may_pass, .plan = plan};
}
