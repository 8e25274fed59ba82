/* spec_optional.c - typed reads of members that may be absent; used by the spec_*.c files. */
#include "backtest/spec_optional.h"

enum status spec_optional_f64(struct json_val parent, const char *key, double min, double max,
                              double *ret, struct err *err)
{
    struct json_val val = jr_member(parent, key);
    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_read_f64(val, min, max, ret, err);
    *ret += 0.0; /* -0 becomes 0 */
    return s;
}

enum status spec_optional_i64(struct json_val parent, const char *key, int64_t min, int64_t max,
                              int64_t *ret, struct err *err)
{
    struct json_val val = jr_member(parent, key);
    return jr_is_present(val) ? jr_read_i64(val, min, max, ret, err) : STATUS_OK;
}

enum status spec_optional_choice(struct json_val parent, const char *key, const char *const *names,
                                 size_t n_names, size_t *ret, struct err *err)
{
    struct json_val val = jr_member(parent, key);
    return jr_is_present(val) ? jr_read_choice(val, names, n_names, ret, err) : STATUS_OK;
}

enum status spec_optional_date(struct json_val parent, const char *key, int32_t *ret,
                               struct err *err)
{
    struct json_val val = jr_member(parent, key);
    return jr_is_present(val) ? jr_read_date(val, ret, err) : STATUS_OK;
}
