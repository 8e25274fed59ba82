/* scheduler.c - see scheduler.h. */
#include "jobs/scheduler.h"

#include "base/checksum.h"
#include "base/date.h"
#include "base/log.h"
#include "jobs/cron.h"

#include <stdio.h>

enum { NAME_BYTES = 40 }; /* of a job's id */

enum status scheduler_due(const struct schedule *schedule, int64_t after_s, int64_t now_s,
                          struct scheduler_due *ret, struct err *err)
{
    struct cron cron;
    enum status s = cron_parse(schedule->cron, &cron, err);
    *ret = (struct scheduler_due){.n = 0};
    if (s != STATUS_OK)
        return s;
    for (int64_t at = cron_next(&cron, after_s); at <= now_s; at = cron_next(&cron, at)) {
        bool is_late = now_s - at > SCHEDULER_LATE_S;
        if (schedule->catch_up == CATCH_UP_ALL && ret->n == SCHEDULER_SLOTS_MAX)
            break;
        if (schedule->catch_up != CATCH_UP_ALL && ret->n > 0) { /* only the newest counts */
            ret->passed_s = ret->slot_s[0];
            ret->n = 0;
        }
        if (is_late && schedule->catch_up == CATCH_UP_NONE)
            ret->passed_s = at;
        else
            ret->slot_s[ret->n++] = at;
    }
    return STATUS_OK;
}

int64_t scheduler_next(const struct schedule *schedule)
{
    struct cron cron;
    if (schedule->is_paused || cron_parse(schedule->cron, &cron, NULL) != STATUS_OK)
        return 0;
    return cron_next(&cron, schedule->slot_ms / 1000);
}

static const struct job_type *type_of(const struct job_type *types, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(name, types[i].name) && types[i].plan != NULL)
            return &types[i];
    return NULL;
}

static enum status make(struct db *db, const struct schedule *schedule, int64_t slot_ms,
                        const struct job_new *job, bool *ret_is_made, struct err *err)
{
    static const struct job_limits no_limits = {0};
    enum status s = schedule_slot(db, schedule->name, slot_ms, job->id, ret_is_made, err);
    if (s == STATUS_OK && *ret_is_made)
        s = job_create(db, job, &no_limits, err);
    return s;
}

/* One slot, in a transaction of its own. job->id ptr NULL: it is passed over. */
static enum status see_to(struct db *db, const struct schedule *schedule, int64_t slot_ms,
                          const struct job_new *job, bool *ret_is_made, struct err *err)
{
    bool is_new = false;
    *ret_is_made = false;
    enum status s = db_begin(db, err);
    if (s == STATUS_OK)
        s = job->id.ptr != NULL
                ? make(db, schedule, slot_ms, job, ret_is_made, err)
                : schedule_slot(db, schedule->name, slot_ms, STR_NONE, &is_new, err);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    if (s != STATUS_OK)
        db_rollback(db);
    if (s != STATUS_JOB_EXISTS)
        return s;
    log_event(LOG_INFO, "slot_is_running", LOG_STR("schedule", schedule->name),
              LOG_TEXT("detail", err->detail));
    const struct job_new none = {.id = STR_NONE};
    return see_to(db, schedule, slot_ms, &none, ret_is_made, err);
}

/* NAME-20241202T0500Z: a name that is too long for an id is cut, and told from others that begin so by its checksum. */
static struct str id_of(struct str name, int64_t slot_s, char room[JOB_ID_BYTES_MAX + 1])
{
    unsigned char sum[CHECKSUM_BYTES];
    char at[INSTANT_TEXT_BYTES], tail[16] = "";
    bool is_cut = name.len > NAME_BYTES;
    if (is_cut) {
        checksum(name, sum);
        (void)snprintf(tail, sizeof tail, "-%02x%02x%02x%02x%02x%02x", sum[0], sum[1], sum[2],
                       sum[3], sum[4], sum[5]);
    }
    instant_format(slot_s, at);
    int len = snprintf(room, JOB_ID_BYTES_MAX + 1, "%.*s%s-%.4s%.2s%.2sT%.2s%.2sZ",
                       is_cut ? NAME_BYTES - 13 : (int)name.len, name.ptr, tail, at, at + 5, at + 8,
                       at + 11, at + 14);
    return (struct str){room, (size_t)len};
}

static enum status plan_slot(struct db *db, const struct job_type *type,
                             const struct schedule *schedule, int64_t slot_s, struct arena *arena,
                             bool *ret_is_made, struct err *err)
{
    struct job_new job = {.id = STR_NONE};
    char id[JOB_ID_BYTES_MAX + 1];
    enum status s = type->plan(type->cls, schedule, slot_s, arena, &job, err);
    if (s != STATUS_OK)
        return s;
    job.id = id_of(schedule->name, slot_s, id);
    return see_to(db, schedule, slot_s * 1000, &job, ret_is_made, err);
}

static enum status look_at(struct db *db, const struct job_type *type,
                           const struct schedule *schedule, struct arena *arena, size_t *n,
                           struct err *err)
{
    struct scheduler_due due;
    const struct job_new none = {.id = STR_NONE};
    bool is_made = false;
    enum status s =
        scheduler_due(schedule, schedule->slot_ms / 1000, schedule->now_ms / 1000, &due, err);
    if (s == STATUS_OK && due.passed_s > 0)
        s = see_to(db, schedule, due.passed_s * 1000, &none, &is_made, err);
    for (size_t i = 0; i < due.n && s == STATUS_OK; i++) {
        s = plan_slot(db, type, schedule, due.slot_s[i], arena, &is_made, err);
        *n += s == STATUS_OK && is_made;
    }
    return s;
}

static bool is_of_database(enum status s)
{
    return s == STATUS_DB_UNAVAILABLE || s == STATUS_DB_TIMEOUT || s == STATUS_DB_CONFLICT ||
           s == STATUS_DB_ERROR || s == STATUS_OUT_OF_MEMORY;
}

enum status scheduler_look(struct db *db, const struct job_type *types, size_t n_types,
                           struct arena *arena, size_t *ret_n, struct err *err)
{
    struct schedule *list = NULL;
    size_t n = 0;
    *ret_n = 0;
    enum status s = schedule_list(db, arena, &list, &n, err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++) {
        const struct job_type *type = type_of(types, n_types, list[i].type);
        if (type == NULL || list[i].is_paused)
            continue;
        s = look_at(db, type, &list[i], arena, ret_n, err);
        if (s == STATUS_OK || is_of_database(s))
            continue;
        log_event(LOG_WARN, "schedule_failed", LOG_STR("schedule", list[i].name),
                  LOG_TEXT("detail", err->detail));
        s = STATUS_OK;
    }
    return s;
}
