/* action.c - reads the corporate actions of an instrument, and counts units through its splits. */
#include "ingest/action.h"

#include "ingest/feed_date.h"

#include <math.h>

enum { EVENTS_MAX = 20000, HOUR_S = 3600, CLOSE_THERE_S = 16 * HOUR_S };

/* Only closes of the 15 days before an action count. */
static const char actions_sql[] =
    "SELECT a.date, a.kind, a.into_uid, a.source, a.pay_date, a.cash, a.numerator, a.denominator, "
    "a.cash_at, a.is_told, k.uid, i.uid, p.date, p.close, p.fetched_at, s.is_split_adjusted, "
    "m.close_winter "
    "FROM dim_action a JOIN dim_date d ON d.date = a.date "
    "JOIN dim_date e ON e.day_number = d.day_number - 15 "
    "LEFT JOIN dim_instrument k ON k.uid = a.uid LEFT JOIN dim_market m ON m.market = k.market LEFT JOIN dim_instrument i ON i.uid = a.into_uid "
    "LEFT JOIN fact_price p ON p.uid = a.uid AND p.date < a.date AND p.date >= e.date "
    "LEFT JOIN dim_source s ON s.source = p.source WHERE a.uid = $1 "
    "ORDER BY a.date DESC, a.kind, a.into_uid, p.date DESC";
enum column {
    A_DATE,
    A_KIND,
    A_INTO,
    A_SOURCE,
    A_PAY_DATE,
    A_CASH,
    A_NUMERATOR,
    A_DENOMINATOR,
    A_CASH_AT,
    A_IS_TOLD,
    A_KNOWN,
    A_OTHER_KNOWN,
    A_PREV_DATE,
    A_PREV_CLOSE,
    A_PREV_FETCHED,
    A_PREV_ADJUSTED,
    A_CLOSE_WINTER
};

bool action_is_split(const struct action *action)
{
    return str_eq_c(action->kind, "split");
}

bool action_is_payment(const struct action *action)
{
    return str_eq_c(action->kind, "dividend") || str_eq_c(action->kind, "capital_gain");
}

int64_t market_utc_offset_s(struct str close_winter)
{
    int64_t hour = 0, minute = 0;
    if (!str_to_i64(str_sub(close_winter, 0, 2), &hour) ||
        !str_to_i64(str_sub(close_winter, 3, 5), &minute))
        return 0;
    return CLOSE_THERE_S - hour * HOUR_S - minute * 60;
}

/* The date at the instrument's market. */
static int32_t day_of_instant(const struct rows *rows, size_t column)
{
    int64_t at = 0, offset_s = market_utc_offset_s(rows_text(rows, A_CLOSE_WINTER));
    return rows_instant(rows, column, &at) ? feed_local_date(at, offset_s, false) : 0;
}

/* A text that outlives the row. */
static struct str kept(const struct rows *rows, size_t column, struct arena *arena)
{
    struct str text = rows_text(rows, column);
    return text.ptr == NULL ? STR_NONE : (struct str){arena_dup(arena, text), text.len};
}

static double ratio_of(const struct rows *rows)
{
    if (rows_is_null(rows, A_NUMERATOR))
        return (double)NAN;
    double below = rows_is_null(rows, A_DENOMINATOR) ? 1 : rows_f64(rows, A_DENOMINATOR);
    return rows_f64(rows, A_NUMERATOR) / below;
}

/* Sources give amounts as of the day they are asked, tables as the prices around the action are quoted. */
static int32_t cash_day_of(const struct rows *rows, const struct action *action)
{
    bool is_of_its_day = rows_bool(rows, A_IS_TOLD) && !action->prev_is_adjusted;
    return is_of_its_day ? action->date : day_of_instant(rows, A_CASH_AT);
}

static bool read_action(const struct rows *rows, struct arena *arena, struct action *ret)
{
    *ret = (struct action){
        .kind = kept(rows, A_KIND, arena),
        .into = kept(rows, A_INTO, arena),
        .source = kept(rows, A_SOURCE, arena),
        .told_cash = kept(rows, A_CASH, arena),
        .pay_date = DATE_NONE,
        .is_known = !rows_is_null(rows, A_KNOWN) && !rows_is_null(rows, A_OTHER_KNOWN),
        .cash = rows_is_null(rows, A_CASH) ? (double)NAN : rows_f64(rows, A_CASH),
        .ratio = ratio_of(rows),
        .has_prev = !rows_is_null(rows, A_PREV_DATE),
        .prev_close = rows_f64(rows, A_PREV_CLOSE),
        .prev_fetched = day_of_instant(rows, A_PREV_FETCHED),
        .prev_is_adjusted = rows_bool(rows, A_PREV_ADJUSTED)};
    if (rows_is_null(rows, A_DENOMINATOR))
        ret->told_ratio = kept(rows, A_NUMERATOR, arena);
    (void)rows_date(rows, A_DATE, &ret->date);
    (void)rows_date(rows, A_PAY_DATE, &ret->pay_date);
    (void)rows_date(rows, A_PREV_DATE, &ret->prev_date);
    ret->cash_day = cash_day_of(rows, ret);
    return ret->kind.ptr != NULL && ret->into.ptr != NULL && ret->source.ptr != NULL;
}

static bool is_of_last(const struct rows *rows, const struct actions *actions)
{
    int32_t date = 0;
    const struct action *last = &actions->all[actions->n - 1];
    return rows_date(rows, A_DATE, &date) && date == last->date &&
           str_eq(rows_text(rows, A_KIND), last->kind) &&
           str_eq(rows_text(rows, A_INTO), last->into);
}

enum status actions_read(struct db *db, const char *uid, struct arena *arena, struct actions *ret,
                         struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    *ret = (struct actions){.all = arena_room(arena, EVENTS_MAX, sizeof *ret->all)};
    if (ret->all == NULL)
        return err_out_of_memory(err);
    enum status s = db_query(db, actions_sql, PARAMS(db_text(str_of(uid))), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        /* Of an action's rows the first has the latest close before it. */
        if (ret->n > 0 && is_of_last(&rows, ret))
            continue;
        if (ret->n == EVENTS_MAX)
            return err_set(err, STATUS_TOO_LARGE, "%s has too many actions.", uid);
        if (!read_action(&rows, arena, &ret->all[ret->n++]))
            return err_out_of_memory(err);
    }
    return s;
}

double actions_units_since(const struct actions *actions, int32_t day)
{
    double units = 1;
    for (size_t i = 0; i < actions->n && actions->all[i].date > day; i++)
        if (action_is_split(&actions->all[i]) && actions->all[i].ratio > 0)
            units *= actions->all[i].ratio;
    return units;
}

double actions_amount(const struct actions *actions, const struct action *payment)
{
    return payment->cash / actions_units_since(actions, payment->cash_day);
}
