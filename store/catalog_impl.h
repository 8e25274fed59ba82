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

#endif
