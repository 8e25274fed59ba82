/* bronze_adapt.c - the fallback of a data set may speak another shape, and every provider has its own symbols. */
#include "ingest/bronze_impl.h"

static struct str *field(struct feed_row *row, enum feed_column_id column)
{
    return &row->field[(size_t)column - feed_layouts[row->shape].first];
}

static struct str value(const struct feed_row *row, enum feed_column_id column)
{
    return row->field[(size_t)column - feed_layouts[row->shape].first];
}

static void fill(struct feed_row *row, enum feed_column_id column, struct str text)
{
    struct str *place = field(row, column);
    if (place->ptr == NULL)
        *place = text;
}

/* A closing price of a pair as its rate: EURKRW. */
static bool to_rate(const struct bronze_unit *unit, const struct feed_row *from,
                    struct feed_row *ret)
{
    struct str pair = unit->row->symbol;
    *ret = (struct feed_row){.shape = SHAPE_RATE, .ymd = from->ymd};
    *field(ret, RATE_BASE) = str_sub(pair, 0, 3);
    *field(ret, RATE_QUOTE) = str_sub(pair, 3, pair.len);
    *field(ret, RATE_DATE) = value(from, BAR_DATE);
    *field(ret, RATE_RATE) = value(from, BAR_CLOSE);
    return pair.len == 6;
}

/* An observation of a day as a bar that has a close alone; a missing one is none. */
static bool to_bar(const struct bronze_unit *unit, const struct feed_row *from,
                   struct feed_row *ret)
{
    *ret = (struct feed_row){.shape = SHAPE_BAR, .ymd = from->ymd};
    *field(ret, BAR_SYMBOL) = unit->row->symbol;
    *field(ret, BAR_DATE) = value(from, OBSERVATION_END);
    *field(ret, BAR_CLOSE) = value(from, OBSERVATION_VALUE);
    *field(ret, BAR_NAME) = unit->row->name;
    *field(ret, BAR_CURRENCY) = unit->row->currency;
    return value(from, OBSERVATION_VALUE).ptr != NULL;
}

/* Days of markets are cut to the window that was asked for; the rest is kept as it comes. */
static bool is_wanted(const struct bronze_run *run, const struct feed_row *row)
{
    bool is_daily = row->shape == SHAPE_BAR || row->shape == SHAPE_FUND ||
                    row->shape == SHAPE_RATE || row->shape == SHAPE_ACTION;
    return !is_daily || (row->ymd >= run->task->from && row->ymd <= run->task->to);
}

bool bronze_adapt(const struct bronze_run *run, const struct bronze_unit *unit,
                  const struct feed_row *from, struct feed_row *ret)
{
    enum feed_shape wanted = run->task->dataset->shape;
    if (!is_wanted(run, from))
        return false;
    if (from->shape == SHAPE_BAR && wanted == SHAPE_RATE && unit->row != NULL)
        return to_rate(unit, from, ret);
    if (from->shape == SHAPE_OBSERVATION && wanted == SHAPE_BAR && unit->row != NULL)
        return to_bar(unit, from, ret);
    if (from->shape != wanted && !(from->shape == SHAPE_ACTION && wanted == SHAPE_BAR))
        return false;
    *ret = *from;
    if (unit->row == NULL)
        return true;
    if (from->shape == SHAPE_ACTION) {
        *field(ret, ACTION_SYMBOL) = unit->row->symbol;
    } else if (from->shape == SHAPE_BAR) {
        *field(ret, BAR_SYMBOL) = unit->row->symbol;
        fill(ret, BAR_NAME, unit->row->name);
        fill(ret, BAR_CURRENCY, unit->row->currency);
    } else if (from->shape == SHAPE_BOND && unit->row->name.ptr != NULL) {
        *field(ret, BOND_KEY) = unit->row->name;
    }
    return true;
}
