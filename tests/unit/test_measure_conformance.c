/*
 * test_measure_conformance.c - the metric cases of other libraries, each in its profile and at its tolerance.
 * The names of the cases are short forms, which tests/support/metric_names.h knows.
 */
#include "backtest/record.h"
#include "base/date.h"
#include "tests/support/metric_names.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Periods a year: as given, or of the period asked for; empyrical's period is a day where its caller says nothing. */
static double periods_of(struct conformance *c, const struct conformance_case *one,
                         const char *frequency)
{
    static const struct {
        const char *word;
        double periods;
    } words[] = {{"daily", 252}, {"weekly", 52}, {"monthly", 12}, {"quarterly", 4}, {"yearly", 1}};
    const char *period = conformance_text(c, one, "period");
    if (period == NULL && strcmp(one->group, "empyrical") != 0)
        period = frequency;
    for (size_t i = 0; i < ARRAY_LEN(words) && period != NULL; i++) {
        if (strcmp(words[i].word, period) == 0)
            return conformance_number_or(one, "periods", words[i].periods);
    }
    return conformance_number_or(one, "periods", 252);
}

/*
 * A series on the rows of the record, NaN on those it does not have: by date, where both have dates. A caller of the public
 * interface does the same.
 */
static const double *on_rows(struct conformance *c, const struct record *record,
                             struct conformance_series series)
{
    bool is_dated = series.date != NULL && record->date != NULL;
    double *value = arena_array(&c->arena, record->n + 1, sizeof *value);
    size_t at = 0;
    assert_non_null(value);
    for (size_t row = 0; row < record->n; row++) {
        while (is_dated && at < series.n && series.date[at] < record->date[row])
            at++;
        bool is_there =
            is_dated ? at < series.n && series.date[at] == record->date[row] : row < series.n;
        value[row] = is_there ? series.value[is_dated ? at : row] : (double)NAN;
    }
    return value;
}

/* Adds the dates of another input to the rows of the record, without a return: pandas aligns two series so. */
static void add_rows(struct conformance *c, const struct conformance_case *one, const char *input,
                     struct record *record)
{
    struct conformance_series other = conformance_series(c, jr_member(one->inputs, input), NULL);
    size_t n = record->n + other.n, n_rows = 0, i = 0, k = 0;
    if (other.date == NULL || record->date == NULL)
        return;
    int32_t *date = arena_array(&c->arena, n + 1, sizeof *date);
    double *value = arena_array(&c->arena, n + 1, sizeof *value);
    assert_true(date != NULL && value != NULL);
    while (i < record->n || k < other.n) {
        bool is_own = i < record->n && (k == other.n || record->date[i] <= other.date[k]);
        int32_t day = is_own ? record->date[i] : other.date[k];
        k += k < other.n && other.date[k] == day ? 1 : 0;
        date[n_rows] = day;
        value[n_rows++] = is_own ? record->value[i++] : (double)NAN;
    }
    record->date = date;
    record->value = value;
    record->n = n_rows;
}

/* risk_free and MAR: a number is per period for empyrical and PerformanceAnalytics, annual for quantstats. */
static void set_rates(struct conformance *c, const struct conformance_case *one,
                      struct record *record)
{
    static const char *const names[] = {"rf", "risk_free"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct json_val val = jr_member(one->inputs, names[i]);
        if (!jr_is_present(val))
            continue;
        struct conformance_series series = conformance_series(c, val, NULL);
        if (series.n > 0) {
            record->risk_free = on_rows(c, record, series);
        } else if (record->profile == PROFILE_quantstats) {
            record->risk_free_rate = conformance_number(one, names[i]);
        } else {
            record->risk_free_per_session = conformance_number(one, names[i]);
            record->has_per_session = true;
        }
    }
}

static void set_options(struct conformance *c, const struct conformance_case *one,
                        struct record *record)
{
    struct measure_options *o = &record->options;
    o->mar = conformance_parameter(one, "MAR", 0);
    o->has_mar = jr_is_present(jr_member(jr_member(one->inputs, "params"), "MAR"));
    o->confidence = conformance_parameter(one, "p", conformance_number_or(one, "confidence", 0));
    if (conformance_has(one, "cutoff"))
        o->confidence = 1 - conformance_number(one, "cutoff");
    o->target_sharpe = conformance_parameter(one, "benchmark_sr", 0);
    o->tail = conformance_parameter(one, "alpha", 0);
    struct json_val required = jr_member(one->inputs, "required_return");
    if (!jr_is_present(required))
        return;
    struct conformance_series series = conformance_series(c, required, NULL);
    if (series.n > 0) {
        record->mar_series = on_rows(c, record, series);
        return;
    }
    o->required_return = conformance_number(one, "required_return");
    if (strcmp(one->metric, "omega_ratio") != 0) {
        o->mar = o->required_return;
        o->has_mar = true;
    }
}

/* empyrical aligns what it compares, but its capture takes each series as it is. */
static bool is_aligned(const struct conformance_case *one, enum profile profile)
{
    return profile == PROFILE_empyrical && strcmp(one->metric, "capture") != 0;
}

static const double *benchmark_of(struct conformance *c, const struct conformance_case *one,
                                  const struct record *record)
{
    static const char *const names[] = {"benchmark", "factor_returns"};
    size_t n = record->n;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct json_val val = jr_member(one->inputs, names[i]);
        struct conformance_series series = conformance_series(c, val, NULL);
        if (series.n > 0 && n > 0)
            return on_rows(c, record, series);
        if (jr_type(val) == JR_INT || jr_type(val) == JR_REAL) {
            double *constant = arena_array(&c->arena, n + 1, sizeof *constant);
            for (size_t t = 0; t < n; t++)
                constant[t] = conformance_number(one, names[i]);
            return constant;
        }
    }
    return NULL;
}

/* What the public interface would answer: the value of one metric, or NaN where it has none. */
static double value_of(struct conformance *c, const struct conformance_case *one,
                       enum profile profile, const char *column, enum measure_id id)
{
    struct conformance_series series =
        conformance_series(c, jr_member(one->inputs, "returns"), column);
    struct record record = {.n = series.n,
                            .date = series.date,
                            .start = DATE_NONE,
                            .value = series.value,
                            .kind = RECORD_RETURNS,
                            .periods_per_year = periods_of(c, one, series.frequency),
                            .profile = profile,
                            .missing = profile_missing(profile)};
    static const char *const others[] = {"benchmark", "factor_returns", "rf", "risk_free"};
    struct record_ready ready;
    struct measure_value values[MEASURE_ALL_COUNT];
    struct arena arena; /* of this case alone: there may be thousands */
    struct err err = {0};
    arena_init(&arena, (size_t)1 << 26);
    if (profile == PROFILE_ffn && series.date != NULL)
        record.start =
            series.date[0] - 31; /* its cases start the price index so many days before */
    for (size_t i = 0; i < ARRAY_LEN(others) && is_aligned(one, profile) && series.n > 0; i++)
        add_rows(c, one, others[i], &record);
    if (profile == PROFILE_empyrical && !is_aligned(one, profile))
        record.date = NULL; /* row by row */
    record.benchmark = benchmark_of(c, one, &record);
    set_rates(c, one, &record);
    set_options(c, one, &record);
    enum status s = record_prepare(&record, &arena, &ready, &err);
    const struct measure_set wanted = measure_set_of(&id, 1);
    ready.input.wanted = &wanted;
    if (s == STATUS_OK)
        s = measure_compute(&ready.input, &arena, values, &err);
    arena_clear(&arena);
    if (s == STATUS_NO_DATA)
        return (double)NAN;
    assert_int_equal(s, STATUS_OK);
    return values[id].reason == REASON_NONE ? values[id].value : (double)NAN;
}

/* The i-th series of a case's data set, when it has several: "one" and "two" of empyrical.df_simple. */
static const char *column_at(struct conformance *c, const struct conformance_case *one, size_t i)
{
    struct str name;
    struct json_val val, returns = jr_member(one->inputs, "returns");
    if (jr_read_str(jr_member(returns, "dataset"), 1, 64, &name, NULL) != STATUS_OK)
        return NULL;
    struct json_val set = jr_member(c->datasets, arena_dup(&c->arena, name));
    return jr_member_at(jr_member(set, "values"), i, &name, &val) ? arena_dup(&c->arena, name)
                                                                  : NULL;
}

/* empyrical's pairs: "alpha_beta", "up_alpha_beta", "down_alpha_beta" are a list of two. */
static bool compare_pair(struct conformance *c, const struct conformance_case *one,
                         enum profile profile)
{
    static const char PAIR[] = "alpha_beta";
    const char *end = strstr(one->metric, PAIR);
    if (profile != PROFILE_empyrical || end == NULL || jr_length(one->expected) != 2)
        return false;
    for (size_t i = 0; i < 2; i++) {
        char name[64];
        enum measure_id id;
        (void)snprintf(name, sizeof name, "%.*s%s", (int)(end - one->metric), one->metric,
                       i == 0 ? "alpha" : "beta");
        if (!metric_names_find(profile, one, name, &id))
            return false;
        conformance_compare(one, name, conformance_item(one->expected, i),
                            value_of(c, one, profile, NULL, id));
    }
    return true;
}

/* empyrical's cum_returns: what each row has made of the start, a row without a return what the one before did. */
static bool compare_growth(struct conformance *c, const struct conformance_case *one)
{
    struct conformance_series r = conformance_series(c, jr_member(one->inputs, "returns"), NULL);
    double start = conformance_number_or(one, "starting_value", 0), growth = 1;
    struct record_ready ready = {.is_ruined = false};
    struct err err = {0};
    if (strcmp(one->metric, "cum_returns") != 0)
        return false;
    struct record record = {.n = r.n,
                            .date = r.date,
                            .start = DATE_NONE,
                            .value = r.value,
                            .kind = RECORD_RETURNS,
                            .periods_per_year = 252,
                            .profile = PROFILE_empyrical,
                            .missing = MISSING_SKIP};
    double *line = arena_array(&c->arena, r.n + 1, sizeof *line);
    assert_non_null(line);
    enum status s = record_prepare(&record, &c->arena, &ready, &err);
    assert_int_equal(s, r.n > 0 ? STATUS_OK : STATUS_NO_DATA);
    for (size_t t = 0, at = 0; t < r.n; t++) {
        if (!isnan(r.value[t]))
            growth = ready.input.path.value[++at];
        line[t] = start > 0 ? start * growth : growth - 1;
    }
    conformance_check_list(one, "", line, r.n);
    return true;
}

/* One figure of the case; a metric that the profile does not have leaves it alone. */
static void compare(struct conformance *c, const struct conformance_case *one, enum profile profile,
                    const char *member)
{
    enum measure_id id;
    double start = conformance_number_or(one, "starting_value", 0);
    if (!metric_names_find(profile, one, *member == '\0' ? one->metric : member, &id))
        return;
    if (jr_type(one->expected) != JR_ARRAY) {
        double got = value_of(c, one, profile, NULL, id);
        conformance_check(one, member, start > 0 ? start * (1 + got) : got);
        return;
    }
    if (jr_length(one->expected) == 0)
        conformance_claim(one); /* of no series, nothing */
    for (size_t i = 0; i < jr_length(one->expected); i++) {
        const char *column = column_at(c, one, i);
        if (column != NULL)
            conformance_compare(one, column, conformance_item(one->expected, i),
                                value_of(c, one, profile, column, id));
    }
}

/* Cases of returns; other inputs are those of test_track_records.py and test_sharpe_conformance.c. */
static void check_group(const char *group, enum profile profile)
{
    struct conformance c;
    struct conformance_case one;
    struct str key;
    struct json_val val;
    if (!conformance_open(&c))
        skip();
    for (size_t i = 0; conformance_next(&c, group, &i, &one);) {
        if (!conformance_has(&one, "returns") || strncmp(one.metric, "dsr", 3) == 0)
            continue;
        if (compare_pair(&c, &one, profile) || compare_growth(&c, &one))
            continue;
        if (jr_type(one.expected) != JR_OBJECT)
            compare(&c, &one, profile, "");
        for (size_t k = 0; jr_member_at(one.expected, k, &key, &val); k++)
            compare(&c, &one, profile, arena_dup(&c.arena, key));
    }
    conformance_close(&c);
}

static void quantstats_figures(void **state)
{
    (void)state;
    check_group("quantstats", PROFILE_quantstats);
}

static void empyrical_figures(void **state)
{
    (void)state;
    check_group("empyrical", PROFILE_empyrical);
}

static void performanceanalytics_figures(void **state)
{
    (void)state;
    check_group("pa", PROFILE_pa);
}

static void ffn_figures(void **state)
{
    (void)state;
    check_group("ffn", PROFILE_ffn);
}

static void nautilus_figures(void **state)
{
    (void)state;
    check_group("nautilus", PROFILE_nautilus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantstats_figures),
        cmocka_unit_test(empyrical_figures),
        cmocka_unit_test(performanceanalytics_figures),
        cmocka_unit_test(ffn_figures),
        cmocka_unit_test(nautilus_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
