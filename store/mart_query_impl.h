/* mart_query_impl.h - what the parsers of filters and the canonical form share; for the mart_*.c files only. */
#ifndef STORE_MART_QUERY_IMPL_H
#define STORE_MART_QUERY_IMPL_H

#include "store/mart_query.h"

enum status mart_query_no_memory(struct err *err);

/* BAD_FILTER with what filters look like. */
enum status filter_refuse(struct str parameter, struct str value, struct err *err,
                          const char *detail);

/* "..." with \" and \\ at list[*at], which moves behind it; the bytes between go to room, which holds list.len. */
bool filter_take_quoted(struct str list, size_t *at, char *room, struct str *ret);

/* "not." and the operator in front of value; *ret_rest is what follows the operator's point. */
enum status filter_operator_parse(struct str parameter, struct str value, struct filter *filter,
                                  struct str *ret_rest, struct err *err) NODISCARD;

/* The value of a filter whose column, operator and negation are known. */
enum status filter_value_parse(const struct mart *mart, struct str parameter, struct str value,
                               struct arena *arena, struct filter *filter, struct err *err)
    NODISCARD;

/* The same for like, ilike and fts. */
enum status filter_text_parse(const struct mart *mart, struct str parameter, struct str value,
                              struct arena *arena, struct filter *filter, struct err *err)
    NODISCARD;

/* Makes the condition its opposite, by the opposite operator where there is one: what is NULL meets neither. */
void filter_negate(struct filter *filter);

/* Conditions, groups not counted. */
size_t filter_count(const struct filter *filters, size_t n);

/*
 * One form for equal filters: groups of one or of the same kind are dissolved, and what has no order is sorted
 * without repetitions. *filters becomes a new array in the arena.
 */
enum status filters_normalise(struct filter **filters, size_t *n, struct arena *arena,
                              struct err *err) NODISCARD;

#endif
