/*
 * steps.h - an economic series as what was known when: publications, with all their revisions, become one row for each day
 * (UTC) on which the newest published value changed. The value is that of the latest period out by then, in its
 * revision of then. Pure; one thread.
 */
#ifndef STORE_STEPS_H
#define STORE_STEPS_H

#include "base/arena.h"
#include "base/err.h"

struct step {
    int32_t period; /* the last day of the period that the value is of */
    int32_t date;   /* of known_at; set by steps_add */
    int64_t known_at;
    double value;
};

/* Steps as they arrive; zeroed to begin with. */
struct steps {
    struct step *step;
    size_t n, cap;
    int32_t newest; /* the latest period that was out */
};

struct step_columns {
    size_t n;
    int32_t *date;
    int64_t *known_at; /* the last publication of that day, seconds since 1970 */
    double *value;
};

/* Whether its value is a number and its day one of date.h. */
bool steps_can_take(const struct step *step);

/* The next publication, of the order known_at, period, revision. Errors: OUT_OF_MEMORY. */
enum status steps_add(struct steps *to, const struct step *step, struct err *err) NODISCARD;
enum status steps_columns(const struct steps *steps, struct arena *arena, struct step_columns *ret,
                          struct err *err) NODISCARD;
void steps_free(struct steps *steps);

#endif
