/* api_key.c - makes and reads keys. The base32 alphabet is a-z2-7; a digit means five bits, high bits first. */
#define _GNU_SOURCE
#include "store/api_key.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { SECRET_BYTES = 32, SECRET_CHARS = 52, CHECK_CHARS = 7, ID_DIGITS_MAX = 18 };

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
static const struct str prefix = {"cmmc_", 5};

/* CRC-32 (ISO 3309, as in zlib), four bits at a time. */
static uint32_t checksum(struct str text)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < text.len; i++) {
        crc ^= (unsigned char)text.ptr[i];
        crc = table[crc & 15] ^ (crc >> 4);
        crc = table[crc & 15] ^ (crc >> 4);
    }
    return ~crc;
}

static void put_check(struct str text, char ret[CHECK_CHARS])
{
    uint64_t bits = (uint64_t)checksum(text) << 3; /* 32 bits in 35 */
    for (size_t i = 0; i < CHECK_CHARS; i++)
        ret[i] = alphabet[bits >> (5 * (CHECK_CHARS - 1 - i)) & 31];
}

static void put_secret(const unsigned char raw[SECRET_BYTES], char ret[SECRET_CHARS])
{
    unsigned bits = 0, n_bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < SECRET_CHARS; i++) {
        if (n_bits < 5) {
            bits = bits << 8 | (at < SECRET_BYTES ? raw[at] : 0U);
            at++;
            n_bits += 8;
        }
        n_bits -= 5;
        ret[i] = alphabet[bits >> n_bits & 31];
    }
}

enum status api_key_make(int64_t id, char ret_text[API_KEY_TEXT_BYTES],
                         unsigned char ret_hash[DIGEST_BYTES], struct err *err)
{
    unsigned char raw[SECRET_BYTES];
    if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
        return err_set(err, STATUS_INTERNAL, "The system gives no random numbers.");
    int n = snprintf(ret_text, API_KEY_TEXT_BYTES, "cmmc_%lld_", (long long)id);
    put_secret(raw, ret_text + n);
    explicit_bzero(raw, sizeof raw);
    size_t len = (size_t)n + SECRET_CHARS;
    put_check((struct str){ret_text, len}, ret_text + len);
    ret_text[len + CHECK_CHARS] = '\0';
    return digest_raw((struct str){ret_text, len + CHECK_CHARS}, ret_hash, err);
}

/* Length of "cmmc_<digits>_" at the front of text; 0 when it does not start so. */
static size_t head_length(struct str text)
{
    if (!str_starts(text, prefix))
        return 0;
    size_t at = prefix.len;
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
        at++;
    size_t n_digits = at - prefix.len;
    bool is_head =
        n_digits > 0 && n_digits <= ID_DIGITS_MAX && at < text.len && text.ptr[at] == '_';
    return is_head ? at + 1 : 0;
}

bool api_key_parse(struct str text, int64_t *ret_id)
{
    size_t head = head_length(text);
    char check[CHECK_CHARS];
    int64_t id;
    if (head == 0 || text.len != head + SECRET_CHARS + CHECK_CHARS ||
        !str_to_i64(str_sub(text, prefix.len, head - 1), &id))
        return false;
    for (size_t i = head; i < text.len; i++)
        if (memchr(alphabet, text.ptr[i], sizeof alphabet - 1) == NULL)
            return false;
    put_check(str_sub(text, 0, head + SECRET_CHARS), check);
    if (memcmp(check, text.ptr + head + SECRET_CHARS, CHECK_CHARS) != 0)
        return false;
    *ret_id = id;
    return true;
}

bool api_key_is_in(struct str text, size_t *ret_at)
{
    for (size_t at = 0; at + prefix.len < text.len; at++) {
        if (text.ptr[at] != 'c' || head_length(str_sub(text, at, text.len)) == 0)
            continue;
        if (ret_at != NULL)
            *ret_at = at;
        return true;
    }
    return false;
}

static const char *const scope_names[] = {"read", "backtest", "admin"};

bool scopes_parse(struct str text, unsigned *ret)
{
    unsigned scopes = 0;
    struct str item;
    while (str_next_field(&text, ',', &item)) {
        unsigned bit = 0;
        for (size_t i = 0; i < ARRAY_LEN(scope_names); i++)
            if (str_eq_c(str_trim(item), scope_names[i]))
                bit = 1U << i;
        if (bit == 0 || (scopes & bit) != 0)
            return false;
        scopes |= bit;
    }
    *ret = scopes;
    return scopes != 0;
}

const char *scopes_text(unsigned scopes)
{
    static const char *const texts[SCOPE_ALL + 1] = {
        "",      "read",       "backtest",       "read,backtest",
        "admin", "read,admin", "backtest,admin", "read,backtest,admin"};
    return texts[scopes & SCOPE_ALL];
}

bool api_key_name_is_valid(struct str name)
{
    if (name.len == 0 || name.len > API_KEY_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_other = (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
        if (!is_letter && !(is_other && i > 0))
            return false;
    }
    return true;
}
