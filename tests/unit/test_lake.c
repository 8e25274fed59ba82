/* test_lake.c - the lake in a folder: written once, whole or not at all, listed by prefix and day. */
#define _GNU_SOURCE /* nftw, mkdtemp */
#include "base/arena.h"
#include "base/date.h"
#include "base/stop.h"
#include "ingest/lake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY "bronze/coin_data/ymd=2024-02-29/2024-02-29_coin_data.csv"

static char folder[64];

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *at)
{
    (void)stat;
    (void)flag;
    (void)at;
    return remove(path);
}

static int setup(void **state)
{
    (void)snprintf(folder, sizeof folder, "/tmp/cmmc-lake-XXXXXX");
    struct lake *lake = NULL;
    if (mkdtemp(folder) == NULL || lake_open(folder, &lake, NULL) != STATUS_OK)
        return -1;
    *state = lake;
    return 0;
}

static int teardown(void **state)
{
    struct lake *lake = *state;
    lake_freep(&lake);
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Gives text in pieces, then fails when asked to. */
struct pieces {
    struct str text;
    size_t step;
    enum status end;
};

static enum status give(void *from, char *room, size_t size, size_t *ret_n, struct err *err)
{
    struct pieces *p = from;
    size_t n = p->text.len < p->step ? p->text.len : p->step;
    n = n < size ? n : size;
    if (n == 0 && p->end != STATUS_OK)
        return err_set(err, p->end, "The source broke.");
    if (n > 0)
        memcpy(room, p->text.ptr, n);
    p->text = str_sub(p->text, n, p->text.len);
    *ret_n = n;
    return STATUS_OK;
}

static enum status take(void *to, struct str bytes, struct err *err)
{
    (void)err;
    buf_add(to, bytes);
    return STATUS_OK;
}

static enum status put(struct lake *lake, const char *key, struct str text, bool *ret_is_new)
{
    struct pieces pieces = {text, 7, STATUS_OK};
    struct lake_meta meta = {.fetched_at = 1709251199, .http_status = 200, .schema_hash = "abc"};
    struct err err = {0};
    (void)snprintf(meta.source_url, sizeof meta.source_url,
                   "https://me:pw@example.org/a?serviceKey=s3cret&day=1&X-Amz-Signature=9");
    return lake_put(lake, key, (struct lake_source){give, &pieces}, &meta, NULL, ret_is_new, &err);
}

static enum status get(struct lake *lake, int64_t from, int64_t to, char *ret, size_t size)
{
    struct buf out;
    struct err err = {0};
    buf_init_fixed(&out, ret, size);
    enum status s = lake_get(lake, KEY, from, to, (struct lake_sink){take, &out}, NULL, &err);
    ret[out.len] = '\0';
    return s;
}

static void an_object_comes_back_with_its_metadata(void **state)
{
    bool is_new = false;
    char text[64];
    struct lake_entry entry;
    assert_int_equal(put(*state, KEY, STR("date,close\n2024-02-29,1\n"), &is_new), STATUS_OK);
    assert_true(is_new);
    assert_int_equal(get(*state, 0, INT64_MAX, text, sizeof text), STATUS_OK);
    assert_string_equal(text, "date,close\n2024-02-29,1\n");
    assert_int_equal(get(*state, 5, 10, text, sizeof text), STATUS_OK);
    assert_string_equal(text, "close");
    assert_int_equal(get(*state, 25, 26, text, sizeof text), STATUS_RANGE_NOT_SATISFIABLE);
    assert_int_equal(lake_head(*state, KEY, &entry, NULL), STATUS_OK);
    assert_int_equal(entry.bytes, 24);
    assert_int_equal(entry.meta.fetched_at, 1709251199);
    assert_int_equal(entry.meta.http_status, 200);
    assert_string_equal(entry.meta.schema_hash, "abc");
    assert_string_equal(entry.meta.source_url,
                        "https://example.org/a?serviceKey=***&day=1&X-Amz-Signature=***");
}

static void an_empty_object_without_metadata_is_an_object(void **state)
{
    struct pieces pieces = {STR_NONE, 1, STATUS_OK};
    const struct lake_meta meta = {0};
    struct lake_entry entry;
    bool is_new = false;
    assert_int_equal(
        lake_put(*state, KEY, (struct lake_source){give, &pieces}, &meta, NULL, &is_new, NULL),
        STATUS_OK);
    assert_int_equal(lake_head(*state, KEY, &entry, NULL), STATUS_OK);
    assert_int_equal(entry.bytes, 0);
    assert_string_equal(entry.meta.source_url, "");
}

static void an_object_is_written_once(void **state)
{
    bool is_new = false;
    char text[64];
    assert_int_equal(put(*state, KEY, STR("first"), &is_new), STATUS_OK);
    assert_int_equal(put(*state, KEY, STR("first"), &is_new), STATUS_OK);
    assert_false(is_new);
    assert_int_equal(put(*state, KEY, STR("other"), &is_new), STATUS_BAD_DATA);
    assert_int_equal(get(*state, 0, INT64_MAX, text, sizeof text), STATUS_OK);
    assert_string_equal(text, "first");
}

static enum status count_one(void *to, const struct lake_entry *entry, struct err *err)
{
    (void)err;
    buf_printf(to, "%s\n", entry->key);
    return STATUS_OK;
}

static void list(struct lake *lake, const char *prefix, const char *from, const char *to,
                 const char *want)
{
    char text[1024];
    struct buf out;
    struct lake_range range = {str_of(prefix), DATE_MIN, DATE_MAX + 1};
    buf_init_fixed(&out, text, sizeof text);
    assert_true(from == NULL || date_parse(str_of(from), &range.from));
    assert_true(to == NULL || date_parse(str_of(to), &range.to));
    assert_int_equal(lake_list(lake, &range, count_one, &out, NULL, NULL), STATUS_OK);
    text[out.len] = '\0';
    assert_string_equal(text, want);
}

static void a_broken_or_stopped_source_leaves_nothing(void **state)
{
    const struct lake_meta meta = {0};
    struct stop stop = {0};
    struct err err = {0};
    bool is_new = false;
    char path[256];
    struct pieces pieces = {STR("half"), 4, STATUS_DEADLINE};
    const struct lake_source source = {give, &pieces};
    assert_int_equal(lake_put(*state, KEY, source, &meta, NULL, &is_new, &err), STATUS_DEADLINE);
    pieces.end = STATUS_OK;
    stop_raise(&stop, STOP_DRAINING);
    assert_int_equal(lake_put(*state, KEY, source, &meta, &stop, &is_new, &err), STATUS_DRAINING);
    assert_int_equal(lake_head(*state, KEY, &(struct lake_entry){0}, &err), STATUS_NOT_FOUND);
    list(*state, "", NULL, NULL, "");
    (void)snprintf(path, sizeof path, "%s/bronze/coin_data/ymd=2024-02-29", folder);
    assert_int_equal(rmdir(path), 0); /* empty: no temporary file either */
}

static void changed_bytes_are_noticed(void **state)
{
    bool is_new = false;
    char path[256], text[64];
    assert_int_equal(put(*state, KEY, STR("first"), &is_new), STATUS_OK);
    (void)snprintf(path, sizeof path, "%s/%s", folder, KEY);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fputc('F', file), 'F');
    assert_int_equal(fclose(file), 0);
    assert_int_equal(get(*state, 0, INT64_MAX, text, sizeof text), STATUS_BAD_DATA);
    assert_int_equal(truncate(path, 3), 0);
    assert_int_equal(get(*state, 0, INT64_MAX, text, sizeof text), STATUS_IO);
}

static void objects_are_listed_by_prefix_and_day(void **state)
{
    bool is_new = false;
    const char *keys[] = {
        "bronze/coin_data/ymd=2024-03-01/b.csv", "bronze/coin_data/ymd=2024-02-29/a.csv",
        "bronze/industry_code/krx_codes/ymd=2024-02-29/a.json",
        "bronze/kr_market_holiday/year=2024/data.json", "silver/coin/ymd=2024-02-29/a.csv"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_int_equal(put(*state, keys[i], STR("x"), &is_new), STATUS_OK);
    list(*state, "bronze/coin_data/", NULL, NULL,
         "bronze/coin_data/ymd=2024-02-29/a.csv\nbronze/coin_data/ymd=2024-03-01/b.csv\n");
    list(*state, "bronze/", "2024-03-01", "2024-03-02",
         "bronze/coin_data/ymd=2024-03-01/b.csv\nbronze/kr_market_holiday/year=2024/data.json\n");
    list(*state, "silver", "2024-02-29", "2024-03-01", "silver/coin/ymd=2024-02-29/a.csv\n");
    list(*state, "", "2025-01-01", "2026-01-01", "");
    list(*state, "bronze/indus", NULL, NULL,
         "bronze/industry_code/krx_codes/ymd=2024-02-29/a.json\n");
}

static void keys_of_other_forms_are_refused(void **state)
{
    bool is_new = false;
    const char *keys[] = {"",
                          "bronze",
                          "bronze/a",
                          "gold/a/ymd=2024-02-29/a",
                          "bronze/ymd=2024-02-29/a",
                          "bronze/a/ymd=2024-02-30/a",
                          "bronze/a/ymd=2024-02-29",
                          "bronze/a/ymd=2024-02-29/",
                          "bronze/a/ymd=2024-02-29/b/c",
                          "bronze/../ymd=2024-02-29/a",
                          "bronze//ymd=2024-02-29/a",
                          "/bronze/a/ymd=2024-02-29/a",
                          "bronze/a/ymd=2024-02-29/.a",
                          "bronze/a/ymd=2024-02-29/a b",
                          "bronze/a/year=24/a",
                          "bronze/a/year=+024/a"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_int_equal(put(*state, keys[i], STR("x"), &is_new), STATUS_BAD_VALUE);
    struct lake *lake = NULL;
    assert_int_equal(lake_open("s3://bucket/lake", &lake, NULL), STATUS_CONFIG);
}

struct writer {
    struct lake *lake;
    struct str text;
    enum status status;
    bool is_new;
};

static void *write_it(void *argument)
{
    struct writer *w = argument;
    w->status = put(w->lake, KEY, w->text, &w->is_new);
    return NULL;
}

static void of_many_writers_one_wins(void **state)
{
    enum { N = 8 };
    pthread_t threads[N];
    struct writer writers[N];
    char texts[N][8];
    for (int i = 0; i < N; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "by %d", i);
        writers[i] = (struct writer){*state, str_of(texts[i]), STATUS_OK, false};
        assert_int_equal(pthread_create(&threads[i], NULL, write_it, &writers[i]), 0);
    }
    int winner = -1, n_new = 0;
    for (int i = 0; i < N; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        n_new += writers[i].is_new;
        winner = writers[i].is_new ? i : winner;
        assert_int_equal(writers[i].status, writers[i].is_new ? STATUS_OK : STATUS_BAD_DATA);
    }
    char text[64];
    assert_int_equal(n_new, 1);
    assert_int_equal(get(*state, 0, INT64_MAX, text, sizeof text), STATUS_OK);
    assert_string_equal(text, texts[winner]);
}

#define LAKE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAKE_TEST(an_object_comes_back_with_its_metadata),
        LAKE_TEST(an_empty_object_without_metadata_is_an_object),
        LAKE_TEST(an_object_is_written_once),
        LAKE_TEST(a_broken_or_stopped_source_leaves_nothing),
        LAKE_TEST(changed_bytes_are_noticed),
        LAKE_TEST(objects_are_listed_by_prefix_and_day),
        LAKE_TEST(keys_of_other_forms_are_refused),
        LAKE_TEST(of_many_writers_one_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
