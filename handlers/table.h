/*
 * table.h - rows of named, typed columns in every representation: JSON (envelope or bare; rows, arrays or
 * columns), NDJSON, RFC 4180 CSV, Arrow IPC stream. Whatever has rows answers through this: mart rows, values,
 * facets, aggregates, prices, indicators, calendars.
 *
 * A resource says in a struct table_request what its bytes depend on and how its rows are made, and returns
 * table_answer(): the validator and the caches come first (answer.h), then fill runs on a worker.
 */
#ifndef HANDLERS_TABLE_H
#define HANDLERS_TABLE_H

#include "base/json_out.h"
#include "handlers/negotiate.h"
#include "store/catalog.h"

enum table_shape {
    SHAPE_ROWS,    /* {"data":[{"a":1}, ...]} */
    SHAPE_ARRAYS,  /* {"data":[[1], ...]}, meta.columns names the values */
    SHAPE_COLUMNS, /* {"data":{"a":[1, ...]}} */
    SHAPE_BARE     /* [{"a":1}, ...]: no envelope, for clients that want a plain array */
};

/* How the client wants it. Read from format, shape, numbers, nulls, header, bom, csv and Accept. */
struct table_options {
    enum format format;
    enum table_shape shape;
    bool numbers_as_strings; /* numbers=string: every number column as a JSON string */
    bool drops_nulls;        /* nulls=drop: members that are null are left out (shape=rows) */
    bool has_no_header;      /* header=off, CSV */
    bool has_bom;            /* bom=on, CSV */
    bool is_csv_safe;        /* csv=safe: text that a spreadsheet would run is prefixed with ' */
    bool has_end_record;     /* Prefer: end-record, NDJSON */
    bool is_whole;           /* buffer=full: every byte is made before the first is sent */
};

/* Names of those parameters, for lists of what a resource takes. */
#define TABLE_PARAMETERS "format", "shape", "numbers", "nulls", "header", "bom", "csv", "buffer"

/* What a table can be; a resource may have fewer. */
enum {
    TABLE_FORMATS =
        (1 << FORMAT_JSON) | (1 << FORMAT_CSV) | (1 << FORMAT_NDJSON) | (1 << FORMAT_ARROW)
};

/* BAD_VALUE or NOT_ACCEPTABLE. Parameters of another format than the chosen one are checked all the same; formats is a mask of 1 << FORMAT_x that the resource has. */
enum status table_options_read(struct request *request, unsigned formats, struct table_options *ret,
                               struct err *err) NODISCARD;

struct table_column {
    struct str name;
    enum column_kind kind;
};

struct table; /* being written */

/* Once, before the first row. The columns outlive the call to fill. */
enum status table_columns(struct table *table, const struct table_column *columns, size_t n,
                          struct err *err) NODISCARD;

/*
 * One value for each column, in the spelling of mart_value_text; ptr NULL is NULL. Borrowed for the call. A
 * number that JSON cannot write (NaN, an infinity) is NULL in every format, and the answer warns of it.
 */
enum status table_row(struct table *table, const struct str *values, struct err *err) NODISCARD;

/* The same for values whose numbers JSON can write, every one of them: they are not looked at again. */
enum status table_sound_row(struct table *table, const struct str *values, struct err *err)
    NODISCARD;
size_t table_rows(const struct table *table); /* written so far */

/*
 * For rows that come as CSV lines already, byte for byte what table_row would write: whether the client wants just
 * that, then lines in any portions, then their number.
 */
bool table_takes_lines(const struct table *table);
enum status table_lines(struct table *table, struct str lines, struct err *err) NODISCARD;
void table_lines_end(struct table *table, size_t n_rows);

/* Address of the next page for Link and links.next; copied. */
enum status table_next(struct table *table, struct str url, struct err *err) NODISCARD;
enum status table_prev(struct table *table, struct str url, struct err *err) NODISCARD; /* before */

/* There would be more rows, but no page of them follows. */
void table_cut(struct table *table);

/* Bits of warnings.h that hold for the rows written. */
void table_warn(struct table *table, unsigned warnings);

typedef enum status table_fill_fn(struct request *request, void *cls, struct table *table,
                                  struct err *err);

struct table_request {
    const struct mart *mart; /* as in answer.h */
    int64_t version;
    bool is_pinned;
    struct str identity;  /* the canonical query; the target and the options are added to it */
    unsigned formats;     /* mask; TABLE_FORMATS for all */
    bool is_certain;      /* 200 however many rows there are: HEAD then needs none of them */
    bool is_unbounded;    /* any number of rows: streamed, unless buffer=full */
    bool is_single;       /* one object: fill writes one row, or fails */
    struct str file_name; /* for Content-Disposition, without extension: "mart_price_daily-g412" */
    table_fill_fn *fill;  /* table_columns, then table_row for each; on a worker */
    void (*put_meta)(struct json_out *json,
                     void *cls); /* members of meta, after the rows; may be NULL */
    struct str describedby;      /* links.describedby; ptr NULL: none */
    struct str collection;       /* of which this is a member, for Link; ptr NULL: none */
    void *cls;
};

enum status table_answer(struct request *request, const struct table_request *what,
                         struct err *err);

#endif
