/*
 * spec_optional.h - members of a request that may be absent or null: *ret then keeps the default it has. For
 * the spec_*.c files that read one member of the request each.
 */
#ifndef BACKTEST_SPEC_OPTIONAL_H
#define BACKTEST_SPEC_OPTIONAL_H

#include "base/json_in.h"

enum status spec_optional_f64(struct json_val parent, const char *key, double min, double max,
                              double *ret, struct err *err) NODISCARD; /* -0 becomes 0 */
enum status spec_optional_i64(struct json_val parent, const char *key, int64_t min, int64_t max,
                              int64_t *ret, struct err *err) NODISCARD;
enum status spec_optional_choice(struct json_val parent, const char *key, const char *const *names,
                                 size_t n_names, size_t *ret, struct err *err) NODISCARD;
enum status spec_optional_date(struct json_val parent, const char *key, int32_t *ret,
                               struct err *err) NODISCARD;

#endif
