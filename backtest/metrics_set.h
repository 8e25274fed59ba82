/* metrics_set.h - how metrics.c and metrics_relative.c write one row of the table; not for others. */
#ifndef BACKTEST_METRICS_SET_H
#define BACKTEST_METRICS_SET_H

#include "backtest/metrics.h"

/* A value that is not finite becomes REASON_NOT_FINITE. */
void metrics_set(struct metric_value *out, double value, size_t n);
void metrics_deny(struct metric_value *out, enum metric_reason reason, size_t n);

/* numerator / denominator when the denominator is above 0, else reason. */
void metrics_ratio(struct metric_value *out, double numerator, double denominator,
                   enum metric_reason reason, size_t n);

/* The rows that compare input->common with input->benchmark, or deny them all. */
enum status metrics_relative(const struct metrics_input *input, struct arena *arena,
                             struct metric_value *ret, struct err *err) NODISCARD;

/* (last / first)^(1 / Y) - 1; -1 for a path that ends in ruin. Y > 0. */
double metrics_cagr(struct metrics_path path);

#endif
