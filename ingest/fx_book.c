/* fx_book.c - the rates of a span of days in memory, a table by pair, looked up by day. */
#include "ingest/series.h"

#include "base/array.h"

#include <math.h>
#include <string.h>

enum { PAIRS_MAX = 256, STALE_DAYS_MAX = 7 };

struct pair {
    char base[8], quote[8];
    int32_t *date;
    double *rate;
    size_t n, cap;
};

struct fx_book {
    struct pair pairs[PAIRS_MAX];
    size_t n;
};

static const char rates_sql[] =
    "SELECT base, quote, date, rate FROM mart_fx_daily WHERE quote IN ('KRW', 'USD') "
    "AND date >= $1 AND date <= $2 ORDER BY base, quote, date";

static void copy_code(char to[8], struct str code)
{
    size_t n = code.len < 7 ? code.len : 7;
    memcpy(to, code.ptr, n);
    to[n] = '\0';
}

static enum status add_rate(struct fx_book *book, struct arena *arena, const struct rows *rows,
                            struct err *err)
{
    char base[8], quote[8];
    copy_code(base, rows_text(rows, 0));
    copy_code(quote, rows_text(rows, 1));
    struct pair *pair = book->n > 0 ? &book->pairs[book->n - 1] : NULL;
    if (pair == NULL || strcmp(pair->base, base) != 0 || strcmp(pair->quote, quote) != 0) {
        if (book->n == PAIRS_MAX)
            return err_set(err, STATUS_TOO_LARGE, "There are too many pairs of currencies.");
        pair = &book->pairs[book->n++];
        memcpy(pair->base, base, sizeof base);
        memcpy(pair->quote, quote, sizeof quote);
    }
    size_t cap = pair->cap;
    pair->date = arena_reserve(arena, pair->date, pair->n + 1, &cap, sizeof *pair->date);
    pair->rate = arena_reserve(arena, pair->rate, pair->n + 1, &pair->cap, sizeof *pair->rate);
    if (pair->date == NULL || pair->rate == NULL)
        return err_out_of_memory(err);
    (void)rows_date(rows, 2, &pair->date[pair->n]);
    pair->rate[pair->n++] = rows_f64(rows, 3);
    return STATUS_OK;
}

enum status fx_book_load(struct db *db, struct arena *arena, int32_t from, int32_t to,
                         struct fx_book **ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    char first[DATE_TEXT_BYTES], last[DATE_TEXT_BYTES];
    bool has_row = false;
    struct fx_book *book = ARENA_NEW(arena, struct fx_book);
    if (book == NULL)
        return err_out_of_memory(err);
    int32_t early = from < DATE_MIN + STALE_DAYS_MAX ? DATE_MIN : from - STALE_DAYS_MAX;
    enum status s =
        db_query(db, rates_sql, PARAMS(db_date(early, first), db_date(to, last)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = add_rate(book, arena, &rows, err);
    if (s == STATUS_OK)
        *ret = book;
    return s;
}

double fx_book_rate(const struct fx_book *book, const char *base, const char *quote, int32_t date)
{
    if (strcmp(base, quote) == 0)
        return 1;
    for (size_t i = 0; i < book->n; i++) {
        const struct pair *pair = &book->pairs[i];
        if (strcmp(pair->base, base) != 0 || strcmp(pair->quote, quote) != 0)
            continue;
        size_t n = dates_until(pair->date, pair->n, date);
        return n > 0 && date - pair->date[n - 1] <= STALE_DAYS_MAX ? pair->rate[n - 1]
                                                                   : (double)NAN;
    }
    return (double)NAN;
}
