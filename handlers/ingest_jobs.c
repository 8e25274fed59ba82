/* ingest_jobs.c - POST of ingestion by administrators, trying a failed job again, and what kinds of jobs there are. */
#include "handlers/handlers.h"

#include "base/clock.h"
#include "base/log.h"
#include "handlers/database.h"
#include "handlers/document.h"
#include "handlers/idempotency.h"
#include "handlers/ingest_job.h"
#include "handlers/job_answer.h"
#include "handlers/params.h"
#include "server/app.h"

enum { DAY_S = 86400, BODY_BYTES_MAX = 64 * 1024 };

static const struct job_limits no_limits = {0};

/* One transaction: the key is noted and the job is there, or neither. */
static enum status queue(struct request *request, struct job_new *job,
                         const struct idempotency *once, struct job_record *ret, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct str id = STR_NONE;
    bool is_new = false;
    job->id = str_of(request->id);
    job->owner = job_owner(request);
    enum status s = database_acquire(request, DB_WRITE, &db, err);
    if (s != STATUS_OK)
        return s;
    s = db_begin(db, err);
    if (s == STATUS_OK)
        s = idempotency_job(once, db, job, &no_limits, &request->arena, &id, &is_new, err);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    if (s == STATUS_OK)
        return job_find(request, db, id, ret, err);
    db_rollback(db);
    return s;
}

/* What root asks for becomes a job. today: no day after it may be asked for. */
static enum status answer_queued(struct request *request, struct json_val root, int32_t today,
                                 const struct idempotency *once, struct err *err)
{
    struct ingest_request ingest;
    struct job_record record;
    struct job_new job = {.id = STR_NONE};
    enum status s = ingest_request_read(root, today, &ingest, err);
    if (s == STATUS_OK)
        s = ingest_job_new(&ingest, &request->arena, &job, err);
    if (s == STATUS_OK)
        s = queue(request, &job, once, &record, err);
    if (s != STATUS_OK)
        return s;
    if (request->app->jobs != NULL)
        jobs_poke(request->app->jobs);
    return job_reply(request, &record, 202, err);
}

enum status admin_jobs_create(struct request *request, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct idempotency once;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = params_json_body(request, err);
    if (s == STATUS_OK)
        s = idempotency_read(request, &once, err);
    if (s == STATUS_OK)
        s = jr_parse(request->body, &request->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    return answer_queued(request, jr_root(doc), (int32_t)(clock_wall_s() / DAY_S), &once, err);
}

/* A new job of the same request, for one that has failed or was cancelled. */
enum status admin_job_retry(struct request *request, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    CLEANUP(db_releasep) struct db *db = NULL;
    struct idempotency once;
    struct job_record record;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = idempotency_read(request, &once, err);
    if (s == STATUS_OK)
        s = database_acquire(request, DB_READ, &db, err);
    if (s == STATUS_OK)
        s = job_find(request, db, request->path_params[0], &record, err);
    db_release(db);
    db = NULL;
    if (s == STATUS_OK && !str_eq_c(record.type, INGEST_JOB_TYPE))
        return job_unknown(err, request->path_params[0]);
    if (s == STATUS_OK)
        s = jr_parse(record.request, &request->arena, &doc, err);
    return s == STATUS_OK ? answer_queued(request, jr_root(doc), INT32_MAX, &once, err) : s;
}

static void put_texts(struct json_out *json, const char *name, const char *const *texts, size_t n)
{
    jw_key(json, name);
    jw_array(json);
    for (size_t i = 0; i < n; i++)
        jw_str(json, str_of(texts[i]));
    jw_end_array(json);
}

static void put_dataset(struct json_out *json, const struct dataset *dataset)
{
    struct dataset_provider provider[DATASET_PROVIDERS_MAX];
    size_t n = dataset_providers(dataset, provider);
    jw_object(json);
    jw_key_c(json, "name", dataset->name);
    jw_key_c(json, "title", dataset->title);
    jw_key_c(json, "folder", dataset->folder);
    jw_key(json, "providers");
    jw_array(json);
    for (size_t i = 0; i < n; i++)
        jw_str(json, str_of(provider[i].source->name));
    jw_end_array(json);
    jw_key_i64(json, "refetch_days", dataset->refetch_days);
    jw_key_date(json, "first", dataset->first);
    jw_key_text(json, "cron", dataset->cron[0] == '\0' ? STR_NONE : str_of(dataset->cron));
    jw_end_object(json);
}

enum status admin_job_types_get(struct request *request, struct err *err)
{
    struct buf out;
    struct json_out json;
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    document_begin(request, BODY_BYTES_MAX, &out, &json);
    jw_array(&json);
    jw_object(&json);
    jw_key_c(&json, "type", INGEST_JOB_TYPE);
    put_texts(&json, "stages", ingest_stage_names, INGEST_STAGES);
    jw_key(&json, "datasets");
    jw_array(&json);
    for (size_t i = 0; i < n_datasets; i++)
        put_dataset(&json, &datasets[i]);
    jw_end_array(&json);
    jw_key_c(&json, "request_schema", "/openapi.yaml#/components/schemas/IngestRequest");
    jw_end_object(&json);
    jw_end_array(&json);
    document_end(&json);
    return document_no_store(request, 200, "application/json", &out, err);
}
