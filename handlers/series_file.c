/* series_file.c - see series_file.h. The file is read whole, then twice: counted, then filled; publications are put in order. */
#include "handlers/series_file.h"

#include "base/date.h"
#include "base/suggest.h"
#include "handlers/price_file_parts.h"
#include "store/steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES_MAX = 54 /* a uid with its class is at most 64 */ };
enum series_field { SERIES_ID, SERIES_DATE, SERIES_VALUE, SERIES_KNOWN_AT, SERIES_FIELDS };

static const char prefix[] = "indicator:";
static const char header_rule[] = "a header of id, date, value and known_at";
static const char *const field_names[SERIES_FIELDS] = {"id", "date", "value", "known_at"};

/* One row of the file. */
struct publication {
    size_t series;
    struct step step;
    int64_t line;
};

struct series_reader {
    size_t at_field[SERIES_FIELDS];
    struct str *uid; /* of the series, in the order in which they come up */
    size_t n_series, guess;
    struct publication *publication;
    size_t n, n_max;
};

static struct str field_of(const struct series_reader *to, const struct csv_in *csv,
                           enum series_field field)
{
    return csv_field(csv, to->at_field[field]);
}

static enum status read_header(struct reader *reader, const struct csv_in *csv, struct err *err)
{
    struct series_reader *to = reader->cls;
    for (size_t f = 0; f < SERIES_FIELDS; f++) {
        size_t at = 0;
        while (at < csv_width(csv) && !str_eq_c(csv_field(csv, at), field_names[f]))
            at++;
        if (at == csv_width(csv))
            return price_file_refuse(reader, 1, csv_field(csv, 0), header_rule, err);
        to->at_field[f] = at;
    }
    return csv_width(csv) == SERIES_FIELDS
               ? STATUS_OK
               : price_file_refuse(reader, 1, csv_field(csv, SERIES_FIELDS), header_rule, err);
}

static enum status count_row(struct reader *reader, const struct csv_in *csv, struct err *err)
{
    struct series_reader *to = reader->cls;
    (void)csv;
    (void)err;
    to->n_max++;
    return STATUS_OK;
}

/* "indicator:" and the id, in the arena; ptr NULL when it is none. */
static enum status make_uid(struct reader *reader, struct str id, struct str *ret, struct err *err)
{
    struct str code, country, frequency;
    struct buf uid;
    *ret = STR_NONE;
    buf_init(&uid, reader->arena, sizeof prefix + ID_BYTES_MAX);
    if (id.len > sizeof prefix && memcmp(id.ptr, prefix, sizeof prefix - 1) == 0)
        id = str_sub(id, sizeof prefix - 1, id.len);
    if (id.len == 0 || id.len > ID_BYTES_MAX)
        return STATUS_OK;
    buf_add_c(&uid, prefix);
    buf_add(&uid, id);
    if (uid.failed)
        return err_out_of_memory(err);
    if (rates_uid_split(buf_str(&uid), &code, &country, &frequency))
        *ret = buf_str(&uid);
    return STATUS_OK;
}

/* The number of the row's series, a new one when its id has not come up before. */
static enum status find_series(struct reader *reader, struct str id, int64_t line, size_t *ret,
                               struct err *err)
{
    struct series_reader *to = reader->cls;
    for (size_t k = 0; k < to->n_series; k++) {
        *ret = (to->guess + k) % to->n_series;
        struct str known = to->uid[*ret], bare = str_sub(known, sizeof prefix - 1, known.len);
        if (str_eq(id, bare) || str_eq(id, known)) {
            to->guess = *ret;
            return STATUS_OK;
        }
    }
    struct str uid;
    enum status s = make_uid(reader, id, &uid, err);
    if (s != STATUS_OK)
        return s;
    if (uid.ptr == NULL)
        return price_file_refuse(reader, line, id, "CODE:COUNTRY:FREQUENCY, as CPILFESL:USA:M",
                                 err);
    if (to->n_series == SERIES_FILE_IDS_MAX)
        return price_file_refuse(reader, line, id, "at most 1000 series in one file", err);
    to->uid[to->n_series] = uid;
    *ret = to->guess = to->n_series++;
    return STATUS_OK;
}

/* When it was published: an instant, or a day, then the first second after it. Not before the period is over. */
static enum status read_known_at(const struct reader *reader, const struct csv_in *csv,
                                 struct step *step, struct err *err)
{
    struct str text = field_of(reader->cls, csv, SERIES_KNOWN_AT);
    int64_t line = csv_line(csv), midnight = (int64_t)step->period * 86400;
    int32_t day = 0;
    bool is_day = text.ptr != NULL && date_parse(text, &day);
    if (is_day)
        step->known_at = ((int64_t)day + 1) * 86400;
    if ((!is_day && (text.ptr == NULL || !instant_parse(text, &step->known_at))) ||
        !steps_can_take(step))
        return price_file_refuse(
            reader, line, text,
            "the day of publication, YYYY-MM-DD, or its instant, YYYY-MM-DDTHH:MM:SSZ", err);
    if (is_day ? day < step->period : step->known_at < midnight)
        return price_file_refuse(reader, line, text,
                                 "a publication that is not before the row's date", err);
    return STATUS_OK;
}

static enum status fill_row(struct reader *reader, const struct csv_in *csv, struct err *err)
{
    struct series_reader *to = reader->cls;
    int64_t line = csv_line(csv);
    struct publication *row = &to->publication[to->n];
    struct str date = field_of(to, csv, SERIES_DATE), value = field_of(to, csv, SERIES_VALUE);
    *row = (struct publication){.line = line};
    enum status s = find_series(reader, field_of(to, csv, SERIES_ID), line, &row->series, err);
    if (s != STATUS_OK)
        return s;
    if (date.ptr == NULL || !date_parse(date, &row->step.period))
        return price_file_refuse(reader, line, date, "a date, YYYY-MM-DD", err);
    if (value.ptr == NULL || !str_to_f64(value, &row->step.value))
        return price_file_refuse(reader, line, value, "a value: a finite number, as 2.5", err);
    s = read_known_at(reader, csv, &row->step, err);
    if (s != STATUS_OK)
        return s;
    to->n++;
    return STATUS_OK;
}

static int compare_i64(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int in_order(const void *left, const void *right)
{
    const struct publication *a = left, *b = right;
    int order = compare_i64((int64_t)a->series, (int64_t)b->series);
    if (order == 0)
        order = compare_i64(a->step.known_at, b->step.known_at);
    if (order == 0)
        order = compare_i64(a->step.period, b->step.period);
    return order != 0 ? order : compare_i64(a->line, b->line);
}

/* The i-th publication must not say the same date at the same time as the one before it. */
static enum status check_new(struct reader *reader, size_t i, struct err *err)
{
    const struct series_reader *to = reader->cls;
    const struct publication *row = &to->publication[i], *before = row - 1;
    char day[DATE_TEXT_BYTES];
    if (i == 0 || row->series != before->series || row->step.period != before->step.period ||
        row->step.known_at != before->step.known_at)
        return STATUS_OK;
    date_format(row->step.period, day);
    return price_file_refuse(reader, row->line, str_of(day),
                             "each date of a series once for each known_at", err);
}

/* Publications [from, to) are those of one series, in order. */
static enum status make_series(struct reader *reader, size_t from, size_t to,
                               struct rate_series *ret, struct err *err)
{
    const struct series_reader *all = reader->cls;
    struct steps steps = {0};
    struct step_columns columns;
    enum status s = STATUS_OK;
    for (size_t i = from; i < to && s == STATUS_OK; i++) {
        s = check_new(reader, i, err);
        if (s == STATUS_OK)
            s = steps_add(&steps, &all->publication[i].step, err);
    }
    if (s == STATUS_OK)
        s = steps_columns(&steps, reader->arena, &columns, err);
    if (s == STATUS_OK)
        *ret = (struct rate_series){.uid = all->uid[all->publication[from].series],
                                    .n = columns.n,
                                    .date = columns.date,
                                    .known_at = columns.known_at,
                                    .value = columns.value};
    steps_free(&steps);
    return s;
}

static enum status to_market(struct reader *reader, struct market_data *market, struct err *err)
{
    struct series_reader *all = reader->cls;
    struct rate_series *rates = arena_array(reader->arena, all->n_series + 1, sizeof *rates);
    enum status s = STATUS_OK;
    size_t n = 0;
    if (rates == NULL)
        return err_out_of_memory(err);
    qsort(all->publication, all->n, sizeof *all->publication, in_order);
    for (size_t from = 0, to = 0; from < all->n && s == STATUS_OK; from = to) {
        while (to < all->n && all->publication[to].series == all->publication[from].series)
            to++;
        s = make_series(reader, from, to, &rates[n++], err);
    }
    market->rates = rates;
    market->n_rates = n;
    return s;
}

enum status series_file_read(const char *path, struct arena *arena, struct price_file *file,
                             struct err *err)
{
    struct series_reader all = {.uid = arena_array(arena, SERIES_FILE_IDS_MAX, sizeof *all.uid)};
    struct reader reader = {.path = path, .arena = arena, .cls = &all};
    char digest[DIGEST_HEX_BYTES];
    enum status s = all.uid == NULL ? err_out_of_memory(err) : price_file_load(&reader, err);
    if (s == STATUS_OK)
        s = price_file_walk(&reader, read_header, count_row, err);
    if (s == STATUS_OK && all.n_max == 0)
        return err_set(err, STATUS_NO_DATA, "%s has no values.", path);
    if (s == STATUS_OK) {
        all.publication = arena_array(arena, all.n_max + 1, sizeof *all.publication);
        s = all.publication == NULL ? err_out_of_memory(err)
                                    : price_file_walk(&reader, NULL, fill_row, err);
    }
    if (s == STATUS_OK)
        s = to_market(&reader, &file->market, err);
    if (s == STATUS_OK)
        s = digest_hex(reader.bytes, digest, err);
    if (s == STATUS_OK)
        (void)snprintf(file->series_name, sizeof file->series_name, "series:%.16s", digest);
    return s;
}

enum status series_file_find(const struct price_file *file, const struct spec_indicator *wanted,
                             struct rate_series *ret, struct err *err)
{
    struct suggest search = suggest_start(wanted->uid);
    const struct rate_series *found = market_find_rates(&file->market, wanted->uid);
    if (found != NULL) {
        *ret = *found;
        return STATUS_OK;
    }
    for (size_t i = 0; i < file->market.n_rates; i++)
        suggest_offer(&search, file->market.rates[i].uid);
    (void)err_set(err, STATUS_UNKNOWN_ASSET, "There is no economic series \"%.*s\" %s.",
                  STR_ARG(wanted->uid),
                  file->series_name[0] != '\0' ? "in the file of series" : "beside these prices");
    err_at(err, ERR_POINTER, str_of(wanted->at), wanted->uid);
    err_suggest(err, suggest_take(&search));
    err_allow(err,
              "indicator: and an id of the file that --series names, with columns id, date, value "
              "and known_at");
    return STATUS_UNKNOWN_ASSET;
}
