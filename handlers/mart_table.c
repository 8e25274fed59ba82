/* mart_table.c - see mart_table.h. */
#include "handlers/mart_table.h"

#include "handlers/rows_render.h"

enum status mart_table_begin(struct request *request, const char *const *names, size_t n_names,
                             bool needs_all, struct mart_table *what, struct err *err)
{
    struct rows_request *rows = &what->rows;
    enum status s = rows_begin(request, request->path_params[0], rows, err);
    if (s == STATUS_OK)
        s = rows_read_filters(request, rows, names, n_names, err);
    if (s == STATUS_OK)
        s = rows_add_window(request, rows, err);
    if (s == STATUS_OK)
        s = mart_query_finish(rows->query, &request->arena, err);
    if (s == STATUS_OK)
        rows->query->generation = rows->read_at;
    return s != STATUS_OK ? s : rows_check_scan(request, rows, needs_all, err);
}

void mart_table_end(struct mart_table *what)
{
    rows_end(&what->rows);
}

/* The resource's path is part of the target, which table_answer adds. */
static enum status identity_of(struct request *request, const struct mart_table *what,
                               struct str *ret, struct err *err)
{
    const struct mart *mart = what->rows.query->mart;
    struct buf out;
    buf_init(&out, &request->arena, (size_t)256 * 1024);
    buf_printf(&out, "%s|%.*s|%lld", request->route->path, STR_ARG(mart->name),
               (long long)what->rows.version.generation);
    mart_filters_canonical(what->rows.query, &out);
    buf_add_char(&out, '|');
    buf_add(&out, what->detail);
    if (out.failed)
        return err_out_of_memory(err);
    *ret = buf_str(&out);
    return STATUS_OK;
}

enum status mart_table_answer(struct request *request, struct mart_table *what, table_fill_fn *fill,
                              void (*put_meta)(struct json_out *json, void *cls), void *cls,
                              struct err *err)
{
    const struct rows_request *rows = &what->rows;
    const struct mart *mart = rows->query->mart;
    struct table_request table = {.mart = mart,
                                  .version = rows->version.generation,
                                  .is_pinned = request_param(request, "generation").ptr != NULL,
                                  .formats = TABLE_FORMATS,
                                  .fill = fill,
                                  .put_meta = put_meta,
                                  .cls = cls};
    struct buf about, file;
    buf_init(&about, &request->arena, 256);
    buf_init(&file, &request->arena, 256);
    buf_printf(&about, "/v1/marts/%.*s", STR_ARG(mart->name));
    buf_printf(&file, "%.*s-g%lld", STR_ARG(mart->name), (long long)rows->version.generation);
    if (about.failed || file.failed)
        return err_out_of_memory(err);
    table.describedby = buf_str(&about);
    table.file_name = buf_str(&file);
    enum status s = identity_of(request, what, &table.identity, err);
    return s != STATUS_OK ? s : table_answer(request, &table, err);
}

void mart_table_put_meta(struct json_out *json, const struct mart_table *what)
{
    rows_put_version(json, &what->rows);
}
