/* metrics_members.h - what metrics_request.c, metrics_series.c and metrics_members.c share; not for others. */
#ifndef HANDLERS_METRICS_MEMBERS_H
#define HANDLERS_METRICS_MEMBERS_H

#include "base/json_in.h"
#include "handlers/metrics_request.h"

/* An array of numbers and nulls (NaN), n_rows long unless n_rows is 0. */
enum status metrics_read_numbers(struct json_val val, size_t n_rows, struct arena *arena,
                                 const double **ret, struct err *err) NODISCARD;

/* An array of n rising dates. */
enum status metrics_read_dates(struct json_val list, size_t n, struct arena *arena,
                               const int32_t **ret, struct err *err) NODISCARD;

/* A name of 1 to METRICS_NAME_BYTES_MAX bytes, copied. */
enum status metrics_copy_text(struct json_val val, struct arena *arena, struct str *ret,
                              struct err *err) NODISCARD;

enum status metrics_no_memory(struct err *err);

/* Returns or prices, dates, benchmark and rates, one for each row. Absent: request->has_series is false. */
enum status metrics_read_series(struct json_val root, struct arena *arena,
                                struct metrics_request *request, struct err *err) NODISCARD;

/* Members of the request that may be absent. */
enum status metrics_read_factors(struct json_val root, struct arena *arena,
                                 struct metrics_request *request, struct err *err) NODISCARD;
enum status metrics_read_flows(struct json_val root, struct arena *arena,
                               struct metrics_request *request, struct err *err) NODISCARD;
enum status metrics_read_trades(struct json_val root, struct arena *arena,
                                struct metrics_request *request, struct err *err) NODISCARD;
enum status metrics_read_summary(struct json_val root, struct metrics_summary *summary,
                                 struct err *err) NODISCARD;

#endif
