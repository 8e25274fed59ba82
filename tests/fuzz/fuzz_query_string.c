/* fuzz_query_string.c - any bytes as a request target: refused with a reason, or text that is safe to use. */
#include "server/query_string.h"
#include "server/target.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct str s)
{
    assert(str_is_utf8(s));
    for (size_t i = 0; i < s.len; i++)
        assert((unsigned char)s.ptr[i] >= 0x20 && s.ptr[i] != 0x7f);
}

static void check_query(struct str query, struct arena *arena)
{
    struct query_param *params = NULL;
    struct err err = {0};
    size_t n = 0;
    if (query_parse(query, arena, &params, &n, &err) != STATUS_OK) {
        assert(err.detail[0] != '\0');
        return;
    }
    assert(n <= QUERY_PARAMS_MAX);
    for (size_t i = 0; i < n; i++) {
        assert(params[i].name.len > 0);
        check_text(params[i].name);
        check_text(params[i].value);
    }
}

/* An accepted path has no empty or dot segment in any spelling, and no slash hidden in one. */
static void check_path(struct str path)
{
    char room[TARGET_BYTES_MAX];
    struct str decoded;
    bool ok = percent_decode(path, false, room, &decoded);
    assert(ok && path.ptr[0] == '/');
    (void)ok;
    check_text(decoded);
    size_t n_slashes = 0, n_decoded = 0;
    for (size_t i = 0; i < path.len; i++)
        n_slashes += path.ptr[i] == '/' ? 1 : 0;
    for (size_t i = 0; i < decoded.len; i++)
        n_decoded += decoded.ptr[i] == '/' ? 1 : 0;
    assert(n_slashes == n_decoded);
    (void)n_slashes;
    (void)n_decoded;
    struct str rest = str_sub(decoded, 1, decoded.len), segment;
    while (str_next_field(&rest, '/', &segment)) {
        assert(!str_eq_c(segment, ".") && !str_eq_c(segment, ".."));
        assert(segment.len > 0 || rest.ptr == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct target target;
    struct err err = {0};
    struct buf text;
    struct str input = {(const char *)data, size};

    arena_init(&arena, 1 << 22);
    check_query(input, &arena);
    buf_init(&text, &arena, 4096);
    target_redact(input, &text);
    assert(!text.failed && text.len < 1024);
    if (target_parse(input, false, &target, &err) == STATUS_OK) {
        check_path(target.path);
        check_query(target.query, &arena);
    } else {
        assert(err.detail[0] != '\0');
    }
    arena_clear(&arena);
    return 0;
}
