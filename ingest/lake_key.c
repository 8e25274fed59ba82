/* lake_key.c - keys of the lake taken apart and checked; addresses without their secrets. */
#include "ingest/lake_impl.h"

#include "base/date.h"

#include <string.h>
#include <strings.h>

static bool is_name(struct str s)
{
    if (s.len == 0 || s.len > LAKE_FILE_MAX || s.ptr[0] == '.')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_letter && c != '.' && c != '-' && c != '_')
            return false;
    }
    return true;
}

bool lake_partition_parse(struct str s, struct lake_key *ret)
{
    int64_t year = 0;
    if (str_starts(s, STR("ymd=")) && date_parse(str_sub(s, 4, s.len), &ret->from)) {
        ret->to = ret->from + 1;
        return true;
    }
    if (!str_starts(s, STR("year=")) || s.len != 9 || !str_to_i64(str_sub(s, 5, 9), &year) ||
        year < 1900 || year > 2199)
        return false;
    ret->from = date_from_civil((struct civil){(int)year, 1, 1});
    ret->to = date_from_civil((struct civil){(int)year + 1, 1, 1});
    return true;
}

static bool parse(struct str key, struct lake_key *ret)
{
    struct str rest = key, part = STR_NONE;
    if (key.len > LAKE_KEY_MAX || !str_next_field(&rest, '/', &part) ||
        (!str_eq_c(part, "bronze") && !str_eq_c(part, "silver")) || rest.ptr == NULL)
        return false;
    const char *start = rest.ptr;
    while (str_next_field(&rest, '/', &part) && is_name(part))
        ret->dataset = (struct str){start, (size_t)(part.ptr + part.len - start)};
    if (part.ptr == start || !lake_partition_parse(part, ret))
        return false;
    ret->file = rest;
    return is_name(rest);
}

enum status lake_key_parse(struct str key, struct lake_key *ret, struct err *err)
{
    struct lake_key parsed = {0};
    if (!parse(key, &parsed)) {
        (void)err_set(err, STATUS_BAD_VALUE, "This is not the key of an object of the lake.");
        err_at(err, ERR_PARAMETER, STR("key"), key);
        err_allow(err, "bronze/{dataset}/ymd=YYYY-MM-DD/{file} or .../year=YYYY/{file}; letters, "
                       "digits, '.', '-' and '_'");
        return STATUS_BAD_VALUE;
    }
    *ret = parsed;
    return STATUS_OK;
}

static bool is_secret_name(struct str name)
{
    static const char *const words[] = {"key",       "token", "secret",    "passw",
                                        "signature", "auth",  "credential"};
    for (size_t w = 0; w < ARRAY_LEN(words); w++) {
        size_t n = strlen(words[w]);
        for (size_t i = 0; i + n <= name.len; i++)
            if (strncasecmp(name.ptr + i, words[w], n) == 0)
                return true;
    }
    return false;
}

/* One parameter name=value, its value hidden when the name says that it is secret. */
static void add_parameter(struct buf *out, struct str field)
{
    size_t equals = str_find(field, '=', 0);
    bool is_hidden = equals < field.len && is_secret_name(str_sub(field, 0, equals));
    buf_add(out, is_hidden ? str_sub(field, 0, equals + 1) : field);
    buf_add_c(out, is_hidden ? "***" : "");
}

static void add_redacted(struct buf *out, struct str url)
{
    size_t query = str_find(url, '?', 0);
    const char *scheme = strstr(url.ptr, "://");
    size_t host = scheme == NULL ? 0 : (size_t)(scheme - url.ptr) + 3;
    size_t path = str_find(url, '/', host);
    size_t end = path < query ? path : query, at = host;
    for (size_t i = host; i < end; i++)
        if (url.ptr[i] == '@')
            at = i + 1;
    buf_add(out, str_sub(url, 0, host));
    buf_add(out, str_sub(url, at, query));
    struct str rest = str_sub(url, query < url.len ? query + 1 : url.len, url.len), field;
    for (char mark = '?'; query < url.len && str_next_field(&rest, '&', &field); mark = '&') {
        buf_add_char(out, mark);
        add_parameter(out, field);
    }
}

void lake_url_redact(struct str url, char ret[LAKE_URL_MAX])
{
    char whole[LAKE_URL_MAX];
    struct str cut = str_utf8_cut(url, LAKE_URL_MAX / 2);
    struct buf out;
    for (size_t i = 0; i < cut.len; i++)
        whole[i] = (unsigned char)cut.ptr[i] < ' ' ? ' ' : cut.ptr[i];
    whole[cut.len] = '\0';
    buf_init_fixed(&out, ret, LAKE_URL_MAX);
    add_redacted(&out, (struct str){whole, cut.len});
    const char *text = buf_c_str(&out);
    if (text == NULL)
        ret[0] = '\0';
    else if (text != ret)
        memmove(ret, text, out.len + 1);
}
