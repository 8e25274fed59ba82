/* ingest_schedules.c - see ingest_schedules.h. */
#include "handlers/ingest_schedules.h"

#include "handlers/ingest_request.h"
#include "handlers/publish_due.h"
#include "store/schedule_store.h"

enum { REQUEST_BYTES_MAX = 1024 };

/* Whether a schedule of the list is for the data set. */
static bool has_schedule(const struct schedule *list, size_t n, const struct dataset *dataset,
                         struct arena *arena)
{
    bool found = false;
    for (size_t i = 0; i < n && !found; i++) {
        CLEANUP(jr_freep) struct json_doc *doc = NULL;
        struct ingest_template template;
        found = jr_parse(list[i].request, arena, &doc, NULL) == STATUS_OK &&
                ingest_template_read(jr_root(doc), &template, NULL) == STATUS_OK &&
                template.dataset == dataset;
    }
    return found;
}

static enum status put_default(struct db *db, const struct dataset *dataset, struct arena *arena,
                               struct err *err)
{
    const struct ingest_template template = {
        .dataset = dataset, .from_days = dataset->refetch_days, .stages = INGEST_ALL_STAGES};
    struct buf out;
    struct json_out json;
    bool is_new = false;
    buf_init(&out, arena, REQUEST_BYTES_MAX);
    jw_init(&json, &out);
    jw_object(&json);
    ingest_template_write(&template, &json);
    jw_end_object(&json);
    if (out.failed)
        return err_out_of_memory(err);
    const struct schedule schedule = {.name = str_of(dataset->name),
                                      .type = STR(INGEST_JOB_TYPE),
                                      .cron = str_of(dataset->cron),
                                      .request = buf_str(&out),
                                      .catch_up = CATCH_UP_LATEST};
    return schedule_put(db, &schedule, &is_new, err);
}

enum status ingest_default_schedules(struct db *db, struct arena *arena, struct err *err)
{
    struct schedule *list = NULL;
    size_t n = 0;
    enum status s = schedule_list(db, arena, &list, &n, err);
    for (size_t i = 0; i < n_datasets && s == STATUS_OK; i++)
        if (datasets[i].cron[0] != '\0' && !has_schedule(list, n, &datasets[i], arena))
            s = put_default(db, &datasets[i], arena, err);
    return s == STATUS_OK ? publish_due_note(db, arena, err) : s;
}
