/* fuzz_spec.c - any bytes as the body of a backtest request: refused with a reason, or canonical. */
#include "backtest/spec.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str canonical(const struct spec *spec, struct arena *arena)
{
    struct json_out json;
    struct buf *out = ARENA_NEW(arena, struct buf);
    assert(out != NULL);
    buf_init(out, arena, (size_t)1 << 22);
    jw_init(&json, out);
    spec_canonical(spec, &json);
    assert(!out->failed);
    return buf_str(out);
}

/* What is accepted has a canonical form, and that form is accepted and is its own canonical form. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct spec *spec = NULL, *again = NULL;
    struct err err = {0};

    arena_init(&arena, (size_t)1 << 26);
    if (spec_parse((struct str){(const char *)data, size}, &arena, &spec, &err) != STATUS_OK) {
        assert(err.detail[0] != '\0');
    } else {
        struct str first = canonical(spec, &arena);
        enum status s = spec_parse(first, &arena, &again, &err);
        assert(s == STATUS_OK);
        struct str second = canonical(again, &arena);
        assert(s == STATUS_OK && str_eq(first, second));
        (void)s;
        (void)second;
    }
    arena_clear(&arena);
    return 0;
}
