/* measure_set.h - how measure.c and measure_relative.c write one row of the table; not for others. */
#ifndef BACKTEST_MEASURE_SET_H
#define BACKTEST_MEASURE_SET_H

#include "backtest/measure.h"

/* A value that is not finite becomes REASON_NOT_FINITE. */
void measure_set(struct measure_value *out, double value, size_t n);
void measure_deny(struct measure_value *out, enum measure_reason reason, size_t n);

/* numerator / denominator when the denominator is above 0, else reason. */
void measure_ratio(struct measure_value *out, double numerator, double denominator,
                   enum measure_reason reason, size_t n);

/* The rows that compare input->common with input->benchmark, or deny them all. */
enum status measure_relative(const struct measure_input *input, struct arena *arena,
                             struct measure_value *ret, struct err *err) NODISCARD;

/* (last / first)^(1 / Y) - 1; -1 for a path that ends in ruin. Y > 0. */
double measure_cagr(struct measure_path path);

#endif
