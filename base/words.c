/* words.c - see words.h. */
#include "base/words.h"

#include <string.h>

/* ASCII but letters, digits and NUL; then no-break space, guillemets, middle dots, dashes, quotes, CJK and full-width
 * punctuation. */
const char words_separators[] =
    "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b"
    "\x1c\x1d\x1e\x1f !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x7f"
    "\u00a0\u00ab\u00b7\u00bb\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u3000\u3001\u3002\u3008\u3009\u300a"
    "\u300b\u300c\u300d\u300e\u300f\u3010\u3011\u30fb\u318d\uff01\uff08\uff09\uff0c\uff0e\uff1a\uff1b\uff1f";

static size_t character_bytes(unsigned char lead)
{
    return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static bool is_ascii_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* at[0..n) is one character beyond ASCII; UTF-8 is found in UTF-8 only at the beginning of a character. */
static bool is_wide_separator(const char *at, size_t n)
{
    char character[5] = {0};
    memcpy(character, at, n);
    return strstr(words_separators, character) != NULL;
}

size_t words_normalise(struct str s, char *out)
{
    size_t len = 0;
    out[len++] = ' ';
    for (size_t i = 0; i < s.len;) {
        unsigned char c = (unsigned char)s.ptr[i];
        size_t n = character_bytes(c);
        if (n > s.len - i)
            n = 1;
        if (n == 1) {
            bool is_kept = c >= 0x80 || c == '\0' || is_ascii_word(c);
            out[len++] = !is_kept ? ' ' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : (char)c;
        } else if (is_wide_separator(s.ptr + i, n)) {
            out[len++] = ' ';
        } else {
            memcpy(out + len, s.ptr + i, n);
            len += n;
        }
        i += n;
    }
    out[len++] = ' ';
    return len;
}
