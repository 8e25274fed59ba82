/* test_job_store.c - the queue on both databases: claims, leases, fences, limits and what is logged. */
#include "tests/support/store_fixture.h"

#include "store/job_stage_store.h"
#include "store/job_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LEASE_MS = 60000 };
static const struct job_limits no_limits = {0};

static struct db *writer(struct fixture *f)
{
    struct err err = {0};
    struct db *db = NULL;
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    return db;
}

static enum status create(struct db *db, const char *id, int64_t owner, int64_t cost,
                          const struct job_limits *limits, struct err *err)
{
    const struct job_new job = {.id = str_of(id),
                                .type = STR("test"),
                                .request = STR("{\"a\":1}"),
                                .owner = owner,
                                .cost = cost,
                                .n_items = 3};
    enum status s = db_begin(db, err);
    if (s == STATUS_OK)
        s = job_create(db, &job, limits, err);
    if (s == STATUS_OK)
        return db_commit(db, err);
    db_rollback(db);
    return s;
}

static bool claim(struct fixture *f, struct db *db, const char *worker, int64_t lease_ms,
                  struct job_record *ret)
{
    struct err err = {0};
    bool found = false;
    ok(job_claim(db, str_of(worker), STR(",test,"), lease_ms, &f->arena, ret, &found, &err));
    return found;
}

static struct job_fence fence_of(const struct job_record *job)
{
    return (struct job_fence){job->id, job->worker, job->attempt};
}

static struct job_record get(struct fixture *f, struct db *db, const char *id)
{
    struct err err = {0};
    struct job_record job;
    bool found = false;
    ok(job_get(db, str_of(id), &f->arena, &job, &found, &err));
    assert_true(found);
    return job;
}

static void sleep_ms(long ms)
{
    (void)nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void a_job_is_claimed_once_and_finished_by_its_worker(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct job_record job, none;
    bool is_held = false;
    ok(create(db, "j1", 7, 10, &no_limits, &err));
    assert_true(claim(f, db, "w1", LEASE_MS, &job));
    assert_false(claim(f, db, "w2", LEASE_MS, &none));
    assert_true(str_eq_c(job.id, "j1") && str_eq_c(job.request, "{\"a\":1}"));
    assert_true(job.owner == 7 && job.cost == 10 && job.attempt == 1 && job.state == JOB_RUNNING);
    assert_true(job.started_ms >= job.created_ms && job.created_ms > 1700000000000);
    struct job_fence fence = fence_of(&job);
    ok(job_progress(db, &fence, 2, 1, &is_held, &err));
    assert_true(is_held);
    ok(job_finish(db, &fence, JOB_SUCCEEDED, STR("{}"), STR_NONE, &is_held, &err));
    assert_true(is_held);
    job = get(f, db, "j1");
    assert_true(job.state == JOB_SUCCEEDED && job.n_done == 2 && job.n_failed == 1);
    assert_true(str_eq_c(job.result, "{}") && job.problem.ptr == NULL && job.finished_ms > 0);
    ok(job_finish(db, &fence, JOB_FAILED, STR_NONE, STR("{}"), &is_held, &err));
    assert_false(is_held);
    assert_int_equal(get(f, db, "j1").state, JOB_SUCCEEDED);
    db_release(db);
}

static void a_job_of_another_type_is_left_to_those_who_know_it(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct job_record job;
    bool found = true;
    ok(create(db, "j1", 0, 1, &no_limits, &err));
    ok(job_claim(db, STR("w"), STR(",tes,other,"), LEASE_MS, &f->arena, &job, &found, &err));
    assert_false(found);
    db_release(db);
}

static void an_expired_lease_fences_its_worker_off(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct job_record first, second;
    bool is_held = true, is_cancelled = false;
    int64_t n = 0;
    ok(create(db, "j1", 0, 1, &no_limits, &err));
    assert_true(claim(f, db, "w1", 20, &first));
    struct job_fence old = fence_of(&first);
    ok(job_beat(db, &old, 20, &is_held, &is_cancelled, &err));
    assert_true(is_held && !is_cancelled);
    ok(job_requeue_expired(db, &n, &err));
    assert_int_equal(n, 0);
    sleep_ms(60);
    ok(job_requeue_expired(db, &n, &err));
    assert_int_equal(n, 1);
    assert_true(
        claim(f, db, "w1", LEASE_MS, &second)); /* the same worker again is another attempt */
    assert_int_equal(second.attempt, 2);
    assert_int_equal(second.crashes, 1);
    ok(job_beat(db, &old, LEASE_MS, &is_held, &is_cancelled, &err));
    assert_false(is_held);
    ok(job_progress(db, &old, 3, 0, &is_held, &err));
    assert_false(is_held);
    ok(job_finish(db, &old, JOB_FAILED, STR_NONE, STR_NONE, &is_held, &err));
    assert_false(is_held);
    assert_int_equal(get(f, db, "j1").state, JOB_RUNNING);
    db_release(db);
}

static void a_job_that_kills_every_worker_fails_in_the_end_and_progress_forgives(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct job_record job;
    int64_t n = 0;
    bool is_held = false;
    ok(create(db, "j1", 0, 1, &no_limits, &err));
    for (int i = 0; i < JOB_CRASHES_MAX + 2; i++) {
        assert_true(claim(f, db, "w", 1, &job));
        struct job_fence fence = fence_of(&job);
        if (i == 1) {
            ok(job_progress(db, &fence, 1, 0, &is_held, &err));
            assert_true(is_held);
        }
        sleep_ms(5);
        ok(job_requeue_expired(db, &n, &err));
        assert_int_equal(n, 1);
        if (i < JOB_CRASHES_MAX)
            assert_int_equal(get(f, db, "j1").state, JOB_QUEUED);
        else
            break;
    }
    job = get(f, db, "j1");
    assert_int_equal(job.state, JOB_FAILED);
    assert_int_equal(job.attempt, JOB_CRASHES_MAX + 1);
    assert_non_null(strstr(job.problem.ptr, "\"code\":\"X103\""));
    db_release(db);
}

static void a_queued_job_is_cancelled_at_once_and_a_running_one_is_asked(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct job_record job;
    enum job_state now = JOB_QUEUED;
    bool is_held = false, is_cancelled = false;
    int64_t n = 0;
    ok(create(db, "j1", 0, 1, &no_limits, &err));
    ok(job_cancel(db, STR("j1"), &now, &err));
    assert_int_equal(now, JOB_CANCELLED);
    assert_true(get(f, db, "j1").finished_ms > 0);
    assert_false(claim(f, db, "w", LEASE_MS, &job));
    ok(create(db, "j2", 0, 1, &no_limits, &err));
    assert_true(claim(f, db, "w", 20, &job));
    ok(job_cancel(db, STR("j2"), &now, &err));
    assert_int_equal(now, JOB_RUNNING);
    struct job_fence fence = fence_of(&job);
    ok(job_beat(db, &fence, 20, &is_held, &is_cancelled, &err));
    assert_true(is_held && is_cancelled);
    sleep_ms(60);
    ok(job_requeue_expired(db, &n, &err)); /* its server died before it heard */
    assert_int_equal(get(f, db, "j2").state, JOB_CANCELLED);
    expect(STATUS_UNKNOWN_JOB, job_cancel(db, STR("j3"), &now, &err));
    db_release(db);
}

static void limits_name_what_is_used_up(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    const struct job_limits jobs = {.per_owner = 2}, cells = {.cost_of_owner = 30},
                            queue = {.queued = 3};
    ok(create(db, "j1", 1, 20, &jobs, &err));
    ok(create(db, "j2", 1, 20, &jobs, &err));
    expect(STATUS_TOO_MANY_JOBS, create(db, "j3", 1, 20, &jobs, &err));
    assert_string_equal(err.allowed, "at most 2 jobs at the same time; see /v1/limits");
    assert_true(err.retry_after_s > 0);
    expect(STATUS_TOO_MANY_JOBS, create(db, "j3", 1, 1, &cells, &err));
    assert_non_null(strstr(err.allowed, "30 cells"));
    ok(create(db, "j3", 2, 30, &cells, &err));
    expect(STATUS_BUSY, create(db, "j4", 3, 1, &queue, &err));
    assert_int_equal(get(f, db, "j3").state, JOB_QUEUED);
    db_release(db);
}

static void the_owner_with_fewer_running_jobs_comes_first(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct job_record job;
    ok(create(db, "a1", 1, 1, &no_limits, &err));
    ok(create(db, "a2", 1, 1, &no_limits, &err));
    sleep_ms(3);
    ok(create(db, "b1", 2, 1, &no_limits, &err));
    assert_true(claim(f, db, "w", LEASE_MS, &job));
    assert_int_equal(job.owner, 1);
    assert_true(claim(f, db, "w", LEASE_MS, &job));
    assert_true(str_eq_c(job.id, "b1"));
    assert_true(claim(f, db, "w", LEASE_MS, &job));
    assert_int_equal(job.owner, 1);
    db_release(db);
}

static void a_job_handed_back_is_there_for_the_next(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct job_record job;
    ok(create(db, "j1", 0, 1, &no_limits, &err));
    assert_true(claim(f, db, "w1", LEASE_MS, &job));
    struct job_fence fence = fence_of(&job);
    ok(job_hand_back(db, &fence, &err));
    assert_true(claim(f, db, "w2", LEASE_MS, &job));
    assert_int_equal(job.crashes, 0);
    ok(job_hand_back(db, &fence, &err)); /* too late: it is another's */
    assert_int_equal(get(f, db, "j1").state, JOB_RUNNING);
    db_release(db);
}

static void finished_jobs_are_found_by_age_and_removed_with_their_log(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct job_record job;
    struct job_line *lines = NULL;
    struct str id;
    size_t n = 0;
    bool found = false, is_held = false;
    ok(create(db, "j1", 0, 1, &no_limits, &err));
    ok(job_log_add(db, STR("j1"), STR("first"), &err));
    ok(job_log_add(db, STR("j1"), STR("second"), &err));
    ok(job_log_add(db, STR("nobody"), STR("lost"), &err));
    ok(job_once(db, &(struct job_once){1, STR("k1"), STR("h"), STR("j1")}, &f->arena, &found, &id,
                &err));
    ok(job_once(db, &(struct job_once){1, STR("k2"), STR("h"), STR("j2")}, &f->arena, &found, &id,
                &err));
    ok(job_log_read(db, STR("j1"), 1, &f->arena, &lines, &n, &err));
    assert_int_equal(n, 1);
    assert_true(lines[0].seq == 2 && str_eq_c(lines[0].line, "second") && lines[0].at_ms > 0);
    ok(job_delete(db, STR("j1"), &err)); /* it waits: nothing happens */
    assert_int_equal(get(f, db, "j1").n_log, 2);
    assert_true(claim(f, db, "w", LEASE_MS, &job));
    struct job_fence fence = fence_of(&job);
    ok(job_finish(db, &fence, JOB_SUCCEEDED, STR_NONE, STR_NONE, &is_held, &err));
    ok(job_oldest(db, 60000, &f->arena, &id, &found, &err));
    assert_false(found);
    sleep_ms(5);
    ok(job_oldest(db, 1, &f->arena, &id, &found, &err));
    assert_true(found && str_eq_c(id, "j1"));
    ok(job_delete(db, id, &err));
    ok(job_get(db, STR("j1"), &f->arena, &job, &found, &err));
    assert_false(found);
    assert_string_equal(query_text(f, "SELECT COUNT(*) FROM job_log"), "0");
    assert_string_equal(query_text(f, "SELECT idempotency_key, job_id FROM idempotent_request"),
                        "k2|j2"); /* what is gone is not what a retry is answered with */
    db_release(db);
}

static void an_idempotency_key_stands_for_one_request_for_a_day(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct str id;
    bool is_new = false;
    ok(job_once(db, &(struct job_once){1, STR("k"), STR("h1"), STR("j1")}, &f->arena, &is_new, &id,
                &err));
    assert_true(is_new);
    ok(job_once(db, &(struct job_once){1, STR("k"), STR("h1"), STR("j2")}, &f->arena, &is_new, &id,
                &err));
    assert_true(!is_new && str_eq_c(id, "j1"));
    ok(job_once(db, &(struct job_once){2, STR("k"), STR("h2"), STR_NONE}, &f->arena, &is_new, &id,
                &err));
    assert_true(is_new); /* another caller's key */
    ok(job_once(db, &(struct job_once){2, STR("k"), STR("h2"), STR_NONE}, &f->arena, &is_new, &id,
                &err));
    assert_true(!is_new && id.ptr == NULL);
    expect(STATUS_IDEMPOTENCY_MISMATCH,
           job_once(db, &(struct job_once){1, STR("k"), STR("h2"), STR("j3")}, &f->arena, &is_new,
                    &id, &err));
    ok(db_exec(db, "UPDATE idempotent_request SET created_ms = created_ms - 86400001", NO_PARAMS,
               NULL, &err));
    ok(job_once(db, &(struct job_once){1, STR("k"), STR("h2"), STR("j3")}, &f->arena, &is_new, &id,
                &err));
    assert_true(is_new);
    ok(job_once_purge(db, &err));
    db_release(db);
    assert_string_equal(query_text(f, "SELECT owner, job_id FROM idempotent_request"), "1|j3");
}

enum { RACERS = 4, RACED_JOBS = 40 };

struct racer {
    struct fixture *fixture;
    char name[8];
    int n_finished;
};

static void *race(void *cls)
{
    struct racer *racer = cls;
    struct arena arena;
    struct err err = {0};
    struct db *db = NULL;
    arena_init(&arena, 8 << 20);
    if (db_acquire(racer->fixture->pool, DB_WRITE, NULL, &db, &err) != STATUS_OK)
        return NULL;
    for (bool found = true; found;) {
        struct job_record job;
        bool is_held = false;
        enum status s =
            job_claim(db, str_of(racer->name), STR(",test,"), LEASE_MS, &arena, &job, &found, &err);
        if (s == STATUS_DB_CONFLICT) {
            found = true;
            continue;
        }
        if (s != STATUS_OK || !found)
            break;
        struct job_fence fence = fence_of(&job);
        if (job_finish(db, &fence, JOB_SUCCEEDED, STR_NONE, STR_NONE, &is_held, &err) == STATUS_OK)
            racer->n_finished += is_held;
    }
    db_release(db);
    arena_clear(&arena);
    return NULL;
}

static void several_workers_share_the_queue_and_no_job_is_done_twice(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    int n = 0;
    for (int i = 0; i < RACED_JOBS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "j%d", i);
        ok(create(db, id, i % 3, 1, &no_limits, &err));
    }
    db_release(db);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.fixture = f};
        (void)snprintf(racers[i].name, sizeof racers[i].name, "w%d", i);
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        n += racers[i].n_finished;
    }
    assert_int_equal(n, RACED_JOBS);
    assert_string_equal(
        query_text(f, "SELECT state, COUNT(*), MAX(attempt) FROM job GROUP BY state"),
        "succeeded|40|1");
}

static enum status create_only(struct db *db, const char *id, const char *only, struct err *err)
{
    const struct job_new job = {.id = str_of(id),
                                .type = STR("test"),
                                .request = STR("{}"),
                                .only_one = str_of(only),
                                .tries_max = 4};
    enum status s = db_begin(db, err);
    if (s == STATUS_OK)
        s = job_create(db, &job, &no_limits, err);
    if (s == STATUS_OK)
        return db_commit(db, err);
    db_rollback(db);
    return s;
}

static void what_may_run_once_is_refused_until_it_is_over(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct job_record job;
    bool is_held = false;
    ok(create_only(db, "j1", "coin", &err));
    expect(STATUS_JOB_EXISTS, create_only(db, "j2", "coin", &err));
    assert_non_null(strstr(err.allowed, "/v1/jobs/j1"));
    ok(create_only(db, "j3", "fx", &err));
    assert_true(claim(f, db, "w1", LEASE_MS, &job));
    assert_true(str_eq_c(job.id, "j1") && job.tries_max == 4 && job.tries == 0);
    expect(STATUS_JOB_EXISTS, create_only(db, "j2", "coin", &err));
    struct job_fence fence = fence_of(&job);
    ok(job_finish(db, &fence, JOB_FAILED, STR_NONE, STR("{}"), &is_held, &err));
    ok(create_only(db, "j2", "coin", &err));
    db_release(db);
}

static void a_job_that_is_tried_again_waits_for_its_time(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct job_record job, none;
    bool is_held = false;
    ok(create_only(db, "j1", "coin", &err));
    assert_true(claim(f, db, "w1", LEASE_MS, &job));
    struct job_fence fence = fence_of(&job);
    ok(job_retry(db, &fence, 60000, STR("{\"why\":1}"), &is_held, &err));
    assert_true(is_held);
    ok(job_retry(db, &fence, 60000, STR("{}"), &is_held, &err));
    assert_false(is_held); /* the job is nobody's now */
    assert_false(claim(f, db, "w1", LEASE_MS, &none));
    job = get(f, db, "j1");
    assert_true(job.state == JOB_QUEUED && job.tries == 1 && str_eq_c(job.problem, "{\"why\":1}"));
    assert_true(job.ready_ms > job.now_ms + 30000 && job.ready_ms <= job.now_ms + 60000);
    expect(STATUS_JOB_EXISTS, create_only(db, "j2", "coin", &err));
    run_sql(f, "UPDATE job SET ready_ms = 0");
    assert_true(claim(f, db, "w2", LEASE_MS, &job));
    db_release(db);
}

static void stages_are_written_by_the_holder_of_the_job_alone(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = writer(f);
    struct job_record job, other;
    bool is_held = false;
    int64_t n_expired = 0;
    ok(create_only(db, "j1", "coin", &err));
    assert_true(claim(f, db, "w1", 1, &job));
    struct job_fence fence = fence_of(&job);
    ok(job_stage_begin(db, &fence, 0, STR("bronze"), &is_held, &err));
    assert_true(is_held);
    sleep_ms(20);
    ok(job_requeue_expired(db, &n_expired, &err));
    assert_true(claim(f, db, "w2", LEASE_MS, &other));
    ok(job_stage_end(db, &fence, 0, true, STR("{\"rows\":1}"), &is_held, &err));
    assert_false(is_held);
    ok(job_stage_read(db, &f->arena, &job, &err));
    assert_int_equal(job.n_stages, 1);
    assert_true(str_eq_c(job.stages[0].state, "running") && job.stages[0].attempts == 1);
    fence = fence_of(&other);
    ok(job_stage_begin(db, &fence, 0, STR("bronze"), &is_held, &err));
    ok(job_stage_end(db, &fence, 0, true, STR("{\"rows\":2}"), &is_held, &err));
    ok(job_stage_begin(db, &fence, 1, STR("silver"), &is_held, &err));
    ok(job_stage_end(db, &fence, 1, false, STR_NONE, &is_held, &err));
    ok(job_stage_read(db, &f->arena, &job, &err));
    assert_int_equal(job.n_stages, 2);
    const struct job_stage *stages = job.stages;
    assert_true(str_eq_c(stages[0].state, "succeeded") && stages[0].attempts == 2);
    assert_true(str_eq_c(stages[0].report, "{\"rows\":2}") && stages[0].finished_ms > 0);
    assert_true(str_eq_c(stages[1].name, "silver") && str_eq_c(stages[1].state, "failed"));
    assert_int_equal(get(f, db, "j1").n_done, 1);
    ok(job_finish(db, &fence, JOB_FAILED, STR_NONE, STR_NONE, &is_held, &err));
    ok(job_delete(db, STR("j1"), &err));
    assert_string_equal(query_text(f, "SELECT COUNT(*) FROM job_stage"), "0");
    db_release(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_job_is_claimed_once_and_finished_by_its_worker),
        TEST(a_job_of_another_type_is_left_to_those_who_know_it),
        TEST(an_expired_lease_fences_its_worker_off),
        TEST(a_job_that_kills_every_worker_fails_in_the_end_and_progress_forgives),
        TEST(a_queued_job_is_cancelled_at_once_and_a_running_one_is_asked),
        TEST(limits_name_what_is_used_up),
        TEST(the_owner_with_fewer_running_jobs_comes_first),
        TEST(a_job_handed_back_is_there_for_the_next),
        TEST(finished_jobs_are_found_by_age_and_removed_with_their_log),
        TEST(an_idempotency_key_stands_for_one_request_for_a_day),
        TEST(what_may_run_once_is_refused_until_it_is_over),
        TEST(a_job_that_is_tried_again_waits_for_its_time),
        TEST(stages_are_written_by_the_holder_of_the_job_alone),
        TEST(several_workers_share_the_queue_and_no_job_is_done_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
