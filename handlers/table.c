/* table.c - from a resource's description of its table to the answer: options, validator, rows, headers. */
#include "handlers/table_write.h"

#include "base/json_number.h"
#include "handlers/params.h"
#include "handlers/warnings.h"
#include "server/app.h"

#include <string.h>

enum status table_columns(struct table *table, const struct table_column *columns, size_t n,
                          struct err *err)
{
    table->columns = columns;
    table->n_columns = n;
    table->values = arena_array(&table->request->arena, n, sizeof *table->values);
    if (table->values == NULL)
        return err_out_of_memory(err);
    return table->writer->begin(table, err);
}

static enum status too_large(const struct table *table, struct err *err)
{
    (void)err_set(err, STATUS_ANSWER_TOO_LARGE, "The answer is larger than buffer=full builds.");
    err_at(err, ERR_PARAMETER, STR("buffer"), STR("full"));
    err_allow(err, "at most %zu bytes; without buffer=full it is streamed", table->max_bytes);
    return STATUS_ANSWER_TOO_LARGE;
}

enum status table_drain(struct table *table, size_t at_least, struct err *err)
{
    if (table->max_bytes > 0 && (table->out.failed || table->out.len > table->max_bytes))
        return too_large(table, err);
    if (table->out.failed)
        return err_set(err, STATUS_TOO_LARGE,
                       "The page does not fit in memory; ask for fewer rows.");
    if (table->sink == NULL || table->out.len < at_least)
        return STATUS_OK;
    enum status s = table->sink(table->sink_cls, buf_str(&table->out), err);
    table->n_sunk += table->out.len;
    table->out.len = 0;
    return s;
}

enum status table_row(struct table *table, const struct str *values, struct err *err)
{
    bool is_copied = false;
    for (size_t i = 0; i < table->n_columns; i++) {
        if (values[i].ptr == NULL || !column_is_number(table->columns[i].kind) ||
            json_number_is_valid(values[i]))
            continue;
        if (!is_copied)
            memcpy(table->values, values, table->n_columns * sizeof *values);
        is_copied = true;
        table->values[i] = STR_NONE;
        table->warnings |= 1u << WARNING_NOT_FINITE;
    }
    return table_sound_row(table, is_copied ? table->values : values, err);
}

enum status table_sound_row(struct table *table, const struct str *values, struct err *err)
{
    enum status s = table->writer->row(table, values, err);
    table->n_rows++;
    return s == STATUS_OK ? table_drain(table, TABLE_CHUNK_BYTES, err) : s;
}

size_t table_rows(const struct table *table)
{
    return table->n_rows;
}

bool table_takes_lines(const struct table *table)
{
    return table->options.format == FORMAT_CSV && !table->options.is_csv_safe;
}

enum status table_lines(struct table *table, struct str lines, struct err *err)
{
    buf_add(&table->out, lines);
    return table_drain(table, TABLE_CHUNK_BYTES, err);
}

void table_lines_end(struct table *table, size_t n_rows)
{
    table->n_rows = n_rows;
}

static enum status keep_url(struct table *table, struct str url, struct str *ret, struct err *err)
{
    const char *copy = arena_dup(&table->request->arena, url);
    if (copy == NULL)
        return err_out_of_memory(err);
    *ret = (struct str){copy, url.len};
    return STATUS_OK;
}

enum status table_next(struct table *table, struct str url, struct err *err)
{
    return keep_url(table, url, &table->next, err);
}

enum status table_prev(struct table *table, struct str url, struct err *err)
{
    return keep_url(table, url, &table->prev, err);
}

void table_cut(struct table *table)
{
    table->is_cut = true;
}

void table_warn(struct table *table, unsigned warnings)
{
    table->warnings |= warnings;
}

void table_open(struct table *table)
{
    static const struct table_writer *const writers[FORMAT_COUNT] = {[FORMAT_JSON] = &table_json,
                                                                     [FORMAT_CSV] = &table_csv,
                                                                     [FORMAT_NDJSON] =
                                                                         &table_ndjson,
                                                                     [FORMAT_ARROW] = &table_arrow};
    table->writer = writers[table->options.format];
    buf_init(&table->out, &table->request->arena, SIZE_MAX / 4);
}

enum status table_produce(struct table *table, struct err *err)
{
    enum status s = table->what->fill(table->request, table->what->cls, table, err);
    if (s == STATUS_OK && table->writer->end != NULL)
        s = table->writer->end(table, err);
    return s == STATUS_OK ? table_drain(table, TABLE_CHUNK_BYTES, err) : s;
}

static const char *media_type(const struct table_options *options)
{
    if (options->format == FORMAT_CSV && options->has_no_header)
        return "text/csv; charset=utf-8; header=absent";
    return format_media_type(options->format);
}

static void add_link(struct table *table, const char *relation, struct str url)
{
    if (url.ptr != NULL)
        reply_header(table->request, "Link", "<%.*s>; rel=\"%s\"", STR_ARG(url), relation);
}

void table_headers(struct table *table)
{
    const struct table_request *what = table->what;
    add_link(table, "next", table->next);
    add_link(table, "prev", table->prev);
    if (!what->is_single)
        add_link(table, "first", table_url_first(table));
    add_link(table, "canonical", table->canonical);
    add_link(table, "describedby", what->describedby);
    add_link(table, "collection", what->collection);
    if (what->file_name.ptr != NULL && table->options.format != FORMAT_JSON)
        reply_header(table->request, "Content-Disposition", "inline; filename=\"%.*s.%s\"",
                     STR_ARG(what->file_name), format_extension(table->options.format));
    bool has_envelope = table->options.format == FORMAT_JSON && table->options.shape != SHAPE_BARE;
    if (!has_envelope)
        warnings_header(table->request, table->warnings);
    reply_type(table->request, 200, media_type(&table->options));
}

static enum status produce(struct request *request, void *cls, struct err *err)
{
    struct table *table = cls;
    table_open(table);
    enum status s = table_produce(table, err);
    if (s != STATUS_OK)
        return s;
    table_headers(table);
    reply_body(request, buf_str(&table->out));
    return STATUS_OK;
}

static enum status head(struct request *request, void *cls, struct err *err)
{
    (void)request;
    (void)err;
    table_headers(cls);
    return STATUS_OK;
}

/* Everything the bytes depend on but the encoding; the target because links repeat it. */
static enum status identity_of(const struct table *table, struct str *ret, struct err *err)
{
    const struct table_options *o = &table->options;
    const bool flags[] = {
        o->numbers_as_strings, o->drops_nulls,    o->has_no_header,      o->has_bom,
        o->is_csv_safe,        o->has_end_record, table->what->is_single};
    struct buf identity;
    buf_init(&identity, &table->request->arena, (size_t)384 * 1024);
    buf_printf(&identity, "%s|%d|%d|", CMMC_VERSION, (int)o->format, (int)o->shape);
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        buf_add_char(&identity, flags[i] ? '1' : '0');
    buf_add_char(&identity, '|');
    buf_add(&identity, table->request->target);
    buf_add_char(&identity, '|');
    buf_add(&identity, table->what->identity);
    if (identity.failed)
        return err_out_of_memory(err);
    *ret = buf_str(&identity);
    return STATUS_OK;
}

/* Columns stand one behind the other, so none can be sent before all rows are there. */
static enum status refuse_columns(struct request *request, struct err *err)
{
    return params_refuse(err, "shape", request_param(request, "shape"),
                         "rows, arrays or bare for all rows at once, or buffer=full");
}

/* Also before a 304, which repeats it. What a POST asks has an address only when its handler names one. */
static void locate(struct table *table)
{
    const struct request *request = table->request;
    table->canonical = table_url_canonical(table);
    bool is_read = request->method == METHOD_GET || request->method == METHOD_HEAD;
    if (is_read && table->canonical.ptr != NULL && !str_eq(table->canonical, request->target))
        reply_header(table->request, "Content-Location", "%.*s", STR_ARG(table->canonical));
}

enum status table_answer(struct request *request, const struct table_request *what, struct err *err)
{
    struct table table = {.request = request, .what = what};
    enum status s = table_options_read(request, what->formats, &table.options, err);
    table.how = (struct answer){.mart = what->mart,
                                .version = what->version,
                                .is_pinned = what->is_pinned,
                                .produce = produce,
                                .head = what->is_certain ? head : NULL,
                                .cls = &table};
    if (s == STATUS_OK)
        s = identity_of(&table, &table.how.identity, err);
    if (s != STATUS_OK)
        return s;
    locate(&table);
    if (what->is_unbounded && !table.options.is_whole) {
        bool is_columns =
            table.options.format == FORMAT_JSON && table.options.shape == SHAPE_COLUMNS;
        return is_columns ? refuse_columns(request, err) : table_stream(&table, err);
    }
    if (what->is_unbounded)
        table.max_bytes = (size_t)request->app->config->buffer_mib << 20;
    return answer(request, &table.how, err);
}
