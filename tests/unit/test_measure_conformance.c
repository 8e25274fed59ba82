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
            record->risk_free = series.value;
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
    o->target_sharpe = conformance_parameter(one, "benchmark_sr", 0);
    o->tail = conformance_parameter(one, "alpha", 0);
    struct json_val required = jr_member(one->inputs, "required_return");
    if (!jr_is_present(required))
        return;
    struct conformance_series series = conformance_series(c, required, NULL);
    if (series.n > 0) {
        record->mar_series = series.value;
        return;
    }
    o->required_return = conformance_number(one, "required_return");
    if (strcmp(one->metric, "omega_ratio") != 0) {
        o->mar = o->required_return;
        o->has_mar = true;
    }
}

static const double *benchmark_of(struct conformance *c, const struct conformance_case *one,
                                  size_t n)
{
    static const char *const names[] = {"benchmark", "factor_returns"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct json_val val = jr_member(one->inputs, names[i]);
        struct conformance_series series = conformance_series(c, val, NULL);
        if (series.n == n && n > 0)
            return series.value;
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
                            .benchmark = benchmark_of(c, one, series.n),
                            .periods_per_year = periods_of(c, one, series.frequency),
                            .profile = profile,
                            .missing = profile_missing(profile)};
    struct record_ready ready;
    struct measure_value values[MEASURE_ALL_COUNT];
    struct arena arena; /* of this case alone: there may be thousands */
    struct err err = {0};
    arena_init(&arena, (size_t)1 << 26);
    if (profile == PROFILE_ffn && series.date != NULL)
        record.start =
            series.date[0] - 31; /* its cases start the price index so many days before */
    set_rates(c, one, &record);
    set_options(c, one, &record);
    enum status s = record_prepare(&record, &arena, &ready, &err);
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
