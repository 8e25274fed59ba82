/*
 * date.h - calendar dates as int32 days since 1970-01-01 (proleptic Gregorian), and UTC instants as
 * int64 seconds since 1970-01-01T00:00:00Z. Pure functions; callable from any thread.
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include "base/str.h"

#include <stdint.h>

enum { DATE_TEXT_BYTES = 11, INSTANT_TEXT_BYTES = 21, INSTANT_EXACT_BYTES = 28 };

#define DATE_NONE INT32_MIN /* "no date": not known, not asked for, not yet */

/* The dates this server accepts from outside: 1900-01-01 to 2199-12-31. */
enum { DATE_MIN = -25567, DATE_MAX = 84005 };

struct civil {
    int year, month, day; /* month 1..12, day 1..31 */
};

int32_t date_from_civil(struct civil c);
struct civil date_to_civil(int32_t date);
int date_weekday(int32_t date); /* 0 is Monday, 6 is Sunday */
int date_days_in_month(int year, int month);

/* Same day n months later, clipped to the month's end: 2020-01-31 + 1 is 2020-02-29. */
int32_t date_add_months(int32_t date, int n);

/* Exactly YYYY-MM-DD, a real day within DATE_MIN..DATE_MAX. */
bool date_parse(struct str s, int32_t *ret);
void date_format(int32_t date, char ret[DATE_TEXT_BYTES]);

/*
 * Exactly YYYY-MM-DDTHH:MM:SSZ, or PostgreSQL's and SQLite's spellings of it ("YYYY-MM-DD HH:MM:SS",
 * with optional fraction and "+00"); the fraction is dropped.
 */
bool instant_parse(struct str s, int64_t *ret);
void instant_format(int64_t seconds, char ret[INSTANT_TEXT_BYTES]);

/*
 * Whatever instant_parse takes, or an instant of RFC 3339 with any offset, as YYYY-MM-DDTHH:MM:SS[.fraction]Z. The
 * fraction has at most 6 digits and does not end with 0. A space may stand for the offset's "+", which an address
 * that is not escaped turns into one.
 */
bool instant_to_utc(struct str s, char ret[INSTANT_EXACT_BYTES]);

/*
 * Years from one date to a later one, actual/actual by anniversaries: whole years, then the rest as
 * a fraction of the year that contains it. 2020-01-01 to 2021-01-01 is exactly 1.
 */
double date_years_between(int32_t from, int32_t to);

/* How many of n strictly rising dates are not after day. */
size_t dates_until(const int32_t *date, size_t n, int32_t day);

/* The first place at or after from whose date is not before day; n: there is none. For a day that is not many places away. */
size_t dates_reach(const int32_t *dates, size_t n, size_t from, int32_t day);

#endif
