/* contract.h - the promises of contract.def, kept or broken by a row or by a day. Pure; any thread. */
#ifndef INGEST_CONTRACT_H
#define INGEST_CONTRACT_H

#include "ingest/silver_shape.h"

/* More bad rows or repeated keys than this in one load, or per cent of a day's rows, and the day fails. */
enum { CONTRACT_BAD_ROWS_MAX = 1000, CONTRACT_BAD_PERCENT_MAX = 1 };

/* False for a value out of its range, a row out of order or an action that cannot be: the reason and the column. Values are of their kinds. */
bool contract_keeps(const struct silver_row *row, const char **ret_reason, const char **ret_column);

/* The same of a told corporate action: each kind has its own figures. */
bool contract_action_keeps(const struct silver_row *row, const char **ret_reason,
                           const char **ret_column);

/* How many days ago its newest day with rows may be; 0: no promise. */
int contract_fresh_days(struct str dataset);

struct contract_day {
    int64_t n_rows, n_rejected;
    int64_t n_repeated; /* keys that stood twice in an object */
    int64_t expected;   /* the most rows of one of the ten days before; 0: not known */
};

/* "ok", "warn" or "fail", and why ("" for ok). */
const char *contract_verdict(struct str dataset, const struct contract_day *day,
                             const char **ret_reason);

#endif
