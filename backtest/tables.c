/* tables.c - folds a value path into calendar months and years. */
#include "backtest/tables.h"

#include "base/date.h"

#include <math.h>

static void start_year(struct table_year *row, int year)
{
    *row = (struct table_year){.year = year, .total = (double)NAN};
    for (size_t m = 0; m < ARRAY_LEN(row->month); m++)
        row->month[m] = (double)NAN;
}

enum status tables_years(const struct calendar *calendar, const double *value, size_t n,
                         struct arena *arena, struct table_years *ret, struct err *err)
{
    struct civil first = date_to_civil(calendar->date[0]),
                 last = date_to_civil(calendar->date[n - 1]);
    size_t n_years = (size_t)(last.year - first.year) + 1;
    struct table_year *rows = arena_room(arena, n_years, sizeof *rows);
    if (rows == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the calendar tables.");

    for (size_t y = 0; y < n_years; y++)
        start_year(&rows[y], first.year + (int)y);
    double month_base = value[0], year_base = value[0];
    int year = first.year;
    for (size_t m = 0; m < calendar->n_months && calendar->months[m].first < n; m++) {
        const struct calendar_month *month = &calendar->months[m];
        size_t end = calendar_end(calendar, m) < n ? calendar_end(calendar, m) : n;
        struct table_year *row = &rows[month->year - first.year];
        year_base = month->year != year ? month_base : year_base;
        year = month->year;
        if (end > 1) { /* session 0 alone has brought nothing */
            row->month[month->month - 1] = value[end - 1] / month_base - 1;
            row->total = value[end - 1] / year_base - 1;
        }
        month_base = value[end - 1];
    }
    if (first.month > 1 || first.day > 7)
        rows[0].is_partial = true;
    if (last.month < 12 || last.day < 25)
        rows[n_years - 1].is_partial = true;
    *ret = (struct table_years){rows, n_years};
    return STATUS_OK;
}

static void include(struct table_extremes *e, double x)
{
    if (isnan(x))
        return;
    e->best = e->n == 0 || x > e->best ? x : e->best;
    e->worst = e->n == 0 || x < e->worst ? x : e->worst;
    e->n_positive += x > 0 ? 1 : 0;
    e->n++;
}

struct table_extremes tables_months(const struct table_years *years)
{
    struct table_extremes e = {0};
    for (size_t y = 0; y < years->n; y++) {
        for (size_t m = 0; m < ARRAY_LEN(years->rows[y].month); m++)
            include(&e, years->rows[y].month[m]);
    }
    return e;
}

struct table_extremes tables_totals(const struct table_years *years)
{
    struct table_extremes e = {0};
    for (size_t y = 0; y < years->n; y++)
        include(&e, years->rows[y].total);
    return e;
}
