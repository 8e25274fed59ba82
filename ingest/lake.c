/* lake.c - what the back ends of the lake have in common. */
#include "ingest/lake_impl.h"

#include <stdio.h>

void lake_freep(struct lake **lake)
{
    if (*lake != NULL)
        (*lake)->ops->free(*lake);
    *lake = NULL;
}

enum status lake_put(struct lake *lake, const char *key, struct lake_source source,
                     const struct lake_meta *meta, const struct stop *stop, bool *ret_is_new,
                     struct err *err)
{
    struct lake_key parsed;
    struct lake_entry entry = {.meta = *meta};
    enum status s = lake_key_parse(str_of(key), &parsed, err);
    if (s != STATUS_OK)
        return s;
    (void)snprintf(entry.key, sizeof entry.key, "%s", key);
    lake_url_redact(str_of(meta->source_url), entry.meta.source_url);
    return lake->ops->put(lake, &entry, source, stop, ret_is_new, err);
}

enum status lake_head(struct lake *lake, const char *key, struct lake_entry *ret, struct err *err)
{
    struct lake_key parsed;
    enum status s = lake_key_parse(str_of(key), &parsed, err);
    return s == STATUS_OK ? lake->ops->head(lake, key, ret, err) : s;
}

enum status lake_get(struct lake *lake, const char *key, int64_t from, int64_t to,
                     struct lake_sink sink, const struct stop *stop, struct err *err)
{
    struct lake_key parsed;
    enum status s = lake_key_parse(str_of(key), &parsed, err);
    return s == STATUS_OK ? lake->ops->get(lake, key, from, to, sink, stop, err) : s;
}

enum status lake_list(struct lake *lake, const struct lake_range *range, lake_visit *visit,
                      void *to, const struct stop *stop, struct err *err)
{
    return lake->ops->list(lake, range, visit, to, stop, err);
}

enum status lake_remove(struct lake *lake, const char *key, struct err *err)
{
    struct lake_key parsed;
    enum status s = lake_key_parse(str_of(key), &parsed, err);
    if (s != STATUS_OK || str_starts(str_of(key), STR("silver/")))
        return s == STATUS_OK ? lake->ops->remove(lake, key, err) : s;
    (void)err_set(err, STATUS_BAD_VALUE, "What was fetched is not removed.");
    err_at(err, ERR_PARAMETER, STR("key"), str_of(key));
    err_allow(err, "keys that start with silver/");
    return STATUS_BAD_VALUE;
}

enum status lake_tidy(struct lake *lake, int64_t before_s, const struct stop *stop, int64_t *ret_n,
                      struct err *err)
{
    return lake->ops->tidy(lake, before_s, stop, ret_n, err);
}

void lake_address(const struct lake *lake, const char *key, char ret[LAKE_ADDRESS_MAX])
{
    lake->ops->address(lake, key, ret);
}

void lake_cost(const struct lake *lake, struct lake_cost *ret)
{
    *ret = (struct lake_cost){0};
    if (lake->ops->cost != NULL)
        lake->ops->cost(lake, ret);
}

static enum status at_key(enum status s, const char *key, struct err *err)
{
    err_at(err, ERR_PARAMETER, STR("key"), str_of(key));
    return s;
}

enum status lake_not_found(const char *key, struct err *err)
{
    return at_key(err_set(err, STATUS_NOT_FOUND, "The lake has no such object."), key, err);
}

enum status lake_other_bytes(const char *key, struct err *err)
{
    return at_key(err_set(err, STATUS_BAD_DATA,
                          "The lake holds other bytes under this key, and is written once."),
                  key, err);
}

enum status lake_changed(const char *key, struct err *err)
{
    return at_key(
        err_set(err, STATUS_BAD_DATA, "The object's bytes are not those that were stored."), key,
        err);
}

enum status lake_no_meta(const char *key, struct err *err)
{
    return at_key(err_set(err, STATUS_BAD_DATA, "The object's metadata is missing or broken."), key,
                  err);
}

enum status lake_no_range(int64_t bytes, struct err *err)
{
    return err_set(err, STATUS_RANGE_NOT_SATISFIABLE, "The object has %lld %s.", (long long)bytes,
                   str_plural((uint64_t)bytes, "byte", "bytes"));
}
