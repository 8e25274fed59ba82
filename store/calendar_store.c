/* calendar_store.c - reads of the calendar mart that a row filter cannot say. */
#include "store/calendar_store.h"

#include "base/array.h"
#include "base/date.h"
#include "store/generation.h"
#include "store/statements.h"

static const char stmt_calendar_markets[] =
    "SELECT market, min(date), max(date), count(*), count(*) FILTER (WHERE is_open) FROM gen_calendar "
    "WHERE gen_from <= $1 AND gen_to > $1 GROUP BY market ORDER BY market LIMIT 10000";

#define DAY                                                                                \
    "SELECT date, is_open, is_half_day, prev_open, next_open, close_at FROM gen_calendar " \
    "WHERE market = $1 AND gen_from <= $2 AND gen_to > $2 AND date "

static const char stmt_calendar_day[] = DAY "= $3 LIMIT 1";
static const char stmt_calendar_previous[] = DAY "< $3 AND is_open ORDER BY date DESC LIMIT 1";
static const char stmt_calendar_next[] = DAY "> $3 AND is_open ORDER BY date LIMIT 1";

static const char stmt_calendar_open_days[] =
    "SELECT date FROM gen_calendar WHERE market = $1 AND gen_from <= $2 AND gen_to > $2 AND is_open "
    "ORDER BY date LIMIT 200000";

enum status calendar_markets_open(struct db *db, int64_t generation, struct rows *ret_rows,
                                  struct err *err)
{
    enum status s = generation_pin(db, generation, err);
    if (s != STATUS_OK)
        return s;
    return db_query(db, stmt_calendar_markets, PARAMS(db_i64(generation)), ret_rows, err);
}

enum status calendar_day_open(struct db *db, struct str market, int64_t generation,
                              enum calendar_day which, int32_t date, struct rows *ret_rows,
                              struct err *err)
{
    static const char *const statements[] = {[CALENDAR_DAY] = stmt_calendar_day,
                                             [CALENDAR_PREVIOUS] = stmt_calendar_previous,
                                             [CALENDAR_NEXT] = stmt_calendar_next};
    char text[DATE_TEXT_BYTES];
    enum status s = generation_pin(db, generation, err);
    if (s != STATUS_OK)
        return s;
    return db_query(db, statements[which],
                    PARAMS(db_text(market), db_i64(generation), db_date(date, text)), ret_rows,
                    err);
}

/* All rows of a result of one date column; the arena grows with them. */
static enum status take_days(struct rows *rows, struct arena *arena, int32_t **ret_days,
                             size_t *ret_n, struct err *err)
{
    int32_t *days = NULL;
    size_t n = 0, cap = 0;
    bool has_row = false;
    enum status s;
    while ((s = rows_next(rows, &has_row, err)) == STATUS_OK && has_row) {
        days = arena_reserve(arena, days, n + 1, &cap, sizeof *days);
        if (days == NULL)
            return err_request_memory(err);
        if (!rows_date(rows, 0, &days[n]))
            return err_set(err, STATUS_DB_ERROR,
                           "A stored calendar has a date that cannot be read.");
        n++;
    }
    *ret_days = days;
    *ret_n = n;
    return s;
}

enum status calendar_open_days_load(struct db *db, struct str market, int64_t generation,
                                    struct arena *arena, int32_t **ret_days, size_t *ret_n,
                                    struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s = generation_pin(db, generation, err);
    if (s == STATUS_OK)
        s = db_query(db, stmt_calendar_open_days, PARAMS(db_text(market), db_i64(generation)),
                     &rows, err);
    return s == STATUS_OK ? take_days(&rows, arena, ret_days, ret_n, err) : s;
}

const struct statement calendar_statements[] = {
    STATEMENT(stmt_calendar_markets),   STATEMENT(stmt_calendar_day),
    STATEMENT(stmt_calendar_previous),  STATEMENT(stmt_calendar_next),
    STATEMENT(stmt_calendar_open_days), STATEMENTS_END};
