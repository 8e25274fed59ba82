/* rows_answer.c - answers 304 before any I/O, or runs the query and writes the page. */
#include "handlers/rows_answer.h"

#include "handlers/answer.h"
#include "handlers/cursor.h"
#include "handlers/rows_render.h"
#include "handlers/warnings.h"
#include "server/app.h"

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
    return s;
}

/* Everything the page's bytes depend on. */
static enum status identity_of(struct request *request, const struct rows_page *page,
                               struct str *ret, struct err *err)
{
    struct buf identity;
    buf_init(&identity, &request->arena, (size_t)320 * 1024);
    buf_printf(&identity, "%s|%d|%d|", CMMC_VERSION, (int)page->format, page->rows->is_single);
    buf_add(&identity, request->target); /* links.self repeats it */
    buf_add_char(&identity, '|');
    buf_add(&identity, page->canonical);
    if (identity.failed)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
    *ret = buf_str(&identity);
    return STATUS_OK;
}

static enum status read_page(struct request *request, struct rows_request *rows,
                             struct rows_page *page, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(rows_clear) struct rows result = {0};
    enum status s = db_acquire(request->app->db, DB_READ, &request->stop, &db, err);
    if (s == STATUS_OK)
        s = mart_query_open(db, rows->query, &request->arena, &result, err);
    if (s == STATUS_OK)
        s = rows_render(page, &result, err);
    rows_clear(&result);
    if (s == STATUS_OK && page->n_rows == 0 && rows->when_empty != NULL)
        s = rows->when_empty(request, db, rows->read_at, err);
    return s;
}

static enum status finish(struct request *request, const struct rows_request *rows,
                          const struct rows_page *page, struct err *err)
{
    if (page->out.failed)
        return err_set(err, STATUS_TOO_LARGE,
                       "The page does not fit in memory; ask for fewer rows.");
    if (page->next.ptr != NULL)
        reply_header(request, "Link", "<%.*s>; rel=\"next\"", STR_ARG(page->next));
    if (page->format == FORMAT_CSV)
        warnings_header(request, rows_page_warnings(page));
    if (page->format == FORMAT_CSV)
        reply_header(request, "Content-Disposition", "inline; filename=\"%.*s-g%lld.csv\"",
                     STR_ARG(rows->query->mart->name), (long long)rows->version.generation);
    reply_type(request, 200, format_media_type(page->format));
    reply_body(request, buf_str(&page->out));
    return STATUS_OK;
}

enum status rows_moved_on(struct err *err)
{
    (void)err_set(err, STATUS_DB_CONFLICT,
                  "The data was replaced several times while it was read; ask again.");
    if (err != NULL)
        err->retry_after_s = 1;
    return STATUS_DB_CONFLICT;
}

static enum status produce(struct request *request, void *cls, struct err *err)
{
    struct rows_page *page = cls;
    enum status s = rows_page_start(page, err);
    if (s == STATUS_OK)
        s = read_page(request, page->rows, page, err);
    if (s == STATUS_GENERATION_RETIRED)
        s = rows_moved_on(err);
    return s != STATUS_OK ? s : finish(request, page->rows, page, err);
}

enum status rows_answer(struct request *request, struct rows_request *rows, struct err *err)
{
    struct rows_page page = {.request = request, .rows = rows};
    enum status s = negotiate_format(request, ROWS_FORMATS, &page.format, err);
    if (s == STATUS_OK)
        s = mart_query_finish(rows->query, &request->arena, err);
    if (s != STATUS_OK)
        return s;
    struct buf canonical;
    rows->query->generation = rows->version.generation; /* the name of what is read ... */
    buf_init(&canonical, &request->arena, (size_t)256 * 1024);
    mart_query_canonical(rows->query, &canonical);
    if (canonical.failed)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
    page.canonical = buf_str(&canonical);
    rows->query->generation = rows->read_at; /* ... and where it still is */
    s = resolve_cursor(request, rows->query, page.canonical, err);
    struct answer what = {.mart = rows->query->mart,
                          .version = rows->version.generation,
                          .is_pinned = request_param(request, "generation").ptr != NULL,
                          .produce = produce,
                          .cls = &page};
    if (s == STATUS_OK)
        s = identity_of(request, &page, &what.identity, err);
    return s != STATUS_OK ? s : answer(request, &what, err);
}
