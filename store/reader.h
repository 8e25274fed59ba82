/*
 * reader.h - grants for a PostgreSQL role that reads marts and nothing else: the role of database_read_url.
 */
#ifndef STORE_READER_H
#define STORE_READER_H

#include "store/db.h"

/*
 * Grants role, which must exist, USAGE of the schema and SELECT on every mart_, gen_ and meta_ relation and on the
 * tables that tell generations. In one transaction; again after a migration or a new mart of another tool.
 *   ret_relations  on how many SELECT was granted
 * Errors: BAD_VALUE when there is no such role; CONFIG on SQLite, which has no roles.
 */
enum status reader_grant(struct db_pool *pool, struct str role, int64_t *ret_relations,
                         struct err *err) NODISCARD;

#endif
