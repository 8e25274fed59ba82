/*
 * publish.h - new data becomes visible in generations.
 *
 * A publish is one transaction: rows are staged, compared with what the current generation holds, and only
 * the differences are written (a changed row closes the old version and opens a new one), then the
 * generation number moves. Readers see all of it or nothing. Publishing the same data again changes
 * nothing and makes no generation. The cost follows the number of changed rows plus the staged ones; a mart
 * that holds nothing yet takes its rows without a stage.
 */
#ifndef STORE_PUBLISH_H
#define STORE_PUBLISH_H

#include "store/catalog.h"

struct publish;

struct publish_result {
    int64_t generation; /* the new one, or the current one when nothing changed */
    int64_t staged, inserted, updated, deleted;
    bool is_changed;
};

/* Takes the writer lock and opens the transaction; *ret must be ended by commit or abort. */
enum status publish_begin(struct db *db, const struct catalog *catalog, struct publish **ret,
                          struct err *err) NODISCARD;

/*
 * Staging rows for one managed mart: columns are names of that mart (key columns included; the others
 * become NULL), then one call per row, ptr NULL for NULL. Values are checked against their column's kind and
 * stored in canonical spelling; BAD_DATA names column, value and what is allowed. PUBLISH_MERGE keeps rows
 * that are not staged; PUBLISH_REPLACE deletes them. The same key staged twice is BAD_DATA. A mart is staged
 * once in a publish. After a failure only publish_abort may follow.
 */
enum publish_mode { PUBLISH_MERGE, PUBLISH_REPLACE };
enum status publish_mart_begin(struct publish *publish, struct str mart, enum publish_mode mode,
                               const struct str *columns, size_t n_columns, struct err *err)
    NODISCARD;
/*
 * Before the mart begins: its rows with one of these in the first column of their key are staged all that there are, so that
 * others with it are deleted. The texts are valid until the mart ends.
 */
void publish_within(struct publish *publish, const struct str *scopes, size_t n);
enum status publish_row(struct publish *publish, const struct str *fields, struct err *err)
    NODISCARD;
enum status publish_mart_end(struct publish *publish, struct err *err) NODISCARD;

/*
 * Between servers of PostgreSQL: merges the rows of "SELECT columns FROM what" on from without reading them here. The types
 * of the mart are enforced, nothing else: what comes from our own models has been checked, and is spelled as marts are.
 */
bool publish_can_pull(const struct publish *publish, const struct db *from);
enum status publish_mart_pull(struct publish *publish, struct str mart, const struct str *columns,
                              size_t n_columns, struct db *from, const char *what, struct err *err)
    NODISCARD;
int64_t publish_staged(const struct publish *publish); /* rows of all marts until now */

/* Columns that publishing fills by itself (an instrument's coverage); they cannot be staged. */
bool publish_is_computed(struct str mart, struct str column);

/*
 * After publish_row or publish_mart_end answered BAD_DATA: which row of the mart was at fault, from 1 in
 * the order of staging; 0 when unknown. The database may refuse a repeated key later than its row.
 */
int64_t publish_bad_row(const struct publish *publish);

/* How current a data set is: a row of mart_freshness beside those of the marts, booked when anything else changes. */
struct publish_dataset {
    struct str name;
    struct str last_date;       /* ptr NULL: none */
    struct str last_success_at; /* "2024-12-03T01:00:00Z" */
    struct str status;          /* "ok", "stale", "failing" */
    int64_t n_rows;
};
enum status publish_note_dataset(struct publish *publish, const struct publish_dataset *dataset,
                                 struct err *err) NODISCARD;

/* keep: how many generations stay readable, at least 1. Also refreshes instrument coverage and mart_freshness. */
enum status publish_commit(struct publish *publish, int keep, struct publish_result *ret,
                           struct err *err) NODISCARD;
void publish_abort(struct publish *publish);

#endif
