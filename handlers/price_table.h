/* price_table.h - a price query as a table: long (a row a bar) or wide (a row a date, a column an instrument). */
#ifndef HANDLERS_PRICE_TABLE_H
#define HANDLERS_PRICE_TABLE_H

#include "handlers/price_query.h"

struct price_table {
    struct resource *resource;
    const struct price_query *query;
    struct price_loader loader;
    bool has_partial; /* some instrument's last bar is of a period that is not over */
};

/* A connection for the loader, and every uid known: before the first series. Errors: UNKNOWN_INSTRUMENT, the store's. */
enum status price_table_start(struct price_table *self, struct db **ret_db, struct err *err)
    NODISCARD;

/* For struct table_request; cls is the struct price_table. */
enum status price_table_long(struct request *request, void *cls, struct table *table,
                             struct err *err);
enum status price_table_wide(struct request *request, void *cls, struct table *table,
                             struct err *err);
void price_table_put_meta(struct json_out *json, void *cls);

#endif
