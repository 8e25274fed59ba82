/*
 * cursor.c - cursors as base64url of "1|generation|query digest|values|check digest"; "2" leads backward.
 * A value is "n" (NULL) or "<length>:<bytes>"; digests are the first 16 hex digits of SHA-256.
 */
#include "handlers/cursor.h"

#include "base/digest.h"

#include <string.h>

enum { DIGEST_CHARS = 16 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct str in, struct buf *out)
{
    unsigned bits = 0, n_bits = 0;
    for (size_t i = 0; i < in.len; i++) {
        bits = (bits << 8) | (unsigned char)in.ptr[i];
        n_bits += 8;
        while (n_bits >= 6) {
            n_bits -= 6;
            buf_add_char(out, alphabet[(bits >> n_bits) & 63]);
        }
        bits &= (1u << n_bits) - 1;
    }
    if (n_bits > 0)
        buf_add_char(out, alphabet[(bits << (6 - n_bits)) & 63]);
}

static bool decode(struct str in, struct buf *out)
{
    unsigned bits = 0, n_bits = 0;
    for (size_t i = 0; i < in.len; i++) {
        const char *at = in.ptr[i] == '\0' ? NULL : strchr(alphabet, in.ptr[i]);
        if (at == NULL)
            return false;
        bits = (bits << 6) | (unsigned)(at - alphabet);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            buf_add_char(out, (char)((bits >> n_bits) & 255));
        }
        bits &= (1u << n_bits) - 1;
    }
    return bits == 0 && n_bits < 6 &&
           !out->failed; /* we write no more characters than needed, and zero padding */
}

static enum status bad(struct str text, struct err *err)
{
    (void)err_set(err, STATUS_BAD_CURSOR, "The cursor is not one that this server gave out.");
    err_at(err, ERR_PARAMETER, STR("cursor"), text);
    err_allow(err, "the value of links.next or links.prev, unchanged");
    return STATUS_BAD_CURSOR;
}

enum status cursor_encode(const struct cursor *cursor, struct arena *arena, struct str *ret_text,
                          struct err *err)
{
    char hex[DIGEST_HEX_BYTES];
    enum status s = digest_hex(cursor->query, hex, err);
    if (s != STATUS_OK)
        return s;
    struct buf plain;
    buf_init(&plain, arena, CURSOR_TEXT_MAX);
    buf_printf(&plain, "%d|%lld|%.*s|", cursor->is_backward ? 2 : 1, (long long)cursor->generation,
               DIGEST_CHARS, hex);
    for (size_t i = 0; i < cursor->n_values; i++) {
        if (cursor->values[i].ptr == NULL) {
            buf_add_char(&plain, 'n');
            continue;
        }
        buf_printf(&plain, "%zu:", cursor->values[i].len);
        buf_add(&plain, cursor->values[i]);
    }
    s = digest_hex(buf_str(&plain), hex, err);
    if (s != STATUS_OK)
        return s;
    buf_printf(&plain, "|%.*s", DIGEST_CHARS, hex);
    struct buf text;
    buf_init(&text, arena, (size_t)2 * CURSOR_TEXT_MAX);
    encode(buf_str(&plain), &text);
    if (plain.failed || text.failed)
        return err_set(err, STATUS_TOO_LARGE, "The row's key is too long for a cursor.");
    *ret_text = buf_str(&text);
    return STATUS_OK;
}

/* The parts of a decoded cursor whose check digest is right. */
struct opened {
    bool is_backward;
    int64_t generation;
    struct str query_digest, values;
};

static enum status open_cursor(struct str text, struct arena *arena, struct opened *ret,
                               struct err *err)
{
    struct buf plain;
    buf_init(&plain, arena, CURSOR_TEXT_MAX + DIGEST_CHARS + 1);
    if (text.len == 0 || text.len > (size_t)2 * CURSOR_TEXT_MAX || !decode(text, &plain))
        return bad(text, err);
    struct str all = buf_str(&plain);
    if (all.len < DIGEST_CHARS + 1 || all.ptr[all.len - DIGEST_CHARS - 1] != '|')
        return bad(text, err);
    struct str body = str_sub(all, 0, all.len - DIGEST_CHARS - 1);
    char hex[DIGEST_HEX_BYTES];
    enum status s = digest_hex(body, hex, err);
    if (s != STATUS_OK)
        return s;
    struct str version, generation;
    struct opened opened;
    bool is_ours =
        str_eq(str_sub(all, all.len - DIGEST_CHARS, all.len), (struct str){hex, DIGEST_CHARS}) &&
        str_next_field(&body, '|', &version) &&
        (str_eq_c(version, "1") || str_eq_c(version, "2")) &&
        str_next_field(&body, '|', &generation) && str_to_i64(generation, &opened.generation) &&
        str_next_field(&body, '|', &opened.query_digest);
    if (!is_ours)
        return bad(text, err);
    opened.is_backward = str_eq_c(version, "2");
    opened.values = body.ptr == NULL ? STR("") : body;
    *ret = opened;
    return STATUS_OK;
}

enum status cursor_generation(struct str text, struct arena *arena, int64_t *ret, struct err *err)
{
    struct opened opened;
    enum status s = open_cursor(text, arena, &opened, err);
    if (s == STATUS_OK)
        *ret = opened.generation;
    return s;
}

/* Cuts one value off the front of *rest. */
static bool next_value(struct str *rest, struct str *ret)
{
    if (rest->len > 0 && rest->ptr[0] == 'n') {
        *rest = str_sub(*rest, 1, rest->len);
        *ret = STR_NONE;
        return true;
    }
    size_t colon = str_find(*rest, ':', 0);
    int64_t len;
    if (colon == rest->len || !str_to_i64(str_sub(*rest, 0, colon), &len) || len < 0 ||
        (size_t)len > rest->len - colon - 1)
        return false;
    *ret = (struct str){rest->ptr + colon + 1, (size_t)len};
    *rest = str_sub(*rest, colon + 1 + (size_t)len, rest->len);
    return true;
}

enum status cursor_decode(struct str text, struct str query, size_t n_values, struct arena *arena,
                          struct cursor *ret, struct err *err)
{
    struct opened opened;
    char hex[DIGEST_HEX_BYTES];
    enum status s = open_cursor(text, arena, &opened, err);
    if (s == STATUS_OK)
        s = digest_hex(query, hex, err);
    if (s != STATUS_OK)
        return s;
    if (!str_eq(opened.query_digest, (struct str){hex, DIGEST_CHARS})) {
        (void)err_set(err, STATUS_CURSOR_MISMATCH,
                      "The cursor was given out for a query with other parameters.");
        err_at(err, ERR_PARAMETER, STR("cursor"), text);
        err_allow(err, "the same parameters as in the query that returned this cursor");
        return STATUS_CURSOR_MISMATCH;
    }
    struct cursor cursor = {.is_backward = opened.is_backward,
                            .generation = opened.generation,
                            .query = query,
                            .n_values = n_values};
    cursor.values = arena_array(arena, n_values, sizeof *cursor.values);
    if (cursor.values == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n_values; i++)
        if (!next_value(&opened.values, &cursor.values[i]))
            return bad(text, err);
    if (opened.values.len != 0)
        return bad(text, err);
    *ret = cursor;
    return STATUS_OK;
}
