/*
 * silver_shape.h - which columns of a shape of rows (shapes.def) become which columns of which table of silver, and what
 * a value must be to be taken. Tables and pure functions; any thread.
 */
#ifndef INGEST_SILVER_SHAPE_H
#define INGEST_SILVER_SHAPE_H

#include "base/arena.h"
#include "ingest/feed.h"

/* Columns that no source gives. */
enum {
    SILVER_UID = FEED_COLUMN_IDS, /* the instrument: prefix of the data set and symbol */
    SILVER_MART_ID, /* of an article: its id where that is a number, else 63 bits of a sum of its address */
    SILVER_PUB_DAY,  /* of an article: the UTC day of its instant */
    SILVER_AREA,     /* of an observation: its area, or "-" */
    SILVER_VINTAGE,  /* of an observation: its vintage, or the day it was fetched */
    SILVER_KEYWORDS, /* of an article: the texts of the list, separated by ';' */
    SILVER_CLOSE,    /* of a told price: its close, or the adjusted one */
    SILVER_QUALITY,  /* of a told price: as told, with the bit for "no close" */
    SILVER_INTO      /* of a told action: the instrument received, or its own */
};

enum { SILVER_COLUMNS_MAX = 24 };

struct silver_column {
    const char *name;
    int from; /* enum feed_column_id, or one of the above */
};

struct silver_shape {
    const char *table;
    struct silver_column columns[SILVER_COLUMNS_MAX]; /* the key first; ends with a name of NULL */
    size_t n_key;
    const char *subject; /* of load_touch; its key is the first column */
    const char *touched; /* the column with the day that is touched */
    bool has_own_day;    /* its key names the partition's day: no key stands in two of them */
    bool spans_days;     /* unless an object holds many days: then two objects may repeat a key */
};

extern const struct silver_shape silver_shapes[SHAPE_COUNT];

size_t silver_width(const struct silver_shape *shape);

/* Its type as a {{token}}; BIGINT for whole numbers. */
const char *silver_type(const struct silver_column *column);

/* How uids of a data set begin: "stock:US."; "" for uploads, whose symbols are uids; NULL for one without instruments. */
const char *silver_prefix(struct str dataset);

/* The row of an object while it is read. */
struct silver_row {
    const struct silver_shape *shape;
    struct str field[FEED_COLUMNS_MAX]; /* as the object has them, in the order of shapes.def */
    struct str dataset, prefix;
    struct str fetched_at;
    size_t first; /* of the shape's columns in feed_columns */
};

/*
 * The values for the table's columns, in the arena or views into the row. False with a reason and the column when the row
 * is to be refused: "missing", "bad-number", "bad-date", "bad-instant", "bad-list", "bad-symbol", or what contract_keeps says.
 */
bool silver_values(const struct silver_row *row, struct arena *arena, struct str *ret,
                   const char **ret_reason, const char **ret_column);

#endif
