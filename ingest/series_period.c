/* series_period.c - weeks, months, quarters and years of a series: what they opened and closed at, returned and lost. */
#include "base/decimal.h"
#include "base/number.h"
#include "ingest/series.h"

#include <math.h>
#include <stdio.h>

static const char kinds[] = "WMQY";

int32_t series_month_end(int32_t date)
{
    struct civil c = date_to_civil(date);
    return date - c.day + date_days_in_month(c.year, c.month);
}

static int32_t end_of(char kind, int32_t date)
{
    struct civil c = date_to_civil(date);
    int last = kind == 'Q' ? (c.month - 1) / 3 * 3 + 3 : kind == 'Y' ? 12 : c.month;
    if (kind == 'W')
        return date + 6 - date_weekday(date);
    return date_from_civil((struct civil){c.year, last, date_days_in_month(c.year, last)});
}

/* Rows [a, b) of one period. */
struct period {
    char kind;
    int32_t end;
    size_t a, b;
};

/* From the close before the period, if that is near enough, else from its first close. */
static double return_of(const struct series *s, const struct period *p)
{
    bool has_before = p->a > 0 && s->date[p->a] - s->date[p->a - 1] <= SERIES_GAP_DAYS;
    double from = s->adj[has_before ? p->a - 1 : p->a], to = s->adj[p->b - 1];
    return from > 0 && to > 0 ? to / from - 1 : (double)NAN;
}

/* Sample standard deviation of its daily returns, not made a year's. */
static double spread_of(const struct series *s, const struct period *p)
{
    double mean = 0, sum = 0;
    size_t n = 0;
    for (size_t i = p->a; i < p->b; i++)
        if (isfinite(s->ret[i])) {
            mean += s->ret[i];
            n++;
        }
    if (n < 2)
        return (double)NAN;
    mean /= (double)n;
    for (size_t i = p->a; i < p->b; i++)
        sum += isfinite(s->ret[i]) ? (s->ret[i] - mean) * (s->ret[i] - mean) : 0;
    return sqrt(sum / (double)(n - 1));
}

/* The deepest fall from a high within it, as a fraction not above 0. */
static double fall_of(const struct series *s, const struct period *p)
{
    double high = s->adj[p->a], deepest = 0;
    for (size_t i = p->a; i < p->b; i++) {
        high = s->adj[i] > high ? s->adj[i] : high;
        double fall = high > 0 ? s->adj[i] / high - 1 : (double)NAN;
        deepest = fall < deepest ? fall : deepest;
    }
    return high > 0 ? deepest : (double)NAN;
}

static struct str extreme_of(const struct str *texts, const struct str *closes,
                             const struct period *p, int sign)
{
    struct str best = texts[p->a].ptr == NULL ? closes[p->a] : texts[p->a];
    for (size_t i = p->a + 1; i < p->b; i++) {
        struct str text = texts[i].ptr == NULL ? closes[i] : texts[i];
        if (sign * decimal_cmp(text, best) > 0)
            best = text;
    }
    return best;
}

static enum status write_period(const struct series *s, const struct period *p, struct outbox *box,
                                struct db *db, struct err *err)
{
    char volume[DECIMAL_SUM_BYTES];
    struct decimal_sum sum = {{0}, 0};
    for (size_t i = p->a; i < p->b; i++)
        if (s->volume[i].ptr != NULL && decimal_is_valid(s->volume[i]))
            decimal_sum_add(&sum, s->volume[i]);
    const union db_value values[OUTBOX_COLUMNS_MAX] = {
        {.text = str_of(s->touch->uid)},
        {.text = {&p->kind, 1}},
        {.i64 = p->end},
        {.i64 = s->date[p->a]},
        {.i64 = s->date[p->b - 1]},
        {.text = s->open[p->a].ptr == NULL ? s->close[p->a] : s->open[p->a]},
        {.text = extreme_of(s->high, s->close, p, 1)},
        {.text = extreme_of(s->low, s->close, p, -1)},
        {.text = s->close[p->b - 1]},
        {.f64 = return_of(s, p)},
        {.f64 = spread_of(s, p)},
        {.f64 = fall_of(s, p)},
        {.text = sum.n == 0 ? STR_NONE : (struct str){volume, decimal_sum_text(&sum, volume)}},
        {.i64 = (int64_t)(p->b - p->a)}};
    return outbox_add(box, db, values, err);
}

enum status series_periods(const struct series *s, struct outbox *box, struct db *db,
                           struct err *err)
{
    enum status status = STATUS_OK;
    for (const char *kind = kinds; *kind != '\0'; kind++) {
        size_t a = 0;
        while (a < s->n && status == STATUS_OK) {
            struct period p = {*kind, end_of(*kind, s->date[a]), a, a};
            while (p.b < s->n && s->date[p.b] <= p.end)
                p.b++;
            /* Those that end before are not touched; what lies beyond the last day read is not whole. */
            if (p.end >= s->touch->from && p.end <= s->touch->to)
                status = write_period(s, &p, box, db, err);
            a = p.b;
        }
    }
    return status;
}
