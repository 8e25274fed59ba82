/*
 * answer_reply.h - from a kept reply to the client's, and back; shared by answer.c and front.c. The caller's
 * thread; no I/O.
 */
#ifndef HANDLERS_ANSWER_REPLY_H
#define HANDLERS_ANSWER_REPLY_H

#include "cache/cache.h"
#include "server/request.h"

enum { CACHE_CONTROL_BYTES = 112 };

/* All but the last are one text each. */
enum freshness { FRESH_FOREVER, FRESH_A_WHILE, FRESH_BRIEFLY, FRESH_UNTIL_DUE };

/* next_due_at: seconds since 1970 of the mart's next publish, 0 when unknown. now likewise. */
enum freshness cache_control_text(bool is_pinned, int64_t next_due_at, int64_t now,
                                  char ret[CACHE_CONTROL_BYTES]);

/* The kept headers after those that are set; of the same name, the kept one stays. They stay in the blob. */
void reply_take_kept(struct reply *reply, const struct kept *kept);

/*
 * Makes the reply from blob, whose reference it takes: nothing is copied, the headers too stay in blob. Headers of
 * the same names give way. A kept error fills err and is returned.
 */
enum status reply_from_kept(struct request *request, struct blob *blob, struct err *err);

/* The reply as it stands, for key; NULL when it cannot be kept. Its body is whole and in its coding. */
struct blob *kept_from_reply(const struct request *request, struct str key, bool has_checksum)
    NODISCARD;

/* An error that is as lasting as an answer: there is nothing at this address in this version of the data. */
struct blob *kept_from_error(enum status status, const struct err *err, struct str key) NODISCARD;

/* Whether a kept error may still be given; replies always may. */
bool kept_is_fresh(const struct blob *blob, int64_t now);

#endif
