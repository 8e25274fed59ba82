/*
 * fetch_pace.h - when a provider may be asked again, and how often today: a small file for each host, which survives the
 * process and is held while a request runs, so that all processes of a machine ask a host one request at a time.
 */
#ifndef INGEST_FETCH_PACE_H
#define INGEST_FETCH_PACE_H

#include "base/err.h"
#include "ingest/source.h"

struct stop;

struct pace {
    int fd;
    int32_t day;     /* of count, UTC */
    unsigned count;  /* requests of that day */
    int64_t next_ms; /* since 1970: not before */
};

/*
 * Opens and holds the record of a host in folder, which is made when missing; waits for other holders. A damaged record
 * counts as a new one. now_ms begins a new day's count.
 * Errors: IO; those of stop.
 */
enum status pace_hold(const char *folder, struct str host, int64_t now_ms, const struct stop *stop,
                      struct pace *ret, struct err *err) NODISCARD;

/* Writes the record. Errors: IO. */
enum status pace_save(const struct pace *pace, struct err *err) NODISCARD;
void pace_drop(
    struct pace *pace); /* for CLEANUP, too: lets others in; harmless when nothing is held */

/* Requests that are left today; -1: no limit is known. */
int64_t pace_left(const struct pace *pace, const struct source_manners *manners);

/*
 * Time until the same request is sent again: what the provider asks for, else a random part (random in [0, 1)) of
 * base * 2^tries, at most a minute ("full jitter": M. Brooker, "Exponential Backoff And Jitter").
 */
int64_t pace_delay_ms(int64_t retry_after_s, unsigned tries, double random);

/* Retry-After: seconds, or an HTTP date against now_s; 0 when there is none or it is over. */
int64_t pace_retry_after(struct str header, int64_t now_s);

#endif
