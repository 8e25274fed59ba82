/* schedules.c - when which data set is ingested, for administrators: list, make or change, pause, remove. */
#include "handlers/handlers.h"

#include "base/date.h"
#include "base/log.h"
#include "handlers/database.h"
#include "handlers/document.h"
#include "handlers/ingest_request.h"
#include "handlers/params.h"
#include "handlers/publish_due.h"
#include "jobs/cron.h"
#include "jobs/scheduler.h"

enum { BODY_BYTES_MAX = 1 << 20, CRON_BYTES_MAX = 200, REQUEST_BYTES_MAX = 1024 };

static void put_ms(struct json_out *json, const char *key, int64_t ms)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(ms / 1000, text);
    jw_key_text(json, key, ms <= 0 ? STR_NONE : str_of(text));
}

static void put_schedule(struct request *request, struct json_out *json,
                         const struct schedule *schedule)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct ingest_template template;
    jw_object(json);
    jw_key_text(json, "name", schedule->name);
    jw_key_text(json, "cron", schedule->cron);
    /* Written by schedules_put alone; whatever else stands there is shown by its absence. */
    if (jr_parse(schedule->request, &request->arena, &doc, NULL) == STATUS_OK &&
        ingest_template_read(jr_root(doc), &template, NULL) == STATUS_OK)
        ingest_template_write(&template, json);
    jw_key_c(json, "catch_up", schedule_catch_up_names[schedule->catch_up]);
    jw_key_bool(json, "is_paused", schedule->is_paused);
    put_ms(json, "last_slot_at", schedule->slot_ms);
    put_ms(json, "next_slot_at", scheduler_next(schedule) * 1000);
    put_ms(json, "changed_at", schedule->changed_ms);
    jw_end_object(json);
}

enum status schedules_list(struct request *request, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct schedule *list = NULL;
    size_t n = 0;
    struct buf out;
    struct json_out json;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = database_acquire(request, DB_READ, &db, err);
    if (s == STATUS_OK)
        s = schedule_list(db, &request->arena, &list, &n, err);
    if (s != STATUS_OK)
        return s;
    document_begin(request, BODY_BYTES_MAX, &out, &json);
    jw_array(&json);
    for (size_t i = 0; i < n; i++)
        put_schedule(request, &json, &list[i]);
    jw_end_array(&json);
    document_end(&json);
    return document_no_store(request, 200, "application/json", &out, err);
}

static enum status answer_one(struct request *request, struct db *db, struct str name, int status,
                              struct err *err)
{
    struct schedule schedule;
    struct buf out;
    struct json_out json;
    enum status s = schedule_get(db, name, &request->arena, &schedule, err);
    if (s != STATUS_OK)
        return s;
    document_begin(request, BODY_BYTES_MAX, &out, &json);
    put_schedule(request, &json, &schedule);
    document_end(&json);
    return document_no_store(request, status, "application/json", &out, err);
}

/* Names stand in addresses and in the ids of jobs. */
static enum status check_name(struct str name, struct err *err)
{
    bool is_good = name.len > 0 && name.len <= SCHEDULE_NAME_BYTES_MAX;
    for (size_t i = 0; i < name.len && is_good; i++)
        is_good = (name.ptr[i] >= 'a' && name.ptr[i] <= 'z') ||
                  (name.ptr[i] >= '0' && name.ptr[i] <= '9') || name.ptr[i] == '-' ||
                  name.ptr[i] == '_';
    if (is_good)
        return STATUS_OK;
    return params_refuse(err, "name", name, "1 to 64 of a-z, 0-9, '-' and '_'");
}

static enum status read_cron(struct json_val val, struct str *ret, struct err *err)
{
    struct cron cron;
    enum status s = jr_read_str(val, 1, CRON_BYTES_MAX, ret, err);
    if (s == STATUS_OK)
        s = cron_parse(*ret, &cron, err);
    if (s == STATUS_OUT_OF_RANGE)
        jr_err_at(err, val);
    return s;
}

static enum status keep_template(const struct ingest_template *template, struct arena *arena,
                                 struct str *ret, struct err *err)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, arena, REQUEST_BYTES_MAX);
    jw_init(&json, &out);
    jw_object(&json);
    ingest_template_write(template, &json);
    jw_end_object(&json);
    *ret = buf_str(&out);
    return out.failed ? err_out_of_memory(err) : STATUS_OK;
}

static enum status read_schedule(struct request *request, struct json_val root,
                                 struct schedule *ret, struct err *err)
{
    static const char *const members[] = {"dataset", "cron",     "from_days", "to_days",
                                          "stages",  "catch_up", "is_paused"};
    struct ingest_template template;
    size_t catch_up = CATCH_UP_LATEST;
    *ret = (struct schedule){.name = request->path_params[0], .type = STR(INGEST_JOB_TYPE)};
    enum status s = check_name(ret->name, err);
    if (s == STATUS_OK)
        s = jr_expect_object(root, members, ARRAY_LEN(members), err);
    if (s == STATUS_OK)
        s = ingest_template_read(root, &template, err);
    if (s == STATUS_OK)
        s = read_cron(jr_member(root, "cron"), &ret->cron, err);
    if (s == STATUS_OK && jr_is_present(jr_member(root, "catch_up")))
        s = jr_read_choice(jr_member(root, "catch_up"), schedule_catch_up_names, CATCH_UPS,
                           &catch_up, err);
    if (s == STATUS_OK && jr_is_present(jr_member(root, "is_paused")))
        s = jr_read_bool(jr_member(root, "is_paused"), &ret->is_paused, err);
    ret->catch_up = (enum schedule_catch_up)catch_up;
    return s != STATUS_OK ? s : keep_template(&template, &request->arena, &ret->request, err);
}

enum status schedules_put(struct request *request, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    CLEANUP(db_releasep) struct db *db = NULL;
    struct schedule schedule;
    bool is_new = false;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = params_read_body(request, &doc, err);
    if (s == STATUS_OK)
        s = read_schedule(request, jr_root(doc), &schedule, err);
    if (s == STATUS_OK)
        s = database_acquire(request, DB_WRITE, &db, err);
    if (s == STATUS_OK)
        s = schedule_put(db, &schedule, &is_new, err);
    if (s == STATUS_OK)
        s = publish_due_note(db, &request->arena, err);
    if (s != STATUS_OK)
        return s;
    log_event(LOG_INFO, "schedule_changed", LOG_STR("schedule", schedule.name),
              LOG_I64("by", request->principal.key_id));
    return answer_one(request, db, schedule.name, is_new ? 201 : 200, err);
}

static enum status set_paused(struct request *request, bool is_paused, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct str name = request->path_params[0];
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = database_acquire(request, DB_WRITE, &db, err);
    if (s == STATUS_OK)
        s = schedule_pause(db, name, is_paused, err);
    if (s == STATUS_OK)
        s = publish_due_note(db, &request->arena, err);
    return s != STATUS_OK ? s : answer_one(request, db, name, 200, err);
}

enum status schedules_pause(struct request *request, struct err *err)
{
    return set_paused(request, true, err);
}

enum status schedules_resume(struct request *request, struct err *err)
{
    return set_paused(request, false, err);
}

enum status schedules_delete(struct request *request, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = database_acquire(request, DB_WRITE, &db, err);
    if (s == STATUS_OK)
        s = schedule_delete(db, request->path_params[0], err);
    if (s == STATUS_OK)
        s = publish_due_note(db, &request->arena, err);
    if (s != STATUS_OK)
        return s;
    log_event(LOG_INFO, "schedule_removed", LOG_STR("schedule", request->path_params[0]),
              LOG_I64("by", request->principal.key_id));
    reply_header(request, "Cache-Control", "no-store");
    reply_type(request, 204, NULL);
    return STATUS_OK;
}
