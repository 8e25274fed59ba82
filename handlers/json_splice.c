/* json_splice.c - pointers into a document's text, and what stands there replaced. */
#include "handlers/json_splice.h"

#include "handlers/json_text.h"

#include <assert.h>
#include <stdlib.h>

/* Where a splice goes: document[from, to) is replaced; before what is inserted stands glue. */
struct place {
    size_t from, to;
    const char *before; /* "," in front of a member that is not the object's first */
    struct str key;     /* of a member that is added; ptr NULL: none */
    const struct json_splice *splice;
};

static enum status leads_nowhere(struct str pointer, const char *why, struct err *err)
{
    (void)err_set(err, STATUS_BAD_SPEC, "The pointer \"%.*s\" %s.",
                  STR_ARG(str_utf8_cut(pointer, 100)), why);
    err_at(err, ERR_POINTER, pointer, STR_NONE);
    err_allow(
        err,
        "a JSON pointer (RFC 6901) to a value of the base request, or to a new member of one of its objects");
    return STATUS_BAD_SPEC;
}

/* "~1" is '/', "~0" is '~'. */
static bool token_is(struct str token, struct str key)
{
    size_t k = 0;
    for (size_t i = 0; i < token.len; i++, k++) {
        char c = token.ptr[i];
        if (c == '~' && i + 1 < token.len) {
            i++;
            c = token.ptr[i] == '1' ? '/' : '~';
        }
        if (k >= key.len || key.ptr[k] != c)
            return false;
    }
    return k == key.len;
}

static bool has_plain_key(struct str token)
{
    bool is_plain = token.len > 0 && token.len <= 64;
    for (size_t i = 0; i < token.len && is_plain; i++)
        is_plain = (token.ptr[i] >= 'a' && token.ptr[i] <= 'z') ||
                   (token.ptr[i] >= '0' && token.ptr[i] <= '9') || token.ptr[i] == '_';
    return is_plain;
}

/* The value of object's member, as a part of document; false when there is none: *ret is then the place at its end. */
static bool find_member(struct str document, struct str object, struct str token, struct str *ret)
{
    struct str key, value;
    size_t end = (size_t)(object.ptr - document.ptr) + object.len - 1;
    for (size_t at = 1; json_next_member(object, &at, &key, &value);)
        if (token_is(token, key)) {
            *ret = value;
            return true;
        }
    *ret = str_sub(document, end, end);
    return false;
}

/* The array on the way of the last pointer: the next one often goes on behind the item found there. */
struct trail {
    struct str prefix; /* of the pointer, up to the array and the '/' behind it; empty: no array */
    struct str array;
    int64_t item;
    size_t at; /* of that item */
};

static bool find_item(struct str array, struct str token, struct trail *trail, struct str *ret)
{
    int64_t wanted = -1;
    if (!str_to_i64(token, &wanted) || wanted < 0 || array.len < 3)
        return false;
    bool is_behind = trail->array.ptr == array.ptr && wanted >= trail->item;
    size_t at = is_behind ? trail->at : 1;
    for (int64_t i = is_behind ? trail->item : 0; at < array.len; i++) {
        size_t end = json_value_end(array, at);
        if (i == wanted) {
            *ret = str_sub(array, at, end);
            trail->array = array;
            trail->item = i;
            trail->at = at;
            return end < array.len;
        }
        at = end + 1;
    }
    return false;
}

static enum status locate(struct str document, const struct json_splice *splice,
                          struct trail *trail, struct place *ret, struct err *err)
{
    struct str pointer = splice->pointer, rest = pointer, value = document, token;
    assert(ret != NULL);
    *ret = (struct place){.before = "", .key = STR_NONE, .splice = splice};
    if (rest.len == 0 || rest.ptr[0] != '/')
        return leads_nowhere(splice->pointer, "is not one: it starts with '/'", err);
    if (trail->prefix.len > 0 && str_starts(pointer, trail->prefix)) {
        value = trail->array;
        rest = str_sub(pointer, trail->prefix.len - 1, pointer.len);
    } else {
        *trail = (struct trail){.item = 0};
    }
    while (rest.len > 0) {
        size_t end = str_find(rest, '/', 1);
        token = str_sub(rest, 1, end);
        rest = str_sub(rest, end, rest.len);
        char opens = value.len > 0 ? value.ptr[0] : '\0';
        struct str next = STR_NONE;
        if (opens == '[' && find_item(value, token, trail, &next)) {
            trail->prefix = str_sub(pointer, 0, pointer.len - rest.len - token.len);
            value = next;
        } else if (opens == '{') {
            bool is_first = value.len == 2;
            bool is_there = find_member(document, value, token, &next);
            if (!is_there && (rest.len > 0 || !has_plain_key(token)))
                return leads_nowhere(splice->pointer, "leads nowhere in the base request", err);
            if (!is_there) {
                ret->key = token;
                ret->before = is_first ? "" : ",";
            }
            value = next;
        } else {
            return leads_nowhere(splice->pointer, "leads nowhere in the base request", err);
        }
    }
    ret->from = (size_t)(value.ptr - document.ptr);
    ret->to = ret->from + value.len;
    return STATUS_OK;
}

/* "key":{} at the end of an object that ends at document[end]. */
static enum status add_object(struct str *document, size_t end, struct str key, struct arena *arena,
                              struct err *err)
{
    struct buf out;
    buf_init(&out, arena, document->len + key.len + 16);
    buf_add(&out, str_sub(*document, 0, end));
    buf_printf(&out, "%s\"%.*s\":{}", document->ptr[end - 1] == '{' ? "" : ",", STR_ARG(key));
    buf_add(&out, str_sub(*document, end, document->len));
    if (out.failed)
        return err_out_of_memory(err);
    *document = buf_str(&out);
    return STATUS_OK;
}

/* Objects that are missing on the way of a pointer. What leads nowhere else is left to locate. */
static enum status add_parents(struct str *document, struct str pointer, struct arena *arena,
                               struct err *err)
{
    struct str rest = pointer, value = *document, next;
    struct trail trail = {.item = 0};
    while (rest.len > 1 && value.len > 0) {
        size_t end = str_find(rest, '/', 1);
        struct str token = str_sub(rest, 1, end);
        rest = str_sub(rest, end, rest.len);
        bool is_object = value.ptr[0] == '{';
        if (is_object ? !find_member(*document, value, token, &next)
                      : value.ptr[0] != '[' || !find_item(value, token, &trail, &next)) {
            if (!is_object || rest.len == 0 || !has_plain_key(token))
                return STATUS_OK;
            size_t at = (size_t)(next.ptr - document->ptr);
            enum status s = add_object(document, at, token, arena, err);
            return s == STATUS_OK ? add_parents(document, pointer, arena, err) : s;
        }
        value = next;
    }
    return STATUS_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->splice < y->splice ? -1 : x->splice > y->splice;
}

/* False: some pointer leads nowhere as the document stands. */
static bool locate_all(struct str document, const struct json_splice *splices, size_t n,
                       struct place *ret)
{
    struct trail trail = {.item = 0};
    enum status s = STATUS_OK;
    for (size_t i = 0; i < n && s == STATUS_OK; i++)
        s = locate(document, &splices[i], &trail, &ret[i], NULL);
    return s == STATUS_OK;
}

enum status json_splice(struct str document, const struct json_splice *splices, size_t n,
                        struct arena *arena, struct buf *out, struct err *err)
{
    struct place *places = arena_array(arena, n + 1, sizeof *places);
    enum status s = places == NULL ? err_out_of_memory(err) : STATUS_OK;
    if (s == STATUS_OK && !locate_all(document, splices, n, places)) {
        for (size_t i = 0; i < n && s == STATUS_OK; i++)
            s = add_parents(&document, splices[i].pointer, arena, err);
        struct trail trail = {.item = 0};
        for (size_t i = 0; i < n && s == STATUS_OK; i++)
            s = locate(document, &splices[i], &trail, &places[i], err);
    }
    if (s != STATUS_OK)
        return s;
    assert(places != NULL);
    qsort(places, n, sizeof *places, by_place);
    size_t at = 0, added_at = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const struct place *place = &places[i];
        bool is_same = i > 0 && place->from == places[i - 1].from && place->key.ptr == NULL;
        if (place->from < at || is_same)
            return leads_nowhere(place->splice->pointer, "is inside of what another one replaces",
                                 err);
        buf_add(out, str_sub(document, at, place->from));
        if (place->key.ptr != NULL) {
            buf_add_c(out, added_at == place->from ? "," : place->before);
            buf_printf(out, "\"%.*s\":", STR_ARG(place->key));
            added_at = place->from;
        }
        buf_add(out, place->splice->value);
        at = place->to;
    }
    buf_add(out, str_sub(document, at, document.len));
    return out->failed ? err_out_of_memory(err) : STATUS_OK;
}
