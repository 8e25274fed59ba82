/*
 * feed.h - what a source was asked, what it answered, and the rows that are found in an answer, whichever source it is.
 *
 * A source gives rows of a few shapes (shapes.def): a daily bar, a corporate action, an exchange rate, an observation of
 * a statistic, an article ... Every field is text in one spelling: canonical decimals, YYYY-MM-DD, YYYY-MM-DDTHH:MM:SSZ.
 * A row that cannot be used is rejected with a reason, never dropped. Pure; one thread at a time.
 */
#ifndef INGEST_FEED_H
#define INGEST_FEED_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_in.h"
#include "ingest/feed_date.h"
#include "ingest/feed_number.h"

enum feed_kind {
    FEED_TEXT,
    FEED_DECIMAL,
    FEED_INTEGER,
    FEED_DATE,
    FEED_INSTANT,
    FEED_JSON,
    FEED_BOOL /* true, false */
};

enum feed_shape {
#define SHAPE(shape, text) SHAPE_##shape,
#define COLUMN(shape, name, text, kind, is_needed)
#include "ingest/shapes.def"
    SHAPE_COUNT
};

/* BAR_SYMBOL, BAR_DATE ...: every column of every shape, those of a shape side by side. */
enum feed_column_id {
#define SHAPE(shape, text) shape##_FIRST_, shape##_BEFORE_ = shape##_FIRST_ - 1,
#define COLUMN(shape, name, text, kind, is_needed) shape##_##name,
#define SHAPE_END(shape) shape##_AFTER_, shape##_LAST_ = shape##_AFTER_ - 1,
#include "ingest/shapes.def"
    FEED_COLUMN_IDS
};

enum { FEED_COLUMNS_MAX = 24 };

struct feed_column {
    const char *name;
    enum feed_kind kind;
    bool is_needed; /* a row without it is rejected */
};
extern const struct feed_column feed_columns[FEED_COLUMN_IDS];

struct feed_layout {
    const char *name;
    size_t first, n; /* of feed_columns */
    size_t n_key;    /* leading columns that tell rows apart */
};
extern const struct feed_layout feed_layouts[SHAPE_COUNT];

struct feed_row {
    enum feed_shape shape;
    int32_t ymd;                        /* its own date: the partition it belongs to */
    struct str field[FEED_COLUMNS_MAX]; /* in the order of the layout; ptr NULL: none */
};

struct feed_reject {
    const char *
        reason; /* "missing", "bad-number", "bad-date", "bad-flag", "bad-text", "unfinished", "duplicate" */
    const char *column; /* NULL: the whole row */
    struct str value;   /* what stood there, as it came */
};

/* Where rows go. The texts are valid during the call. A failure ends the parsing with it. */
struct feed_sink {
    enum status (*row)(void *cls, const struct feed_row *row, struct err *err);
    enum status (*reject)(void *cls, const struct feed_row *row, const struct feed_reject *why,
                          struct err *err);
    void *cls;
};

/* A row being put together. Texts are views, or copies in the arena, which the caller resets between answers. */
struct feed_writer {
    const struct feed_sink *sink;
    struct arena *arena;
    struct feed_row row;
    struct feed_reject reject;
    bool is_rejected, is_out_of_memory;
    size_t n_rows, n_rejected;
};

void feed_begin(struct feed_writer *w, enum feed_shape shape);

/* The row is to be rejected; the first reason stays. */
void feed_refuse(struct feed_writer *w, const char *reason, enum feed_column_id column,
                 struct str value);

void feed_put_text(struct feed_writer *w, enum feed_column_id column, struct str value);
void feed_put_number(struct feed_writer *w, enum feed_column_id column, struct str value);
void feed_put_date(struct feed_writer *w, enum feed_column_id column, int32_t date);
void feed_put_instant(struct feed_writer *w, enum feed_column_id column, int64_t instant_s);

/* From JSON: null and absent are none; a string, or the digits of a whole number; a number, or a string with one. */
void feed_json_text(struct feed_writer *w, enum feed_column_id column, struct json_val val);
void feed_json_number(struct feed_writer *w, enum feed_column_id column, struct json_val val);
void feed_json_date(struct feed_writer *w, enum feed_column_id column, struct json_val val,
                    enum feed_spelling spelling);

/* Numbers from first to last that are 0 are none: Korean sources tell the prices of a session without a trade so. */
void feed_clear_zeros(struct feed_writer *w, enum feed_column_id first, enum feed_column_id last);

/* Gives the row to the sink, or rejects it. Its ymd is its first date unless the parser has set it. */
enum status feed_end(struct feed_writer *w, struct err *err) NODISCARD;

#endif
