/* test_store_memory.c - publishing and reading, each allocation of ours failing in turn. */
#include "ingest/load.h"
#include "store/backtest_store.h"
#include "store/instrument_store.h"
#include "store/mart_query.h"
#include "tests/fault/alloc_fault.h"
#include "tests/support/store_fixture.h"

#include "base/digest.h"

#include <stdio.h>
#include <string.h>

static const char rates[] = "base,quote,date,rate,is_cross,source,is_filled,known_at\n"
                            "EUR,USD,2020-01-02,1.1193,false,ECB,false,2020-01-02T15:00:00Z\n"
                            "EUR,USD,2020-01-03,1.1147,false,ECB,false,2020-01-03T15:00:00Z\n";

static void write_data_set(const struct fixture *fixture)
{
    char hash[DIGEST_HEX_BYTES], manifest[512];
    assert_int_equal(digest_hex(str_of(rates), hash, NULL), STATUS_OK);
    int n = snprintf(
        manifest, sizeof manifest,
        "{\"format\":1,\"name\":\"fault\",\"files\":[{\"path\":\"fx.csv\",\"mart\":\"mart_fx_daily\","
        "\"rows\":2,\"sha256\":\"%s\"}]}",
        hash);
    write_file(fixture, "fx.csv", rates, sizeof rates - 1);
    write_file(fixture, "manifest.json", manifest, (size_t)n);
}

static enum status load(void *cls, struct err *err)
{
    struct fixture *fixture = cls;
    struct load_report report;
    return load_directory(fixture->pool, fixture->dir, false, 3, &report, err);
}

/* A publish is all or nothing, so the run that goes through is the one that makes the first generation. */
static void a_load_that_runs_out_of_memory_publishes_nothing(void **state)
{
    struct fixture *fixture = *state;
    write_data_set(fixture);
    assert_true(fault_sweep(load, fixture) > 10);
    assert_string_equal(query_text(fixture, "SELECT max(generation), count(*) FROM publication"),
                        "1|1");
    assert_string_equal(query_text(fixture, "SELECT count(*) FROM mart_fx_daily"), "2");
}

static enum status read_page(struct db *db, struct arena *arena, struct err *err)
{
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    CLEANUP(rows_clear) struct rows rows = {0};
    struct filter filters[1];
    struct mart_query query = {.filters = filters, .n_filters = 1};
    bool has_row = true;
    enum status s = catalog_load(db, &catalog, err);
    if (s == STATUS_OK) {
        query.mart = catalog_mart(catalog, STR("mart_fx_daily"));
        query.generation = catalog->generation;
        s = filter_parse(query.mart, STR("rate"), STR("gt.1.0"), arena, &filters[0], err);
    }
    if (s == STATUS_OK)
        s = order_parse(query.mart, STR("rate.desc"), arena, &query, err);
    if (s == STATUS_OK)
        s = mart_query_finish(&query, arena, err);
    if (s == STATUS_OK)
        s = mart_query_open(db, &query, arena, &rows, err);
    while (s == STATUS_OK && has_row)
        s = rows_next(&rows, &has_row, err);
    return s;
}

static enum status read_and_keep(void *cls, struct err *err)
{
    struct fixture *fixture = cls;
    CLEANUP(arena_clear) struct arena arena;
    CLEANUP(db_releasep) struct db *db = NULL;
    struct price_column column;
    struct str body = STR_NONE;
    bool is_found = false;
    arena_init(&arena, (size_t)1 << 24);
    enum status s = db_acquire(fixture->pool, DB_WRITE, NULL, &db, err);
    if (s == STATUS_OK)
        s = read_page(db, &arena, err);
    if (s == STATUS_OK)
        s = fx_load(db, STR("EUR"), STR("USD"), 1, &arena, &column, err);
    if (s == STATUS_OK)
        db_rollback(db); /* what is read is pinned in a transaction */
    if (s == STATUS_OK)
        s = backtest_save(db, STR("id"), STR("{}"), 1, STR("{\"data\":{}}"), NULL, err);
    if (s == STATUS_OK)
        s = backtest_load(db, STR("id"), &arena, &body, &is_found, err);
    if (s == STATUS_OK)
        assert_true(is_found && str_eq_c(body, "{\"data\":{}}"));
    return s;
}

static void every_failed_allocation_of_a_read_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    write_data_set(fixture);
    ok(load(fixture, &err));
    assert_true(fault_sweep(read_and_keep, fixture) > 5);
    ok(read_and_keep(fixture, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_load_that_runs_out_of_memory_publishes_nothing),
        TEST(every_failed_allocation_of_a_read_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
