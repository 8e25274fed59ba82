/* metrics_csv.c - rows of text to columns of numbers; the options beside them are those of metrics_option.c. */
#include "handlers/metrics_csv.h"

#include "base/array.h"
#include "base/csv_in.h"
#include "handlers/metrics_csv_field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS_MAX = 7 + REGRESSION_FACTORS_MAX, ROW_BYTES = 4096, FIELD_BYTES = 256 };

enum column {
    COLUMN_DATE,
    COLUMN_RETURN,
    COLUMN_PRICE,
    COLUMN_BENCHMARK_RETURN,
    COLUMN_BENCHMARK_PRICE,
    COLUMN_RISK_FREE,
    COLUMN_MAR,
    COLUMN_NAMED /* factor:NAME; from here on one each */
};
static const char *const column_names[COLUMN_NAMED] = {
    "date", "return", "price", "benchmark_return", "benchmark_price", "risk_free", "mar"};
static const char factor_prefix[] = "factor:";

struct source {
    struct str rest;
};

struct reader {
    struct csv_in *csv;
    struct arena *arena;
    struct metrics_request *request;
    size_t width;
    size_t target[COLUMNS_MAX]; /* column of each field */
    bool has[COLUMNS_MAX];      /* by column */
    double *value[COLUMNS_MAX]; /* by column; not for dates */
    int32_t *date;
    size_t n, cap;
};

static enum status give_bytes(void *from, char *to, size_t size, size_t *ret_n, struct err *err)
{
    struct source *source = from;
    (void)err;
    *ret_n = source->rest.len < size ? source->rest.len : size;
    if (*ret_n > 0)
        memcpy(to, source->rest.ptr, *ret_n);
    source->rest = str_sub(source->rest, *ret_n, source->rest.len);
    return STATUS_OK;
}

static enum status no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this track record.");
}

static enum status refuse_column(struct str name, const char *why, struct err *err)
{
    (void)err_set(err, STATUS_UNKNOWN_FIELD, "Column \"%.*s\" %s.", STR_ARG(name), why);
    err_at(err, ERR_LINE, STR("1"), name);
    err_suggest(err, metrics_csv_meaning(name));
    err_allow(err,
              "date, return or price, benchmark_return or benchmark_price, risk_free, mar, "
              "factor:NAME (at most %d)",
              (int)REGRESSION_FACTORS_MAX);
    return STATUS_UNKNOWN_FIELD;
}

static enum status refuse_separator(struct str header, struct err *err)
{
    (void)err_set(err, STATUS_BAD_CSV, "The fields of the header are not separated by commas.");
    err_at(err, ERR_LINE, STR("1"), header);
    err_allow(
        err,
        "commas between fields and a point before decimals, as in date,price and 2020-01-02,1234.5");
    return STATUS_BAD_CSV;
}

static enum status map_column(struct reader *r, size_t field, struct err *err)
{
    struct str name = csv_field(r->csv, field);
    size_t column = 0;
    if (name.ptr == NULL)
        return refuse_column(STR(""), "has no name", err);
    name = str_trim(name);
    while (column < COLUMN_NAMED && !str_eq_nocase(name, str_of(column_names[column])))
        column++;
    if (column == COLUMN_NAMED) {
        size_t prefix = sizeof factor_prefix - 1;
        if (name.len <= prefix || memcmp(name.ptr, factor_prefix, prefix) != 0)
            return refuse_column(name, "is unknown", err);
        if (r->request->n_factors == REGRESSION_FACTORS_MAX)
            return refuse_column(name, "is one factor too many", err);
        struct str factor = str_sub(name, prefix, name.len);
        const char *copy = arena_dup(r->arena, factor);
        if (copy == NULL)
            return no_memory(err);
        r->request->factor_name[r->request->n_factors] = (struct str){copy, factor.len};
        column += r->request->n_factors++;
    }
    if (r->has[column])
        return refuse_column(name, "stands twice in the header", err);
    r->has[column] = true;
    r->target[field] = column;
    return STATUS_OK;
}

static enum status read_header(struct reader *r, struct err *err)
{
    bool has_row = false;
    enum status s = csv_next(r->csv, &has_row, err);
    if (s != STATUS_OK)
        return s;
    if (!has_row)
        return err_set(err, STATUS_BAD_CSV, "The table is empty: a header is needed.");
    r->width = csv_width(r->csv);
    struct str first = csv_field(r->csv, 0);
    if (r->width == 1 &&
        (str_find(first, ';', 0) < first.len || str_find(first, '\t', 0) < first.len))
        return refuse_separator(first, err);
    for (size_t i = 0; i < r->width && s == STATUS_OK; i++)
        s = map_column(r, i, err);
    if (s != STATUS_OK)
        return s;
    if (r->has[COLUMN_RETURN] == r->has[COLUMN_PRICE])
        return refuse_column(STR("return"), "or \"price\" is needed, and not both", err);
    if (r->has[COLUMN_BENCHMARK_RETURN] && r->has[COLUMN_BENCHMARK_PRICE])
        return refuse_column(STR("benchmark_price"), "stands beside benchmark_return", err);
    return STATUS_OK;
}

/* Room for another row in every column that the table has. */
static enum status reserve_row(struct reader *r, struct err *err)
{
    size_t n = r->n + 1, cap = r->cap;
    r->date = arena_reserve(r->arena, r->date, n, &cap, sizeof *r->date);
    if (r->date == NULL)
        return no_memory(err);
    for (size_t c = 1; c < COLUMNS_MAX; c++) {
        if (!r->has[c])
            continue;
        size_t column_cap = r->cap;
        r->value[c] = arena_reserve(r->arena, r->value[c], n, &column_cap, sizeof(double));
        if (r->value[c] == NULL)
            return no_memory(err);
    }
    r->cap = cap;
    return STATUS_OK;
}

static enum status bad_field(const struct reader *r, size_t field, const char *fault,
                             const char *allowed, struct err *err)
{
    char line[24];
    size_t column = r->target[field];
    struct str name = column < COLUMN_NAMED ? str_of(column_names[column])
                                            : r->request->factor_name[column - COLUMN_NAMED];
    (void)snprintf(line, sizeof line, "%lld", (long long)csv_line(r->csv));
    (void)err_set(err, STATUS_BAD_CSV, "Line %s: the %s %s.", line, name.ptr, fault);
    err_at(err, ERR_LINE, str_of(line), csv_field(r->csv, field));
    err_allow(err, "%s", allowed);
    return STATUS_BAD_CSV;
}

static enum status read_day(struct reader *r, size_t field, struct err *err)
{
    int32_t *day = &r->date[r->n];
    if (!metrics_csv_day(csv_field(r->csv, field), day))
        return bad_field(r, field, "cannot be read", "a day as YYYY-MM-DD", err);
    if (r->n == 0 || *day > day[-1])
        return STATUS_OK;
    return bad_field(r, field,
                     *day < day[-1] ? "is before that of the line above" : "comes up twice",
                     "rows in the order of their dates, oldest first, each date once", err);
}

static enum status read_number(struct reader *r, size_t field, struct err *err)
{
    struct str text = csv_field(r->csv, field);
    size_t column = r->target[field];
    bool is_rate = column != COLUMN_PRICE && column != COLUMN_BENCHMARK_PRICE;
    double *value = &r->value[column][r->n];
    *value = (double)NAN;
    if (str_trim(text).len == 0 || metrics_csv_number(text, is_rate, value))
        return STATUS_OK;
    return bad_field(
        r, field, "is no number",
        is_rate
            ? "a fraction with a point, as 0.015, or per cent with its sign, as 1.5%; nothing where it is missing"
            : "digits with a point and nothing between thousands, as 1234.5; nothing where it is missing",
        err);
}

static enum status read_row(struct reader *r, struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < r->width && s == STATUS_OK; i++)
        s = r->target[i] == COLUMN_DATE ? read_day(r, i, err) : read_number(r, i, err);
    r->n++;
    return s;
}

static enum status read_rows(struct reader *r, struct err *err)
{
    for (;;) {
        bool has_row = false;
        enum status s = csv_next(r->csv, &has_row, err);
        if (s != STATUS_OK || !has_row)
            return s;
        if (r->n == METRICS_ROWS_MAX)
            return err_set(err, STATUS_TOO_LARGE, "The table has more than %d rows.",
                           METRICS_ROWS_MAX);
        s = reserve_row(r, err);
        if (s == STATUS_OK)
            s = read_row(r, err);
        if (s != STATUS_OK)
            return s;
    }
}

static const double none[1] = {0}; /* a column without rows is there all the same */

static const double *column_of(const struct reader *r, size_t column)
{
    return !r->has[column] ? NULL : r->value[column] != NULL ? r->value[column] : none;
}

static void take_columns(const struct reader *r)
{
    struct metrics_request *request = r->request;
    struct record *record = &request->record;
    bool has_prices = r->has[COLUMN_PRICE], has_other = r->has[COLUMN_BENCHMARK_PRICE];
    record->n = r->n;
    record->kind = has_prices ? RECORD_PRICES : RECORD_RETURNS;
    record->value = column_of(r, has_prices ? COLUMN_PRICE : COLUMN_RETURN);
    record->benchmark_kind = has_other ? RECORD_PRICES : RECORD_RETURNS;
    record->benchmark = column_of(r, has_other ? COLUMN_BENCHMARK_PRICE : COLUMN_BENCHMARK_RETURN);
    record->risk_free = column_of(r, COLUMN_RISK_FREE);
    record->mar_series = column_of(r, COLUMN_MAR);
    record->date = r->has[COLUMN_DATE] && r->n > 0 ? r->date : NULL;
    for (size_t j = 0; j < request->n_factors; j++)
        request->factor[j] = column_of(r, COLUMN_NAMED + j);
    request->has_series = true;
}

/* "sharpe,MartinRatio": names as in the JSON form. */
static enum status settle(struct metrics_request *request, struct str select, struct arena *arena,
                          struct err *err)
{
    struct str *names = arena_array(arena, METRICS_SELECT_MAX, sizeof *names), item;
    size_t n = 0;
    if (names == NULL)
        return no_memory(err);
    const char *copy = select.ptr == NULL ? NULL : arena_dup(arena, select);
    struct str rest = {copy, copy == NULL ? 0 : select.len};
    while (copy != NULL && n < METRICS_SELECT_MAX && str_next_field(&rest, ',', &item))
        names[n++] = str_trim(item);
    return metrics_request_settle(request, names, n, arena, err);
}

enum status metrics_csv_parse(struct str body, const struct metrics_option *option,
                              size_t n_options, struct arena *arena, struct metrics_request **ret,
                              struct err *err)
{
    CLEANUP(csv_freep) struct csv_in *csv = NULL;
    const struct csv_limits limits = {ROW_BYTES, FIELD_BYTES, COLUMNS_MAX};
    struct source source = {body};
    struct metrics_request *request = ARENA_NEW(arena, struct metrics_request);
    struct str select = STR_NONE;
    if (request == NULL)
        return no_memory(err);
    *request = metrics_request_default();
    enum status s = STATUS_OK;
    for (size_t i = 0; i < n_options && s == STATUS_OK; i++) {
        if (str_eq(option[i].name, STR("select")))
            select = option[i].value;
        else
            s = metrics_option_set(request, &option[i], err);
    }
    if (s == STATUS_OK)
        s = csv_new(give_bytes, &source, limits, &csv, err);
    struct reader reader = {.csv = csv, .arena = arena, .request = request};
    if (s == STATUS_OK)
        s = read_header(&reader, err);
    if (s == STATUS_OK)
        s = read_rows(&reader, err);
    if (s != STATUS_OK)
        return s;
    take_columns(&reader);
    s = settle(request, select, arena, err);
    if (s == STATUS_OK)
        *ret = request;
    return s;
}
