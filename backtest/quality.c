/* quality.c - looks a series over once; called where series are read, shown by the data_quality of an answer. */
#include "backtest/quality.h"

#include "base/date.h"

#include <math.h>

const char *const quality_names[QUALITY_KINDS] = {
    [QUALITY_GAP] = "gap",
    [QUALITY_STALE_RUN] = "stale_run",
    [QUALITY_SPIKE] = "spike",
    [QUALITY_JUMP] = "jump",
    [QUALITY_MISFIT] = "calendar_misfit",
    [QUALITY_ZERO_VOLUME] = "zero_volume",
    [QUALITY_MISMATCH] = "return_mismatch",
};

/* Bars with a price: what the checks walk over. */
struct bar {
    size_t row;
    double close; /* as quoted where known, else adjusted */
    bool is_quoted;
};

struct checker {
    const struct price_series *series;
    struct quality_calendar calendar;
    struct bar *bar;
    size_t n_bars;
    struct quality_finding *list[QUALITY_KINDS];
    size_t n[QUALITY_KINDS];
    struct arena *arena;
    bool is_out_of_memory;
};

static void add(struct checker *c, struct quality_finding finding)
{
    size_t at = c->n[finding.kind]++;
    if (at >= QUALITY_PER_KIND_MAX)
        return;
    if (c->list[finding.kind] == NULL)
        c->list[finding.kind] = arena_array(c->arena, QUALITY_PER_KIND_MAX, sizeof **c->list);
    if (c->list[finding.kind] == NULL)
        c->is_out_of_memory = true;
    else
        c->list[finding.kind][at] = finding;
}

static int32_t date_of(const struct checker *c, size_t i)
{
    return c->series->date[c->bar[i].row];
}

static double split_of(const struct checker *c, size_t i)
{
    const double *split = c->series->split;
    double value = split == NULL ? 1 : split[c->bar[i].row];
    return value > 0 ? value : 1;
}

static double dividend_of(const struct checker *c, size_t i)
{
    const double *dividend = c->series->dividend;
    double value = dividend == NULL ? 0 : dividend[c->bar[i].row];
    return value > 0 ? value : 0;
}

/* The close over the one before, actions put back in; 1 would be an unmoved price. */
static double move_of(const struct checker *c, size_t i)
{
    const struct bar *now = &c->bar[i], *before = &c->bar[i - 1];
    if (!now->is_quoted || !before->is_quoted)
        return now->close / before->close;
    return (now->close + dividend_of(c, i)) * split_of(c, i) / before->close;
}

static bool is_weekday(int32_t date)
{
    return date_weekday(date) < 5;
}

/* Days on which a bar is missing, strictly between the dates of two rows, halted rows included. */
static void find_gaps_by_rule(struct checker *c)
{
    const struct price_series *s = c->series;
    for (size_t i = 1; i < s->n; i++) {
        size_t missing = 0;
        for (int32_t d = s->date[i - 1] + 1; d < s->date[i]; d++)
            missing += s->trades_24_7 || is_weekday(d) ? 1 : 0;
        if (missing >= (s->trades_24_7 ? 1u : 5u))
            add(c, (struct quality_finding){QUALITY_GAP, s->date[i - 1] + 1, s->date[i] - 1,
                                            (double)missing});
    }
}

/* Walks rows and open days together: open days without a row are gaps, rows on closed days are misfits. */
static void compare_with_calendar(struct checker *c)
{
    const struct price_series *s = c->series;
    const int32_t *open = c->calendar.open;
    size_t k = 0, last = c->calendar.n - 1, missing = 0;
    int32_t first_missing = 0;
    while (k <= last && open[k] < s->date[0])
        k++;
    for (size_t i = 0; i < s->n; i++) {
        if (s->date[i] < open[0] || s->date[i] > open[last])
            continue; /* the calendar says nothing of that time */
        for (missing = 0; k <= last && open[k] < s->date[i]; k++, missing++)
            first_missing = missing == 0 ? open[k] : first_missing;
        if (missing > 0)
            add(c,
                (struct quality_finding){QUALITY_GAP, first_missing, open[k - 1], (double)missing});
        if (k <= last && open[k] == s->date[i])
            k++;
        else
            add(c, (struct quality_finding){QUALITY_MISFIT, s->date[i], s->date[i], 1});
    }
}

static void find_gaps(struct checker *c)
{
    const struct price_series *s = c->series;
    if (c->calendar.n > 0) {
        compare_with_calendar(c);
        return;
    }
    find_gaps_by_rule(c);
    for (size_t i = 0; i < s->n && !s->trades_24_7; i++)
        if (!is_weekday(s->date[i]))
            add(c, (struct quality_finding){QUALITY_MISFIT, s->date[i], s->date[i], 1});
}

static void find_stale_runs(struct checker *c)
{
    size_t from = 0;
    for (size_t i = 1; i <= c->n_bars; i++) {
        bool is_same = i < c->n_bars && c->bar[i].close <= c->bar[from].close &&
                       c->bar[i].close >= c->bar[from].close;
        if (is_same)
            continue;
        if (i - from > QUALITY_STALE_BARS)
            add(c, (struct quality_finding){QUALITY_STALE_RUN, date_of(c, from), date_of(c, i - 1),
                                            (double)(i - from)});
        from = i;
    }
}

/* A bar far from both neighbours, which agree with each other better than with it. */
static bool is_spike(const struct checker *c, size_t i)
{
    if (i == 0 || i + 1 >= c->n_bars)
        return false;
    double in = move_of(c, i), out = move_of(c, i + 1);
    return (in >= QUALITY_SPIKE_RATIO && out <= 1.0 / QUALITY_SPIKE_RATIO) ||
           (in <= 1.0 / QUALITY_SPIKE_RATIO && out >= QUALITY_SPIKE_RATIO);
}

static bool is_near_simple(double ratio)
{
    static const double simple[] = {1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100};
    double up = ratio >= 1 ? ratio : 1 / ratio;
    for (size_t k = 0; k < ARRAY_LEN(simple); k++) {
        double allowed = simple[k] < 2 ? 0.03 : 0.06;
        if (fabs(up / simple[k] - 1) <= allowed)
            return true;
    }
    return false;
}

/* Whether the move of bar i looks like a split that nobody recorded. */
static bool is_jump(const struct checker *c, size_t i)
{
    double move = move_of(c, i);
    if (move > 0.75 && move < 1.4)
        return false;
    const struct price_series *s = c->series;
    size_t row = c->bar[i].row;
    bool has_open = c->bar[i].is_quoted && s->open != NULL && s->open[row] > 0;
    if (!has_open)
        return move < 0.55 || move > 1.9;
    double open = s->open[row] * split_of(c, i) / c->bar[i - 1].close;
    if (move < 0.52 || move > 1.92)
        return fabs(open / move - 1) <=
               0.12; /* the whole of it overnight: no ordinary fall does that */
    return is_near_simple(move) && is_near_simple(open) && fabs(open / move - 1) <= 0.08;
}

static void find_jumps(struct checker *c)
{
    for (size_t i = 1; i < c->n_bars; i++) {
        bool follows_spike = is_spike(c, i - 1);
        struct quality_finding finding = {QUALITY_SPIKE, date_of(c, i), date_of(c, i),
                                          move_of(c, i)};
        if (is_spike(c, i)) {
            add(c, finding);
        } else if (!follows_spike && is_jump(c, i)) {
            finding.kind = QUALITY_JUMP;
            add(c, finding);
        }
    }
}

static void find_zero_volume(struct checker *c)
{
    const double *volume = c->series->volume;
    size_t from = 0, run = 0;
    for (size_t i = 0; volume != NULL && i <= c->n_bars; i++) {
        bool is_zero =
            i < c->n_bars && !(fabs(volume[c->bar[i].row]) > 0) && !isnan(volume[c->bar[i].row]);
        from = is_zero && run == 0 ? i : from;
        run += is_zero ? 1 : 0;
        if (is_zero || run == 0)
            continue;
        add(c, (struct quality_finding){QUALITY_ZERO_VOLUME, date_of(c, from), date_of(c, i - 1),
                                        (double)run});
        run = 0;
    }
}

/*
 * The return of the adjusted close against both ways of putting a dividend back in; what published closes
 * lose to rounding is allowed for: half a unit of the last of twelve digits is nothing, four decimals are not.
 */
static void find_mismatches(struct checker *c)
{
    const struct price_series *s = c->series;
    for (size_t i = 1; s->price != NULL && i < c->n_bars; i++) {
        const struct bar *now = &c->bar[i], *before = &c->bar[i - 1];
        double adjusted = s->price[now->row] / s->price[before->row];
        if (!now->is_quoted || !before->is_quoted || isnan(adjusted))
            continue;
        double split = split_of(c, i), paid = dividend_of(c, i);
        double at_close = (now->close + paid) * split / before->close;
        double left = before->close - paid * split;
        double at_previous = left > 0 ? now->close * split / left : at_close;
        double off = fmin(fabs(adjusted / at_close - 1), fabs(adjusted / at_previous - 1));
        double digits = 1e-4 / s->price[now->row] + 1e-4 / s->price[before->row];
        if (off > 1e-4 + fmin(digits, 1e-3))
            add(c, (struct quality_finding){QUALITY_MISMATCH, date_of(c, i), date_of(c, i),
                                            1e4 * off});
    }
}

/* The rows that have a price, in order. */
static bool list_bars(struct checker *c)
{
    const struct price_series *s = c->series;
    c->bar = arena_array(c->arena, s->n + 1, sizeof *c->bar);
    for (size_t i = 0; i < s->n && c->bar != NULL; i++) {
        bool is_quoted = s->close != NULL && s->close[i] > 0;
        double close = is_quoted ? s->close[i] : s->price == NULL ? (double)NAN : s->price[i];
        if (close > 0)
            c->bar[c->n_bars++] = (struct bar){i, close, is_quoted};
    }
    return c->bar != NULL;
}

static enum status out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left to look prices over.");
}

static enum status join(struct checker *c, struct arena *arena, const struct series_quality **ret,
                        struct err *err)
{
    struct series_quality *q = ARENA_NEW(arena, struct series_quality);
    size_t total = 0;
    for (size_t k = 0; k < QUALITY_KINDS; k++)
        total += c->n[k] < QUALITY_PER_KIND_MAX ? c->n[k] : QUALITY_PER_KIND_MAX;
    struct quality_finding *all = arena_array(arena, total + 1, sizeof *all);
    if (c->is_out_of_memory || q == NULL || all == NULL)
        return out_of_memory(err);
    for (size_t k = 0; k < QUALITY_KINDS; k++) {
        size_t listed = c->n[k] < QUALITY_PER_KIND_MAX ? c->n[k] : QUALITY_PER_KIND_MAX;
        for (size_t i = 0; i < listed; i++)
            all[q->n++] = c->list[k][i];
        q->n_unlisted[k] = c->n[k] - listed;
    }
    q->findings = all;
    q->has_calendar = c->calendar.n > 0;
    *ret = q;
    return STATUS_OK;
}

enum status quality_check(const struct price_series *series, struct quality_calendar calendar,
                          struct arena *arena, const struct series_quality **ret, struct err *err)
{
    struct arena scratch;
    arena_init(&scratch, (size_t)64 << 20);
    struct checker c = {.series = series, .calendar = calendar, .arena = &scratch};
    enum status s = list_bars(&c) ? STATUS_OK : out_of_memory(err);
    if (s == STATUS_OK && c.n_bars > 0) {
        find_gaps(&c);
        find_stale_runs(&c);
        find_jumps(&c);
        find_zero_volume(&c);
        find_mismatches(&c);
    }
    if (s == STATUS_OK)
        s = join(&c, arena, ret, err);
    arena_clear(&scratch);
    return s;
}

bool quality_is_within(const struct quality_finding *finding, int32_t from, int32_t to)
{
    return finding->to >= from && finding->from <= to;
}

void quality_count(const struct series_quality *quality, int32_t from, int32_t to,
                   size_t ret_n[QUALITY_KINDS])
{
    bool last_is_within[QUALITY_KINDS] = {false};
    for (size_t k = 0; k < QUALITY_KINDS; k++)
        ret_n[k] = 0;
    for (size_t i = 0; i < quality->n; i++) {
        const struct quality_finding *f = &quality->findings[i];
        last_is_within[f->kind] = f->from <= to; /* later ones may be, too */
        ret_n[f->kind] += quality_is_within(f, from, to) ? 1 : 0;
    }
    for (size_t k = 0; k < QUALITY_KINDS; k++)
        ret_n[k] += last_is_within[k] ? quality->n_unlisted[k] : 0;
}
