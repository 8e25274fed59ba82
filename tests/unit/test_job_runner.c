/* test_job_runner.c - jobs run to one end each: success, failure, cancel, deadline, shutdown, takeover. */
#include "tests/support/store_fixture.h"

#include "base/clock.h"
#include "jobs/runner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PIECES = 5, WAIT_MS = 20000 };

static void sleep_ms(long ms)
{
    (void)nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

struct work {
    atomic_int n_calls, n_pieces;
    long piece_ms;
    bool fails, fails_for_now;
};

/* Works in pieces, each written down; goes on behind the last one that an earlier worker wrote. */
static enum status work(struct job_run *run, void *cls, struct str *ret_result, struct err *err)
{
    struct work *w = cls;
    atomic_fetch_add(&w->n_calls, 1);
    if (w->fails)
        return err_set(err, STATUS_BAD_SPEC, "It cannot be done.");
    if (w->fails_for_now)
        return err_set(err, STATUS_BUSY, "It cannot be done now.");
    for (int64_t i = run->job->n_done; i < PIECES; i++) {
        CLEANUP(db_releasep) struct db *db = NULL;
        bool is_held = false;
        for (long waited = 0; waited < w->piece_ms; waited += 5) {
            if (stop_is_raised(&run->stop))
                return stop_status(&run->stop, err);
            sleep_ms(5);
        }
        enum status s = db_acquire(run->pool, DB_WRITE, NULL, &db, err);
        if (s == STATUS_OK)
            s = job_progress(db, &run->fence, i + 1, 0, &is_held, err);
        if (s != STATUS_OK || !is_held)
            return s != STATUS_OK ? s : STATUS_DRAINING;
        atomic_fetch_add(&w->n_pieces, 1);
    }
    *ret_result = STR("{\"done\":true}");
    return STATUS_OK;
}

static bool may_pass(enum status s)
{
    return s == STATUS_BUSY;
}

static struct jobs *start(struct fixture *f, struct work *w, unsigned n_slots, unsigned lease_ms)
{
    struct err err = {0};
    struct jobs *jobs = NULL;
    struct job_type *type = ARENA_NEW(&f->arena, struct job_type);
    *type = (struct job_type){.name = "test", .run = work, .cls = w, .may_pass = may_pass};
    const struct jobs_options options = {.pool = f->pool,
                                         .types = type,
                                         .n_types = 1,
                                         .n_slots = n_slots,
                                         .lease_ms = lease_ms,
                                         .arena_bytes = 8 << 20};
    ok(jobs_new(&options, &jobs, &err));
    return jobs;
}

static void create(struct fixture *f, const char *id, int64_t deadline_ms)
{
    struct err err = {0};
    struct db *db = NULL;
    const struct job_limits none = {0};
    const struct job_new job = {.id = str_of(id),
                                .type = STR("test"),
                                .request = STR("{}"),
                                .n_items = PIECES,
                                .deadline_ms = deadline_ms};
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(db_begin(db, &err));
    ok(job_create(db, &job, &none, &err));
    ok(db_commit(db, &err));
    db_release(db);
}

static struct job_record get(struct fixture *f, const char *id)
{
    struct err err = {0};
    struct db *db = NULL;
    struct job_record job = {.id = STR_NONE};
    bool found = false;
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    ok(job_get(db, str_of(id), &f->arena, &job, &found, &err));
    db_release(db);
    assert_true(found);
    return job;
}

static struct job_record wait_for(struct fixture *f, const char *id, enum job_state state)
{
    struct job_record job = get(f, id);
    for (int64_t from = clock_mono_ns(); job.state != state; job = get(f, id)) {
        if (clock_mono_ns() - from > (int64_t)WAIT_MS * 1000000)
            fail_msg("%s is %s", id, job_state_names[job.state]);
        sleep_ms(5);
    }
    return job;
}

static void jobs_run_to_their_end_and_leave_a_result(void **state)
{
    struct fixture *f = *state;
    struct work w = {.piece_ms = 0};
    for (int i = 0; i < 6; i++) {
        char id[8];
        (void)snprintf(id, sizeof id, "j%d", i);
        create(f, id, 0);
    }
    struct jobs *jobs = start(f, &w, 2, 30000);
    for (int i = 0; i < 6; i++) {
        char id[8];
        (void)snprintf(id, sizeof id, "j%d", i);
        struct job_record job = wait_for(f, id, JOB_SUCCEEDED);
        assert_true(str_eq_c(job.result, "{\"done\":true}"));
        assert_int_equal(job.n_done, PIECES);
    }
    assert_int_equal(w.n_calls, 6);
    jobs_free(jobs);
}

static void a_failure_is_kept_as_a_problem(void **state)
{
    struct fixture *f = *state;
    struct work w = {.fails = true};
    create(f, "j1", 0);
    struct jobs *jobs = start(f, &w, 1, 30000);
    struct job_record job = wait_for(f, "j1", JOB_FAILED);
    assert_non_null(strstr(job.problem.ptr, "\"type\":\"/docs/problems/bad-spec\""));
    assert_non_null(strstr(job.problem.ptr, "\"detail\":\"It cannot be done.\""));
    jobs_free(jobs);
    assert_int_equal(w.n_calls, 1);
}

/* With three tries, a failure that may pass is tried again twice, each time later. */
static void a_failure_that_may_pass_is_tried_again(void **state)
{
    struct fixture *f = *state;
    struct work w = {.fails_for_now = true};
    create(f, "j1", 0);
    run_sql(f, "UPDATE job SET tries_max = 3");
    struct jobs *jobs = start(f, &w, 1, 30000);
    for (int tries = 1; tries < 3; tries++) {
        struct job_record job = get(f, "j1");
        for (int64_t from = clock_mono_ns(); job.tries != tries; job = get(f, "j1")) {
            assert_true(clock_mono_ns() - from < (int64_t)WAIT_MS * 1000000);
            sleep_ms(5);
        }
        assert_int_equal(job.state, JOB_QUEUED);
        assert_true(job.ready_ms >= job.started_ms + 1000);
        assert_true(job.ready_ms <= job.now_ms + (30000 << (tries - 1)));
        assert_non_null(strstr(job.problem.ptr, "It cannot be done now."));
        run_sql(f, "UPDATE job SET ready_ms = 0");
        jobs_poke(jobs);
    }
    struct job_record job = wait_for(f, "j1", JOB_FAILED);
    assert_true(job.tries == 2 && job.attempt == 3);
    assert_int_equal(w.n_calls, 3);
    jobs_free(jobs);
}

static void a_cancel_ends_a_running_job_soon(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct work w = {.piece_ms = 60000};
    struct db *db = NULL;
    enum job_state now;
    create(f, "j1", 0);
    struct jobs *jobs = start(f, &w, 1, 30000);
    (void)wait_for(f, "j1", JOB_RUNNING);
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(job_cancel(db, STR("j1"), &now, &err));
    db_release(db);
    assert_int_equal(now, JOB_RUNNING);
    jobs_poke(jobs);
    (void)wait_for(f, "j1", JOB_CANCELLED);
    jobs_free(jobs);
}

static void a_deadline_fails_the_job(void **state)
{
    struct fixture *f = *state;
    struct work w = {.piece_ms = 60000};
    create(f, "j1", 50);
    struct jobs *jobs = start(f, &w, 1, 600);
    struct job_record job = wait_for(f, "j1", JOB_FAILED);
    assert_non_null(strstr(job.problem.ptr, "\"code\":\"L105\""));
    jobs_free(jobs);
}

static void a_shutdown_hands_the_job_back_and_the_next_goes_on_behind_its_last_piece(void **state)
{
    struct fixture *f = *state;
    struct work first = {.piece_ms = 50}, second = {.piece_ms = 0};
    create(f, "j1", 0);
    struct jobs *jobs = start(f, &first, 1, 30000);
    while (atomic_load(&first.n_pieces) < 2)
        sleep_ms(5);
    jobs_free(jobs);
    struct job_record job = get(f, "j1");
    assert_int_equal(job.state, JOB_QUEUED);
    assert_true(job.n_done >= 2 && job.n_done < PIECES);
    jobs = start(f, &second, 1, 30000);
    job = wait_for(f, "j1", JOB_SUCCEEDED);
    jobs_free(jobs);
    assert_int_equal(first.n_pieces + second.n_pieces, PIECES);
    assert_int_equal(job.crashes, 0);
}

/* A server that died: its job is claimed by nobody who lives. */
static void what_a_dead_server_left_is_taken_over_when_its_lease_is_over(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct work w = {.piece_ms = 0};
    struct db *db = NULL;
    struct job_record job;
    bool found = false, is_held = false;
    create(f, "j1", 0);
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(job_claim(db, STR("dead"), STR(",test,"), 300, &f->arena, &job, &found, &err));
    assert_true(found);
    const struct job_fence fence = {job.id, job.worker, job.attempt};
    ok(job_progress(db, &fence, 3, 0, &is_held, &err));
    db_release(db);
    struct jobs *jobs = start(f, &w, 1, 600);
    job = wait_for(f, "j1", JOB_SUCCEEDED);
    jobs_free(jobs);
    assert_int_equal(job.attempt, 2);
    assert_int_equal(w.n_pieces, PIECES - 3);
}

static void a_lease_is_renewed_for_as_long_as_the_work_lasts(void **state)
{
    struct fixture *f = *state;
    struct work w = {.piece_ms = 300};
    create(f, "j1", 0);
    struct jobs *one = start(f, &w, 1, 600), *other = start(f, &w, 1, 600);
    struct job_record job = wait_for(f, "j1", JOB_SUCCEEDED);
    assert_int_equal(job.attempt, 1); /* five pieces take much longer than a lease */
    assert_int_equal(w.n_calls, 1);
    jobs_free(one);
    jobs_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(jobs_run_to_their_end_and_leave_a_result),
        TEST(a_failure_is_kept_as_a_problem),
        TEST(a_failure_that_may_pass_is_tried_again),
        TEST(a_cancel_ends_a_running_job_soon),
        TEST(a_deadline_fails_the_job),
        TEST(a_shutdown_hands_the_job_back_and_the_next_goes_on_behind_its_last_piece),
        TEST(what_a_dead_server_left_is_taken_over_when_its_lease_is_over),
        TEST(a_lease_is_renewed_for_as_long_as_the_work_lasts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
