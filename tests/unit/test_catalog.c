/* test_catalog.c - what the catalogue sees, and when it notices a change. */
#include "tests/support/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static void our_marts_are_managed_and_described(void **state)
{
    struct catalog *c = load_catalog(*state);
    assert_int_equal(c->n_marts, 23);
    assert_int_equal(c->generation, 0);
    const struct mart *m = catalog_mart(c, STR("mart_price_daily"));
    assert_non_null(m);
    assert_true(m->is_managed);
    assert_true(str_eq(m->source_table, STR("gen_price_daily")));
    assert_int_equal(m->n_columns, 14);
    assert_int_equal(m->n_key, 2);
    assert_int_equal(m->key[0], mart_column_index(m, STR("uid")));
    assert_int_equal(m->key[1], mart_column_index(m, STR("date")));
    assert_int_equal(m->time_column, mart_column_index(m, STR("date")));
    static const struct {
        const char *name;
        enum column_kind kind;
        bool is_nullable;
    } wanted[] = {{"uid", COLUMN_TEXT, false},
                  {"date", COLUMN_DATE, false},
                  {"close", COLUMN_DECIMAL, true},
                  {"quality", COLUMN_INT, false},
                  {"known_at", COLUMN_INSTANT, false}};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        int at = mart_column_index(m, str_of(wanted[i].name));
        assert_true(at >= 0);
        assert_int_equal(m->columns[at].kind, wanted[i].kind);
        assert_int_equal(m->columns[at].is_nullable, wanted[i].is_nullable);
    }
    assert_true(m->columns[mart_column_index(m, STR("adj_close"))].description.len > 0);
    assert_int_equal(mart_column_index(m, STR("gen_from")), -1);
    assert_null(catalog_mart(c, STR("mart_generation")));
    assert_null(catalog_mart(c, STR("gen_price_daily")));
    const struct mart *calendar = catalog_mart(c, STR("mart_calendar"));
    assert_int_equal(calendar->columns[mart_column_index(calendar, STR("is_open"))].kind,
                     COLUMN_BOOL);
    catalog_unref(c);
}

static void a_mart_made_by_plain_sql_is_served(void **state)
{
    struct fixture *f = *state;
    run_sql(
        f,
        "CREATE TABLE mart_bond_yield (bond_key TEXT NOT NULL, trade_date DATE NOT NULL, ytm DOUBLE PRECISION, "
        "_secret TEXT, note TEXT, PRIMARY KEY (trade_date, bond_key));"
        "CREATE VIEW mart_bond_note AS SELECT note, ytm FROM mart_bond_yield;"
        "CREATE TABLE other_table (a BIGINT)");
    struct catalog *c = load_catalog(f);
    assert_int_equal(c->n_marts, 25);
    const struct mart *m = catalog_mart(c, STR("mart_bond_yield"));
    assert_non_null(m);
    assert_false(m->is_managed);
    assert_int_equal(m->n_columns, 4);
    assert_int_equal(m->n_key, 2);
    assert_true(str_eq(m->columns[m->key[0]].name, STR("trade_date")));
    assert_true(str_eq(m->columns[m->key[1]].name, STR("bond_key")));
    assert_int_equal(m->time_column, 1);
    assert_int_equal(m->columns[2].kind, COLUMN_FLOAT);
    assert_int_equal(m->n_rows, -1);
    assert_int_equal(m->generation, 0);
    const struct mart *view = catalog_mart(c, STR("mart_bond_note"));
    assert_non_null(view);
    assert_int_equal(view->n_key, 2);
    assert_int_equal(view->time_column, -1);
    catalog_unref(c);
}

static void comments_describe_foreign_marts_on_postgresql(void **state)
{
    struct fixture *f = *state;
    if (f->kind != DB_POSTGRESQL)
        skip();
    run_sql(f, "CREATE TABLE mart_x (a BIGINT); COMMENT ON TABLE mart_x IS 'about x'; "
               "COMMENT ON COLUMN mart_x.a IS 'about a'");
    struct catalog *c = load_catalog(f);
    const struct mart *m = catalog_mart(c, STR("mart_x"));
    assert_true(str_eq(m->description, STR("about x")));
    assert_true(str_eq(m->columns[0].description, STR("about a")));
    catalog_unref(c);
}

static void a_broken_foreign_view_does_not_hide_the_others(void **state)
{
    struct fixture *f = *state;
    if (f->kind != DB_SQLITE) /* PostgreSQL does not let a view break */
        skip();
    run_sql(
        f,
        "CREATE TABLE gone (a BIGINT); CREATE VIEW mart_broken AS SELECT a FROM gone; DROP TABLE gone");
    struct catalog *c = load_catalog(f);
    assert_null(catalog_mart(c, STR("mart_broken")));
    assert_int_equal(c->n_marts, 23);
    catalog_unref(c);
}

static void a_cell_is_refreshed_only_by_a_change(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    bool changed = false;
    struct catalog_cell *cell = catalog_cell_new();
    assert_null(catalog_cell_get(cell));
    ok(catalog_cell_refresh(cell, f->pool, &changed, &err));
    assert_true(changed);
    ok(catalog_cell_refresh(cell, f->pool, &changed, &err));
    assert_false(changed);
    struct catalog *before = catalog_cell_get(cell);
    run_sql(f, "CREATE TABLE mart_new (a BIGINT PRIMARY KEY)");
    ok(catalog_cell_refresh(cell, f->pool, &changed, &err));
    assert_true(changed);
    struct catalog *after = catalog_cell_get(cell);
    assert_true(before->fingerprint != after->fingerprint);
    assert_null(catalog_mart(before, STR("mart_new")));
    assert_non_null(catalog_mart(after, STR("mart_new")));
    run_sql(f, "ALTER TABLE mart_new ADD COLUMN b TEXT");
    ok(catalog_cell_refresh(cell, f->pool, &changed, &err));
    assert_true(changed);
    publish_text(f, "mart_fx_daily", PUBLISH_MERGE,
                 "base,quote,date,rate,is_cross,source,is_filled,known_at",
                 "EUR|KRW|2020-01-02|1300.5|false|test|false|2020-01-02T15:00:00Z", 2, NULL);
    ok(catalog_cell_refresh(cell, f->pool, &changed, &err));
    assert_true(changed);
    ok(catalog_cell_refresh(cell, f->pool, &changed, &err));
    assert_false(changed);
    catalog_unref(before);
    catalog_unref(after);
    catalog_cell_free(cell);
}

static void unknown_names_get_the_nearest_known_one(void **state)
{
    struct err err = {0};
    struct catalog *c = load_catalog(*state);
    assert_int_equal(catalog_unknown_mart(c, STR("mart_price_daly"), &err), STATUS_UNKNOWN_MART);
    assert_string_equal(err.suggestion, "mart_price_daily");
    assert_non_null(strstr(err.allowed, "mart_fx_daily"));
    const struct mart *m = catalog_mart(c, STR("mart_price_daily"));
    assert_int_equal(mart_unknown_column(m, STR("clsoe"), "select", &err), STATUS_UNKNOWN_COLUMN);
    assert_string_equal(err.suggestion, "close");
    assert_string_equal(err.name, "select");
    assert_string_equal(err.value, "clsoe");
    assert_non_null(strstr(err.allowed, "adj_close"));
    catalog_unref(c);
}

struct reader {
    struct catalog_cell *cell;
    atomic_bool *is_over;
    size_t n_seen;
};

static void *read_cell(void *arg)
{
    struct reader *reader = arg;
    while (!atomic_load(reader->is_over)) {
        struct catalog *c = catalog_cell_get(reader->cell);
        reader->n_seen += catalog_mart(c, STR("mart_instrument")) != NULL;
        catalog_unref(c);
    }
    return NULL;
}

static void readers_keep_their_snapshot_while_others_replace_it(void **state)
{
    struct fixture *f = *state;
    struct catalog_cell *cell = catalog_cell_new();
    atomic_bool is_over = false;
    struct reader readers[3];
    pthread_t threads[3];
    catalog_cell_set(cell, load_catalog(f));
    for (size_t i = 0; i < 3; i++) {
        readers[i] = (struct reader){cell, &is_over, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, read_cell, &readers[i]), 0);
    }
    for (int i = 0; i < 20; i++)
        catalog_cell_set(cell, load_catalog(f));
    atomic_store(&is_over, true);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    catalog_cell_free(cell);
}

static void a_mart_says_when_its_next_publish_is_due(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    bool is_stale = false;
    publish_text(f, "mart_fx_daily", PUBLISH_MERGE,
                 "base,quote,date,rate,is_cross,source,is_filled,known_at",
                 "EUR|KRW|2020-01-02|1|false|test|false|2020-01-02T15:00:00Z\n", 1, NULL);
    struct catalog *before = load_catalog(f);
    assert_int_equal(catalog_mart(before, STR("mart_fx_daily"))->next_due_at, 0);
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    run_sql(f, "UPDATE mart_generation SET next_due_at = '2020-01-02T15:00:00Z' "
               "WHERE mart = 'mart_fx_daily'");
    ok(catalog_is_stale(db, before, &is_stale, &err));
    assert_true(is_stale);
    struct catalog *after = load_catalog(f);
    assert_int_equal(catalog_mart(after, STR("mart_fx_daily"))->next_due_at, 1577977200);
    db_release(db);
    catalog_unref(before);
    catalog_unref(after);
}

static void a_column_that_leads_an_index_is_told_apart(void **state)
{
    struct fixture *f = *state;
    /* On PostgreSQL a mart has its indexes when it has rows (migration 0017). */
    publish_text(f, "mart_price_daily", PUBLISH_MERGE,
                 "uid,date,close,adj_close,currency,source,quality,known_at",
                 "stock:US.A|2020-01-02|1|1|USD|test|0|2020-01-02T21:00:00Z\n", 1, NULL);
    struct catalog *catalog = load_catalog(f);
    const struct mart *mart = catalog_mart(catalog, STR("mart_price_daily"));
    for (size_t i = 0; i < mart->n_columns; i++) {
        struct str name = mart->columns[i].name;
        bool is_leading = str_eq(name, STR("uid")) || str_eq(name, STR("date"));
        assert_int_equal(mart->columns[i].is_indexed, is_leading);
    }
    catalog_unref(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(our_marts_are_managed_and_described),
        TEST(a_mart_made_by_plain_sql_is_served),
        TEST(comments_describe_foreign_marts_on_postgresql),
        TEST(a_broken_foreign_view_does_not_hide_the_others),
        TEST(a_cell_is_refreshed_only_by_a_change),
        TEST(unknown_names_get_the_nearest_known_one),
        TEST(readers_keep_their_snapshot_while_others_replace_it),
        TEST(a_mart_says_when_its_next_publish_is_due),
        TEST(a_column_that_leads_an_index_is_told_apart),
    };
    return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
