/* html.c - cells of tables: tags are looked for by name, whatever the page is. */
#include "ingest/html.h"

#include <string.h>

enum { CELL_BYTES_MAX = 1 << 16 };

/* Is there the tag <name or </name at i? A name ends where no letter follows. */
static bool is_tag(struct str s, size_t i, const char *name, bool is_end)
{
    size_t n = strlen(name), at = i + 1 + (is_end ? 1 : 0);
    if (s.ptr[i] != '<' || at + n >= s.len || (is_end && s.ptr[i + 1] != '/'))
        return false;
    char next = s.ptr[at + n];
    return str_eq_nocase(str_sub(s, at, at + n), str_of(name)) &&
           (next == '>' || next == '/' || next == ' ' || (next >= '\t' && next <= '\r'));
}

/* Behind the tag that begins at i: quotes hide a '>'. */
static size_t behind_tag(struct str s, size_t i)
{
    char quote = '\0';
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return i + 1;
    }
    return s.len;
}

/* Behind the end of an element whose text is not shown; 0: none of them begins at i. */
static size_t behind_hidden(struct str s, size_t i)
{
    static const char *const names[] = {"sup", "style", "script"};
    for (size_t k = 0; k < ARRAY_LEN(names); k++) {
        if (!is_tag(s, i, names[k], false))
            continue;
        for (size_t j = i + 1; j < s.len; j++)
            if (is_tag(s, j, names[k], true))
                return behind_tag(s, j);
        return s.len;
    }
    return 0;
}

static void add_code_point(struct buf *out, int64_t c)
{
    if (c <= 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return;
    if (c < 0x80) {
        buf_add_char(out, (char)c);
        return;
    }
    char bytes[4];
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)((0xf00 >> n & 0xff) | c);
    buf_add(out, (struct str){bytes, n});
}

/* The entity that begins at i, and how long it is; an unknown one stays as it is. */
static size_t add_entity(struct buf *out, struct str s, size_t i)
{
    static const struct {
        const char *name, *text;
    } known[] = {{"&amp;", "&"},   {"&lt;", "<"},   {"&gt;", ">"},
                 {"&quot;", "\""}, {"&apos;", "'"}, {"&nbsp;", " "}};
    struct str rest = str_sub(s, i, s.len);
    for (size_t k = 0; k < ARRAY_LEN(known); k++)
        if (str_starts(rest, str_of(known[k].name))) {
            buf_add_c(out, known[k].text);
            return strlen(known[k].name);
        }
    size_t end = str_find(s, ';', i);
    int64_t number = 0;
    if (end < s.len && end - i < 10 && end - i > 2 && s.ptr[i + 1] == '#' &&
        str_to_i64(str_sub(s, i + 2, end), &number)) {
        add_code_point(out, number);
        return end + 1 - i;
    }
    buf_add_char(out, '&');
    return 1;
}

static void add_blank(struct buf *out)
{
    if (out->len > 0 && out->ptr[out->len - 1] != ' ')
        buf_add_char(out, ' ');
}

/* The text between from and the cell's end, where *ret_end is left. */
static bool read_text(struct str s, size_t from, struct buf *out, size_t *ret_end)
{
    for (size_t i = from; i < s.len && !out->failed;) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (is_tag(s, i, "td", true) || is_tag(s, i, "td", false) || is_tag(s, i, "tr", true) ||
            is_tag(s, i, "table", true)) {
            *ret_end = i;
            return true;
        }
        size_t behind = c == '<' ? behind_hidden(s, i) : 0;
        if (behind > 0) {
            i = behind;
        } else if (c == '<' && i + 1 < s.len && s.ptr[i + 1] > ' ' && s.ptr[i + 1] != '=') {
            i = behind_tag(s, i);
        } else if (c == '&') {
            i += add_entity(out, s, i);
        } else if (c <= ' ') {
            add_blank(out);
            i++;
        } else {
            buf_add_char(out, (char)c);
            i++;
        }
    }
    return false;
}

enum status html_next_cell(struct str *rest, struct arena *arena, struct html_cell *ret,
                           bool *ret_found, struct err *err)
{
    struct str s = *rest;
    bool is_first = false;
    *ret_found = false;
    for (size_t i = 0; i < s.len; i++) {
        is_first |= is_tag(s, i, "tr", false);
        if (!is_tag(s, i, "td", false))
            continue;
        struct buf text;
        size_t end = 0;
        buf_init(&text, arena, CELL_BYTES_MAX);
        bool has_end = read_text(s, behind_tag(s, i), &text, &end);
        if (text.failed)
            return text.len + 8 > CELL_BYTES_MAX
                       ? err_set(err, STATUS_BAD_DATA, "A cell of the table is too long.")
                       : err_out_of_memory(err);
        if (!has_end)
            return err_set(err, STATUS_BAD_DATA, "A cell of the table does not end.");
        *ret = (struct html_cell){str_trim(buf_str(&text)), is_first};
        *rest = str_sub(s, end, s.len);
        *ret_found = true;
        return STATUS_OK;
    }
    *rest = str_sub(s, s.len, s.len);
    return STATUS_OK;
}
