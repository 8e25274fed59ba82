/* indicator_series.c - reads economic series, and finds the one that a path names. */
#include "handlers/indicators.h"

#include "base/suggest.h"

enum { ID_BYTES_MAX = 200 };

const char *const indicator_marts[INDICATOR_MARTS] = {"mart_economic_indicator"};
const char frequency_letters[FREQUENCY_COUNT] = {'D', 'W', 'M', 'Q', 'A'};

const struct table_column series_columns[SERIES_VALUES] = {
    RESOURCE_COLUMN("id", COLUMN_TEXT),           RESOURCE_COLUMN("stat_code", COLUMN_TEXT),
    RESOURCE_COLUMN("country_code", COLUMN_TEXT), RESOURCE_COLUMN("frequency", COLUMN_TEXT),
    RESOURCE_COLUMN("name", COLUMN_TEXT),         RESOURCE_COLUMN("unit", COLUMN_TEXT),
    RESOURCE_COLUMN("country_name", COLUMN_TEXT), RESOURCE_COLUMN("first_date", COLUMN_DATE),
    RESOURCE_COLUMN("last_date", COLUMN_DATE),    RESOURCE_COLUMN("periods", COLUMN_INT),
    RESOURCE_COLUMN("vintages", COLUMN_INT),      RESOURCE_COLUMN("first_vintage", COLUMN_DATE),
    RESOURCE_COLUMN("last_vintage", COLUMN_DATE), RESOURCE_COLUMN("source", COLUMN_TEXT),
};

static enum status out_of_memory(struct err *err)
{
    (void)err_out_of_memory(err);
    return STATUS_OUT_OF_MEMORY;
}

enum status series_read(const struct rows *rows, struct arena *arena, struct series *ret,
                        struct err *err)
{
    for (size_t i = 1; i < SERIES_VALUES; i++) {
        struct str text = rows_text(rows, i - 1);
        ret->values[i] = STR_NONE;
        if (text.ptr == NULL)
            continue;
        ret->values[i] = (struct str){arena_dup(arena, text), text.len};
        if (ret->values[i].ptr == NULL)
            return out_of_memory(err);
    }
    struct buf id;
    buf_init(&id, arena, ID_BYTES_MAX);
    for (enum series_result i = SERIES_STAT_CODE; i <= SERIES_FREQUENCY; i++) {
        buf_add_c(&id, i == SERIES_STAT_CODE ? "" : ":");
        buf_add(&id, series_field(ret, i));
    }
    if (id.failed)
        return out_of_memory(err);
    ret->values[0] = buf_str(&id);
    return STATUS_OK;
}

static enum status unknown_series(struct db *db, const struct resource *resource, struct str id,
                                  struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct suggest search = suggest_start(id);
    bool has_row = false;
    enum status s = series_open(db, &(struct series_filter){.stat_code = STR_NONE},
                                resource->read_at, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct series series = {0};
        s = series_read(&rows, &resource->request->arena, &series, err);
        if (s == STATUS_OK)
            suggest_offer(&search, series_id(&series));
        if (s == STATUS_OK) /* without its frequency, as it may have been meant */
            suggest_offer(&search, str_sub(series_id(&series), 0, series_id(&series).len - 2));
    }
    if (s != STATUS_OK)
        return s;
    (void)err_set(err, STATUS_NOT_FOUND, "There is no indicator \"%.*s\".",
                  STR_ARG(str_utf8_cut(id, 64)));
    err_at(err, ERR_PARAMETER, STR("id"), id);
    err_suggest(err, suggest_take(&search));
    err_allow(err,
              "an id from /v1/indicators, as stat_code:country or stat_code:country:frequency");
    return STATUS_NOT_FOUND;
}

static enum status ambiguous(const struct series *a, const struct series *b, struct str id,
                             struct err *err)
{
    (void)err_set(err, STATUS_BAD_VALUE, "There is more than one frequency of this indicator.");
    err_at(err, ERR_PARAMETER, STR("id"), id);
    err_suggest(err, series_id(a));
    err_allow(err, "%.*s, %.*s", STR_ARG(series_id(a)), STR_ARG(series_id(b)));
    return STATUS_BAD_VALUE;
}

enum status series_find(struct db *db, const struct resource *resource, struct series *ret,
                        struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct request *request = resource->request;
    struct str id = request->path_params[0], rest = id, part;
    struct str *parts[] = {NULL, NULL, NULL};
    struct series_filter filter = {.stat_code = STR_NONE};
    parts[0] = &filter.stat_code;
    parts[1] = &filter.country;
    parts[2] = &filter.frequency;
    size_t n = 0;
    for (; str_next_field(&rest, ':', &part); n++)
        if (n < ARRAY_LEN(parts))
            *parts[n] = part;
    if (n < 2 || n > ARRAY_LEN(parts))
        return unknown_series(db, resource, id, err);
    struct series found[2] = {0};
    size_t n_found = 0;
    bool has_row = false;
    enum status s = series_open(db, &filter, resource->read_at, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row &&
           n_found < ARRAY_LEN(found))
        s = series_read(&rows, &request->arena, &found[n_found++], err);
    rows_clear(&rows); /* the connection has other questions now */
    if (s != STATUS_OK)
        return s;
    if (n_found == 0)
        return unknown_series(db, resource, id, err);
    if (n_found > 1)
        return ambiguous(&found[0], &found[1], id, err);
    *ret = found[0];
    return STATUS_OK;
}

enum frequency series_frequency(const struct series *series)
{
    struct str letter = series_field(series, SERIES_FREQUENCY);
    enum frequency frequency = FREQUENCY_DAY;
    while (frequency + 1 < FREQUENCY_COUNT &&
           !(letter.len == 1 && letter.ptr[0] == frequency_letters[frequency]))
        frequency++;
    return frequency;
}
