/* lake_dir_list.c - the lake in a folder walked in the order of names, by prefix and day; and tidied. */
#define _GNU_SOURCE /* scandir, lstat */
#include "ingest/lake_dir.h"

#include "base/stop.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 12 };

/* One walk over the lake. */
struct walk {
    const struct lake_dir *lake;
    const struct lake_range *range;
    lake_visit *visit;
    void *to;
    const struct stop *stop;
};

static enum status visit_file(const struct walk *walk, const char *key, const struct stat *stat,
                              struct err *err)
{
    struct lake_key parsed;
    struct lake_entry entry = {0};
    if (!str_starts(str_of(key), walk->range->prefix) ||
        lake_key_parse(str_of(key), &parsed, NULL) != STATUS_OK || parsed.from >= walk->range->to ||
        parsed.to <= walk->range->from)
        return STATUS_OK;
    (void)snprintf(entry.key, sizeof entry.key, "%s", key);
    entry.bytes = stat->st_size;
    return walk->visit(walk->to, &entry, err);
}

/* Whether keys below this folder can start with the prefix. */
static bool may_match(struct str folder, struct str prefix)
{
    return folder.len < prefix.len ? str_starts(prefix, folder) : str_starts(folder, prefix);
}

/* A partition of other days: what is in it is not even looked at, so that a few days cost the same in a lake of many. */
static bool is_elsewhere(const struct lake_range *range, const char *name)
{
    struct lake_key key;
    return lake_partition_parse(str_of(name), &key) &&
           (key.from >= range->to || key.to <= range->from);
}

static int is_seen(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The folder key ("bronze", "bronze/coin_data" ...) and what is below. */
static enum status walk_folder(const struct walk *walk, const char *folder, int depth,
                               struct err *err)
{
    char path[PATH_MAX], key[LAKE_KEY_MAX + 1];
    struct dirent **names = NULL;
    struct stat stat;
    (void)snprintf(path, sizeof path, "%s/%s", walk->lake->root, folder);
    int n = may_match(str_of(folder), walk->range->prefix) && depth < DEPTH_MAX
                ? scandir(path, &names, is_seen, alphasort)
                : 0;
    if (n < 0)
        return errno == ENOENT ? STATUS_OK : lake_io_failed("Listing a folder", folder, err);
    enum status s = STATUS_OK;
    for (int i = 0; i < n; i++) {
        bool is_wanted = s == STATUS_OK && !is_elsewhere(walk->range, names[i]->d_name);
        int bytes = snprintf(key, sizeof key, "%s/%s", folder, names[i]->d_name);
        free(names[i]);
        if (!is_wanted || bytes < 0 || bytes > LAKE_KEY_MAX)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", walk->lake->root, key);
        if (stop_is_raised(walk->stop))
            s = stop_status(walk->stop, err);
        else if (lstat(path, &stat) != 0)
            s = errno == ENOENT ? STATUS_OK : lake_io_failed("Listing", key, err);
        else
            s = S_ISDIR(stat.st_mode) ? walk_folder(walk, key, depth + 1, err)
                                      : visit_file(walk, key, &stat, err);
    }
    free(names);
    return s;
}

enum status lake_dir_list(struct lake *lake, const struct lake_range *range, lake_visit *visit,
                          void *to, const struct stop *stop, struct err *err)
{
    const struct walk walk = {(const struct lake_dir *)lake, range, visit, to, stop};
    enum status s = walk_folder(&walk, "bronze", 0, err);
    return s == STATUS_OK ? walk_folder(&walk, "silver", 0, err) : s;
}

/* ---- Temporary files of writers that were killed ------------------------------------------------------------------ */

struct sweep {
    int64_t before_s, n;
    const struct stop *stop;
};

static int is_part(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    bool is_hidden = entry->d_name[0] == '.';
    return is_hidden ? n > 6 && strcmp(entry->d_name + n - 5, ".part") == 0 : 1;
}

static enum status sweep_folder(struct sweep *sweep, const char *path, int depth, struct err *err)
{
    char below[PATH_MAX];
    struct dirent **names = NULL;
    struct stat stat;
    int n = depth < DEPTH_MAX ? scandir(path, &names, is_part, alphasort) : 0;
    if (n < 0)
        return errno == ENOENT ? STATUS_OK : lake_io_failed("Listing a folder", "", err);
    enum status s = STATUS_OK;
    for (int i = 0; i < n; i++) {
        int bytes = snprintf(below, sizeof below, "%s/%s", path, names[i]->d_name);
        bool is_hidden = names[i]->d_name[0] == '.';
        free(names[i]);
        if (s != STATUS_OK || bytes >= (int)sizeof below || lstat(below, &stat) != 0)
            continue;
        if (stop_is_raised(sweep->stop))
            s = stop_status(sweep->stop, err);
        else if (S_ISDIR(stat.st_mode) && !is_hidden)
            s = sweep_folder(sweep, below, depth + 1, err);
        else if (S_ISREG(stat.st_mode) && is_hidden && stat.st_mtime < sweep->before_s)
            sweep->n += unlink(below) == 0;
    }
    free(names);
    return s;
}

enum status lake_dir_tidy(struct lake *lake, int64_t before_s, const struct stop *stop,
                          int64_t *ret_n, struct err *err)
{
    struct sweep sweep = {before_s, 0, stop};
    enum status s = sweep_folder(&sweep, ((struct lake_dir *)lake)->root, 0, err);
    if (s == STATUS_OK)
        *ret_n = sweep.n;
    return s;
}
