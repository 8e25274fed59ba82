/* backtest_select.c - cuts members out of the document that backtest_render wrote, without parsing its numbers. */
#include "handlers/backtest_select.h"

#include "base/suggest.h"

#include <string.h>

/* End of the JSON value that starts at text[at]: the ',' or closing bracket behind it. Valid compact JSON only. */
static size_t value_end(struct str text, size_t at)
{
    size_t depth = 0;
    bool in_string = false;
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (in_string && c == '\\')
            at++;
        else if (c == '"')
            in_string = !in_string;
        else if (in_string)
            continue;
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']' || c == ',') && depth == 0)
            return at;
        else if (c == '}' || c == ']')
            depth--;
    }
    return text.len;
}

/* Member i of an object's text, counted by *at: 1 at the start. False at the end, or where it is no object of ours. */
static bool next_member(struct str object, size_t *at, struct str *ret_key, struct str *ret_value)
{
    if (*at >= object.len || object.ptr[*at] != '"')
        return false;
    size_t key_end = str_find(object, '"', *at + 1);
    if (key_end + 2 > object.len || object.ptr[key_end + 1] != ':')
        return false;
    *ret_key = str_sub(object, *at + 1, key_end);
    size_t end = value_end(object, key_end + 2);
    *ret_value = str_sub(object, key_end + 2, end);
    *at = end + 1;
    return end < object.len;
}

static bool is_in(struct str list, struct str name)
{
    struct str item;
    while (str_next_field(&list, ',', &item))
        if (str_eq(str_trim(item), name))
            return true;
    return false;
}

static enum status damaged(struct err *err)
{
    return err_set(err, STATUS_INTERNAL, "The stored backtest is damaged.");
}

static enum status unknown_part(struct str data, struct str part, struct arena *arena,
                                struct err *err)
{
    struct suggest search = suggest_start(part);
    struct buf names;
    struct str key, value;
    buf_init(&names, arena, sizeof err->allowed);
    for (size_t at = 1; next_member(data, &at, &key, &value);) {
        suggest_offer(&search, key);
        buf_add_c(&names, names.len == 0 ? "" : ", ");
        buf_add(&names, key);
    }
    (void)err_set(err, STATUS_UNKNOWN_COLUMN, "A backtest has no part \"%.*s\".",
                  STR_ARG(str_utf8_cut(part, 64)));
    err_at(err, ERR_PARAMETER, STR("select"), part);
    err_suggest(err, suggest_take(&search));
    err_allow(err, "%.*s", STR_ARG(buf_str(&names)));
    return STATUS_UNKNOWN_COLUMN;
}

/* Every selected name must be a member. */
static enum status check_parts(struct str data, struct str select, struct arena *arena,
                               struct err *err)
{
    struct str part, key, value;
    while (str_next_field(&select, ',', &part)) {
        bool is_known = false;
        for (size_t at = 1; !is_known && next_member(data, &at, &key, &value);)
            is_known = str_eq(key, str_trim(part));
        if (!is_known)
            return unknown_part(data, str_trim(part), arena, err);
    }
    return STATUS_OK;
}

/* {"data":...,"meta":...} */
static enum status split(struct str body, struct str *ret_data, struct str *ret_meta,
                         struct err *err)
{
    struct str key;
    size_t at = 1;
    bool is_ours = next_member(body, &at, &key, ret_data) && str_eq_c(key, "data") &&
                   next_member(body, &at, &key, ret_meta) && str_eq_c(key, "meta");
    return is_ours ? STATUS_OK : damaged(err);
}

enum status backtest_warnings(struct str body, struct str *ret, struct err *err)
{
    struct str key, data = STR_NONE, meta = STR_NONE;
    size_t at = 1;
    enum status s = split(body, &data, &meta, err);
    if (s == STATUS_OK && (!next_member(meta, &at, &key, ret) || !str_eq_c(key, "warnings")))
        s = damaged(err);
    return s;
}

enum status backtest_select(struct str body, struct str select, struct arena *arena,
                            struct str *ret, struct err *err)
{
    if (select.ptr == NULL) {
        *ret = body;
        return STATUS_OK;
    }
    struct str key, value, data = STR_NONE, meta = STR_NONE;
    enum status s = split(body, &data, &meta, err);
    if (s == STATUS_OK)
        s = check_parts(data, select, arena, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    buf_init(&out, arena, body.len + 16);
    buf_add_c(&out, "{\"data\":{");
    size_t n = 0;
    for (size_t at = 1; next_member(data, &at, &key, &value);) {
        if (!str_eq_c(key, "id") && !is_in(select, key))
            continue;
        buf_printf(&out, "%s\"%.*s\":", n == 0 ? "" : ",", STR_ARG(key));
        buf_add(&out, value);
        n++;
    }
    buf_add_c(&out, "},\"meta\":");
    buf_add(&out, meta);
    buf_add_c(&out, "}\n");
    *ret = buf_str(&out);
    return out.failed ? err_out_of_memory(err) : STATUS_OK;
}
