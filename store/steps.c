/* steps.c - see steps.h. */
#include "store/steps.h"

#include "base/array.h"
#include "base/date.h"

#include <math.h>
#include <stdlib.h>

static int64_t day_of(int64_t instant)
{
    return instant / 86400 - (instant % 86400 < 0 ? 1 : 0);
}

bool steps_can_take(const struct step *step)
{
    int64_t day = day_of(step->known_at);
    return isfinite(step->value) && day >= DATE_MIN && day <= DATE_MAX;
}

/* A later publication of an earlier period changes nothing; several of one day are one step. */
enum status steps_add(struct steps *to, const struct step *step, struct err *err)
{
    if (to->n > 0 && step->period < to->newest)
        return STATUS_OK;
    struct step *all = heap_reserve(to->step, to->n + 1, &to->cap, sizeof *all);
    if (all == NULL)
        return err_out_of_memory(err);
    to->step = all;
    to->newest = step->period;
    int32_t day = (int32_t)day_of(step->known_at);
    bool is_same_day = to->n > 0 && all[to->n - 1].date == day;
    to->n += is_same_day ? 0 : 1;
    all[to->n - 1] = *step;
    all[to->n - 1].date = day;
    return STATUS_OK;
}

enum status steps_columns(const struct steps *steps, struct arena *arena, struct step_columns *ret,
                          struct err *err)
{
    struct step_columns c = {.n = steps->n,
                             .date = arena_array(arena, steps->n, sizeof *c.date),
                             .known_at = arena_array(arena, steps->n, sizeof *c.known_at),
                             .value = arena_array(arena, steps->n, sizeof *c.value)};
    if (c.date == NULL || c.known_at == NULL || c.value == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < steps->n; i++) {
        c.date[i] = steps->step[i].date;
        c.known_at[i] = steps->step[i].known_at;
        c.value[i] = steps->step[i].value;
    }
    *ret = c;
    return STATUS_OK;
}

void steps_free(struct steps *steps)
{
    free(steps->step);
    *steps = (struct steps){0};
}
