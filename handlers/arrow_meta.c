/* arrow_meta.c - Arrow's metadata by hand: the slots are the field numbers of its .fbs files. */
#include "handlers/arrow_meta.h"

#include "handlers/arrow_flat.h"

enum { METADATA_V5 = 4, HEADER_SCHEMA = 1, HEADER_RECORD_BATCH = 3, FIXED_BYTES = 1024 };

/* The union member and the table behind it. */
static size_t put_type(struct flat *flat, enum arrow_type type, unsigned *ret_member)
{
    enum { INT = 2, FLOATING_POINT, BINARY, UTF8, BOOL, DECIMAL, DATE, TIME, TIMESTAMP };
    enum { DOUBLE = 2, DAY = 0, MICROSECOND = 2, DECIMAL_BITS = 128, INT_BITS = 64 };
    static const unsigned members[] = {[ARROW_UTF8] = UTF8,        [ARROW_INT64] = INT,
                                       [ARROW_DECIMAL] = DECIMAL,  [ARROW_FLOAT64] = FLOATING_POINT,
                                       [ARROW_BOOL] = BOOL,        [ARROW_DATE] = DATE,
                                       [ARROW_INSTANT] = TIMESTAMP};
    size_t zone = type == ARROW_INSTANT ? flat_text(flat, STR("UTC")) : 0;
    *ret_member = members[type];
    flat_table(flat);
    switch (type) {
    case ARROW_INT64:
        flat_i32(flat, 0, INT_BITS);
        flat_u8(flat, 1, 1); /* signed */
        break;
    case ARROW_DECIMAL:
        flat_i32(flat, 0, ARROW_DECIMAL_DIGITS);
        flat_i32(flat, 1, ARROW_DECIMAL_SCALE);
        flat_i32(flat, 2, DECIMAL_BITS);
        break;
    case ARROW_FLOAT64:
        flat_i16(flat, 0, DOUBLE);
        break;
    case ARROW_DATE:
        flat_i16(flat, 0, DAY);
        break;
    case ARROW_INSTANT:
        flat_offset(flat, 1, zone);
        flat_i16(flat, 0, MICROSECOND);
        break;
    case ARROW_UTF8:
    case ARROW_BOOL:
        break;
    }
    return flat_table_end(flat);
}

static size_t put_field(struct flat *flat, const struct arrow_field *field)
{
    unsigned member = 0;
    size_t name = flat_text(flat, field->name);
    size_t type = put_type(flat, field->type, &member);
    flat_vector(flat, 4, 0, 4);
    size_t children = flat_vector_end(flat, 0); /* readers want the vector, though it is empty */
    flat_table(flat);
    flat_offset(flat, 0, name);
    flat_offset(flat, 3, type);
    flat_offset(flat, 5, children);
    flat_u8(flat, 1, 1); /* nullable */
    flat_u8(flat, 2, member);
    return flat_table_end(flat);
}

/* The vector of fields is written back to front, so its items are kept here meanwhile. */
static size_t put_schema(struct flat *flat, const struct arrow_field *fields, size_t n,
                         struct arena *arena)
{
    size_t *positions = arena_array(arena, n, sizeof *positions);
    if (positions == NULL) {
        flat->failed = true;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        positions[i] = put_field(flat, &fields[i]);
    flat_vector(flat, 4, n, 4);
    for (size_t i = n; i-- > 0;)
        flat_item_offset(flat, positions[i]);
    size_t vector = flat_vector_end(flat, n);
    flat_table(flat);
    flat_offset(flat, 1, vector);
    return flat_table_end(flat);
}

static size_t schema_room(const struct arrow_field *fields, size_t n)
{
    enum { FIELD_BYTES = 192 };
    size_t bytes = FIXED_BYTES;
    for (size_t i = 0; i < n; i++)
        bytes += fields[i].name.len + FIELD_BYTES;
    return bytes;
}

static void put_u32(struct buf *out, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        buf_add_char(out, (char)(value >> (8 * i)));
}

static void put_padding(struct buf *out, size_t bytes)
{
    while (bytes-- > 0)
        buf_add_char(out, '\0');
}

static void put_message(struct buf *out, struct flat *flat, unsigned kind, size_t header,
                        int64_t body_bytes)
{
    flat_table(flat);
    flat_i64(flat, 3, body_bytes);
    flat_offset(flat, 2, header);
    flat_i16(flat, 0, METADATA_V5);
    flat_u8(flat, 1, kind);
    struct str bytes = flat_finish(flat, flat_table_end(flat));
    if (bytes.ptr == NULL) {
        out->failed = true;
        return;
    }
    size_t padding = (ARROW_ALIGN - bytes.len % ARROW_ALIGN) % ARROW_ALIGN;
    put_u32(out, UINT32_MAX);
    put_u32(out, (uint32_t)(bytes.len + padding));
    buf_add(out, bytes);
    put_padding(out, padding);
}

void arrow_put_schema(struct buf *out, const struct arrow_field *fields, size_t n)
{
    struct arena arena;
    struct flat flat;
    arena_init(&arena, SIZE_MAX / 4);
    flat_init(&flat, &arena, schema_room(fields, n));
    put_message(out, &flat, HEADER_SCHEMA, put_schema(&flat, fields, n, &arena), 0);
    arena_clear(&arena);
}

void arrow_put_batch(struct buf *out, const struct arrow_batch *batch)
{
    struct arena arena;
    struct flat flat;
    enum { PAIR_BYTES = 16 };
    arena_init(&arena, SIZE_MAX / 4);
    flat_init(&flat, &arena, FIXED_BYTES + PAIR_BYTES * (batch->n_nodes + batch->n_buffers));
    flat_vector(&flat, PAIR_BYTES, batch->n_buffers, 8);
    for (size_t i = batch->n_buffers; i-- > 0;) {
        flat_item_i64(&flat, batch->buffers[i].length);
        flat_item_i64(&flat, batch->buffers[i].offset);
    }
    size_t buffers = flat_vector_end(&flat, batch->n_buffers);
    flat_vector(&flat, PAIR_BYTES, batch->n_nodes, 8);
    for (size_t i = batch->n_nodes; i-- > 0;) {
        flat_item_i64(&flat, batch->nodes[i].n_nulls);
        flat_item_i64(&flat, batch->nodes[i].n_rows);
    }
    size_t nodes = flat_vector_end(&flat, batch->n_nodes);
    flat_table(&flat);
    flat_i64(&flat, 0, batch->n_rows);
    flat_offset(&flat, 2, buffers);
    flat_offset(&flat, 1, nodes);
    put_message(out, &flat, HEADER_RECORD_BATCH, flat_table_end(&flat), batch->body_bytes);
    arena_clear(&arena);
}

void arrow_put_end(struct buf *out)
{
    put_u32(out, UINT32_MAX);
    put_u32(out, 0);
}

void arrow_put_footer(struct buf *out, const struct arrow_field *fields, size_t n,
                      const struct arrow_block *blocks, size_t n_blocks)
{
    enum { BLOCK_BYTES = 24 };
    struct arena arena;
    struct flat flat;
    arena_init(&arena, SIZE_MAX / 4);
    flat_init(&flat, &arena, schema_room(fields, n) + BLOCK_BYTES * n_blocks);
    size_t schema = put_schema(&flat, fields, n, &arena);
    flat_vector(&flat, BLOCK_BYTES, 0, 8);
    size_t dictionaries = flat_vector_end(&flat, 0);
    flat_vector(&flat, BLOCK_BYTES, n_blocks, 8);
    for (size_t i = n_blocks; i-- > 0;) {
        flat_item_i64(&flat, blocks[i].body_bytes);
        flat_item_i32(&flat, 0);
        flat_item_i32(&flat, blocks[i].meta_bytes);
        flat_item_i64(&flat, blocks[i].offset);
    }
    size_t batches = flat_vector_end(&flat, n_blocks);
    flat_table(&flat);
    flat_offset(&flat, 1, schema);
    flat_offset(&flat, 2, dictionaries);
    flat_offset(&flat, 3, batches);
    flat_i16(&flat, 0, METADATA_V5);
    struct str bytes = flat_finish(&flat, flat_table_end(&flat));
    if (bytes.ptr == NULL)
        out->failed = true;
    buf_add(out, bytes);
    put_u32(out, (uint32_t)bytes.len);
    buf_add(out, STR("ARROW1"));
    arena_clear(&arena);
}
