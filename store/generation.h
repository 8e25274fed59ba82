/*
 * generation.h - reading one generation while others are published. Used by the thread that borrowed db.
 */
#ifndef STORE_GENERATION_H
#define STORE_GENERATION_H

#include "store/db.h"

#define GENERATION_OPEN INT64_MAX /* gen_to of a row that still holds */

/*
 * From here until db is released, its queries see one snapshot in which generation is complete: a publish
 * that retires it meanwhile does not take rows away. Every read in store/ pins by itself; pinning the same
 * generation again costs nothing. A replica that has not got it yet is left for the primary. 0 is the empty store before the first publish.
 * Errors: GENERATION_RETIRED; BAD_VALUE when it has not been published yet.
 */
enum status generation_pin(struct db *db, int64_t generation, struct err *err) NODISCARD;

struct mart;

/*
 * What stands before every read of a mart: generation_pin for a managed one. One of another tool has no generation
 * to tell whether a replica is behind, so it is read on the primary.
 */
enum status generation_pin_mart(struct db *db, const struct mart *mart, int64_t generation,
                                struct err *err) NODISCARD;

/* May generation be read where oldest to newest are kept? Errors as generation_pin. */
enum status generation_check(int64_t generation, int64_t oldest, int64_t newest, struct err *err)
    NODISCARD;

/* Whether a read that ended with s is to be tried on the primary: db is a replica that is behind, or went away. */
bool generation_needs_primary(const struct db *db, enum status s);

extern const char generation_range_sql[]; /* one row: oldest, newest */

/* Oldest readable and newest generation; both 0 before the first publish. */
enum status generation_range(struct db *db, int64_t *ret_oldest, int64_t *ret_newest,
                             struct err *err) NODISCARD;

/*
 * When the next publish of a mart is due, in seconds since 1970 (0: nobody knows): mart_generation.next_due_at. A mart that was
 * never published has no such row.
 */
enum status generation_set_due(struct db *db, struct str mart, int64_t due_s, struct err *err)
    NODISCARD;

#endif
