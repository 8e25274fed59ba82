/* store_fixture.c - databases that live as long as one test. */
#include "tests/support/store_fixture.h"

#include "store/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FIXTURE_POOL_MAX = 8,
    FIXTURE_ACQUIRE_MS = 2000,
    FIXTURE_STATEMENT_MS = 20000,
    FIELDS_MAX = 64
};

void expect_status(enum status wanted, enum status got, const struct err *err, const char *file,
                   int line)
{
    if (wanted == got)
        return;
    print_error("%s:%d: wanted %s, got %s: %s [%s] [%s] allowed: %s\n", file, line,
                status_name(wanted), status_name(got), err->detail, err->name, err->value,
                err->allowed);
    _fail(file, line);
}

static const char *server_url(void)
{
    const char *url = getenv("CMMC_TEST_PG_URL");
    return url == NULL ? "" : url;
}

/* Runs one statement on the server's own database. */
static void on_server(const char *sql)
{
    struct err err = {0};
    struct db_options options = {
        .url = server_url(), .pool_max = 1, .acquire_ms = 5000, .statement_ms = 0};
    struct db_pool *pool = NULL;
    struct db *db = NULL;
    ok(db_pool_open(&options, &pool, &err));
    ok(db_acquire(pool, DB_WRITE, NULL, &db, &err));
    ok(db_exec(db, sql, NO_PARAMS, NULL, &err));
    db_release(db);
    db_pool_close(pool);
}

/* The database's name, after the last slash of the URL, is what differs. */
static void make_database(struct fixture *fixture)
{
    char sql[160];
    char name[64];
    const char *server = server_url();
    const char *slash = strrchr(server, '/');
    assert_non_null(slash);
    (void)snprintf(name, sizeof name, "test_%ld_%s", (long)getpid(),
                   strrchr(fixture->dir, '.') + 1);
    (void)snprintf(sql, sizeof sql, "CREATE DATABASE \"%s\"", name);
    on_server(sql);
    (void)snprintf(fixture->url, sizeof fixture->url, "%.*s/%s", (int)(slash - server), server,
                   name);
}

static void drop_database(const struct fixture *fixture)
{
    char sql[600];
    (void)snprintf(sql, sizeof sql, "DROP DATABASE \"%s\" WITH (FORCE)",
                   strrchr(fixture->url, '/') + 1);
    on_server(sql);
}

struct db_pool *fixture_pool(const struct fixture *fixture, unsigned pool_max,
                             unsigned statement_ms)
{
    struct err err = {0};
    struct db_options options = fixture->options;
    struct db_pool *pool = NULL;
    options.pool_max = pool_max;
    options.statement_ms = statement_ms;
    ok(db_pool_open(&options, &pool, &err));
    return pool;
}

int fixture_set_up_empty(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(fixture->dir, sizeof fixture->dir, "%s/store.XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(fixture->dir));
    (void)snprintf(fixture->sqlite_path, sizeof fixture->sqlite_path, "%s/marts.db", fixture->dir);
    fixture->kind = server_url()[0] == '\0' ? DB_SQLITE : DB_POSTGRESQL;
    if (fixture->kind == DB_POSTGRESQL)
        make_database(fixture);
    fixture->options = (struct db_options){.url = fixture->url,
                                           .sqlite_path = fixture->sqlite_path,
                                           .pool_max = FIXTURE_POOL_MAX,
                                           .acquire_ms = FIXTURE_ACQUIRE_MS,
                                           .statement_ms = FIXTURE_STATEMENT_MS};
    fixture->pool = fixture_pool(fixture, FIXTURE_POOL_MAX, FIXTURE_STATEMENT_MS);
    arena_init(&fixture->arena, 256u << 20);
    *state = fixture;
    return 0;
}

int fixture_set_up(void **state)
{
    struct err err = {0};
    int applied = 0;
    (void)fixture_set_up_empty(state);
    const struct fixture *fixture = *state;
    ok(migrate_up(fixture->pool, &applied, &err));
    return 0;
}

static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) !=
                              NULL) { /* NOLINT(concurrency-mt-unsafe): a stream of its own */
        char name[600];
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(name) != 0)
            remove_folder(name);
    }
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(path);
}

int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    db_pool_close(fixture->pool);
    if (fixture->kind == DB_POSTGRESQL)
        drop_database(fixture);
    remove_folder(fixture->dir);
    arena_clear(&fixture->arena);
    free(fixture);
    return 0;
}

struct catalog *load_catalog(struct fixture *fixture)
{
    struct err err = {0};
    struct db *db = NULL;
    struct catalog *catalog = NULL;
    ok(db_acquire(fixture->pool, DB_READ, NULL, &db, &err));
    ok(catalog_load(db, &catalog, &err));
    db_release(db);
    return catalog;
}

static size_t split(struct str line, char separator, struct str *fields)
{
    size_t n = 0;
    struct str field;
    while (str_next_field(&line, separator, &field)) {
        assert_true(n < FIELDS_MAX);
        fields[n++] = str_eq(field, STR("~")) ? STR_NONE : field;
    }
    return n;
}

void publish_text(struct fixture *fixture, const char *mart, enum publish_mode mode,
                  const char *columns, const char *rows, int keep, struct publish_result *ret)
{
    struct err err = {0};
    struct db *db = NULL;
    struct publish *publish = NULL;
    struct str names[FIELDS_MAX], fields[FIELDS_MAX], line, rest = str_of(rows);
    struct publish_result ignored;
    struct catalog *catalog = load_catalog(fixture);
    size_t n = split(str_of(columns), ',', names);
    ok(db_acquire(fixture->pool, DB_WRITE, NULL, &db, &err));
    ok(publish_begin(db, catalog, &publish, &err));
    ok(publish_mart_begin(publish, str_of(mart), mode, names, n, &err));
    while (str_next_field(&rest, '\n', &line)) {
        if (line.len == 0)
            continue;
        assert_int_equal(split(line, '|', fields), n);
        ok(publish_row(publish, fields, &err));
    }
    ok(publish_mart_end(publish, &err));
    ok(publish_commit(publish, keep, ret == NULL ? &ignored : ret, &err));
    db_release(db);
    catalog_unref(catalog);
}

const char *query_text(struct fixture *fixture, const char *sql)
{
    struct err err = {0};
    struct db *db = NULL;
    struct rows rows = {0};
    struct buf out;
    bool has_row = false;
    buf_init(&out, &fixture->arena, 16 << 20);
    ok(db_acquire(fixture->pool, DB_READ, NULL, &db, &err));
    ok(db_query(db, sql, NO_PARAMS, &rows, &err));
    for (;;) {
        ok(rows_next(&rows, &has_row, &err));
        if (!has_row)
            break;
        if (out.len > 0)
            buf_add_char(&out, '\n');
        for (size_t i = 0; i < rows_width(&rows); i++) {
            buf_add_c(&out, i > 0 ? "|" : "");
            buf_add(&out, rows_is_null(&rows, i) ? STR("~") : rows_text(&rows, i));
        }
    }
    rows_clear(&rows);
    db_release(db);
    return buf_c_str(&out);
}

void run_sql(struct fixture *fixture, const char *script)
{
    struct err err = {0};
    struct db *db = NULL;
    ok(db_acquire(fixture->pool, DB_WRITE, NULL, &db, &err));
    ok(db_exec_script(db, script, &err));
    db_release(db);
}

void write_file(const struct fixture *fixture, const char *name, const void *bytes, size_t n)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s", fixture->dir, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}
