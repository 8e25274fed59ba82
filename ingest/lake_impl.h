/* lake_impl.h - a lake and its back end: for lake.c and the back ends alone. */
#ifndef INGEST_LAKE_IMPL_H
#define INGEST_LAKE_IMPL_H

#include "ingest/lake.h"

/* As the functions of lake.h. put: entry has the key, checked, and metadata without secrets. */
struct lake_ops {
    enum status (*put)(struct lake *lake, struct lake_entry *entry, struct lake_source source,
                       const struct stop *stop, bool *ret_is_new, struct err *err);
    enum status (*head)(struct lake *lake, const char *key, struct lake_entry *ret,
                        struct err *err);
    enum status (*get)(struct lake *lake, const char *key, int64_t from, int64_t to,
                       struct lake_sink sink, const struct stop *stop, struct err *err);
    enum status (*list)(struct lake *lake, const struct lake_range *range, lake_visit *visit,
                        void *to, const struct stop *stop, struct err *err);
    enum status (*remove)(struct lake *lake, const char *key, struct err *err);
    enum status (*tidy)(struct lake *lake, int64_t before_s, const struct stop *stop,
                        int64_t *ret_n, struct err *err);
    void (*address)(const struct lake *lake, const char *key, char ret[LAKE_ADDRESS_MAX]);
    void (*free)(struct lake *lake);
    void (*cost)(const struct lake *lake, struct lake_cost *ret); /* NULL: there is none */
};

struct lake {
    const struct lake_ops *ops;
};

/* The days of a partition's name, ymd=... or year=..., into from and to; false for what is none. */
bool lake_partition_parse(struct str name, struct lake_key *ret);

/* Errors that both back ends word alike; returned, as by err_set. */
enum status lake_not_found(const char *key, struct err *err);
enum status lake_other_bytes(const char *key, struct err *err);
enum status lake_changed(const char *key, struct err *err);
enum status lake_no_meta(const char *key, struct err *err);
enum status lake_no_range(int64_t bytes, struct err *err);

#endif
