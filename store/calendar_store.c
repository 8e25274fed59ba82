/* calendar_store.c - reads of the calendar mart that a row filter cannot say. */
#include "store/calendar_store.h"

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

const struct statement calendar_statements[] = {
    STATEMENT(stmt_calendar_markets), STATEMENT(stmt_calendar_day),
    STATEMENT(stmt_calendar_previous), STATEMENT(stmt_calendar_next), STATEMENTS_END};
