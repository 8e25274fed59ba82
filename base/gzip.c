/* gzip.c - gzip through zlib; leaf of loading, storing backtests and compressing replies. */
#define ZLIB_CONST
#include "base/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
    WINDOW_GZIP = 15 + 16,
    MEMORY_LEVEL = 8,
    FILE_BUFFER_BYTES = 64 * 1024,
    PIECE_BYTES = 64 * 1024
};

enum status gzip_pack(struct str plain, int level, struct arena *arena, struct str *ret,
                      struct err *err)
{
    z_stream stream = {0};
    if (plain.len > UINT_MAX / 2)
        return err_set(err, STATUS_TOO_LARGE, "More bytes than can be compressed in one piece.");
    if (deflateInit2(&stream, level, Z_DEFLATED, WINDOW_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while compressing.");
    uLong bound = deflateBound(&stream, (uLong)plain.len);
    char *out = bound <= UINT_MAX ? arena_alloc(arena, bound) : NULL;
    int rc = Z_MEM_ERROR;
    if (out != NULL) {
        stream.next_in = (const Bytef *)plain.ptr;
        stream.avail_in = (uInt)plain.len;
        stream.next_out = (Bytef *)out;
        stream.avail_out = (uInt)bound;
        rc = deflate(&stream, Z_FINISH);
    }
    struct str packed = {out, stream.total_out};
    (void)deflateEnd(&stream);
    if (rc != Z_STREAM_END)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while compressing.");
    *ret = packed;
    return STATUS_OK;
}

static enum status damaged(struct err *err)
{
    return err_set(err, STATUS_BAD_DATA, "The compressed bytes are damaged or cut short.");
}

/* Inflates all of stream's input into out. */
static enum status inflate_all(z_stream *stream, struct buf *out, char *piece, struct err *err)
{
    int rc = Z_OK;
    while (rc == Z_OK) {
        stream->next_out = (Bytef *)piece;
        stream->avail_out = PIECE_BYTES;
        rc = inflate(stream, Z_NO_FLUSH);
        buf_add(out, (struct str){piece, (size_t)PIECE_BYTES - stream->avail_out});
        if (out->failed)
            return err_set(err, STATUS_TOO_LARGE, "The compressed content is larger than allowed.");
    }
    if (rc == Z_MEM_ERROR)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while decompressing.");
    return rc == Z_STREAM_END && stream->avail_in == 0 ? STATUS_OK : damaged(err);
}

enum status gzip_unpack(struct str packed, size_t max_bytes, struct arena *arena, struct str *ret,
                        struct err *err)
{
    z_stream stream = {.next_in = (const Bytef *)packed.ptr, .avail_in = (uInt)packed.len};
    if (packed.len > UINT_MAX)
        return err_set(err, STATUS_TOO_LARGE, "More bytes than can be decompressed in one piece.");
    char *piece = malloc(PIECE_BYTES);
    if (piece == NULL || inflateInit2(&stream, WINDOW_GZIP) != Z_OK) {
        free(piece);
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while decompressing.");
    }
    struct buf out;
    buf_init(&out, arena, max_bytes);
    enum status s = inflate_all(&stream, &out, piece, err);
    (void)inflateEnd(&stream);
    free(piece);
    if (s == STATUS_OK)
        *ret = buf_str(&out);
    return s;
}

struct gzip_file {
    int fd;
    bool is_packed;
    bool is_inside; /* a member of the gzip stream has begun and not ended */
    bool is_at_end; /* the file has no more bytes */
    z_stream stream;
    size_t from, to; /* unread bytes of a plain file in buffer */
    char buffer[FILE_BUFFER_BYTES];
};

static enum status fill(struct gzip_file *file, struct err *err)
{
    ssize_t n;
    do
        n = read(file->fd, file->buffer, sizeof file->buffer);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, STATUS_IO, "The file cannot be read: %s.",
                       errno == EISDIR ? "it is a folder" : "device error");
    file->from = 0;
    file->to = (size_t)n;
    file->is_at_end = n == 0;
    return STATUS_OK;
}

enum status gzip_open(const char *path, struct gzip_file **ret, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, STATUS_IO,
                       errno == ENOENT ? "The file does not exist." : "The file cannot be opened.");
    struct gzip_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        (void)close(fd);
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while opening a file.");
    }
    file->fd = fd;
    enum status s = fill(file, err);
    bool has_magic = file->to >= 2 && memcmp(file->buffer, "\x1f\x8b", 2) == 0;
    if (s == STATUS_OK && has_magic) {
        file->is_packed = inflateInit2(&file->stream, WINDOW_GZIP) == Z_OK;
        if (!file->is_packed)
            s = err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while opening a file.");
    }
    if (s != STATUS_OK) {
        gzip_close(file);
        return s;
    }
    file->stream.next_in = (const Bytef *)file->buffer;
    file->stream.avail_in = (uInt)file->to;
    file->is_inside = has_magic;
    *ret = file;
    return STATUS_OK;
}

void gzip_close(struct gzip_file *file)
{
    if (file == NULL)
        return;
    if (file->is_packed)
        (void)inflateEnd(&file->stream);
    (void)close(file->fd);
    free(file);
}

void gzip_closep(struct gzip_file **file)
{
    gzip_close(*file);
    *file = NULL;
}

static enum status read_plain(struct gzip_file *file, char *to, size_t size, size_t *ret_n,
                              struct err *err)
{
    enum status s = file->from == file->to && !file->is_at_end ? fill(file, err) : STATUS_OK;
    if (s != STATUS_OK)
        return s;
    size_t n = file->to - file->from < size ? file->to - file->from : size;
    if (n > 0)
        memcpy(to, file->buffer + file->from, n);
    file->from += n;
    *ret_n = n;
    return STATUS_OK;
}

/* A gzip file may be several members one after the other. */
static enum status read_packed(struct gzip_file *file, char *to, size_t size, size_t *ret_n,
                               struct err *err)
{
    z_stream *stream = &file->stream;
    uInt room = size > UINT_MAX ? UINT_MAX : (uInt)size;
    stream->next_out = (Bytef *)to;
    stream->avail_out = room;
    while (stream->avail_out == room) {
        if (stream->avail_in == 0 && !file->is_at_end) {
            enum status s = fill(file, err);
            if (s != STATUS_OK)
                return s;
            stream->next_in = (const Bytef *)file->buffer;
            stream->avail_in = (uInt)file->to;
        }
        if (stream->avail_in == 0 && file->is_at_end) {
            if (file->is_inside)
                return damaged(err);
            break;
        }
        if (!file->is_inside && inflateReset(stream) != Z_OK)
            return damaged(err);
        file->is_inside = true;
        int rc = inflate(stream, Z_NO_FLUSH);
        if (rc == Z_STREAM_END)
            file->is_inside = false;
        else if (rc != Z_OK && rc != Z_BUF_ERROR)
            return rc == Z_MEM_ERROR
                       ? err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while decompressing.")
                       : damaged(err);
    }
    *ret_n = room - stream->avail_out;
    return STATUS_OK;
}

enum status gzip_read(struct gzip_file *file, char *to, size_t size, size_t *ret_n, struct err *err)
{
    return file->is_packed ? read_packed(file, to, size, ret_n, err)
                           : read_plain(file, to, size, ret_n, err);
}

struct gzip_stream {
    z_stream z;
    bool is_inside; /* a member has begun and not ended */
    char piece[PIECE_BYTES];
};

enum status gzip_stream_new(struct gzip_stream **ret, struct err *err)
{
    struct gzip_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL || inflateInit2(&stream->z, WINDOW_GZIP) != Z_OK) {
        free(stream);
        return err_out_of_memory(err);
    }
    *ret = stream;
    return STATUS_OK;
}

void gzip_stream_freep(struct gzip_stream **stream)
{
    if (*stream != NULL)
        (void)inflateEnd(&(*stream)->z);
    free(*stream);
    *stream = NULL;
}

/* Until all input is used and the last output fitted into the piece. */
enum status gzip_stream_add(struct gzip_stream *stream, struct str packed, gzip_sink *sink,
                            void *to, struct err *err)
{
    z_stream *z = &stream->z;
    enum status s = packed.len > UINT_MAX ? damaged(err) : STATUS_OK;
    z->next_in = (const Bytef *)packed.ptr;
    z->avail_in = (uInt)packed.len;
    z->avail_out = 1;
    while (s == STATUS_OK && (z->avail_in > 0 || (stream->is_inside && z->avail_out == 0))) {
        if (!stream->is_inside && inflateReset(z) != Z_OK)
            return damaged(err);
        stream->is_inside = true;
        z->next_out = (Bytef *)stream->piece;
        z->avail_out = PIECE_BYTES;
        int rc = inflate(z, Z_NO_FLUSH);
        stream->is_inside = rc != Z_STREAM_END;
        if (rc == Z_MEM_ERROR)
            return err_out_of_memory(err);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return damaged(err);
        if (z->avail_out < PIECE_BYTES)
            s = sink(to, (struct str){stream->piece, (size_t)PIECE_BYTES - z->avail_out}, err);
    }
    return s;
}

enum status gzip_stream_finish(const struct gzip_stream *stream, struct err *err)
{
    return stream->is_inside ? damaged(err) : STATUS_OK;
}
