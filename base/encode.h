/*
 * encode.h - content codings of HTTP bodies: gzip (RFC 1952), br (RFC 7932), zstd (RFC 8878). A whole body in
 * one call, or a stream in pieces. An encoder belongs to one thread at a time. Equal input gives equal bytes.
 */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/arena.h"
#include "base/err.h"

/* In the order of the server's preference among those that a client likes equally. */
enum encoding { ENCODING_ZSTD, ENCODING_BR, ENCODING_GZIP, ENCODING_IDENTITY, ENCODING_COUNT };

const char *encoding_name(enum encoding encoding); /* as in Content-Encoding: "zstd" */

/* What keeps the tags of one body's codings apart: "-zstd"; "" for identity. */
const char *encoding_suffix(enum encoding encoding);

/* The whole body; identity gives plain itself. The result is in the arena. OUT_OF_MEMORY. */
enum status encode_pack(enum encoding encoding, struct str plain, struct arena *arena,
                        struct str *ret, struct err *err) NODISCARD;

/* Takes the next compressed bytes, borrowed for the call; a failure ends the encoding with that status. */
typedef enum status encode_sink_fn(void *cls, struct str bytes, struct err *err);

struct encoder;

/* size_hint: bytes that will come, 0 when unknown; a wrong hint costs memory, never correctness. */
enum status encoder_new(enum encoding encoding, size_t size_hint, encode_sink_fn *sink, void *cls,
                        struct encoder **ret, struct err *err) NODISCARD;
enum status encoder_add(struct encoder *encoder, struct str plain, struct err *err) NODISCARD;
enum status encoder_finish(struct encoder *encoder, struct err *err) NODISCARD;
void encoder_free(struct encoder *encoder); /* NULL is allowed */

#endif
