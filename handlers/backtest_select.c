/* backtest_select.c - cuts members out of the document that backtest_render wrote, without parsing its numbers. */
#include "handlers/backtest_select.h"

#include "base/suggest.h"
#include "handlers/json_text.h"

#include <string.h>

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
    for (size_t at = 1; json_next_member(data, &at, &key, &value);) {
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
        for (size_t at = 1; !is_known && json_next_member(data, &at, &key, &value);)
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
    bool is_ours = json_next_member(body, &at, &key, ret_data) && str_eq_c(key, "data") &&
                   json_next_member(body, &at, &key, ret_meta) && str_eq_c(key, "meta");
    return is_ours ? STATUS_OK : damaged(err);
}

enum status backtest_warnings(struct str body, struct str *ret, struct err *err)
{
    struct str key, data = STR_NONE, meta = STR_NONE;
    size_t at = 1;
    enum status s = split(body, &data, &meta, err);
    if (s == STATUS_OK && (!json_next_member(meta, &at, &key, ret) || !str_eq_c(key, "warnings")))
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
    for (size_t at = 1; json_next_member(data, &at, &key, &value);) {
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
