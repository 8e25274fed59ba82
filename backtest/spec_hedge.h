/*
 * spec_hedge.h - the member currency_modes of a request: true, or the short rates that a currency hedge earns.
 * Plain values inside struct spec_trust; docs/formulas.md sections 1 and 9.
 */
#ifndef BACKTEST_SPEC_HEDGE_H
#define BACKTEST_SPEC_HEDGE_H

#include "backtest/market.h"
#include "backtest/spec_rate.h"

enum { HEDGE_RATES_MAX = 16 };

struct hedge_rate {
    char currency[CURRENCY_TEXT_BYTES];
    const char *at; /* JSON pointer of its member indicator */
    struct spec_rate rate;
};

struct spec_hedge {
    double share;                             /* of what is held in another currency, 0 to 1 */
    struct hedge_rate rates[HEDGE_RATES_MAX]; /* by currency */
    size_t n_rates;                           /* 0: no rates were given */
};

/*
 * Sets currency_modes and hedge of spec->trust.
 * Errors: STATUS_UNKNOWN_FIELD, STATUS_WRONG_TYPE, STATUS_OUT_OF_RANGE, STATUS_OUT_OF_MEMORY.
 */
enum status spec_read_currency_modes(struct json_val root, struct arena *arena, struct spec *spec,
                                     struct err *err) NODISCARD;

/* The member currency_modes of a request that has it. */
void spec_write_hedge(const struct spec_hedge *hedge, struct json_out *json);

#endif
