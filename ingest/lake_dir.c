/* lake_dir.c - the lake in a folder: write to a temporary file, sync, rename under the partition's lock. */
#define _GNU_SOURCE /* flock, O_DIRECTORY */
#include "ingest/lake.h"

#include "base/date.h"
#include "base/stop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 << 10, META_BYTES = 4096, DEPTH_MAX = 12 };

struct lake {
    char root[PATH_MAX - 2 * LAKE_KEY_MAX]; /* fixed at creation */
};

/* A partition's folder, open and locked while one object is put into it. */
struct place {
    int dir; /* -1: none */
    int file;
    char part[LAKE_FILE_MAX + 40]; /* temporary name; "": nothing to remove */
};

static enum status io_failed(const char *what, const char *key, struct err *err)
{
    const int number = errno;
    char text[128];
    (void)err_set(err, STATUS_IO, "%s failed: %s.", what, strerror_r(number, text, sizeof text));
    err_at(err, ERR_PARAMETER, STR("key"), str_of(key));
    return STATUS_IO;
}

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static void close_place(struct place *place)
{
    if (place->part[0] != '\0')
        (void)unlinkat(place->dir, place->part, 0);
    close_fd(&place->file);
    close_fd(&place->dir); /* releases the lock */
}

enum status lake_open(const char *folder, struct lake **ret, struct err *err)
{
    struct lake *lake = calloc(1, sizeof *lake);
    if (lake == NULL)
        return err_out_of_memory(err);
    size_t n = strlen(folder);
    if (n == 0 || n >= sizeof lake->root || strstr(folder, "://") != NULL) {
        free(lake);
        (void)err_set(err, STATUS_CONFIG, "The lake has to be a folder.");
        err_at(err, ERR_NOWHERE, STR("lake"), str_of(folder));
        return STATUS_CONFIG;
    }
    memcpy(lake->root, folder, n + 1);
    *ret = lake;
    return STATUS_OK;
}

void lake_freep(struct lake **lake)
{
    free(*lake);
    *lake = NULL;
}

static void meta_name(struct str file, char ret[LAKE_FILE_MAX + 8])
{
    (void)snprintf(ret, LAKE_FILE_MAX + 8, ".%.*s.meta", STR_ARG(file));
}

/* Makes every folder of path, each synced into its parent. */
static enum status make_folders(char *path, const char *key, struct err *err)
{
    for (char *c = path + 1; *c != '\0'; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        bool is_made = mkdir(path, 0777) == 0;
        bool is_there = is_made || errno == EEXIST;
        *c = '/';
        if (!is_there)
            return io_failed("Making a folder", key, err);
    }
    return STATUS_OK;
}

/* Every folder's entry reaches the disk, from the partition up to the lake's root. */
static enum status sync_folders(const struct lake *lake, const char *key, struct err *err)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", lake->root, key);
    size_t root = strlen(lake->root), end = (size_t)n;
    while (end > root) {
        while (end > root && path[end] != '/')
            end--;
        path[end] = '\0';
        CLEANUP(close_fd) const int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0 || fsync(dir) != 0)
            return io_failed("Syncing a folder", key, err);
    }
    return STATUS_OK;
}

static enum status open_dir(const struct lake *lake, const char *key, struct str file, int *ret_dir,
                            struct err *err)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%.*s", lake->root, (int)(file.ptr - key), key);
    *ret_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret_dir >= 0)
        return STATUS_OK;
    if (errno != ENOENT)
        return io_failed("Opening a partition", key, err);
    (void)err_set(err, STATUS_NOT_FOUND, "The lake has no such object.");
    err_at(err, ERR_PARAMETER, STR("key"), str_of(key));
    return STATUS_NOT_FOUND;
}

static enum status write_all(int fd, struct str bytes, const char *key, struct err *err)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR)
            return io_failed("Writing", key, err);
        bytes = str_sub(bytes, n < 0 ? 0 : (size_t)n, bytes.len);
    }
    return STATUS_OK;
}

/* Everything of source to fd, its length and hash to *entry. */
static enum status copy_in(struct lake_source source, int fd, const struct stop *stop,
                           struct lake_entry *entry, struct err *err)
{
    CLEANUP(digest_freep) struct digest *digest = NULL;
    unsigned char raw[DIGEST_BYTES];
    char piece[PIECE_BYTES];
    size_t n = 1;
    enum status s = digest_new(&digest, err);
    while (s == STATUS_OK && n > 0) {
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        s = source.read(source.from, piece, sizeof piece, &n, err);
        if (s == STATUS_OK && n > 0)
            s = write_all(fd, (struct str){piece, n}, entry->key, err);
        if (s == STATUS_OK && n > 0)
            s = digest_add(digest, (struct str){piece, n}, err);
        entry->bytes += s == STATUS_OK ? (int64_t)n : 0;
    }
    if (s == STATUS_OK)
        s = digest_finish(digest, raw, err);
    if (s == STATUS_OK)
        digest_to_hex(raw, entry->sha256);
    return s;
}

/* The metadata beside the object: written, synced and renamed before the object itself. */
static enum status write_meta(int dir, struct str file, const struct lake_entry *entry,
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
    CLEANUP(close_fd)
    const int fd = openat(dir, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return io_failed("Writing metadata", entry->key, err);
    enum status s = write_all(fd, (struct str){text, (size_t)n}, entry->key, err);
    if (s == STATUS_OK && (fsync(fd) != 0 || renameat(dir, part, dir, name) != 0))
        s = io_failed("Writing metadata", entry->key, err);
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

static enum status read_meta(int dir, const char *key, struct str file, struct lake_entry *ret,
                             struct err *err)
{
    char name[LAKE_FILE_MAX + 8], text[META_BYTES];
    meta_name(file, name);
    CLEANUP(close_fd) const int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (n < 0 && errno != ENOENT)
        return io_failed("Reading metadata", key, err);
    struct lake_entry entry = {0};
    (void)snprintf(entry.key, sizeof entry.key, "%s", key);
    struct str rest = {text, n < 0 ? 0 : (size_t)n}, line;
    bool is_good = n > 0;
    while (is_good && str_next_field(&rest, '\n', &line) && line.len > 0) {
        size_t colon = str_find(line, ':', 0);
        is_good = colon + 1 < line.len &&
                  read_line(str_sub(line, 0, colon), str_sub(line, colon + 2, line.len), &entry);
    }
    if (!is_good || entry.sha256[0] == '\0') {
        (void)err_set(err, STATUS_BAD_DATA, "The object's metadata is missing or broken.");
        err_at(err, ERR_PARAMETER, STR("key"), str_of(key));
        return STATUS_BAD_DATA;
    }
    *ret = entry;
    return STATUS_OK;
}

/* Under the lock: renames the new object into place, or compares it with the one that is there. */
static enum status commit(struct place *place, struct str file, const struct lake_entry *entry,
                          bool *ret_is_new, struct err *err)
{
    struct stat stat;
    struct lake_entry old;
    if (fstatat(place->dir, file.ptr, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
        enum status s = read_meta(place->dir, entry->key, file, &old, err);
        if (s != STATUS_OK)
            return s;
        if (strcmp(old.sha256, entry->sha256) != 0) {
            (void)err_set(err, STATUS_BAD_DATA,
                          "The lake holds other bytes under this key, and is written once.");
            err_at(err, ERR_PARAMETER, STR("key"), str_of(entry->key));
            return STATUS_BAD_DATA;
        }
        *ret_is_new = false;
        return STATUS_OK;
    }
    if (errno != ENOENT)
        return io_failed("Looking for the object", entry->key, err);
    enum status s = write_meta(place->dir, file, entry, err);
    if (s != STATUS_OK)
        return s;
    if (renameat(place->dir, place->part, place->dir, file.ptr) != 0)
        return io_failed("Renaming", entry->key, err);
    place->part[0] = '\0';
    *ret_is_new = true;
    return STATUS_OK;
}

/* Each put has a temporary file of its own, so that a slow source holds up nobody: O_EXCL finds a free name. */
static enum status open_part(struct place *place, struct str file, const char *key, struct err *err)
{
    for (int i = 0; place->file < 0 && i < 1000; i++) {
        (void)snprintf(place->part, sizeof place->part, ".%.*s.%ld-%d.part", STR_ARG(file),
                       (long)getpid(), i);
        place->file =
            openat(place->dir, place->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (place->file < 0 && errno != EEXIST)
            break;
    }
    if (place->file >= 0)
        return STATUS_OK;
    place->part[0] = '\0';
    return io_failed("Making a temporary file", key, err);
}

enum status lake_put(struct lake *lake, const char *key, struct lake_source source,
                     const struct lake_meta *meta, const struct stop *stop, bool *ret_is_new,
                     struct err *err)
{
    CLEANUP(close_place) struct place place = {-1, -1, ""};
    struct lake_key parsed;
    struct lake_entry entry = {.meta = *meta};
    char path[PATH_MAX];
    enum status s = lake_key_parse(str_of(key), &parsed, err);
    if (s != STATUS_OK)
        return s;
    (void)snprintf(entry.key, sizeof entry.key, "%s", key);
    (void)snprintf(path, sizeof path, "%s/%s", lake->root, key);
    lake_url_redact(str_of(meta->source_url), entry.meta.source_url);
    s = make_folders(path, key, err);
    if (s == STATUS_OK)
        s = open_dir(lake, key, parsed.file, &place.dir, err);
    if (s == STATUS_OK)
        s = open_part(&place, parsed.file, key, err);
    if (s == STATUS_OK)
        s = copy_in(source, place.file, stop, &entry, err);
    if (s == STATUS_OK && (fsync(place.file) != 0 || flock(place.dir, LOCK_EX) != 0))
        s = io_failed("Syncing the object", key, err);
    if (s == STATUS_OK)
        s = commit(&place, parsed.file, &entry, ret_is_new, err);
    return s == STATUS_OK ? sync_folders(lake, key, err) : s;
}

static enum status find(struct lake *lake, const char *key, struct lake_entry *ret, int *ret_file,
                        struct err *err)
{
    struct lake_key parsed;
    CLEANUP(close_fd) int dir = -1;
    enum status s = lake_key_parse(str_of(key), &parsed, err);
    if (s == STATUS_OK)
        s = open_dir(lake, key, parsed.file, &dir, err);
    if (s != STATUS_OK)
        return s;
    *ret_file = openat(dir, parsed.file.ptr, O_RDONLY | O_CLOEXEC);
    if (*ret_file >= 0)
        return read_meta(dir, key, parsed.file, ret, err);
    if (errno != ENOENT)
        return io_failed("Opening the object", key, err);
    (void)err_set(err, STATUS_NOT_FOUND, "The lake has no such object.");
    err_at(err, ERR_PARAMETER, STR("key"), str_of(key));
    return STATUS_NOT_FOUND;
}

enum status lake_head(struct lake *lake, const char *key, struct lake_entry *ret, struct err *err)
{
    CLEANUP(close_fd) int file = -1;
    return find(lake, key, ret, &file, err);
}

/* [from, to) of file to sink, through the hash; *ret_n how many bytes there were. */
static enum status copy_out(int file, int64_t from, int64_t to, struct lake_sink sink,
                            const struct stop *stop, char ret_sha256[DIGEST_HEX_BYTES],
                            struct err *err)
{
    CLEANUP(digest_freep) struct digest *digest = NULL;
    unsigned char raw[DIGEST_BYTES];
    char piece[PIECE_BYTES];
    enum status s = digest_new(&digest, err);
    while (s == STATUS_OK && from < to) {
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        size_t want = to - from < PIECE_BYTES ? (size_t)(to - from) : PIECE_BYTES;
        ssize_t n = pread(file, piece, want, (off_t)from);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(err, STATUS_IO, "The object's file cannot be read to its end.");
        s = digest_add(digest, (struct str){piece, (size_t)n}, err);
        if (s == STATUS_OK)
            s = sink.write(sink.to, (struct str){piece, (size_t)n}, err);
        from += n;
    }
    if (s == STATUS_OK)
        s = digest_finish(digest, raw, err);
    if (s == STATUS_OK)
        digest_to_hex(raw, ret_sha256);
    return s;
}

enum status lake_get(struct lake *lake, const char *key, int64_t from, int64_t to,
                     struct lake_sink sink, const struct stop *stop, struct err *err)
{
    CLEANUP(close_fd) int file = -1;
    struct lake_entry entry;
    char sha256[DIGEST_HEX_BYTES];
    enum status s = find(lake, key, &entry, &file, err);
    if (s != STATUS_OK)
        return s;
    if (from < 0 || from > entry.bytes || from > to)
        return err_set(err, STATUS_RANGE_NOT_SATISFIABLE, "The object has %lld bytes.",
                       (long long)entry.bytes);
    int64_t end = to < entry.bytes ? to : entry.bytes;
    s = copy_out(file, from, end, sink, stop, sha256, err);
    bool is_whole = from == 0 && end == entry.bytes;
    if (s == STATUS_OK && is_whole && strcmp(sha256, entry.sha256) != 0)
        return err_set(err, STATUS_BAD_DATA, "The object's bytes are not those that were stored.");
    return s;
}

/* One walk over the lake. */
struct walk {
    struct lake *lake;
    const struct lake_range *range;
    lake_visit *visit;
    void *to;
    const struct stop *stop;
};

static enum status visit_file(const struct walk *walk, const char *key, struct err *err)
{
    struct lake_key parsed;
    struct lake_entry entry;
    if (!str_starts(str_of(key), walk->range->prefix) ||
        lake_key_parse(str_of(key), &parsed, NULL) != STATUS_OK || parsed.from >= walk->range->to ||
        parsed.to <= walk->range->from)
        return STATUS_OK;
    enum status s = lake_head(walk->lake, key, &entry, err);
    return s == STATUS_OK ? walk->visit(walk->to, &entry, err) : s;
}

/* Whether keys below this folder can start with the prefix. */
static bool may_match(struct str folder, struct str prefix)
{
    return folder.len < prefix.len ? str_starts(prefix, folder) : str_starts(folder, prefix);
}

static int is_seen(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The folder key ("bronze", "bronze/coin_data" ...) and what is below. */
static enum status walk_folder(const struct walk *walk, const char *folder, int depth,
                               struct err *err)
{
    char path[PATH_MAX], key[LAKE_KEY_MAX + 2];
    struct dirent **names = NULL;
    struct stat stat;
    (void)snprintf(path, sizeof path, "%s/%s", walk->lake->root, folder);
    int n = may_match(str_of(folder), walk->range->prefix) && depth < DEPTH_MAX
                ? scandir(path, &names, is_seen, alphasort)
                : 0;
    if (n < 0)
        return errno == ENOENT ? STATUS_OK : io_failed("Listing a folder", folder, err);
    enum status s = STATUS_OK;
    for (int i = 0; i < n; i++) {
        int bytes = snprintf(key, sizeof key, "%s/%s", folder, names[i]->d_name);
        free(names[i]);
        if (s != STATUS_OK || bytes < 0 || bytes > LAKE_KEY_MAX)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", walk->lake->root, key);
        if (stop_is_raised(walk->stop))
            s = stop_status(walk->stop, err);
        else if (lstat(path, &stat) != 0)
            s = errno == ENOENT ? STATUS_OK : io_failed("Listing", key, err);
        else
            s = S_ISDIR(stat.st_mode) ? walk_folder(walk, key, depth + 1, err)
                                      : visit_file(walk, key, err);
    }
    free(names);
    return s;
}

enum status lake_list(struct lake *lake, const struct lake_range *range, lake_visit *visit,
                      void *to, const struct stop *stop, struct err *err)
{
    const struct walk walk = {lake, range, visit, to, stop};
    enum status s = walk_folder(&walk, "bronze", 0, err);
    return s == STATUS_OK ? walk_folder(&walk, "silver", 0, err) : s;
}
