/*
 * contract_action.c - what a told corporate action of each kind has and lacks, so that none is published which a backtest
 * could not follow (backtest/succession.h).
 */
#include "base/number.h"
#include "ingest/contract.h"

enum need { NO, MAY, MUST };

static const struct {
    const char *kind;
    enum need other, ratio, cash, pay_date; /* other: an instrument that is not its own */
} action_kinds[] = {
    {"dividend", NO, NO, MAY, MAY}, {"capital_gain", NO, NO, MAY, MAY},
    {"split", NO, MUST, NO, NO},    {"spin_off", MUST, MUST, NO, NO},
    {"merger", MAY, MAY, MAY, NO},  {"rename", MUST, NO, NO, NO},
};

static struct str field(const struct silver_row *row, int column)
{
    return row->field[(size_t)column - row->first];
}

static double number(const struct silver_row *row, int column)
{
    double value = 0;
    struct str text = field(row, column);
    return text.ptr != NULL && str_to_f64(text, &value) ? value : 0;
}

static bool refuse(const char *reason, int column, const char **ret_reason, const char **ret_column)
{
    *ret_reason = reason;
    *ret_column = feed_columns[column].name;
    return false;
}

/* The ratio and cash of a kind that needs one are above 0; one that is not the kind's is not lost without a word. */
static bool keeps_need(const struct silver_row *row, enum need need, int column,
                       const char **ret_reason, const char **ret_column)
{
    bool is_there = field(row, column).ptr != NULL;
    if (need == NO && is_there)
        return refuse("unexpected", column, ret_reason, ret_column);
    if (need == MUST && !is_there)
        return refuse("missing", column, ret_reason, ret_column);
    if (need == MUST && feed_columns[column].kind == FEED_DECIMAL && !(number(row, column) > 0))
        return refuse("out-of-range", column, ret_reason, ret_column);
    return true;
}

/* Units are those of another instrument; without them there is cash. */
static bool keeps_merger(const struct silver_row *row, bool has_other, const char **ret_reason,
                         const char **ret_column)
{
    if (number(row, CORPORATE_ACTION_RATIO) > 0)
        return has_other || refuse("missing", CORPORATE_ACTION_INTO, ret_reason, ret_column);
    return number(row, CORPORATE_ACTION_CASH) > 0 ||
           refuse("missing", CORPORATE_ACTION_CASH, ret_reason, ret_column);
}

bool contract_action_keeps(const struct silver_row *row, const char **ret_reason,
                           const char **ret_column)
{
    struct str kind = field(row, CORPORATE_ACTION_KIND);
    struct str into = field(row, CORPORATE_ACTION_INTO);
    bool has_other = into.ptr != NULL && !str_eq(into, field(row, CORPORATE_ACTION_UID));
    size_t i = 0;
    while (i < ARRAY_LEN(action_kinds) && !str_eq_c(kind, action_kinds[i].kind))
        i++;
    if (i == ARRAY_LEN(action_kinds))
        return refuse("unknown", CORPORATE_ACTION_KIND, ret_reason, ret_column);
    if (action_kinds[i].other == NO && has_other)
        return refuse("unexpected", CORPORATE_ACTION_INTO, ret_reason, ret_column);
    if (action_kinds[i].other == MUST && !has_other)
        return refuse("missing", CORPORATE_ACTION_INTO, ret_reason, ret_column);
    /* Of what is taken back only the key counts. */
    if (str_eq(field(row, CORPORATE_ACTION_WITHDRAWN), STR("true")))
        return true;
    return keeps_need(row, action_kinds[i].ratio, CORPORATE_ACTION_RATIO, ret_reason, ret_column) &&
           keeps_need(row, action_kinds[i].cash, CORPORATE_ACTION_CASH, ret_reason, ret_column) &&
           keeps_need(row, action_kinds[i].pay_date, CORPORATE_ACTION_PAY_DATE, ret_reason,
                      ret_column) &&
           (!str_eq_c(kind, "merger") || keeps_merger(row, has_other, ret_reason, ret_column));
}
