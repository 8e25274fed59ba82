/*
 * target.h - the request target as sent: its form, its path's safety, and a form of it that may be logged.
 * Pure; callable from any thread. Paths are checked before anything decodes them.
 */
#ifndef SERVER_TARGET_H
#define SERVER_TARGET_H

#include "base/err.h"

enum { TARGET_BYTES_MAX = 8192 };

struct target {
    struct str path;  /* "/v1/marts", or "*" for OPTIONS */
    struct str query; /* without '?'; ptr NULL when there is none */
};

/*
 * Splits origin-form ("/a?b"), absolute-form ("http://host/a?b": scheme and authority are dropped) or "*".
 * Errors: STATUS_TARGET_TOO_LONG; STATUS_BAD_REQUEST for any other form, bytes outside printable ASCII,
 * '#', and in the path a broken escape, "%2F", "%00" or another encoded control character, text that is not UTF-8, an
 * empty segment ("//") and the segments "." and ".." however encoded.
 */
enum status target_parse(struct str target, bool is_options, struct target *ret, struct err *err)
    NODISCARD;

/* Is s a Host value: a name or address with an optional port? */
bool target_is_authority(struct str s);

/*
 * The target for the log: at most some 512 bytes; values of parameters that look like secrets, and keys of this server
 * wherever they stand, replaced by "***".
 */
void target_redact(struct str target, struct buf *out);

#endif
