/* lake_compact.c - which years have objects of rows, what the compacted one is called, and what it takes the place of. */
#include "ingest/lake_compact_impl.h"

#include "base/array.h"
#include "base/date.h"
#include "base/stop.h"

#include <string.h>

enum { KEYS_BYTES_MAX = 512 << 20, HASH_CHARS = 16, STAMP_CHARS = 16 };

struct compaction {
    struct lake *lake;
    const struct stop *stop;
    struct arena arena;
    struct compact_source *sources;
    size_t n, cap;
    lake_visit *visit;
    void *to;
    struct lake_compacted done;
};

/* ---- What there is ----------------------------------------------------------------------------------------------- */

static bool is_rows(struct str file)
{
    struct str tail = STR(".csv.gz");
    return str_starts(file, STR("rows-")) && file.len > 5 + STAMP_CHARS + tail.len &&
           str_eq(str_sub(file, file.len - tail.len, file.len), tail);
}

static enum status note_source(void *to, const struct lake_entry *entry, struct err *err)
{
    struct compaction *c = to;
    struct lake_key key;
    char *copy = arena_dup(&c->arena, str_of(entry->key));
    if (copy == NULL)
        return err_out_of_memory(err);
    enum status s = lake_key_parse(str_of(copy), &key, err);
    if (s != STATUS_OK || key.to - key.from != 1 || !is_rows(key.file))
        return s;
    struct compact_source *all =
        arena_reserve(&c->arena, c->sources, c->n + 1, &c->cap, sizeof *all);
    if (all == NULL)
        return err_out_of_memory(err);
    c->sources = all;
    c->sources[c->n++] = (struct compact_source){copy, key.dataset, key.file, key.from,
                                                 date_to_civil(key.from).year};
    return STATUS_OK;
}

static enum status find_sources(struct compaction *c, const struct lake_range *range,
                                struct err *err)
{
    struct lake_range years = {range->prefix, range->from, range->to};
    int last = date_to_civil(range->to - 1).year;
    years.from = date_from_civil((struct civil){date_to_civil(range->from).year, 1, 1});
    years.to = last >= date_to_civil(DATE_MAX).year
                   ? DATE_MAX + 1
                   : date_from_civil((struct civil){last + 1, 1, 1});
    return lake_list(c->lake, &years, note_source, c, c->stop, err);
}

/* ---- One year ---------------------------------------------------------------------------------------------------- */

struct target {
    char key[LAKE_KEY_MAX + 1];
    size_t file;                 /* where its name starts */
    char stamp[STAMP_CHARS + 1]; /* of the newest source: "20240229T010203Z" */
};

static enum status name_target(const struct compact_source *sources, size_t n, struct target *ret,
                               struct err *err)
{
    CLEANUP(digest_freep) struct digest *digest = NULL;
    unsigned char raw[DIGEST_BYTES];
    char hash[DIGEST_HEX_BYTES];
    enum status s = digest_new(&digest, err);
    ret->stamp[0] = '\0';
    for (size_t i = 0; i < n && s == STATUS_OK; i++) {
        struct str stamp = str_sub(sources[i].file, 5, 5 + STAMP_CHARS);
        if (str_cmp(stamp, str_of(ret->stamp)) > 0)
            (void)snprintf(ret->stamp, sizeof ret->stamp, "%.*s", STR_ARG(stamp));
        struct str name = str_of(sources[i].dataset.ptr);
        s = digest_add(digest, (struct str){name.ptr, name.len + 1}, err);
    }
    if (s == STATUS_OK)
        s = digest_finish(digest, raw, err);
    if (s != STATUS_OK)
        return s;
    digest_to_hex(raw, hash);
    int to = snprintf(ret->key, sizeof ret->key, "silver/%.*s/year=%04d/",
                      STR_ARG(sources[0].dataset), sources[0].year);
    int bytes = snprintf(ret->key + to, sizeof ret->key - (size_t)to, "rows-%s-%.*s.csv.gz",
                         ret->stamp, HASH_CHARS, hash);
    if (to + bytes > LAKE_KEY_MAX)
        return err_set(err, STATUS_BAD_VALUE, "The data set's name is too long.");
    ret->file = (size_t)to;
    return STATUS_OK;
}

/* Objects that were compacted before, from the sources of another moment. */
struct others {
    struct compaction *c;
    const struct target *target;
    const char *keys[64];
    size_t n;
    bool is_there, is_newer; /* the target; one from newer sources, which we did not see */
};

static enum status note_other(void *to, const struct lake_entry *entry, struct err *err)
{
    struct others *others = to;
    const struct target *target = others->target;
    struct str file = str_of(entry->key + target->file);
    if (strcmp(entry->key, target->key) == 0) {
        others->is_there = true;
        return STATUS_OK;
    }
    if (!is_rows(file) || others->n == ARRAY_LEN(others->keys))
        return STATUS_OK;
    others->is_newer |= str_cmp(str_sub(file, 5, 5 + STAMP_CHARS), str_of(target->stamp)) > 0;
    others->keys[others->n] = arena_dup(&others->c->arena, str_of(entry->key));
    return others->keys[others->n++] == NULL ? err_out_of_memory(err) : STATUS_OK;
}

static enum status read_file(void *from, char *room, size_t size, size_t *ret_n, struct err *err)
{
    FILE *file = from;
    *ret_n = fread(room, 1, size, file);
    return ferror(file) == 0 ? STATUS_OK
                             : err_set(err, STATUS_IO, "A temporary file cannot be read.");
}

static int64_t instant_of(const char *stamp)
{
    char text[INSTANT_TEXT_BYTES];
    int64_t at = 0;
    (void)snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", stamp, stamp + 4, stamp + 6,
                   stamp + 9, stamp + 11, stamp + 13);
    return instant_parse(str_of(text), &at) ? at : 0;
}

static enum status write_target(struct compaction *c, const struct target *target,
                                const struct compact_source *sources, size_t n, struct err *err)
{
    FILE *file = tmpfile();
    struct lake_meta meta = {.fetched_at = instant_of(target->stamp)};
    struct lake_entry entry = {0};
    int64_t n_rows = 0;
    bool is_new = false;
    if (file == NULL)
        return err_set(err, STATUS_IO, "A temporary file cannot be made.");
    enum status s =
        compact_rows(c->lake, sources, n, file, c->stop, &n_rows, meta.schema_hash, err);
    if (s == STATUS_OK && (fflush(file) != 0 || (entry.bytes = ftell(file)) < 0))
        s = err_set(err, STATUS_IO, "A temporary file cannot be written.");
    rewind(file);
    if (s == STATUS_OK)
        s = lake_put(c->lake, target->key, (struct lake_source){read_file, file}, &meta, c->stop,
                     &is_new, err);
    (void)fclose(file);
    if (s != STATUS_OK)
        return s;
    c->done.n_written += is_new;
    c->done.n_read += (int64_t)n;
    c->done.n_rows += n_rows;
    (void)snprintf(entry.key, sizeof entry.key, "%s", target->key);
    return c->visit == NULL ? STATUS_OK : c->visit(c->to, &entry, err);
}

static enum status compact_year(struct compaction *c, const struct compact_source *sources,
                                size_t n, struct err *err)
{
    struct target target;
    enum status s = name_target(sources, n, &target, err);
    if (s != STATUS_OK)
        return s;
    struct others others = {.c = c, .target = &target};
    const struct lake_range range = {{target.key, target.file}, DATE_MIN, DATE_MAX + 1};
    s = lake_list(c->lake, &range, note_other, &others, c->stop, err);
    c->done.n_years++;
    if (s != STATUS_OK || others.is_newer)
        return s;
    if (!others.is_there)
        s = write_target(c, &target, sources, n, err);
    for (size_t i = 0; s == STATUS_OK && i < others.n; i++) {
        s = lake_remove(c->lake, others.keys[i], err);
        c->done.n_removed += s == STATUS_OK;
    }
    return s;
}

enum status lake_compact(struct lake *lake, const struct lake_range *range, lake_visit *visit,
                         void *to, const struct stop *stop, struct lake_compacted *ret,
                         struct err *err)
{
    struct compaction c = {.lake = lake, .stop = stop, .visit = visit, .to = to};
    struct lake_range bronze = *range;
    for (size_t at = 0; at + 4 <= range->prefix.len; at++)
        if (memcmp(range->prefix.ptr + at, "ymd=", 4) == 0) {
            (void)err_set(err, STATUS_BAD_VALUE, "Whole years are compacted, not some days.");
            err_at(err, ERR_PARAMETER, STR("prefix"), range->prefix);
            err_allow(err, "bronze/ and the name of a data set");
            return STATUS_BAD_VALUE;
        }
    if (range->prefix.len == 0)
        bronze.prefix = STR("bronze/");
    arena_init(&c.arena, KEYS_BYTES_MAX);
    enum status s = find_sources(&c, &bronze, err);
    for (size_t from = 0, next; s == STATUS_OK && from < c.n; from = next) {
        for (next = from + 1; next < c.n && c.sources[next].year == c.sources[from].year &&
                              str_eq(c.sources[next].dataset, c.sources[from].dataset);)
            next++;
        s = compact_year(&c, &c.sources[from], next - from, err);
    }
    arena_clear(&c.arena);
    *ret = c.done;
    return s;
}
