/* series_read.c - the prices of one instrument as they were quoted, adjusted by its events, with rates and returns. */
#include "base/number.h"
#include "ingest/feed_date.h"
#include "ingest/series.h"

#include <math.h>

enum { COUNT_COLUMN = 18 /* of prices_sql: how many rows there are */ };

static const char prices_sql[] =
    "SELECT p.date, p.open, p.high, p.low, p.close, p.volume, p.source, p.fetched_at, "
    "s.is_split_adjusted, p.nav, p.base_index_close, p.quality, p.adj_close, p.dividend, "
    "p.split_ratio, p.known_at, p.value_traded, p.market_cap, count(*) OVER () FROM fact_price p LEFT JOIN dim_source s ON s.source = p.source "
    "WHERE p.uid = $1 AND p.date >= $2 AND p.date <= $3 ORDER BY p.date";

struct reader {
    struct db *db;
    const struct fx_book *fx;
    struct arena *arena; /* of what is read */
};

/* The text as it came unless it has to be multiplied. */
static struct str scaled(const struct reader *r, struct str text, double factor)
{
    double value = 0;
    char room[DECIMAL_TEXT_BYTES];
    if (text.ptr == NULL)
        return STR_NONE;
    if (number_is_same(factor, 1) || !str_to_f64(text, &value))
        return (struct str){arena_dup(r->arena, text), text.len};
    struct str result = {room, decimal_format(value * factor, room)};
    result.ptr = arena_dup(r->arena, result);
    return result;
}

static double number_of(struct str text)
{
    double value = 0;
    return text.ptr != NULL && str_to_f64(text, &value) ? value : (double)NAN;
}

static bool make_room(const struct reader *r, struct series *s, size_t n)
{
    struct str **const texts[] = {&s->open,     &s->high,   &s->low,          &s->close,
                                  &s->adj_text, &s->volume, &s->source,       &s->dividend,
                                  &s->split,    &s->known,  &s->quality_told, &s->value_traded};
    double **const numbers[] = {&s->adj,    &s->quoted,      &s->high_price, &s->low_price,
                                &s->fx_krw, &s->fx_usd,      &s->ret,        &s->units,
                                &s->nav,    &s->index_close, &s->market_cap};
    s->date = arena_room(r->arena, n, sizeof *s->date);
    bool is_made = s->date != NULL;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        is_made = (*texts[i] = arena_room(r->arena, n, sizeof **texts[i])) != NULL && is_made;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        is_made = (*numbers[i] = arena_room(r->arena, n, sizeof **numbers[i])) != NULL && is_made;
    return is_made;
}

/*
 * The events of the days since the row before, for one that has no price is felt on the next that has, as the row's own units
 * have them. Behind a gap those of the very day alone, so that it does not matter where the look-back begins.
 */
static void read_events_of(const struct reader *r, const struct series_events *events,
                           bool is_adjusted, struct series *s, size_t i)
{
    double dividend = 0, split = 1;
    char room[DECIMAL_TEXT_BYTES];
    bool follows = i > 0 && s->date[i] - s->date[i - 1] <= SERIES_GAP_DAYS;
    int32_t after = follows ? s->date[i - 1] : s->date[i] - 1;
    for (size_t k = events->n; k > 0 && events->all[k - 1].date > after; k--) {
        if (events->all[k - 1].date > s->date[i])
            continue;
        dividend += events->all[k - 1].dividend;
        split *= events->all[k - 1].split_ratio;
    }
    double units = is_adjusted ? 1 : series_units_since(events, s->date[i]);
    struct str text = {room, decimal_format(dividend * units, room)};
    s->dividend[i] = s->split[i] = STR_NONE;
    if (dividend > 0)
        s->dividend[i] = (struct str){arena_dup(r->arena, text), text.len};
    text.len = decimal_format(split, room);
    if (!is_adjusted && !number_is_same(split, 1))
        s->split[i] = (struct str){arena_dup(r->arena, text), text.len};
}

/* What a table tells of a price stands as it is: its adjusted close, actions, quality and time. */
static void read_told(const struct reader *r, const struct rows *rows, struct series *s, size_t i)
{
    s->close[i] = scaled(r, rows_text(rows, 4), 1);
    s->adj_text[i] = scaled(r, rows_text(rows, 12), 1);
    s->dividend[i] = scaled(r, rows_text(rows, 13), 1);
    s->split[i] = scaled(r, rows_text(rows, 14), 1);
    s->quality_told[i] = scaled(r, rows_text(rows, 11), 1);
    s->known[i] = scaled(r, rows_text(rows, 15), 1);
}

static void read_price(const struct reader *r, const struct rows *rows,
                       const struct series_events *events, struct series *s)
{
    size_t i = s->n++;
    int64_t fetched = 0;
    bool is_told = !rows_is_null(rows, 11);
    bool is_adjusted = is_told || rows_bool(rows, 8);
    (void)rows_date(rows, 0, &s->date[i]);
    (void)rows_instant(rows, 7, &fetched);
    /* Closes that knew of no later split are brought to today's units; those of their own day stay as quoted. */
    double late = is_told ? 1
                  : is_adjusted
                      ? 1 / series_units_since(
                                events, feed_local_date(fetched, s->touch->utc_offset_s, false))
                      : 1;
    double units = is_adjusted ? late : 1 / series_units_since(events, s->date[i]);
    double factor = units * series_distributed_since(events, s->date[i]);
    s->open[i] = scaled(r, rows_text(rows, 1), late);
    s->high[i] = scaled(r, rows_text(rows, 2), late);
    s->low[i] = scaled(r, rows_text(rows, 3), late);
    s->close[i] = scaled(r, rows_text(rows, 4), late);
    s->adj_text[i] = scaled(r, rows_text(rows, 4), factor);
    s->volume[i] = scaled(r, rows_text(rows, 5), 1 / late);
    s->source[i] = scaled(r, rows_text(rows, 6), 1);
    s->known[i] = s->quality_told[i] = STR_NONE;
    read_events_of(r, events, is_adjusted, s, i);
    if (is_told)
        read_told(r, rows, s, i);
    s->adj[i] = number_of(s->adj_text[i]);
    s->quoted[i] = number_of(s->close[i]);
    s->high_price[i] = number_of(s->high[i]);
    s->low_price[i] = number_of(s->low[i]);
    s->units[i] = number_of(s->volume[i]);
    s->nav[i] = rows_f64(rows, 9);
    s->index_close[i] = rows_f64(rows, 10);
    s->value_traded[i] = scaled(r, rows_text(rows, 16), 1);
    s->market_cap[i] = rows_f64(rows, 17);
    s->fx_krw[i] = fx_book_rate(r->fx, s->touch->currency, "KRW", s->date[i]);
    s->fx_usd[i] = fx_book_rate(r->fx, s->touch->currency, "USD", s->date[i]);
    bool follows = i > 0 && s->date[i] - s->date[i - 1] <= SERIES_GAP_DAYS && s->adj[i - 1] > 0 &&
                   s->adj[i] > 0;
    s->ret[i] = follows ? s->adj[i] / s->adj[i - 1] - 1 : (double)NAN;
}

enum status series_prices_read(struct db *db, const struct fx_book *fx,
                               const struct series_touch *t, struct arena *arena,
                               struct series *ret, struct err *err)
{
    const struct reader reader = {db, fx, arena}, *r = &reader;
    CLEANUP(rows_clear) struct rows rows = {0};
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    struct db_param window[] = {db_text(str_of(t->uid)), db_date(t->lookback, from),
                                db_date(t->to, to)};
    bool has_row = false;
    *ret = (struct series){.touch = t};
    enum status s = db_query(r->db, prices_sql, window, 3, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        if (ret->n == 0 && !make_room(r, ret, (size_t)rows_i64(&rows, COUNT_COLUMN)))
            return err_out_of_memory(err);
        read_price(r, &rows, &t->events, ret);
    }
    while (ret->first < ret->n && ret->date[ret->first] < t->from)
        ret->first++;
    return s;
}
