/*
 * idempotency.h - the Idempotency-Key of a POST (draft-ietf-httpapi-idempotency-key-header-07): a retry of the same
 * request is told what the first one was. Keys are the caller's own and mean nothing after a day.
 */
#ifndef HANDLERS_IDEMPOTENCY_H
#define HANDLERS_IDEMPOTENCY_H

#include "base/digest.h"
#include "server/request.h"
#include "store/job_store.h"

struct idempotency {
    struct str key;              /* ptr NULL: none was sent */
    char hash[DIGEST_HEX_BYTES]; /* of the path and the body */
};

/* BAD_REQUEST when the header is there and is neither a quoted string (RFC 9651) nor a token of 1 to 255 characters. */
enum status idempotency_read(struct request *request, struct idempotency *ret, struct err *err)
    NODISCARD;

/*
 * For answers that have a content address, so that a retry finds them anyway: notes the key, when there is one.
 * IDEMPOTENCY_MISMATCH when it stood for another request.
 */
enum status idempotency_note(struct request *request, struct err *err) NODISCARD;

/*
 * Within the transaction that db is in: creates job, or, when once has a key that made a job before, finds that one.
 * *ret_id is the id of either, *ret_is_new whether it was created. Errors: IDEMPOTENCY_MISMATCH when the key stood for another
 * request; those of job_create.
 */
enum status idempotency_job(const struct idempotency *once, struct db *db,
                            const struct job_new *job, const struct job_limits *limits,
                            struct arena *arena, struct str *ret_id, bool *ret_is_new,
                            struct err *err) NODISCARD;

#endif
