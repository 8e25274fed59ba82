/* table_csv.c - RFC 4180: CRLF, a field with a comma, quote or line break quoted, NULL empty and "" the empty text. */
#include "handlers/table_write.h"

#include <string.h>

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ',' || c == '"' || c == '\r' || c == '\n')
            return false;
    }
    return text.len > 0;
}

static void put_quoted(struct buf *out, struct str text, bool has_mark)
{
    buf_add_char(out, '"');
    if (has_mark)
        buf_add_char(out, '\'');
    for (struct str rest = text; rest.len > 0;) {
        size_t quote = str_find(rest, '"', 0);
        buf_add(out, str_sub(rest, 0, quote));
        if (quote < rest.len)
            buf_add(out, STR("\"\""));
        rest = str_sub(rest, quote < rest.len ? quote + 1 : quote, rest.len);
    }
    buf_add_char(out, '"');
}

static void put_field(struct buf *out, struct str text, bool has_mark)
{
    if (text.ptr == NULL)
        return;
    if (!is_plain(text)) {
        put_quoted(out, text, has_mark);
        return;
    }
    char *to = buf_room(out, text.len + 1);
    if (to == NULL)
        return;
    if (has_mark)
        *to++ = '\'';
    memcpy(to, text.ptr, text.len);
    out->len += text.len + (has_mark ? 1 : 0);
}

/* Text that a spreadsheet takes for a formula: OWASP, "CSV Injection". Numbers keep their sign. */
static bool is_formula(enum column_kind kind, struct str text)
{
    return text.len > 0 && !column_is_number(kind) && strchr("=+-@\t\r", text.ptr[0]) != NULL &&
           text.ptr[0] != '\0';
}

static enum status begin(struct table *table, struct err *err)
{
    (void)err;
    if (table->options.has_bom)
        buf_add(&table->out, STR("\xEF\xBB\xBF"));
    if (table->options.has_no_header)
        return STATUS_OK;
    for (size_t i = 0; i < table->n_columns; i++) {
        if (i > 0)
            buf_add_char(&table->out, ',');
        put_field(&table->out, table->columns[i].name, false);
    }
    buf_add(&table->out, STR("\r\n"));
    return STATUS_OK;
}

static enum status row(struct table *table, const struct str *values, struct err *err)
{
    struct buf *out = &table->out;
    bool is_safe = table->options.is_csv_safe;
    (void)err;
    for (size_t i = 0; i < table->n_columns; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        put_field(out, values[i], is_safe && is_formula(table->columns[i].kind, values[i]));
    }
    buf_add(out, STR("\r\n"));
    return STATUS_OK;
}

const struct table_writer table_csv = {.begin = begin, .row = row};
