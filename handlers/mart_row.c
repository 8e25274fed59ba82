/* mart_row.c - one row of a mart by its key, as /rows/{key}: the parts of the key in order, separated by commas. */
#include "handlers/handlers.h"

#include "base/suggest.h"
#include "handlers/params.h"
#include "handlers/rows_answer.h"
#include "handlers/table.h"
#include "server/query_string.h"
#include "store/mart_query.h"
#include "store/mart_read.h"

static enum status out_of_memory(struct err *err)
{
    (void)err_out_of_memory(err);
    return STATUS_OUT_OF_MEMORY;
}

/* The last segment as sent: a comma inside a part is %2C there. */
static struct str raw_key(const struct request *request)
{
    size_t from = request->path.len;
    while (from > 0 && request->path.ptr[from - 1] != '/')
        from--;
    return str_sub(request->path, from, request->path.len);
}

static enum status bad_key(struct request *request, const struct mart *mart, struct err *err)
{
    struct buf list;
    bool has_key = mart->columns[mart->key[0]].is_key;
    buf_init(&list, &request->arena, 1024);
    for (size_t i = 0; i < mart->n_key; i++) {
        buf_add_c(&list, i > 0 ? "," : "");
        buf_add(&list, mart->columns[mart->key[i]].name);
    }
    (void)err_set(err, STATUS_BAD_VALUE, has_key ? "This is no key of %.*s." : "%.*s has no key.",
                  STR_ARG(mart->name));
    err_at(err, ERR_PARAMETER, STR("key"), request->path_params[1]);
    if (has_key)
        err_allow(err, "%.*s: each part percent-encoded, a comma inside a part as %%2C",
                  STR_ARG(buf_str(&list)));
    else
        err_allow(err, "rows by filters: /v1/marts/%.*s/rows", STR_ARG(mart->name));
    return STATUS_BAD_VALUE;
}

static enum status part_filter(struct request *request, const struct mart *mart, size_t i,
                               struct str raw, struct filter *ret, struct err *err)
{
    struct buf value;
    struct str part;
    char *room = arena_alloc(&request->arena, raw.len + 1);
    buf_init(&value, &request->arena, (size_t)64 * 1024);
    if (room == NULL)
        return out_of_memory(err);
    if (!percent_decode(raw, false, room, &part))
        return bad_key(request, mart, err);
    buf_add_c(&value, "eq.");
    buf_add(&value, part);
    if (value.failed)
        return bad_key(request, mart, err);
    return filter_parse(mart, mart->columns[mart->key[i]].name, buf_str(&value), &request->arena,
                        ret, err);
}

/* filters[i] is column key[i] = part i. */
static enum status key_filters(struct request *request, const struct mart *mart,
                               struct filter *filters, struct err *err)
{
    struct str rest = raw_key(request);
    struct str part;
    size_t n = 0;
    bool has_key = mart->n_key <= MART_FILTERS_MAX && mart->columns[mart->key[0]].is_key;
    while (has_key && str_next_field(&rest, ',', &part)) {
        if (n == mart->n_key)
            return bad_key(request, mart, err);
        enum status s = part_filter(request, mart, n, part, &filters[n], err);
        if (s != STATUS_OK)
            return s;
        n++;
    }
    return n == mart->n_key ? STATUS_OK : bad_key(request, mart, err);
}

/* A key as it stands in a path. */
static struct str key_text(const struct rows *rows, const struct mart *mart, struct arena *arena)
{
    struct buf text;
    buf_init(&text, arena, (size_t)64 * 1024);
    for (size_t i = 0; i < mart->n_key; i++) {
        struct str value = mart_value_text(rows, i, mart->columns[mart->key[i]].kind, arena);
        buf_add_c(&text, i > 0 ? "," : "");
        for (size_t k = 0; k < value.len; k++) {
            if (value.ptr[k] == ',')
                buf_add_c(&text, "%2C");
            else
                buf_add_char(&text, value.ptr[k]);
        }
    }
    return text.failed ? STR_NONE : buf_str(&text);
}

struct near {
    const struct mart *mart;
    const struct filter *key;
    int64_t generation;
    size_t n_kept; /* parts of the key that the row has too */
    bool is_before;
};

/* The first row whose key begins with the parts kept and goes on at or after the next one, or before it. */
static enum status find_near(struct request *request, struct db *db, struct near near,
                             struct str *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    const struct mart *mart = near.mart;
    struct filter filters[MART_FILTERS_MAX];
    struct order_term order[MART_FILTERS_MAX];
    struct mart_query query = {.mart = mart,
                               .generation = near.generation,
                               .select = mart->key,
                               .n_select = mart->n_key,
                               .filters = filters,
                               .n_filters = near.n_kept + 1,
                               .order = order,
                               .n_order = mart->n_key,
                               .limit = 1};
    for (size_t i = 0; i <= near.n_kept; i++)
        filters[i] = near.key[i];
    filters[near.n_kept].op = near.is_before ? OP_LT : OP_GTE;
    for (size_t i = 0; i < mart->n_key; i++)
        order[i] = (struct order_term){.column = mart->key[i], .is_descending = near.is_before};
    bool has_row = false;
    enum status s = mart_query_finish(&query, &request->arena, err);
    if (s == STATUS_OK)
        s = mart_read_page(db, &query, &request->arena, &rows, err);
    if (s == STATUS_OK)
        s = rows_next(&rows, &has_row, err);
    if (s == STATUS_OK && has_row)
        *ret = key_text(&rows, mart, &request->arena);
    return s;
}

/* Whether part i of the key found is worth suggesting: text has to look like what was asked for, days have an order. */
static bool is_alike(struct request *request, const struct mart *mart, size_t i, struct str found)
{
    struct str asked = raw_key(request), a = STR_NONE, b = STR_NONE;
    for (size_t k = 0; k <= i; k++)
        if (!str_next_field(&asked, ',', &a) || !str_next_field(&found, ',', &b))
            return false;
    struct suggest search = suggest_start(a);
    suggest_offer(&search, b);
    return mart->columns[mart->key[i]].kind != COLUMN_TEXT || suggest_take(&search).ptr != NULL;
}

/* A when_empty_fn: NOT_FOUND with the nearest key there is, which shares as many parts as possible. */
static enum status no_row(struct request *request, struct db *db, int64_t generation,
                          struct err *err)
{
    CLEANUP(rows_end) struct rows_request rows = {0};
    struct filter key[MART_FILTERS_MAX] = {0};
    struct str nearest = STR_NONE;
    enum status s = rows_begin(request, request->path_params[0], &rows, err);
    if (s != STATUS_OK)
        return s;
    const struct mart *mart = rows.query->mart;
    s = key_filters(request, mart, key, err);
    for (size_t n = mart->n_key; n > 0 && s == STATUS_OK && nearest.ptr == NULL; n--) {
        if (mart->columns[mart->key[n - 1]].kind == COLUMN_OTHER)
            continue;
        struct near near = {.mart = mart, .key = key, .generation = generation, .n_kept = n - 1};
        for (int side = 0; side < 2 && s == STATUS_OK && nearest.ptr == NULL; side++) {
            near.is_before = side == 1;
            s = find_near(request, db, near, &nearest, err);
            if (nearest.ptr != NULL && !is_alike(request, mart, n - 1, nearest))
                nearest = STR_NONE;
        }
    }
    if (s != STATUS_OK)
        return s;
    (void)err_set(err, STATUS_NOT_FOUND, "%.*s has no row with this key.", STR_ARG(mart->name));
    err_at(err, ERR_PARAMETER, STR("key"), request->path_params[1]);
    err_suggest(err, nearest);
    err_allow(err, "a key there is: see /v1/marts/%.*s/rows", STR_ARG(mart->name));
    return STATUS_NOT_FOUND;
}

enum status mart_row_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"select", "generation", TABLE_PARAMETERS};
    CLEANUP(rows_end) struct rows_request rows = {0};
    struct filter key[MART_FILTERS_MAX] = {0};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = rows_begin(request, request->path_params[0], &rows, err);
    if (s == STATUS_OK)
        s = key_filters(request, rows.query->mart, key, err);
    for (size_t i = 0; s == STATUS_OK && i < rows.query->mart->n_key; i++)
        s = rows_add_filter(&rows, key[i], err);
    struct str select = request_param(request, "select");
    if (s == STATUS_OK && select.ptr != NULL)
        s = select_parse(rows.query->mart, select, &request->arena, rows.query, err);
    if (s != STATUS_OK)
        return s;
    rows.is_single = true;
    rows.has_parent = true;
    rows.when_empty = no_row;
    return rows_answer(request, &rows, err);
}
