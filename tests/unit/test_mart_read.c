/* test_mart_read.c - reads of a mart while others publish, and statements that were prepared. */
#include "tests/support/store_fixture.h"

#include "store/generation.h"
#include "store/mart_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FX "mart_fx_daily"
#define FX_COLUMNS "base,quote,date,rate,is_cross,source,is_filled,known_at"

enum { FX_ROWS = 200, ROUNDS = 60, READERS = 3 };

/* Every row of the round carries its number as the rate; generation and round are the same. */
static void publish_round(struct fixture *f, int round)
{
    char text[FX_ROWS * 80];
    size_t len = 0;
    struct publish_result result;
    for (int i = 0; i < FX_ROWS; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "EUR|KRW|20%02d-01-%02d|%d|false|test|false|2020-01-02T15:00:00Z\n",
                                i / 28, 1 + i % 28, round);
    publish_text(f, FX, PUBLISH_MERGE, FX_COLUMNS, text, 1, &result);
    assert_int_equal(result.generation, round);
}

static struct mart_query query_of(const struct mart *mart, struct arena *arena, int64_t generation)
{
    struct err err = {0};
    struct mart_query query = {.mart = mart, .generation = generation};
    ok(select_parse(mart, STR("date,rate,is_cross"), arena, &query, &err));
    ok(mart_query_finish(&query, arena, &err));
    return query;
}

typedef enum status open_fn(struct db *db, const struct mart_query *query, struct arena *arena,
                            struct rows *ret_rows, struct err *err);

static const char *text_of(struct fixture *f, open_fn *open, const struct mart_query *query)
{
    struct err err = {0};
    struct db *db = NULL;
    struct rows rows = {0};
    struct buf out;
    bool has_row = false;
    buf_init(&out, &f->arena, 1 << 20);
    ok(db_acquire(f->pool, DB_READ_MARTS, NULL, &db, &err));
    ok(open(db, query, &f->arena, &rows, &err));
    for (;;) {
        ok(rows_next(&rows, &has_row, &err));
        if (!has_row)
            break;
        for (size_t i = 0; i < query->n_select; i++) {
            enum column_kind kind = query->mart->columns[query->select[i]].kind;
            struct str value = mart_value_text(&rows, i, kind, &f->arena);
            buf_add(&out, value.ptr == NULL ? STR("~") : value);
            buf_add_char(&out, '|');
        }
        buf_add_char(&out, '\n');
    }
    ok(rows_next(&rows, &has_row, &err)); /* the end stays the end */
    assert_false(has_row);
    rows_clear(&rows);
    db_release(db);
    return buf_c_str(&out);
}

static void a_page_is_the_same_however_often_it_is_read(void **state)
{
    struct fixture *f = *state;
    publish_round(f, 1);
    struct catalog *catalog = load_catalog(f);
    struct mart_query query = query_of(catalog_mart(catalog, STR(FX)), &f->arena, 1);
    const char *wanted = text_of(f, mart_query_open, &query);
    assert_non_null(strstr(wanted, "2000-01-01|1|false|\n"));
    for (int i = 0; i < 4; i++) /* as text, prepared, prepared ... */
        assert_string_equal(text_of(f, mart_read_page, &query), wanted);
    assert_string_equal(text_of(f, mart_read_stream, &query), wanted);
    query.limit = MART_LIMIT_ALL;
    assert_string_equal(text_of(f, mart_read_page, &query), wanted);
    assert_string_equal(text_of(f, mart_read_stream, &query), wanted);
    catalog_unref(catalog);
}

static void what_is_retired_or_unknown_is_refused_and_the_connection_goes_on(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    struct rows rows = {0};
    publish_round(f, 1);
    struct catalog *catalog = load_catalog(f);
    const struct mart *mart = catalog_mart(catalog, STR(FX));
    struct mart_query first = query_of(mart, &f->arena, 1);
    struct mart_query second = query_of(mart, &f->arena, 2);
    struct mart_query third = query_of(mart, &f->arena, 3);
    ok(db_acquire(f->pool, DB_READ_MARTS, NULL, &db, &err));
    expect(STATUS_BAD_VALUE, mart_read_page(db, &second, &f->arena, &rows, &err));
    db_rollback(db);
    publish_round(f, 2);
    for (int i = 0; i < 3; i++) {
        expect(STATUS_GENERATION_RETIRED, mart_read_page(db, &first, &f->arena, &rows, &err));
        db_rollback(db);
        expect(STATUS_BAD_VALUE, mart_read_page(db, &third, &f->arena, &rows, &err));
        db_rollback(db);
        ok(mart_read_page(db, &second, &f->arena, &rows, &err));
        rows_clear(&rows);
        db_rollback(db);
    }
    db_release(db);
    catalog_unref(catalog);
}

static struct mart_query one_of(struct fixture *f, const struct mart *mart, int64_t generation,
                                const char *date)
{
    const char *const keys[][2] = {{"base", "eq.EUR"}, {"quote", "eq.KRW"}, {"date", date}};
    struct err err = {0};
    struct mart_query query = {.mart = mart, .generation = generation};
    ok(select_parse(mart, STR("date,rate,is_cross"), &f->arena, &query, &err));
    query.filters = arena_array(&f->arena, ARRAY_LEN(keys), sizeof *query.filters);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        ok(filter_parse(mart, str_of(keys[i][0]), str_of(keys[i][1]), &f->arena,
                        &query.filters[query.n_filters++], &err));
    ok(mart_query_finish(&query, &f->arena, &err));
    return query;
}

static void a_row_by_its_key_is_of_the_generation_asked_for(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    struct rows rows = {0};
    publish_round(f, 1);
    publish_round(f, 2);
    struct catalog *catalog = load_catalog(f);
    const struct mart *mart = catalog_mart(catalog, STR(FX));
    struct mart_query there = one_of(f, mart, 2, "eq.2003-01-05");
    struct mart_query absent = one_of(f, mart, 2, "eq.1999-01-05");
    struct mart_query behind = there;
    struct mart_query retired = one_of(f, mart, 1, "eq.2003-01-05");
    struct mart_query unknown = one_of(f, mart, 3, "eq.2003-01-05");
    behind.offset = 1;
    for (int i = 0; i < 3; i++) {
        assert_string_equal(text_of(f, mart_read_page, &there), "2003-01-05|2|false|\n");
        assert_string_equal(text_of(f, mart_read_page, &absent), "");
        assert_string_equal(text_of(f, mart_read_page, &behind), "");
        ok(db_acquire(f->pool, DB_READ_MARTS, NULL, &db, &err));
        expect(STATUS_GENERATION_RETIRED, mart_read_page(db, &retired, &f->arena, &rows, &err));
        db_rollback(db);
        expect(STATUS_BAD_VALUE, mart_read_page(db, &unknown, &f->arena, &rows, &err));
        db_release(db);
    }
    catalog_unref(catalog);
}

#define NEWS "mart_news_article"

static enum status collect(void *cls, struct str bytes, struct err *err)
{
    (void)err;
    buf_add(cls, bytes);
    return STATUS_OK;
}

/* What is hard to write: commas, quotes, line breaks, backslashes, empty texts and NULLs. */
static const struct mart *publish_news(struct fixture *f, struct catalog **ret)
{
    publish_text(f, NEWS, PUBLISH_MERGE,
                 "article_id,pub_date,pub_day,section,headline,abstract,byline,word_count,source",
                 "1|2020-01-02T15:00:00Z|2020-01-02|a,b|say \"x\"||~|5|s\n"
                 "2|2020-01-02T15:00:01Z|2020-01-02|~|line|\\N|\\.|~|s\n"
                 "3|2020-01-02T00:00:00Z|2020-01-02|$1 '$2' \"$3\"|back\\slash|,|\xC3\xA9|0|s\n",
                 1, NULL);
    run_sql(f, f->kind == DB_SQLITE
                   ? "UPDATE gen_news_article SET headline = 'a' || char(10) || 'b' || char(13) || "
                     "char(9) || 'c' WHERE article_id = 2"
                   : "UPDATE gen_news_article SET headline = E'a\\nb\\r\\tc' WHERE article_id = 2");
    *ret = load_catalog(f);
    return catalog_mart(*ret, STR(NEWS));
}

static void a_stream_gives_the_same_values_as_a_query(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct catalog *catalog = NULL;
    struct mart_query query = {.mart = publish_news(f, &catalog), .generation = 1};
    struct filter filters[2];
    query.filters = filters;
    ok(filter_parse(query.mart, STR("section"), STR("neq.it's \\ \"$1\" $2"), &f->arena,
                    &filters[0], &err));
    ok(filter_parse(query.mart, STR("word_count"), STR("lt.100"), &f->arena, &filters[1], &err));
    ok(mart_query_finish(&query, &f->arena, &err));
    const char *all = text_of(f, mart_query_open, &query);
    assert_string_equal(text_of(f, mart_read_stream, &query), all);
    query.n_filters = 2;
    const char *some = text_of(f, mart_query_open, &query);
    assert_string_equal(text_of(f, mart_read_stream, &query), some);
    assert_string_equal(text_of(f, mart_read_page, &query), some);
    assert_null(strstr(some, "\nb"));
    assert_non_null(strstr(all, "a\nb\r\tc"));
    catalog_unref(catalog);
}

static const char *csv_of(struct fixture *f, const struct mart_query *query, int64_t *ret_rows)
{
    struct err err = {0};
    struct db *db = NULL;
    struct buf out;
    buf_init(&out, &f->arena, 1 << 20);
    ok(db_acquire(f->pool, DB_READ_MARTS, NULL, &db, &err));
    assert_true(mart_read_has_csv(db, query));
    bool has_gap = true;
    ok(mart_read_csv(db, query, &f->arena, collect, &out, ret_rows, &has_gap, &err));
    assert_false(has_gap);
    db_release(db);
    return buf_c_str(&out);
}

static void csv_of_the_server_is_spelled_as_ours(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct catalog *catalog = NULL;
    int64_t n = 0;
    if (f->kind != DB_POSTGRESQL)
        skip();
    struct mart_query query = {.mart = publish_news(f, &catalog), .generation = 1};
    ok(select_parse(query.mart, STR("pub_date,headline,abstract,byline,section,word_count"),
                    &f->arena, &query, &err));
    ok(mart_query_finish(&query, &f->arena, &err));
    assert_string_equal(
        csv_of(f, &query, &n),
        "2020-01-02T15:00:00Z,\"say \"\"x\"\"\",\"\",,\"a,b\",5\r\n"
        "2020-01-02T15:00:01Z,\"a\nb\r\tc\",\\N,\\.,,\r\n"
        "2020-01-02T00:00:00Z,back\\slash,\",\",\xC3\xA9,\"$1 '$2' \"\"$3\"\"\",0\r\n");
    assert_int_equal(n, 3);
    query.limit = 1;
    assert_string_equal(csv_of(f, &query, &n),
                        "2020-01-02T15:00:00Z,\"say \"\"x\"\"\",\"\",,\"a,b\",5\r\n");
    query.limit = MART_LIMIT_ALL;
    query.n_select = 0;
    ok(select_parse(query.mart, STR("byline"), &f->arena, &query, &err));
    assert_string_equal(csv_of(f, &query, &n), "\r\n\\.\r\n\xC3\xA9\r\n");
    catalog_unref(catalog);
}

static enum status refuse(void *cls, struct str bytes, struct err *err)
{
    (void)bytes;
    return err_set(err, *(enum status *)cls, "The reader left.");
}

/* Enough for the server to be still writing when the reader gives up. */
static void a_reader_that_gives_up_ends_the_copy(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    struct rows rows = {0};
    bool has_row = false;
    enum status why = STATUS_CLIENT_GONE;
    if (f->kind != DB_POSTGRESQL)
        skip();
    publish_round(f, 1);
    run_sql(
        f,
        "INSERT INTO gen_fx_daily SELECT base, quote, DATE '2030-01-01' + n, rate, is_cross, source, is_filled, "
        "known_at, gen_from, gen_to FROM generate_series(1, 300000) n, (SELECT * FROM gen_fx_daily LIMIT 1) g");
    struct catalog *catalog = load_catalog(f);
    struct mart_query query = query_of(catalog_mart(catalog, STR(FX)), &f->arena, 1);
    query.limit = MART_LIMIT_ALL;
    int64_t n = 0;
    bool has_gap = false;
    ok(db_acquire(f->pool, DB_READ_MARTS, NULL, &db, &err));
    expect(STATUS_CLIENT_GONE,
           mart_read_csv(db, &query, &f->arena, refuse, &why, &n, &has_gap, &err));
    db_release(db);
    ok(db_acquire(f->pool, DB_READ_MARTS, NULL, &db, &err));
    ok(mart_read_stream(db, &query, &f->arena, &rows, &err));
    ok(rows_next(&rows, &has_row, &err));
    rows_clear(&rows);
    db_release(db);
    static const char busy[] = "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                               "current_database() AND query LIKE 'COPY%' AND state = 'active'";
    for (int i = 0; i < 100 && strcmp(query_text(f, busy), "0") != 0; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_string_equal(query_text(f, busy), "0");
    catalog_unref(catalog);
}

struct reader {
    struct fixture *f;
    const struct mart *mart;
    atomic_bool *is_over;
    int n_whole, n_refused, n_torn, n_failed;
    int64_t ahead; /* asks for this many generations beyond the newest it saw */
};

/* Counts the rows and those that are of the wanted round. */
static enum status read_once(struct reader *r, struct db *db, int64_t generation,
                             struct arena *arena, int *ret_rows, int *ret_right)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct mart_query query = query_of(r->mart, arena, generation);
    bool has_row = true;
    enum status s = mart_read_page(db, &query, arena, &rows, NULL);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, NULL)) == STATUS_OK && has_row) {
        ++*ret_rows;
        *ret_right += rows_i64(&rows, 1) == generation;
    }
    return s;
}

static void *read_on(void *arg)
{
    struct reader *r = arg;
    while (!atomic_load(r->is_over)) {
        CLEANUP(arena_clear) struct arena arena;
        arena_init(&arena, 4 << 20);
        struct db *db = NULL;
        int64_t oldest = 0, newest = 0;
        int n_rows = 0, n_right = 0;
        enum status s = db_acquire(r->f->pool, DB_READ_MARTS, NULL, &db, NULL);
        if (s == STATUS_OK)
            s = generation_range(db, &oldest, &newest, NULL);
        if (s == STATUS_OK)
            s = read_once(r, db, newest + r->ahead, &arena, &n_rows, &n_right);
        db_release(db);
        bool is_refused = s == STATUS_GENERATION_RETIRED || s == STATUS_BAD_VALUE;
        r->n_refused += is_refused;
        r->n_failed += s != STATUS_OK && !is_refused;
        r->n_torn += s == STATUS_OK && (n_rows != FX_ROWS || n_right != FX_ROWS);
        r->n_whole += s == STATUS_OK;
    }
    return NULL;
}

/* Each publish replaces every row and retires the generation before it at once. */
static void a_page_is_one_generation_or_refused_while_others_publish(void **state)
{
    struct fixture *f = *state;
    atomic_bool is_over = false;
    struct reader readers[READERS];
    pthread_t threads[READERS];
    publish_round(f, 1);
    struct catalog *catalog = load_catalog(f);
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.f = f,
                                     .mart = catalog_mart(catalog, STR(FX)),
                                     .is_over = &is_over,
                                     .ahead = i == READERS - 1};
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    }
    for (int round = 2; round <= ROUNDS; round++)
        publish_round(f, round);
    atomic_store(&is_over, true);
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(readers[i].n_torn, 0);
        assert_int_equal(readers[i].n_failed, 0);
        assert_true(readers[i].n_whole + readers[i].n_refused > 0);
    }
    assert_true(readers[0].n_whole > 0);
    catalog_unref(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_is_the_same_however_often_it_is_read),
        TEST(what_is_retired_or_unknown_is_refused_and_the_connection_goes_on),
        TEST(a_row_by_its_key_is_of_the_generation_asked_for),
        TEST(a_stream_gives_the_same_values_as_a_query),
        TEST(csv_of_the_server_is_spelled_as_ours),
        TEST(a_reader_that_gives_up_ends_the_copy),
        TEST(a_page_is_one_generation_or_refused_while_others_publish),
    };
    return cmocka_run_group_tests_name("mart_read", tests, NULL, NULL);
}
