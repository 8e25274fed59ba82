/* catalog_impl.h - a catalog with what keeps it alive; for the catalog*.c files only. */
#ifndef STORE_CATALOG_IMPL_H
#define STORE_CATALOG_IMPL_H

#include "base/arena.h"
#include "store/catalog.h"

#include <stdatomic.h>

struct catalog_box {
    struct catalog catalog; /* first, so that the box is found again */
    atomic_int n_refs;
    struct arena arena;
    struct str shape; /* the database's own digest of its tables and columns */
};

struct catalog_box *catalog_box_new(void); /* one reference; NULL when out of memory */

enum column_kind catalog_column_kind(enum db_kind kind, struct str type);

/* Columns, key, notes and generations of a mart whose name, title and table are set; they live in the arena. */
enum status catalog_fill_mart(struct db *db, struct mart *mart, struct arena *arena,
                              struct err *err) NODISCARD;

/* A copy that lives as long as the catalog; ptr NULL when out of memory. */
struct str catalog_keep(struct arena *arena, struct str s) NODISCARD;
enum status catalog_no_memory(struct err *err) NODISCARD;

#endif
