/* ingest_upload.c - POST of rows of one's own in the place of a data set's providers: bronze, at once; the rest is a job's. */
#include "handlers/handlers.h"

#include "base/date.h"
#include "handlers/document.h"
#include "handlers/ingest_world.h"
#include "handlers/params.h"
#include "ingest/dataset.h"
#include "server/app.h"

enum { ANSWER_BYTES_MAX = 8192 };

static enum status expect_csv(struct request *request, struct err *err)
{
    struct str type = request_header(request, "Content-Type");
    struct str essence = str_trim(str_sub(type, 0, str_find(type, ';', 0)));
    if (str_eq_nocase(essence, STR("text/csv")))
        return STATUS_OK;
    (void)err_set(err, STATUS_UNSUPPORTED_MEDIA_TYPE, "The body's media type is not CSV.");
    err_at(err, ERR_HEADER, STR("Content-Type"), type);
    err_allow(err, "text/csv");
    return STATUS_UNSUPPORTED_MEDIA_TYPE;
}

static enum status find_dataset(struct str name, const struct dataset **ret, struct err *err)
{
    *ret = dataset_find(name);
    if (*ret != NULL)
        return STATUS_OK;
    (void)err_set(err, STATUS_NOT_FOUND, "There is no data set \"%.*s\".",
                  STR_ARG(str_utf8_cut(name, 64)));
    err_allow(err, "a name of /v1/admin/job-types");
    return STATUS_NOT_FOUND;
}

/* What is in the lake now, and the job that brings it to the marts. */
static void write_answer(struct json_out *json, const struct dataset *dataset,
                         const struct ingest_report *report)
{
    jw_object(json);
    jw_key_c(json, "dataset", dataset->name);
    jw_key_i64(json, "rows", report->rows_out);
    jw_key_i64(json, "rejected", report->rejected);
    jw_key_i64(json, "objects", report->objects);
    jw_key_i64(json, "objects_skipped", report->objects_skipped);
    jw_key_text(json, "note", report->note[0] == '\0' ? STR_NONE : str_of(report->note));
    jw_key(json, "job");
    if (report->rows_first == DATE_NONE) {
        jw_null(json);
    } else {
        jw_object(json);
        jw_key_c(json, "dataset", dataset->name);
        jw_key_date(json, "from", report->rows_first);
        jw_key_date(json, "to", report->rows_last);
        jw_key(json, "stages");
        jw_array(json);
        for (unsigned i = INGEST_SILVER; i < INGEST_STAGES; i++)
            jw_str(json, str_of(ingest_stage_names[i]));
        jw_end_array(json);
        jw_end_object(json);
    }
    jw_end_object(json);
}

static enum status keep(struct request *request, const struct dataset *dataset,
                        struct ingest_report *ret, struct err *err)
{
    struct ingest_parts parts = {.lake = NULL};
    const struct ingest_task task = {
        .dataset = dataset,
        .from = DATE_MIN,
        .to = DATE_MAX,
        .text = request->body.ptr == NULL ? STR("") : request->body,
    };
    enum status s = ingest_parts_open(request->app->config, 1U << INGEST_BRONZE, NULL, &parts, err);
    if (s == STATUS_OK)
        s = ingest_bronze(&parts.world, &task, ret, &request->stop, err);
    ingest_parts_clear(&parts);
    return s;
}

enum status admin_upload(struct request *request, struct err *err)
{
    const struct dataset *dataset = NULL;
    struct ingest_report report;
    struct buf out;
    struct json_out json;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = find_dataset(request->path_params[0], &dataset, err);
    if (s == STATUS_OK)
        s = expect_csv(request, err);
    if (s == STATUS_OK)
        s = keep(request, dataset, &report, err);
    if (s != STATUS_OK)
        return s;
    buf_init(&out, &request->arena, ANSWER_BYTES_MAX);
    jw_init(&json, &out);
    write_answer(&json, dataset, &report);
    buf_add_char(&out, '\n');
    return document_no_store(request, 201, "application/json", &out, err);
}
