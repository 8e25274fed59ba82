/* metrics_factors.c - factors of a track record: read, brought to its rows, and the regression on them. */
#include "handlers/metrics_members.h"
#include "handlers/metrics_parts.h"

#include "backtest/spec_lists.h"
#include "backtest/spec_optional.h"
#include "handlers/regression_render.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static enum status need_dates(const struct metrics_request *request, struct json_val item,
                              struct err *err)
{
    if (request->record.date != NULL)
        return STATUS_OK;
    return spec_refuse(item, STATUS_BAD_SPEC,
                       "A factor with dates of its own needs those of the series.",
                       "dates, one for each row of returns or prices", err);
}

static enum status check_levels(struct json_val list, const double *x, size_t n, double least,
                                const char *allowed, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!(x[i] > least))
            return spec_refuse(jr_item(list, i), STATUS_OUT_OF_RANGE,
                               "This value of a factor's table cannot be.", allowed, err);
    }
    return STATUS_OK;
}

/* "dates" with "returns" or "prices". */
static enum status read_table(struct json_val item, struct arena *arena, struct factor_table *ret,
                              struct err *err)
{
    struct json_val dates = jr_member(item, "dates"), prices = jr_member(item, "prices");
    bool has_prices = jr_is_present(prices);
    struct json_val list = has_prices ? prices : jr_member(item, "returns");
    const int32_t *date = NULL;
    const double *x = NULL;
    enum status s = jr_expect_array(dates, 1, METRICS_ROWS_MAX, err);
    size_t n = jr_length(dates);
    if (s == STATUS_OK)
        s = metrics_read_dates(dates, n, arena, &date, err);
    if (s == STATUS_OK)
        s = metrics_read_numbers(list, n, arena, &x, err);
    if (s == STATUS_OK)
        s = check_levels(
            list, x, n, has_prices ? 0 : -1,
            has_prices ? "prices above 0, none missing" : "returns above -1, none missing", err);
    if (s == STATUS_OK && !has_prices)
        return factor_table_of_returns(date, x, n, arena, ret, err);
    *ret = (struct factor_table){date, x, n};
    return s;
}

static enum status read_instruments(struct json_val item, struct arena *arena,
                                    struct spec_factor *factor, struct err *err)
{
    struct json_val minus = jr_member(item, "minus");
    enum status s = spec_read_uid(jr_member(item, "uid"), arena, &factor->uid, err);
    if (s == STATUS_OK && jr_is_present(minus))
        s = spec_read_uid(minus, arena, &factor->minus, err);
    if (s == STATUS_OK && factor->minus.ptr != NULL && str_eq(factor->minus, factor->uid))
        return spec_refuse(minus, STATUS_BAD_SPEC, "A factor less itself is always 0.",
                           "another uid", err);
    return s;
}

static enum status read_factor(struct json_val item, size_t i, struct arena *arena,
                               struct metrics_request *request, struct err *err)
{
    static const char *const of_rows[] = {"name", "returns"};
    static const char *const of_table[] = {"name", "dates", "returns", "prices"};
    static const char *const of_uid[] = {"name", "uid", "minus"};
    bool has_uid = jr_is_present(jr_member(item, "uid"));
    bool has_dates = jr_is_present(jr_member(item, "dates"));
    struct json_val name = jr_member(item, "name");
    struct spec_factor *instruments = &request->instruments.factor[i];
    enum status s = has_uid     ? jr_expect_object(item, of_uid, ARRAY_LEN(of_uid), err)
                    : has_dates ? jr_expect_object(item, of_table, ARRAY_LEN(of_table), err)
                                : jr_expect_object(item, of_rows, ARRAY_LEN(of_rows), err);
    if (s == STATUS_OK && (has_uid || has_dates))
        s = need_dates(request, item, err);
    if (s == STATUS_OK && has_uid)
        s = read_instruments(item, arena, instruments, err);
    else if (s == STATUS_OK && has_dates)
        s = read_table(item, arena, &request->table[i], err);
    else if (s == STATUS_OK)
        s = metrics_read_numbers(jr_member(item, "returns"), request->record.n, arena,
                                 &request->factor[i], err);
    request->factor_name[i] = instruments->uid;
    request->instruments.n = has_uid ? i + 1 : request->instruments.n;
    return s == STATUS_OK && (!has_uid || jr_is_present(name))
               ? metrics_copy_text(name, arena, &request->factor_name[i], err)
               : s;
}

enum status metrics_read_factors(struct json_val root, struct arena *arena,
                                 struct metrics_request *request, struct err *err)
{
    struct json_val list = jr_member(root, "factors");
    int64_t lag = REGRESSION_LAG_AUTO;
    enum status s = spec_optional_i64(root, "hac_lag", 0, 1000, &lag, err);
    request->hac_lag = (int)lag;
    if (s != STATUS_OK || !jr_is_present(list))
        return s;
    s = jr_expect_array(list, 1, REGRESSION_FACTORS_MAX, err);
    for (size_t i = 0; i < jr_length(list) && s == STATUS_OK; i++) {
        s = read_factor(jr_item(list, i), i, arena, request, err);
        request->n_factors = i + 1;
    }
    return s;
}

struct factors {
    const struct metrics_parts *p;
    struct market_data market;
    const int32_t *day; /* V_0's, then each row's: returns lie between neighbours */
    double *level;      /* scratch, one for each day */
    const double *returns[REGRESSION_FACTORS_MAX];
};

/* The series of prices begins with V_0: what lies before its first row is not asked for. */
static enum status take_days(struct factors *f, struct err *err)
{
    const struct record *record = &f->p->request->record;
    size_t n = record->n;
    int32_t *day = arena_array(f->p->arena, n + 1, sizeof *day);
    f->level = arena_array(f->p->arena, n + 1, sizeof *f->level);
    if (day == NULL || f->level == NULL)
        return err_out_of_memory(err);
    f->day = day;
    if (record->date == NULL || n == 0)
        return STATUS_OK;
    day[0] = record->kind == RECORD_PRICES ? record->date[0]
             : record->start != DATE_NONE  ? record->start
                                           : record_start(record->date, n);
    memcpy(day + 1, record->date, n * sizeof *day);
    return STATUS_OK;
}

/* ret[row] += sign * what the levels gained over the row. */
static void add_gains(const struct factors *f, double sign, double *ret)
{
    for (size_t row = 0; row < f->p->request->record.n; row++)
        ret[row] += sign * (f->level[row + 1] / f->level[row] - 1);
}

/* The risk-free return of a row; NaN: not known. */
static double rate_at(const struct metrics_parts *p, size_t row)
{
    const struct record *record = &p->request->record;
    const struct measure_input *in = &p->ready->input;
    return record->risk_free != NULL ? record->risk_free[row]
           : record->has_per_session
               ? record->risk_free_per_session
               : measure_rate_per_period(in->risk_free_rate, in->periods_per_year);
}

static enum status add_instrument(const struct factors *f, struct str uid, double sign, double *ret,
                                  struct err *err)
{
    const struct metrics_request *request = f->p->request;
    struct factor_instrument instrument = {&f->market, uid, request->currency};
    enum status s =
        factor_levels_of(&instrument, f->day, request->record.n + 1, f->p->arena, f->level, err);
    if (s == STATUS_OK)
        add_gains(f, sign, ret);
    return s;
}

static enum status make_returns(struct factors *f, size_t j, struct err *err)
{
    const struct metrics_request *request = f->p->request;
    const struct spec_factor *named = &request->instruments.factor[j];
    enum status s = STATUS_OK;
    f->returns[j] = request->factor[j];
    if (f->returns[j] != NULL)
        return s;
    double *r = arena_array(f->p->arena, request->record.n + 1, sizeof *r);
    if (r == NULL)
        return err_out_of_memory(err);
    f->returns[j] = r;
    if (named->uid.ptr == NULL) {
        factor_levels(&request->table[j], f->day, request->record.n + 1, f->level);
        add_gains(f, 1, r);
        return s;
    }
    s = add_instrument(f, named->uid, 1, r, err);
    if (s == STATUS_OK && named->minus.ptr != NULL)
        return add_instrument(f, named->minus, -1, r, err);
    for (size_t row = 0; row < request->record.n; row++)
        r[row] -= rate_at(f->p, row);
    return s;
}

/* The prices of every instrument that a factor names. */
static enum status load(struct factors *f, struct market_hold *hold, struct err *err)
{
    const struct metrics_request *request = f->p->request;
    struct spec *spec = ARENA_NEW(f->p->arena, struct spec);
    if (request->instruments.n == 0)
        return STATUS_OK;
    if (spec == NULL)
        return err_out_of_memory(err);
    assert(f->day != NULL); /* one that names instruments needs dates */
    spec->factors = request->instruments;
    spec->assets_at = "/assets";
    spec->start = f->day[0];
    spec->end = f->day[request->record.n];
    memcpy(spec->currency, request->currency, sizeof spec->currency);
    uint64_t cells = (uint64_t)(spec->end - spec->start + 1) * 2 * request->instruments.n;
    return backtest_market_for(f->p->service, spec, cells, f->p->arena, f->p->stop, &f->market,
                               hold, err);
}

/* What the record returned over a row; NaN: nothing, or not known. */
static double return_at(const struct record *record, size_t row)
{
    const double *x = record->value;
    if (record->kind == RECORD_RETURNS)
        return x[row];
    return row > 0 && x[row - 1] > 0 ? x[row] / x[row - 1] - 1 : (double)NAN;
}

/* Rows on which the record and every factor have a value, as columns of their own. */
static size_t common_rows(const struct factors *f, double *y, double *const *column)
{
    const struct metrics_request *request = f->p->request;
    size_t n = 0;
    for (size_t row = 0; row < request->record.n; row++) {
        double excess = return_at(&request->record, row) - rate_at(f->p, row);
        bool is_complete = isfinite(excess);
        for (size_t j = 0; j < request->n_factors; j++)
            is_complete = is_complete && isfinite(f->returns[j][row]);
        if (!is_complete)
            continue;
        for (size_t j = 0; j < request->n_factors; j++)
            column[j][n] = f->returns[j][row];
        y[n++] = excess;
    }
    return n;
}

static enum status fit(const struct factors *f, struct regression *ret, struct err *err)
{
    const struct metrics_request *request = f->p->request;
    struct arena *arena = f->p->arena;
    double *column[REGRESSION_FACTORS_MAX] = {NULL};
    const double *columns[REGRESSION_FACTORS_MAX] = {NULL};
    double *y = arena_array(arena, request->record.n + 1, sizeof *y);
    for (size_t j = 0; j < request->n_factors; j++) {
        columns[j] = column[j] = arena_array(arena, request->record.n + 1, sizeof *column[j]);
        if (column[j] == NULL)
            return err_out_of_memory(err);
    }
    if (y == NULL)
        return err_out_of_memory(err);
    size_t n = common_rows(f, y, column);
    return regression_fit(y, columns, request->n_factors, n, request->hac_lag, arena, ret, err);
}

enum status metrics_write_regression(const struct metrics_parts *p, struct err *err)
{
    CLEANUP(market_hold_release) struct market_hold hold = {0};
    const struct metrics_request *request = p->request;
    struct factors f = {.p = p};
    struct regression found;
    if (request->n_factors == 0 || p->ready == NULL) {
        jw_key_null(p->json, "regression");
        return STATUS_OK;
    }
    enum status s = take_days(&f, err);
    if (s == STATUS_OK)
        s = load(&f, &hold, err);
    for (size_t j = 0; j < request->n_factors && s == STATUS_OK; j++)
        s = make_returns(&f, j, err);
    if (s == STATUS_OK)
        s = fit(&f, &found, err);
    if (s != STATUS_OK)
        return s;
    jw_key(p->json, "regression");
    jw_object(p->json);
    regression_write(&found, request->factor_name, request->record.periods_per_year, p->json);
    jw_end_object(p->json);
    return STATUS_OK;
}
