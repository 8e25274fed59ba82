/* action_mart.c - what mart_corporate_action says of an instrument, in the units in which its prices are published. */
#include "base/number.h"
#include "ingest/action.h"

#include <math.h>

enum { MART_COLUMNS = 7 };

static const char known_sql[] =
    "SELECT date, kind, into_uid, pay_date, ratio, cash, source FROM mart_corporate_action "
    "WHERE uid = $1 ORDER BY date DESC, kind, into_uid";

static const char insert_sql[] =
    "INSERT INTO mart_corporate_action "
    "(uid, date, kind, into_uid, pay_date, ratio, cash, source, load_id) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

static const char scope_sql[] = "INSERT INTO load_scope (mart, load_id, scope) "
                                "VALUES ('mart_corporate_action', $1, $2)";

/* A row without its uid and load, in the order of known_sql. */
struct mart_row {
    struct str field[MART_COLUMNS];
    char date[DATE_TEXT_BYTES], pay_date[DATE_TEXT_BYTES];
    char ratio[DECIMAL_TEXT_BYTES], cash[DECIMAL_TEXT_BYTES];
};

/* The text as it was told when that says it. */
static struct str decimal_of(double value, struct str told, double factor,
                             char room[DECIMAL_TEXT_BYTES])
{
    if (isnan(value))
        return STR_NONE;
    if (told.ptr != NULL && number_is_same(factor, 1))
        return told;
    return (struct str){room, decimal_format(value * factor, room)};
}

/* From the units of the day it was told to those of the prices around it. */
static double cash_factor(const struct actions *actions, const struct action *a)
{
    double now = a->prev_is_adjusted ? 1 : actions_units_since(actions, a->date);
    return action_is_payment(a) ? now / actions_units_since(actions, a->cash_day) : 1;
}

static void write_row(const struct actions *actions, const struct action *a, struct mart_row *ret)
{
    date_format(a->date, ret->date);
    if (a->pay_date != DATE_NONE)
        date_format(a->pay_date, ret->pay_date);
    const struct str fields[MART_COLUMNS] = {
        str_of(ret->date),
        a->kind,
        a->into,
        a->pay_date != DATE_NONE ? str_of(ret->pay_date) : STR_NONE,
        decimal_of(a->ratio, a->told_ratio, 1, ret->ratio),
        decimal_of(a->cash, a->told_cash, cash_factor(actions, a), ret->cash),
        a->source};
    for (size_t i = 0; i < MART_COLUMNS; i++)
        ret->field[i] = fields[i];
}

static bool says(const struct rows *rows, const struct mart_row *row)
{
    for (size_t i = 0; i < MART_COLUMNS; i++) {
        struct str before = rows_text(rows, i), now = row->field[i];
        bool is_decimal = i == 4 || i == 5;
        if ((before.ptr == NULL) != (now.ptr == NULL))
            return false;
        if (now.ptr != NULL && (is_decimal ? decimal_cmp(before, now) != 0 : !str_eq(before, now)))
            return false;
    }
    return true;
}

/* The next action whose instruments are known, from *at on; NULL: none. */
static const struct action *next_known(const struct actions *actions, size_t *at)
{
    while (*at < actions->n && !actions->all[*at].is_known)
        (*at)++;
    return *at < actions->n ? &actions->all[(*at)++] : NULL;
}

/* ret_said: whether the mart says it; ret_had_rows: of the instrument. */
static enum status is_said(struct db *db, const char *uid, const struct actions *actions,
                           bool *ret_said, bool *ret_had_rows, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false, is_same = true;
    size_t at = 0;
    enum status s = db_query(db, known_sql, PARAMS(db_text(str_of(uid))), &rows, err);
    while (s == STATUS_OK && is_same && (s = rows_next(&rows, &has_row, err)) == STATUS_OK &&
           has_row) {
        struct mart_row row;
        const struct action *a = next_known(actions, &at);
        *ret_had_rows = true;
        if (a != NULL)
            write_row(actions, a, &row);
        is_same = a != NULL && says(&rows, &row);
    }
    *ret_said = is_same && next_known(actions, &at) == NULL;
    return s;
}

enum status actions_to_mart(struct db *db, const char *uid, const struct actions *actions,
                            int64_t load_id, struct err *err)
{
    bool is_same = false, had_rows = false;
    size_t at = 0;
    enum status s = is_said(db, uid, actions, &is_same, &had_rows, err);
    if (s != STATUS_OK || is_same)
        return s;
    if (had_rows)
        s = db_exec(db, scope_sql, PARAMS(db_i64(load_id), db_text(str_of(uid))), NULL, err);
    if (s == STATUS_OK)
        s = db_exec(db, "DELETE FROM mart_corporate_action WHERE uid = $1",
                    PARAMS(db_text(str_of(uid))), NULL, err);
    for (const struct action *a = NULL; s == STATUS_OK && (a = next_known(actions, &at)) != NULL;) {
        struct mart_row row;
        write_row(actions, a, &row);
        const struct str *f = row.field;
        s = db_exec(db, insert_sql,
                    PARAMS(db_text(str_of(uid)), db_text(f[0]), db_text(f[1]), db_text(f[2]),
                           db_text(f[3]), db_text(f[4]), db_text(f[5]), db_text(f[6]),
                           db_i64(load_id)),
                    NULL, err);
    }
    return s;
}
