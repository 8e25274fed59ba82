/* mart_grouped.h - runs a mart_group and writes its rows into a table: aggregates and facets. */
#ifndef HANDLERS_MART_GROUPED_H
#define HANDLERS_MART_GROUPED_H

#include "handlers/mart_table.h"
#include "store/mart_group.h"

/* One row of the table for each group, at most group->limit; more of them cut the table (table_cut). */
enum status grouped_write(struct request *request, const struct mart_table *what,
                          const struct mart_group *group, struct table *table, struct err *err)
    NODISCARD;

/*
 * The same on a connection at hand, with front in front of each row's values: what facets need. Each row's values are
 * spelled as mart_value_text does. *ret_rows is how many were written.
 */
enum status grouped_write_on(struct request *request, struct db *db, const struct mart_group *group,
                             struct str front, struct table *table, struct err *err) NODISCARD;

#endif
