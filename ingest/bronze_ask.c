/* bronze_ask.c - a symbol at a provider: windows, pages, and for each answer its rows into the spool and its bytes into the lake. */
#include "ingest/bronze_impl.h"

#include "base/clock.h"
#include "base/gzip.h"
#include "ingest/schema_hash.h"

#include <stdio.h>
#include <string.h>

enum { UNIT_BYTES = 256, PAGES_MAX = 20000, REJECTS_MAX = 10000, FILE_BYTES_MAX = 64 << 20 };

/* Rows of one answer on their way into the spool. */
struct taking {
    struct bronze_run *run;
    const struct bronze_unit *unit;
    struct spool_origin origin;
    int64_t n_rows, n_rejected, n_unfinished;
};

static enum status take_row(void *cls, const struct feed_row *row, struct err *err)
{
    struct taking *t = cls;
    struct feed_row mine;
    t->n_rows++;
    if (!bronze_adapt(t->run, t->unit, row, &mine))
        return STATUS_OK;
    return spool_row(t->run->spool, &t->run->answer, &mine, &t->origin, err);
}

/* What is not over yet, or told twice, is no fault of the row. */
static enum status take_reject(void *cls, const struct feed_row *row, const struct feed_reject *why,
                               struct err *err)
{
    struct taking *t = cls;
    if (strcmp(why->reason, "unfinished") == 0 || strcmp(why->reason, "duplicate") == 0) {
        t->n_unfinished++;
        return STATUS_OK;
    }
    if (++t->n_rejected == 1 && t->unit->source == &source_upload)
        bronze_note(t->run, "Rows are refused, the first for %s%s%s: %.*s", why->reason,
                    why->column == NULL ? "" : " of ", why->column == NULL ? "" : why->column,
                    STR_ARG(str_utf8_cut(why->value, 60)));
    if (t->n_rejected > REJECTS_MAX)
        return STATUS_OK;
    return spool_reject(t->run->spool, &t->run->answer, row, why, &t->origin, err);
}

static const char *ending_of(struct str body)
{
    size_t at = 0;
    while (at < body.len && (unsigned char)body.ptr[at] <= ' ')
        at++;
    if (at < body.len && (body.ptr[at] == '{' || body.ptr[at] == '['))
        return "json";
    if (at == body.len || body.ptr[at] != '<')
        return "txt";
    struct str begin = str_sub(body, at, at + 256 < body.len ? at + 256 : body.len);
    for (size_t i = 0; i + 5 <= begin.len; i++)
        if (str_eq_nocase(str_sub(begin, i, i + 5), STR("<html")) ||
            str_eq_nocase(str_sub(begin, i, i + 5), STR("<!doc")))
            return "html";
    return "xml";
}

struct answer {
    struct str body;
    const char *url, *ending;
    int http_status;
    int64_t fetched_at;
    int32_t window_end;
};

static enum status meta_of(const struct answer *a, struct lake_meta *ret, struct err *err)
{
    *ret = (struct lake_meta){.fetched_at = a->fetched_at, .http_status = a->http_status};
    (void)snprintf(ret->source_url, sizeof ret->source_url, "%s", a->url);
    return schema_hash(a->body, ret->schema_hash, err);
}

/* The bytes that were refused, for whoever looks into it. */
static enum status keep_refused(struct bronze_run *run, const struct answer *a, struct err *err)
{
    char key[BRONZE_KEY_BYTES];
    struct lake_meta meta;
    bool is_new = false;
    struct bronze_object object = {
        run->task->dataset->folder, true, a->window_end, "raw", a->fetched_at, a->ending, a->body};
    if (a->body.len == 0)
        return STATUS_OK;
    enum status s = bronze_name(&object, key, err);
    if (s == STATUS_OK)
        s = meta_of(a, &meta, err);
    return s == STATUS_OK ? bronze_put(run, key, a->body, &meta, &is_new, err) : s;
}

/*
 * Rows into the spool, then the bytes into the lake, then both are there for good: a kill in between leaves an object that
 * the next run writes again under another name, never rows without one. *ret_is_known false: not of the known form.
 */
static enum status take(struct bronze_run *run, const struct bronze_unit *unit,
                        const struct source_ask *ask, const struct answer *a, const char *name,
                        bool *ret_has_more, bool *ret_is_known, struct err *err)
{
    char key[BRONZE_KEY_BYTES];
    struct lake_meta meta;
    struct err why = {0};
    bool is_new = false;
    struct bronze_object object = {
        run->task->dataset->folder, false, a->window_end, "raw", a->fetched_at, a->ending, a->body};
    enum status s = bronze_name(&object, key, err);
    if (s == STATUS_OK)
        s = meta_of(a, &meta, err);
    if (s == STATUS_OK)
        s = spool_begin(run->spool, err);
    if (s != STATUS_OK)
        return s;
    struct taking t = {
        .run = run, .unit = unit, .origin = {unit->source->name, a->fetched_at, key}};
    struct feed_sink sink = {take_row, take_reject, &t};
    struct feed_writer w = {.sink = &sink, .arena = &run->answer};
    s = unit->source->parse(ask, a->body, &w, ret_has_more, &why);
    *ret_is_known = s == STATUS_OK || s != STATUS_BAD_DATA;
    if (s != STATUS_OK) {
        spool_rollback(run->spool);
        run->verdict = feed_verdict_of(FEED_CHANGED, str_of(why.detail));
        if (*ret_is_known && err != NULL)
            *err = why;
        return *ret_is_known ? s : keep_refused(run, a, err);
    }
    s = bronze_put(run, key, a->body, &meta, &is_new, err);
    if (s == STATUS_OK)
        s = spool_commit(run->spool, name, *ret_has_more, err);
    else
        spool_rollback(run->spool);
    run->report->rows_in += t.n_rows + t.n_rejected + t.n_unfinished;
    run->report->rejected += t.n_rejected;
    run->report->objects += is_new ? 1 : 0;
    return s;
}

struct page {
    struct source_ask ask;
    char name[UNIT_BYTES];
    bool has_more, is_too_wide;
};

static void name_page(const struct bronze_unit *unit, struct page *page)
{
    (void)snprintf(page->name, sizeof page->name, "%s %.*s %d %d %zu", unit->source->name,
                   STR_ARG(str_utf8_cut(page->ask.symbol, 160)), page->ask.from, page->ask.to,
                   page->ask.page);
}

static enum bronze_result result_of(enum feed_outcome outcome)
{
    switch (outcome) {
    case FEED_OK:
    case FEED_EMPTY:
    case FEED_TOO_WIDE:
        return BRONZE_GOT;
    case FEED_NOT_FOUND:
        return BRONZE_NOTHING;
    case FEED_REFUSED:
    case FEED_CHANGED:
        return BRONZE_FAILED;
    case FEED_THROTTLED:
    case FEED_QUOTA:
    case FEED_BLOCKED:
    case FEED_AUTH:
    case FEED_DOWN:
    case FEED_OUTCOMES:
        break;
    }
    return BRONZE_OUT;
}

static enum status judge_answer(struct bronze_run *run, const struct bronze_unit *unit,
                                struct page *page, const struct fetch_answer *fetched,
                                enum bronze_result *ret, struct err *err)
{
    struct answer a = {
        fetched->reply.body,        fetched->url,        ending_of(fetched->reply.body),
        fetched->reply.http_status, fetched->fetched_at, page->ask.to};
    enum feed_outcome outcome = fetched->verdict.outcome;
    bool is_known = true;
    *ret = result_of(outcome);
    if (outcome == FEED_OK) {
        enum status s =
            take(run, unit, &page->ask, &a, page->name, &page->has_more, &is_known, err);
        *ret = is_known ? BRONZE_GOT : BRONZE_FAILED;
        return s;
    }
    page->is_too_wide = outcome == FEED_TOO_WIDE;
    run->verdict = fetched->verdict;
    run->retry_after_s = fetched->retry_after_s;
    if (outcome == FEED_EMPTY) {
        enum status s = spool_begin(run->spool, err);
        return s == STATUS_OK ? spool_commit(run->spool, page->name, false, err) : s;
    }
    bool is_odd =
        outcome == FEED_CHANGED || (outcome == FEED_DOWN && fetched->reply.http_status / 100 == 2);
    return is_odd ? keep_refused(run, &a, err) : STATUS_OK;
}

static enum status ask_page(struct bronze_run *run, const struct bronze_unit *unit,
                            struct page *page, enum bronze_result *ret, struct err *err)
{
    struct fetch_answer fetched;
    bool has = false;
    page->has_more = page->is_too_wide = false;
    *ret = BRONZE_GOT;
    name_page(unit, page);
    enum status s = spool_has(run->spool, page->name, &has, &page->has_more, err);
    if (s != STATUS_OK || has)
        return s;
    arena_reset(&run->answer);
    page->ask.now_s = clock_wall_s();
    s = fetch_get(run->fetcher, unit->source, &page->ask, &run->answer, run->stop, &fetched, err);
    if (s != STATUS_OK)
        return s;
    run->report->requests += fetched.requests;
    run->report->bytes += fetched.bytes;
    run->report->quota_left = fetched.quota_left;
    s = judge_answer(run, unit, page, &fetched, ret, err);
    bronze_progress(run);
    return s;
}

/* A window, page by page; one that is too wide is cut in two, and the halves are asked for. */
static enum status ask_window(struct bronze_run *run, const struct bronze_unit *unit, int32_t from,
                              int32_t to, enum bronze_result *ret, struct err *err)
{
    int32_t end = to;
    *ret = BRONZE_GOT;
    while (from <= to) {
        struct page page = {.ask = {.symbol = unit->spelling, .from = from, .to = end}};
        enum status s = STATUS_OK;
        do {
            s = ask_page(run, unit, &page, ret, err);
            page.ask.page++;
        } while (s == STATUS_OK && *ret == BRONZE_GOT && page.has_more &&
                 page.ask.page < PAGES_MAX);
        if (s != STATUS_OK || *ret != BRONZE_GOT)
            return s;
        if (!page.is_too_wide) {
            from = end + 1;
            end = to;
        } else if (end > from) {
            end = from + (end - from) / 2;
        } else {
            *ret = BRONZE_FAILED; /* a day is too wide */
            return STATUS_OK;
        }
    }
    return STATUS_OK;
}

enum status bronze_ask(struct bronze_run *run, const struct bronze_unit *unit,
                       enum bronze_result *ret, struct err *err)
{
    const struct ingest_task *task = run->task;
    int32_t days = task->dataset->window_days, most = (int32_t)unit->source->manners.window_days;
    enum status s = STATUS_OK;
    *ret = BRONZE_GOT;
    if (days == 0) /* what is so today, whatever the window */
        return ask_window(run, unit, task->to, task->to, ret, err);
    if (most > 0 && most < days)
        days = most;
    for (int32_t from = task->from; s == STATUS_OK && *ret == BRONZE_GOT && from <= task->to;
         from += days) {
        int32_t to = from + days - 1;
        s = ask_window(run, unit, from, to < task->to ? to : task->to, ret, err);
    }
    return s;
}

static enum status read_file(const char *path, struct arena *arena, struct str *ret,
                             struct err *err)
{
    CLEANUP(gzip_closep) struct gzip_file *file = NULL;
    struct buf text;
    char piece[1 << 14];
    size_t n = 1;
    enum status s = gzip_open(path, &file, err);
    buf_init(&text, arena, FILE_BYTES_MAX);
    while (s == STATUS_OK && n > 0 && !text.failed) {
        s = gzip_read(file, piece, sizeof piece, &n, err);
        if (s == STATUS_OK)
            buf_add(&text, (struct str){piece, n});
    }
    if (s == STATUS_OK && text.failed)
        return err_set(err, STATUS_TOO_LARGE, "A file has at most %d MiB.", FILE_BYTES_MAX >> 20);
    *ret = buf_str(&text);
    return s;
}

enum status bronze_upload(struct bronze_run *run, struct err *err)
{
    const struct bronze_unit unit = {.source = &source_upload};
    struct answer a = {.url = "", .ending = "csv", .fetched_at = clock_wall_s()};
    struct source_ask ask = {.symbol = str_of(feed_layouts[run->task->dataset->shape].name),
                             .from = run->task->from,
                             .to = run->task->to,
                             .now_s = a.fetched_at};
    bool has_more = false, is_known = true;
    a.window_end = (int32_t)(a.fetched_at / 86400);
    enum status s = STATUS_OK;
    if (run->task->text.ptr != NULL)
        a.body = run->task->text;
    else
        s = read_file(run->task->file, &run->kept, &a.body, err);
    if (s == STATUS_OK)
        s = take(run, &unit, &ask, &a, "upload", &has_more, &is_known, err);
    if (s == STATUS_OK && !is_known)
        return err_set(err, STATUS_BAD_DATA, "%s", run->verdict.detail);
    run->report->bytes += (int64_t)a.body.len;
    return s;
}
