/* schema_hash.c - names are looked for in the text: no tree is built for them. */
#include "ingest/schema_hash.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 128 };

struct names {
    struct str name[SCHEMA_NAMES_MAX];
    size_t n;
    bool is_full;
};

static int compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Where name belongs among the sorted ones; bodies repeat their names thousands of times. */
static void add(struct names *names, struct str name)
{
    bool is_data =
        name.len == 0 || name.len > NAME_MAX_BYTES || (name.ptr[0] >= '0' && name.ptr[0] <= '9');
    if (is_data || names->is_full ||
        bsearch(&name, names->name, names->n, sizeof name, compare) != NULL)
        return;
    if (names->n == SCHEMA_NAMES_MAX) {
        names->is_full = true;
        return;
    }
    size_t at = names->n++;
    for (; at > 0 && str_cmp(names->name[at - 1], name) > 0; at--)
        names->name[at] = names->name[at - 1];
    names->name[at] = name;
}

/* Strings with a colon behind them. */
static void scan_json(struct str body, struct names *names)
{
    for (size_t i = 0; i < body.len; i++) {
        if (body.ptr[i] != '"')
            continue;
        size_t from = ++i;
        while (i < body.len && body.ptr[i] != '"')
            i += body.ptr[i] == '\\' ? 2 : 1;
        if (i >= body.len)
            return;
        size_t next = i + 1;
        while (next < body.len && (body.ptr[next] == ' ' || body.ptr[next] == '\n'))
            next++;
        if (next < body.len && body.ptr[next] == ':')
            add(names, str_sub(body, from, i));
    }
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool ends_name(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '/' || c == '>';
}

static void scan_elements(struct str body, struct names *names)
{
    for (size_t i = 0; i + 1 < body.len; i++) {
        if (body.ptr[i] != '<' || !is_letter(body.ptr[i + 1]))
            continue;
        size_t from = i + 1;
        while (i + 1 < body.len && !ends_name(body.ptr[i + 1]))
            i++;
        add(names, str_sub(body, from, i + 1));
    }
}

enum status schema_hash(struct str body, char ret[DIGEST_HEX_BYTES], struct err *err)
{
    CLEANUP(digest_freep) struct digest *digest = NULL;
    unsigned char raw[DIGEST_BYTES];
    struct names names = {.n = 0};
    size_t at = 0;
    ret[0] = '\0';
    while (at < body.len && body.ptr[at] <= ' ')
        at++;
    char first = at < body.len ? body.ptr[at] : '\0';
    if (first == '{' || first == '[')
        scan_json(body, &names);
    else if (first == '<')
        scan_elements(body, &names);
    else
        add(&names, str_sub(body, at, str_find(body, '\n', at)));
    if (names.n == 0 || names.is_full)
        return STATUS_OK;
    enum status s = digest_new(&digest, err);
    for (size_t i = 0; s == STATUS_OK && i < names.n; i++) {
        s = digest_add(digest, names.name[i], err);
        if (s == STATUS_OK)
            s = digest_add(digest, STR("\n"), err);
    }
    if (s == STATUS_OK)
        s = digest_finish(digest, raw, err);
    if (s == STATUS_OK)
        digest_to_hex(raw, ret);
    return s;
}
