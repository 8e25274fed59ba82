/* mart_text_parse.c - patterns (like, ilike) and words (fts) as they stand in a URL, each in one spelling. */
#include "store/mart_query_impl.h"

#include "base/words.h"

/* One spelling of each pattern: '*' is '%', runs of '%' are one, and only what needs a backslash has one. */
static enum status parse_pattern(struct str parameter, struct str value, struct arena *arena,
                                 struct filter *filter, struct err *err)
{
    char *out = arena_alloc(arena, 2 * value.len + 1);
    if (out == NULL)
        return mart_query_no_memory(err);
    size_t n = 0;
    unsigned n_wildcards = 0;
    bool was_run = false;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool is_escaped = c == '\\';
        if (is_escaped && ++i == value.len)
            return filter_refuse(parameter, value, err,
                                 "A pattern cannot end with a single backslash.");
        c = value.ptr[i];
        bool is_run = !is_escaped && (c == '*' || c == '%');
        if (is_escaped && (c == '%' || c == '_' || c == '\\'))
            out[n++] = '\\';
        if (!is_run)
            out[n++] = filter->op == OP_ILIKE && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        else if (!was_run)
            out[n++] = '%';
        n_wildcards += is_run && !was_run ? 1 : 0;
        was_run = is_run;
    }
    if (n_wildcards > MART_WILDCARDS_MAX) {
        enum status s = filter_refuse(parameter, value, err, "The pattern has too many wildcards.");
        err_allow(err, "at most %d of * and %%", (int)MART_WILDCARDS_MAX);
        return s;
    }
    filter->values[0] = (struct str){out, n};
    return STATUS_OK;
}

static enum status too_many_words(struct str parameter, struct str value, struct err *err)
{
    enum status s =
        filter_refuse(parameter, value, err, "\"fts\" takes at least one word, and not too many.");
    err_allow(err, "1 to %d words; one that ends with * stands for all that begin so",
              (int)MART_WORDS_MAX);
    return s;
}

/* Adds the words of a piece as " word ", and the last one as " word" when it is a beginning only. */
static bool add_words(struct str piece, bool is_open, struct arena *arena, struct filter *filter)
{
    char *out = arena_alloc(arena, piece.len + 2);
    if (out == NULL)
        return false;
    struct str text = {out, words_normalise(piece, out)};
    size_t at = 1;
    while (at < text.len) {
        size_t end = str_find(text, ' ', at);
        bool is_last = is_open && end + 1 == text.len;
        if (end > at && filter->n_values <= MART_WORDS_MAX)
            filter->values[filter->n_values++] = str_sub(text, at - 1, is_last ? end : end + 1);
        at = end + 1;
    }
    return true;
}

static enum status parse_words(struct str parameter, struct str value, struct arena *arena,
                               struct filter *filter, struct err *err)
{
    filter->values = arena_array(arena, MART_WORDS_MAX + 1, sizeof *filter->values);
    filter->n_values = 0;
    if (filter->values == NULL)
        return mart_query_no_memory(err);
    for (size_t at = 0; at <= value.len;) {
        size_t end = str_find(value, '*', at);
        if (!add_words(str_sub(value, at, end), end < value.len, arena, filter))
            return mart_query_no_memory(err);
        at = end + 1;
    }
    bool is_fine = filter->n_values > 0 && filter->n_values <= MART_WORDS_MAX;
    return is_fine ? STATUS_OK : too_many_words(parameter, value, err);
}

enum status filter_text_parse(const struct mart *mart, struct str parameter, struct str value,
                              struct arena *arena, struct filter *filter, struct err *err)
{
    enum status s = mart_value_check(&mart->columns[filter->column], value, err);
    if (s != STATUS_OK)
        return s;
    return filter->op == OP_FTS ? parse_words(parameter, value, arena, filter, err)
                                : parse_pattern(parameter, value, arena, filter, err);
}
