/* lake_dir_meta.c - metadata of the lake in a folder as lines "name: value", and what its files share of I/O. */
#define _GNU_SOURCE /* O_CLOEXEC, renameat, GNU strerror_r */
#include "ingest/lake_dir.h"

#include "base/date.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { META_BYTES = 4096 };

enum status lake_io_failed(const char *what, const char *key, struct err *err)
{
    const int number = errno;
    char text[128];
    (void)err_set(err, STATUS_IO, "%s failed: %s.", what, strerror_r(number, text, sizeof text));
    err_at(err, ERR_PARAMETER, STR("key"), str_of(key));
    return STATUS_IO;
}

void lake_close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

enum status lake_write_all(int fd, struct str bytes, const char *key, struct err *err)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR)
            return lake_io_failed("Writing", key, err);
        bytes = str_sub(bytes, n < 0 ? 0 : (size_t)n, bytes.len);
    }
    return STATUS_OK;
}

static void meta_name(struct str file, char ret[LAKE_FILE_MAX + 8])
{
    (void)snprintf(ret, LAKE_FILE_MAX + 8, ".%.*s.meta", STR_ARG(file));
}

/* The metadata beside the object: written, synced and renamed before the object itself. */
enum status lake_write_meta(int dir, struct str file, const struct lake_entry *entry,
                            struct err *err)
{
    char text[META_BYTES], name[LAKE_FILE_MAX + 8], part[LAKE_FILE_MAX + 16];
    char when[INSTANT_TEXT_BYTES];
    instant_format(entry->meta.fetched_at, when);
    int n = snprintf(text, sizeof text,
                     "sha256: %s\nbytes: %lld\nsource-url: %s\nfetched-at: %s\nhttp-status: %d\n"
                     "schema-hash: %s\n",
                     entry->sha256, (long long)entry->bytes, entry->meta.source_url, when,
                     entry->meta.http_status, entry->meta.schema_hash);
    meta_name(file, name);
    (void)snprintf(part, sizeof part, "%s.part", name);
    CLEANUP(lake_close_fd)
    const int fd = openat(dir, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return lake_io_failed("Writing metadata", entry->key, err);
    enum status s = lake_write_all(fd, (struct str){text, (size_t)n}, entry->key, err);
    if (s == STATUS_OK && (fsync(fd) != 0 || renameat(dir, part, dir, name) != 0))
        s = lake_io_failed("Writing metadata", entry->key, err);
    return s;
}

static bool read_line(struct str name, struct str value, struct lake_entry *ret)
{
    int64_t number = 0;
    if (str_eq_c(name, "sha256") && value.len == DIGEST_HEX_BYTES - 1)
        memcpy(ret->sha256, value.ptr, value.len);
    else if (str_eq_c(name, "schema-hash") && value.len < DIGEST_HEX_BYTES)
        memcpy(ret->meta.schema_hash, value.ptr, value.len);
    else if (str_eq_c(name, "source-url") && value.len < LAKE_URL_MAX)
        memcpy(ret->meta.source_url, value.ptr, value.len);
    else if (str_eq_c(name, "bytes"))
        return str_to_i64(value, &ret->bytes) && ret->bytes >= 0;
    else if (str_eq_c(name, "fetched-at"))
        return instant_parse(value, &ret->meta.fetched_at);
    else if (str_eq_c(name, "http-status") && str_to_i64(value, &number) && number >= 0 &&
             number < 1000)
        ret->meta.http_status = (int)number;
    else
        return false;
    return true;
}

enum status lake_read_meta(int dir, const char *key, struct str file, struct lake_entry *ret,
                           struct err *err)
{
    char name[LAKE_FILE_MAX + 8], text[META_BYTES];
    meta_name(file, name);
    CLEANUP(lake_close_fd) const int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (n < 0 && errno != ENOENT)
        return lake_io_failed("Reading metadata", key, err);
    struct lake_entry entry = {0};
    (void)snprintf(entry.key, sizeof entry.key, "%s", key);
    struct str rest = {text, n < 0 ? 0 : (size_t)n}, line;
    bool is_good = n > 0;
    while (is_good && str_next_field(&rest, '\n', &line) && line.len > 0) {
        size_t colon = str_find(line, ':', 0);
        is_good = colon + 1 < line.len &&
                  read_line(str_sub(line, 0, colon), str_sub(line, colon + 2, line.len), &entry);
    }
    if (!is_good || entry.sha256[0] == '\0')
        return lake_no_meta(key, err);
    *ret = entry;
    return STATUS_OK;
}
