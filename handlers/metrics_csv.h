/*
 * metrics_csv.h - the CSV form of a track record: columns in the body, options as name and value (query parameters of
 * POST /v1/metrics, name=value arguments of `cmmc metrics`).
 * Columns: date; return or price, exactly one; benchmark_return or benchmark_price; risk_free and mar, per period;
 * factor:NAME. An empty field is a missing value.
 */
#ifndef HANDLERS_METRICS_CSV_H
#define HANDLERS_METRICS_CSV_H

#include "handlers/metrics_request.h"

struct metrics_option {
    struct str name, value;
};

/* The names an option may have; NULL at the end. */
extern const char *const metrics_option_names[];

/* Sets one of them, but "select". Errors: STATUS_UNKNOWN_PARAMETER, STATUS_BAD_VALUE. */
enum status metrics_option_set(struct metrics_request *request, const struct metrics_option *option,
                               struct err *err) NODISCARD;

/*
 * Errors: STATUS_BAD_CSV with the line, STATUS_UNKNOWN_FIELD (a column), STATUS_UNKNOWN_PARAMETER, STATUS_BAD_VALUE
 * (an option), STATUS_BAD_SPEC, STATUS_OUT_OF_MEMORY.
 */
enum status metrics_csv_parse(struct str body, const struct metrics_option *option,
                              size_t n_options, struct arena *arena, struct metrics_request **ret,
                              struct err *err) NODISCARD;

#endif
