/* test_price_book.c - series read once, shared, bounded, and replaced when the data moves on; with threads. */
#include "base/clock.h"
#include "base/lock.h"
#include "handlers/price_book.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* A source of series: each holds the number of the read that made it. */
struct source {
    atomic_int n_reads;
    atomic_int n_failures_left;
    int sleep_ms;
    size_t n_rows;
};

static enum status read_one(void *cls, struct str uid, struct arena *arena,
                            struct price_series *ret, struct err *err)
{
    struct source *source = cls;
    int read = atomic_fetch_add(&source->n_reads, 1) + 1;
    struct timespec nap = {0, source->sleep_ms * 1000000L};
    if (source->sleep_ms > 0)
        (void)nanosleep(&nap, NULL);
    if (atomic_load(&source->n_failures_left) > 0 &&
        atomic_fetch_sub(&source->n_failures_left, 1) > 0)
        return err_set(err, STATUS_DB_UNAVAILABLE, "The database is down.");
    double *price = arena_array(arena, source->n_rows, sizeof *price);
    if (price == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory.");
    for (size_t i = 0; i < source->n_rows; i++)
        price[i] = read;
    *ret = (struct price_series){.uid = uid, .n = source->n_rows, .price = price};
    return STATUS_OK;
}

static struct price_page *get(struct price_book *book, int64_t version, const char *uid,
                              struct source *source)
{
    struct price_page *page = NULL;
    struct err err = {0};
    enum status s = price_book_get(book, version, str_of(uid), read_one, source, NULL, &page, &err);
    if (s != STATUS_OK)
        fail_msg("%s: %s", status_name(s), err.detail);
    return page;
}

static struct price_book *book_of(size_t max_bytes)
{
    struct price_book *book = NULL;
    struct err err = {0};
    assert_int_equal(price_book_new(max_bytes, &book, &err), STATUS_OK);
    return book;
}

static void a_series_is_read_once(void **state)
{
    struct source source = {.n_rows = 10};
    struct price_book *book = book_of(1 << 20);
    (void)state;
    struct price_page *a = get(book, 1, "x:A", &source), *again = get(book, 1, "x:A", &source);
    assert_ptr_equal(a, again);
    assert_true(str_eq_c(price_page_series(a)->uid, "x:A"));
    price_book_release(book, a);
    price_book_release(book, again);
    price_book_release(book, get(book, 1, "x:A", &source));
    price_book_release(book, get(book, 1, "x:B", &source));
    assert_int_equal(atomic_load(&source.n_reads), 2);
    struct price_book_stats stats = price_book_stats(book);
    assert_int_equal(stats.hits, 2);
    assert_int_equal(stats.misses, 2);
    assert_int_equal(stats.series, 2);
    assert_true(stats.bytes > 0);
    price_book_free(book);
}

static void a_later_version_replaces_everything_but_what_is_held(void **state)
{
    struct source source = {.n_rows = 4};
    struct price_book *book = book_of(1 << 20);
    (void)state;
    struct price_page *old = get(book, 5, "x:A", &source);
    struct price_page *new = get(book, 6, "x:A", &source);
    assert_ptr_not_equal(old, new);
    assert_true(price_page_series(old)->price[3] == 1);
    assert_true(price_page_series(new)->price[3] == 2);
    assert_int_equal(price_book_stats(book).series, 1);
    price_book_release(book, old);
    struct price_page *older =
        get(book, 5, "x:A", &source); /* a run that began before the publish */
    assert_true(price_page_series(older)->price[0] == 3);
    assert_int_equal(price_book_stats(book).series, 1);
    price_book_release(book, older);
    price_book_release(book, new);
    new = get(book, 6, "x:A", &source);
    assert_true(price_page_series(new)->price[0] == 2);
    price_book_release(book, new);
    price_book_free(book);
}

static void the_longest_unused_goes_first_and_what_is_held_stays(void **state)
{
    struct source source = {.n_rows = 16384}; /* 128 KiB each */
    struct price_book *book = book_of(450 << 10);
    (void)state;
    struct price_page *held = get(book, 1, "x:HELD", &source);
    price_book_release(book, get(book, 1, "x:A", &source));
    price_book_release(book, get(book, 1, "x:B", &source));
    price_book_release(book, get(book, 1, "x:A", &source)); /* B is now the longest unused */
    price_book_release(book, get(book, 1, "x:C", &source));
    assert_int_equal(price_book_stats(book).evictions, 1);
    assert_true(price_book_stats(book).bytes <= 450 << 10);
    int before = atomic_load(&source.n_reads);
    price_book_release(book, get(book, 1, "x:HELD", &source));
    price_book_release(book, get(book, 1, "x:A", &source));
    assert_int_equal(atomic_load(&source.n_reads), before);
    price_book_release(book, get(book, 1, "x:B", &source));
    assert_int_equal(atomic_load(&source.n_reads), before + 1);
    price_book_release(book, held);
    price_book_free(book);
}

static void what_does_not_fit_serves_its_run_and_is_not_kept(void **state)
{
    struct source source = {.n_rows = 16384};
    struct price_book *book = book_of(1000);
    (void)state;
    for (int i = 1; i <= 3; i++) {
        struct price_page *page = get(book, 1, "x:A", &source);
        assert_true(price_page_series(page)->price[16383] == i);
        price_book_release(book, page);
        assert_int_equal(price_book_stats(book).bytes, 0);
        assert_int_equal(price_book_stats(book).series, 0);
    }
    struct price_page *alone = get(NULL, 1, "x:A", &source); /* no book at all */
    assert_true(price_page_series(alone)->price[0] == 4);
    price_book_release(NULL, alone);
    price_book_free(book);
}

static void a_failed_read_leaves_nothing_behind(void **state)
{
    struct source source = {.n_rows = 4, .n_failures_left = 1};
    struct price_book *book = book_of(1 << 20);
    struct price_page *page = NULL;
    struct err err = {0};
    (void)state;
    assert_int_equal(price_book_get(book, 1, STR("x:A"), read_one, &source, NULL, &page, &err),
                     STATUS_DB_UNAVAILABLE);
    assert_null(page);
    assert_int_equal(price_book_stats(book).series, 0);
    price_book_release(book, get(book, 1, "x:A", &source));
    assert_int_equal(price_book_stats(book).series, 1);
    price_book_free(book);
}

struct crowd {
    struct price_book *book;
    struct source source;
    atomic_int n_wrong, n_failed;
    struct stop stop;
};

static void *ask_once(void *cls)
{
    struct crowd *crowd = cls;
    struct price_page *page = NULL;
    struct err err = {0};
    if (price_book_get(crowd->book, 1, STR("x:A"), read_one, &crowd->source, &crowd->stop, &page,
                       &err) != STATUS_OK) {
        atomic_fetch_add(&crowd->n_failed, 1);
        return NULL;
    }
    if (!(price_page_series(page)->price[0] > 0))
        atomic_fetch_add(&crowd->n_wrong, 1);
    price_book_release(crowd->book, page);
    return NULL;
}

enum { CROWD = 12 };

static void run_crowd(struct crowd *crowd, void *(*work)(void *))
{
    pthread_t threads[CROWD];
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, crowd), 0);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void many_that_ask_at_once_wait_for_one_read(void **state)
{
    struct crowd crowd = {.book = book_of(1 << 20), .source = {.n_rows = 8, .sleep_ms = 60}};
    (void)state;
    run_crowd(&crowd, ask_once);
    assert_int_equal(atomic_load(&crowd.source.n_reads), 1);
    assert_int_equal(atomic_load(&crowd.n_wrong) + atomic_load(&crowd.n_failed), 0);
    assert_int_equal(price_book_stats(crowd.book).hits, CROWD - 1);
    price_book_free(crowd.book);
}

static void those_that_waited_for_a_failed_read_try_themselves(void **state)
{
    struct crowd crowd = {.book = book_of(1 << 20),
                          .source = {.n_rows = 8, .sleep_ms = 60, .n_failures_left = 1}};
    (void)state;
    run_crowd(&crowd, ask_once);
    assert_int_equal(atomic_load(&crowd.n_failed), 1);
    assert_int_equal(atomic_load(&crowd.source.n_reads), 2);
    price_book_free(crowd.book);
}

static void *stop_soon(void *cls)
{
    struct crowd *crowd = cls;
    struct timespec nap = {0, 30000000};
    (void)nanosleep(&nap, NULL);
    stop_raise(&crowd->stop, STOP_CLIENT_GONE);
    return NULL;
}

static void *read_slowly(void *cls)
{
    struct crowd *crowd = cls;
    price_book_release(crowd->book, get(crowd->book, 1, "x:A", &crowd->source));
    return NULL;
}

static void who_waits_listens_to_its_own_stop_word(void **state)
{
    struct crowd crowd = {.book = book_of(1 << 20), .source = {.n_rows = 8, .sleep_ms = 900}};
    struct price_page *page = NULL;
    struct err err = {0};
    pthread_t reader, stopper;
    (void)state;
    assert_int_equal(pthread_create(&reader, NULL, read_slowly, &crowd), 0);
    while (atomic_load(&crowd.source.n_reads) == 0) {
    }
    int64_t from_ns = clock_mono_ns();
    assert_int_equal(pthread_create(&stopper, NULL, stop_soon, &crowd), 0);
    assert_int_equal(price_book_get(crowd.book, 1, STR("x:A"), read_one, &crowd.source, &crowd.stop,
                                    &page, &err),
                     STATUS_CLIENT_GONE);
    assert_true(clock_mono_ns() - from_ns < 700000000);
    assert_int_equal(pthread_join(stopper, NULL), 0);
    assert_int_equal(pthread_join(reader, NULL), 0);
    assert_int_equal(price_book_stats(crowd.book).series, 1);
    price_book_free(crowd.book);
}

/* Versions that rise, a book too small for all, six names: no page is wrong, and nothing is left at the end. */
static void *churn(void *cls)
{
    struct crowd *crowd = cls;
    for (int i = 0; i < 400; i++) {
        char uid[8];
        struct price_page *pages[3];
        for (int k = 0; k < 3; k++) {
            (void)snprintf(uid, sizeof uid, "x:%c", 'A' + (i * 7 + k * 5) % 6);
            pages[k] = get(crowd->book, 1 + i / 40, uid, &crowd->source);
            if (!str_eq_c(price_page_series(pages[k])->uid, uid))
                atomic_fetch_add(&crowd->n_wrong, 1);
        }
        for (int k = 0; k < 3; k++) {
            const struct price_series *series = price_page_series(pages[k]);
            if (memcmp(&series->price[0], &series->price[series->n - 1], sizeof(double)) != 0)
                atomic_fetch_add(&crowd->n_wrong, 1);
            price_book_release(crowd->book, pages[k]);
        }
    }
    return NULL;
}

static void a_crowd_with_moving_data_and_little_room_sees_whole_series(void **state)
{
    struct crowd crowd = {.book = book_of(70 << 10), .source = {.n_rows = 2000}};
    (void)state;
    run_crowd(&crowd, churn);
    assert_int_equal(atomic_load(&crowd.n_wrong), 0);
    struct price_book_stats stats = price_book_stats(crowd.book);
    assert_true(stats.bytes <= 70 << 10);
    assert_true(stats.evictions > 0);
    price_book_free(crowd.book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_is_read_once),
        cmocka_unit_test(a_later_version_replaces_everything_but_what_is_held),
        cmocka_unit_test(the_longest_unused_goes_first_and_what_is_held_stays),
        cmocka_unit_test(what_does_not_fit_serves_its_run_and_is_not_kept),
        cmocka_unit_test(a_failed_read_leaves_nothing_behind),
        cmocka_unit_test(many_that_ask_at_once_wait_for_one_read),
        cmocka_unit_test(those_that_waited_for_a_failed_read_try_themselves),
        cmocka_unit_test(who_waits_listens_to_its_own_stop_word),
        cmocka_unit_test(a_crowd_with_moving_data_and_little_room_sees_whole_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
