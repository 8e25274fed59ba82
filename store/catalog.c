/*
 * catalog.c - the snapshot's life, lookups in it, and the cell that shares the current one.
 * catalog_load.c fills it from the database.
 */
#include "store/catalog.h"

#include "base/lock.h"
#include "base/suggest.h"
#include "store/catalog_impl.h"

#include <stddef.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(offsetof(struct catalog_box, catalog) == 0, "a catalog is found again in its box");

enum { CATALOG_BYTES_MAX = 64 << 20 };

struct catalog_box *catalog_box_new(void)
{
    struct catalog_box *box = calloc(1, sizeof *box);
    if (box == NULL)
        return NULL;
    atomic_init(&box->n_refs, 1);
    arena_init(&box->arena, CATALOG_BYTES_MAX);
    return box;
}

static struct catalog_box *box_of(struct catalog *catalog)
{
    return (struct catalog_box *)(void *)catalog;
}

struct catalog *catalog_ref(struct catalog *catalog)
{
    (void)atomic_fetch_add_explicit(&box_of(catalog)->n_refs, 1, memory_order_relaxed);
    return catalog;
}

void catalog_unref(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    struct catalog_box *box = box_of(catalog);
    if (atomic_fetch_sub_explicit(&box->n_refs, 1, memory_order_acq_rel) > 1)
        return;
    arena_clear(&box->arena);
    free(box);
}

void catalog_unrefp(struct catalog **catalog)
{
    catalog_unref(*catalog);
    *catalog = NULL;
}

const struct mart *catalog_mart(const struct catalog *catalog, struct str name)
{
    size_t from = 0;
    size_t to = catalog->n_marts;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp(name, catalog->marts[middle].name);
        if (order == 0)
            return &catalog->marts[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

int mart_column_index(const struct mart *mart, struct str name)
{
    for (size_t i = 0; i < mart->n_columns; i++)
        if (str_eq(mart->columns[i].name, name))
            return (int)i;
    return -1;
}

/* Adds name to a list that is cut with "..." where err->allowed ends. */
static void list_add(char *list, size_t size, struct str name)
{
    size_t len = strlen(list);
    size_t left = size - len;
    if (left < name.len + 8) {
        if (len > 0 && list[len - 1] != '.')
            (void)snprintf(list + len, left, ", ...");
        return;
    }
    (void)snprintf(list + len, left, "%s%.*s", len > 0 ? ", " : "", STR_ARG(name));
}

enum status catalog_unknown_mart(const struct catalog *catalog, struct str name, struct err *err)
{
    char list[sizeof err->allowed] = "";
    struct suggest search = suggest_start(name);
    for (size_t i = 0; i < catalog->n_marts; i++) {
        suggest_offer(&search, catalog->marts[i].name);
        list_add(list, sizeof list, catalog->marts[i].name);
    }
    enum status s =
        err_set(err, STATUS_UNKNOWN_MART, "There is no mart \"%.*s\".",
                (int)(name.len < 100 ? name.len : 100), name.ptr == NULL ? "" : name.ptr);
    err_at(err, ERR_PARAMETER, STR("mart"), name);
    err_suggest(err, suggest_take(&search));
    err_allow(err, "%s", list);
    return s;
}

enum status catalog_resolve(const struct catalog *catalog, const struct mart *mart,
                            int64_t generation, const struct mart_version **ret_version,
                            int64_t *ret_read_at, struct err *err)
{
    size_t n = 0; /* versions made at or before generation */
    while (n < mart->n_versions && mart->versions[n].generation <= generation)
        n++;
    bool is_newest = n == mart->n_versions;
    int64_t read_at = is_newest ? catalog->generation : mart->versions[n].generation - 1;
    enum status s = STATUS_OK;
    if (generation > catalog->generation)
        s = err_set(err, STATUS_BAD_VALUE, "Generation %lld has not been published yet.",
                    (long long)generation);
    else if (n == 0 || read_at < catalog->oldest_generation)
        s = err_set(err, STATUS_GENERATION_RETIRED,
                    "Generation %lld of the data is no longer kept.", (long long)generation);
    if (s != STATUS_OK) {
        err_allow(err, "%lld to %lld", (long long)catalog->oldest_generation,
                  (long long)catalog->generation);
        return s;
    }
    *ret_version = &mart->versions[n - 1];
    *ret_read_at = read_at;
    return STATUS_OK;
}

enum status mart_unknown_column(const struct mart *mart, struct str name, const char *parameter,
                                struct err *err)
{
    char list[sizeof err->allowed] = "";
    struct suggest search = suggest_start(name);
    for (size_t i = 0; i < mart->n_columns; i++) {
        suggest_offer(&search, mart->columns[i].name);
        list_add(list, sizeof list, mart->columns[i].name);
    }
    enum status s = err_set(err, STATUS_UNKNOWN_COLUMN, "There is no column \"%.*s\" in %.*s.",
                            (int)(name.len < 100 ? name.len : 100),
                            name.ptr == NULL ? "" : name.ptr, STR_ARG(mart->name));
    err_at(err, ERR_PARAMETER, str_of(parameter), name);
    err_suggest(err, suggest_take(&search));
    err_allow(err, "%s", list);
    return s;
}

const char *column_kind_json(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_INT:
        return "integer";
    case COLUMN_DECIMAL:
    case COLUMN_FLOAT:
        return "number";
    case COLUMN_BOOL:
        return "boolean";
    case COLUMN_TEXT:
    case COLUMN_DATE:
    case COLUMN_INSTANT:
    case COLUMN_OTHER:
        break;
    }
    return "string";
}

struct catalog_cell {
    _Atomic uint64_t fingerprint; /* of current, or of the one before while it changes; 0: none */
    struct lock lock;             /* leaf lock; guards current */
    struct catalog *current GUARDED;
};

struct catalog_cell *catalog_cell_new(void)
{
    struct catalog_cell *cell = calloc(1, sizeof *cell);
    if (cell != NULL)
        lock_init(&cell->lock);
    return cell;
}

void catalog_cell_free(struct catalog_cell *cell)
{
    if (cell == NULL)
        return;
    catalog_unref(cell->current);
    lock_clear(&cell->lock);
    free(cell);
}

struct catalog *catalog_cell_get(struct catalog_cell *cell)
{
    lock_take(&cell->lock);
    struct catalog *catalog = cell->current == NULL ? NULL : catalog_ref(cell->current);
    lock_give(&cell->lock);
    return catalog;
}

void catalog_cell_set(struct catalog_cell *cell, struct catalog *catalog)
{
    lock_take(&cell->lock);
    struct catalog *old = cell->current;
    cell->current = catalog;
    atomic_store(&cell->fingerprint, catalog->fingerprint);
    lock_give(&cell->lock);
    catalog_unref(old);
}

uint64_t catalog_cell_fingerprint(struct catalog_cell *cell)
{
    return atomic_load(&cell->fingerprint);
}

enum status catalog_cell_refresh(struct catalog_cell *cell, struct db_pool *pool, bool *ret_changed,
                                 struct err *err)
{
    CLEANUP(catalog_unrefp) struct catalog *current = catalog_cell_get(cell);
    CLEANUP(db_releasep) struct db *db = NULL;
    bool is_stale = true;
    enum status s = db_acquire(pool, DB_READ, NULL, &db, err);
    if (s == STATUS_OK && current != NULL)
        s = catalog_is_stale(db, current, &is_stale, err);
    if (s != STATUS_OK)
        return s;
    if (is_stale) {
        struct catalog *fresh = NULL;
        s = catalog_load(db, &fresh, err);
        if (s != STATUS_OK)
            return s;
        catalog_cell_set(cell, fresh);
    }
    *ret_changed = is_stale;
    return STATUS_OK;
}

struct str catalog_keep(struct arena *arena, struct str s)
{
    return (struct str){arena_dup(arena, s), s.len};
}

enum status catalog_no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while reading the catalogue.");
}
