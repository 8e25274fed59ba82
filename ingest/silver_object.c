/* silver_object.c - the rows of one object of the lake go to the stage, or to quarantine with the reason. */
#include "base/csv_in.h"
#include "base/date.h"
#include "base/gzip.h"
#include "ingest/silver_impl.h"
#include "ingest/transport.h"

#include <stdio.h>
#include <string.h>

enum {
    PACKED_BYTES_MAX = 64 << 20,
    PLAIN_BYTES_MAX = 256 << 20,
    ROW_BYTES_MAX = 1 << 20,
    FIELD_BYTES_MAX = 64 * 1024,
    RAW_BYTES_MAX = 4096,
    PENDING_MAX = 500, /* rows for quarantine that wait for the stage's COPY to end */
    TRAILERS = 3       /* source, fetched_at, raw_key behind the shape's columns */
};

struct pending {
    int64_t line;
    const char *reason;
    const char *raw;
};

/* An object being read. */
struct reading {
    struct silver_load *load;
    struct silver_object *object;
    struct csv_in *csv;
    struct str rest; /* of the plain bytes */
    struct silver_row row;
    size_t n_fields; /* of the shape */
    struct arena rows, waiting;
    struct pending pending[PENDING_MAX];
    size_t n_pending;
    char number[24];
    char keys[2][512]; /* of a row and of the one before: objects are sorted by key */
    size_t key_bytes[2];
};

static enum status take(void *to, struct str bytes, struct err *err)
{
    buf_add(to, bytes);
    return ((struct buf *)to)->failed
               ? err_set(err, STATUS_TOO_LARGE, "An object of the lake is too large to be loaded.")
               : STATUS_OK;
}

static enum status at_object(enum status s, const struct reading *r, struct err *err)
{
    if (s == STATUS_OK || err == NULL)
        return s;
    char detail[sizeof err->detail];
    (void)snprintf(detail, sizeof detail, "%.200s: %.300s", r->object->key, err->detail);
    memcpy(err->detail, detail, sizeof detail);
    return s;
}

static bool is_header_of(const struct csv_in *csv, enum feed_shape shape)
{
    static const char *const trailers[TRAILERS] = {"source", "fetched_at", "raw_key"};
    const struct feed_layout *layout = &feed_layouts[shape];
    if (csv_width(csv) != layout->n + TRAILERS)
        return false;
    for (size_t i = 0; i < layout->n + TRAILERS; i++)
        if (!str_eq_c(csv_field(csv, i), i < layout->n ? feed_columns[layout->first + i].name
                                                       : trailers[i - layout->n]))
            return false;
    return true;
}

static enum status read_header(struct reading *r, struct err *err)
{
    bool has_row = false;
    enum status s = csv_next(r->csv, &has_row, err);
    int shape = 0;
    while (s == STATUS_OK && has_row && shape < SHAPE_COUNT &&
           !is_header_of(r->csv, (enum feed_shape)shape))
        shape++;
    if (s != STATUS_OK)
        return s;
    if (!has_row || shape == SHAPE_COUNT)
        return err_set(err, STATUS_BAD_DATA, "The header is that of no shape of rows.");
    struct silver_load *load = r->load;
    if (load->shape == NULL) {
        load->shape = &silver_shapes[shape];
        silver_merge_init(&load->merge, load->shape, "stg_rows");
        s = silver_stage_make(load->db, &load->merge, err);
    } else if (load->shape != &silver_shapes[shape]) {
        s = err_set(err, STATUS_BAD_DATA, "The rows are of another shape than those before.");
    }
    r->n_fields = feed_layouts[shape].n;
    r->row.shape = load->shape;
    r->row.first = feed_layouts[shape].first;
    return s;
}

static enum status stage_begin(struct silver_load *load, struct err *err)
{
    const struct silver_merge *merge = &load->merge;
    if (load->is_staging)
        return STATUS_OK;
    enum status s = db_copy_begin(load->db, merge->stage, merge->names, merge->n + 1, err);
    load->is_staging = s == STATUS_OK;
    return s;
}

enum status silver_stage_end(struct silver_load *load, struct err *err)
{
    if (!load->is_staging)
        return STATUS_OK;
    load->is_staging = false;
    return db_copy_end(load->db, err);
}

static enum status flush(struct reading *r, struct err *err)
{
    static const char *const columns[] = {"dataset", "ymd", "object_key", "line",
                                          "reason",  "raw", "load_id"};
    struct db *db = r->load->db;
    char ymd[DATE_TEXT_BYTES], line[24], load_id[24];
    date_format(r->object->ymd, ymd);
    (void)snprintf(load_id, sizeof load_id, "%lld", (long long)r->load->load_id);
    if (r->n_pending == 0)
        return STATUS_OK;
    enum status s = silver_stage_end(r->load, err);
    if (s == STATUS_OK)
        s = db_copy_begin(db, "quarantine", columns, ARRAY_LEN(columns), err);
    for (size_t i = 0; i < r->n_pending && s == STATUS_OK; i++) {
        (void)snprintf(line, sizeof line, "%lld", (long long)r->pending[i].line);
        s = db_copy_row(db,
                        (struct str[]){str_of(r->load->name), str_of(ymd), str_of(r->object->key),
                                       str_of(line), str_of(r->pending[i].reason),
                                       str_of(r->pending[i].raw), str_of(load_id)},
                        err);
    }
    if (s == STATUS_OK)
        s = db_copy_end(db, err);
    r->n_pending = 0;
    arena_reset(&r->waiting);
    return s;
}

/* The row as it came, for who looks into it; a long one is cut. */
static const char *raw_of(struct reading *r)
{
    struct buf text;
    buf_init(&text, &r->waiting, (size_t)2 * ROW_BYTES_MAX);
    for (size_t i = 0; i < csv_width(r->csv); i++) {
        buf_add_c(&text, i > 0 ? "," : "");
        buf_add(&text, csv_field(r->csv, i));
    }
    return arena_dup(&r->waiting, str_utf8_cut(buf_str(&text), RAW_BYTES_MAX));
}

static enum status refuse(struct reading *r, const char *reason, const char *column,
                          struct err *err)
{
    struct buf text;
    buf_init(&text, &r->waiting, 256);
    buf_printf(&text, "%s%s%s", reason, column == NULL ? "" : ": ", column == NULL ? "" : column);
    struct pending *p = &r->pending[r->n_pending++];
    *p = (struct pending){csv_line(r->csv), buf_c_str(&text), raw_of(r)};
    if (p->reason == NULL || p->raw == NULL)
        return err_out_of_memory(err);
    r->object->n_bad++;
    r->object->n_out_of_range += strncmp(reason, "out-of-", 7) == 0;
    if (r->n_pending < PENDING_MAX)
        return STATUS_OK;
    enum status s = flush(r, err);
    return s == STATUS_OK ? stage_begin(r->load, err) : s;
}

/* Whether the key is that of the row before. */
static bool is_repeated(struct reading *r, const struct str *values)
{
    char *now = r->keys[r->object->n_rows % 2];
    size_t n = 0;
    for (size_t i = 0; i < r->load->shape->n_key; i++) {
        size_t len = values[i].len < sizeof r->keys[0] - n - 1 ? values[i].len : 0;
        memcpy(now + n, values[i].ptr, len);
        n += len;
        now[n++] = '\n';
    }
    r->key_bytes[r->object->n_rows % 2] = n;
    return n == r->key_bytes[(r->object->n_rows + 1) % 2] && memcmp(r->keys[0], r->keys[1], n) == 0;
}

/* A told price names its currency; the rest is said by a description, or by the uid. */
static enum status note_told(struct reading *r, const struct str *values, struct err *err)
{
    const struct str *f = r->row.field;
    struct instrument_note note = {.uid = values[0],
                                   .symbol = f[0],
                                   .currency = f[PRICE_CURRENCY - (int)r->row.first],
                                   .source = csv_field(r->csv, r->n_fields)};
    (void)date_parse(values[1], &note.day);
    return instrument_book_add(r->load->book, &note, err);
}

static enum status note_instrument(struct reading *r, const struct str *values, struct err *err)
{
    bool is_bar = r->load->shape == &silver_shapes[SHAPE_BAR];
    if (r->load->shape == &silver_shapes[SHAPE_PRICE])
        return note_told(r, values, err);
    if (!is_bar && r->load->shape != &silver_shapes[SHAPE_FUND])
        return STATUS_OK;
    const struct str *f = r->row.field;
    struct instrument_note note = {.uid = values[0],
                                   .symbol = f[0],
                                   .name = f[(is_bar ? BAR_NAME : FUND_NAME) - (int)r->row.first],
                                   .market = is_bar ? f[BAR_MARKET - (int)r->row.first] : STR_NONE,
                                   .isin = f[(is_bar ? BAR_ISIN : FUND_ISIN) - (int)r->row.first],
                                   .currency =
                                       is_bar ? f[BAR_CURRENCY - (int)r->row.first] : STR_NONE,
                                   .source = csv_field(r->csv, r->n_fields)};
    (void)date_parse(values[1], &note.day);
    return instrument_book_add(r->load->book, &note, err);
}

static enum status stage_row(struct reading *r, struct str *values, struct err *err)
{
    struct silver_load *load = r->load;
    char hash[SILVER_HASH_BYTES], seq[24];
    size_t n = load->merge.n - 5;
    values[n] = load->task->dataset;
    values[n + 1] = csv_field(r->csv, r->n_fields);
    values[n + 2] = r->row.fetched_at;
    silver_hash(values, n + 2, hash);
    values[n + 3] = str_of(hash);
    values[n + 4] = str_of(r->number);
    (void)snprintf(seq, sizeof seq, "%lld", (long long)++load->seq);
    values[n + 5] = str_of(seq);
    for (size_t i = load->shape->n_key; i < n; i++)
        r->object->n_nulls += values[i].ptr == NULL;
    return db_copy_row(load->db, values, err);
}

static enum status load_row(struct reading *r, struct err *err)
{
    struct str values[SILVER_COLUMNS_MAX + 6];
    const char *reason = "", *column = NULL;
    int64_t fetched = 0;
    for (size_t i = 0; i < r->n_fields; i++)
        r->row.field[i] = csv_field(r->csv, i);
    r->row.fetched_at = csv_field(r->csv, r->n_fields + 1);
    arena_reset(&r->rows);
    if (csv_field(r->csv, r->n_fields).ptr == NULL || r->row.fetched_at.ptr == NULL ||
        !instant_parse(r->row.fetched_at, &fetched))
        return refuse(r, "missing", "fetched_at", err);
    if (str_cmp(r->row.fetched_at, str_of(r->object->fetched_at)) > 0)
        (void)snprintf(r->object->fetched_at, sizeof r->object->fetched_at, "%.*s",
                       STR_ARG(r->row.fetched_at));
    if (!silver_values(&r->row, &r->rows, values, &reason, &column) ||
        !references_hold(r->load->references, &r->row, &reason, &column))
        return refuse(r, reason, column, err);
    if (is_repeated(r, values)) {
        r->object->n_repeated++;
        r->load->merge.may_repeat = true;
    }
    r->object->n_rows++;
    enum status s = note_instrument(r, values, err);
    return s == STATUS_OK ? stage_row(r, values, err) : s;
}

static enum status load_rows(struct reading *r, struct err *err)
{
    bool has_row = true;
    enum status s = read_header(r, err);
    if (s == STATUS_OK)
        s = stage_begin(r->load, err);
    while (s == STATUS_OK && (s = csv_next(r->csv, &has_row, err)) == STATUS_OK && has_row)
        s = load_row(r, err);
    return s == STATUS_OK ? flush(r, err) : s;
}

static enum status read_object(struct reading *r, struct arena *arena, struct err *err)
{
    struct buf packed;
    buf_init(&packed, arena, PACKED_BYTES_MAX);
    struct csv_limits limits = {ROW_BYTES_MAX, FIELD_BYTES_MAX, FEED_COLUMNS_MAX + TRAILERS};
    enum status s = lake_get(r->load->lake, r->object->key, 0, INT64_MAX,
                             (struct lake_sink){take, &packed}, r->load->stop, err);
    if (s == STATUS_OK)
        s = digest_hex(buf_str(&packed), r->object->sha256, err);
    if (s == STATUS_OK)
        s = gzip_unpack(buf_str(&packed), PLAIN_BYTES_MAX, arena, &r->rest, err);
    if (s == STATUS_OK)
        s = csv_new(transport_read_str, &r->rest, limits, &r->csv, err);
    return s == STATUS_OK ? load_rows(r, err) : s;
}

enum status silver_object_stage(struct silver_load *load, struct silver_object *object,
                                struct err *err)
{
    CLEANUP(arena_clear) struct arena bytes;
    struct reading r = {.load = load, .object = object};
    arena_init(&bytes, (size_t)PACKED_BYTES_MAX + PLAIN_BYTES_MAX + (1 << 20));
    arena_init(&r.rows, 4 << 20);
    arena_init(&r.waiting, (size_t)PENDING_MAX * (3 << 20));
    (void)snprintf(r.number, sizeof r.number, "%lld", (long long)load->load_id);
    r.row.dataset = load->task->dataset;
    r.row.prefix = str_of(silver_prefix(load->task->dataset));
    enum status s = at_object(read_object(&r, &bytes, err), &r, err);
    csv_free(r.csv);
    arena_clear(&r.rows);
    arena_clear(&r.waiting);
    load->n_rows += object->n_rows;
    load->n_bad += object->n_bad;
    load->n_objects++;
    load->first_day = object->ymd < load->first_day ? object->ymd : load->first_day;
    load->last_day = object->ymd > load->last_day ? object->ymd : load->last_day;
    return s;
}
