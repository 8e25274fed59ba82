/*
 * feed_number.h - numbers as the world's data feeds spell them, read into canonical decimals (base/number.h).
 * Nothing passes through a double except what arrived as one. Pure; callable from any thread.
 */
#ifndef INGEST_FEED_NUMBER_H
#define INGEST_FEED_NUMBER_H

#include "base/str.h"

enum { FEED_NUMBER_BYTES = 48, FEED_DIGITS_MAX = 38 };

enum feed_reading {
    FEED_VALUE,
    FEED_NULL, /* the feed's way to say that there is none */
    FEED_BAD   /* neither: a row for the quarantine */
};

/*
 * "33,105", "-.36", "+1.5", "2.51B", "4.375%", "1.2e-05", with blanks around them. Commas only between groups of three
 * before the point; K, M, B and T multiply by powers of a thousand; a per cent sign is dropped, the value stays in per
 * cent. No value: "", "-", ".", "N/A", "NA", "null", "NaN" in any case. Bad: anything else, infinities, more than
 * FEED_DIGITS_MAX digits. *ret lies in room.
 */
enum feed_reading feed_number(struct str text, char room[FEED_NUMBER_BYTES], struct str *ret);

/*
 * A double out of JSON. One that is exactly a 32-bit float gets the shortest decimal of that float (a feed that widens
 * floats sends 189.41000366210938 for 189.41); others keep 15 significant digits. NaN is FEED_NULL, infinities are FEED_BAD.
 */
enum feed_reading feed_double(double value, char room[FEED_NUMBER_BYTES], struct str *ret);

#endif
