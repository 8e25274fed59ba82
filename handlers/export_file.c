/*
 * export_file.c - makes, opens and sweeps export files. A maker creates <name>.part exclusively, which locks out every other
 * one on this folder, writes it, and renames it: whoever sees the name sees all of it.
 */
#include "handlers/export_file.h"

#include "base/clock.h"
#include "base/digest.h"
#include "server/app.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_BYTES = 1400,
    PART_STALE_S = 900,
    DIGEST_FILE_BYTES = 64 + WARNINGS_TEXT_BYTES,
    FOLDER_MODE = 0755,
    FILE_MODE = 0644
};

static enum status io_failed(const char *what, struct err *err)
{
    return err_set(err, STATUS_IO, "An export file could not be %s (errno %d).", what, errno);
}

static bool path_of(const struct config *config, struct str name, const char *suffix,
                    char ret[PATH_BYTES])
{
    int n = snprintf(ret, PATH_BYTES, "%s/export/%.*s%s", config->var_dir, STR_ARG(name), suffix);
    return n > 0 && n < PATH_BYTES;
}

static void base64(const unsigned char raw[DIGEST_BYTES], char ret[64])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = ret;
    for (size_t i = 0; i < DIGEST_BYTES; i += 3) {
        size_t n = DIGEST_BYTES - i < 3 ? DIGEST_BYTES - i : 3;
        unsigned bits = (unsigned)raw[i] << 16;
        bits |= n > 1 ? (unsigned)raw[i + 1] << 8 : 0;
        bits |= n > 2 ? (unsigned)raw[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            *to++ = k <= n ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
    }
    *to = '\0';
}

enum status export_open(struct request *request, struct str name, struct export_file *ret,
                        bool *ret_found, struct err *err)
{
    const struct config *config = request->app->config;
    char path[PATH_BYTES], text[DIGEST_FILE_BYTES] = "";
    struct stat info;
    *ret_found = false;
    if (!path_of(config, name, ".digest", path))
        return err_set(err, STATUS_IO, "The folder of export files has too long a name.");
    int digest = open(path, O_RDONLY | O_CLOEXEC);
    if (digest < 0)
        return STATUS_OK;
    ssize_t n = read(digest, text, sizeof text - 1);
    (void)close(digest);
    (void)path_of(config, name, "", path);
    ret->fd = n > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (ret->fd < 0)
        return STATUS_OK;
    if (fstat(ret->fd, &info) != 0) {
        (void)close(ret->fd);
        return io_failed("looked at", err);
    }
    ret->size = (int64_t)info.st_size;
    (void)snprintf(ret->digest, sizeof ret->digest, "sha-256=:%.44s:", text);
    (void)snprintf(ret->tag, sizeof ret->tag, "x-%.22s", text);
    const char *line = strchr(text, '\n');
    (void)snprintf(ret->warnings, sizeof ret->warnings, "%s", line == NULL ? "" : line + 1);
    *ret_found = true;
    return STATUS_OK;
}

struct making {
    int fd;
    struct digest *digest;
    struct encoder *encoder; /* NULL: as it is */
};

static enum status write_bytes(void *cls, struct str bytes, struct err *err)
{
    struct making *making = cls;
    enum status s = digest_add(making->digest, bytes, err);
    while (s == STATUS_OK && bytes.len > 0) {
        ssize_t n = write(making->fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR)
            return io_failed("written", err);
        if (n > 0)
            bytes = str_sub(bytes, (size_t)n, bytes.len);
    }
    return s;
}

static enum status take_rows(void *cls, struct str bytes, struct err *err)
{
    struct making *making = cls;
    return making->encoder == NULL ? write_bytes(cls, bytes, err)
                                   : encoder_add(making->encoder, bytes, err);
}

static enum status write_file(struct table *table, struct making *making, enum encoding encoding,
                              struct err *err)
{
    enum status s = digest_new(&making->digest, err);
    if (s == STATUS_OK && encoding != ENCODING_IDENTITY)
        s = encoder_new(encoding, 0, write_bytes, making, &making->encoder, err);
    if (s != STATUS_OK)
        return s;
    table_open(table);
    table->sink = take_rows;
    table->sink_cls = making;
    s = table_produce(table, err);
    if (s == STATUS_OK)
        s = table_drain(table, 1, err);
    if (s == STATUS_OK && making->encoder != NULL)
        s = encoder_finish(making->encoder, err);
    return s;
}

/* The digest first: a file without one has not been made. */
static enum status publish(struct table *table, struct str name, struct making *making,
                           struct err *err)
{
    const struct config *config = table->request->app->config;
    unsigned char raw[DIGEST_BYTES];
    char digest[64], codes[WARNINGS_TEXT_BYTES], text[DIGEST_FILE_BYTES];
    char part[PATH_BYTES], path[PATH_BYTES];
    enum status s = digest_finish(making->digest, raw, err);
    if (s != STATUS_OK)
        return s;
    base64(raw, digest);
    warnings_text(table->warnings, codes);
    (void)snprintf(text, sizeof text, "%s\n%s", digest, codes);
    (void)path_of(config, name, ".digest", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
    if (fd >= 0 && close(fd) != 0)
        n = -1;
    (void)path_of(config, name, ".part", part);
    (void)path_of(config, name, "", path);
    bool is_done = n == (ssize_t)strlen(text) && fsync(making->fd) == 0 && rename(part, path) == 0;
    return is_done ? STATUS_OK : io_failed("put in place", err);
}

/* A maker that died left its file behind: after a while it counts as gone. */
static int open_part(const char *path)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    struct stat info;
    int fd = open(path, flags, FILE_MODE);
    if (fd >= 0 || errno != EEXIST)
        return fd;
    if (stat(path, &info) == 0 && clock_wall_s() - (int64_t)info.st_mtime > PART_STALE_S &&
        unlink(path) == 0)
        return open(path, flags, FILE_MODE);
    errno = EEXIST;
    return -1;
}

enum status export_make(struct table *table, struct str name, enum encoding encoding,
                        struct err *err)
{
    const struct config *config = table->request->app->config;
    char folder[PATH_BYTES], part[PATH_BYTES];
    if (!path_of(config, STR(""), "", folder) || !path_of(config, name, ".part", part))
        return err_set(err, STATUS_IO, "The folder of export files has too long a name.");
    (void)mkdir(folder, FOLDER_MODE);
    struct making making = {.fd = open_part(part)};
    if (making.fd < 0 && errno == EEXIST) {
        (void)err_set(err, STATUS_BUSY, "This file is being made; ask again.");
        if (err != NULL)
            err->retry_after_s = 2;
        return STATUS_BUSY;
    }
    if (making.fd < 0)
        return io_failed("created", err);
    enum status s = write_file(table, &making, encoding, err);
    if (s == STATUS_OK)
        s = publish(table, name, &making, err);
    encoder_free(making.encoder);
    digest_freep(&making.digest);
    (void)close(making.fd);
    if (s != STATUS_OK)
        (void)unlink(part);
    return s;
}

static void remove_file(const struct config *config, struct str name)
{
    char path[PATH_BYTES];
    if (path_of(config, name, "", path))
        (void)unlink(path);
    if (path_of(config, name, ".digest", path))
        (void)unlink(path);
}

/* Calls fn for every file but the digests. */
static void each_file(const struct config *config, void *cls,
                      void (*fn)(void *cls, struct str name, const struct stat *info))
{
    char path[PATH_BYTES];
    struct stat info;
    DIR *folder = path_of(config, STR(""), "", path) ? opendir(path) : NULL;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the folder is this thread's own */
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        struct str name = str_of(entry->d_name);
        const char *dot = strrchr(entry->d_name, '.');
        bool is_other = name.ptr[0] == '.' || dot == NULL || strcmp(dot, ".digest") == 0;
        if (!is_other && path_of(config, name, "", path) && stat(path, &info) == 0)
            fn(cls, name, &info);
    }
    if (folder != NULL)
        (void)closedir(folder);
}

static bool is_part(struct str name)
{
    struct str end = STR(".part");
    return name.len > end.len && str_eq(str_sub(name, name.len - end.len, name.len), end);
}

/* The oldest file that is neither being made nor keep. */
struct oldest {
    struct str keep;
    char name[256]; /* "": there is none */
    int64_t made_at, total;
};

static void compare_age(void *cls, struct str name, const struct stat *info)
{
    struct oldest *oldest = cls;
    if (is_part(name))
        return;
    oldest->total += (int64_t)info->st_size;
    bool is_older = oldest->name[0] == '\0' || (int64_t)info->st_mtime < oldest->made_at;
    if (str_eq(name, oldest->keep) || !is_older || name.len >= sizeof oldest->name)
        return;
    oldest->made_at = (int64_t)info->st_mtime;
    memcpy(oldest->name, name.ptr, name.len + 1);
}

void export_sweep(const struct config *config, struct str keep, int64_t max_bytes)
{
    for (;;) {
        struct oldest oldest = {.keep = keep};
        each_file(config, &oldest, compare_age);
        if (oldest.total <= max_bytes || oldest.name[0] == '\0')
            return;
        remove_file(config, str_of(oldest.name));
    }
}

struct retiring {
    const struct config *config;
    const struct catalog *catalog;
};

/* "mart_price_daily-g412.csv.gz": whether that version can still be asked for. */
static bool is_served(const struct catalog *catalog, struct str name)
{
    int64_t generation = 0;
    struct str first = str_sub(name, 0, str_find(name, '.', 0));
    size_t dash = first.len;
    while (dash > 0 && first.ptr[dash - 1] != '-')
        dash--;
    bool is_numbered = dash > 0 && dash < first.len && first.ptr[dash] == 'g' &&
                       str_to_i64(str_sub(first, dash + 1, first.len), &generation);
    const struct mart *mart =
        is_numbered ? catalog_mart(catalog, str_sub(first, 0, dash - 1)) : NULL;
    for (size_t i = 0; mart != NULL && i < mart->n_versions; i++)
        if (mart->versions[i].generation == generation)
            return true;
    return false;
}

static void retire(void *cls, struct str name, const struct stat *info)
{
    const struct retiring *retiring = cls;
    bool is_stale = is_part(name) && clock_wall_s() - (int64_t)info->st_mtime > PART_STALE_S;
    if (is_part(name) ? is_stale : !is_served(retiring->catalog, name))
        remove_file(retiring->config, name);
}

void export_retire(const struct config *config, const struct catalog *catalog)
{
    struct retiring retiring = {config, catalog};
    each_file(config, &retiring, retire);
}
