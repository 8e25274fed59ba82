/* test_market_rates.c - economic series by what was known: uids, steps of the store, sessions of a clock. */
#include "tests/support/store_fixture.h"
#include "tests/unit/test_backtest_world.h"

#include "backtest/spec_lists.h"
#include "store/indicator_store.h"

static void a_uid_is_the_class_and_three_parts(void **state)
{
    static const char *const wrong[] = {"indicator:CPI:USA",  "indicator:CPI:USA:M:1",
                                        "index:CPI:USA:M",    "indicator::USA:M",
                                        "indicator:CPI:USA:", ""};
    struct str code, country, frequency;
    (void)state;
    assert_true(rates_uid_split(STR("indicator:FF_RF:USA:M"), &code, &country, &frequency));
    assert_true(str_eq_c(code, "FF_RF") && str_eq_c(country, "USA") && str_eq_c(frequency, "M"));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(rates_uid_split(str_of(wrong[i]), &code, &country, &frequency));
}

static void sessions_see_what_was_published_and_nothing_sooner(void **state)
{
    static const int32_t published[] = {110, 140}, sessions[] = {100, 110, 111, 140, 141};
    static const int64_t known[] = {110 * 86400 + 82800, 140 * 86400 + 82800};
    static const double value[] = {100, 101};
    int64_t until[5];
    double got[5];
    (void)state;
    for (size_t t = 0; t < 5; t++)
        until[t] =
            (int64_t)sessions[t] * 86400 + 75600; /* sessions end two hours before it is out */
    struct rate_series series = {STR("indicator:A:B:M"), 2, published, known, value};
    rates_as_known(&series, (struct dated){5, sessions, until}, got);
    assert_true(isnan(got[0]) && isnan(got[1]));
    assert_true(got[2] == 100 && got[3] == 100 && got[4] == 101);
}

static void unusable_rows_are_bad_data(void **state)
{
    static const int32_t same[] = {1, 1}, rising[] = {1, 2};
    static const int64_t known[] = {86400, 86401};
    static const double value[] = {1, 2}, hole[] = {1, (double)NAN};
    struct err err = {0};
    (void)state;
    struct rate_series series = {STR("indicator:A:B:M"), 2, rising, known, value};
    assert_int_equal(rates_check(&series, &err), STATUS_OK);
    series.date = same;
    assert_int_equal(rates_check(&series, &err), STATUS_BAD_DATA);
    series.date = rising;
    series.value = hole;
    assert_int_equal(rates_check(&series, &err), STATUS_BAD_DATA);
    assert_string_equal(err.detail, "indicator:A:B:M has no finite value on 1970-01-03.");
    series.n = 0;
    assert_int_equal(rates_check(&series, &err), STATUS_NO_DATA);
}

static void a_request_names_each_series_once_and_eight_at_most(void **state)
{
    struct arena arena;
    struct spec spec = {0};
    struct str uid;
    struct err err = {0};
    struct json_doc *doc = NULL;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(jr_parse(STR("[\"indicator:A1:B:M\",\"indicator:A2:B:M\",\"indicator:A3:B:M\","
                                  "\"indicator:A4:B:M\",\"indicator:A5:B:M\",\"indicator:A6:B:M\","
                                  "\"indicator:A7:B:M\",\"indicator:A8:B:M\",\"indicator:A9:B:M\","
                                  "\"index:SPX\"]"),
                              &arena, &doc, &err),
                     STATUS_OK);
    struct json_val list = jr_root(doc);
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < 8; i++)
            assert_int_equal(spec_read_indicator(jr_item(list, i), "/x", &arena, &spec, &uid, &err),
                             STATUS_OK);
    assert_int_equal(spec.n_indicators, 8);
    assert_true(str_eq_c(spec.indicators[7].uid, "indicator:A8:B:M"));
    assert_int_equal(spec_read_indicator(jr_item(list, 8), "/x", &arena, &spec, &uid, &err),
                     STATUS_OUT_OF_RANGE);
    assert_int_equal(spec_read_indicator(jr_item(list, 9), "/x", &arena, &spec, &uid, &err),
                     STATUS_WRONG_TYPE);
    assert_string_equal(err.name, "/9");
    jr_free(doc);
    arena_clear(&arena);
}

/* January is published, then February, then a revision of January, then one of February, then two months at once. */
static void steps_follow_publications_and_vintages(void **state)
{
    static const double expected[] = {100, 101, 101.5, 103};
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    struct step_columns steps;
    publish_text(
        f, "mart_economic_indicator", PUBLISH_MERGE,
        "stat_code,country_code,frequency,period,vintage,stat_name,period_start,period_end,value,"
        "is_latest_vintage,source,known_at",
        "CPI|USA|M|2020-01|2020-02-13|x|2020-01-01|2020-01-31|100|false|t|2020-02-13T13:30:00Z\n"
        "CPI|USA|M|2020-02|2020-03-12|x|2020-02-01|2020-02-29|101|false|t|2020-03-12T13:30:00Z\n"
        "CPI|USA|M|2020-01|2020-03-20|x|2020-01-01|2020-01-31|99|true|t|2020-03-20T13:30:00Z\n"
        "CPI|USA|M|2020-02|2020-03-25|x|2020-02-01|2020-02-29|101.5|true|t|2020-03-25T13:30:00Z\n"
        "CPI|USA|M|2020-04|2020-05-12|x|2020-04-01|2020-04-30|103|true|t|2020-05-12T13:30:00Z\n"
        "CPI|USA|M|2020-03|2020-05-12|x|2020-03-01|2020-03-31|102|true|t|2020-05-12T13:30:00Z\n"
        "CPI|KOR|M|2020-03|2020-05-12|x|2020-03-01|2020-03-31|7|true|t|2020-05-12T13:30:00Z\n",
        9, NULL);
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    struct series_filter filter = {STR("CPI"), STR("USA"), STR("M")};
    ok(indicator_steps_load(db, &filter, 1, &f->arena, &steps, &err));
    assert_int_equal(steps.n, 4);
    assert_memory_equal(steps.value, expected, sizeof expected);
    assert_int_equal(steps.date[1], day(2020, 3, 12));
    assert_int_equal(steps.known_at[1], (int64_t)day(2020, 3, 12) * 86400 + 13 * 3600 + 1800);
    filter.stat_code = STR("NONE");
    ok(indicator_steps_load(db, &filter, 1, &f->arena, &steps, &err));
    assert_int_equal(steps.n, 0);
    db_release(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uid_is_the_class_and_three_parts),
        cmocka_unit_test(sessions_see_what_was_published_and_nothing_sooner),
        cmocka_unit_test(unusable_rows_are_bad_data),
        cmocka_unit_test(a_request_names_each_series_once_and_eight_at_most),
        TEST(steps_follow_publications_and_vintages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
