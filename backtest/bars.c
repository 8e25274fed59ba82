/* bars.c - what happens to daily bars between the mart and the answer. */
#include "backtest/bars.h"

#include "base/date.h"

#include <math.h>

const char *const bar_adjust_names[ADJUST_COUNT] = {"none", "split", "all"};

static const enum bar_field quoted[] = {BAR_OPEN, BAR_HIGH, BAR_LOW, BAR_CLOSE};

static void scale_quoted(struct bar *bar, double factor)
{
    for (size_t i = 0; i < ARRAY_LEN(quoted); i++)
        bar->field[quoted[i]] =
            isnan(factor) ? CELL_NONE : cell_scale(bar->field[quoted[i]], factor);
}

static void adjust_for_splits(struct bars bars)
{
    double divisor = 1;
    for (size_t i = bars.n; i-- > 0;) {
        struct bar *bar = &bars.bar[i];
        if (divisor < 1 || divisor > 1)
            for (size_t k = 0; k < ARRAY_LEN(quoted); k++)
                bar->field[quoted[k]] = cell_of(bar->field[quoted[k]].value / divisor);
        double ratio = bar->field[BAR_SPLIT_RATIO].value;
        if (ratio > 0)
            divisor *= ratio;
    }
}

static void adjust_for_all(struct bar *bar)
{
    struct cell adjusted = bar->field[BAR_ADJ_CLOSE];
    double close = bar->field[BAR_CLOSE].value;
    scale_quoted(bar, close > 0 ? adjusted.value / close : (double)NAN);
    bar->field[BAR_CLOSE] = adjusted;
}

void bars_adjust(struct bars bars, enum bar_adjust adjust)
{
    if (adjust == ADJUST_SPLIT)
        adjust_for_splits(bars);
    for (size_t i = 0; i < bars.n && adjust == ADJUST_ALL; i++)
        adjust_for_all(&bars.bar[i]);
}

/* The last rate not after date; NaN before the first. */
static double rate_at(struct rates rates, int32_t date)
{
    size_t n = dates_until(rates.date, rates.n, date);
    return n > 0 ? rates.rate[n - 1] : (double)NAN;
}

size_t bars_convert(struct bars bars, struct rates y, struct rates x, struct str currency)
{
    size_t n_missing = 0;
    for (size_t i = 0; i < bars.n; i++) {
        struct bar *bar = &bars.bar[i];
        double rate =
            (y.n == 0 ? 1 : rate_at(y, bar->date)) / (x.n == 0 ? 1 : rate_at(x, bar->date));
        scale_quoted(bar, rate);
        for (enum bar_field f = BAR_ADJ_CLOSE; f <= BAR_DIVIDEND; f++)
            if (f != BAR_VOLUME)
                bar->field[f] = isnan(rate) ? CELL_NONE : cell_scale(bar->field[f], rate);
        bar->currency = currency;
        n_missing += isnan(rate) ? 1 : 0;
    }
    return n_missing;
}

static struct cell extreme(struct cell a, struct cell b, int wanted)
{
    if (cell_is_none(a))
        return b;
    return !cell_is_none(b) && cell_cmp(b, a) * wanted > 0 ? b : a;
}

static struct cell product(struct cell a, struct cell b)
{
    if (cell_is_none(a))
        return b;
    if (cell_is_none(b))
        return a;
    return a.value < 1 || a.value > 1 ? cell_scale(a, b.value) : cell_scale(b, a.value);
}

/* Day after the days that are already in into. */
static void join(struct bar *into, const struct bar *day, struct arena *arena)
{
    struct cell *to = into->field;
    const struct cell *from = day->field;
    to[BAR_OPEN] = cell_is_none(to[BAR_OPEN]) ? from[BAR_OPEN] : to[BAR_OPEN];
    to[BAR_HIGH] = extreme(to[BAR_HIGH], from[BAR_HIGH], 1);
    to[BAR_LOW] = extreme(to[BAR_LOW], from[BAR_LOW], -1);
    to[BAR_CLOSE] = cell_is_none(from[BAR_CLOSE]) ? to[BAR_CLOSE] : from[BAR_CLOSE];
    to[BAR_ADJ_CLOSE] = cell_is_none(from[BAR_ADJ_CLOSE]) ? to[BAR_ADJ_CLOSE] : from[BAR_ADJ_CLOSE];
    to[BAR_VOLUME] = cell_add(to[BAR_VOLUME], from[BAR_VOLUME], arena);
    to[BAR_DIVIDEND] = cell_add(to[BAR_DIVIDEND], from[BAR_DIVIDEND], arena);
    to[BAR_SPLIT_RATIO] = product(to[BAR_SPLIT_RATIO], from[BAR_SPLIT_RATIO]);
    into->date = day->date;
    into->currency = day->currency;
    into->source = day->source;
    into->quality |= day->quality;
    into->known_at = day->known_at > into->known_at ? day->known_at : into->known_at;
    into->sessions += day->sessions;
}

void bars_gather(struct bars *bars, enum frequency frequency, struct arena *arena)
{
    if (frequency == FREQUENCY_DAY)
        return;
    size_t n = 0;
    for (size_t i = 0; i < bars->n; i++) {
        const struct bar *day = &bars->bar[i];
        if (n > 0 &&
            period_index(frequency, bars->bar[n - 1].date) == period_index(frequency, day->date))
            join(&bars->bar[n - 1], day, arena);
        else
            bars->bar[n++] = *day;
    }
    bars->n = n;
}

enum status bars_transform(struct bars bars, unsigned fields, enum transform transform,
                           enum frequency frequency, bool is_seven_day, struct arena *arena,
                           struct err *err)
{
    if (transform == TRANSFORM_LIN)
        return STATUS_OK;
    int32_t *period = arena_array(arena, bars.n, sizeof *period);
    double *x = arena_array(arena, bars.n, sizeof *x);
    if (period == NULL || x == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < bars.n; i++)
        period[i] = period_index(frequency, bars.bar[i].date);
    struct observed when = {
        .period = period, .n = bars.n, .frequency = frequency, .is_seven_day = is_seven_day};
    for (enum bar_field f = 0; f < BAR_FIELDS; f++) {
        if ((fields & 1u << f) == 0)
            continue;
        for (size_t i = 0; i < bars.n; i++)
            x[i] = bars.bar[i].field[f].value;
        transform_apply(transform, when, x, x);
        for (size_t i = 0; i < bars.n; i++)
            bars.bar[i].field[f] = cell_of(x[i]);
    }
    return STATUS_OK;
}
