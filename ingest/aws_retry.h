/*
 * aws_retry.h - when a request to a cloud service is sent again, and how much later. Pure but for the budget, which any
 * thread may use.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter); "Timeouts, retries and backoff
 * with jitter", Amazon Builders' Library (budget of retries).
 */
#ifndef INGEST_AWS_RETRY_H
#define INGEST_AWS_RETRY_H

#include "base/str.h"

#include <stdatomic.h>

enum { AWS_TRIES = 5, AWS_WAIT_BASE_MS = 100, AWS_WAIT_CAP_MS = 20000 };

/* What an answer means for the request. */
enum aws_verdict {
    AWS_FINE,
    AWS_ABSENT,    /* no such object */
    AWS_EXISTS,    /* 412: a condition does not hold */
    AWS_AGAIN,     /* passing trouble */
    AWS_THROTTLED, /* too fast for it */
    AWS_SKEWED,    /* our clock or theirs is wrong */
    AWS_EXPIRED,   /* the session's keys are */
    AWS_DENIED,    /* keys, policy */
    AWS_REFUSED    /* the request itself */
};

/* code: of the error in the body, e.g. "SlowDown"; empty where there is none, as for HEAD. */
enum aws_verdict aws_judge(int http_status, struct str code);

/*
 * Milliseconds before try number tries (1: the first one again): anything from 0 to min(cap, base * 2^(tries - 1)),
 * chosen by random; at least what the server asked for, of which more than the cap is the cap.
 */
unsigned aws_wait_ms(unsigned tries, uint64_t random, unsigned retry_after_s);

/* One tenth of a retry for every call, ten retries at most: a service that is down is not asked five times as much. */
struct aws_budget {
    atomic_int tenths;
};

void aws_budget_init(struct aws_budget *budget);
void aws_budget_call(struct aws_budget *budget);  /* a call began */
bool aws_budget_retry(struct aws_budget *budget); /* false: no retry is left */

#endif
