/* rows_count.c - see rows_count.h; the catalogue first, then what was counted before, then the database. */
#include "handlers/rows_count.h"

#include "base/lock.h"
#include "handlers/params.h"
#include "server/app.h"
#include "store/mart_count.h"

#include <stdlib.h>
#include <string.h>

enum { COUNTS_SLOTS = 1024, COUNTS_KEY_MAX = 2048 };

struct known_count {
    char *key; /* NULL: free */
    size_t key_len;
    int64_t count;
};

struct counts {
    struct lock lock; /* leaf lock; guards slots */
    struct known_count
        slots[COUNTS_SLOTS] GUARDED; /* by hash of the key; a newer one takes the place */
};

struct counts *counts_new(void)
{
    struct counts *counts = calloc(1, sizeof *counts);
    if (counts != NULL)
        lock_init(&counts->lock);
    return counts;
}

void counts_free(struct counts *counts)
{
    if (counts == NULL)
        return;
    for (size_t i = 0; i < COUNTS_SLOTS; i++)
        free(counts->slots[i].key);
    lock_clear(&counts->lock);
    free(counts);
}

static size_t slot_of(struct str key)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.ptr[i]) * 0x100000001b3u;
    return (size_t)((hash ^ hash >> 32) % COUNTS_SLOTS);
}

bool counts_find(struct counts *counts, struct str key, int64_t *ret)
{
    if (counts == NULL || key.ptr == NULL)
        return false;
    lock_take(&counts->lock);
    const struct known_count *slot = &counts->slots[slot_of(key)];
    bool is_known = slot->key != NULL && str_eq((struct str){slot->key, slot->key_len}, key);
    if (is_known)
        *ret = slot->count;
    lock_give(&counts->lock);
    return is_known;
}

void counts_keep(struct counts *counts, struct str key, int64_t count)
{
    bool is_kept = counts != NULL && key.ptr != NULL && key.len <= COUNTS_KEY_MAX;
    char *copy = is_kept ? malloc(key.len + 1) : NULL;
    if (copy == NULL)
        return;
    memcpy(copy, key.ptr, key.len);
    lock_take(&counts->lock);
    struct known_count *slot = &counts->slots[slot_of(key)];
    char *old = slot->key;
    *slot = (struct known_count){copy, key.len, count};
    lock_give(&counts->lock);
    free(old);
}

struct str counts_key(struct request *request, const struct rows_request *rows, struct str what)
{
    const struct mart_query *query = rows->query;
    struct buf key;
    buf_init(&key, &request->arena, (size_t)256 * 1024);
    buf_printf(&key, "%.*s|%.*s|%lld", STR_ARG(what), STR_ARG(query->mart->name),
               (long long)rows->version.generation);
    mart_filters_canonical(query, &key);
    return query->mart->is_managed && !key.failed ? buf_str(&key) : STR_NONE;
}

static const struct {
    struct str name;
    enum count_mode mode;
} modes[] = {
    {{"none", 4}, COUNT_NONE},
    {{"exact", 5}, COUNT_EXACT},
    {{"estimated", 9}, COUNT_ESTIMATED},
};

static bool mode_of(struct str name, enum count_mode *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (str_eq(name, modes[i].name)) {
            *ret = modes[i].mode;
            return true;
        }
    return false;
}

/* A preference that is not understood is ignored (RFC 7240). */
static void read_prefer(struct request *request, enum count_mode *ret)
{
    struct str rest = request_header(request, "Prefer");
    struct str item;
    while (str_next_field(&rest, ',', &item)) {
        item = str_trim(str_sub(item, 0, str_find(item, ';', 0)));
        if (!str_starts(item, STR("count=")) || !mode_of(str_sub(item, 6, item.len), ret))
            continue;
        reply_header(request, "Preference-Applied", "%.*s", STR_ARG(item));
        return;
    }
}

enum status rows_count_read(struct request *request, enum count_mode *ret, struct err *err)
{
    struct str text = request_param(request, "count");
    *ret = COUNT_NONE;
    reply_header(request, "Vary", "Prefer");
    if (text.ptr == NULL)
        read_prefer(request, ret);
    else if (!mode_of(text, ret))
        return params_refuse(err, "count", text, "none, exact or estimated");
    return STATUS_OK;
}

static enum status count_exactly(struct request *request, const struct rows_request *rows,
                                 struct db *db, int64_t *ret, struct err *err)
{
    const struct mart_query *query = rows->query;
    struct str key = counts_key(request, rows, STR("rows"));
    if (counts_find(request->app->counts, key, ret))
        return STATUS_OK;
    enum status s = mart_count(db, query, 0, &request->arena, ret, err);
    if (s == STATUS_OK)
        counts_keep(request->app->counts, key, *ret);
    return s;
}

enum status rows_count(struct request *request, const struct rows_request *rows, struct db *db,
                       int64_t *ret_count, const char **ret_quality, struct err *err)
{
    const struct mart_query *query = rows->query;
    const struct mart *mart = query->mart;
    bool has_filter = query->n_filters > 0 || query->n_search_columns > 0;
    bool is_newest = mart->is_managed && rows->version.generation == mart->generation;
    *ret_count = -1;
    *ret_quality = "none";
    if (rows->count == COUNT_NONE)
        return STATUS_OK;
    *ret_quality = "exact";
    if (!has_filter && is_newest && mart->n_rows >= 0) {
        *ret_count = mart->n_rows;
        return STATUS_OK;
    }
    if (rows->count == COUNT_EXACT)
        return count_exactly(request, rows, db, ret_count, err);
    if (db_kind(db) == DB_POSTGRESQL) {
        *ret_quality = "estimated";
        return mart_count_planned(db, query, &request->arena, ret_count, err);
    }
    enum status s = mart_count(db, query, COUNT_ESTIMATE_MAX + 1, &request->arena, ret_count, err);
    if (s == STATUS_OK && *ret_count > COUNT_ESTIMATE_MAX) {
        *ret_count = COUNT_ESTIMATE_MAX;
        *ret_quality = "estimated";
    }
    return s;
}
