/*
 * cron.h - when a schedule is due: five fields of POSIX crontab (minute, hour, day of the month, month, day of the week), in UTC.
 * A field is "*", a number, a range a-b, a list of those with commas, each with a step /n; months and days may be
 * named (jan, mon), Sunday is 0 or 7. When both day fields are restricted, a day that meets either is due, as POSIX
 * says. "@hourly", "@daily", "@weekly", "@monthly" and "@yearly" stand for their five fields. Pure; any thread.
 */
#ifndef JOBS_CRON_H
#define JOBS_CRON_H

#include "base/err.h"

#include <stdint.h>

struct cron {
    uint64_t minutes;
    uint32_t hours, days, months, weekdays; /* bit n: n is due */
    bool is_any_day, is_any_weekday;        /* the field is "*" */
};

/* Errors: OUT_OF_RANGE, also for a schedule that is never due (30 February). */
enum status cron_parse(struct str text, struct cron *ret, struct err *err) NODISCARD;

/* The first due minute after the instant, in seconds since 1970. */
int64_t cron_next(const struct cron *cron, int64_t after_s);

#endif
