/* fuzz_csv.c - any bytes as CSV: refused with its line, or rows that survive being written and read again. */
#include "base/csv_in.h"

#include "base/arena.h"

#include <assert.h>
#include <string.h>

enum { ROW_BYTES = 4096, FIELD_BYTES = 1024, FIELDS = 16, FIRST_PIECE_BYTES = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes that come in pieces, the first one large enough for a byte-order mark. */
struct source {
    struct str left;
    size_t piece_bytes;
    bool is_started;
};

static enum status next_piece(void *from, char *to, size_t size, size_t *ret_n, struct err *err)
{
    struct source *source = from;
    size_t n = source->piece_bytes;
    if (!source->is_started && n < FIRST_PIECE_BYTES)
        n = FIRST_PIECE_BYTES;
    n = n < size ? n : size;
    n = n < source->left.len ? n : source->left.len;
    if (n > 0)
        memcpy(to, source->left.ptr, n);
    source->left = str_sub(source->left, n, source->left.len);
    source->is_started = true;
    *ret_n = n;
    (void)err;
    return STATUS_OK;
}

static void put_field(struct buf *out, struct str field)
{
    if (field.ptr == NULL)
        return;
    buf_add_char(out, '"');
    for (size_t i = 0; i < field.len; i++) {
        if (field.ptr[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, field.ptr[i]);
    }
    buf_add_char(out, '"');
}

/* Writes the rows read before the end or the first refusal, and what was refused. */
static enum status read_all(struct str input, size_t piece_bytes, struct buf *out, struct err *err)
{
    struct source source = {input, piece_bytes, false};
    struct csv_limits limits = {ROW_BYTES, FIELD_BYTES, FIELDS};
    CLEANUP(csv_freep) struct csv_in *csv = NULL;
    enum status s = csv_new(next_piece, &source, limits, &csv, err);
    assert(s == STATUS_OK);
    size_t width = 0;
    int64_t line = 0;
    for (;;) {
        bool has_row = false;
        s = csv_next(csv, &has_row, err);
        if (s != STATUS_OK || !has_row)
            return s;
        assert(csv_width(csv) > 0 && csv_width(csv) <= FIELDS);
        assert(width == 0 || csv_width(csv) == width);
        assert(csv_line(csv) > line);
        width = csv_width(csv);
        line = csv_line(csv);
        for (size_t i = 0; i < width; i++) {
            struct str field = csv_field(csv, i);
            assert(field.len <= FIELD_BYTES && str_is_utf8(field));
            assert(field.len == 0 || memchr(field.ptr, '\0', field.len) == NULL);
            if (i > 0)
                buf_add_char(out, ',');
            put_field(out, field);
        }
        buf_add_char(out, '\n');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf rows, in_pieces, again;
    struct err err = {0}, err_in_pieces = {0};
    struct str input = {(const char *)data, size};

    arena_init(&arena, (size_t)1 << 26);
    buf_init(&rows, &arena, (size_t)1 << 24);
    buf_init(&in_pieces, &arena, (size_t)1 << 24);
    buf_init(&again, &arena, (size_t)1 << 24);
    enum status s = read_all(input, SIZE_MAX, &rows, &err);
    assert(s == STATUS_OK || (s == STATUS_BAD_CSV && err.where == ERR_LINE && err.name[0] != '\0'));
    enum status t = read_all(input, size % 7 + 1, &in_pieces, &err_in_pieces);
    assert(s == t && str_eq(buf_str(&rows), buf_str(&in_pieces)));
    assert(strcmp(err.detail, err_in_pieces.detail) == 0 &&
           strcmp(err.name, err_in_pieces.name) == 0);
    t = read_all(buf_str(&rows), SIZE_MAX, &again, &err);
    assert(rows.failed || (t == STATUS_OK && str_eq(buf_str(&rows), buf_str(&again))));
    (void)s;
    (void)t;
    arena_clear(&arena);
    return 0;
}
