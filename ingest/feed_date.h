/*
 * feed_date.h - dates as the world's data feeds spell them, read into calendar dates (base/date.h) without guessing:
 * the caller names the spelling that its feed uses. Pure; callable from any thread.
 */
#ifndef INGEST_FEED_DATE_H
#define INGEST_FEED_DATE_H

#include "base/date.h"

enum feed_spelling {
    FEED_ISO, /* 2024-12-02, also before a time or a weekday: "2024-12-02 00:00", "2024-12-02 (Mon)" */
    FEED_COMPACT,  /* 20241202 */
    FEED_US_SHORT, /* 12/02/24: years 00 to 68 are 2000 to 2068, as POSIX strptime has it */
    FEED_US_LONG,  /* 12/02/2024 */
    FEED_MONTH,    /* Dec 02, 2024 or Dec. 02, 2024 */
    FEED_DOTTED    /* 2024.12.02, also before a time */
};

/* False when text is not such a date, or none that the server accepts (DATE_MIN to DATE_MAX). */
bool feed_date(struct str text, enum feed_spelling spelling, int32_t *ret);

/*
 * An instant as seconds since 1970: 2024-12-02T18:00:00Z, +0000, +00:00 and other offsets; a fraction is dropped.
 * A time without an offset is refused: it would be a guess.
 */
bool feed_instant(struct str text, int64_t *ret);

/* Seconds since 1970 of a count of seconds, milliseconds or microseconds since then, told apart by size (1970 left out). */
int64_t feed_epoch(int64_t count);

/*
 * The local date of an instant where the clock stands utc_offset_s from UTC. offset_is_current: the offset is today's,
 * not that day's, so that summer time may shift it by an hour or two: a stamp up to two hours before midnight counts as
 * the next day. Meant for stamps of daily bars, which stand at a session's open or at local midnight.
 */
int32_t feed_local_date(int64_t instant_s, int64_t utc_offset_s, bool offset_is_current);

/* A period as statistics offices write it. */
struct feed_period {
    char frequency; /* 'A', 'S', 'Q', 'M', 'D': year, half, quarter, month, day */
    int32_t start, end;
};

/* 2024, 2024S1, 2024Q4, 202412, 20241202. */
bool feed_period(struct str text, struct feed_period *ret);

#endif
