/* sample_impl.h - what sample.c and sample_rows.c share; for them alone. */
#ifndef INGEST_SAMPLE_IMPL_H
#define INGEST_SAMPLE_IMPL_H

#include "ingest/bronze_impl.h"
#include "ingest/sample.h"

/* A row of a table: its columns in the order of the shape, as a line of CSV without an end. */
struct sample_row {
    struct str line, source;
    size_t file; /* of the manifest */
};

/* The rows of the files of one mart. */
struct sample_table {
    const struct dataset *dataset;
    struct arena arena;
    struct sample_row *rows;
    size_t n, room;
    int32_t day;   /* of the last row; for a table without days, given */
    bool has_days; /* its rows have days of their own */
};

/* Adds a file's rows, as many as the manifest says. */
enum status sample_read(struct sample_table *table, const struct manifest_file *file, size_t index,
                        struct err *err) NODISCARD;

/* In the order of their bytes, which brings rows of one key together. */
void sample_sort(struct sample_table *table);

#endif
