/* lake_compact_rows.c - rows of many objects in one: those of a day merged by key, days one behind the other. */
#include "ingest/lake_compact_impl.h"

#include "base/array.h"
#include "base/csv_in.h"
#include "base/gzip.h"
#include "base/stop.h"
#include "ingest/feed.h"
#include "ingest/transport.h"

#include <stdlib.h>
#include <string.h>

enum {
    PACKED_BYTES_MAX = 64 << 20,
    PLAIN_BYTES_MAX = 256 << 20,
    ROWS_BYTES_MAX = 1 << 30,
    BLOCK_BYTES = 1 << 20, /* of plain text in one member of gzip, and more for a day of more */
    GZIP_LEVEL = 6,
    TRAILERS = 3, /* source, fetched_at, raw_key behind the shape's columns */
    COLUMNS_MAX = FEED_COLUMNS_MAX + TRAILERS,
};

struct row {
    const struct feed_layout *layout;
    struct str field[]; /* layout->n + TRAILERS */
};

struct merge {
    struct lake *lake;
    const struct stop *stop;
    FILE *file;
    struct arena object; /* bytes of the one being read */
    struct arena day;    /* rows of a day that has several */
    struct arena block;
    struct buf text;   /* of the block */
    struct str header; /* with its line end */
    char header_room[1024];
    const struct feed_layout *layout;
    const struct row **rows;
    size_t n, cap;
    int64_t n_rows;
};

static enum status take(void *to, struct str bytes, struct err *err)
{
    buf_add(to, bytes);
    return ((struct buf *)to)->failed
               ? err_set(err, STATUS_TOO_LARGE, "An object of rows is too large to be compacted.")
               : STATUS_OK;
}

static enum status at_object(enum status s, const char *key, struct err *err)
{
    if (s == STATUS_BAD_DATA || s == STATUS_BAD_CSV)
        err_at(err, ERR_PARAMETER, STR("key"), str_of(key));
    return s;
}

/* ---- Objects ----------------------------------------------------------------------------------------------------- */

static const struct feed_layout *find_layout(struct str header)
{
    static const char *const trailers[TRAILERS] = {"source", "fetched_at", "raw_key"};
    for (size_t shape = 0; shape < SHAPE_COUNT; shape++) {
        const struct feed_layout *layout = &feed_layouts[shape];
        struct str rest = header, name;
        size_t i = 0;
        while (i < layout->n + TRAILERS && str_next_field(&rest, ',', &name) &&
               str_eq_c(name, i < layout->n ? feed_columns[layout->first + i].name
                                            : trailers[i - layout->n]))
            i++;
        if (i == layout->n + TRAILERS && rest.ptr == NULL)
            return layout;
    }
    return NULL;
}

/* The object's lines behind its header, which has to be that of those before. */
static enum status read_object(struct merge *m, const char *key, struct str *ret, struct err *err)
{
    struct buf packed;
    struct str text = STR_NONE;
    if (stop_is_raised(m->stop))
        return stop_status(m->stop, err);
    arena_reset(&m->object);
    buf_init(&packed, &m->object, PACKED_BYTES_MAX);
    enum status s =
        lake_get(m->lake, key, 0, INT64_MAX, (struct lake_sink){take, &packed}, m->stop, err);
    if (s == STATUS_OK)
        s = gzip_unpack(buf_str(&packed), PLAIN_BYTES_MAX, &m->object, &text, err);
    if (s != STATUS_OK)
        return s;
    size_t end = str_find(text, '\n', 0);
    struct str header = str_sub(text, 0, end + 1);
    if (m->layout == NULL && end < text.len && header.len <= sizeof m->header_room) {
        bool has_cr = end > 0 && text.ptr[end - 1] == '\r';
        memcpy(m->header_room, header.ptr, header.len);
        m->header = (struct str){m->header_room, header.len};
        m->layout = find_layout(str_sub(header, 0, has_cr ? end - 1 : end));
    }
    if (m->layout == NULL)
        return err_set(err, STATUS_BAD_DATA, "The header is that of no shape of rows.");
    if (!str_eq(header, m->header))
        return err_set(err, STATUS_BAD_DATA, "The object has other columns than those before.");
    *ret = str_sub(text, end + 1, text.len);
    return STATUS_OK;
}

static enum status keep_row(struct merge *m, const struct csv_in *csv, struct err *err)
{
    size_t width = m->layout->n + TRAILERS;
    const struct row **rows =
        arena_reserve(&m->day, m->rows, m->n + 1, &m->cap, sizeof(struct row *));
    if (rows == NULL)
        return err_out_of_memory(err);
    m->rows = rows;
    struct row *row = arena_alloc(&m->day, sizeof *row + width * sizeof(struct str));
    if (row == NULL)
        return err_out_of_memory(err);
    row->layout = m->layout;
    for (size_t i = 0; i < width; i++) {
        struct str field = csv_field(csv, i);
        const char *copy = field.ptr == NULL ? NULL : arena_dup(&m->day, field);
        if (field.ptr != NULL && copy == NULL)
            return err_out_of_memory(err);
        row->field[i] = (struct str){copy, field.len};
    }
    m->rows[m->n++] = row;
    return STATUS_OK;
}

static enum status keep_rows(struct merge *m, struct str lines, struct err *err)
{
    CLEANUP(csv_freep) struct csv_in *csv = NULL;
    const struct csv_limits limits = {1 << 20, 64 << 10, COLUMNS_MAX};
    bool has_row = true;
    enum status s = csv_new(transport_read_str, &lines, limits, &csv, err);
    while (s == STATUS_OK && has_row) {
        s = csv_next(csv, &has_row, err);
        if (s == STATUS_OK && has_row && csv_width(csv) != m->layout->n + TRAILERS)
            s = err_set(err, STATUS_BAD_DATA,
                        "A row has another number of fields than the header.");
        if (s == STATUS_OK && has_row)
            s = keep_row(m, csv, err);
    }
    return s;
}

/* ---- Days -------------------------------------------------------------------------------------------------------- */

static int compare_fields(const struct row *a, const struct row *b, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        int order = (a->field[i].ptr != NULL) - (b->field[i].ptr != NULL);
        order = order != 0 ? order : str_cmp(a->field[i], b->field[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

/* By key; of one key the newest first, and of two as new the one whose fields sort last. */
static int compare_rows(const void *left, const void *right)
{
    const struct row *a = *(const struct row *const *)left, *b = *(const struct row *const *)right;
    size_t n_key = a->layout->n_key, n = a->layout->n;
    int order = compare_fields(a, b, 0, n_key);
    if (order == 0)
        order = compare_fields(b, a, n + 1, n + 2); /* fetched_at */
    return order != 0 ? order : compare_fields(b, a, n_key, n + TRAILERS);
}

static void add_field(struct buf *out, struct str field)
{
    bool is_plain = field.len > 0;
    if (field.ptr == NULL)
        return;
    for (size_t i = 0; i < field.len && is_plain; i++)
        is_plain = field.ptr[i] != ',' && field.ptr[i] != '"' && field.ptr[i] != '\n' &&
                   field.ptr[i] != '\r';
    if (is_plain)
        buf_add(out, field);
    else
        buf_add_quoted(out, field);
}

static void add_row(struct merge *m, const struct row *row)
{
    for (size_t i = 0; i < row->layout->n + TRAILERS; i++) {
        if (i > 0)
            buf_add_char(&m->text, ',');
        add_field(&m->text, row->field[i]);
    }
    buf_add(&m->text, STR("\r\n")); /* as lines of bronze end, which are taken over */
    m->n_rows++;
}

/* Lines as they are; a line break in quotes is none of them. */
static int64_t count_rows(struct str lines)
{
    int64_t n = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < lines.len; i++) {
        is_quoted ^= lines.ptr[i] == '"';
        n += lines.ptr[i] == '\n' && !is_quoted;
    }
    return n;
}

static enum status write_block(struct merge *m, struct err *err)
{
    struct str packed = STR_NONE;
    enum status s = m->text.failed
                        ? err_out_of_memory(err)
                        : gzip_pack(buf_str(&m->text), GZIP_LEVEL, &m->block, &packed, err);
    if (s == STATUS_OK && fwrite(packed.ptr, 1, packed.len, m->file) != packed.len)
        s = err_set(err, STATUS_IO, "A temporary file cannot be written.");
    arena_reset(&m->block);
    buf_init(&m->text, &m->block, PLAIN_BYTES_MAX);
    return s;
}

/* One object of a day is as it should be already: its lines are taken over. Several are merged. */
static enum status add_day(struct merge *m, const struct compact_source *sources, size_t n,
                           struct err *err)
{
    enum status s = STATUS_OK;
    m->rows = NULL;
    m->n = m->cap = 0;
    arena_reset(&m->day);
    for (size_t i = 0; i < n && s == STATUS_OK; i++) {
        struct str lines = STR_NONE;
        bool is_first = m->layout == NULL;
        s = read_object(m, sources[i].key, &lines, err);
        if (s == STATUS_OK && is_first)
            buf_add(&m->text, m->header);
        if (s == STATUS_OK && n > 1)
            s = keep_rows(m, lines, err);
        if (s == STATUS_OK && n == 1) {
            buf_add(&m->text, lines);
            m->n_rows += count_rows(lines);
        }
        s = at_object(s, sources[i].key, err);
    }
    if (s != STATUS_OK)
        return s;
    if (m->n > 0)
        qsort(m->rows, m->n, sizeof(struct row *), compare_rows);
    for (size_t i = 0; i < m->n; i++)
        if (i == 0 || compare_fields(m->rows[i - 1], m->rows[i], 0, m->layout->n_key) != 0)
            add_row(m, m->rows[i]);
    return m->text.len >= BLOCK_BYTES ? write_block(m, err) : STATUS_OK;
}

enum status compact_rows(struct lake *lake, const struct compact_source *sources, size_t n,
                         FILE *file, const struct stop *stop, int64_t *ret_n_rows,
                         char ret_schema[DIGEST_HEX_BYTES], struct err *err)
{
    struct merge m = {.lake = lake, .stop = stop, .file = file};
    enum status s = STATUS_OK;
    arena_init(&m.object, (size_t)PACKED_BYTES_MAX + PLAIN_BYTES_MAX + (1 << 20));
    arena_init(&m.day, ROWS_BYTES_MAX);
    arena_init(&m.block, 2 * (size_t)PLAIN_BYTES_MAX);
    buf_init(&m.text, &m.block, PLAIN_BYTES_MAX);
    for (size_t from = 0, to; s == STATUS_OK && from < n; from = to) {
        for (to = from + 1; to < n && sources[to].day == sources[from].day;)
            to++;
        s = add_day(&m, &sources[from], to - from, err);
    }
    if (s == STATUS_OK && m.text.len > 0)
        s = write_block(&m, err);
    if (s == STATUS_OK)
        s = digest_hex(m.header, ret_schema, err);
    *ret_n_rows = m.n_rows;
    arena_clear(&m.object);
    arena_clear(&m.day);
    arena_clear(&m.block);
    return s;
}
