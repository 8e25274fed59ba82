/* price_file.c - see price_file.h. The file is read whole, then twice: counted, then filled. */
#include "handlers/price_file_parts.h"

#include "base/date.h"
#include "base/gzip.h"

#include <stdio.h>
#include <string.h>

enum {
    FILE_BYTES_MAX = 768 << 20,
    ROW_BYTES_MAX = 1 << 20,
    FIELD_BYTES_MAX = 256,
    UID_BYTES_MAX = 64,
    END_OF_DAY_S = 86399
};

static const char long_header[] =
    "a header of date,uid,close and any of currency, adj_close, open, high, low, volume, dividend, split_ratio, pay_date";

enum status price_file_load(struct reader *reader, struct err *err)
{
    CLEANUP(gzip_closep) struct gzip_file *file = NULL;
    struct buf bytes;
    size_t n = 1;
    enum { PIECE = 1 << 16 };
    buf_init(&bytes, reader->arena, FILE_BYTES_MAX);
    enum status s = gzip_open(reader->path, &file, err);
    if (s != STATUS_OK)
        return err_set(err, s, "%s cannot be opened.", reader->path);
    while (s == STATUS_OK && n > 0) {
        char *room = buf_grow(&bytes, PIECE);
        if (room == NULL)
            return err_set(err, STATUS_TOO_LARGE, "%s is larger than %d MiB.", reader->path,
                           FILE_BYTES_MAX >> 20);
        s = gzip_read(file, room, PIECE, &n, err);
        bytes.len += s == STATUS_OK ? n : 0;
    }
    reader->bytes = buf_str(&bytes);
    return s;
}

static enum status next_bytes(void *cls, char *to, size_t size, size_t *ret_n, struct err *err)
{
    struct reader *reader = cls;
    size_t n = reader->bytes.len - reader->at < size ? reader->bytes.len - reader->at : size;
    (void)err;
    memcpy(to, reader->bytes.ptr + reader->at, n);
    reader->at += n;
    *ret_n = n;
    return STATUS_OK;
}

/* csv_in puts the line of what it refuses into the error's name. */
static enum status at_file(const struct reader *reader, enum status s, struct err *err)
{
    char detail[sizeof err->detail];
    if (s != STATUS_BAD_CSV || err == NULL)
        return s;
    (void)snprintf(detail, sizeof detail, "%s:%s: %.300s", reader->path, err->name, err->detail);
    memcpy(err->detail, detail, sizeof detail);
    return s;
}

static bool is_uid(struct str uid)
{
    bool is_good = uid.len > 0 && uid.len <= UID_BYTES_MAX && str_find(uid, ':', 0) < uid.len;
    for (size_t i = 0; i < uid.len && is_good; i++)
        is_good = uid.ptr[i] > ' ' && uid.ptr[i] < 0x7f && uid.ptr[i] != ',' && uid.ptr[i] != '"';
    return is_good;
}

static enum status new_column(struct reader *reader, struct str uid, int64_t line, struct err *err)
{
    if (!is_uid(uid))
        return price_file_refuse(
            reader, line, uid, "a uid: class:SYMBOL, at most 64 characters, as stock:US.AAPL", err);
    if (reader->n_columns == PRICE_FILE_NAMES_MAX)
        return price_file_refuse(reader, line, uid, "at most 5000 names in one file", err);
    struct column *column = &reader->columns[reader->n_columns];
    *column = (struct column){.uid = {arena_dup(reader->arena, uid), uid.len}};
    (void)snprintf(column->currency, sizeof column->currency, "%s", reader->currency);
    if (column->uid.ptr == NULL)
        return err_out_of_memory(err);
    reader->n_columns++;
    return STATUS_OK;
}

/* Files are sorted by name or by date: the same name again, or the one after it, is the likely one. */
static struct column *find_column(struct reader *reader, struct str uid)
{
    for (size_t i = 0; i < reader->n_columns; i++) {
        size_t at = (reader->guess + i) % reader->n_columns;
        if (str_eq(reader->columns[at].uid, uid)) {
            reader->guess = at;
            return &reader->columns[at];
        }
    }
    return NULL;
}

/* A new bar of the column, with its close. */
static enum status put_bar(struct reader *reader, struct column *column, int32_t date,
                           struct str text, int64_t line, struct err *err)
{
    double price = 0;
    if (!str_to_f64(text, &price) || !(price > 0))
        return price_file_refuse(reader, line, text, "a price: a number above 0", err);
    if (column->n > 0 && column->date[column->n - 1] >= date)
        return price_file_refuse(reader, line, column->uid, "dates that rise, each once for a name",
                                 err);
    column->date[column->n] = date;
    column->value[0][column->n] = price;
    column->known_at[column->n] = (int64_t)date * 86400 + END_OF_DAY_S;
    column->n++;
    return STATUS_OK;
}

static enum status read_header(struct reader *reader, const struct csv_in *csv, struct err *err)
{
    size_t width = csv_width(csv);
    bool is_known = price_file_find_fields(reader, csv);
    if (price_file_has(reader, UID) || price_file_has(reader, CLOSE))
        return is_known && price_file_has(reader, DATE) && price_file_has(reader, UID) &&
                       price_file_has(reader, CLOSE)
                   ? STATUS_OK
                   : price_file_refuse(reader, 1, csv_field(csv, 0), long_header, err);
    reader->is_wide = true;
    if (reader->at_field[DATE] != 0 || width < 2)
        return price_file_refuse(
            reader, 1, csv_field(csv, 0),
            "a header of date,uid,close[,...], or of date and one name for each column", err);
    for (size_t i = 1; i < width; i++) {
        if (find_column(reader, csv_field(csv, i)) != NULL)
            return price_file_refuse(reader, 1, csv_field(csv, i), "each name once", err);
        enum status s = new_column(reader, csv_field(csv, i), 1, err);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

static bool is_currency(struct str text)
{
    bool is_good = text.len == CURRENCY_TEXT_BYTES - 1;
    for (size_t i = 0; i < text.len && is_good; i++)
        is_good = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
    return is_good;
}

static enum status take_currency(struct reader *reader, struct column *column, struct str text,
                                 int64_t line, struct err *err)
{
    if (!is_currency(text) || (column->n > 0 && !str_eq_c(text, column->currency)))
        return price_file_refuse(reader, line, text,
                                 "three capitals as USD, the same for all bars of a name", err);
    memcpy(column->currency, text.ptr, text.len);
    return STATUS_OK;
}

static enum status count_row(struct reader *reader, const struct csv_in *csv, struct err *err)
{
    for (size_t i = 1; reader->is_wide && i < csv_width(csv); i++)
        reader->columns[i - 1].n_max += csv_field(csv, i).ptr != NULL;
    if (reader->is_wide)
        return STATUS_OK;
    struct str uid = csv_field(csv, (size_t)reader->at_field[UID]);
    struct column *column = find_column(reader, uid);
    if (column == NULL) {
        enum status s = new_column(reader, uid, csv_line(csv), err);
        if (s != STATUS_OK)
            return s;
        reader->guess = reader->n_columns - 1;
        column = &reader->columns[reader->guess];
    }
    column->n_max++;
    return STATUS_OK;
}

static enum status fill_row(struct reader *reader, const struct csv_in *csv, struct err *err)
{
    int64_t line = csv_line(csv);
    int32_t date = 0;
    struct str text = csv_field(csv, (size_t)reader->at_field[DATE]);
    if (text.ptr == NULL || !date_parse(text, &date))
        return price_file_refuse(reader, line, text, "a date, YYYY-MM-DD", err);
    enum status s = STATUS_OK;
    for (size_t i = 1; reader->is_wide && i < csv_width(csv) && s == STATUS_OK; i++)
        if (csv_field(csv, i).ptr != NULL)
            s = put_bar(reader, &reader->columns[i - 1], date, csv_field(csv, i), line, err);
    if (reader->is_wide)
        return s;
    struct column *column = find_column(reader, csv_field(csv, (size_t)reader->at_field[UID]));
    if (price_file_has(reader, CURRENCY))
        s = take_currency(reader, column, csv_field(csv, (size_t)reader->at_field[CURRENCY]), line,
                          err);
    if (s == STATUS_OK)
        s = put_bar(reader, column, date, csv_field(csv, (size_t)reader->at_field[CLOSE]), line,
                    err);
    return s == STATUS_OK ? price_file_put_values(reader, column, csv, err) : s;
}

enum status price_file_walk(struct reader *reader, price_file_row_fn *header,
                            price_file_row_fn *row, struct err *err)
{
    CLEANUP(csv_freep) struct csv_in *csv = NULL;
    const struct csv_limits limits = {ROW_BYTES_MAX, FIELD_BYTES_MAX, PRICE_FILE_NAMES_MAX + 1};
    bool has_row = false;
    reader->at = 0;
    enum status s = csv_new(next_bytes, reader, limits, &csv, err);
    if (s == STATUS_OK)
        s = at_file(reader, csv_next(csv, &has_row, err), err);
    if (s == STATUS_OK && !has_row)
        return err_set(err, STATUS_NO_DATA, "%s is empty.", reader->path);
    if (s == STATUS_OK && header != NULL)
        s = header(reader, csv, err);
    while (s == STATUS_OK) {
        s = at_file(reader, csv_next(csv, &has_row, err), err);
        if (s != STATUS_OK || !has_row)
            return s;
        s = row(reader, csv, err);
    }
    return s;
}

static enum status make_room(struct reader *reader, struct err *err)
{
    for (size_t i = 0; i < reader->n_columns; i++) {
        struct column *column = &reader->columns[i];
        column->date = arena_array(reader->arena, column->n_max + 1, sizeof *column->date);
        column->known_at = arena_array(reader->arena, column->n_max + 1, sizeof *column->known_at);
        bool has_room = column->date != NULL && column->known_at != NULL;
        for (size_t f = CLOSE; f < N_FIELDS; f++) {
            if (f != CLOSE && (reader->is_wide || !price_file_has(reader, (enum field)f)))
                continue;
            double *value = arena_array(reader->arena, column->n_max + 1, sizeof *value);
            column->value[f - CLOSE] = value;
            has_room = has_room && value != NULL;
        }
        if (!has_room)
            return err_out_of_memory(err);
    }
    return STATUS_OK;
}

static enum status to_market(const struct reader *reader, struct price_file *ret, struct err *err)
{
    struct price_series *series = arena_array(reader->arena, reader->n_columns + 1, sizeof *series);
    if (series == NULL)
        return err_out_of_memory(err);
    size_t n = 0;
    for (size_t i = 0; i < reader->n_columns; i++) {
        const struct column *column = &reader->columns[i];
        if (column->n == 0) /* a column of the wide layout without a price */
            continue;
        series[n] = price_file_series(column);
        memcpy(series[n].currency, column->currency, sizeof series[n].currency);
        n++;
    }
    if (n == 0)
        return err_set(err, STATUS_NO_DATA, "%s has no prices.", reader->path);
    ret->market = (struct market_data){.series = series, .n_series = n};
    return STATUS_OK;
}

enum status price_file_read(const char *path, const char *currency, struct arena *arena,
                            struct price_file *ret, struct err *err)
{
    struct reader reader = {.path = path, .currency = currency, .arena = arena};
    struct price_file file = {.name = ""};
    char digest[DIGEST_HEX_BYTES];
    reader.columns = arena_array(arena, PRICE_FILE_NAMES_MAX, sizeof *reader.columns);
    enum status s = reader.columns == NULL ? err_out_of_memory(err) : price_file_load(&reader, err);
    if (s == STATUS_OK)
        s = price_file_walk(&reader, read_header, count_row, err);
    if (s == STATUS_OK)
        s = make_room(&reader, err);
    if (s == STATUS_OK)
        s = price_file_walk(&reader, NULL, fill_row, err);
    if (s == STATUS_OK)
        s = to_market(&reader, &file, err);
    if (s == STATUS_OK)
        s = digest_hex(reader.bytes, digest, err);
    if (s != STATUS_OK)
        return s;
    (void)snprintf(file.name, sizeof file.name, "file:%.16s", digest);
    *ret = file;
    return STATUS_OK;
}
