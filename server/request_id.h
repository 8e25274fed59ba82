/*
 * request_id.h - UUIDv7 request ids: time-ordered, unique within and across processes, not secret.
 * request_ids_next is lock-free and callable from any thread.
 */
#ifndef SERVER_REQUEST_ID_H
#define SERVER_REQUEST_ID_H

#include "server/request.h"

#include <stdatomic.h>

struct request_ids {
    uint64_t seed[2]; /* random, fixed at start */
    atomic_uint_least64_t count;
};

void request_ids_init(struct request_ids *ids);
void request_ids_next(struct request_ids *ids, char ret[REQUEST_ID_BYTES]);
void request_ids_words(struct request_ids *ids,
                       uint64_t ret[3]); /* unique, none is zero but the first */

/* May a client's X-Request-Id be logged and echoed: 1 to 64 token characters? */
bool request_id_is_usable(struct str s);

#endif
