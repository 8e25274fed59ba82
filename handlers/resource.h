/*
 * resource.h - what the domain resources share: the versions of the marts they read, the canonical query, the
 * page, and the way to table_answer. One is filled and answered by one request.
 *
 * A resource that reads several marts is of one generation: its tag is made of all their versions, and its
 * cursor names the latest of them.
 */
#ifndef HANDLERS_RESOURCE_H
#define HANDLERS_RESOURCE_H

#include "handlers/cursor.h"
#include "handlers/table.h"

/* A struct table_column in a static table. */
#define RESOURCE_COLUMN(name, kind)        \
    {                                      \
        {(name), sizeof(name) - 1}, (kind) \
    }

struct resource {
    struct request *request;
    struct catalog *catalog; /* a reference of our own, given back by resource_end */
    const struct mart *mart; /* the one it is mainly about: names the answer */
    int64_t
        version; /* the latest of all the marts' versions: the first generation that shows them */
    int64_t read_at;     /* a kept generation that shows them all */
    int32_t as_of;       /* last date of the mart; DATE_MAX when it has none */
    struct buf identity; /* the canonical query so far */
    int64_t limit;       /* of rows in a page */
    struct cursor after; /* values NULL: from the first row */
    table_fill_fn *fill; /* the caller's */
    void (*put_meta)(struct json_out *json, void *cls);
    void *cls;
};

/*
 * Finds the marts (names[0] is the main one), and resolves generation= or cursor= to versions and a generation
 * to read. ret starts zeroed; resource_end is called whatever happens.
 */
enum status resource_begin(struct request *request, const char *const *marts, size_t n_marts,
                           struct resource *ret, struct err *err) NODISCARD;
void resource_end(struct resource *resource); /* also for CLEANUP */

/* Adds name=value to the canonical query: whatever the rows depend on, spelled in one way. */
void resource_say(struct resource *resource, const char *name, struct str value);
void resource_say_i64(struct resource *resource, const char *name, int64_t value);

/* limit=, and cursor= once everything has been said; n_values is how many make a place. */
enum status resource_page(struct resource *resource, int64_t max, size_t n_values, struct err *err)
    NODISCARD;

/* In a fill: there is more after the row with these values. */
enum status resource_next(struct resource *resource, struct table *table, const struct str *values,
                          size_t n_values, struct err *err) NODISCARD;

/* For lists that are made as a whole: how many rows earlier pages had, and the place after this one's. */
enum status resource_skip(const struct resource *resource, size_t *ret, struct err *err) NODISCARD;
enum status resource_next_at(struct resource *resource, struct table *table, size_t place,
                             struct err *err) NODISCARD;

/* name of a choice given by a parameter: BAD_VALUE with the names and the nearest. Absent leaves *ret. */
enum status resource_choice(struct request *request, const char *name, const char *const *names,
                            size_t n_names, size_t *ret, struct err *err) NODISCARD;

/* A connection for fill. */
enum status resource_db(struct resource *resource, struct db **ret, struct err *err) NODISCARD;

/* Members mart, generation, as_of and, for lists, page_size of meta. */
void resource_put_meta(const struct resource *resource, struct json_out *json, bool is_list);

/* table_answer with what resource knows; the rest of what comes from the caller. */
enum status resource_answer(struct resource *resource, struct table_request what, struct err *err);

#endif
