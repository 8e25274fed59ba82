/* test_db.c - connections, statements, results and bulk inserts, the same on both back ends. */
#include "tests/support/store_fixture.h"

#include "base/clock.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char endless[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) "
    "SELECT max(i) FROM n";

static struct db *acquire(struct fixture *f, enum db_mode mode, const struct stop *stop)
{
    struct err err = {0};
    struct db *db = NULL;
    ok(db_acquire(f->pool, mode, stop, &db, &err));
    return db;
}

static void make_table(struct fixture *f)
{
    run_sql(
        f,
        f->kind == DB_SQLITE
            ? "CREATE TABLE t (id BIGINT PRIMARY KEY, a TEXT, d DECIMAL_TEXT, f REAL, b BOOLEAN, x BLOB, day DATE_TEXT)"
            : "CREATE TABLE t (id BIGINT PRIMARY KEY, a TEXT, d NUMERIC, f DOUBLE PRECISION, b BOOLEAN, x BYTEA, day DATE)");
}

static void every_type_comes_back_as_it_was_bound(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    int64_t changed = 0;
    char day[11];
    make_table(f);
    struct db *db = acquire(f, DB_WRITE, NULL);
    struct str bytes = {"\0\1\377'\\", 5};
    ok(db_exec(db, "INSERT INTO t (id, a, d, f, b, x, day) VALUES ($1, $2, $3, $4, $5, $6, $7)",
               PARAMS(db_i64(INT64_MAX), db_text(STR("it's \"한국\" \\n")),
                      db_text(STR("12345678901234567890123456789012345678")), db_f64(0.1),
                      db_bool(true), db_bytes(bytes), db_date(18262, day)),
               &changed, &err));
    assert_int_equal(changed, 1);
    struct rows rows = {0};
    bool found = false;
    ok(db_query_one(db, "SELECT id, a, d, f, b, x, day, a FROM t WHERE id = $1 AND a = $2",
                    PARAMS(db_i64(INT64_MAX), db_text(STR("it's \"한국\" \\n"))), &rows, &found,
                    &err));
    assert_true(found);
    assert_int_equal(rows_width(&rows), 8);
    assert_true(rows_i64(&rows, 0) == INT64_MAX);
    assert_true(str_eq(rows_text(&rows, 1), STR("it's \"한국\" \\n")));
    assert_true(str_eq(rows_text(&rows, 2), STR("12345678901234567890123456789012345678")));
    assert_true(rows_f64(&rows, 3) == 0.1);
    assert_true(rows_bool(&rows, 4));
    assert_true(str_eq(rows_bytes(&rows, 5), bytes));
    int32_t date = 0;
    assert_true(rows_date(&rows, 6, &date));
    assert_int_equal(date, 18262);
    rows_clear(&rows);
    db_release(db);
}

static void null_is_null_for_every_getter(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    make_table(f);
    struct db *db = acquire(f, DB_WRITE, NULL);
    ok(db_exec(db, "INSERT INTO t (id, a, d) VALUES ($1, $2, $3)",
               PARAMS(db_i64(1), db_text(STR_NONE), db_bytes(STR_NONE)), NULL, &err));
    struct rows rows = {0};
    bool found = false;
    int32_t date = 7;
    int64_t seconds = 7;
    ok(db_query_one(db, "SELECT a, d, f, b, x, day FROM t", NO_PARAMS, &rows, &found, &err));
    for (size_t i = 0; i < 6; i++)
        assert_true(rows_is_null(&rows, i));
    assert_null(rows_text(&rows, 0).ptr);
    assert_true(isnan(rows_f64(&rows, 2)));
    assert_false(rows_bool(&rows, 3));
    assert_null(rows_bytes(&rows, 4).ptr);
    assert_false(rows_date(&rows, 5, &date));
    assert_false(rows_instant(&rows, 5, &seconds));
    rows_clear(&rows);
    db_release(db);
}

static void a_parameter_may_stand_several_times_and_out_of_order(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct rows rows = {0};
    bool found = false;
    struct db *db = acquire(f, DB_READ, NULL);
    ok(db_query_one(db, "SELECT CAST($2 AS TEXT) || CAST($1 AS TEXT) || CAST($2 AS TEXT)",
                    PARAMS(db_text(STR("a")), db_text(STR("b"))), &rows, &found, &err));
    assert_true(str_eq(rows_text(&rows, 0), STR("bab")));
    rows_clear(&rows);
    db_release(db);
}

static void a_released_transaction_is_rolled_back(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    make_table(f);
    struct db *db = acquire(f, DB_WRITE, NULL);
    ok(db_begin(db, &err));
    ok(db_exec(db, "INSERT INTO t (id) VALUES (1)", NO_PARAMS, NULL, &err));
    db_release(db);
    assert_string_equal(query_text(f, "SELECT count(*) FROM t"), "0");
    db = acquire(f, DB_WRITE, NULL);
    ok(db_begin(db, &err));
    ok(db_exec(db, "INSERT INTO t (id) VALUES (1)", NO_PARAMS, NULL, &err));
    ok(db_commit(db, &err));
    db_release(db);
    assert_string_equal(query_text(f, "SELECT count(*) FROM t"), "1");
}

/* BEGIN may take effect before what comes with it fails: here a limit that PostgreSQL refuses. */
static void a_transaction_that_half_began_leaves_nothing_open(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db_pool *pool = fixture_pool(f, 1, 1000);
    for (int is_released = 0; is_released < 2; is_released++) {
        struct db *db = NULL;
        ok(db_acquire(pool, DB_READ, NULL, &db, &err));
        db_limit(db, UINT_MAX);
        expect(f->kind == DB_POSTGRESQL ? STATUS_BAD_DATA : STATUS_OK, db_begin(db, &err));
        if (is_released) { /* the next borrower gets the same connection */
            db_release(db);
            ok(db_acquire(pool, DB_READ, NULL, &db, &err));
        } else {
            db_rollback(db);
        }
        db_limit(db, 1000);
        ok(db_begin(db, &err));
        ok(db_exec(db, "SELECT 1", NO_PARAMS, NULL, &err));
        ok(db_commit(db, &err));
        db_release(db);
    }
    db_pool_close(pool);
}

static void a_reading_connection_cannot_write(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    make_table(f);
    struct db *db = acquire(f, DB_READ, NULL);
    expect(STATUS_DB_ERROR, db_exec(db, "INSERT INTO t (id) VALUES (1)", NO_PARAMS, NULL, &err));
    expect(STATUS_DB_ERROR, db_exec(db, "CREATE TABLE u (id BIGINT)", NO_PARAMS, NULL, &err));
    db_release(db);
    assert_string_equal(query_text(f, "SELECT count(*) FROM t"), "0");
}

static void a_connection_changes_its_mode_when_the_pool_is_full(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db_pool *pool = fixture_pool(f, 1, 1000);
    make_table(f);
    for (int i = 0; i < 4; i++) {
        struct db *db = NULL;
        ok(db_acquire(pool, i % 2 == 0 ? DB_READ : DB_WRITE, NULL, &db, &err));
        expect(i % 2 == 0 ? STATUS_DB_ERROR : STATUS_OK,
               db_exec(db, "INSERT INTO t (id) VALUES ($1)", PARAMS(db_i64(i)), NULL, &err));
        db_release(db);
    }
    db_pool_close(pool);
}

static void a_refused_statement_leaves_the_connection_usable(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct rows rows = {0};
    bool found = false;
    struct db *db = acquire(f, DB_READ, NULL);
    expect(STATUS_DB_ERROR, db_query(db, "SELECT nothing FROM nowhere", NO_PARAMS, &rows, &err));
    expect(STATUS_DB_ERROR, db_exec(db, "SELEC 1", NO_PARAMS, NULL, &err));
    ok(db_query_one(db, "SELECT 7", NO_PARAMS, &rows, &found, &err));
    assert_int_equal(rows_i64(&rows, 0), 7);
    rows_clear(&rows);
    db_release(db);
}

static void a_repeated_key_is_bad_data(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    make_table(f);
    struct db *db = acquire(f, DB_WRITE, NULL);
    ok(db_exec(db, "INSERT INTO t (id) VALUES (1)", NO_PARAMS, NULL, &err));
    expect(STATUS_BAD_DATA, db_exec(db, "INSERT INTO t (id) VALUES (1)", NO_PARAMS, NULL, &err));
    db_release(db);
}

static void a_result_may_be_left_half_read(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    static const char many[] =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT i FROM n";
    struct db *db = acquire(f, DB_READ, NULL);
    struct rows rows = {0};
    bool has_row = false;
    ok(db_query(db, many, NO_PARAMS, &rows, &err));
    ok(rows_next(&rows, &has_row, &err));
    assert_int_equal(rows_i64(&rows, 0), 1);
    rows_clear(&rows);
    db_release(db);
    assert_string_equal(query_text(f, "SELECT 1"), "1");
}

static void the_end_of_a_result_stays_the_end(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = acquire(f, DB_READ, NULL);
    struct rows rows = {0};
    bool has_row = false;
    ok(db_query(db, "SELECT 1", NO_PARAMS, &rows, &err));
    ok(rows_next(&rows, &has_row, &err));
    assert_true(has_row);
    for (int i = 0; i < 3; i++) {
        ok(rows_next(&rows, &has_row, &err));
        assert_false(has_row);
    }
    rows_clear(&rows);
    db_release(db);
}

struct raiser {
    struct stop *stop;
    int after_ms;
    int64_t raised_ns;
};

static void *raise_later(void *arg)
{
    struct raiser *raiser = arg;
    (void)nanosleep(&(struct timespec){.tv_nsec = raiser->after_ms * 1000000L}, NULL);
    raiser->raised_ns = clock_mono_ns();
    stop_raise(raiser->stop, STOP_CLIENT_GONE);
    return NULL;
}

static void the_stop_word_ends_a_long_query_within_250_ms(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct stop stop = {0};
    struct raiser raiser = {.stop = &stop, .after_ms = 150};
    struct rows rows = {0};
    pthread_t thread;
    bool has_row = false;
    struct db *db = acquire(f, DB_READ, &stop);
    assert_int_equal(pthread_create(&thread, NULL, raise_later, &raiser), 0);
    enum status s = db_query(db, endless, NO_PARAMS, &rows, &err);
    if (s == STATUS_OK)
        s = rows_next(&rows, &has_row, &err);
    int64_t ended = clock_mono_ns();
    rows_clear(&rows);
    assert_int_equal(pthread_join(thread, NULL), 0);
    expect(STATUS_CLIENT_GONE, s);
    assert_true(ended - raiser.raised_ns < 250000000);
    db_release(db);
    assert_string_equal(query_text(f, "SELECT 1"), "1");
}

static void nothing_is_left_running_on_the_server_after_a_stop(void **state)
{
    struct fixture *f = *state;
    if (f->kind != DB_POSTGRESQL)
        skip();
    the_stop_word_ends_a_long_query_within_250_ms(state);
    const char *left = "?";
    for (int i = 0; i < 25 && strcmp(left, "0") != 0; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        left = query_text(
            f, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'WITH RECURSIVE%' "
               "AND state = 'active'");
    }
    assert_string_equal(left, "0");
}

static void a_query_over_its_time_is_a_database_timeout(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db_pool *pool = fixture_pool(f, 1, 200);
    struct db *db = NULL;
    struct rows rows = {0};
    bool has_row = false;
    ok(db_acquire(pool, DB_READ, NULL, &db, &err));
    int64_t from = clock_mono_ns();
    enum status s = db_query(db, endless, NO_PARAMS, &rows, &err);
    if (s == STATUS_OK)
        s = rows_next(&rows, &has_row, &err);
    expect(STATUS_DB_TIMEOUT, s);
    assert_true(clock_mono_ns() - from < 1000000000);
    rows_clear(&rows);
    ok(db_query(db, "SELECT 1", NO_PARAMS, &rows, &err));
    rows_clear(&rows);
    db_release(db);
    db_pool_close(pool);
}

static void an_exhausted_pool_answers_unavailable_in_time(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db_options options = f->options;
    struct db_pool *pool = NULL;
    struct db *one = NULL, *two = NULL, *three = NULL;
    unsigned in_use = 0, open = 0, max = 0;
    options.pool_max = 2;
    options.acquire_ms = 200;
    ok(db_pool_open(&options, &pool, &err));
    ok(db_acquire(pool, DB_READ, NULL, &one, &err));
    ok(db_acquire(pool, DB_READ, NULL, &two, &err));
    db_pool_usage(pool, &in_use, &open, &max);
    assert_int_equal(in_use, 2);
    assert_int_equal(max, 2);
    int64_t from = clock_mono_ns();
    expect(STATUS_DB_UNAVAILABLE, db_acquire(pool, DB_READ, NULL, &three, &err));
    int64_t took_ms = (clock_mono_ns() - from) / 1000000;
    assert_true(took_ms >= 190 && took_ms < 400);
    assert_true(err.retry_after_s > 0);
    db_release(one);
    ok(db_acquire(pool, DB_READ, NULL, &three, &err));
    db_release(three);
    db_release(two);
    db_pool_usage(pool, &in_use, &open, &max);
    assert_int_equal(in_use, 0);
    db_pool_close(pool);
}

static void a_stopped_wait_for_a_connection_ends_at_once(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db_options options = f->options;
    struct db_pool *pool = NULL;
    struct db *one = NULL, *two = NULL;
    struct stop stop = {0};
    options.pool_max = 1;
    options.acquire_ms = 5000;
    ok(db_pool_open(&options, &pool, &err));
    ok(db_acquire(pool, DB_READ, NULL, &one, &err));
    stop_raise(&stop, STOP_DRAINING);
    int64_t from = clock_mono_ns();
    expect(STATUS_DRAINING, db_acquire(pool, DB_READ, &stop, &two, &err));
    assert_true(clock_mono_ns() - from < 250000000);
    db_release(one);
    db_pool_close(pool);
}

static void copied_rows_come_back_byte_for_byte(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    const char *columns[] = {"id", "a", "d", "f", "b", "day"};
    make_table(f);
    struct db *db = acquire(f, DB_WRITE, NULL);
    ok(db_begin(db, &err));
    ok(db_copy_begin(db, "t", columns, 6, &err));
    struct str odd[] = {STR("1"),    STR("tab\t line\n return\r back\\slash \\N \\."),
                        STR("-0.5"), STR("0.1"),
                        STR("1"),    STR("2020-01-01")};
    struct str empty[] = {STR("2"), STR(""), STR_NONE, STR_NONE, STR_NONE, STR_NONE};
    ok(db_copy_row(db, odd, &err));
    ok(db_copy_row(db, empty, &err));
    ok(db_copy_end(db, &err));
    ok(db_commit(db, &err));
    struct rows rows = {0};
    bool has_row = false;
    ok(db_query(db, "SELECT a, d, f, b, day FROM t ORDER BY id", NO_PARAMS, &rows, &err));
    ok(rows_next(&rows, &has_row, &err));
    assert_true(str_eq(rows_text(&rows, 0), odd[1]));
    assert_true(str_eq(rows_text(&rows, 1), STR("-0.5")));
    assert_true(rows_f64(&rows, 2) == 0.1);
    assert_true(rows_bool(&rows, 3));
    ok(rows_next(&rows, &has_row, &err));
    assert_true(str_eq(rows_text(&rows, 0), STR("")));
    assert_true(rows_is_null(&rows, 1));
    rows_clear(&rows);
    db_release(db);
}

static const struct db_column value_columns[] = {
    {"id", DB_TYPE_I64}, {"a", DB_TYPE_TEXT},   {"d", DB_TYPE_DECIMAL}, {"f", DB_TYPE_F64},
    {"b", DB_TYPE_BOOL}, {"day", DB_TYPE_DATE}, {"at", DB_TYPE_INSTANT}};

/* A row of them, and the same as text. */
struct value_row {
    const char *a, *d, *f, *day, *at; /* NULL: NULL */
    double number;
    int32_t date;
};
static const struct value_row value_rows[] = {
    {"", "0", "0.1", "1970-01-01", "2024-12-03T01:02:03Z", 0.1, 0},
    {"tab\t line\n \\N", "-0.00", NULL, "1969-12-31", "1999-12-31T23:59:59.123456Z", (double)NAN,
     -1},
    {"한국", "9999", NULL, "2000-01-01", "2000-01-01 00:00:00.5+00", (double)INFINITY, 10957},
    {NULL, NULL, "-1.5e+300", "1900-01-01", NULL, -1.5e300, -25567},
    {"x", "10000", "5e-324", "2199-12-31", "1900-01-01T00:00:00Z", 5e-324, 84005},
    {"x", "-12345678.9000", "0", "2020-02-29", "2199-12-31T23:59:59.000001Z", 0, 18321},
    {"x", "0.00001234", "3", "2020-02-29", "1969-12-31T23:59:59.999999Z", 3, 18321},
    {"x", "-0.0001", "3", "2020-02-29", "1970-01-01T00:00:00.10Z", 3, 18321},
    {"x", "00012.5", "3", "2020-02-29", NULL, 3, 18321},
    {"x", "100000000", "3", "2020-02-29", NULL, 3, 18321},
    {"x", "12345678901234567890.123456789012345678", "3", "2020-02-29", NULL, 3, 18321},
    {"x", "-99999999999999999999999999999999999999", "3", "2020-02-29", NULL, 3, 18321}};

static struct str or_none(const char *text)
{
    return text == NULL ? STR_NONE : str_of(text);
}

static void make_value_tables(struct fixture *f)
{
    static const char *const tables[] = {"v", "w"};
    const char *types = f->kind == DB_SQLITE
                            ? "id BIGINT PRIMARY KEY, a TEXT, d DECIMAL_TEXT, f REAL, b BOOLEAN, "
                              "day DATE_TEXT, at INSTANT_TEXT"
                            : "id BIGINT PRIMARY KEY, a TEXT, d NUMERIC, f DOUBLE PRECISION, "
                              "b BOOLEAN, day DATE, at TIMESTAMPTZ";
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        char sql[256];
        (void)snprintf(sql, sizeof sql, "CREATE TABLE %s (%s)", tables[i], types);
        run_sql(f, sql);
    }
}

static void values_are_copied_as_their_text_is(void **state)
{
    enum { COLUMNS = ARRAY_LEN(value_columns) };
    struct fixture *f = *state;
    struct err err = {0};
    const char *names[COLUMNS];
    make_value_tables(f);
    for (size_t i = 0; i < COLUMNS; i++)
        names[i] = value_columns[i].name;
    struct db *db = acquire(f, DB_WRITE, NULL);
    ok(db_begin(db, &err));
    ok(db_copy_values_begin(db, "v", value_columns, COLUMNS, &err));
    for (size_t i = 0; i < ARRAY_LEN(value_rows); i++) {
        const struct value_row *r = &value_rows[i];
        const union db_value row[COLUMNS] = {{.i64 = (int64_t)i - 1},   {.text = or_none(r->a)},
                                             {.text = or_none(r->d)},   {.f64 = r->number},
                                             {.i64 = (int64_t)(i & 1)}, {.i64 = r->date},
                                             {.text = or_none(r->at)}};
        ok(db_copy_values(db, row, &err));
    }
    ok(db_copy_end(db, &err));
    ok(db_copy_begin(db, "w", names, COLUMNS, &err));
    for (size_t i = 0; i < ARRAY_LEN(value_rows); i++) {
        const struct value_row *r = &value_rows[i];
        char id[16];
        (void)snprintf(id, sizeof id, "%d", (int)i - 1);
        ok(db_copy_row(db,
                       (struct str[]){str_of(id), or_none(r->a), or_none(r->d), or_none(r->f),
                                      (i & 1) != 0 ? STR("1") : STR("0"), or_none(r->day),
                                      or_none(r->at)},
                       &err));
    }
    ok(db_copy_end(db, &err));
    ok(db_commit(db, &err));
    db_release(db);
    /* As text: numbers of other scales are equal. */
    assert_string_equal(
        query_text(
            f,
            "SELECT count(*) FROM v JOIN w ON w.id = v.id "
            "WHERE COALESCE(v.a, '-') = COALESCE(w.a, '-') AND COALESCE(v.f, 7) = COALESCE(w.f, 7) "
            "AND COALESCE(CAST(v.d AS TEXT), '-') = COALESCE(CAST(w.d AS TEXT), '-') AND v.b = w.b "
            "AND v.day = w.day "
            "AND COALESCE(CAST(v.at AS TEXT), '-') = COALESCE(CAST(w.at AS TEXT), '-')"),
        "12");
}

static void a_value_that_is_not_of_its_type_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    static const struct db_column columns[] = {{"id", DB_TYPE_I64}, {"d", DB_TYPE_DECIMAL}};
    if (f->kind == DB_SQLITE)
        return; /* which takes any text */
    make_table(f);
    static const char *const wrong[] = {"", "-", ".5", "1e5", "1.2.3", "NaN"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct db *db = acquire(f, DB_WRITE, NULL);
        ok(db_begin(db, &err));
        ok(db_copy_values_begin(db, "t", columns, ARRAY_LEN(columns), &err));
        expect(
            STATUS_BAD_DATA,
            db_copy_values(db, (union db_value[]){{.i64 = 1}, {.text = str_of(wrong[i])}}, &err));
        db_copy_abort(db);
        db_rollback(db);
        ok(db_exec(db, "SELECT 1", NO_PARAMS, NULL, &err));
        db_release(db);
    }
}

static void a_bad_copied_row_is_named_by_its_number(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    const char *columns[] = {"id"};
    char text[16];
    make_table(f);
    struct db *db = acquire(f, DB_WRITE, NULL);
    ok(db_begin(db, &err));
    ok(db_copy_begin(db, "t", columns, 1, &err));
    enum status s = STATUS_OK;
    for (int i = 1; i <= 5000 && s == STATUS_OK; i++) {
        (void)snprintf(text, sizeof text, "%d", i == 3210 ? 17 : i);
        struct str field = str_of(text);
        s = db_copy_row(db, &field, &err);
    }
    if (s == STATUS_OK)
        s = db_copy_end(db, &err);
    expect(STATUS_BAD_DATA, s);
    assert_int_equal(db_copy_bad_row(db), 3210);
    db_copy_abort(db);
    db_rollback(db);
    ok(db_exec(db, "INSERT INTO t (id) VALUES (1)", NO_PARAMS, NULL, &err));
    db_release(db);
}

static void an_abandoned_copy_leaves_no_rows(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    const char *columns[] = {"id"};
    make_table(f);
    struct db *db = acquire(f, DB_WRITE, NULL);
    ok(db_begin(db, &err));
    ok(db_copy_begin(db, "t", columns, 1, &err));
    ok(db_copy_row(db, &STR("1"), &err));
    db_release(db);
    assert_string_equal(query_text(f, "SELECT count(*) FROM t"), "0");
}

static void the_database_file_is_private(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    if (f->kind != DB_SQLITE)
        skip();
    assert_int_equal(stat(f->sqlite_path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void an_impossible_url_is_refused_without_repeating_it(void **state)
{
    (void)state;
    struct err err = {0};
    struct db_pool *pool = NULL;
    struct db_options options = {.url = "postgresql://u:se%cret@host/x?no=such", .pool_max = 1};
    expect(STATUS_CONFIG, db_pool_open(&options, &pool, &err));
    assert_null(strstr(err.detail, "cret"));
    options.url = "";
    expect(STATUS_CONFIG, db_pool_open(&options, &pool, &err));
}

static void a_server_that_is_not_there_is_unavailable_and_then_fails_fast(void **state)
{
    (void)state;
    struct err err = {0};
    struct db_pool *pool = NULL;
    struct db *db = NULL;
    struct db_options options = {.url = "postgresql://someone:secret@127.0.0.1:1/x",
                                 .pool_max = 1,
                                 .acquire_ms = 100,
                                 .statement_ms = 100};
    ok(db_pool_open(&options, &pool, &err));
    for (int i = 0; i < 10; i++) {
        int64_t from = clock_mono_ns();
        expect(STATUS_DB_UNAVAILABLE, db_acquire(pool, DB_READ, NULL, &db, &err));
        assert_true(err.retry_after_s > 0);
        assert_null(strstr(err.detail, "secret"));
        assert_null(strstr(err.detail, "127.0.0.1"));
        assert_true(clock_mono_ns() - from < 50000000);
    }
    db_pool_close(pool);
}

static void a_folder_that_is_not_there_is_unavailable(void **state)
{
    (void)state;
    struct err err = {0};
    struct db_pool *pool = NULL;
    struct db *db = NULL;
    struct db_options options = {
        .sqlite_path = "/nonexistent/folder/x.db", .pool_max = 1, .acquire_ms = 100};
    ok(db_pool_open(&options, &pool, &err));
    expect(STATUS_DB_UNAVAILABLE, db_acquire(pool, DB_READ, NULL, &db, &err));
    db_pool_close(pool);
}

struct hammer {
    struct fixture *f;
    int failures;
};

static void *hammer_pool(void *arg)
{
    struct hammer *hammer = arg;
    for (int i = 0; i < 200; i++) {
        struct db *db = NULL;
        struct rows rows = {0};
        bool found = false;
        enum status s =
            db_acquire(hammer->f->pool, i % 8 == 0 ? DB_WRITE : DB_READ, NULL, &db, NULL);
        if (s == STATUS_OK)
            s = db_query_one(db, "SELECT CAST($1 AS BIGINT)", PARAMS(db_i64(i)), &rows, &found,
                             NULL);
        if (s != STATUS_OK || rows_i64(&rows, 0) != i)
            hammer->failures++;
        rows_clear(&rows);
        db_release(db);
    }
    return NULL;
}

static void many_threads_share_one_pool(void **state)
{
    struct hammer hammers[12];
    pthread_t threads[12];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        hammers[i] = (struct hammer){*state, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, hammer_pool, &hammers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(hammers[i].failures, 0);
    }
}

static int64_t number_of(struct db *db, const char *sql, int64_t param)
{
    struct err err = {0};
    struct rows rows = {0};
    bool found = false;
    ok(db_query_one(db, sql, PARAMS(db_i64(param)), &rows, &found, &err));
    assert_true(found);
    int64_t value = rows_i64(&rows, 0);
    rows_clear(&rows);
    return value;
}

static void a_repeated_statement_survives_what_makes_its_plan_stale(void **state)
{
    struct fixture *f = *state;
    struct db *db = NULL;
    struct err err = {0};
    struct rows rows = {0};
    bool found = false;
    run_sql(f, "CREATE TABLE stale (a INTEGER)");
    run_sql(f, "INSERT INTO stale VALUES (7)");
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    for (int i = 0; i < 3; i++)
        assert_int_equal(number_of(db, "SELECT a FROM stale WHERE a > $1", 1), 7);
    if (f->kind == DB_POSTGRESQL) {
        ok(db_exec_script(db, "DISCARD ALL", &err));
        for (int i = 0; i < 3; i++)
            assert_int_equal(number_of(db, "SELECT a FROM stale WHERE a > $1", 1), 7);
    }
    for (int i = 0; i < 3; i++) {
        ok(db_query_one(db, "SELECT * FROM stale", NO_PARAMS, &rows, &found, &err));
        rows_clear(&rows);
    }
    run_sql(f, "ALTER TABLE stale ADD COLUMN b INTEGER DEFAULT 5");
    for (int i = 0; i < 3; i++) {
        ok(db_query_one(db, "SELECT * FROM stale", NO_PARAMS, &rows, &found, &err));
        assert_int_equal(rows_width(&rows), 2);
        assert_int_equal(rows_i64(&rows, 1), 5);
        rows_clear(&rows);
    }
    db_release(db);
}

static void more_statements_than_are_kept_are_all_answered(void **state)
{
    struct fixture *f = *state;
    struct db *db = NULL;
    struct err err = {0};
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    for (int i = 0; i < 600; i++) {
        char sql[80];
        (void)snprintf(sql, sizeof sql, "SELECT %d + CAST($1 AS BIGINT)", i / 2 % 200);
        assert_int_equal(number_of(db, sql, 1000), i / 2 % 200 + 1000);
    }
    db_release(db);
}

/* The server tells: as text at first, then prepared, and no more than PG_PREPARED_MAX at a time. */
static void the_server_keeps_what_came_twice(void **state)
{
    struct fixture *f = *state;
    struct db *db = NULL;
    struct err err = {0};
    static const char count[] = "SELECT count(*) FROM pg_prepared_statements WHERE $1 = 1";
    if (f->kind != DB_POSTGRESQL)
        skip();
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    assert_int_equal(number_of(db, count, 1), 0);
    assert_int_equal(number_of(db, count, 1), 1);
    for (int i = 0; i < 400; i++) {
        char sql[80];
        (void)snprintf(sql, sizeof sql, "SELECT %d + CAST($1 AS BIGINT)", i / 2);
        (void)number_of(db, sql, 1);
    }
    assert_in_range(number_of(db, count, 1), 100, 128);
    db_release(db);
}

static void a_batch_is_answered_in_order_and_fails_as_a_whole(void **state)
{
    struct fixture *f = *state;
    struct db *db = NULL;
    struct err err = {0};
    struct rows rows[3] = {{0}};
    bool has_row = false;
    if (f->kind != DB_POSTGRESQL)
        skip();
    struct db_param one = db_i64(1), text = db_text(STR("x"));
    const struct db_statement good[] = {{"SELECT CAST($1 AS BIGINT)", &one, 1},
                                        {"SELECT n FROM generate_series(1, 3) n", NULL, 0},
                                        {"SELECT 1 WHERE 1 = 0", NULL, 0}};
    const struct db_statement bad[] = {
        good[0], {"SELECT CAST($1 AS BIGINT) + 0", &text, 1}, good[1]};
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    for (int i = 0; i < 4; i++) {
        expect(STATUS_BAD_DATA, db_query_batch(db, bad, 3, rows, &err));
        ok(db_query_batch(db, good, 3, rows, &err));
        ok(rows_next(&rows[0], &has_row, &err));
        assert_int_equal(rows_i64(&rows[0], 0), 1);
        for (int n = 1; n <= 3; n++) {
            ok(rows_next(&rows[1], &has_row, &err));
            assert_int_equal(rows_i64(&rows[1], 0), n);
        }
        ok(rows_next(&rows[2], &has_row, &err));
        assert_false(has_row);
        for (size_t k = 0; k < 3; k++)
            rows_clear(&rows[k]);
    }
    db_release(db);
}

static void a_comment_is_seen_by_the_server(void **state)
{
    struct fixture *f = *state;
    struct db *db = NULL;
    struct err err = {0};
    struct rows rows = {0};
    bool found = false;
    static const char seen[] = "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    if (f->kind != DB_POSTGRESQL)
        skip();
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    db_comment(db, "traceparent='00-0123-45-01'");
    for (int i = 0; i < 3; i++) {
        ok(db_query_one(db, seen, NO_PARAMS, &rows, &found, &err));
        assert_true(str_starts(rows_text(&rows, 0), STR("/*traceparent='00-0123-45-01'*/ SELECT")));
        rows_clear(&rows);
    }
    db_release(db);
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    ok(db_query_one(db, seen, NO_PARAMS, &rows, &found, &err));
    assert_true(str_starts(rows_text(&rows, 0), STR("SELECT")));
    rows_clear(&rows);
    db_release(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_type_comes_back_as_it_was_bound),
        TEST(null_is_null_for_every_getter),
        TEST(a_parameter_may_stand_several_times_and_out_of_order),
        TEST(a_released_transaction_is_rolled_back),
        TEST(a_transaction_that_half_began_leaves_nothing_open),
        TEST(a_reading_connection_cannot_write),
        TEST(a_connection_changes_its_mode_when_the_pool_is_full),
        TEST(a_refused_statement_leaves_the_connection_usable),
        TEST(a_repeated_key_is_bad_data),
        TEST(a_result_may_be_left_half_read),
        TEST(the_end_of_a_result_stays_the_end),
        TEST(the_stop_word_ends_a_long_query_within_250_ms),
        TEST(nothing_is_left_running_on_the_server_after_a_stop),
        TEST(a_query_over_its_time_is_a_database_timeout),
        TEST(an_exhausted_pool_answers_unavailable_in_time),
        TEST(a_stopped_wait_for_a_connection_ends_at_once),
        TEST(copied_rows_come_back_byte_for_byte),
        TEST(values_are_copied_as_their_text_is),
        TEST(a_value_that_is_not_of_its_type_is_refused),
        TEST(a_bad_copied_row_is_named_by_its_number),
        TEST(an_abandoned_copy_leaves_no_rows),
        TEST(the_database_file_is_private),
        cmocka_unit_test(an_impossible_url_is_refused_without_repeating_it),
        cmocka_unit_test(a_server_that_is_not_there_is_unavailable_and_then_fails_fast),
        cmocka_unit_test(a_folder_that_is_not_there_is_unavailable),
        TEST(many_threads_share_one_pool),
        TEST(a_repeated_statement_survives_what_makes_its_plan_stale),
        TEST(more_statements_than_are_kept_are_all_answered),
        TEST(the_server_keeps_what_came_twice),
        TEST(a_batch_is_answered_in_order_and_fails_as_a_whole),
        TEST(a_comment_is_seen_by_the_server),
    };
    return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
