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

enum status tables_years(const int32_t *date, const double *value, size_t n, struct arena *arena,
                         struct table_years *ret, struct err *err)
{
    struct civil first = date_to_civil(date[0]), last = date_to_civil(date[n - 1]);
    size_t n_years = (size_t)(last.year - first.year) + 1;
    struct table_year *rows = arena_array(arena, n_years, sizeof *rows);
    if (rows == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the calendar tables.");

    for (size_t y = 0; y < n_years; y++)
        start_year(&rows[y], first.year + (int)y);
    double month_base = value[0], year_base = value[0];
    struct civil day = first;
    for (size_t t = 1, from = 0; t <= n; from = t) { /* month by month */
        int32_t next_month = date[from] + 1 - day.day + date_days_in_month(day.year, day.month);
        t = dates_reach(date, n, t, next_month);
        struct table_year *row = &rows[day.year - first.year];
        if (t > 1) { /* session 0 alone has brought nothing */
            row->month[day.month - 1] = value[t - 1] / month_base - 1;
            row->total = value[t - 1] / year_base - 1;
        }
        if (t == n)
            break;
        int year = day.year;
        day = date_to_civil(date[t]);
        month_base = value[t - 1];
        year_base = day.year != year ? value[t - 1] : year_base;
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
