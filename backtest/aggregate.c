/* aggregate.c - months into quarters and years, and the like. */
#include "backtest/aggregate.h"

#include <math.h>

const char *const aggregation_names[AGGREGATION_COUNT] = {"avg", "sum", "eop"};

/* Periods of from in one of to; 0 when that number varies. */
static size_t parts_of(enum frequency from, enum frequency to)
{
    if (from < FREQUENCY_MONTH)
        return 0;
    static const size_t months[FREQUENCY_COUNT] = {
        [FREQUENCY_MONTH] = 1, [FREQUENCY_QUARTER] = 3, [FREQUENCY_YEAR] = 12};
    return months[to] / months[from];
}

/* One period: the n observations at part, known to be over or not. False when it is not complete. */
static bool gather(const struct observation *part, size_t n, size_t n_wanted, bool is_over,
                   enum aggregation aggregation, struct arena *arena, struct observation *ret)
{
    struct observation all = {.value = CELL_NONE, .vintage = INT32_MIN, .known_at = INT64_MIN};
    size_t n_values = 0;
    struct cell last = CELL_NONE;
    for (size_t i = 0; i < n; i++) {
        if (cell_is_none(part[i].value))
            continue;
        n_values++;
        last = part[i].value;
        all.value = cell_add(all.value, part[i].value, arena);
        all.vintage = part[i].vintage > all.vintage ? part[i].vintage : all.vintage;
        all.known_at = part[i].known_at > all.known_at ? part[i].known_at : all.known_at;
    }
    if (n_wanted > 0 ? n_values < n_wanted : n_values == 0 || !is_over)
        return false;
    if (aggregation == AGGREGATION_EOP)
        all.value = last;
    else if (aggregation == AGGREGATION_AVG)
        all.value = cell_of(all.value.value / (double)n_values);
    *ret = all;
    return true;
}

size_t observations_aggregate(struct observation *observation, size_t n, enum frequency from,
                              enum frequency to, enum aggregation aggregation, struct arena *arena)
{
    size_t n_wanted = parts_of(from, to);
    size_t n_out = 0;
    for (size_t i = 0, end; i < n; i = end) {
        int32_t index = period_index(to, observation[i].last);
        for (end = i + 1; end < n && period_index(to, observation[end].last) == index; end++) {
        }
        struct observation whole;
        if (!gather(observation + i, end - i, n_wanted, end < n, aggregation, arena, &whole))
            continue;
        whole.first = period_first(to, index);
        whole.last = period_last(to, index);
        observation[n_out++] = whole;
    }
    return n_out;
}
