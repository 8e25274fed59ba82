/*
 * lake_dir.h - what the files of the lake in a folder share: lake_dir.c, lake_dir_meta.c and lake_dir_list.c; for them
 * alone.
 */
#ifndef INGEST_LAKE_DIR_H
#define INGEST_LAKE_DIR_H

#include "ingest/lake_impl.h"

#include <limits.h>

struct lake_dir {
    struct lake lake;                       /* first */
    char root[PATH_MAX - 2 * LAKE_KEY_MAX]; /* fixed at creation */
};

/* IO with errno's text and the key; returned, as by err_set. */
enum status lake_io_failed(const char *what, const char *key, struct err *err);

/* For CLEANUP: closes *fd unless it is negative. */
void lake_close_fd(const int *fd);

enum status lake_write_all(int fd, struct str bytes, const char *key, struct err *err) NODISCARD;

/*
 * The metadata beside the object file in the folder dir: written, synced and renamed before the object itself, and
 * read. Errors: IO; reading: BAD_DATA when it is missing or broken.
 */
enum status lake_write_meta(int dir, struct str file, const struct lake_entry *entry,
                            struct err *err) NODISCARD;
enum status lake_read_meta(int dir, const char *key, struct str file, struct lake_entry *ret,
                           struct err *err) NODISCARD;

enum status lake_dir_list(struct lake *lake, const struct lake_range *range, lake_visit *visit,
                          void *to, const struct stop *stop, struct err *err) NODISCARD;
enum status lake_dir_tidy(struct lake *lake, int64_t before_s, const struct stop *stop,
                          int64_t *ret_n, struct err *err) NODISCARD;

#endif
