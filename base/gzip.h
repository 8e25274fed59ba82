/*
 * gzip.h - gzip (RFC 1952), from zlib (its only user): blocks in memory, files read as a stream, and bytes that arrive
 * in pieces. A reader or stream belongs to one thread.
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

/* Bytes that arrive in pieces of any size, decompressed as they come; may be several members one after the other. */
struct gzip_stream;

typedef enum status gzip_sink(void *to, struct str plain, struct err *err);

enum status gzip_stream_new(struct gzip_stream **ret, struct err *err) NODISCARD;
void gzip_stream_freep(struct gzip_stream **stream);

/* Gives sink what packed adds. BAD_DATA for damaged bytes; OUT_OF_MEMORY; the sink's own. */
enum status gzip_stream_add(struct gzip_stream *stream, struct str packed, gzip_sink *sink,
                            void *to, struct err *err) NODISCARD;

/* After the last piece: BAD_DATA unless it ended with the end of a member. */
enum status gzip_stream_finish(const struct gzip_stream *stream, struct err *err) NODISCARD;

#endif
