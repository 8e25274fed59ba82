/*
 * zstd.h - blocks in memory as zstd frames (RFC 8878), for what is stored and read again by this program: several times
 * as fast as gzip both ways. Pure apart from the arena; any thread.
 */
#ifndef BASE_ZSTD_H
#define BASE_ZSTD_H

#include "base/arena.h"
#include "base/err.h"

/* level: 1 is fast, 19 is small. Errors: STATUS_OUT_OF_MEMORY. */
enum status zstd_pack(struct str plain, int level, struct arena *arena, struct str *ret,
                      struct err *err) NODISCARD;

/* Whether bytes begin as such a frame. */
bool zstd_is_frame(struct str bytes);

/*
 * Errors: STATUS_BAD_DATA when packed is damaged, cut short, or no frame that says its size; STATUS_TOO_LARGE beyond
 * max_bytes; STATUS_OUT_OF_MEMORY.
 */
enum status zstd_unpack(struct str packed, size_t max_bytes, struct arena *arena, struct str *ret,
                        struct err *err) NODISCARD;

#endif
