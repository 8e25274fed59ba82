/* spec_factors.h - the members factors and hac_lag of a request: what the returns are explained by. */
#ifndef BACKTEST_SPEC_FACTORS_H
#define BACKTEST_SPEC_FACTORS_H

#include "backtest/regression.h"
#include "base/json_in.h"
#include "base/json_out.h"

struct spec_factor {
    struct str name;  /* the uid when it was not given */
    struct str uid;   /* of an instrument: the factor is its return ... */
    struct str minus; /* ... less that of this one; ptr NULL: less the risk-free return */
};

struct spec_factors {
    struct spec_factor factor[REGRESSION_FACTORS_MAX];
    size_t n; /* 0: not asked for */
    int hac_lag;
};

/*
 * Errors: STATUS_UNKNOWN_FIELD, STATUS_WRONG_TYPE, STATUS_OUT_OF_RANGE; STATUS_BAD_SPEC for a name that is there twice
 * or a lag without factors; STATUS_OUT_OF_MEMORY.
 */
enum status spec_factors_read(struct json_val root, struct arena *arena, struct spec_factors *ret,
                              struct err *err) NODISCARD;

/* Writes the members when they were asked for, every default filled in. */
void spec_factors_canonical(const struct spec_factors *factors, struct json_out *json);

#endif
