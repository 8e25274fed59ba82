/* record.c - rows to paths: missing values, ruin, the benchmark's common rows, the risk-free series. */
#include "backtest/record.h"

#include "base/date.h"

#include <assert.h>
#include <math.h>
#include <string.h>

const char *const record_kind_names[RECORD_KIND_COUNT] = {"returns", "prices"};

/* One line of rows that are there: V_0 and the returns after it. */
struct line {
    int32_t *date; /* n + 1; NULL: no dates */
    double *value; /* n + 1 */
    double *r;     /* n */
    double *rf;    /* n; NULL: none */
    double *mar;   /* n; NULL: none */
    size_t n;
};

static bool is_month_end(int32_t date)
{
    return date_to_civil(date + 1).day == 1;
}

int32_t record_start(const int32_t *date, size_t n)
{
    if (n < 2)
        return date[0] - 1;
    bool is_monthly = is_month_end(date[0]) && is_month_end(date[1]) &&
                      date_add_months(date[0] + 1, 1) == date[1] + 1;
    return is_monthly ? date_add_months(date[0] + 1, -1) - 1 : date[0] - (date[1] - date[0]);
}

static enum status no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this track record.");
}

static enum status line_new(const struct record *record, struct arena *arena, struct line *ret,
                            struct err *err)
{
    size_t n = record->n + 2;
    *ret = (struct line){
        .date = arena_array(arena, n, sizeof *ret->date),
        .value = arena_array(arena, n, sizeof *ret->value),
        .r = arena_array(arena, n, sizeof *ret->r),
        .rf = arena_array(arena, n, sizeof *ret->rf),
        .mar = arena_array(arena, n, sizeof *ret->mar),
    };
    bool is_complete = ret->date != NULL && ret->value != NULL && ret->r != NULL &&
                       ret->rf != NULL && ret->mar != NULL;
    return is_complete ? STATUS_OK : no_memory(err);
}

/* A rate of a row, with the policy for missing ones. */
static double rate_of(const struct record *record, const double *series, size_t row,
                      double otherwise)
{
    double rate = series != NULL ? series[row] : otherwise;
    return isnan(rate) && record->missing == MISSING_ZERO ? 0 : rate;
}

/* The rates of a row go with its return. */
static void put_rates(const struct record *record, size_t row, struct line *line)
{
    line->rf[line->n] = rate_of(record, record->risk_free, row, record->risk_free_per_session);
    line->mar[line->n] = rate_of(record, record->mar_series, row, 0);
}

/* Appends the return of a row; what loses everything, or more, is ruin and ends at 0. */
static void put_return(const struct record *record, size_t row, double r, struct line *line)
{
    put_rates(record, row, line);
    line->r[line->n] = r > -1 ? r : -1;
    line->value[line->n + 1] = r > -1 ? line->value[line->n] * (1 + r) : 0;
    if (record->date != NULL)
        line->date[line->n + 1] = record->date[row];
    line->n++;
}

static void begin(const struct record *record, double value, int32_t date, struct line *line)
{
    line->n = 0;
    line->value[0] = value;
    if (record->date != NULL)
        line->date[0] = date;
}

static int32_t date_before(const struct record *record, size_t row)
{
    if (record->date == NULL)
        return DATE_NONE;
    if (row > 0)
        return record->date[row - 1];
    return record->start != DATE_NONE ? record->start : record_start(record->date, record->n);
}

/* Rows of x that is_used, as one line. A price of 0 is ruin: no return after it counts. */
static void fill(const struct record *record, const double *x, enum record_kind kind,
                 const bool *is_used, struct line *line)
{
    bool has_first = false;
    double last = 0;
    for (size_t row = 0; row < record->n; row++) {
        if (!is_used[row])
            continue;
        if (kind == RECORD_RETURNS) {
            if (!has_first)
                begin(record, 1, date_before(record, row), line);
            put_return(record, row, x[row], line);
        } else if (!has_first) {
            begin(record, x[row], record->date != NULL ? record->date[row] : DATE_NONE, line);
        } else {
            put_return(record, row, last > 0 ? x[row] / last - 1 : -1, line);
            line->value[line->n] = x[row];
        }
        last = x[row];
        has_first = true;
    }
}

static enum status refuse_row(size_t row, const char *what, const char *allowed, struct err *err)
{
    (void)err_set(err, STATUS_BAD_SPEC, "Row %zu of the series %s.", row + 1, what);
    err_allow(err, "%s", allowed);
    return STATUS_BAD_SPEC;
}

/* A copy of the values with the policy for missing ones applied; NaN stays where rows are skipped. */
static enum status settle(const struct record *record, const double *from, enum record_kind kind,
                          struct arena *arena, double **ret, size_t *n_missing, struct err *err)
{
    double *x = arena_array(arena, record->n + 1, sizeof *x), last = (double)NAN;
    if (x == NULL)
        return no_memory(err);
    for (size_t row = 0; row < record->n; row++) {
        x[row] = from[row];
        if (isnan(x[row])) {
            ++*n_missing;
            if (record->missing == MISSING_REFUSE)
                return refuse_row(row, "has no value",
                                  "numbers alone, or missing: \"skip\" or \"zero\"", err);
            if (record->missing == MISSING_ZERO)
                x[row] = kind == RECORD_PRICES ? last : 0;
        }
        if (kind == RECORD_PRICES && x[row] < 0)
            return refuse_row(row, "is a negative price", "prices of at least 0", err);
        last = isnan(x[row]) ? last : x[row];
    }
    *ret = x;
    return STATUS_OK;
}

/* The first row of prices is V_0 and earns nothing. */
static enum status check_rates(const struct record *record, struct err *err)
{
    static const char ALLOWED[] = "one for each row, or missing: \"skip\" or \"zero\"";
    for (size_t row = record->kind == RECORD_PRICES ? 1 : 0; row < record->n; row++) {
        if (record->missing != MISSING_REFUSE)
            break;
        if (record->risk_free != NULL && isnan(record->risk_free[row]))
            return refuse_row(row, "has no risk-free rate", ALLOWED, err);
        if (record->mar_series != NULL && isnan(record->mar_series[row]))
            return refuse_row(row, "has no minimum acceptable return", ALLOWED, err);
    }
    return STATUS_OK;
}

static enum status no_data(const struct record *record, struct err *err)
{
    (void)err_set(err, STATUS_NO_DATA, "There is no return to measure.");
    err_allow(err, "%s",
              record->kind == RECORD_PRICES ? "at least two prices" : "at least one return");
    return STATUS_NO_DATA;
}

/* Prices in a line of returns: each row's return, where the row before has a price too. */
static void to_returns(double *x, size_t n)
{
    for (size_t row = n; row-- > 0;)
        x[row] = row > 0 && x[row - 1] > 0 ? x[row] / x[row - 1] - 1 : (double)NAN;
}

static struct measure_rows sides_of(const struct line *benchmark)
{
    struct measure_rows ret = {
        .n = benchmark->n, .growth = benchmark->value[benchmark->n], .rise = 1, .fall = 1};
    for (size_t t = 0; t < benchmark->n; t++) {
        double r = benchmark->r[t];
        ret.rise *= r > 0 ? 1 + r : 1;
        ret.fall *= r < 0 ? 1 + r : 1;
        ret.n_rise += r > 0 ? 1 : 0;
        ret.n_fall += r < 0 ? 1 : 0;
    }
    return ret;
}

/* The rows that the record and its benchmark share, as two lines. */
static enum status take_common(const struct record *record, double *own, struct arena *arena,
                               struct record_ready *ret, struct err *err)
{
    struct line mine, other;
    double *benchmark = NULL;
    size_t n_missing = 0;
    bool *is_used = arena_array(arena, record->n + 1, sizeof *is_used);
    if (is_used == NULL)
        return no_memory(err);
    enum status s = settle(record, record->benchmark, record->benchmark_kind, arena, &benchmark,
                           &n_missing, err);
    if (s == STATUS_OK)
        s = line_new(record, arena, &mine, err);
    if (s == STATUS_OK)
        s = line_new(record, arena, &other, err);
    if (s != STATUS_OK)
        return s;
    assert(own != NULL && benchmark != NULL); /* settle() filled them */
    enum record_kind kind = record->kind;
    if (record->benchmark_kind != kind) {
        to_returns(record->kind == RECORD_PRICES ? own : benchmark, record->n);
        kind = RECORD_RETURNS;
    }
    for (size_t row = 0; row < record->n; row++)
        is_used[row] = !isnan(benchmark[row]);
    fill(record, benchmark, kind, is_used, &other);
    if (kind == RECORD_RETURNS && other.n > 0)
        ret->input.benchmark_rows = sides_of(&other);
    for (size_t row = 0; row < record->n; row++)
        is_used[row] = is_used[row] && !isnan(own[row]);
    fill(record, own, kind, is_used, &mine);
    fill(record, benchmark, kind, is_used, &other);
    ret->n_common = mine.n;
    if (mine.n == 0)
        return STATUS_OK;
    const int32_t *date = record->date != NULL ? mine.date : NULL;
    ret->input.common = (struct measure_path){date, mine.value, mine.n + 1};
    ret->input.benchmark = (struct measure_path){date, other.value, other.n + 1};
    ret->input.common_returns = mine.r;
    ret->input.benchmark_returns = other.r;
    if (record->risk_free != NULL || record->has_per_session)
        ret->input.common_risk_free = mine.rf;
    return STATUS_OK;
}

static void take_options(const struct record *record, const struct line *line,
                         struct record_ready *ret)
{
    struct measure_input *in = &ret->input;
    in->options = record->options;
    if (record->mar_series != NULL)
        in->options.mar_series = line->mar;
    else if (profile_targets_zero(record->profile) && !in->options.has_mar)
        in->options.has_mar = true; /* mar is 0 */
    in->periods_per_year = record->periods_per_year;
    in->risk_free_rate = record->risk_free_rate;
    if (record->risk_free != NULL || record->has_per_session)
        in->risk_free = line->rf;
}

enum status record_prepare(const struct record *record, struct arena *arena,
                           struct record_ready *ret, struct err *err)
{
    struct line line;
    double *own = NULL;
    *ret = (struct record_ready){.ruined_on = DATE_NONE};
    bool *is_used = arena_array(arena, record->n + 1, sizeof *is_used);
    if (is_used == NULL)
        return no_memory(err);
    enum status s = settle(record, record->value, record->kind, arena, &own, &ret->n_missing, err);
    if (s == STATUS_OK)
        s = check_rates(record, err);
    if (s == STATUS_OK)
        s = line_new(record, arena, &line, err);
    if (s != STATUS_OK)
        return s;
    assert(own != NULL);
    size_t n_used = 0;
    for (size_t row = 0; row < record->n; row++) {
        is_used[row] = !isnan(own[row]);
        n_used += is_used[row] ? 1 : 0;
    }
    fill(record, own, record->kind, is_used, &line);
    if (n_used == 0 || line.n == 0 || !(line.value[0] > 0))
        return no_data(record, err);
    ret->input.path =
        (struct measure_path){record->date != NULL ? line.date : NULL, line.value, line.n + 1};
    ret->input.returns = line.r;
    ret->input.n_rows = record->kind == RECORD_PRICES ? 0 : record->n;
    take_options(record, &line, ret);
    for (size_t t = 0; t < line.n; t++)
        ret->n_unrated += isnan(line.rf[t]) ? 1 : 0;
    ret->input.wanted = &measure_every_row;
    size_t live = measure_live_length(ret->input.path);
    ret->is_ruined = !(line.value[live - 1] > 0);
    if (ret->is_ruined && record->date != NULL)
        ret->ruined_on = line.date[live - 1];
    return record->benchmark == NULL ? STATUS_OK : take_common(record, own, arena, ret, err);
}
