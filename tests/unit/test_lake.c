/*
 * test_lake.c - the lake: written once, whole or not at all, listed by prefix and day. In a folder; with CMMC_TEST_S3 set to
 * the endpoint of tests/support/ceph.sh in a bucket there, by the same tests.
 */
#define _GNU_SOURCE /* nftw, mkdtemp */
#include "base/arena.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/stop.h"
#include "ingest/aws.h"
#include "ingest/lake_s3.h"

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
#include <sys/inotify.h>
#include <unistd.h>

#define KEY "bronze/coin_data/ymd=2024-02-29/2024-02-29_coin_data.csv"

#define BUCKET "cmmc-test"

static char folder[64]; /* of a lake in a folder; of one in a bucket, its prefix */
static struct aws_credentials *credentials;
static struct aws *raw; /* requests past the lake; NULL: the lake is a folder */

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *at)
{
    (void)stat;
    (void)flag;
    (void)at;
    return remove(path);
}

/* The keys of CMMC_TEST_S3, and no others. */
static char *keys_of_test(const char *name)
{
    static char access[] = "AKTEST", secret[] = "SKTEST";
    char *own_access = getenv("CMMC_TEST_S3_KEY"), *own_secret = getenv("CMMC_TEST_S3_SECRET");
    if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
        return own_access == NULL ? access : own_access;
    if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0)
        return own_secret == NULL ? secret : own_secret;
    return NULL;
}

static const char *endpoint(void)
{
    const char *url = getenv("CMMC_TEST_S3");
    return url == NULL ? "" : url;
}

static struct aws_login login_of_test(void)
{
    return (struct aws_login){keys_of_test, "", "", "", "", "", NULL};
}

/* One request past the lake; the verdict, or REFUSED. */
static enum aws_verdict ask(const char *method, const char *path, struct str body,
                            const struct sigv4_field *headers, size_t n_headers)
{
    CLEANUP(arena_clear) struct arena arena;
    struct aws_answer answer;
    const struct aws_call call = {.service = STR("s3"),
                                  .base = str_of(endpoint()),
                                  .method = str_of(method),
                                  .path = str_of(path),
                                  .headers = headers,
                                  .n_headers = n_headers,
                                  .body = body,
                                  .has_body = strcmp(method, "PUT") == 0};
    arena_init(&arena, 16 << 20);
    return aws_send(raw, &call, &arena, &answer, NULL) == STATUS_OK ? answer.verdict : AWS_REFUSED;
}

static int setup_all(void **state)
{
    struct aws_login login = login_of_test();
    (void)state;
    if (endpoint()[0] == '\0')
        return 0;
    const struct aws_options options = {"us-east-1", NULL, NULL, true};
    struct aws_options with_keys = options;
    if (aws_credentials_new(&login, &credentials, NULL) != STATUS_OK)
        return -1;
    with_keys.credentials = credentials;
    return aws_new(&with_keys, &raw, NULL) != STATUS_OK ||
           ask("PUT", "/" BUCKET, STR_NONE, NULL, 0) != AWS_FINE;
}

static int teardown_all(void **state)
{
    (void)state;
    aws_freep(&raw);
    aws_credentials_freep(&credentials);
    return 0;
}

/* A lake of its own for each test; pages of two keys, so that every listing has many. */
static enum status open_lake(enum lake_s3_style style, struct lake **ret)
{
    char address[128];
    const struct lake_s3_options options = {endpoint(), style, login_of_test(), 2};
    (void)snprintf(address, sizeof address, "s3://" BUCKET "%s", folder);
    return raw == NULL ? lake_open(folder, ret, NULL) : lake_open_s3(address, &options, ret, NULL);
}

static int setup(void **state)
{
    struct lake *lake = NULL;
    (void)snprintf(folder, sizeof folder, "/tmp/cmmc-lake-XXXXXX");
    if (mkdtemp(folder) == NULL || open_lake(LAKE_S3_PATH, &lake) != STATUS_OK)
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
    assert_true(raw != NULL || rmdir(path) == 0); /* empty: no temporary file either */
}

/* Past the lake: other bytes under a key, and with them the hash of the first ones. */
static void overwrite(const char *text)
{
    char path[256], hash[DIGEST_HEX_BYTES];
    assert_int_equal(digest_hex(STR("first"), hash, NULL), STATUS_OK);
    (void)snprintf(path, sizeof path, "%s%s/" KEY, raw == NULL ? "" : "/" BUCKET, folder);
    if (raw != NULL) {
        const struct sigv4_field field = {STR("x-amz-meta-sha256"), str_of(hash)};
        assert_int_equal(ask("PUT", path, str_of(text), &field, 1), AWS_FINE);
        return;
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void changed_bytes_are_noticed(void **state)
{
    bool is_new = false;
    char text[64];
    assert_int_equal(put(*state, KEY, STR("first"), &is_new), STATUS_OK);
    overwrite("First");
    assert_int_equal(get(*state, 0, INT64_MAX, text, sizeof text), STATUS_BAD_DATA);
    overwrite("fir");
    assert_int_equal(get(*state, 0, INT64_MAX, text, sizeof text), STATUS_BAD_DATA);
}

/* A long text that is not the same anywhere: each eight bytes are their own number. */
enum { LONG_BYTES = 20 << 20 };

struct numbers {
    int64_t at, from, to;
    bool differs;
};

static char number_at(int64_t at)
{
    return (char)((uint64_t)(at / 8) >> (at % 8 * 8) & 0xff);
}

static enum status give_numbers(void *from, char *room, size_t size, size_t *ret_n, struct err *err)
{
    struct numbers *n = from;
    (void)err;
    for (*ret_n = 0; *ret_n < size && n->at < n->to; n->at++)
        room[(*ret_n)++] = number_at(n->at);
    return STATUS_OK;
}

static enum status check_numbers(void *to, struct str bytes, struct err *err)
{
    struct numbers *n = to;
    (void)err;
    for (size_t i = 0; i < bytes.len; i++)
        n->differs |= bytes.ptr[i] != number_at(n->at++);
    return STATUS_OK;
}

static void a_long_object_is_streamed_in_and_out(void **state)
{
    struct numbers in = {.to = LONG_BYTES}, out = {0};
    const struct lake_meta meta = {.fetched_at = 1709251199};
    const struct lake_source source = {give_numbers, &in};
    const struct lake_sink sink = {check_numbers, &out};
    struct lake_entry entry;
    bool is_new = false;
    assert_int_equal(lake_put(*state, KEY, source, &meta, NULL, &is_new, NULL), STATUS_OK);
    assert_true(is_new);
    assert_int_equal(lake_head(*state, KEY, &entry, NULL), STATUS_OK);
    assert_int_equal(entry.bytes, LONG_BYTES);
    assert_int_equal(entry.meta.fetched_at, 1709251199);
    assert_int_equal(lake_get(*state, KEY, 0, INT64_MAX, sink, NULL, NULL), STATUS_OK);
    assert_int_equal(out.at, LONG_BYTES);
    out.at = (8 << 20) - 5; /* over the border of two parts */
    assert_int_equal(lake_get(*state, KEY, out.at, (8 << 20) + 5, sink, NULL, NULL), STATUS_OK);
    assert_int_equal(out.at, (8 << 20) + 5);
    assert_false(out.differs);
    in.at = 0;
    assert_int_equal(lake_put(*state, KEY, source, &meta, NULL, &is_new, NULL), STATUS_OK);
    assert_false(is_new);
    in.at = 8;
    assert_int_equal(lake_put(*state, KEY, source, &meta, NULL, &is_new, NULL), STATUS_BAD_DATA);
}

static void what_a_killed_writer_left_is_tidied_up(void **state)
{
    char path[256];
    int64_t n = 0;
    bool is_new = false;
    assert_int_equal(put(*state, KEY, STR("first"), &is_new), STATUS_OK);
    if (raw != NULL) {
        (void)snprintf(path, sizeof path, "/" BUCKET "%s/" KEY ".left", folder);
        CLEANUP(arena_clear) struct arena arena;
        struct aws_answer answer;
        const struct sigv4_field uploads = {STR("uploads"), STR("")};
        const struct aws_call call = {.service = STR("s3"),
                                      .base = str_of(endpoint()),
                                      .method = STR("POST"),
                                      .path = str_of(path),
                                      .query = &uploads,
                                      .n_query = 1,
                                      .has_body = true};
        arena_init(&arena, 16 << 20);
        assert_int_equal(aws_send(raw, &call, &arena, &answer, NULL), STATUS_OK);
    } else {
        (void)snprintf(path, sizeof path, "%s/bronze/coin_data/ymd=2024-02-29/.left.1-0.part",
                       folder);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fclose(file), 0);
    }
    int64_t now = clock_wall_s();
    assert_int_equal(lake_tidy(*state, now - 3600, NULL, &n, NULL), STATUS_OK);
    assert_int_equal(n, 0);
    assert_int_equal(lake_tidy(*state, now + 3600, NULL, &n, NULL), STATUS_OK);
    assert_int_equal(n, 1);
    assert_int_equal(lake_tidy(*state, now + 3600, NULL, &n, NULL), STATUS_OK);
    assert_int_equal(n, 0);
    list(*state, "", NULL, NULL, KEY "\n");
}

static void what_was_made_of_others_can_be_removed_and_what_was_fetched_cannot(void **state)
{
    const char *made = "silver/coin_data/year=2024/rows.csv.gz";
    bool is_new = false;
    assert_int_equal(put(*state, KEY, STR("first"), &is_new), STATUS_OK);
    assert_int_equal(put(*state, made, STR("x"), &is_new), STATUS_OK);
    assert_int_equal(lake_remove(*state, KEY, NULL), STATUS_BAD_VALUE);
    assert_int_equal(lake_remove(*state, "silver/../bronze/a", NULL), STATUS_BAD_VALUE);
    assert_int_equal(lake_remove(*state, made, NULL), STATUS_OK);
    assert_int_equal(lake_remove(*state, made, NULL), STATUS_OK);
    assert_int_equal(lake_remove(*state, "silver/no/year=2024/rows.csv.gz", NULL), STATUS_OK);
    list(*state, "", NULL, NULL, KEY "\n");
    assert_int_equal(put(*state, made, STR("y"), &is_new), STATUS_OK);
    assert_true(is_new);
}

static void an_object_has_an_address(void **state)
{
    char address[LAKE_ADDRESS_MAX], want[256];
    struct lake *lake = *state;
    lake_address(lake, KEY, address);
    (void)snprintf(want, sizeof want, "%s%s/" KEY, raw == NULL ? "" : "s3://" BUCKET, folder);
    assert_string_equal(address, want);
}

/* The bucket's name in the host, NAME.localhost, in place of the path. */
static void both_styles_of_addresses_reach_an_object(void **state)
{
    struct lake *other = NULL;
    struct lake_entry entry;
    bool is_new = false;
    char local[64], address[128];
    const char *port = strrchr(endpoint(), ':');
    (void)snprintf(local, sizeof local, "http://localhost%s", port == NULL ? "" : port);
    (void)snprintf(address, sizeof address, "s3://" BUCKET "%s", folder);
    const struct lake_s3_options options = {local, LAKE_S3_VIRTUAL, login_of_test(), 0};
    assert_int_equal(put(*state, KEY, STR("first"), &is_new), STATUS_OK);
    if (raw == NULL)
        return;
    assert_int_equal(lake_open_s3(address, &options, &other, NULL), STATUS_OK);
    assert_int_equal(lake_head(other, KEY, &entry, NULL), STATUS_OK);
    assert_int_equal(entry.bytes, 5);
    assert_int_equal(put(other, KEY, STR("first"), &is_new), STATUS_OK);
    assert_false(is_new);
    lake_freep(&other);
}

/* Keys of the lake are plain, its prefix and others' keys need not be. */
static void any_path_is_signed_as_the_server_reads_it(void **state)
{
    static const char *const names[] = {"ymd=2024-02-29",
                                        "a b",
                                        "a+b",
                                        "a%20b",
                                        "a%b",
                                        "a?b=c&d",
                                        "a#b",
                                        "~-_.",
                                        "!*'()",
                                        "@:;,$&=",
                                        "\"<>[]{}|^`\\",
                                        "\xea\xb0\x80\xea\xb8\x88",
                                        "a//b",
                                        "a/../b",
                                        "."};
    (void)state;
    for (size_t i = 0; raw != NULL && i < ARRAY_LEN(names); i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "/" BUCKET "%s/odd/%s/x", folder, names[i]);
        if (ask("PUT", path, str_of(names[i]), NULL, 0) != AWS_FINE)
            fail_msg("PUT %s is not taken", path);
        if (ask("DELETE", path, STR_NONE, NULL, 0) != AWS_FINE)
            fail_msg("DELETE %s is not taken", path);
        if (ask("HEAD", path, STR_NONE, NULL, 0) != AWS_ABSENT)
            fail_msg("HEAD %s finds what is removed", path);
    }
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

/* Many days of which few are asked for, and data sets below and beside each other. */
static void days_that_are_not_asked_for_are_passed_over(void **state)
{
    bool is_new = false;
    char key[128], want[2048] = "";
    const char *sets[] = {"coin", "coin/rejected", "coin-a"};
    for (size_t set = 0; set < ARRAY_LEN(sets); set++)
        for (int32_t day = 0; day < 9; day++) {
            (void)snprintf(key, sizeof key, "bronze/%s/ymd=2024-03-0%d/a.csv", sets[set], day + 1);
            assert_int_equal(put(*state, key, STR("x"), &is_new), STATUS_OK);
        }
    assert_int_equal(put(*state, "bronze/coin/year=2024/a.csv", STR("x"), &is_new), STATUS_OK);
    list(*state, "bronze/coin/", "2024-03-05", "2024-03-07",
         "bronze/coin/rejected/ymd=2024-03-05/a.csv\nbronze/coin/rejected/ymd=2024-03-06/a.csv\n"
         "bronze/coin/year=2024/a.csv\n"
         "bronze/coin/ymd=2024-03-05/a.csv\nbronze/coin/ymd=2024-03-06/a.csv\n");
    list(*state, "bronze/coin-a/ymd=", "2024-03-09", NULL, "bronze/coin-a/ymd=2024-03-09/a.csv\n");
    list(*state, "bronze/coin/ymd=2024-03-0", NULL, "2024-03-02",
         "bronze/coin/ymd=2024-03-01/a.csv\n");
    list(*state, "bronze/coin-a/", "2024-03-10", "2024-04-01", want);
}

/* Which of these folders of the lake are opened from now on: each one's watch, by its place. */
static int watch(const char *const *folders, size_t n, int *ret)
{
    int events = inotify_init1(IN_NONBLOCK);
    for (size_t i = 0; i < n; i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        ret[i] = inotify_add_watch(events, path, IN_OPEN);
        assert_true(ret[i] >= 0);
    }
    return events;
}

static bool was_opened(const char *events, size_t size, int watch)
{
    struct inotify_event event;
    bool found = false;
    for (size_t at = 0; at + sizeof event <= size; at += sizeof event + event.len) {
        memcpy(&event, events + at, sizeof event);
        found |= event.wd == watch;
    }
    return found;
}

/* The kernel tells of every opening, whoever lists: nobody's rights could stop root. */
static void folders_of_other_days_are_not_opened(void **state)
{
    static const char *const folders[] = {
        "bronze/coin/ymd=2024-03-01", "bronze/coin/ymd=2024-03-02", "bronze/coin/ymd=2024-03-03",
        "bronze/coin/year=2023",      "bronze/coin/year=2024",      "bronze/bond/ymd=2024-03-02"};
    static const bool is_asked_for[] = {false, true, false, false, true, false};
    char key[128], events[4096];
    int watches[ARRAY_LEN(folders)];
    bool is_new = false;
    if (raw != NULL)
        skip(); /* test_lake.py counts a bucket's requests */
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        (void)snprintf(key, sizeof key, "%s/a.csv", folders[i]);
        assert_int_equal(put(*state, key, STR("x"), &is_new), STATUS_OK);
    }
    int from = watch(folders, ARRAY_LEN(folders), watches);
    list(*state, "bronze/coin/", "2024-03-02", "2024-03-03",
         "bronze/coin/year=2024/a.csv\nbronze/coin/ymd=2024-03-02/a.csv\n");
    ssize_t n = read(from, events, sizeof events);
    assert_true(n > 0);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        if (was_opened(events, (size_t)n, watches[i]) != is_asked_for[i])
            fail_msg("%s was %sopened", folders[i], is_asked_for[i] ? "not " : "");
    (void)close(from);
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
        LAKE_TEST(any_path_is_signed_as_the_server_reads_it),
        LAKE_TEST(objects_are_listed_by_prefix_and_day),
        LAKE_TEST(days_that_are_not_asked_for_are_passed_over),
        LAKE_TEST(folders_of_other_days_are_not_opened),
        LAKE_TEST(a_long_object_is_streamed_in_and_out),
        LAKE_TEST(what_a_killed_writer_left_is_tidied_up),
        LAKE_TEST(what_was_made_of_others_can_be_removed_and_what_was_fetched_cannot),
        LAKE_TEST(an_object_has_an_address),
        LAKE_TEST(both_styles_of_addresses_reach_an_object),
        LAKE_TEST(keys_of_other_forms_are_refused),
        LAKE_TEST(of_many_writers_one_wins),
    };
    if (getenv("CMMC_TEST_ONLY") != NULL)
        cmocka_set_test_filter(getenv("CMMC_TEST_ONLY"));
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
