/*
 * feed_reply.h - an answer as it came over the wire, and the verdict on it before anything is parsed. Pure; any thread.
 */
#ifndef INGEST_FEED_REPLY_H
#define INGEST_FEED_REPLY_H

#include "base/str.h"

struct feed_reply {
    int http_status;
    struct str content_type;
    int64_t retry_after_s; /* 0: not said */
    struct str body;       /* decompressed */
};

enum feed_outcome {
    FEED_OK,        /* to be parsed */
    FEED_EMPTY,     /* a proper answer that says there is nothing */
    FEED_NOT_FOUND, /* what was asked for does not exist there */
    FEED_THROTTLED, /* the same request, later */
    FEED_QUOTA,     /* no more requests today */
    FEED_BLOCKED,   /* refused for who asks: not tried again, and not disguised */
    FEED_AUTH,      /* the key is wrong, missing, or not approved for this */
    FEED_REFUSED,   /* the request itself is wrong */
    FEED_TOO_WIDE,  /* the window has to be cut */
    FEED_DOWN,      /* the same request, soon */
    FEED_CHANGED,   /* not the form that is known */
    FEED_OUTCOMES
};
extern const char *const feed_outcome_names[FEED_OUTCOMES];
bool feed_is_retried(enum feed_outcome outcome); /* throttled and down */

struct feed_verdict {
    enum feed_outcome outcome;
    char detail
        [160]; /* the source's own words, shortened to whole characters; "" when it said none */
};
struct feed_verdict feed_verdict_of(enum feed_outcome outcome, struct str detail);

enum feed_form { FEED_FORM_JSON, FEED_FORM_XML, FEED_FORM_HTML, FEED_FORM_CSV };

/*
 * By status, then by content type and first byte: FEED_OK means that the body may be parsed as expected. Pages for
 * people in the place of data are FEED_DOWN, or FEED_BLOCKED with a status that refuses.
 */
struct feed_verdict feed_judge(const struct feed_reply *reply, enum feed_form expected);

#endif
