/*
 * rows_render.h - writes rows as the JSON envelope or as RFC 4180 CSV, the same bytes on both back ends.
 * Decimals are written as JSON numbers with all their digits; they never pass through a double.
 */
#ifndef HANDLERS_ROWS_RENDER_H
#define HANDLERS_ROWS_RENDER_H

#include "base/json_out.h"
#include "handlers/rows_answer.h"

struct rows_page {
    struct request *request;
    struct rows_request *rows;
    enum format format;
    struct str canonical;
    struct buf out;
    size_t n_shown; /* selected columns that the client sees; hidden ones for warnings follow */
    size_t n_rows;
    bool has_simulated, has_survivor_bias;
    struct str next; /* address of the next page; ptr NULL on the last one */
};

/* Adds the hidden columns that warnings need and opens the output. Call before the query runs. */
enum status rows_page_start(struct rows_page *page, struct err *err) NODISCARD;

/* What must be said about the rows written, as bits of warnings.h. */
unsigned rows_page_warnings(const struct rows_page *page);

/* Writes the whole page from the open result, next link and warnings included. */
enum status rows_render(struct rows_page *page, struct rows *result, struct err *err) NODISCARD;

#endif
