/*
 * load.h - a folder of CSV files becomes one generation of the marts.
 * Runs on the calling thread with one connection; memory is bounded whatever the files' size.
 */
#ifndef INGEST_LOAD_H
#define INGEST_LOAD_H

#include "store/publish.h"

struct load_report {
    bool is_skipped; /* only_if_empty, and the store was not empty */
    size_t n_files;
    int64_t n_rows;
    struct publish_result publish;
};

/*
 * Loads dir/manifest.json and its files (CSV, plain or gzip), checks every SHA-256 before the first row,
 * and publishes all of it at once: rows are merged by key, and a data set that is already there makes no
 * new generation.
 *   keep  generations that stay readable, at least 1
 * Errors: IO; MALFORMED_JSON, WRONG_TYPE, UNKNOWN_FIELD for the manifest; BAD_CSV and BAD_DATA with
 * file:line as the place, the column, the value and what is allowed; the store's own.
 */
enum status load_directory(struct db_pool *pool, const char *dir, bool only_if_empty, int keep,
                           struct load_report *ret, struct err *err) NODISCARD;

#endif
