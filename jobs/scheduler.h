/*
 * scheduler.h - makes the jobs that schedules are due for. Every server looks; the database makes each slot one job, in
 * one transaction with it, so that a server may die anywhere.
 */
#ifndef JOBS_SCHEDULER_H
#define JOBS_SCHEDULER_H

#include "jobs/runner.h"

enum {
    SCHEDULER_SLOTS_MAX = 30, /* of one schedule in one look: the rest comes in the next ones */
    SCHEDULER_LATE_S = 300    /* a slot that is seen later counts as missed */
};

struct scheduler_due {
    int64_t slot_s[SCHEDULER_SLOTS_MAX]; /* to be made jobs of, rising */
    size_t n;
    int64_t passed_s; /* the last of those passed over, 0: none */
};

/* Which slots of (after, now] there are and what the schedule's rule makes of them; seconds since 1970. Pure. */
enum status scheduler_due(const struct schedule *schedule, int64_t after_s, int64_t now_s,
                          struct scheduler_due *ret, struct err *err) NODISCARD;

/* The first slot that was not seen to, in seconds since 1970; 0: none, for it is paused or cannot be read. */
int64_t scheduler_next(const struct schedule *schedule);

/*
 * Looks at all schedules once and makes what is due. A slot whose job would be the same as one that is not over is that
 * one's. Schedules that cannot be read are logged and left. Errors: the database's.
 */
enum status scheduler_look(struct db *db, const struct job_type *types, size_t n_types,
                           struct arena *arena, size_t *ret_n, struct err *err) NODISCARD;

#endif
