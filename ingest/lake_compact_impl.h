/* lake_compact_impl.h - what the files of lake_compact.h share; for them alone. */
#ifndef INGEST_LAKE_COMPACT_IMPL_H
#define INGEST_LAKE_COMPACT_IMPL_H

#include "base/arena.h"
#include "ingest/lake_compact.h"

#include <stdio.h>

/* One object of rows, and where its parts are in the key. */
struct compact_source {
    const char *key;
    struct str dataset, file;
    int32_t day;
    int year;
};

/*
 * The rows of a year's objects, sorted by day, into file as gzip of several members.
 * *ret_n_rows how many; *ret_schema the SHA-256 of the header.
 */
enum status compact_rows(struct lake *lake, const struct compact_source *sources, size_t n,
                         FILE *file, const struct stop *stop, int64_t *ret_n_rows,
                         char ret_schema[DIGEST_HEX_BYTES], struct err *err) NODISCARD;

#endif
