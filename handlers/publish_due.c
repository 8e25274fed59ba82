/* publish_due.c - see publish_due.h. */
#include "handlers/publish_due.h"

#include "handlers/ingest_request.h"
#include "ingest/gold_marts.h"
#include "jobs/scheduler.h"
#include "store/generation.h"

/* A slot of the schedule is the next publish of what its data set feeds, where it comes before those known. */
static void take_schedule(const struct schedule *schedule, struct arena *arena,
                          int64_t due_s[GOLD_MARTS])
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct ingest_template template;
    int64_t next_s = scheduler_next(schedule);
    if (next_s == 0 || jr_parse(schedule->request, arena, &doc, NULL) != STATUS_OK ||
        ingest_template_read(jr_root(doc), &template, NULL) != STATUS_OK ||
        (template.stages & 1U << INGEST_PUBLISH) == 0)
        return;
    for (size_t i = 0; i < GOLD_MARTS; i++) {
        bool is_fed = gold_mart_is_fed_by(&gold_marts[i], str_of(template.dataset->name));
        if (is_fed && (due_s[i] == 0 || next_s < due_s[i]))
            due_s[i] = next_s;
    }
}

enum status publish_due_note(struct db *db, struct arena *arena, struct err *err)
{
    struct schedule *list = NULL;
    size_t n = 0;
    int64_t due_s[GOLD_MARTS] = {0};
    enum status s = schedule_list(db, arena, &list, &n, err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++)
        take_schedule(&list[i], arena, due_s);
    for (size_t i = 0; i < GOLD_MARTS && s == STATUS_OK; i++)
        s = generation_set_due(db, str_of(gold_marts[i].name), due_s[i], err);
    return s;
}
