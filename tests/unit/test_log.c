/* test_log.c - log.h with its writer: nothing lost, order kept, and nobody held up by a reader that is stuck. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREADS = 4, LINES = 3000, TEXT_BYTES = 4 << 20 };

static int kept_stderr;

/* Standard error goes to fd until restore_stderr. */
static void redirect(int fd)
{
    kept_stderr = dup(STDERR_FILENO);
    assert_true(kept_stderr >= 0);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
}

static void restore_stderr(void)
{
    assert_true(dup2(kept_stderr, STDERR_FILENO) >= 0);
    (void)close(kept_stderr);
}

static void *write_lines(void *cls)
{
    int thread = *(int *)cls;
    for (int i = 0; i < LINES; i++)
        log_event(LOG_INFO, "line", LOG_I64("thread", thread), LOG_I64("n", i),
                  LOG_MS("ms", (int64_t)i * 1000000 + 500000));
    return NULL;
}

static void write_from_threads(void)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

/* Every line once, whole, and each thread's in order. */
static void assert_complete(char *text)
{
    int next[THREADS] = {0}, n = 0;
    for (char *line = text, *end; (end = strchr(line, 10)) != NULL; line = end + 1, n++) {
        *end = 0;
        const char *at = strstr(line, "\"event\":\"line\",\"thread\":");
        int thread = 0, number = 0, ms = 0;
        assert_non_null(at);
        assert_int_equal(sscanf(at, "\"event\":\"line\",\"thread\":%d,\"n\":%d,\"ms\":%d.500}",
                                &thread, &number, &ms),
                         3);
        assert_in_range(thread, 0, THREADS - 1);
        assert_int_equal(number, next[thread]);
        assert_int_equal(ms, number);
        next[thread]++;
    }
    assert_int_equal(n, THREADS * LINES);
}

static void lines_of_many_threads_arrive_whole_and_in_order(void **state)
{
    (void)state;
    char path[] = "/tmp/cmmc-test-log-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (int with_writer = 0; with_writer < 2; with_writer++) {
        uint64_t dropped = log_dropped();
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        redirect(fd);
        enum status s = with_writer != 0 ? log_start(NULL) : STATUS_OK;
        write_from_threads();
        log_stop();
        restore_stderr();
        assert_int_equal(s, STATUS_OK);
        assert_int_equal(log_dropped(), dropped);
        char *text = calloc(1, TEXT_BYTES);
        assert_non_null(text);
        assert_true(pread(fd, text, TEXT_BYTES - 1, 0) > 0);
        assert_complete(text);
        free(text);
    }
    (void)close(fd);
    (void)unlink(path);
}

static void line_is_written_soon_without_a_stop(void **state)
{
    (void)state;
    int pipes[2];
    char text[256] = "";
    assert_int_equal(pipe(pipes), 0);
    redirect(pipes[1]);
    enum status s = log_start(NULL);
    log_event(LOG_INFO, "soon", LOG_I64("n", 1));
    ssize_t n = read(pipes[0], text, sizeof text - 1); /* waits until it comes */
    log_stop();
    restore_stderr();
    assert_int_equal(s, STATUS_OK);
    assert_true(n > 0);
    assert_non_null(strstr(text, "\"event\":\"soon\",\"n\":1}\n"));
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

/* Nobody reads the pipe: the threads that log go on, what does not fit is counted, and stopping ends. */
static void stuck_reader_costs_lines_and_not_time(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    uint64_t dropped = log_dropped();
    redirect(pipes[1]);
    enum status s = log_start(NULL);
    int64_t from_ns = clock_mono_ns();
    write_from_threads();
    int64_t written_ns = clock_mono_ns();
    log_stop();
    int64_t stopped_ns = clock_mono_ns();
    restore_stderr();
    assert_int_equal(s, STATUS_OK);
    assert_true(log_dropped() > dropped);
    assert_true(written_ns - from_ns < 2000000000);
    assert_true(stopped_ns - written_ns < 4000000000);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_many_threads_arrive_whole_and_in_order),
        cmocka_unit_test(line_is_written_soon_without_a_stop),
        cmocka_unit_test(stuck_reader_costs_lines_and_not_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
