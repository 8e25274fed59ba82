/*
 * panel_key.h - what of a spec shapes its market data and its panel, as text: specs with equal keys have the same
 * series and the same panel on the same data, bit for bit. Pure.
 */
#ifndef BACKTEST_PANEL_KEY_H
#define BACKTEST_PANEL_KEY_H

#include "backtest/spec.h"

/*
 * false, and nothing written, where a panel is this spec's alone: portfolios among its assets have lines that
 * follow from everything else, and money of other currencies has series that the market lacks. The dates must be set.
 */
bool panel_key(const struct spec *spec, struct json_out *json) NODISCARD;

#endif
