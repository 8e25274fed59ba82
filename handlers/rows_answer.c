/* rows_answer.c - from a mart query to the table that answers it. */
#include "handlers/rows_answer.h"

#include "handlers/cursor.h"
#include "handlers/params.h"
#include "handlers/rows_render.h"

static enum status resolve_cursor(struct request *request, struct mart_query *query,
                                  struct str canonical, struct err *err)
{
    struct str text = request_param(request, "cursor");
    if (text.ptr == NULL)
        return STATUS_OK;
    struct cursor cursor;
    enum status s = cursor_decode(text, canonical, query->n_order, &request->arena, &cursor, err);
    if (s == STATUS_OK)
        query->after = cursor.values;
    if (s == STATUS_OK)
        query->is_backward = cursor.is_backward;
    return s;
}

enum status rows_moved_on(struct err *err)
{
    (void)err_set(err, STATUS_DB_CONFLICT,
                  "The data was replaced several times while it was read; ask again.");
    if (err != NULL)
        err->retry_after_s = 1;
    return STATUS_DB_CONFLICT;
}

static struct str parent_of(struct str path)
{
    size_t len = path.len;
    while (len > 0 && path.ptr[len - 1] != '/')
        len--;
    return str_sub(path, 0, len > 0 ? len - 1 : 0);
}

/* Addresses and names that the answer carries beside the rows. */
static enum status describe(struct request *request, const struct rows_request *rows,
                            struct table_request *table, struct err *err)
{
    struct buf file, about;
    buf_init(&file, &request->arena, 256);
    buf_init(&about, &request->arena, 256);
    buf_add(&file, rows->query->mart->name);
    if (!rows->query->mart->is_internal)
        buf_printf(&file, "-g%lld", (long long)rows->version.generation);
    if (rows->describedby.ptr != NULL)
        buf_add(&about, rows->describedby);
    else
        buf_printf(&about, "/v1/marts/%.*s", STR_ARG(rows->query->mart->name));
    if (file.failed || about.failed)
        return err_out_of_memory(err);
    table->file_name = buf_str(&file);
    table->describedby = buf_str(&about);
    if (rows->has_parent)
        table->collection = parent_of(request->path);
    return STATUS_OK;
}

/* What the page's bytes depend on: the query, where the page begins, and what is counted. */
static enum status identity_of(struct request *request, const struct rows_page *page,
                               struct str *ret, struct err *err)
{
    struct buf out;
    buf_init(&out, &request->arena, (size_t)256 * 1024);
    buf_add(&out, page->canonical);
    buf_printf(&out, "&offset=%lld&count=%d", (long long)page->rows->query->offset,
               (int)page->rows->count);
    if (out.failed)
        return err_out_of_memory(err);
    *ret = buf_str(&out);
    return STATUS_OK;
}

enum status rows_answer(struct request *request, struct rows_request *rows, struct err *err)
{
    enum status s = mart_query_finish(rows->query, &request->arena, err);
    if (s == STATUS_OK)
        s = rows_check_scan(request, rows, false, err);
    if (s != STATUS_OK)
        return s;
    struct buf canonical;
    rows->query->generation = rows->version.generation; /* the name of what is read ... */
    buf_init(&canonical, &request->arena, (size_t)256 * 1024);
    mart_query_canonical(rows->query, &canonical);
    if (canonical.failed)
        return err_out_of_memory(err);
    struct rows_page page = {
        .rows = rows, .canonical = buf_str(&canonical), .count = -1, .count_quality = "none"};
    rows->query->generation = rows->read_at; /* ... and where it still is */
    s = resolve_cursor(request, rows->query, page.canonical, err);
    struct table_request table = {.mart = rows->query->mart,
                                  .version = rows->version.generation,
                                  .is_pinned = request_param(request, "generation").ptr != NULL,
                                  .formats = ROWS_FORMATS,
                                  .is_certain = rows->when_empty == NULL && !rows->is_single,
                                  .is_unbounded = rows->query->limit == MART_LIMIT_ALL,
                                  .is_single = rows->is_single,
                                  .fill = rows_fill,
                                  .put_meta = rows_put_meta,
                                  .cls = &page};
    if (s == STATUS_OK)
        s = identity_of(request, &page, &table.identity, err);
    if (s == STATUS_OK)
        s = describe(request, rows, &table, err);
    return s != STATUS_OK ? s : table_answer(request, &table, err);
}
