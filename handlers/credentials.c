/* credentials.c - reads the Authorization header; first step of admission. */
#include "handlers/credentials.h"

#include "server/query_string.h"
#include "store/api_key.h"

#include <string.h>

enum { VALUE_MAX = 256, SECRET_CHARS_MIN = 32 };

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

/* Padding may be left out. room holds 3/4 of text. */
static bool base64_read(struct str text, char *room, struct str *ret)
{
    unsigned bits = 0, n_bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < 2 && text.len > 0 && text.ptr[text.len - 1] == '='; i++)
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        int digit = base64_digit(text.ptr[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (unsigned)digit;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            room[n++] = (char)(bits >> n_bits & 255);
        }
        bits &= 255;
    }
    *ret = (struct str){room, n};
    return text.len % 4 != 1;
}

bool credentials_read(struct str authorization, char room[CREDENTIALS_MAX], struct str *ret_key)
{
    struct str text = str_trim(authorization);
    if (text.ptr == NULL || text.len > CREDENTIALS_MAX)
        return false;
    size_t end = str_find(text, ' ', 0);
    struct str scheme = str_sub(text, 0, end), rest = str_trim(str_sub(text, end, text.len));
    if (str_eq_nocase(scheme, STR("Bearer"))) {
        *ret_key = rest;
        return rest.len > 0;
    }
    struct str pair;
    if (!str_eq_nocase(scheme, STR("Basic")) || !base64_read(rest, room, &pair))
        return false;
    size_t colon = str_find(pair, ':', 0);
    if (colon == pair.len)
        return false;
    *ret_key = str_sub(pair, colon + 1, pair.len);
    return ret_key->len > 0;
}

static bool is_name(struct str name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    return false;
}

static bool could_be_secret(struct str value)
{
    size_t n = 0;
    for (; n < value.len; n++) {
        char c = value.ptr[n];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            break;
    }
    return n >= SECRET_CHARS_MIN;
}

/* The decoded beginning of text: nobody hides a name or a key behind escapes. */
static struct str decoded(struct str text, char room[VALUE_MAX])
{
    struct str ret;
    text = str_sub(text, 0, VALUE_MAX);
    if (str_find(text, '%', 0) == text.len && str_find(text, '+', 0) == text.len)
        return text.len == 0 ? STR("") : text;
    while (text.len > 0 && !percent_decode(text, true, room, &ret)) /* a cut or broken escape */
        text.len--;
    return text.len == 0 ? STR("") : ret;
}

bool credentials_in_query(struct str query, struct str *ret_name)
{
    static const char *const always[] = {"api_key", "apikey", "api-key", "access_token"};
    static const char *const maybe[] = {"key", "token"};
    struct str rest = query, piece;
    while (str_next_field(&rest, '&', &piece)) {
        char name_room[VALUE_MAX], value_room[VALUE_MAX];
        size_t at = str_find(piece, '=', 0);
        struct str raw = str_sub(piece, 0, at);
        struct str name = decoded(raw, name_room);
        struct str value = decoded(str_sub(piece, at + 1, piece.len), value_room);
        if (!api_key_is_in(value, NULL) && !is_name(name, always, ARRAY_LEN(always)) &&
            !(is_name(name, maybe, ARRAY_LEN(maybe)) && could_be_secret(value)))
            continue;
        *ret_name = raw;
        return true;
    }
    return false;
}
