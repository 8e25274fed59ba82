/* universe.c - CSV, built in or from a file, becomes the symbols of a data set. */
#include "ingest/universe.h"

#include "base/array.h"
#include "base/csv_in.h"
#include "base/gzip.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROW_BYTES = 4096, FIELDS_MAX = 3 + UNIVERSE_SOURCES_MAX, ROWS_MAX = 20000 };

static const struct {
    const char *dataset, *line;
} lines[] = {
#define LINE(dataset, line) {#dataset, line "\n"},
#include "ingest/universe.def"
#undef LINE
};

/* Where the text comes from: a file, or the lines of one data set. */
struct origin {
    struct gzip_file *file;
    const char *dataset, *name; /* name: for messages */
    size_t next;
    struct str rest;
};

static enum status read_lines(void *from, char *to, size_t size, size_t *ret_n, struct err *err)
{
    struct origin *o = from;
    if (o->file != NULL)
        return gzip_read(o->file, to, size, ret_n, err);
    while (o->rest.len == 0 && o->next < ARRAY_LEN(lines)) {
        if (strcmp(lines[o->next].dataset, o->dataset) == 0)
            o->rest = str_of(lines[o->next].line);
        o->next++;
    }
    *ret_n = o->rest.len < size ? o->rest.len : size;
    if (*ret_n > 0)
        memcpy(to, o->rest.ptr, *ret_n);
    o->rest = str_sub(o->rest, *ret_n, o->rest.len);
    return STATUS_OK;
}

static enum status wrong(const struct origin *o, const struct csv_in *csv, struct str value,
                         const char *what, struct err *err)
{
    char place[32];
    (void)snprintf(place, sizeof place, "%lld", (long long)csv_line(csv));
    (void)err_set(err, STATUS_BAD_DATA, "Line %s of the universe %s: \"%.*s\" %s.", place, o->name,
                  STR_ARG(str_utf8_cut(value, 64)), what);
    err_at(err, ERR_LINE, str_of(place), value);
    return STATUS_BAD_DATA;
}

static enum status read_header(const struct origin *o, const struct csv_in *csv,
                               struct universe *ret, struct err *err)
{
    static const char *const first[] = {"symbol", "name", "currency"};
    for (size_t f = 0; f < csv_width(csv) || f < ARRAY_LEN(first); f++) {
        struct str field = f < csv_width(csv) ? csv_field(csv, f) : STR_NONE;
        if (f < ARRAY_LEN(first)) {
            if (!str_eq_c(field, first[f]))
                return wrong(o, csv, field, "should be symbol, name, currency in this order", err);
            continue;
        }
        const struct source *source = source_find(field);
        if (source == NULL || universe_column(ret, source) < ret->n_columns)
            return wrong(o, csv, field, "is not the name of a source, or there twice", err);
        ret->columns[ret->n_columns++] = source;
    }
    return STATUS_OK;
}

static bool copy_field(struct arena *arena, struct str field, struct str *ret)
{
    if (field.len == 0) {
        *ret = STR_NONE;
        return true;
    }
    const char *copy = arena_dup(arena, field);
    *ret = (struct str){copy, field.len};
    return copy != NULL;
}

static enum status read_row(const struct origin *o, const struct csv_in *csv, struct arena *arena,
                            struct universe *ret, struct err *err)
{
    struct universe_row *row = &ret->rows[ret->n];
    struct str symbol = csv_field(csv, 0);
    if (symbol.len == 0 || symbol.len > UNIVERSE_SYMBOL_MAX)
        return wrong(o, csv, symbol, "is no symbol of 1 to 64 bytes", err);
    bool has_memory = copy_field(arena, symbol, &row->symbol) &&
                      copy_field(arena, csv_field(csv, 1), &row->name) &&
                      copy_field(arena, csv_field(csv, 2), &row->currency);
    for (size_t c = 0; has_memory && c < ret->n_columns; c++)
        has_memory = copy_field(arena, csv_field(csv, 3 + c), &row->spelling[c]);
    if (!has_memory)
        return err_out_of_memory(err);
    for (size_t i = 0; i < ret->n; i++)
        if (str_eq(ret->rows[i].symbol, row->symbol))
            return wrong(o, csv, symbol, "is there twice", err);
    ret->n++;
    return STATUS_OK;
}

static enum status read_all(struct origin *o, struct arena *arena, struct universe *ret,
                            struct err *err)
{
    CLEANUP(csv_freep) struct csv_in *csv = NULL;
    struct csv_limits limits = {ROW_BYTES, ROW_BYTES, FIELDS_MAX};
    bool has_row = false;
    size_t cap = 0;
    enum status s = csv_new(read_lines, o, limits, &csv, err);
    if (s == STATUS_OK)
        s = csv_next(csv, &has_row, err);
    if (s == STATUS_OK && !has_row)
        return err_set(err, STATUS_BAD_DATA, "The universe %s is empty.", o->name);
    if (s == STATUS_OK)
        s = read_header(o, csv, ret, err);
    while (s == STATUS_OK && (s = csv_next(csv, &has_row, err)) == STATUS_OK && has_row) {
        if (ret->n == ROWS_MAX)
            return err_set(err, STATUS_BAD_DATA, "A universe has at most %d symbols.", ROWS_MAX);
        ret->rows = arena_reserve(arena, ret->rows, ret->n + 1, &cap, sizeof *ret->rows);
        s = ret->rows == NULL ? err_out_of_memory(err) : read_row(o, csv, arena, ret, err);
    }
    return s;
}

enum status universe_load(const struct dataset *dataset, const char *folder, struct arena *arena,
                          struct universe *ret, struct err *err)
{
    char path[1200];
    struct origin o = {.dataset = dataset->name, .name = dataset->name};
    enum status s = STATUS_OK;
    *ret = (struct universe){.n = 0};
    if (folder != NULL && folder[0] != '\0') {
        int n = snprintf(path, sizeof path, "%s/%s.csv", folder, dataset->name);
        if (n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0) {
            o.name = path;
            s = gzip_open(path, &o.file, err);
        }
    }
    if (s == STATUS_OK)
        s = read_all(&o, arena, ret, err);
    gzip_close(o.file);
    return s;
}

size_t universe_column(const struct universe *universe, const struct source *source)
{
    size_t c = 0;
    while (c < universe->n_columns && universe->columns[c] != source)
        c++;
    return c;
}
