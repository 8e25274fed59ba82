/* lake_dir.c - the lake in a folder: write to a temporary file, sync, rename under the partition's lock. */
#define _GNU_SOURCE /* flock, O_DIRECTORY */
#include "ingest/lake_dir.h"

#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 << 10 };

/* A partition's folder, open and locked while one object is put into it. */
struct place {
    int dir; /* -1: none */
    int file;
    char part[LAKE_FILE_MAX + 40]; /* temporary name; "": nothing to remove */
};

static void close_place(struct place *place)
{
    if (place->part[0] != '\0')
        (void)unlinkat(place->dir, place->part, 0);
    lake_close_fd(&place->file);
    lake_close_fd(&place->dir); /* releases the lock */
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
            return lake_io_failed("Making a folder", key, err);
    }
    return STATUS_OK;
}

/* Every folder's entry reaches the disk, from the partition up to the lake's root. */
static enum status sync_folders(const struct lake_dir *lake, const char *key, struct err *err)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", lake->root, key);
    size_t root = strlen(lake->root), end = (size_t)n;
    while (end > root) {
        while (end > root && path[end] != '/')
            end--;
        path[end] = '\0';
        CLEANUP(lake_close_fd) const int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0 || fsync(dir) != 0)
            return lake_io_failed("Syncing a folder", key, err);
    }
    return STATUS_OK;
}

static enum status open_dir(const struct lake_dir *lake, const char *key, struct str file,
                            int *ret_dir, struct err *err)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%.*s", lake->root, (int)(file.ptr - key), key);
    *ret_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret_dir >= 0)
        return STATUS_OK;
    if (errno != ENOENT)
        return lake_io_failed("Opening a partition", key, err);
    return lake_not_found(key, err);
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
            s = lake_write_all(fd, (struct str){piece, n}, entry->key, err);
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

/* Under the lock: renames the new object into place, or compares it with the one that is there. */
static enum status commit(struct place *place, struct str file, const struct lake_entry *entry,
                          bool *ret_is_new, struct err *err)
{
    struct stat stat;
    struct lake_entry old = {0};
    if (fstatat(place->dir, file.ptr, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
        enum status s = lake_read_meta(place->dir, entry->key, file, &old, err);
        if (s != STATUS_OK)
            return s;
        if (strcmp(old.sha256, entry->sha256) != 0)
            return lake_other_bytes(entry->key, err);
        *ret_is_new = false;
        return STATUS_OK;
    }
    if (errno != ENOENT)
        return lake_io_failed("Looking for the object", entry->key, err);
    enum status s = lake_write_meta(place->dir, file, entry, err);
    if (s != STATUS_OK)
        return s;
    if (renameat(place->dir, place->part, place->dir, file.ptr) != 0)
        return lake_io_failed("Renaming", entry->key, err);
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
    return lake_io_failed("Making a temporary file", key, err);
}

static enum status dir_put(struct lake *base, struct lake_entry *entry, struct lake_source source,
                           const struct stop *stop, bool *ret_is_new, struct err *err)
{
    CLEANUP(close_place) struct place place = {-1, -1, ""};
    struct lake_dir *lake = (struct lake_dir *)base;
    char path[PATH_MAX];
    const char *key = entry->key;
    struct str file = str_of(strrchr(key, '/') + 1);
    (void)snprintf(path, sizeof path, "%s/%s", lake->root, key);
    enum status s = make_folders(path, key, err);
    if (s == STATUS_OK)
        s = open_dir(lake, key, file, &place.dir, err);
    if (s == STATUS_OK)
        s = open_part(&place, file, key, err);
    if (s == STATUS_OK)
        s = copy_in(source, place.file, stop, entry, err);
    if (s == STATUS_OK && (fsync(place.file) != 0 || flock(place.dir, LOCK_EX) != 0))
        s = lake_io_failed("Syncing the object", key, err);
    if (s == STATUS_OK)
        s = commit(&place, file, entry, ret_is_new, err);
    return s == STATUS_OK ? sync_folders(lake, key, err) : s;
}

static enum status find(const struct lake_dir *lake, const char *key, struct lake_entry *ret,
                        int *ret_file, struct err *err)
{
    CLEANUP(lake_close_fd) int dir = -1;
    struct str file = str_of(strrchr(key, '/') + 1);
    enum status s = open_dir(lake, key, file, &dir, err);
    if (s != STATUS_OK)
        return s;
    *ret_file = openat(dir, file.ptr, O_RDONLY | O_CLOEXEC);
    if (*ret_file >= 0)
        return lake_read_meta(dir, key, file, ret, err);
    if (errno != ENOENT)
        return lake_io_failed("Opening the object", key, err);
    return lake_not_found(key, err);
}

static enum status dir_head(struct lake *lake, const char *key, struct lake_entry *ret,
                            struct err *err)
{
    CLEANUP(lake_close_fd) int file = -1;
    return find((const struct lake_dir *)lake, key, ret, &file, err);
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
        if (n < 0)
            return err_set(err, STATUS_IO, "The object's file cannot be read to its end.");
        if (n == 0)
            return err_set(err, STATUS_BAD_DATA, "The object's file is shorter than it was.");
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

static enum status dir_get(struct lake *lake, const char *key, int64_t from, int64_t to,
                           struct lake_sink sink, const struct stop *stop, struct err *err)
{
    CLEANUP(lake_close_fd) int file = -1;
    struct lake_entry entry = {0};
    char sha256[DIGEST_HEX_BYTES];
    enum status s = find((const struct lake_dir *)lake, key, &entry, &file, err);
    if (s != STATUS_OK)
        return s;
    if (from < 0 || from > entry.bytes || from > to)
        return lake_no_range(entry.bytes, err);
    int64_t end = to < entry.bytes ? to : entry.bytes;
    s = copy_out(file, from, end, sink, stop, sha256, err);
    bool is_whole = from == 0 && end == entry.bytes;
    if (s == STATUS_OK && is_whole && strcmp(sha256, entry.sha256) != 0)
        return lake_changed(key, err);
    return s;
}

/* The object before its metadata, so that no metadata is missing where an object is. */
static enum status dir_remove(struct lake *base, const char *key, struct err *err)
{
    CLEANUP(lake_close_fd) int dir = -1;
    char meta[LAKE_FILE_MAX + 8];
    struct str file = str_of(strrchr(key, '/') + 1);
    enum status s = open_dir((struct lake_dir *)base, key, file, &dir, err);
    if (s != STATUS_OK)
        return s == STATUS_NOT_FOUND ? STATUS_OK : s;
    (void)snprintf(meta, sizeof meta, ".%s.meta", file.ptr);
    bool is_gone = flock(dir, LOCK_EX) == 0 &&
                   (unlinkat(dir, file.ptr, 0) == 0 || errno == ENOENT) &&
                   (unlinkat(dir, meta, 0) == 0 || errno == ENOENT) && fsync(dir) == 0;
    return is_gone ? STATUS_OK : lake_io_failed("Removing an object", key, err);
}

static void dir_address(const struct lake *lake, const char *key, char ret[LAKE_ADDRESS_MAX])
{
    const struct lake_dir *dir = (const struct lake_dir *)lake;
    (void)snprintf(ret, LAKE_ADDRESS_MAX, "%s/%s", dir->root, key);
}

static void dir_free(struct lake *lake)
{
    free(lake);
}

static const struct lake_ops dir_ops = {dir_put,       dir_head,   dir_get,
                                        lake_dir_list, dir_remove, lake_dir_tidy,
                                        dir_address,   dir_free,   NULL};

enum status lake_open(const char *folder, struct lake **ret, struct err *err)
{
    struct lake_dir *lake = calloc(1, sizeof *lake);
    if (lake == NULL)
        return err_out_of_memory(err);
    size_t n = strlen(folder);
    if (n == 0 || n >= sizeof lake->root || strstr(folder, "://") != NULL) {
        free(lake);
        (void)err_set(err, STATUS_CONFIG, "The lake has to be a folder.");
        err_at(err, ERR_SETTING, STR("lake"), str_of(folder));
        err_allow(err, "a folder, or s3://bucket/prefix");
        return STATUS_CONFIG;
    }
    lake->lake.ops = &dir_ops;
    memcpy(lake->root, folder, n + 1);
    *ret = &lake->lake;
    return STATUS_OK;
}
