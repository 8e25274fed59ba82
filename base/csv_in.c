/*
 * csv_in.c - one pass over the bytes with a small state machine; the current row lies unquoted in one
 * buffer, which only its limit bounds.
 */
#include "base/csv_in.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES = 64 * 1024 };

/* AFTER_CR: behind the CR that follows a closing quote, where only the LF of the line's end may come. */
enum state { FIELD_START, IN_PLAIN, IN_QUOTED, AFTER_QUOTE, AFTER_CR };

struct field {
    size_t from, len;
    bool is_quoted;
};

struct csv_in {
    csv_source source;
    void *from;
    struct csv_limits limits;
    int64_t line;     /* of the byte read next */
    int64_t row_line; /* where the current row began */
    size_t width;     /* of the first row; 0 before it */
    char *row;        /* limits.row_bytes */
    size_t row_len;
    struct field *fields; /* limits.n_fields */
    size_t n_fields;
    bool was_quoted;
    bool is_at_end;
    size_t at, end; /* unread input */
    char input[INPUT_BYTES];
};

enum status csv_new(csv_source source, void *from, struct csv_limits limits, struct csv_in **ret,
                    struct err *err)
{
    struct csv_in *csv = calloc(1, sizeof *csv);
    if (csv != NULL) {
        csv->source = source;
        csv->from = from;
        csv->limits = limits;
        csv->line = 1;
        csv->row = malloc(limits.row_bytes + 1);
        csv->fields = calloc(limits.n_fields, sizeof *csv->fields);
    }
    if (csv == NULL || csv->row == NULL || csv->fields == NULL) {
        csv_free(csv);
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while reading CSV.");
    }
    *ret = csv;
    return STATUS_OK;
}

void csv_free(struct csv_in *csv)
{
    if (csv == NULL)
        return;
    free(csv->row);
    free(csv->fields);
    free(csv);
}

void csv_freep(struct csv_in **csv)
{
    csv_free(*csv);
    *csv = NULL;
}

static enum status bad_csv(int64_t line, struct err *err, const char *detail)
{
    char number[24];
    size_t at = sizeof number;
    for (int64_t left = line; left > 0; left /= 10)
        number[--at] = (char)('0' + left % 10);
    enum status s = err_set(err, STATUS_BAD_CSV, "%s", detail);
    err_at(err, ERR_LINE, (struct str){number + at, sizeof number - at}, STR_NONE);
    return s;
}

static enum status fill(struct csv_in *csv, struct err *err)
{
    bool is_start = csv->line == 1 && csv->end == 0;
    size_t n = 0, more = 0;
    do { /* a byte-order mark may come in pieces */
        enum status s = csv->source(csv->from, csv->input + n, sizeof csv->input - n, &more, err);
        if (s != STATUS_OK)
            return s;
        n += more;
    } while (is_start && more > 0 && n < 3);
    csv->at = 0;
    csv->end = n;
    csv->is_at_end = n == 0;
    if (is_start && n >= 3 && memcmp(csv->input, "\xEF\xBB\xBF", 3) == 0)
        csv->at = 3;
    return STATUS_OK;
}

static enum status end_field(struct csv_in *csv, struct err *err)
{
    size_t from = 0;
    if (csv->n_fields > 0)
        from = csv->fields[csv->n_fields - 1].from + csv->fields[csv->n_fields - 1].len;
    struct str text = {csv->row + from, csv->row_len - from};
    if (csv->n_fields == csv->limits.n_fields)
        return bad_csv(csv->row_line, err, "The row has more fields than allowed.");
    if (text.len > csv->limits.field_bytes)
        return bad_csv(csv->row_line, err, "A field is longer than allowed.");
    if (!str_is_utf8(text) || memchr(text.ptr, '\0', text.len) != NULL)
        return bad_csv(csv->row_line, err, "A field is not UTF-8 or contains a NUL byte.");
    csv->fields[csv->n_fields++] = (struct field){from, text.len, csv->was_quoted};
    csv->was_quoted = false;
    return STATUS_OK;
}

/* Nothing on the line but spaces. In a table of one column spaces are a value. */
static bool is_blank(const struct csv_in *csv)
{
    struct str text = {csv->row, csv->row_len};
    return csv->n_fields == 1 && !csv->fields[0].is_quoted &&
           (csv->width == 1 ? text.len == 0 : str_trim(text).len == 0);
}

static enum status end_row(struct csv_in *csv, struct err *err)
{
    enum status s = end_field(csv, err);
    if (s != STATUS_OK || is_blank(csv))
        return s;
    if (csv->width == 0)
        csv->width = csv->n_fields;
    if (csv->n_fields != csv->width)
        return bad_csv(csv->row_line, err,
                       "The row has another number of fields than the first one.");
    return STATUS_OK;
}

static enum status keep(struct csv_in *csv, char c, struct err *err)
{
    if (csv->row_len == csv->limits.row_bytes)
        return bad_csv(csv->row_line, err, "The row is longer than allowed.");
    csv->row[csv->row_len++] = c;
    return STATUS_OK;
}

/* One byte outside quotes, or right behind a closing quote. *ret_done when it ends the row. */
static enum status step_plain(struct csv_in *csv, enum state *state, char c, bool *ret_done,
                              struct err *err)
{
    if (*state == AFTER_CR && c != '\n')
        return bad_csv(csv->line, err, "Something other than a line end follows a closing quote.");
    if (c == ',') {
        *state = FIELD_START;
        return end_field(csv, err);
    }
    if (c == '\n') {
        /* A quoted field ends before its quote: a CR behind it was not kept. */
        if (*state == IN_PLAIN && csv->row[csv->row_len - 1] == '\r')
            csv->row_len--;
        csv->line++;
        *ret_done = true;
        return end_row(csv, err);
    }
    if (*state == AFTER_QUOTE) {
        if (c == '\r') {
            *state = AFTER_CR;
            return STATUS_OK;
        }
        return bad_csv(csv->line, err, "Something other than a comma follows a closing quote.");
    }
    if (c == '"') {
        if (*state == IN_PLAIN)
            return bad_csv(csv->line, err,
                           "A quote stands inside a field that does not begin with one.");
        csv->was_quoted = true;
        *state = IN_QUOTED;
        return STATUS_OK;
    }
    *state = IN_PLAIN;
    return keep(csv, c, err);
}

static enum status step(struct csv_in *csv, enum state *state, char c, bool *ret_done,
                        struct err *err)
{
    if (*state == IN_QUOTED) {
        if (c == '"') {
            *state = AFTER_QUOTE;
            return STATUS_OK;
        }
        if (c == '\n')
            csv->line++;
        return keep(csv, c, err);
    }
    if (*state == AFTER_QUOTE && c == '"') {
        *state = IN_QUOTED;
        return keep(csv, c, err);
    }
    return step_plain(csv, state, c, ret_done, err);
}

/* The input ended inside a row. */
static enum status finish(struct csv_in *csv, enum state state, struct err *err)
{
    if (state == IN_QUOTED)
        return bad_csv(csv->row_line, err, "A quote that begins in this row is not closed.");
    if (state == IN_PLAIN && csv->row[csv->row_len - 1] == '\r')
        csv->row_len--;
    return end_row(csv, err);
}

static enum status read_row(struct csv_in *csv, bool *ret_has_row, struct err *err)
{
    enum state state = FIELD_START;
    bool is_done = false;
    bool has_bytes = false;
    csv->row_len = 0;
    csv->n_fields = 0;
    csv->was_quoted = false;
    csv->row_line = csv->line;
    enum status s = STATUS_OK;
    while (s == STATUS_OK && !is_done) {
        if (csv->at == csv->end && !csv->is_at_end)
            s = fill(csv, err);
        if (s != STATUS_OK)
            return s;
        if (csv->at == csv->end && csv->is_at_end) {
            *ret_has_row = has_bytes;
            return has_bytes ? finish(csv, state, err) : STATUS_OK;
        }
        has_bytes = has_bytes || csv->at < csv->end;
        if (csv->at < csv->end)
            s = step(csv, &state, csv->input[csv->at++], &is_done, err);
    }
    if (s == STATUS_OK)
        *ret_has_row = true;
    return s;
}

enum status csv_next(struct csv_in *csv, bool *ret_has_row, struct err *err)
{
    int64_t blank_line = 0; /* the first one since the last row */
    bool has_row = false;
    do {
        enum status s = read_row(csv, &has_row, err);
        if (s != STATUS_OK)
            return s;
        if (has_row && is_blank(csv) && blank_line == 0)
            blank_line = csv->row_line;
    } while (has_row && is_blank(csv));
    if (has_row && blank_line > 0)
        return bad_csv(blank_line, err, "The line is empty, and rows come after it.");
    *ret_has_row = has_row;
    return STATUS_OK;
}

size_t csv_width(const struct csv_in *csv)
{
    return csv->n_fields;
}

struct str csv_field(const struct csv_in *csv, size_t field)
{
    const struct field *f = &csv->fields[field];
    return f->len == 0 && !f->is_quoted ? STR_NONE : (struct str){csv->row + f->from, f->len};
}

int64_t csv_line(const struct csv_in *csv)
{
    return csv->row_line;
}
