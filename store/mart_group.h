/*
 * mart_group.h - counts, sums and the like of a mart's rows by groups, and the distinct values of a column.
 *
 * Every number is exact but those of floating-point columns: sums and averages of integers and decimals are decimals,
 * averages rounded to 12 digits behind the point, halves away from zero, the same on both back ends.
 */
#ifndef STORE_MART_GROUP_H
#define STORE_MART_GROUP_H

#include "store/mart_query.h"

enum metric_fn { FN_COUNT, FN_COUNT_DISTINCT, FN_MIN, FN_MAX, FN_SUM, FN_AVG };

/* The first day of the period that a date or instant (in UTC) lies in; weeks begin on Mondays. */
enum period { PERIOD_NONE, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR };

/* What one output column is: a group's value, or a metric of the group. */
struct group_output {
    struct str name; /* "date_month", "avg_close", "count" */
    bool is_metric;
    bool counts_rows; /* count:* has no column */
    size_t column;
    enum period period;
    enum metric_fn metric;
    enum column_kind kind; /* of the output */
};

struct group_order {
    size_t output;
    bool is_descending; /* NULLs are last ascending and first descending */
};

enum { GROUPS_MAX = 8, METRICS_MAX = 16, GROUP_OUTPUTS_MAX = GROUPS_MAX + METRICS_MAX };

struct mart_group {
    const struct mart_query *query;                 /* finished; its filters and generation count */
    struct group_output outputs[GROUP_OUTPUTS_MAX]; /* groups first, then metrics */
    size_t n_outputs;
    struct group_order order[GROUP_OUTPUTS_MAX]; /* mart_group_finish appends the groups */
    size_t n_order;
    int64_t limit; /* rows at most */
};

/* "uid,date:month" and "avg:close,max:high,count:*"; groups come before metrics. */
enum status group_parse(const struct mart *mart, struct str text, struct arena *arena,
                        struct mart_group *group, struct err *err) NODISCARD;
enum status metrics_parse(const struct mart *mart, struct str text, struct arena *arena,
                          struct mart_group *group, struct err *err) NODISCARD;

/* "avg_close.desc,uid": names of outputs. */
enum status group_order_parse(struct str text, struct mart_group *group, struct err *err) NODISCARD;

/* Makes the order total. */
void mart_group_finish(struct mart_group *group);

/* One line, beside the canonical text of the query's filters. */
void mart_group_canonical(const struct mart_group *group, struct buf *out);

/* Runs it; result columns are the outputs. Pins the generation as mart_query_open does. */
enum status mart_group_open(struct db *db, const struct mart_group *group, struct arena *arena,
                            struct rows *ret_rows, struct err *err) NODISCARD;

/*
 * The distinct values of a column that are not NULL, in its order, at most limit. When an index of a managed mart
 * begins with the column and no other column is filtered, it is read from value to value.
 */
enum status mart_values_open(struct db *db, const struct mart_query *query, size_t column,
                             int64_t limit, struct arena *arena, struct rows *ret_rows,
                             struct err *err) NODISCARD;

#endif
