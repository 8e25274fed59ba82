/* backtest_select.c - cuts members out of the document that backtest_render wrote, without parsing its numbers. */
#include "handlers/backtest_select.h"

#include "base/suggest.h"
#include "handlers/backtest_render.h"
#include "handlers/json_text.h"

#include <assert.h>
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

enum { MEMBERS_MAX = 256, NAMES_BYTES_MAX = 16 << 10 };

/* {"data":{...},"meta":...} by its parts. */
struct parts {
    struct str data, meta;
    size_t n;
    struct member {
        struct str key, value;
    } members[MEMBERS_MAX]; /* of data */
};

/* In one walk over the text: an answer has more than a million bytes. */
static enum status split(struct str body, struct arena *arena, const struct parts **ret,
                         struct err *err)
{
    static const struct str head = {"{\"data\":", 8};
    struct parts *parts = ARENA_NEW(arena, struct parts);
    struct str key, value, rest = str_sub(body, head.len, body.len);
    size_t at = 1, n = 0;
    if (parts == NULL)
        return err_out_of_memory(err);
    if (!str_starts(body, head) || rest.len == 0 || rest.ptr[0] != '{')
        return damaged(err);
    while (n < MEMBERS_MAX && json_next_member(rest, &at, &key, &value))
        parts->members[n++] = (struct member){key, value};
    size_t end = n == 0 ? 2 : at; /* behind the closing brace, at the comma */
    size_t next = head.len + end + 1;
    if (end >= rest.len || rest.ptr[end - 1] != '}' || rest.ptr[end] != ',' ||
        !json_next_member(body, &next, &key, &parts->meta) || !str_eq_c(key, "meta"))
        return damaged(err);
    parts->data = str_sub(rest, 0, end);
    parts->n = n;
    *ret = parts;
    return STATUS_OK;
}

/* names: "id, spec, ..." */
static enum status refuse(struct str part, struct str names, struct err *err)
{
    struct suggest search = suggest_start(part);
    struct str name, list = names;
    size_t all = names.len;
    while (str_next_field(&list, ',', &name))
        suggest_offer(&search, str_trim(name));
    (void)err_set(err, STATUS_UNKNOWN_COLUMN, "A backtest has no part \"%.*s\".",
                  STR_ARG(str_utf8_cut(part, 64)));
    err_at(err, ERR_PARAMETER, STR("select"), part);
    err_suggest(err, suggest_take(&search));
    while (names.len >= sizeof err->allowed || (names.len < all && names.ptr[names.len] != ','))
        names.len--; /* whole names only */
    err_allow(err, "%.*s", STR_ARG(names));
    return STATUS_UNKNOWN_COLUMN;
}

static enum status unknown_part(struct str data, struct str part, struct arena *arena,
                                struct err *err)
{
    struct buf names;
    struct str key, value;
    buf_init(&names, arena, NAMES_BYTES_MAX);
    for (size_t at = 1; json_next_member(data, &at, &key, &value);) {
        buf_add_c(&names, names.len == 0 ? "" : ", ");
        buf_add(&names, key);
    }
    return refuse(part, buf_str(&names), err);
}

/* "metrics.cagr" is "cagr" of "metrics"; without a dot the whole member is asked for, and *ret_inner is empty. */
static struct str split_part(struct str part, struct str *ret_inner)
{
    size_t dot = str_find(part, '.', 0);
    bool has_inner = dot < part.len;
    *ret_inner = has_inner ? (struct str){part.ptr + dot + 1, part.len - dot - 1} : STR("");
    return (struct str){part.ptr, dot};
}

static bool has_member(struct str object, struct str name, struct str *ret_value)
{
    struct str key;
    for (size_t at = 1; json_next_member(object, &at, &key, ret_value);)
        if (str_eq(key, name))
            return true;
    return false;
}

static const struct member *find_member(const struct parts *parts, struct str name)
{
    assert(parts != NULL);
    for (size_t i = 0; i < parts->n; i++)
        if (str_eq(parts->members[i].key, name))
            return &parts->members[i];
    return NULL;
}

/* Every selected name must be a member, and what stands behind a dot a member of that. */
static enum status check_parts(const struct parts *parts, struct str select, struct arena *arena,
                               struct err *err)
{
    struct str part, inner, found;
    while (str_next_field(&select, ',', &part)) {
        struct str outer = split_part(str_trim(part), &inner);
        const struct member *member = find_member(parts, outer);
        if (member == NULL)
            return unknown_part(parts->data, outer, arena, err);
        if (inner.len == 0)
            continue;
        bool is_object = member->value.ptr[0] == '{';
        if (!is_object || !has_member(member->value, inner, &found))
            return unknown_part(is_object ? member->value : parts->data, inner, arena, err);
    }
    return STATUS_OK;
}

/* Is anything of the member key selected, all of it left aside? */
static bool names_inner(struct str select, struct str key)
{
    struct str part, inner;
    while (str_next_field(&select, ',', &part))
        if (str_eq(split_part(str_trim(part), &inner), key) && inner.len > 0)
            return true;
    return false;
}

/* The members of value that select names as "key.member", as an object; false when it names none. */
static bool add_members(struct buf *out, struct str select, struct str key, struct str value)
{
    struct str name, text;
    size_t n = 0;
    bool may_be = value.ptr[0] == '{' && names_inner(select, key);
    for (size_t at = 1; may_be && json_next_member(value, &at, &name, &text);) {
        struct str part, inner, list = select;
        bool is_selected = false;
        while (!is_selected && str_next_field(&list, ',', &part))
            is_selected = str_eq(split_part(str_trim(part), &inner), key) && str_eq(inner, name);
        if (!is_selected)
            continue;
        buf_printf(out, "%s\"%.*s\":", n == 0 ? "{" : ",", STR_ARG(name));
        buf_add(out, text);
        n++;
    }
    if (n > 0)
        buf_add_char(out, '}');
    return n > 0;
}

enum status backtest_parts_check(struct str select, struct arena *arena, struct err *err)
{
    struct str part, inner, name;
    struct buf names;
    if (select.ptr == NULL)
        return STATUS_OK;
    buf_init(&names, arena, NAMES_BYTES_MAX);
    backtest_part_names(&names);
    while (str_next_field(&select, ',', &part)) {
        struct str outer = split_part(str_trim(part), &inner), list = buf_str(&names);
        bool is_known = false;
        while (!is_known && str_next_field(&list, ',', &name))
            is_known = str_eq(str_trim(name), outer);
        if (!is_known)
            return refuse(outer, buf_str(&names), err);
    }
    return STATUS_OK;
}

enum status backtest_warnings(struct str body, struct arena *arena, struct str *ret,
                              struct err *err)
{
    struct str key;
    size_t at = 1;
    const struct parts *parts = NULL;
    enum status s = split(body, arena, &parts, err);
    if (s == STATUS_OK &&
        (!json_next_member(parts->meta, &at, &key, ret) || !str_eq_c(key, "warnings")))
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
    const struct parts *parts = NULL;
    enum status s = split(body, arena, &parts, err);
    if (s == STATUS_OK)
        s = check_parts(parts, select, arena, err);
    if (s != STATUS_OK)
        return s;
    assert(parts != NULL);
    struct buf out;
    buf_init(&out, arena, body.len + 16);
    buf_add_c(&out, "{\"data\":{");
    size_t n = 0;
    for (size_t i = 0; i < parts->n; i++) {
        const struct member *member = &parts->members[i];
        size_t before = out.len;
        buf_printf(&out, "%s\"%.*s\":", n == 0 ? "" : ",", STR_ARG(member->key));
        if (str_eq_c(member->key, "id") || is_in(select, member->key))
            buf_add(&out, member->value);
        else if (!add_members(&out, select, member->key, member->value)) {
            out.len = before;
            continue;
        }
        n++;
    }
    buf_add_c(&out, "},\"meta\":");
    buf_add(&out, parts->meta);
    buf_add_c(&out, "}\n");
    *ret = buf_str(&out);
    return out.failed ? err_out_of_memory(err) : STATUS_OK;
}
