/*
 * table_write.h - inside of table.h: a table while it is written, and what each format does with it.
 * Bytes collect in out; when there is a sink, it takes them at every TABLE_CHUNK_BYTES, so that memory stays
 * bounded whatever the number of rows; without one out becomes the body.
 */
#ifndef HANDLERS_TABLE_WRITE_H
#define HANDLERS_TABLE_WRITE_H

#include "handlers/answer.h"
#include "handlers/table.h"

enum { TABLE_CHUNK_BYTES = 64 * 1024 };

/* Takes bytes that are then forgotten. */
typedef enum status table_sink_fn(void *cls, struct str bytes, struct err *err);

struct table_writer {
    /* Each may be NULL. A writer that runs out of room leaves out.failed. */
    enum status (*begin)(struct table *table, struct err *err); /* the columns are known */
    enum status (*row)(struct table *table, const struct str *values, struct err *err);
    enum status (*end)(struct table *table, struct err *err);
};

struct table {
    struct request *request;
    const struct table_request *what;
    struct answer how;
    struct table_options options;
    const struct table_writer *writer;
    void *state; /* the writer's own */
    const struct table_column *columns;
    struct str *values; /* of a row that needs a change, one for each column */
    size_t n_columns;
    size_t n_rows;
    unsigned warnings;
    struct str next, prev;
    struct str canonical; /* the lasting address of this answer; ptr NULL without memory */
    bool is_cut;          /* see table_cut */
    struct buf out;
    table_sink_fn *sink; /* NULL: out is the body */
    void *sink_cls;
    uint64_t n_sunk;    /* bytes that the sink has taken */
    size_t max_bytes;   /* of out without a sink; 0: what the request's memory holds */
    bool is_arrow_file; /* Arrow's file format instead of the stream */
};

extern const struct table_writer table_json, table_ndjson, table_csv, table_arrow;

/* Gives out to the sink when it has grown to at_least bytes; TOO_LARGE when out has failed. */
enum status table_drain(struct table *table, size_t at_least, struct err *err) NODISCARD;

/* Bytes of the answer so far. */
static inline int64_t table_offset(const struct table *table)
{
    return (int64_t)(table->n_sunk + table->out.len);
}

/* Chooses the writer. */
void table_open(struct table *table);

/* Runs fill and finishes the bytes, the last of which may still be in out: the heart of answers, streams and files. */
enum status table_produce(struct table *table, struct err *err) NODISCARD;

/* Answers on LANE_STREAM, to which it defers. */
enum status table_stream(struct table *table, struct err *err);

/* Links and file name as headers; call once the next page is known, or before the first byte of a stream. */
void table_headers(struct table *table);

/* Addresses of this answer for links: without a cursor, and with the generation named and parameters sorted. */
struct str table_url_first(struct table *table);
struct str table_url_canonical(struct table *table);

static inline bool column_is_number(enum column_kind kind)
{
    return kind == COLUMN_INT || kind == COLUMN_DECIMAL || kind == COLUMN_FLOAT;
}

#endif
