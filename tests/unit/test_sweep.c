/* test_sweep.c - bodies of batches and sweeps become items: every point once, in order, or drawn by a seed. */
#include "handlers/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#define BASE \
    "{\"assets\":[{\"uid\":\"a:A\",\"weight\":1},{\"uid\":\"a:B\"},{\"uid\":\"a:C\"}],\"rebalance\":\"never\"}"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 256 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static enum status parse(const char *text, struct sweep *ret, struct err *err)
{
    return sweep_parse(str_of(text), 10000, &arena, ret, err);
}

static const char *request_of(const struct sweep *sweep, size_t i)
{
    struct err err = {0};
    const struct backtest_item item = {(int64_t)i, sweep->items[i].request,
                                       sweep->items[i].parameters};
    struct str text;
    assert_int_equal(sweep_request(sweep->base, &item, &arena, &text, &err), STATUS_OK);
    return arena_dup(&arena, text);
}

static void the_last_axis_changes_fastest(void **state)
{
    struct err err = {0};
    struct sweep sweep;
    (void)state;
    assert_int_equal(
        parse("{\"base\":" BASE
              ",\"axes\":[{\"pointer\":\"/rebalance\",\"values\":[\"daily\",\"never\"]},"
              "{\"pointer\":\"/costs/commission_bps\",\"from\":0,\"to\":0.3,\"step\":0.1}]}",
              &sweep, &err),
        STATUS_OK);
    assert_int_equal(sweep.n_items, 8);
    assert_int_equal(sweep.n_grid, 8);
    assert_int_equal(sweep.n_parameters, 2);
    assert_string_equal(sweep.parameters[0].name, "rebalance");
    assert_string_equal(sweep.parameters[1].name, "costs_commission_bps");
    assert_true(!sweep.parameters[0].is_number && sweep.parameters[1].is_number);
    assert_true(str_eq_c(sweep.items[3].text[0], "daily"));
    assert_true(sweep.items[3].number[0] == 0.3); /* as it was written, not 0.30000000000000004 */
    assert_true(isnan(sweep.items[3].number[1]));
    assert_true(str_eq_c(sweep.items[4].text[0], "never") && sweep.items[4].number[0] == 0);
    assert_string_equal(
        request_of(&sweep, 5),
        "{\"assets\":[{\"uid\":\"a:A\",\"weight\":1},{\"uid\":\"a:B\"},{\"uid\":\"a:C\"}],"
        "\"rebalance\":\"never\",\"costs\":{\"commission_bps\":0.1}}");
}

static void weights_are_all_the_ways_to_share_one(void **state)
{
    struct err err = {0};
    struct sweep sweep;
    (void)state;
    assert_int_equal(
        parse("{\"base\":" BASE ",\"axes\":[{\"weights\":{\"step\":0.1}}]}", &sweep, &err),
        STATUS_OK);
    assert_int_equal(sweep.n_items, 66); /* C(12, 2) */
    for (size_t i = 0; i < sweep.n_items; i++) {
        const double *w = sweep.items[i].number;
        assert_true(fabs(w[0] + w[1] + w[2] - 1) < 1e-9 && w[0] >= 0 && w[1] >= 0 && w[2] >= 0);
        for (size_t k = 0; k < i; k++)
            assert_true(memcmp(sweep.items[k].number, w, 3 * sizeof *w) != 0);
    }
    assert_true(sweep.items[0].number[2] == 1 && sweep.items[65].number[0] == 1);
}

static void values_of_several_pointers_change_together(void **state)
{
    struct err err = {0};
    struct sweep sweep;
    (void)state;
    assert_int_equal(parse("{\"base\":" BASE
                           ",\"axes\":[{\"pointers\":[\"/start\",\"/end\"],\"values\":"
                           "[[\"2000-01-03\",\"2001-01-03\"],[\"2002-01-03\",null]]}]}",
                           &sweep, &err),
                     STATUS_OK);
    assert_int_equal(sweep.n_items, 2);
    assert_true(str_eq_c(sweep.items[1].parameters, "{\"/start\":\"2002-01-03\",\"/end\":null}"));
    assert_int_equal(parse("{\"base\":" BASE
                           ",\"axes\":[{\"pointers\":[\"/start\",\"/end\"],\"values\":[[1]]}]}",
                           &sweep, &err),
                     STATUS_OUT_OF_RANGE);
    assert_string_equal(err.name, "/axes/0/values/0");
}

static void draws_follow_their_seed_and_stay_in_their_ranges(void **state)
{
    static const char body[] =
        "{\"base\":" BASE ",\"random\":{\"count\":500,\"seed\":9},\"axes\":[{\"weights\":{}},"
        "{\"pointer\":\"/capital\",\"from\":10,\"to\":20},{\"pointer\":\"/max_stale\",\"from\":1,\"to\":3,\"step\":1}]}";
    struct err err = {0};
    struct sweep sweep, again;
    double mean[3] = {0};
    size_t n_of[4] = {0};
    (void)state;
    assert_int_equal(parse(body, &sweep, &err), STATUS_OK);
    assert_int_equal(parse(body, &again, &err), STATUS_OK);
    assert_int_equal(sweep.n_items, 500);
    assert_true(sweep.n_grid == SIZE_MAX);
    for (size_t i = 0; i < sweep.n_items; i++) {
        const double *x = sweep.items[i].number;
        assert_true(str_eq(sweep.items[i].parameters, again.items[i].parameters));
        assert_true(fabs(x[0] + x[1] + x[2] - 1) < 1e-9 && x[3] >= 10 && x[3] <= 20);
        for (size_t k = 0; k < 3; k++)
            mean[k] += x[k] / 500;
        n_of[(size_t)x[4]]++;
    }
    for (size_t k = 0; k < 3; k++) /* 1/3 with a standard error of 0.0105 */
        assert_true(fabs(mean[k] - 1.0 / 3) < 0.05);
    assert_true(n_of[1] > 100 && n_of[2] > 100 && n_of[3] > 100 && n_of[0] == 0);
}

static void what_a_job_keeps_is_read_back(void **state)
{
    struct err err = {0};
    struct sweep sweep;
    struct sweep_kept kept;
    struct str text;
    (void)state;
    assert_int_equal(parse("{\"base\":" BASE
                           ",\"metric\":\"cagr\",\"axes\":[{\"weights\":{\"step\":0.5}},"
                           "{\"pointer\":\"/rebalance\",\"values\":[\"daily\",1]}]}",
                           &sweep, &err),
                     STATUS_OK);
    assert_int_equal(sweep_keep(&sweep, "sweep", &arena, &text, &err), STATUS_OK);
    assert_int_equal(sweep_recall(text, &arena, &kept, &err), STATUS_OK);
    assert_true(str_eq(kept.base, sweep.base) && str_eq_c(kept.base, BASE));
    assert_true(kept.is_sweep && kept.metric == ROW_cagr && kept.n_parameters == 4);
    assert_string_equal(kept.parameters[3].name, "rebalance");
    assert_true(!kept.parameters[3].is_number && kept.parameters[3].slot == 0 &&
                kept.parameters[2].slot == 2);
    assert_true(str_eq_c(kept.parameters[1].pointer, "/assets/1/weight"));
}

static void a_batch_takes_whole_requests_or_changes(void **state)
{
    struct err err = {0};
    struct sweep batch;
    (void)state;
    assert_int_equal(
        batch_parse(STR("{\"items\":[" BASE ", {\"a\" : [1, 2.50]}]}"), 10, &arena, &batch, &err),
        STATUS_OK);
    assert_int_equal(batch.n_items, 2);
    assert_string_equal(request_of(&batch, 0), BASE);
    assert_string_equal(request_of(&batch, 1), "{\"a\":[1,2.5]}");
    assert_int_equal(
        batch_parse(
            STR("{\"base\":" BASE
                ",\"items\":[{},{\"/rebalance\":\"daily\",\"/assets/1\":{\"uid\":\"a:D\"}}]}"),
            10, &arena, &batch, &err),
        STATUS_OK);
    assert_string_equal(request_of(&batch, 0), BASE);
    assert_string_equal(
        request_of(&batch, 1),
        "{\"assets\":[{\"uid\":\"a:A\",\"weight\":1},{\"uid\":\"a:D\"},{\"uid\":\"a:C\"}],\"rebalance\":\"daily\"}");
    assert_int_equal(batch_parse(STR("{\"items\":[1,2,3]}"), 2, &arena, &batch, &err),
                     STATUS_TOO_LARGE);
}

static void a_monte_carlo_is_one_request_with_its_question(void **state)
{
    struct err err = {0};
    struct sweep one;
    (void)state;
    assert_int_equal(montecarlo_parse(STR("{\"base\":{\"a\":1},\"monte_carlo\":{\"count\":7}}"), 1,
                                      &arena, &one, &err),
                     STATUS_OK);
    assert_int_equal(one.n_items, 1);
    assert_string_equal(request_of(&one, 0), "{\"a\":1,\"monte_carlo\":{\"count\":7}}");
    assert_int_equal(montecarlo_parse(STR("{\"base\":{}}"), 1, &arena, &one, &err), STATUS_OK);
    assert_string_equal(request_of(&one, 0), "{\"monte_carlo\":{}}");
    assert_int_equal(montecarlo_parse(STR("{\"monte_carlo\":{}}"), 1, &arena, &one, &err),
                     STATUS_WRONG_TYPE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_last_axis_changes_fastest),
        CASE(weights_are_all_the_ways_to_share_one),
        CASE(values_of_several_pointers_change_together),
        CASE(draws_follow_their_seed_and_stay_in_their_ranges),
        CASE(what_a_job_keeps_is_read_back),
        CASE(a_batch_takes_whole_requests_or_changes),
        CASE(a_monte_carlo_is_one_request_with_its_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
