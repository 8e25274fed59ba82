/* regression_render.h - a regression on factors as JSON: of a track record, of a backtest. */
#ifndef HANDLERS_REGRESSION_RENDER_H
#define HANDLERS_REGRESSION_RENDER_H

#include "backtest/regression.h"
#include "base/json_out.h"

/*
 * Writes the members n, lag, and reason or coefficients (alpha, then the factors by name) and the rest, into the object
 * that is open. alpha is also annualised by periods_per_year.
 */
void regression_write(const struct regression *fit, const struct str *names,
                      double periods_per_year, struct json_out *json);

#endif
