/*
 * spec_rate.h - a short rate of a request: a number, or an economic series and what its per cents are per.
 */
#ifndef BACKTEST_SPEC_RATE_H
#define BACKTEST_SPEC_RATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_in.h"
#include "base/json_out.h"

enum rate_per { RATE_PER_YEAR, RATE_PER_MONTH, RATE_PER_COUNT };

struct spec_rate {
    double annual;        /* fraction, of one rate */
    struct str indicator; /* uid of an economic series in per cent; ptr NULL: the rate above */
    enum rate_per per;
};

struct spec;

/*
 * A number from -0.5 to 1, or an object of indicator and per, whose series the caller's data will then contain. *ret is
 * left as it is when val is absent; at is the JSON pointer of its member indicator and outlives the spec.
 * Errors: STATUS_UNKNOWN_FIELD, STATUS_WRONG_TYPE, STATUS_OUT_OF_RANGE, STATUS_OUT_OF_MEMORY.
 */
enum status spec_read_rate(struct json_val val, const char *at, struct arena *arena,
                           struct spec *spec, struct spec_rate *ret, struct err *err) NODISCARD;

/* The value of a member whose key is written. */
void spec_write_rate(const struct spec_rate *rate, struct json_out *json);

/* The fraction a year of per cents. */
double spec_rate_annual(enum rate_per per, double percent);

#endif
