/* cell.c - numbers that stay exact until computed with. */
#include "backtest/cell.h"

#include "base/decimal.h"
#include "base/number.h"

#include <math.h>

struct cell cell_exact(struct str decimal)
{
    double value;
    if (decimal.ptr == NULL || !str_to_f64(decimal, &value))
        return CELL_NONE;
    return (struct cell){value, decimal_is_valid(decimal) ? decimal : STR_NONE};
}

struct cell cell_of(double value)
{
    return isfinite(value) ? (struct cell){value, STR_NONE} : CELL_NONE;
}

bool cell_is_none(struct cell cell)
{
    return isnan(cell.value);
}

int cell_cmp(struct cell a, struct cell b)
{
    if (a.text.ptr != NULL && b.text.ptr != NULL)
        return decimal_cmp(a.text, b.text);
    return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

struct cell cell_add(struct cell a, struct cell b, struct arena *arena)
{
    if (cell_is_none(a))
        return b;
    if (cell_is_none(b))
        return a;
    struct cell sum = cell_of(a.value + b.value);
    char *room =
        a.text.ptr != NULL && b.text.ptr != NULL ? arena_alloc(arena, DECIMAL_SUM_BYTES) : NULL;
    if (room != NULL) {
        struct cell exact = cell_exact(decimal_add(a.text, b.text, room));
        if (exact.text.ptr != NULL)
            return exact;
    }
    return sum;
}

struct cell cell_scale(struct cell a, double factor)
{
    bool is_one = !(factor < 1) && !(factor > 1) && !isnan(factor);
    return is_one || cell_is_none(a) ? a : cell_of(a.value * factor);
}

struct str cell_text(struct cell cell, struct arena *arena)
{
    if (cell.text.ptr != NULL || cell_is_none(cell))
        return cell.text;
    char *room = arena_alloc(arena, NUMBER_TEXT_BYTES);
    return room == NULL ? STR_NONE : (struct str){room, number_format(cell.value, room)};
}
