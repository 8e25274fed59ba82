/*
 * price_file_parts.h - what price_file.c, price_file_fields.c and series_file.c share: a file's bytes, its rows, and the
 * columns of one with prices. Not for others.
 */
#ifndef HANDLERS_PRICE_FILE_PARTS_H
#define HANDLERS_PRICE_FILE_PARTS_H

#include "base/csv_in.h"
#include "handlers/price_file.h"

/* Fields of the long layout. From CLOSE on they are numbers; what comes after it may be missing, or empty in a row. */
enum field {
    DATE,
    UID,
    CURRENCY,
    CLOSE,
    ADJ_CLOSE,
    OPEN,
    HIGH,
    LOW,
    VOLUME,
    DIVIDEND,
    SPLIT,
    PAY_DATE, /* a date, kept as the number of its day */
    N_FIELDS,
    N_VALUES = N_FIELDS - CLOSE
};
struct column {
    struct str uid;
    char currency[CURRENCY_TEXT_BYTES];
    size_t n_max, n;
    int32_t *date;
    int64_t *known_at;
    double *value[N_VALUES]; /* by field - CLOSE; NULL: not in the file */
};

struct reader {
    const char *path;
    const char *currency;
    struct arena *arena;
    struct str bytes;
    size_t at; /* what the CSV reader has taken of them */
    bool is_wide;
    int at_field[N_FIELDS]; /* -1: there is none */
    struct column *columns;
    size_t n_columns, guess;
    void *cls; /* of series_file.c */
};

/* The file's bytes, gzip undone, into reader->bytes. Errors: IO, TOO_LARGE. */
enum status price_file_load(struct reader *reader, struct err *err) NODISCARD;

/* The first row, unless header is NULL, and each of the others. Errors: BAD_CSV with file and line; NO_DATA; theirs. */
typedef enum status price_file_row_fn(struct reader *reader, const struct csv_in *csv,
                                      struct err *err);
enum status price_file_walk(struct reader *reader, price_file_row_fn *header,
                            price_file_row_fn *row, struct err *err) NODISCARD;

static inline bool price_file_has(const struct reader *reader, enum field field)
{
    return reader->at_field[field] >= 0;
}

/* BAD_VALUE at this line. */
enum status price_file_refuse(const struct reader *reader, int64_t line, struct str value,
                              const char *allowed, struct err *err);

/* Finds the fields of the long layout in the header; whether every name of it is one, and once there. */
bool price_file_find_fields(struct reader *reader, const struct csv_in *csv);

/* What else the row says of the column's last bar. */
enum status price_file_put_values(struct reader *reader, struct column *column,
                                  const struct csv_in *csv, struct err *err) NODISCARD;

/* The column as a series of the market; borrows it. */
struct price_series price_file_series(const struct column *column);

#endif
