/*
 * schedule_store.h - when which job is made, as rows: the schedules, and the slots that were seen to. A slot is a due minute
 * of a schedule, named by its own time, never by when somebody looked; the primary key makes each of them one job however
 * many servers look. Threads as job_store.h.
 */
#ifndef STORE_SCHEDULE_STORE_H
#define STORE_SCHEDULE_STORE_H

#include "store/job_store.h"

/* What is made of slots that nobody saw to in time. */
enum schedule_catch_up { CATCH_UP_NONE, CATCH_UP_LATEST, CATCH_UP_ALL, CATCH_UPS };
extern const char *const schedule_catch_up_names[CATCH_UPS];

enum { SCHEDULE_NAME_BYTES_MAX = 64, SCHEDULES_MAX = 256 };

struct schedule {
    struct str name, type, cron, request;
    enum schedule_catch_up catch_up;
    bool is_paused;
    int64_t
        slot_ms; /* the last one seen to, or when the schedule was made; slots begin behind it */
    int64_t changed_ms, now_ms; /* by the database's clock */
};

/* By name, at most SCHEDULES_MAX. */
enum status schedule_list(struct db *db, struct arena *arena, struct schedule **ret, size_t *ret_n,
                          struct err *err) NODISCARD;

/* Errors: UNKNOWN_SCHEDULE. */
enum status schedule_get(struct db *db, struct str name, struct arena *arena, struct schedule *ret,
                         struct err *err) NODISCARD;

/*
 * Makes it, or changes the one of this name, whose slots go on behind the last one seen to; slot_ms counts for a new one
 * (0: now). Errors: BAD_VALUE past SCHEDULES_MAX.
 */
enum status schedule_put(struct db *db, const struct schedule *schedule, bool *ret_is_new,
                         struct err *err) NODISCARD;

/* One that goes on begins behind now: what was due while it was paused is not made up for. */
enum status schedule_pause(struct db *db, struct str name, bool is_paused, struct err *err)
    NODISCARD;
enum status schedule_delete(struct db *db, struct str name, struct err *err) NODISCARD;

/*
 * Inside a transaction: the slot is seen to, by job_id (ptr NULL: passed over). *ret_is_new false: somebody has
 * already, and nothing may be done for it.
 */
enum status schedule_slot(struct db *db, struct str name, int64_t slot_ms, struct str job_id,
                          bool *ret_is_new, struct err *err) NODISCARD;

/* Slots seen to more than age_ms ago are forgotten; those before the schedule's slot_ms are not looked at again. */
enum status schedule_slots_purge(struct db *db, int64_t age_ms, struct err *err) NODISCARD;

#endif
