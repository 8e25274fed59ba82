/*
 * spec_weights.h - the rules for portfolio weights; a part of spec_parse.
 * Weights are long only: each >= 0. Pure apart from the spec given; callable from any thread.
 */
#ifndef BACKTEST_SPEC_WEIGHTS_H
#define BACKTEST_SPEC_WEIGHTS_H

#include "backtest/spec.h"

/*
 * Checks the weights read from the request and makes them final.
 *   given weights   a sum within 1e-6 of 1 is divided out exactly; any other sum follows
 *                   spec->on_weight_sum: reject, normalize (divide by the sum), or cash (keep
 *                   1 - sum in cash; the sum must be below 1)
 *   no weights      1/n each
 * Sets invested_share. Errors: STATUS_BAD_WEIGHTS.
 */
enum status spec_weights_settle(struct spec *spec, struct err *err) NODISCARD;

#endif
