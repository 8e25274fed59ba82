/* lake_list.c - the lake in a folder walked in the order of names, by prefix and day. */
#define _GNU_SOURCE /* scandir, lstat */
#include "ingest/lake_dir.h"

#include "base/stop.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 12 };

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
    struct lake_entry entry = {0};
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
        return errno == ENOENT ? STATUS_OK : lake_io_failed("Listing a folder", folder, err);
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
            s = errno == ENOENT ? STATUS_OK : lake_io_failed("Listing", key, err);
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
