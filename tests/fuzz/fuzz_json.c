/* fuzz_json.c - any bytes as JSON: refused with a reason, or a tree that every typed read can be asked of. */
#include "base/json_in.h"

#include <assert.h>
#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A refusal says what is wrong and where, in text that can be sent. */
static void check_refusal(enum status s, const struct err *err, const char *pointer)
{
    assert(s == STATUS_WRONG_TYPE || s == STATUS_OUT_OF_RANGE || s == STATUS_UNKNOWN_FIELD);
    assert(err->status == s && err->where == ERR_POINTER && err->detail[0] != '\0');
    assert(str_is_utf8(str_of(err->detail)) && str_is_utf8(str_of(err->name)));
    assert(str_is_utf8(str_of(err->value)) && str_is_utf8(str_of(err->allowed)));
    assert(s == STATUS_UNKNOWN_FIELD || strncmp(err->name, pointer, 100) == 0);
    (void)s;
    (void)err;
    (void)pointer;
}

static void read_scalars(struct json_val val)
{
    struct err err = {0};
    double real = 0;
    int64_t integer = 0;
    bool boolean = false;
    struct str text = STR_NONE;
    int32_t date = 0;
    enum jr_type type = jr_type(val);

    enum status s = jr_read_f64(val, -1e6, 1e6, &real, &err);
    if (s == STATUS_OK)
        assert((type == JR_INT || type == JR_REAL) && isfinite(real) && fabs(real) <= 1e6);
    else
        check_refusal(s, &err, val.pointer);
    s = jr_read_i64(val, -1000, 1000, &integer, &err);
    if (s == STATUS_OK)
        assert(type == JR_INT && integer >= -1000 && integer <= 1000);
    else
        check_refusal(s, &err, val.pointer);
    s = jr_read_bool(val, &boolean, &err);
    if (s == STATUS_OK)
        assert(type == JR_BOOL);
    else
        check_refusal(s, &err, val.pointer);
    s = jr_read_str(val, 1, 10, &text, &err);
    if (s == STATUS_OK)
        assert(type == JR_STRING && text.len >= 1 && text.len <= 10 && str_is_utf8(text));
    else
        check_refusal(s, &err, val.pointer);
    s = jr_read_date(val, &date, &err);
    if (s != STATUS_OK)
        check_refusal(s, &err, val.pointer);
}

static void read_containers(struct json_val val, struct arena *arena)
{
    static const char *const names[] = {"buy_and_hold", "momentum", "a", ""};
    struct err err = {0};
    size_t choice = 0;
    enum status s = jr_read_choice(val, names, ARRAY_LEN(names), &choice, &err);
    if (s == STATUS_OK)
        assert(choice < ARRAY_LEN(names));
    else
        check_refusal(s, &err, val.pointer);
    s = jr_expect_object(val, names, ARRAY_LEN(names), &err);
    if (s != STATUS_OK)
        check_refusal(s, &err, val.pointer);
    s = jr_expect_array(val, 1, 3, &err);
    if (s != STATUS_OK)
        check_refusal(s, &err, val.pointer);
    double *numbers = arena_array(arena, jr_length(val), sizeof *numbers);
    if (numbers != NULL && jr_read_f64_array(val, numbers, &err) != STATUS_OK)
        assert(err.status == STATUS_WRONG_TYPE);
}

/* Depth and visits are bounded: a member's position is found by counting. */
static void visit(struct json_val val, struct arena *arena, unsigned depth, unsigned *left)
{
    assert(depth <= JSON_IN_DEPTH + 1);
    if (*left == 0)
        return;
    --*left;
    assert(str_is_utf8(str_of(val.pointer)));
    read_scalars(val);
    read_containers(val, arena);
    for (size_t i = 0; i < jr_length(val) && *left > 0; i++) {
        (void)jr_text_at(val, i);
        visit(jr_item(val, i), arena, depth + 1, left);
    }
    struct str key;
    struct json_val member;
    for (size_t i = 0; *left > 0 && jr_member_at(val, i, &key, &member); i++) {
        assert(jr_member(val, key.ptr).node == member.node);
        visit(member, arena, depth + 1, left);
    }
    assert(jr_type(jr_member(val, "there is no such member")) == JR_ABSENT || *left == 0 ||
           jr_type(val) == JR_OBJECT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct err err = {0};
    struct json_doc *doc = NULL;
    unsigned left = 300;

    arena_init(&arena, (size_t)1 << 24);
    if (jr_parse((struct str){(const char *)data, size}, &arena, &doc, &err) != STATUS_OK) {
        /* The sentence may quote the very bytes that are not UTF-8; json_out replaces them. */
        assert(err.status == STATUS_MALFORMED_JSON && err.detail[0] != '\0');
    } else {
        visit(jr_root(doc), &arena, 0, &left);
    }
    jr_free(doc);
    arena_clear(&arena);
    return 0;
}
