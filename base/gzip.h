/*
 * gzip.h - gzip (RFC 1952), from zlib (its only user): blocks in memory, and files read as a stream.
 * A reader belongs to one thread.
 */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include "base/arena.h"
#include "base/err.h"

/* level 1 (fast) to 9 (small). The result is in the arena. Equal input gives equal bytes. */
enum status gzip_pack(struct str plain, int level, struct arena *arena, struct str *ret,
                      struct err *err) NODISCARD;

/* BAD_DATA when the bytes are damaged or cut short; TOO_LARGE when the content passes max_bytes. */
enum status gzip_unpack(struct str packed, size_t max_bytes, struct arena *arena, struct str *ret,
                        struct err *err) NODISCARD;

/* A file, plain or gzip (told by its first bytes), read from the start in pieces. */
struct gzip_file;

enum status gzip_open(const char *path, struct gzip_file **ret, struct err *err) NODISCARD;
void gzip_close(struct gzip_file *file);
void gzip_closep(struct gzip_file **file);

/*
 * The next bytes, at most size; *ret_n 0 at the end. IO when the device fails, BAD_DATA when the
 * compressed bytes are damaged or cut short.
 */
enum status gzip_read(struct gzip_file *file, char *to, size_t size, size_t *ret_n, struct err *err)
    NODISCARD;

#endif
