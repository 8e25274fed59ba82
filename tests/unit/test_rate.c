/* test_rate.c - quotas are exact under threads, windows end, memory is bounded, other servers count. */
#include "handlers/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 8, QUOTA = 1000, ASKED_EACH = 1000 };

static const int64_t noon = 1800000000000;
static const struct rate_id someone = {RATE_KEY, 1};

static int set_up(void **state)
{
    *state = rate_new();
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    rate_free(*state);
    return 0;
}

/* A moment at which this caller's window has just begun. */
static int64_t start_of(struct rate *rate, struct rate_id id)
{
    int64_t now = noon;
    while (rate_take(rate, id, 1, 0, now).reset_s != 60 ||
           rate_take(rate, id, 1, 0, now - 1).reset_s != 1)
        now++;
    return now;
}

static void a_quota_is_given_out_to_the_last_and_comes_back_with_the_window(void **state)
{
    struct rate *rate = *state;
    int64_t now = start_of(rate, someone);
    for (uint32_t i = 1; i <= 5; i++) {
        struct rate_state got = rate_take(rate, someone, 5, 1, now);
        assert_true(got.is_allowed);
        assert_int_equal(got.remaining, 5 - i);
    }
    struct rate_state refused = rate_take(rate, someone, 5, 1, now + 100);
    assert_false(refused.is_allowed);
    assert_int_equal(refused.reset_s, 60);
    assert_false(rate_take(rate, someone, 5, 1, now + RATE_WINDOW_MS - 1).is_allowed);
    assert_int_equal(rate_take(rate, someone, 5, 1, now + RATE_WINDOW_MS - 1).reset_s, 1);
    struct rate_state next = rate_take(rate, someone, 5, 1, now + RATE_WINDOW_MS);
    assert_true(next.is_allowed);
    assert_int_equal(next.remaining, 4);
}

static void a_cost_is_taken_whole_or_not_at_all(void **state)
{
    struct rate *rate = *state;
    assert_true(rate_take(rate, someone, 15, 10, noon).is_allowed);
    struct rate_state heavy = rate_take(rate, someone, 15, 10, noon);
    assert_false(heavy.is_allowed);
    assert_int_equal(heavy.remaining, 5);
    assert_int_equal(rate_take(rate, someone, 15, 5, noon).remaining, 0);
    assert_false(rate_take(rate, someone, 15, 0, noon).is_allowed);
}

static void callers_do_not_share(void **state)
{
    struct rate *rate = *state;
    static const struct rate_id others[] = {
        {RATE_KEY, 2}, {RATE_V4, 1}, {RATE_V6, 1}, {RATE_V4_FAILURES, 1}, {RATE_V6_FAILURES, 1}};
    assert_true(rate_take(rate, someone, 1, 1, noon).is_allowed);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_true(rate_take(rate, others[i], 1, 1, noon).is_allowed);
    assert_false(rate_take(rate, someone, 1, 1, noon).is_allowed);
}

static void a_clock_that_jumps_gives_at_most_a_new_window(void **state)
{
    struct rate *rate = *state;
    static const int64_t jumps[] = {-86400000, 0, 86400000, INT64_C(4102444800000)};
    for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
        int64_t now = noon + jumps[i];
        assert_true(rate_take(rate, someone, 1, 1, now).is_allowed);
        assert_false(rate_take(rate, someone, 1, 1, now).is_allowed);
    }
}

struct race {
    struct rate *rate;
    atomic_uint n_allowed;
};

static void *ask(void *arg)
{
    struct race *race = arg;
    for (int i = 0; i < ASKED_EACH; i++)
        if (rate_take(race->rate, someone, QUOTA, 1, noon).is_allowed)
            atomic_fetch_add(&race->n_allowed, 1);
    return NULL;
}

static void threads_together_get_exactly_the_quota(void **state)
{
    struct race race = {.rate = *state};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &race), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&race.n_allowed), QUOTA);
}

/* Ten times as many callers as there is room for: whoever is at a limit stays there. */
static void a_flood_of_callers_does_not_wash_out_the_one_at_its_limit(void **state)
{
    struct rate *rate = *state;
    for (int i = 0; i < 100; i++)
        (void)rate_take(rate, someone, 100, 1, noon);
    for (uint64_t i = 0; i < 10 * RATE_SLOTS; i++)
        assert_true(rate_take(rate, (struct rate_id){RATE_V4, i}, 100, 1, noon).is_allowed);
    assert_false(rate_take(rate, someone, 100, 1, noon).is_allowed);
}

/* Two servers over one set of counts: what either has used is gone for the other after an exchange. */
static void servers_share_a_quota_by_reports(void **state)
{
    struct rate *a = *state, *b = rate_new();
    struct rate_report of_a[4], of_b[4];
    assert_non_null(b);
    for (int i = 0; i < 6; i++)
        assert_true(rate_take(a, someone, 10, 1, noon).is_allowed);
    assert_true(rate_take(b, someone, 10, 1, noon).is_allowed);
    assert_int_equal(rate_report(a, noon, of_a, 4), 1);
    assert_int_equal(rate_report(b, noon, of_b, 4), 1);
    assert_int_equal(of_a[0].used, 6);
    assert_int_equal(of_a[0].window, of_b[0].window); /* they agree on windows */
    of_a[0].total = of_b[0].total = of_a[0].used + of_b[0].used;
    rate_fold(a, of_a, 1);
    rate_fold(b, of_b, 1);
    assert_int_equal(rate_take(a, someone, 10, 0, noon).remaining, 3);
    assert_int_equal(rate_take(b, someone, 10, 0, noon).remaining, 3);
    assert_int_equal(rate_report(a, noon, of_a, 4), 1);
    assert_int_equal(of_a[0].used, 0); /* asks, and has nothing new to tell */
    rate_free(b);
}

static void a_report_that_reached_nobody_is_made_again(void **state)
{
    struct rate *rate = *state;
    struct rate_report report[4];
    (void)rate_take(rate, someone, 10, 3, noon);
    assert_int_equal(rate_report(rate, noon, report, 4), 1);
    rate_unreport(rate, report, 1);
    (void)rate_take(rate, someone, 10, 1, noon);
    assert_int_equal(rate_report(rate, noon, report, 4), 1);
    assert_int_equal(report[0].used, 4);
}

static void counts_that_were_lost_give_nothing_back(void **state)
{
    struct rate *rate = *state;
    struct rate_report report[4];
    (void)rate_take(rate, someone, 10, 1, noon);
    (void)rate_report(rate, noon, report, 4);
    report[0].total = 8;
    rate_fold(rate, report, 1);
    assert_int_equal(rate_take(rate, someone, 10, 0, noon).remaining, 2);
    report[0].total = 0; /* the store was emptied */
    rate_fold(rate, report, 1);
    assert_int_equal(rate_take(rate, someone, 10, 0, noon).remaining, 2);
    report[0].total = 9;
    report[0].window++; /* of another minute */
    rate_fold(rate, report, 1);
    assert_int_equal(rate_take(rate, someone, 10, 0, noon).remaining, 2);
}

static void reports_go_round_when_there_are_more_callers_than_fit(void **state)
{
    struct rate *rate = *state;
    static struct rate_report reports[1000];
    uint64_t n_seen = 0;
    for (uint64_t i = 0; i < 3000; i++)
        (void)rate_take(rate, (struct rate_id){RATE_V4, i}, 10, 1, noon);
    for (int i = 0; i < 20; i++) {
        size_t n = rate_report(rate, noon, reports, 1000);
        for (size_t k = 0; k < n; k++)
            n_seen += reports[k].used;
    }
    assert_int_equal(n_seen, 3000);
}

#define RATE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RATE_TEST(a_quota_is_given_out_to_the_last_and_comes_back_with_the_window),
        RATE_TEST(a_cost_is_taken_whole_or_not_at_all),
        RATE_TEST(callers_do_not_share),
        RATE_TEST(a_clock_that_jumps_gives_at_most_a_new_window),
        RATE_TEST(threads_together_get_exactly_the_quota),
        RATE_TEST(a_flood_of_callers_does_not_wash_out_the_one_at_its_limit),
        RATE_TEST(servers_share_a_quota_by_reports),
        RATE_TEST(a_report_that_reached_nobody_is_made_again),
        RATE_TEST(counts_that_were_lost_give_nothing_back),
        RATE_TEST(reports_go_round_when_there_are_more_callers_than_fit),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
