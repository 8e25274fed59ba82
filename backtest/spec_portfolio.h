/* spec_portfolio.h - a portfolio as an asset of a request; for spec_lists.c, spec.c and spec_canonical.c. */
#ifndef BACKTEST_SPEC_PORTFOLIO_H
#define BACKTEST_SPEC_PORTFOLIO_H

#include "backtest/spec_lists.h"

/*
 * Reads {"name", "assets", "strategy", "rebalance", "on_weight_sum"} into asset->portfolio, and the uid
 * portfolio:NAME into asset->uid. Everything else of the portfolio is that of the request.
 * Errors: those of spec_parse; STATUS_OUT_OF_RANGE below SPEC_DEPTH_MAX.
 */
enum status spec_read_portfolio(struct json_val val, unsigned depth, struct arena *arena,
                                struct spec_asset *asset, struct err *err) NODISCARD;

/* strategy and rebalance of a request or of a portfolio in it; in spec.c. */
enum status spec_read_policy(struct json_val root, struct arena *arena, struct spec *spec,
                             struct err *err) NODISCARD;

/* The list of assets with all that is inside them; in spec_canonical.c. */
void spec_write_assets(const struct spec *spec, struct json_out *json);

/* The value of an asset's "portfolio". */
void spec_write_portfolio(const struct spec_asset *asset, struct json_out *json);

/* The instruments of a request, those inside its portfolios counted as often as they are there. */
size_t spec_count_assets(const struct spec *spec);

/* The rules that a portfolio inside has from the request around it. */
void spec_inherit(struct spec *inner, const struct spec *outer);

#endif
