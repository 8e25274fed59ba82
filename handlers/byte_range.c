/* byte_range.c - "bytes=0-499", "bytes=500-", "bytes=-200". */
#include "handlers/byte_range.h"

/* Digits alone: a sign would make "-5" out of a suffix length. */
static bool read_number(struct str text, int64_t *ret)
{
    return text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9' && str_to_i64(text, ret);
}

enum range_kind byte_range_read(struct str range, struct str if_range, struct str tag, int64_t size,
                                int64_t *ret_from, int64_t *ret_to)
{
    int64_t first = 0, last = size - 1;
    *ret_from = 0;
    *ret_to = size;
    if (range.ptr == NULL || (if_range.ptr != NULL && !str_eq(str_trim(if_range), tag)))
        return RANGE_WHOLE;
    size_t equals = str_find(range, '=', 0);
    if (!str_eq_nocase(str_trim(str_sub(range, 0, equals)), STR("bytes")) || equals == range.len)
        return RANGE_WHOLE;
    struct str set = str_trim(str_sub(range, equals + 1, range.len));
    size_t dash = str_find(set, '-', 0);
    if (dash == set.len || str_find(set, ',', 0) < set.len)
        return RANGE_WHOLE;
    struct str from = str_trim(str_sub(set, 0, dash));
    struct str to = str_trim(str_sub(set, dash + 1, set.len));
    if (from.len == 0) {
        if (!read_number(to, &last))
            return RANGE_WHOLE;
        if (last == 0 || size == 0)
            return RANGE_UNSATISFIABLE;
        *ret_from = last < size ? size - last : 0;
        return RANGE_PART;
    }
    if (!read_number(from, &first) || (to.len > 0 && !read_number(to, &last)) ||
        (to.len > 0 && last < first))
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    *ret_from = first;
    *ret_to = last < size - 1 ? last + 1 : size;
    return RANGE_PART;
}
