/*
 * store_fixture.h - a freshly migrated database for each test: SQLite in a folder of its own, or, when
 * CMMC_TEST_PG_URL is set, a new database on that PostgreSQL server (tests/support/pg.sh makes one).
 */
#ifndef TESTS_SUPPORT_STORE_FIXTURE_H
#define TESTS_SUPPORT_STORE_FIXTURE_H

#include "base/arena.h"
#include "store/catalog.h"
#include "store/publish.h"

struct fixture {
    struct db_pool *pool;
    enum db_kind kind;
    struct arena arena; /* for the test's own needs */
    char dir[256];      /* scratch folder, removed at the end */
    char sqlite_path[300];
    char url[512]; /* "" on SQLite */
    struct db_options options;
};

/* cmocka set-ups and tear-down; *state is the struct fixture. */
int fixture_set_up(void **state);
int fixture_set_up_empty(void **state); /* without migrating */
int fixture_tear_down(void **state);

/* Another pool on the same database. */
struct db_pool *fixture_pool(const struct fixture *fixture, unsigned pool_max,
                             unsigned statement_ms);

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
#define TEST_EMPTY(name) \
    cmocka_unit_test_setup_teardown(name, fixture_set_up_empty, fixture_tear_down)

/* Fails the test with err's detail unless status is the wanted one. */
void expect_status(enum status wanted, enum status got, const struct err *err, const char *file,
                   int line);
#define expect(wanted, call) expect_status((wanted), (call), &err, __FILE__, __LINE__)
#define ok(call) expect(STATUS_OK, call)

/* Publishes rows given as text: fields separated by '|', rows by newlines; "~" is NULL. */
void publish_text(struct fixture *fixture, const char *mart, enum publish_mode mode,
                  const char *columns, const char *rows, int keep, struct publish_result *ret);
struct catalog *load_catalog(struct fixture *fixture);

/* Rows of a query as text in the same form. The result is in the fixture's arena. */
const char *query_text(struct fixture *fixture, const char *sql);
void run_sql(struct fixture *fixture, const char *script);
void write_file(const struct fixture *fixture, const char *name, const void *bytes, size_t n);

#endif
