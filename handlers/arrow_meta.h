/*
 * arrow_meta.h - the messages of an Arrow IPC stream: schema, record batch, end; and the footer that makes a
 * file of it. Source: Apache Arrow, format/Message.fbs, Schema.fbs, File.fbs and "Columnar format", version 1.5.
 */
#ifndef HANDLERS_ARROW_META_H
#define HANDLERS_ARROW_META_H

#include "base/arena.h"

enum arrow_type {
    ARROW_UTF8,
    ARROW_INT64,
    ARROW_DECIMAL, /* decimal128(ARROW_DECIMAL_DIGITS, ARROW_DECIMAL_SCALE) */
    ARROW_FLOAT64,
    ARROW_BOOL,
    ARROW_DATE,   /* date32: days */
    ARROW_INSTANT /* timestamp: microseconds, UTC */
};

enum { ARROW_DECIMAL_DIGITS = 38, ARROW_DECIMAL_SCALE = 18, ARROW_ALIGN = 8 };

struct arrow_field {
    struct str name;
    enum arrow_type type;
};

/* One record batch: for each field its NULLs, for each of its buffers where it lies in the body. */
struct arrow_node {
    int64_t n_rows, n_nulls;
};
struct arrow_buffer {
    int64_t offset, length;
};
struct arrow_batch {
    int64_t n_rows;
    const struct arrow_node *nodes;
    size_t n_nodes;
    const struct arrow_buffer *buffers;
    size_t n_buffers;
    int64_t body_bytes;
};

/* Where a record batch stands in a file. */
struct arrow_block {
    int64_t offset;
    int32_t meta_bytes;
    int64_t body_bytes;
};

/* Each appends a framed message: continuation mark, size, metadata, padding to ARROW_ALIGN. out may fail. */
void arrow_put_schema(struct buf *out, const struct arrow_field *fields, size_t n);
void arrow_put_batch(struct buf *out, const struct arrow_batch *batch); /* the body follows */
void arrow_put_end(struct buf *out);

/* The end of a file, after arrow_put_end: footer, its size, magic. The file begins with ARROW_FILE_MAGIC. */
#define ARROW_FILE_MAGIC STR("ARROW1\0\0")
void arrow_put_footer(struct buf *out, const struct arrow_field *fields, size_t n,
                      const struct arrow_block *blocks, size_t n_blocks);

#endif
