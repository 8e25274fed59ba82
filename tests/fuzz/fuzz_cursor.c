/*
 * fuzz_cursor.c - any text as a cursor: refused, or exactly what encoding its parts gives; and any parts as a
 * cursor: what is encoded reads back, and no longer does when one character is another one.
 */
#include "handlers/cursor.h"

#include <assert.h>
#include <string.h>

enum { VALUES_MAX = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str query = {"mart_a?select=b", 15};

static void check_same(const struct cursor *a, const struct cursor *b)
{
    assert(a->generation == b->generation && a->n_values == b->n_values);
    for (size_t i = 0; i < a->n_values; i++) {
        assert((a->values[i].ptr == NULL) == (b->values[i].ptr == NULL));
        assert(a->values[i].ptr == NULL || str_eq(a->values[i], b->values[i]));
    }
}

static void decode_anything(struct str text, struct arena *arena)
{
    struct err err = {0};
    int64_t generation = 0;
    enum status s = cursor_generation(text, arena, &generation, &err);
    for (size_t n = 0; n < VALUES_MAX; n++) {
        struct cursor cursor;
        struct str again = STR_NONE;
        enum status t = cursor_decode(text, query, n, arena, &cursor, &err);
        assert(s == STATUS_OK || t == s);
        assert(t == STATUS_OK || t == STATUS_BAD_CURSOR || t == STATUS_CURSOR_MISMATCH);
        if (t != STATUS_OK) {
            assert(err.detail[0] != '\0');
            continue;
        }
        assert(cursor.generation == generation && cursor.n_values == n);
        t = cursor_encode(&cursor, arena, &again, &err);
        assert(t == STATUS_OK && str_eq(again, text));
        (void)t;
    }
    (void)s;
}

/* The first byte is the number of values, the next eight the generation; the rest is cut at 0xff, "" being NULL. */
static struct cursor make_cursor(struct str input, struct arena *arena)
{
    struct cursor cursor = {.query = query};
    if (input.len < 9)
        return cursor;
    memcpy(&cursor.generation, input.ptr + 1, sizeof cursor.generation);
    cursor.n_values = (unsigned char)input.ptr[0] % VALUES_MAX;
    cursor.values = arena_array(arena, VALUES_MAX, sizeof *cursor.values);
    assert(cursor.values != NULL);
    struct str rest = str_sub(input, 9, input.len);
    for (size_t i = 0; i < cursor.n_values; i++) {
        struct str value = STR_NONE;
        if (rest.ptr != NULL && str_next_field(&rest, '\xff', &value) && value.len > 0)
            cursor.values[i] = value.ptr[0] == '\0' ? STR("") : value;
    }
    return cursor;
}

static void check_round_trip(struct str input, struct arena *arena)
{
    struct err err = {0};
    struct cursor cursor = make_cursor(input, arena), read;
    struct str text = STR_NONE;
    enum status s = cursor_encode(&cursor, arena, &text, &err);
    if (s != STATUS_OK) {
        assert(s == STATUS_TOO_LARGE && input.len > CURSOR_TEXT_MAX / 2);
        return;
    }
    s = cursor_decode(text, query, cursor.n_values, arena, &read, &err);
    assert(s == STATUS_OK);
    check_same(&cursor, &read);
    s = cursor_decode(text, STR("another query"), cursor.n_values, arena, &read, &err);
    assert(s == STATUS_CURSOR_MISMATCH);
    char *changed = arena_dup(arena, text);
    assert(changed != NULL);
    size_t at = input.len * 7 % text.len;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    s = cursor_decode((struct str){changed, text.len}, query, cursor.n_values, arena, &read, &err);
    assert(s == STATUS_BAD_CURSOR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct str input = {(const char *)data, size};

    arena_init(&arena, (size_t)1 << 24);
    decode_anything(input, &arena);
    check_round_trip(input, &arena);
    arena_clear(&arena);
    return 0;
}
