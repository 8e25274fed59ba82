/* trace.c - which trace a request belongs to. */
#include "server/trace.h"

#include <string.h>

/* version "-" trace-id "-" parent-id "-" flags; higher versions may go on after another "-". */
enum {
    TRACE_AT = 3,
    PARENT_AT = 36,
    FLAGS_AT = 53,
    LENGTH = 55,
    TRACE_DIGITS = 32,
    SPAN_DIGITS = 16
};

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
    return true;
}

static bool is_zero(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '0')
            return false;
    return true;
}

static void write_hex(uint64_t word, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++)
        ret[i] = digits[(word >> (60 - 4 * i)) & 0xf];
}

void trace_start(struct request_ids *ids, struct trace *ret)
{
    uint64_t words[3];
    request_ids_words(ids, words);
    write_hex(words[0], ret->trace_id);
    write_hex(words[1], ret->trace_id + 16);
    write_hex(words[2], ret->span_id);
    ret->trace_id[TRACE_DIGITS] = '\0';
    ret->span_id[SPAN_DIGITS] = '\0';
    ret->is_sampled = false;
}

bool trace_join(struct str text, struct trace *trace)
{
    if (text.len < LENGTH)
        return false;
    struct str version = str_sub(text, 0, 2), id = str_sub(text, TRACE_AT, PARENT_AT - 1),
               parent = str_sub(text, PARENT_AT, FLAGS_AT - 1),
               flags = str_sub(text, FLAGS_AT, LENGTH);
    bool has_dashes = text.ptr[TRACE_AT - 1] == '-' && text.ptr[PARENT_AT - 1] == '-' &&
                      text.ptr[FLAGS_AT - 1] == '-';
    if (!has_dashes || !is_hex(version) || !is_hex(id) || !is_hex(parent) || !is_hex(flags) ||
        is_zero(id) || is_zero(parent) || str_eq_c(version, "ff"))
        return false;
    if (text.len > LENGTH && (str_eq_c(version, "00") || text.ptr[LENGTH] != '-'))
        return false;
    memcpy(trace->trace_id, id.ptr, id.len);
    char low = flags.ptr[1]; /* the lowest bit of the flags */
    trace->is_sampled = ((low <= '9' ? low - '0' : low - 'a' + 10) & 1) != 0;
    return true;
}
