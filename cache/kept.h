/*
 * kept.h - a finished reply as one block of bytes: what both caches hold. It says itself what it answers (its
 * key, in full), so that neither a hash collision nor a store that lies can pass one answer for another.
 * In the process it is trusted; what comes from outside is opened with kept_check first.
 */
#ifndef CACHE_KEPT_H
#define CACHE_KEPT_H

#include "base/blob.h"
#include "base/err.h"

enum { KEPT_HEADERS_MAX = 16 };

struct kept_header {
    const char *name, *value;
};

struct kept {
    struct str key;     /* all that the bytes depend on */
    enum status status; /* OK, or the error that body holds as a struct err */
    const char *type;   /* Content-Type */
    struct kept_header headers[KEPT_HEADERS_MAX];
    size_t n_headers;
    struct str body; /* in its content coding */
    int64_t made_at; /* seconds since 1970 */
};

/* NULL when out of memory. The checksum is needed for what leaves the process only. */
struct blob *kept_make(const struct kept *kept, bool has_checksum) NODISCARD;

/* Views into blob, which must outlive ret. */
void kept_open(const struct blob *blob, struct kept *ret);
void kept_open_plain(const struct blob *blob, struct kept *ret); /* without the headers */

/* The bytes are one whole kept reply for key, undamaged. */
bool kept_check(const struct blob *blob, struct str key) NODISCARD;

/* Value of a header; NULL when there is none. */
const char *kept_header(const struct kept *kept, const char *name);

#endif
