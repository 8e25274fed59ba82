/*
 * number.h - numbers as text, and their bits. Pure functions, locale-independent.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/str.h"

#include <stdint.h>
#include <string.h>

/* The same bits: a NaN is itself, and 0 is not -0. */
static inline bool number_is_same(double a, double b)
{
    uint64_t bits_a, bits_b;
    memcpy(&bits_a, &a, sizeof bits_a);
    memcpy(&bits_b, &b, sizeof bits_b);
    return bits_a == bits_b;
}

enum { NUMBER_TEXT_BYTES = 40 };

/*
 * The shortest decimal that strtod reads back as exactly value, written the same way on every
 * machine: 0.1, 1234567.5, 1e-07, 1.5e+300. value must be finite. Returns the length.
 */
size_t number_format(double value, char ret[NUMBER_TEXT_BYTES]);

/* 12 significant digits as C's "%.11e" writes them, but 0 for -0. value must be finite. Returns the length. */
size_t number_format_rounded(double value, char ret[NUMBER_TEXT_BYTES]);

/*
 * Decimal text as databases store prices: -?digits(.digits)?, at most 38 digits.
 * Canonical: no leading zeros, no trailing zeros after the point, no "-0": "0012.500" is "12.5".
 */
bool decimal_is_valid(struct str s);

/* The canonical form of a valid decimal as a view into s or into room (which must hold s.len + 2). */
struct str decimal_canonical(struct str s, char *room);

/*
 * A finite double as a canonical decimal of at most 15 significant digits, as PostgreSQL casts it; 0 when it is below
 * 1e-30. value must be below 1e22 in size. Returns the length.
 */
enum { DECIMAL_TEXT_BYTES = 64 };
size_t decimal_format(double value, char ret[DECIMAL_TEXT_BYTES]);

/* <0, 0, >0 as a is less than, equal to or greater than b by value; exact. Both must be valid. */
int decimal_cmp(struct str a, struct str b);

#endif
