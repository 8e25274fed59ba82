/*
 * action_store.h - the corporate actions of one instrument, for backtests. The read pins its generation (generation.h).
 */
#ifndef STORE_ACTION_STORE_H
#define STORE_ACTION_STORE_H

#include "base/arena.h"
#include "store/db.h"

struct stored_action {
    int32_t date;     /* the ex-date */
    struct str kind;  /* as in mart_corporate_action */
    struct str into;  /* the uid that holders receive */
    int32_t pay_date; /* DATE_NONE: not known */
    double ratio;     /* NaN: none */
    double cash;      /* NaN: none */
};

/*
 * By date, then kind and uid received; texts live in the arena. Errors: those of db_query, GENERATION_RETIRED, DB_ERROR
 * for a row that cannot be read, OUT_OF_MEMORY.
 */
enum status actions_load(struct db *db, struct str uid, int64_t generation, struct arena *arena,
                         struct stored_action **ret, size_t *ret_n, struct err *err) NODISCARD;

#endif
