/* spec_rebalance.h - the member rebalance of a request; for spec.c and spec_canonical.c. */
#ifndef BACKTEST_SPEC_REBALANCE_H
#define BACKTEST_SPEC_REBALANCE_H

#include "backtest/rebalance.h"
#include "backtest/spec_lists.h"

extern const char *const spec_rebalance_names[]; /* of the text form: never, daily ... yearly */

/*
 * Reads a text or an object into *rule, which holds the default.
 * Errors: the typed reads of json_in.h; STATUS_BAD_SPEC when members do not go together.
 */
enum status spec_read_rebalance(struct json_val val, struct rebalance_rule *rule, struct err *err)
    NODISCARD;

/* every, on and offset of a calendar, as rebalance and flows have them. */
enum status spec_read_calendar(struct json_val object, struct rebalance_rule *rule, struct err *err)
    NODISCARD;

/* Writes the member: as a text where a text says it all. */
void spec_write_rebalance(const struct rebalance_rule *rule, struct json_out *json);
void spec_write_calendar(const struct rebalance_rule *rule, struct json_out *json);

#endif
