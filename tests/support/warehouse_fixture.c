/* warehouse_fixture.c - an empty warehouse, and objects of rows for it. */
#include "tests/support/warehouse_fixture.h"

#include "base/date.h"
#include "base/digest.h"
#include "base/gzip.h"
#include "ingest/feed.h"
#include "ingest/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 64 << 20, RESULT_BYTES_MAX = 32 << 20 };

static void open_pool(struct warehouse_fixture *w)
{
    struct err err = {0};
    char path[400];
    (void)snprintf(path, sizeof path, "%s/warehouse%d.db", w->store->dir, w->n_made++);
    struct db_options options = {.url = w->store->url,
                                 .sqlite_path = path,
                                 .pool_max = 2,
                                 .acquire_ms = 2000,
                                 .statement_ms = 60000};
    ok(warehouse_open(&options, &w->pool, &err));
}

int warehouse_set_up(struct warehouse_fixture *w, void **state)
{
    struct err err = {0};
    char folder[400];
    if (fixture_set_up(state) != 0)
        return -1;
    *w = (struct warehouse_fixture){.store = *state};
    (void)snprintf(folder, sizeof folder, "%s/lake", w->store->dir);
    ok(lake_open(folder, &w->lake, &err));
    open_pool(w);
    return 0;
}

int warehouse_tear_down(struct warehouse_fixture *w, void **state)
{
    db_pool_close(w->pool);
    lake_freep(&w->lake);
    return fixture_tear_down(state);
}

void warehouse_renew(struct warehouse_fixture *w)
{
    db_pool_close(w->pool);
    if (w->store->kind == DB_POSTGRESQL)
        run_sql(w->store, "DROP SCHEMA silver CASCADE; DROP SCHEMA gold CASCADE; "
                          "DROP SCHEMA staging CASCADE");
    open_pool(w);
}

void put_rows(struct warehouse_fixture *w, const char *folder, const char *ymd, const char *fetched,
              const char *shape, const char *text)
{
    struct err err = {0};
    struct arena arena;
    struct buf plain;
    struct str packed;
    char key[300], hash[DIGEST_HEX_BYTES], at[20];
    bool is_new = false;
    size_t i = 0, n = 0;
    arena_init(&arena, (size_t)4 * TEXT_BYTES_MAX);
    buf_init(&plain, &arena, TEXT_BYTES_MAX);
    while (strcmp(feed_layouts[i].name, shape) != 0)
        i++;
    for (size_t k = 0; k < feed_layouts[i].n; k++)
        buf_printf(&plain, "%s,", feed_columns[feed_layouts[i].first + k].name);
    buf_printf(&plain, "source,fetched_at,raw_key\n%s", text);
    ok(gzip_pack(buf_str(&plain), 6, &arena, &packed, &err));
    ok(digest_hex(str_of(text), hash, &err));
    for (const char *c = fetched; *c != '\0'; c++)
        if (*c != '-' && *c != ':')
            at[n++] = *c;
    at[n] = '\0';
    (void)snprintf(key, sizeof key, "bronze/%s/ymd=%s/rows-%s-%.16s.csv.gz", folder, ymd, at, hash);
    struct lake_meta meta = {.http_status = 200};
    ok(lake_put(w->lake, key, (struct lake_source){transport_read_str, &packed}, &meta, NULL,
                &is_new, &err));
    arena_clear(&arena);
}

struct warehouse_report load_window(struct warehouse_fixture *w, const char *dataset,
                                    const char *folder, const char *from, const char *to)
{
    struct err err = {0};
    struct warehouse_report report = {0};
    struct warehouse_task task = {.dataset = str_of(dataset), .folder = str_of(folder)};
    assert_true(date_parse(str_of(from), &task.from) && date_parse(str_of(to), &task.to));
    ok(warehouse_silver(w->lake, w->pool, &task, NULL, &report, &err));
    return report;
}

void load_all(struct warehouse_fixture *w, const char *dataset, const char *folder)
{
    (void)load_window(w, dataset, folder, "1990-01-01", "2030-12-31");
}

struct warehouse_report model(struct warehouse_fixture *w)
{
    struct err err = {0};
    struct warehouse_report report = {0};
    ok(warehouse_gold(w->pool, NULL, &report, &err));
    return report;
}

struct warehouse_report publish(struct warehouse_fixture *w, enum status wanted, bool force)
{
    struct err err = {0};
    struct warehouse_report report = {0};
    struct warehouse_task task = {.force = force, .generations = 3};
    expect(wanted, warehouse_publish(w->pool, w->store->pool, &task, NULL, &report, &err));
    return report;
}

const char *warehouse_text(struct warehouse_fixture *w, const char *sql)
{
    struct fixture other = *w->store;
    other.pool = w->pool;
    other.arena = (struct arena){0};
    arena_init(&other.arena, RESULT_BYTES_MAX);
    const char *text = query_text(&other, sql);
    char *copy = arena_dup(&w->store->arena, str_of(text));
    assert_non_null(copy);
    arena_clear(&other.arena);
    return copy;
}
