/*
 * cost_book.h - what runs of ingestion on this machine have cost: a line of CSV for each stage of each run, of jobs and of
 * commands, in {folder}/costs.csv, so that they add up over processes. Any thread. A line has, and the file no header:
 * at, dataset, stage, from, to, status, provider, requests, bytes, rows_in, rows_out, rejected, s3_puts, s3_lists, s3_gets,
 * s3_bytes, rows_copied.
 */
#ifndef INGEST_COST_BOOK_H
#define INGEST_COST_BOOK_H

#include "base/arena.h"
#include "ingest/pipeline.h"

/* A line in one write. folder NULL, or what cannot be written, costs the line and not the run. */
void cost_book_add(const char *folder, const char *stage, const struct ingest_task *task,
                   const struct ingest_report *report, enum status s);

/* All runs of a data set in a month. */
struct cost_sum {
    char month[8]; /* "2024-12" */
    char dataset[64];
    int64_t stages, requests, bytes, s3_puts, s3_lists, s3_gets, s3_bytes, rows_copied;
};

/* By month and data set, in the order of their first runs. A broken line, the last of a machine that lost power, is passed
 * over. No file: none. Errors: IO, OUT_OF_MEMORY. */
enum status cost_book_read(const char *folder, struct arena *arena, struct cost_sum **ret,
                           size_t *ret_n, struct err *err) NODISCARD;

#endif
