/*
 * test_answer_conformance.c - conformance cases of what an answer of POST /v1/metrics has beside its metrics: returns of
 * weeks, months and years, the table of years, and results of single trades.
 */
#include "handlers/metrics_answer.h"
#include "tests/support/conformance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct conformance cases;

/* The member "data" of the answer; the document is the caller's to free. */
static struct json_val answer_of(const struct metrics_request *request, struct json_doc **doc)
{
    struct str body;
    struct err err = {0};
    enum status s = metrics_answer(request, NULL, &cases.arena, NULL, &body, &err);
    if (s != STATUS_OK)
        fail_msg("%s: %s", status_name(s), err.detail);
    assert_int_equal(jr_parse(body, &cases.arena, doc, &err), STATUS_OK);
    return jr_member(jr_root(*doc), "data");
}

static struct metrics_request request_of(const struct conformance_series *r, enum profile profile)
{
    struct metrics_request request = metrics_request_default();
    request.has_series = r->n > 0;
    request.record.n = r->n;
    request.record.date = r->date;
    request.record.value = r->value;
    request.record.profile = profile;
    request.record.missing = profile_missing(profile);
    return request;
}

static void check_periods(const struct conformance_case *one, const struct conformance_series *r,
                          size_t aggregate)
{
    struct metrics_request request = request_of(r, PROFILE_empyrical);
    struct json_doc *doc;
    request.aggregate = (enum metrics_aggregate)aggregate;
    struct json_val list = jr_member(jr_member(answer_of(&request, &doc), "periods"), "return");
    double *found = arena_array(&cases.arena, jr_length(list) + 1, sizeof *found);
    assert_non_null(found);
    assert_int_equal(jr_read_f64_array(list, found, NULL), STATUS_OK);
    conformance_check_list(one, "", found, jr_length(list));
    jr_free(doc);
}

/* Members are years, figures in per cent. */
static void check_years(const struct conformance_case *one, const struct conformance_series *r)
{
    struct metrics_request request = request_of(r, PROFILE_pa);
    struct json_doc *doc;
    struct json_val table = jr_member(answer_of(&request, &doc), "monthly"), val;
    struct str name;
    size_t n = 0;
    while (jr_member_at(one->expected, n, &name, &val))
        n++;
    conformance_compare(one, "years", (double)n, (double)jr_length(table));
    for (size_t i = 0; i < jr_length(table); i++) {
        char year[16];
        int64_t number;
        double total;
        struct json_val row = jr_item(table, i);
        assert_int_equal(jr_read_i64(jr_member(row, "year"), 0, 9999, &number, NULL), STATUS_OK);
        assert_int_equal(jr_read_f64(jr_member(row, "total"), -1, 1e9, &total, NULL), STATUS_OK);
        (void)snprintf(year, sizeof year, "%d", (int)number);
        double expected = conformance_expected(one, year);
        /* Rounded figures are off by up to half a unit, exactly so where the tolerance says it. */
        conformance_compare(one, year, expected,
                            fabs(100 * total - expected) <= one->absolute + 1e-9 ? expected
                                                                                 : 100 * total);
    }
    jr_free(doc);
}

static void returns_of_periods_and_years(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "", &i, &one);) {
        struct conformance_series r =
            conformance_series(&cases, jr_member(one.inputs, "returns"), NULL);
        const char *period = conformance_text(&cases, &one, "convert_to");
        if (period != NULL && conformance_has(&one, "returns") && r.n == 0)
            conformance_check_list(&one, "", NULL, 0); /* no return, no period */
        if (r.n == 0 || r.date == NULL)
            continue;
        for (size_t k = 0; k < AGGREGATE_COUNT && period != NULL; k++) {
            if (strcmp(metrics_aggregate_names[k], period) == 0)
                check_periods(&one, &r, k);
        }
        if (strncmp(one.metric, "calendar-year returns", 21) == 0)
            check_years(&one, &r);
    }
    conformance_close(&cases);
}

/* Members and metrics that the answer calls otherwise. */
static const char *trade_name(const struct conformance_case *one, const char *name)
{
    static const struct {
        const char *group, *name, *member;
    } names[] = {{"sqn", "ddof0", "system_quality_population"},
                 {"sqn", "ddof1", "system_quality"},
                 {"nautilus", "expectancy", "mean"},
                 {"nautilus", "avg_winner", "average_win"},
                 {"nautilus", "avg_loser", "average_loss"},
                 {"nautilus", "max_winner", "largest_win"},
                 {"nautilus", "max_loser", "largest_loss"},
                 {"nautilus", "min_winner", "smallest_win"},
                 {"nautilus", "min_loser", "smallest_loss"},
                 {"nautilus", "winner_avg", "average_win"},
                 {"nautilus", "loser_avg", "average_loss"},
                 {"nautilus", "winner_max", "largest_win"},
                 {"nautilus", "loser_max", "largest_loss"},
                 {"nautilus", "winner_min", "smallest_win"},
                 {"nautilus", "loser_min", "smallest_loss"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i].group, one->group) == 0 && strcmp(names[i].name, name) == 0)
            return names[i].member;
    }
    return name;
}

static void check_trade(const struct conformance_case *one, struct json_val trades,
                        const char *member)
{
    struct json_val val =
        jr_member(trades, trade_name(one, *member == '\0' ? one->metric : member));
    double found = (double)NAN;
    if (jr_type(val) == JR_ABSENT)
        return;
    if (jr_is_present(val))
        assert_int_equal(jr_read_f64(val, -1e300, 1e300, &found, NULL), STATUS_OK);
    conformance_check(one, member, found);
}

static void results_of_trades(void **state)
{
    static const char *const inputs[] = {"trade_results", "pnl_or_returns", "trades"};
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "", &i, &one);) {
        for (size_t k = 0; k < ARRAY_LEN(inputs); k++) {
            struct conformance_series x =
                conformance_series(&cases, jr_member(one.inputs, inputs[k]), NULL);
            struct metrics_request request = metrics_request_default();
            struct json_doc *doc;
            struct json_val val;
            struct str name;
            if (conformance_has(&one, inputs[k]) && x.n == 0 && jr_type(one.expected) != JR_OBJECT)
                conformance_check(&one, "", (double)NAN); /* no trade, no figure */
            if (x.n == 0)
                continue;
            request.trade = x.value;
            request.n_trades = x.n;
            struct json_val trades = jr_member(answer_of(&request, &doc), "trades");
            if (jr_type(one.expected) != JR_OBJECT)
                check_trade(&one, trades, "");
            for (size_t m = 0; jr_member_at(one.expected, m, &name, &val); m++)
                check_trade(&one, trades, arena_dup(&cases.arena, name));
            jr_free(doc);
        }
    }
    conformance_close(&cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(returns_of_periods_and_years),
        cmocka_unit_test(results_of_trades),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
