/* job_answer.c - see job_answer.h. */
#include "handlers/job_answer.h"

#include "base/date.h"
#include "handlers/document.h"
#include "handlers/ingest_request.h"
#include "handlers/json_text.h"
#include "store/job_stage_store.h"

#include <math.h>
#include <stdio.h>

enum { BODY_BYTES_MAX = 8 << 20, RETRY_MAX_S = 10 };

int64_t job_owner(const struct request *request)
{
    return request->principal.key_id;
}

enum status job_find(struct request *request, struct db *db, struct str id, struct job_record *ret,
                     struct err *err)
{
    bool found = false;
    bool is_admin = (request->principal.scopes & 1U << ACCESS_ADMIN) != 0;
    enum status s =
        id.len <= JOB_ID_BYTES_MAX ? job_get(db, id, &request->arena, ret, &found, err) : STATUS_OK;
    if (s != STATUS_OK)
        return s;
    if (!found || (!is_admin && ret->owner != job_owner(request)))
        return job_unknown(err, id);
    return str_eq_c(ret->type, INGEST_JOB_TYPE) ? job_stage_read(db, &request->arena, ret, err)
                                                : STATUS_OK;
}

static void put_ms(struct json_out *json, const char *key, int64_t ms)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(ms / 1000, text);
    jw_key_text(json, key, ms == 0 ? STR_NONE : str_of(text));
}

static double eta_s(const struct job_record *job)
{
    if (job->state != JOB_RUNNING || job->n_done == 0)
        return (double)NAN;
    return (double)(job->now_ms - job->started_ms) / 1000 * (double)(job->n_items - job->n_done) /
           (double)job->n_done;
}

static void put_raw(struct json_out *json, const char *key, struct str value)
{
    jw_key(json, key);
    if (value.ptr == NULL)
        jw_null(json);
    else
        jw_raw(json, value);
}

static void put_progress(struct json_out *json, const struct job_record *job)
{
    jw_key(json, "progress");
    jw_object(json);
    jw_key_i64(json, "items", job->n_items);
    jw_key_i64(json, "done", job->n_done);
    jw_key_i64(json, "failed", job->n_failed);
    jw_key_f64(json, "fraction", job->n_items > 0 ? (double)job->n_done / (double)job->n_items : 0);
    jw_key_f64(json, "eta_s", eta_s(job));
    jw_end_object(json);
}

static void put_link(struct json_out *json, const char *name, struct str id, const char *end)
{
    char url[JOB_ID_BYTES_MAX + 32];
    (void)snprintf(url, sizeof url, "/v1/jobs/%.*s%s", STR_ARG(id), end);
    jw_key_c(json, name, url);
}

static void put_stages(struct json_out *json, const struct job_record *job)
{
    jw_key(json, "stages");
    jw_array(json);
    for (size_t i = 0; i < job->n_stages; i++) {
        jw_object(json);
        jw_key_text(json, "stage", job->stages[i].name);
        jw_key_text(json, "state", job->stages[i].state);
        jw_key_i64(json, "attempts", job->stages[i].attempts);
        put_ms(json, "started_at", job->stages[i].started_ms);
        put_ms(json, "finished_at", job->stages[i].finished_ms);
        put_raw(json, "report", job->stages[i].report);
        jw_end_object(json);
    }
    jw_end_array(json);
}

static void put_links(struct json_out *json, const struct job_record *job)
{
    struct str id = job->id;
    jw_key(json, "links");
    jw_object(json);
    put_link(json, "self", id, "");
    if (str_eq_c(job->type, INGEST_JOB_TYPE))
        jw_key_null(json, "rows");
    else
        put_link(json, "rows", id, "/rows");
    put_link(json, "events", id, "/events");
    put_link(json, "log", id, "/log");
    jw_end_object(json);
}

static void put_job(struct json_out *json, const struct job_record *job)
{
    jw_object(json);
    jw_key_text(json, "id", job->id);
    jw_key_text(json, "type", job->type);
    jw_key_c(json, "state", job_state_names[job->state]);
    jw_key_bool(json, "cancel_requested", job->cancel_requested);
    jw_key_i64(json, "cells", job->cost);
    put_progress(json, job);
    jw_key_i64(json, "attempt", job->attempt);
    jw_key_i64(json, "tries", job->tries);
    jw_key_i64(json, "tries_max", job->tries_max);
    put_ms(json, "ready_at", job->state == JOB_QUEUED ? job->ready_ms : 0);
    put_ms(json, "created_at", job->created_ms);
    put_ms(json, "started_at", job->started_ms);
    put_ms(json, "finished_at", job->finished_ms);
    put_ms(json, "deadline_at", job->deadline_ms);
    put_stages(json, job);
    put_raw(json, "request", job->request);
    put_raw(json, "result", job->result);
    put_raw(json, "problem", job->problem);
    jw_end_object(json);
    put_links(json, job);
    document_end(json);
}

enum status job_reply(struct request *request, const struct job_record *job, int http_status,
                      struct err *err)
{
    struct buf out;
    struct json_out json;
    document_begin(request, BODY_BYTES_MAX, &out, &json);
    put_job(&json, job);
    reply_header(request, "Location", "/v1/jobs/%.*s", STR_ARG(job->id));
    if (!job_is_over(job->state)) {
        double wait_s = eta_s(job);
        int64_t retry_s = !isfinite(wait_s) || wait_s < 1 ? 1 : (int64_t)wait_s;
        reply_header(request, "Retry-After", "%lld",
                     (long long)(retry_s > RETRY_MAX_S ? RETRY_MAX_S : retry_s));
    }
    return document_no_store(request, http_status, "application/json", &out, err);
}
