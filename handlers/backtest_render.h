/*
 * backtest_render.h - writes a finished backtest as its JSON document.
 * Pure: the document depends on the result, its id and the data's generations only; neither the time
 * of the run, nor threads, nor the machine leave a trace, so equal ids have equal bytes.
 */
#ifndef HANDLERS_BACKTEST_RENDER_H
#define HANDLERS_BACKTEST_RENDER_H

#include "backtest/backtest.h"

struct backtest_mart {
    const char *name; /* "mart_price_daily" */
    int64_t generation;
};

/* What has made the document: the engine and the data it has seen. */
struct backtest_passport {
    const char *engine_version;
    const struct backtest_mart *marts; /* in the order to be written */
    size_t n_marts;
};

/*
 * Appends {"data": {...}, "meta": {"warnings": [...], "kernels": "avx2"}} to out. Shape: data.equity is columnar (date,
 * equity, drawdown, benchmark or null), data.metrics is keyed by name, at most BACKTEST_TRADES_MAX
 * trades are listed. Numbers that are not finite are null. The caller checks out->failed.
 */
void backtest_render(const struct backtest_result *result, struct str id,
                     const struct backtest_passport *passport, struct buf *out);

/*
 * The same in two pieces, the second right behind the first, that two threads may write at the same time.
 */
void backtest_render_first(const struct backtest_result *result, struct str id, struct buf *out);
void backtest_render_rest(const struct backtest_result *result, struct str id,
                          const struct backtest_passport *passport, struct buf *out);

/*
 * The same with only those members of data that select names, "metrics" for "metrics.cagr" too, beside the id; what it
 * names that there is not is left out. ptr NULL: all.
 */
void backtest_render_parts(const struct backtest_result *result, struct str id,
                           const struct backtest_passport *passport, struct str select,
                           struct buf *out);

/* Appends the names of the members of data in their order: "id, spec, equity, ...". */
void backtest_part_names(struct buf *out);

/* The member "warnings", an array, into an object that is open. */
void backtest_render_warnings(const struct backtest_result *result, struct json_out *json);

#endif
