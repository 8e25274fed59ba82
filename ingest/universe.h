/*
 * universe.h - which symbols of a data set are fetched, and how each provider calls them.
 *
 * CSV with a header: symbol, name, currency, and a column for each source that is asked symbol by symbol; an empty field
 * there means that the source does not have it. A source without a column is asked once, for all that it has.
 * Every data set has a universe built in (universe.def); a file {dataset}.csv in the folder of the setting universe_dir
 * takes its place.
 */
#ifndef INGEST_UNIVERSE_H
#define INGEST_UNIVERSE_H

#include "ingest/dataset.h"

enum { UNIVERSE_SOURCES_MAX = 6, UNIVERSE_SYMBOL_MAX = 64 };

struct universe_row {
    struct str symbol, name, currency;         /* name and currency: ptr NULL for none */
    struct str spelling[UNIVERSE_SOURCES_MAX]; /* by column; ptr NULL: not there */
};

struct universe {
    const struct source *columns[UNIVERSE_SOURCES_MAX];
    size_t n_columns;
    struct universe_row *rows;
    size_t n;
};

/*
 * Everything is kept in the arena. folder: NULL or "" for what is built in.
 * Errors: BAD_CSV, BAD_DATA with file and line as the place; IO; OUT_OF_MEMORY.
 */
enum status universe_load(const struct dataset *dataset, const char *folder, struct arena *arena,
                          struct universe *ret, struct err *err) NODISCARD;

/* The column of a source; n_columns when it has none. */
size_t universe_column(const struct universe *universe, const struct source *source);

#endif
