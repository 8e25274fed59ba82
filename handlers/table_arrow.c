/*
 * table_arrow.c - tables as an Arrow IPC stream: a schema, record batches of at most BATCH_ROWS rows, an end
 * mark. Decimals are decimal128(38,18), exact; a value that does not fit is refused, never rounded, and
 * numbers=string gives every number as text. Batches end early when their text grows past BATCH_BYTES.
 */
#include "handlers/table_write.h"

#include "base/array.h"
#include "handlers/arrow_meta.h"
#include "handlers/arrow_value.h"

#include <string.h>

enum {
    BATCH_ROWS = 8192,
    BATCH_BYTES = 1024 * 1024,
    BITMAP_BYTES = BATCH_ROWS / 8,
    BUFFERS_PER_COLUMN = 3,
    VALUE_BYTES_MAX = 16
};

struct column {
    enum arrow_type type;
    size_t value_bytes; /* of a fixed-width value; 0 for text and bits */
    size_t n_nulls;
    unsigned char *present; /* bit i: row i has a value */
    unsigned char *fixed;   /* values, bits of booleans, or the ends of texts */
    struct buf text;
};

struct state {
    struct column *columns;
    struct arrow_field *fields;
    struct arrow_node *nodes;
    struct arrow_buffer *buffers;
    size_t n_rows;     /* in the batch */
    size_t text_bytes; /* in the batch */
    bool is_file;      /* blocks are kept for a footer */
    struct arrow_block *blocks;
    size_t n_blocks, max_blocks;
};

static enum arrow_type type_of(const struct table *table, enum column_kind kind)
{
    if (column_is_number(kind) && table->options.numbers_as_strings)
        return ARROW_UTF8;
    switch (kind) {
    case COLUMN_INT:
        return ARROW_INT64;
    case COLUMN_DECIMAL:
        return ARROW_DECIMAL;
    case COLUMN_FLOAT:
        return ARROW_FLOAT64;
    case COLUMN_BOOL:
        return ARROW_BOOL;
    case COLUMN_DATE:
        return ARROW_DATE;
    case COLUMN_INSTANT:
        return ARROW_INSTANT;
    case COLUMN_TEXT:
    case COLUMN_OTHER:
        break;
    }
    return ARROW_UTF8;
}

static enum status open_column(struct table *table, struct state *state, size_t i, struct err *err)
{
    static const size_t widths[] = {
        [ARROW_INT64] = 8,   [ARROW_DECIMAL] = 16, [ARROW_FLOAT64] = 8, [ARROW_DATE] = 4,
        [ARROW_INSTANT] = 8, [ARROW_UTF8] = 0,     [ARROW_BOOL] = 0};
    struct arena *arena = &table->request->arena;
    struct column *column = &state->columns[i];
    enum arrow_type type = type_of(table, table->columns[i].kind);
    *column = (struct column){.type = type, .value_bytes = widths[type]};
    size_t fixed_bytes = type == ARROW_BOOL   ? (size_t)BITMAP_BYTES
                         : type == ARROW_UTF8 ? (BATCH_ROWS + 1) * sizeof(int32_t)
                                              : BATCH_ROWS * column->value_bytes;
    column->present = arena_array(arena, BITMAP_BYTES, 1);
    column->fixed = arena_array(arena, fixed_bytes, 1);
    buf_init(&column->text, arena, INT32_MAX);
    state->fields[i] = (struct arrow_field){table->columns[i].name, type};
    return column->present == NULL || column->fixed == NULL ? err_out_of_memory(err) : STATUS_OK;
}

static enum status begin(struct table *table, struct err *err)
{
    struct arena *arena = &table->request->arena;
    size_t n = table->n_columns;
    struct state *state = ARENA_NEW(arena, struct state);
    if (state == NULL)
        return err_out_of_memory(err);
    *state = (struct state){.columns = arena_array(arena, n, sizeof *state->columns),
                            .fields = arena_array(arena, n, sizeof *state->fields),
                            .nodes = arena_array(arena, n, sizeof *state->nodes),
                            .buffers =
                                arena_array(arena, BUFFERS_PER_COLUMN * n, sizeof *state->buffers),
                            .is_file = table->is_arrow_file};
    if (state->columns == NULL || state->fields == NULL || state->nodes == NULL ||
        state->buffers == NULL)
        return err_out_of_memory(err);
    table->state = state;
    for (size_t i = 0; i < n; i++) {
        enum status s = open_column(table, state, i, err);
        if (s != STATUS_OK)
            return s;
    }
    if (state->is_file)
        buf_add(&table->out, ARROW_FILE_MAGIC);
    arrow_put_schema(&table->out, state->fields, n);
    return STATUS_OK;
}

static void put_bytes(unsigned char *to, u128 value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

static enum status refuse(const struct table *table, size_t i, struct str value, struct err *err)
{
    (void)err_set(err, STATUS_TOO_LARGE,
                  "Column \"%.*s\" holds a value that its Arrow type cannot hold exactly.",
                  STR_ARG(table->columns[i].name));
    err_at(err, ERR_PARAMETER, STR("format"), value);
    err_allow(err, "numbers=string for text instead of decimal128(%d,%d), or another format",
              ARROW_DECIMAL_DIGITS, ARROW_DECIMAL_SCALE);
    return STATUS_TOO_LARGE;
}

static enum status put_value(struct table *table, size_t i, struct str text, struct err *err)
{
    struct state *state = table->state;
    struct column *column = &state->columns[i];
    size_t row = state->n_rows;
    unsigned bit = 1u << (row % 8);
    u128 value = 0;
    if (text.ptr == NULL)
        column->n_nulls++;
    else
        column->present[row / 8] |= (unsigned char)bit;
    if (column->type == ARROW_BOOL) {
        if (text.ptr != NULL && str_eq(text, STR("true")))
            column->fixed[row / 8] |= (unsigned char)bit;
        return STATUS_OK;
    }
    if (column->type == ARROW_UTF8) {
        buf_add(&column->text, text);
        table->out.failed |= column->text.failed;
        state->text_bytes += text.len;
        put_bytes(column->fixed + 4 * (row + 1), column->text.len, 4);
        return STATUS_OK;
    }
    if (text.ptr != NULL && !arrow_read_value(column->type, text, &value))
        return refuse(table, i, text, err);
    put_bytes(column->fixed + row * column->value_bytes, value, column->value_bytes);
    return STATUS_OK;
}

static size_t padded(size_t bytes)
{
    return (bytes + ARROW_ALIGN - 1) / ARROW_ALIGN * ARROW_ALIGN;
}

/* The buffers of a column in the order of the format: NULL bits, ends of texts, values. */
static size_t column_buffers(const struct state *state, const struct column *column,
                             struct str ret[BUFFERS_PER_COLUMN])
{
    size_t n = state->n_rows;
    size_t bits = (n + 7) / 8;
    ret[0] = (struct str){(const char *)column->present, column->n_nulls == 0 ? 0 : bits};
    size_t fixed = column->type == ARROW_BOOL   ? bits
                   : column->type == ARROW_UTF8 ? 4 * (n + 1)
                                                : n * column->value_bytes;
    ret[1] = (struct str){(const char *)column->fixed, fixed};
    ret[2] = buf_str(&column->text);
    return column->type == ARROW_UTF8 ? 3 : 2;
}

static void reset_column(struct column *column)
{
    memset(column->present, 0, BITMAP_BYTES);
    if (column->type == ARROW_BOOL)
        memset(column->fixed, 0, BITMAP_BYTES);
    column->n_nulls = 0;
    column->text.len = 0;
}

static enum status put_body(struct table *table, struct err *err)
{
    static const char zeros[ARROW_ALIGN] = {0};
    struct state *state = table->state;
    for (size_t i = 0; i < table->n_columns; i++) {
        struct str parts[BUFFERS_PER_COLUMN];
        size_t n = column_buffers(state, &state->columns[i], parts);
        for (size_t k = 0; k < n; k++) {
            buf_add(&table->out, parts[k]);
            buf_add(&table->out, (struct str){zeros, padded(parts[k].len) - parts[k].len});
            enum status s = table_drain(table, TABLE_CHUNK_BYTES, err);
            if (s != STATUS_OK)
                return s;
        }
        reset_column(&state->columns[i]);
    }
    return STATUS_OK;
}

static enum status keep_block(struct table *table, struct arrow_block block, struct err *err)
{
    struct state *state = table->state;
    struct arrow_block *all = arena_reserve(&table->request->arena, state->blocks,
                                            state->n_blocks + 1, &state->max_blocks, sizeof *all);
    if (all == NULL)
        return err_out_of_memory(err);
    state->blocks = all;
    state->blocks[state->n_blocks++] = block;
    return STATUS_OK;
}

static enum status put_batch(struct table *table, struct err *err)
{
    struct state *state = table->state;
    struct arrow_batch batch = {.n_rows = (int64_t)state->n_rows,
                                .nodes = state->nodes,
                                .n_nodes = table->n_columns,
                                .buffers = state->buffers};
    if (state->n_rows == 0)
        return STATUS_OK;
    for (size_t i = 0; i < table->n_columns; i++) {
        struct str parts[BUFFERS_PER_COLUMN];
        size_t n = column_buffers(state, &state->columns[i], parts);
        state->nodes[i] =
            (struct arrow_node){(int64_t)state->n_rows, (int64_t)state->columns[i].n_nulls};
        for (size_t k = 0; k < n; k++) {
            state->buffers[batch.n_buffers++] =
                (struct arrow_buffer){batch.body_bytes, (int64_t)parts[k].len};
            batch.body_bytes += (int64_t)padded(parts[k].len);
        }
    }
    struct arrow_block block = {.offset = table_offset(table), .body_bytes = batch.body_bytes};
    arrow_put_batch(&table->out, &batch);
    block.meta_bytes = (int32_t)(table_offset(table) - block.offset);
    enum status s = state->is_file ? keep_block(table, block, err) : STATUS_OK;
    if (s == STATUS_OK)
        s = put_body(table, err);
    state->n_rows = 0;
    state->text_bytes = 0;
    return s;
}

static enum status row(struct table *table, const struct str *values, struct err *err)
{
    struct state *state = table->state;
    for (size_t i = 0; i < table->n_columns; i++) {
        enum status s = put_value(table, i, values[i], err);
        if (s != STATUS_OK)
            return s;
    }
    state->n_rows++;
    bool is_full = state->n_rows == BATCH_ROWS || state->text_bytes >= BATCH_BYTES;
    return is_full ? put_batch(table, err) : STATUS_OK;
}

static enum status end(struct table *table, struct err *err)
{
    const struct state *state = table->state;
    enum status s = put_batch(table, err);
    if (s != STATUS_OK)
        return s;
    arrow_put_end(&table->out);
    if (state->is_file)
        arrow_put_footer(&table->out, state->fields, table->n_columns, state->blocks,
                         state->n_blocks);
    return STATUS_OK;
}

const struct table_writer table_arrow = {.begin = begin, .row = row, .end = end};
