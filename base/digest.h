/* digest.h - SHA-256 and HMAC-SHA-256, from OpenSSL's libcrypto (its only user). Callable from any thread. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/err.h"

enum { DIGEST_BYTES = 32, DIGEST_HEX_BYTES = 65 };

struct digest; /* a hash in progress */

enum status digest_new(struct digest **ret, struct err *err) NODISCARD;
void digest_freep(struct digest **digest);
enum status digest_add(struct digest *digest, struct str bytes, struct err *err) NODISCARD;
enum status digest_finish(struct digest *digest, unsigned char ret[DIGEST_BYTES], struct err *err)
    NODISCARD;

/* Lower-case hexadecimal, NUL-terminated. */
void digest_to_hex(const unsigned char raw[DIGEST_BYTES], char ret[DIGEST_HEX_BYTES]);

/* One call for one piece. */
enum status digest_raw(struct str bytes, unsigned char ret[DIGEST_BYTES], struct err *err)
    NODISCARD;

/* HMAC-SHA-256 of bytes under key (RFC 2104), of any length. */
enum status digest_hmac(struct str key, struct str bytes, unsigned char ret[DIGEST_BYTES],
                        struct err *err) NODISCARD;

/* In a time that does not depend on where they differ: for comparing secrets. */
bool digest_is_equal(const unsigned char a[DIGEST_BYTES], const unsigned char b[DIGEST_BYTES]);

/* One call for one piece: lower-case hexadecimal, NUL-terminated. */
enum status digest_hex(struct str bytes, char ret[DIGEST_HEX_BYTES], struct err *err) NODISCARD;

#endif
