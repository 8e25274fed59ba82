/* backtest_render_trust.h - the members of the answer that say how far a result can be trusted. */
#ifndef HANDLERS_BACKTEST_RENDER_TRUST_H
#define HANDLERS_BACKTEST_RENDER_TRUST_H

#include "backtest/backtest.h"

/* One member each, null where it was not asked for. */
void render_bootstrap(const struct backtest_result *result, struct json_out *json);
void render_verify(const struct backtest_result *r, struct json_out *json);
void render_capacity(const struct backtest_result *r, struct json_out *json);
void render_dividend_modes(const struct backtest_result *r, struct json_out *json);
void render_destination_modes(const struct backtest_result *r, struct json_out *json);
void render_currency_modes(const struct backtest_result *r, struct json_out *json);
void render_offset_luck(const struct backtest_result *r, struct json_out *json);
void render_monte_carlo(const struct backtest_result *r, struct json_out *json);

/* The member "bootstrap" alone, of a track record too; null where none was asked for. */
void bootstrap_write(const struct spec_bootstrap *asked, enum measure_reason reason,
                     const struct bootstrap_report *report, size_t n_common, struct json_out *json);

/* The member "monkeys" alone, of a track record too. */
void monkeys_write(const struct monkey_report *report, uint64_t seed, size_t n_universe,
                   struct json_out *json);

#endif
