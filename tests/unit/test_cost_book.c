/* test_cost_book.c - what runs cost adds up by month and data set, whoever wrote the lines. */
#include "base/date.h"
#include "ingest/cost_book.h"
#include "ingest/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/cmmc-costs-XXXXXX");
    arena_init(&arena, 16 << 20);
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static void book_path(char path[128])
{
    (void)snprintf(path, 128, "%s/costs.csv", folder);
}

static int tear_down(void **state)
{
    char path[128];
    (void)state;
    book_path(path);
    (void)remove(path);
    (void)remove(folder);
    arena_clear(&arena);
    return 0;
}

static void append(const char *text)
{
    char path[128];
    book_path(path);
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static size_t read_book(struct cost_sum **sums)
{
    struct err err = {0};
    size_t n = 0;
    assert_int_equal(cost_book_read(folder, &arena, sums, &n, &err), STATUS_OK);
    return n;
}

static void no_book_is_no_costs(void **state)
{
    struct cost_sum *sums = NULL;
    (void)state;
    assert_int_equal(read_book(&sums), 0);
}

static void stages_of_a_month_add_up(void **state)
{
    const struct ingest_task task = {.dataset = dataset_find(STR("coin"))};
    const struct ingest_report bronze = {.requests = 3, .bytes = 1000, .s3_puts = 4, .s3_lists = 1};
    const struct ingest_report silver = {.s3_gets = 7, .s3_bytes = 50, .rows_copied = 30};
    struct cost_sum *sums = NULL;
    (void)state;
    append(
        "2019-12-31T23:59:59Z,coin,bronze,2019-12-01,2019-12-30,ok,binance,5,9,0,0,0,1,2,3,4,6\n");
    cost_book_add(folder, "bronze", &task, &bronze, STATUS_OK);
    cost_book_add(folder, "silver", &task, &silver, STATUS_IO);
    assert_int_equal(read_book(&sums), 2);
    assert_string_equal(sums[0].month, "2019-12");
    assert_int_equal(sums[0].requests, 5);
    assert_int_equal(sums[0].rows_copied, 6);
    assert_string_equal(sums[1].dataset, "coin");
    assert_int_equal(sums[1].stages, 2);
    assert_int_equal(sums[1].requests, 3);
    assert_int_equal(sums[1].bytes, 1000);
    assert_int_equal(sums[1].s3_puts, 4);
    assert_int_equal(sums[1].s3_lists, 1);
    assert_int_equal(sums[1].s3_gets, 7);
    assert_int_equal(sums[1].s3_bytes, 50);
    assert_int_equal(sums[1].rows_copied, 30);
}

static void broken_lines_are_passed_over(void **state)
{
    struct cost_sum *sums = NULL;
    (void)state;
    append(
        "2019-12-31T23:59:59Z,coin,bronze,2019-12-01,2019-12-30,ok,binance,much,9,0,0,0,1,2,3,4,6\n");
    append("2019-12\n");
    append(
        "2019-12-31T23:59:59Z,coin,bronze,2019-12-01,2019-12-30,ok,binance,5,9,0,0,0,1,2,3,4,6\n");
    append("2019-12-31T23:59:59Z,coin,bronze,2019-12-01,2019-12-30,ok,binance,5,9,0,0,0,1,2,3,4,6");
    assert_int_equal(read_book(&sums), 1);
    assert_int_equal(sums[0].stages, 1);
}

static void a_folder_that_cannot_be_written_costs_the_line_alone(void **state)
{
    const struct ingest_task task = {.dataset = dataset_find(STR("coin"))};
    const struct ingest_report report = {.requests = 1};
    (void)state;
    cost_book_add("/proc/none", "bronze", &task, &report, STATUS_OK);
    cost_book_add(NULL, "bronze", &task, &report, STATUS_OK);
}

#define BOOK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOK_TEST(no_book_is_no_costs),
        BOOK_TEST(stages_of_a_month_add_up),
        BOOK_TEST(broken_lines_are_passed_over),
        BOOK_TEST(a_folder_that_cannot_be_written_costs_the_line_alone),
    };
    return cmocka_run_group_tests_name("cost_book", tests, NULL, NULL);
}
