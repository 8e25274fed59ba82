/* sample_rows.c - the rows of a table's files as lines in the columns of a shape. */
#include "ingest/sample_impl.h"

#include "base/csv_in.h"
#include "base/gzip.h"
#include "base/json_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_BYTES = 1 << 20, FIELD_BYTES = 64 * 1024, COLUMNS_MAX = 64, NO_COLUMN = COLUMNS_MAX };

/* Where a shape's column has another name in the mart; "": the mart has none that is it. */
static const struct {
    int column;
    const char *name;
} names[] = {{OBSERVATION_SERIES, "stat_code"},      {OBSERVATION_AREA, ""},
             {OBSERVATION_SERIES_NAME, "stat_name"}, {OBSERVATION_AREA_NAME, "country_name"},
             {ARTICLE_PUBLISHED, "pub_date"},        {INSTRUMENT_DATE, ""}};

/* The column whose days tell the last one. */
static const int days[SHAPE_COUNT] = {[SHAPE_PRICE] = PRICE_DATE,
                                      [SHAPE_SESSION] = SESSION_DATE,
                                      [SHAPE_RATE] = RATE_DATE,
                                      [SHAPE_OBSERVATION] = OBSERVATION_END,
                                      [SHAPE_ARTICLE] = ARTICLE_PUBLISHED,
                                      [SHAPE_INSTRUMENT] = INSTRUMENT_DATE,
                                      [SHAPE_CORPORATE_ACTION] = CORPORATE_ACTION_DATE};

struct reading {
    struct sample_table *table;
    const struct manifest_file *file;
    struct csv_in *csv;
    struct gzip_file *bytes;
    size_t from[FEED_COLUMNS_MAX]; /* the file's column of each of the shape; NO_COLUMN: none */
    size_t source;
    struct arena room; /* for a row */
};

static enum status read_bytes(void *from, char *to, size_t size, size_t *ret_n, struct err *err)
{
    return gzip_read(from, to, size, ret_n, err);
}

static enum status at_line(enum status s, const struct reading *r, struct err *err)
{
    char detail[sizeof err->detail];
    if (s == STATUS_OK || err == NULL)
        return s;
    (void)snprintf(detail, sizeof detail, "%.*s, line %lld: %.300s",
                   STR_ARG(str_utf8_cut(r->file->path, 100)),
                   r->csv == NULL ? 0LL : (long long)csv_line(r->csv), err->detail);
    memcpy(err->detail, detail, sizeof detail);
    return s;
}

static size_t find_column(const struct csv_in *csv, const char *name)
{
    for (size_t i = 0; i < csv_width(csv); i++)
        if (str_eq_c(csv_field(csv, i), name))
            return i;
    return NO_COLUMN;
}

static const char *name_of(size_t column)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if ((size_t)names[i].column == column)
            return names[i].name;
    return feed_columns[column].name;
}

static enum status read_header(struct reading *r, struct err *err)
{
    const struct feed_layout *layout = &feed_layouts[r->table->dataset->shape];
    bool has_row = false;
    enum status s = csv_next(r->csv, &has_row, err);
    if (s == STATUS_OK && !has_row)
        return err_set(err, STATUS_BAD_CSV, "The file is empty: a header is needed.");
    for (size_t i = 0; i < layout->n && s == STATUS_OK; i++) {
        size_t column = layout->first + i;
        r->from[i] = find_column(r->csv, name_of(column));
        if (r->from[i] == NO_COLUMN && feed_columns[column].is_needed && column != INSTRUMENT_DATE)
            s = err_set(err, STATUS_BAD_DATA, "The file has no column \"%s\".", name_of(column));
    }
    r->source = find_column(r->csv, "source");
    return s;
}

/* a;b as ["a","b"] */
static struct str list_of(struct str text, struct arena *arena)
{
    struct buf out;
    struct json_out json;
    struct str rest = text, word;
    if (text.ptr == NULL)
        return STR_NONE;
    buf_init(&out, arena, FIELD_BYTES * 8);
    jw_init(&json, &out);
    jw_array(&json);
    while (str_next_field(&rest, ';', &word))
        jw_str(&json, word);
    jw_end_array(&json);
    return out.failed ? STR_NONE : buf_str(&out);
}

static void note_day(struct sample_table *table, struct str value)
{
    int32_t day = 0;
    if (date_parse(str_sub(value, 0, DATE_TEXT_BYTES - 1), &day) &&
        (table->day == DATE_NONE || day > table->day))
        table->day = day;
}

static struct str value_of(struct reading *r, size_t i, char day[DATE_TEXT_BYTES])
{
    size_t column = feed_layouts[r->table->dataset->shape].first + i;
    struct str value = r->from[i] == NO_COLUMN ? STR_NONE : csv_field(r->csv, r->from[i]);
    if (column == INSTRUMENT_DATE) {
        date_format(r->table->day, day);
        value = str_of(day);
    }
    if (r->table->has_days && column == (size_t)days[r->table->dataset->shape])
        note_day(r->table, value);
    return feed_columns[column].kind == FEED_JSON ? list_of(value, &r->room) : value;
}

static enum status add_row(struct reading *r, size_t index, struct err *err)
{
    struct sample_table *table = r->table;
    char day[DATE_TEXT_BYTES];
    struct buf line;
    arena_reset(&r->room);
    buf_init(&line, &r->room, ROW_BYTES * 2);
    for (size_t i = 0; i < feed_layouts[table->dataset->shape].n; i++) {
        if (i > 0)
            buf_add_char(&line, ',');
        spool_field(&line, value_of(r, i, day));
    }
    struct str source = r->source == NO_COLUMN ? STR_NONE : csv_field(r->csv, r->source);
    source = source.ptr == NULL ? STR("sample") : source;
    bool is_same = table->n > 0 && str_eq(table->rows[table->n - 1].source, source);
    struct sample_row row = {.source = is_same ? table->rows[table->n - 1].source : source,
                             .file = index};
    row.line = (struct str){arena_dup(&table->arena, buf_str(&line)), line.len};
    if (!is_same)
        row.source.ptr = arena_dup(&table->arena, source);
    if (line.failed || row.line.ptr == NULL || row.source.ptr == NULL)
        return err_out_of_memory(err);
    table->rows[table->n++] = row;
    return STATUS_OK;
}

static enum status read_rows(struct reading *r, size_t index, struct err *err)
{
    size_t last = r->table->n + (size_t)r->file->rows;
    bool has_row = false;
    enum status s = read_header(r, err);
    while (s == STATUS_OK && (s = csv_next(r->csv, &has_row, err)) == STATUS_OK && has_row)
        s = r->table->n < last
                ? add_row(r, index, err)
                : err_set(err, STATUS_BAD_DATA, "The file has more rows than the manifest says.");
    if (s == STATUS_OK && r->table->n < last)
        s = err_set(err, STATUS_BAD_DATA, "The file has fewer rows than the manifest says.");
    return s;
}

enum status sample_read(struct sample_table *table, const struct manifest_file *file, size_t index,
                        struct err *err)
{
    struct csv_limits limits = {ROW_BYTES, FIELD_BYTES, COLUMNS_MAX};
    struct reading r = {.table = table, .file = file};
    table->has_days = table->dataset->shape != SHAPE_INSTRUMENT;
    arena_init(&r.room, (size_t)8 * ROW_BYTES);
    enum status s = gzip_open(file->location, &r.bytes, err);
    if (s == STATUS_OK)
        s = csv_new(read_bytes, r.bytes, limits, &r.csv, err);
    if (s == STATUS_OK)
        s = read_rows(&r, index, err);
    s = at_line(s, &r, err);
    csv_free(r.csv);
    gzip_close(r.bytes);
    arena_clear(&r.room);
    return s;
}

static int compare(const void *a, const void *b)
{
    return str_cmp(((const struct sample_row *)a)->line, ((const struct sample_row *)b)->line);
}

void sample_sort(struct sample_table *table)
{
    if (table->n > 1)
        qsort(table->rows, table->n, sizeof *table->rows, compare);
}
