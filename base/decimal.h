/*
 * decimal.h - sums, differences and averages of decimals in text, exact: nothing passes through a double.
 * Pure functions over a struct of fixed size; one thread at a time. Decimals are spelled as in number.h.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include "base/str.h"

enum {
    DECIMAL_LIMBS = 12,         /* of 9 digits */
    DECIMAL_FRACTION_LIMBS = 5, /* the last ones: 45 digits behind the point */
    DECIMAL_SUM_BYTES = 112,    /* longest text of a sum */
    DECIMAL_WHOLE_MAX = 63,     /* digits that fit before the point */
    DECIMAL_FRACTION_MAX = 45,  /* and behind it */
    DECIMAL_AVERAGE_SCALE = 12  /* digits behind the point of an average */
};

/* Zeroed at the start. */
struct decimal_sum {
    int64_t
        limbs[DECIMAL_LIMBS]; /* most significant first; each of either sign until it is carried */
    int64_t n;                /* values added */
};

/* value is valid (decimal_is_valid: at most 38 digits). Up to 2^62 of them fit. */
void decimal_sum_add(struct decimal_sum *sum, struct str value);

/* The sum in canonical form. Returns the length. */
size_t decimal_sum_text(const struct decimal_sum *sum, char ret[DECIMAL_SUM_BYTES]);

/* The sum divided by n (above 0), rounded to DECIMAL_AVERAGE_SCALE digits, halves away from zero; canonical. */
size_t decimal_average_text(const struct decimal_sum *sum, char ret[DECIMAL_SUM_BYTES]);

/*
 * a + b and a - b, canonical, in room. ptr NULL when one of them, or the result, has more than DECIMAL_WHOLE_MAX
 * digits before the point or DECIMAL_FRACTION_MAX behind it.
 */
struct str decimal_add(struct str a, struct str b, char room[DECIMAL_SUM_BYTES]);
struct str decimal_subtract(struct str a, struct str b, char room[DECIMAL_SUM_BYTES]);

#endif
