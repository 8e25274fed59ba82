/* resource.c - from a request to the versions, the canonical query and the page of a domain resource. */
#include "handlers/resource.h"

#include "base/date.h"
#include "base/suggest.h"
#include "handlers/database.h"
#include "handlers/params.h"
#include "handlers/rows_answer.h"
#include "handlers/urls.h"
#include "store/mart_query.h"

#include <stdio.h>

/* The generation that cursor= or generation= names, else the newest. */
static enum status named_generation(struct resource *resource, int64_t *ret, const char **ret_name,
                                    struct err *err)
{
    struct request *request = resource->request;
    struct str cursor = request_param(request, "cursor");
    *ret = resource->catalog->generation;
    *ret_name = cursor.ptr != NULL ? "cursor" : "generation";
    if (cursor.ptr != NULL)
        return cursor_generation(cursor, &request->arena, ret, err);
    return params_i64(request, "generation", 1, INT64_MAX, ret, err);
}

/* One mart's version at generation, and the stretch of generations that show it. */
static enum status join_mart(struct resource *resource, const struct mart *mart, int64_t generation,
                             struct err *err)
{
    const struct mart_version *version = NULL;
    int64_t read_at = 0;
    int64_t number = 0;
    if (mart->n_versions > 0) { /* else kept by another tool, or not published yet */
        enum status s =
            catalog_resolve(resource->catalog, mart, generation, &version, &read_at, err);
        if (s != STATUS_OK)
            return s;
        number = version->generation;
        resource->read_at = read_at < resource->read_at ? read_at : resource->read_at;
        resource->version = number > resource->version ? number : resource->version;
    }
    buf_printf(&resource->identity, "|%.*s@%lld", STR_ARG(mart->name), (long long)number);
    if (resource->mart != NULL)
        return STATUS_OK;
    resource->mart = mart;
    if (version == NULL || !date_parse(str_sub(version->as_of, 0, 10), &resource->as_of))
        resource->as_of = DATE_MAX;
    return STATUS_OK;
}

enum status resource_begin(struct request *request, const char *const *marts, size_t n_marts,
                           struct resource *ret, struct err *err)
{
    ret->request = request;
    ret->limit = MART_LIMIT_DEFAULT;
    buf_init(&ret->identity, &request->arena, (size_t)1024 * 1024);
    struct str route = str_of(request->route->path);
    struct str name =
        request->path_params[0].ptr == NULL ? request->path : route; /* may be asked by a body */
    buf_printf(&ret->identity, "%s|%.*s", CMMC_VERSION, STR_ARG(name));
    for (size_t i = 0; request->route->path[0] != '\0' && i < REQUEST_PATH_PARAMS; i++)
        if (request->path_params[i].ptr != NULL)
            resource_say(ret, "path", request->path_params[i]);
    enum status s = rows_catalog(request, &ret->catalog, err);
    const char *parameter = "generation";
    int64_t generation = 0;
    if (s == STATUS_OK)
        s = named_generation(ret, &generation, &parameter, err);
    if (s != STATUS_OK)
        return s;
    ret->read_at = ret->catalog->generation;
    for (size_t i = 0; i < n_marts && s == STATUS_OK; i++) {
        const struct mart *mart = catalog_mart(ret->catalog, str_of(marts[i]));
        if (mart == NULL)
            return catalog_unknown_mart(ret->catalog, str_of(marts[i]), err);
        s = join_mart(ret, mart, generation, err);
    }
    if (s == STATUS_GENERATION_RETIRED || s == STATUS_BAD_VALUE)
        err_at(err, ERR_PARAMETER, str_of(parameter), request_param(request, parameter));
    return s;
}

void resource_end(struct resource *resource)
{
    catalog_unrefp(&resource->catalog);
}

void resource_say(struct resource *resource, const char *name, struct str value)
{
    if (value.ptr == NULL)
        return;
    buf_printf(&resource->identity, "|%s=%zu:", name, value.len);
    buf_add(&resource->identity, value);
}

void resource_say_i64(struct resource *resource, const char *name, int64_t value)
{
    buf_printf(&resource->identity, "|%s=%lld", name, (long long)value);
}

enum status resource_page(struct resource *resource, int64_t max, size_t n_values, struct err *err)
{
    struct request *request = resource->request;
    if (resource->limit > max)
        resource->limit = max;
    enum status s = params_i64(request, "limit", 1, max, &resource->limit, err);
    if (s != STATUS_OK)
        return s;
    resource_say_i64(resource, "limit", resource->limit);
    if (resource->identity.failed)
        return err_out_of_memory(err);
    struct str cursor = request_param(request, "cursor");
    if (cursor.ptr == NULL)
        return STATUS_OK;
    s = cursor_decode(cursor, buf_str(&resource->identity), n_values, &request->arena,
                      &resource->after, err);
    for (size_t i = 0; i < n_values && s == STATUS_OK; i++)
        if (resource->after.values[i].ptr == NULL)
            s = err_set(err, STATUS_BAD_CURSOR, "The cursor is not one that this server gave out.");
    if (s == STATUS_OK)
        resource_say(resource, "cursor", cursor);
    return s;
}

/* What cursors are bound to: the canonical query as it was before the cursor was said. */
static struct str canonical(const struct resource *resource)
{
    struct str text = buf_str(&resource->identity);
    return resource->after.values != NULL ? resource->after.query : text;
}

enum status resource_next(struct resource *resource, struct table *table, const struct str *values,
                          size_t n_values, struct err *err)
{
    struct request *request = resource->request;
    struct str *copy = arena_array(&request->arena, n_values, sizeof *copy);
    if (copy == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n_values; i++)
        copy[i] = values[i];
    struct cursor cursor = {.generation = resource->version,
                            .query = canonical(resource),
                            .values = copy,
                            .n_values = n_values};
    struct str text, url;
    enum status s = cursor_encode(&cursor, &request->arena, &text, err);
    if (s == STATUS_OK)
        s = url_with_cursor(request, text, &url, err);
    return s != STATUS_OK ? s : table_next(table, url, err);
}

enum status resource_skip(const struct resource *resource, size_t *ret, struct err *err)
{
    int64_t n = 0;
    if (resource->after.values != NULL && (!str_to_i64(resource->after.values[0], &n) || n < 0))
        return err_set(err, STATUS_BAD_CURSOR, "The cursor is not one that this server gave out.");
    *ret = (size_t)n;
    return STATUS_OK;
}

enum status resource_next_at(struct resource *resource, struct table *table, size_t place,
                             struct err *err)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%zu", place);
    struct str value = str_of(text);
    return resource_next(resource, table, &value, 1, err);
}

enum status resource_choice(struct request *request, const char *name, const char *const *names,
                            size_t n_names, size_t *ret, struct err *err)
{
    struct str value = request_param(request, name);
    if (value.ptr == NULL)
        return STATUS_OK;
    struct suggest search = suggest_start(value);
    char list[sizeof err->allowed] = "";
    size_t used = 0;
    for (size_t i = 0; i < n_names; i++) {
        if (str_eq_c(value, names[i])) {
            *ret = i;
            return STATUS_OK;
        }
        suggest_offer(&search, str_of(names[i]));
        int n = used < sizeof list ? snprintf(list + used, sizeof list - used, "%s%s",
                                              i == 0 ? "" : ", ", names[i])
                                   : 0;
        used += n > 0 ? (size_t)n : 0;
    }
    enum status s = params_refuse(err, name, value, list);
    err_suggest(err, suggest_take(&search));
    return s;
}

enum status resource_db(struct resource *resource, struct db **ret, struct err *err)
{
    return database_acquire(resource->request, DB_READ_MARTS, ret, err);
}

void resource_put_meta(const struct resource *resource, struct json_out *json, bool is_list)
{
    char as_of[DATE_TEXT_BYTES];
    jw_key_text(json, "mart", resource->mart->name);
    if (resource->mart->is_managed)
        jw_key_i64(json, "generation", resource->version);
    else
        jw_key_null(json, "generation");
    date_format(resource->as_of, as_of);
    jw_key_text(json, "as_of", resource->as_of == DATE_MAX ? STR_NONE : str_of(as_of));
    if (is_list)
        jw_key_i64(json, "page_size", resource->limit);
}

/* A generation that is retired between the catalogue and the read is to be asked for again. */
static enum status fill(struct request *request, void *cls, struct table *table, struct err *err)
{
    const struct resource *resource = cls;
    enum status s = resource->fill(request, resource->cls, table, err);
    return s == STATUS_GENERATION_RETIRED ? rows_moved_on(err) : s;
}

static void put_meta(struct json_out *json, void *cls)
{
    const struct resource *resource = cls;
    resource->put_meta(json, resource->cls);
}

enum status resource_answer(struct resource *resource, struct table_request what, struct err *err)
{
    struct request *request = resource->request;
    resource->fill = what.fill;
    resource->put_meta = what.put_meta;
    resource->cls = what.cls;
    what.fill = fill;
    what.put_meta = put_meta;
    what.cls = resource;
    what.mart = resource->mart;
    what.version = resource->version;
    what.is_pinned = request_param(request, "generation").ptr != NULL;
    what.identity = buf_str(&resource->identity);
    if (what.formats == 0)
        what.formats = TABLE_FORMATS;
    return resource->identity.failed ? err_out_of_memory(err) : table_answer(request, &what, err);
}
