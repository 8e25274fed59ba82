/* test_scheduler.c - schedules make jobs: each slot once however many look, and what was missed by its rule. */
#include "tests/support/store_fixture.h"

#include "base/date.h"
#include "jobs/scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { RACERS = 4, SLOTS = 25, DAY_S = 86400 };

static int64_t instant(const char *text)
{
    int64_t ret = 0;
    assert_true(instant_parse(str_of(text), &ret));
    return ret;
}

static void assert_slots(enum schedule_catch_up rule, const char *after, const char *now, size_t n,
                         const char *last, const char *passed)
{
    const struct schedule daily = {.cron = STR("0 5 * * *"), .catch_up = rule};
    struct scheduler_due due;
    struct err err = {0};
    ok(scheduler_due(&daily, instant(after), instant(now), &due, &err));
    assert_int_equal(due.n, n);
    if (n > 0)
        assert_int_equal(due.slot_s[n - 1], instant(last));
    assert_int_equal(due.passed_s, passed == NULL ? 0 : instant(passed));
}

static void missed_slots_are_treated_by_the_rule(void **state)
{
    (void)state;
    const char *at = "2026-11-23T05:00:00Z", *soon = "2026-11-27T05:00:30Z",
               *late = "2026-11-27T09:00:00Z";
    const char *slot = "2026-11-27T05:00:00Z", *before = "2026-11-26T05:00:00Z";
    for (int rule = 0; rule < CATCH_UPS; rule++)
        assert_slots((enum schedule_catch_up)rule, at, "2026-11-24T04:59:59Z", 0, NULL, NULL);
    assert_slots(CATCH_UP_NONE, at, soon, 1, slot, before);
    assert_slots(CATCH_UP_NONE, at, late, 0, NULL, slot);
    assert_slots(CATCH_UP_LATEST, at, soon, 1, slot, before);
    assert_slots(CATCH_UP_LATEST, at, late, 1, slot, before);
    assert_slots(CATCH_UP_LATEST, before, late, 1, slot, NULL);
    assert_slots(CATCH_UP_ALL, at, late, 4, slot, NULL);
    assert_slots(CATCH_UP_ALL, "2026-08-31T12:00:00Z", late, SCHEDULER_SLOTS_MAX,
                 "2026-09-30T05:00:00Z", NULL);
}

/* A job whose request is the slot's day. */
static enum status plan(void *cls, const struct schedule *schedule, int64_t slot_s,
                        struct arena *arena, struct job_new *ret, struct err *err)
{
    char day[DATE_TEXT_BYTES];
    date_format((int32_t)(slot_s / DAY_S), day);
    const char *request = arena_dup(arena, str_of(day));
    if (cls != NULL)
        return err_set(err, STATUS_BAD_VALUE, "No job can be made of this.");
    *ret = (struct job_new){.type = schedule->type,
                            .request = str_of(request),
                            .only_one = schedule->request,
                            .n_items = 1};
    return request == NULL ? err_out_of_memory(err) : STATUS_OK;
}

static struct db *writer(struct fixture *f)
{
    struct err err = {0};
    struct db *db = NULL;
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    return db;
}

static void put(struct db *db, const char *name, const char *only, int64_t slot_ms)
{
    const struct schedule schedule = {.name = str_of(name),
                                      .type = STR("test"),
                                      .cron = STR("0 5 * * *"),
                                      .request = only == NULL ? STR_NONE : str_of(only),
                                      .catch_up = CATCH_UP_ALL,
                                      .slot_ms = slot_ms};
    struct schedule with_text = schedule;
    struct err err = {0};
    bool is_new = false;
    if (only == NULL)
        with_text.request = STR("");
    ok(schedule_put(db, &with_text, &is_new, &err));
    assert_true(is_new);
}

static enum status plan_any(void *cls, const struct schedule *schedule, int64_t slot_s,
                            struct arena *arena, struct job_new *ret, struct err *err)
{
    enum status s = plan(cls, schedule, slot_s, arena, ret, err);
    ret->only_one = STR_NONE;
    return s;
}

static const struct job_type free_type[] = {{.name = "test", .plan = plan_any}};
static const struct job_type one_type[] = {{.name = "test", .plan = plan}};

static size_t look(struct fixture *f, struct db *db, const struct job_type *type)
{
    struct err err = {0};
    size_t n = 0;
    ok(scheduler_look(db, type, 1, &f->arena, &n, &err));
    return n;
}

static int64_t days_ago_ms(struct fixture *f, struct db *db, int n)
{
    struct err err = {0};
    struct schedule *list = NULL;
    size_t n_list = 0;
    ok(schedule_list(db, &f->arena, &list, &n_list, &err));
    assert_true(n_list > 0);
    return (list[0].now_ms / 1000 / DAY_S - n) * DAY_S * 1000;
}

static void every_slot_is_one_job_however_often_it_is_looked_at(void **state)
{
    struct fixture *f = *state;
    struct db *db = writer(f);
    put(db, "now", NULL, 0);
    int64_t from = days_ago_ms(f, db, SLOTS);
    run_sql(f, "DELETE FROM job_schedule");
    put(db, "daily", NULL, from + (int64_t)6 * 3600 * 1000); /* behind that day's slot */
    size_t n = look(f, db, free_type);
    assert_true(n == SLOTS - 1 || n == SLOTS); /* whether it is five o'clock yet */
    assert_int_equal(look(f, db, free_type), 0);
    char expected[32];
    (void)snprintf(expected, sizeof expected, "%zu|%zu|%zu", n, n, n);
    assert_string_equal(
        query_text(f, "SELECT COUNT(*), COUNT(DISTINCT request), COUNT(DISTINCT s.slot_ms) "
                      "FROM job j JOIN job_slot s ON s.job_id = j.id"),
        expected);
    db_release(db);
}

struct racer {
    struct fixture *f;
    size_t n;
};

static void *race(void *cls)
{
    struct racer *racer = cls;
    struct arena arena;
    struct err err = {0};
    struct db *db = NULL;
    arena_init(&arena, 8 << 20);
    enum status s = db_acquire(racer->f->pool, DB_WRITE, NULL, &db, &err);
    for (int i = 0; i < 20 && s == STATUS_OK; i++) {
        size_t n = 0;
        s = scheduler_look(db, free_type, 1, &arena, &n, &err);
        racer->n += n;
        if (s == STATUS_DB_CONFLICT)
            s = STATUS_OK; /* the next look sees to it */
    }
    db_release(db);
    arena_clear(&arena);
    return NULL;
}

static void servers_that_race_make_each_slot_once(void **state)
{
    struct fixture *f = *state;
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    struct db *db = writer(f);
    put(db, "now", NULL, 0);
    int64_t from = days_ago_ms(f, db, SLOTS);
    run_sql(f, "DELETE FROM job_schedule");
    put(db, "daily", NULL, from);
    db_release(db);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.f = f};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < RACERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_string_equal(query_text(f, "SELECT COUNT(*) - COUNT(DISTINCT request), COUNT(*) - "
                                      "(SELECT COUNT(*) FROM job_slot) FROM job"),
                        "0|0");
    const char *n = query_text(f, "SELECT COUNT(*) FROM job");
    char made[8];
    (void)snprintf(made, sizeof made, "%zu", racers[0].n + racers[1].n + racers[2].n + racers[3].n);
    assert_string_equal(n, made);
    assert_true(strcmp(n, "25") == 0 || strcmp(n, "26") == 0);
}

static void a_slot_whose_job_runs_already_is_seen_to(void **state)
{
    struct fixture *f = *state;
    struct db *db = writer(f);
    put(db, "now", "coin", 0);
    int64_t from = days_ago_ms(f, db, 3);
    run_sql(f, "DELETE FROM job_schedule");
    put(db, "daily", "coin", from);
    assert_int_equal(look(f, db, one_type), 1);
    assert_int_equal(look(f, db, one_type), 0);
    assert_string_equal(query_text(f, "SELECT COUNT(*), COUNT(job_id) FROM job_slot "
                                      "WHERE slot_ms <= (SELECT slot_ms FROM job_schedule)") +
                            1,
                        "|1");
    db_release(db);
}

static void a_paused_schedule_makes_nothing_up(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct schedule found;
    put(db, "daily", NULL, 1000);
    ok(schedule_pause(db, STR("daily"), true, &err));
    assert_int_equal(look(f, db, free_type), 0);
    ok(schedule_pause(db, STR("daily"), false, &err));
    assert_int_equal(look(f, db, free_type), 0);
    ok(schedule_get(db, STR("daily"), &f->arena, &found, &err));
    assert_true(!found.is_paused && found.slot_ms >= found.now_ms - 60000);
    expect(STATUS_UNKNOWN_SCHEDULE, schedule_pause(db, STR("weekly"), true, &err));
    expect(STATUS_UNKNOWN_SCHEDULE, schedule_get(db, STR("weekly"), &f->arena, &found, &err));
    ok(schedule_delete(db, STR("daily"), &err));
    expect(STATUS_UNKNOWN_SCHEDULE, schedule_delete(db, STR("daily"), &err));
    db_release(db);
}

/* One that cannot be read or planned stops no other, and its slot is tried again. */
static void a_broken_schedule_stops_no_other(void **state)
{
    struct fixture *f = *state;
    struct db *db = writer(f);
    put(db, "now", NULL, 0);
    int64_t from = days_ago_ms(f, db, 2);
    run_sql(f, "DELETE FROM job_schedule");
    put(db, "broken", NULL, from);
    run_sql(f, "UPDATE job_schedule SET cron = 'never'");
    put(db, "daily", NULL, from);
    const struct job_type failing[] = {{.name = "test", .plan = plan_any, .cls = f}};
    assert_int_equal(look(f, db, failing), 0);
    assert_string_equal(query_text(f, "SELECT COUNT(*) FROM job_slot"), "0");
    assert_true(look(f, db, free_type) >= 2);
    db_release(db);
}

/* A job's id tells its schedule; the id is shorter than a name may be. */
static void long_names_that_begin_alike_have_jobs_of_their_own(void **state)
{
    struct fixture *f = *state;
    struct db *db = writer(f);
    put(db, "now", NULL, 0);
    int64_t from = days_ago_ms(f, db, 2);
    run_sql(f, "DELETE FROM job_schedule");
    put(db, "the-stocks-of-the-korean-exchange-weekdays-early", NULL, from);
    put(db, "the-stocks-of-the-korean-exchange-weekdays-late", NULL, from);
    put(db, "short", NULL, from);
    size_t n = look(f, db, free_type);
    assert_true(n >= 6 && n % 3 == 0);
    assert_int_equal(look(f, db, free_type), 0);
    char expected[32];
    (void)snprintf(expected, sizeof expected, "%zu|%zu|3", n, n);
    assert_string_equal(query_text(f, "SELECT COUNT(*), COUNT(job_id), COUNT(DISTINCT schedule) "
                                      "FROM job_slot"),
                        expected);
    db_release(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missed_slots_are_treated_by_the_rule),
        TEST(every_slot_is_one_job_however_often_it_is_looked_at),
        TEST(servers_that_race_make_each_slot_once),
        TEST(a_slot_whose_job_runs_already_is_seen_to),
        TEST(a_paused_schedule_makes_nothing_up),
        TEST(a_broken_schedule_stops_no_other),
        TEST(long_names_that_begin_alike_have_jobs_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
