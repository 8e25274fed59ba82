/* indicators.c - economic series, and the observations of one by frequency, transform and vintage. */
#include "handlers/handlers.h"

#include "backtest/aggregate.h"
#include "backtest/transform.h"
#include "base/date.h"
#include "base/suggest.h"
#include "handlers/params.h"
#include "handlers/resource.h"
#include "store/indicator_store.h"
#include "store/mart_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES_MAX = 200, PERIOD_BYTES = 32 };

static const char *const marts[] = {"mart_economic_indicator"};
static const char frequency_letters[FREQUENCY_COUNT] = {'D', 'W', 'M', 'Q', 'A'};

static enum status out_of_memory(struct err *err)
{
    (void)err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
    return STATUS_OUT_OF_MEMORY;
}

static const struct table_column series_columns[] = {
    RESOURCE_COLUMN("id", COLUMN_TEXT),           RESOURCE_COLUMN("stat_code", COLUMN_TEXT),
    RESOURCE_COLUMN("country_code", COLUMN_TEXT), RESOURCE_COLUMN("frequency", COLUMN_TEXT),
    RESOURCE_COLUMN("name", COLUMN_TEXT),         RESOURCE_COLUMN("unit", COLUMN_TEXT),
    RESOURCE_COLUMN("country_name", COLUMN_TEXT), RESOURCE_COLUMN("first_date", COLUMN_DATE),
    RESOURCE_COLUMN("last_date", COLUMN_DATE),    RESOURCE_COLUMN("periods", COLUMN_INT),
    RESOURCE_COLUMN("vintages", COLUMN_INT),      RESOURCE_COLUMN("first_vintage", COLUMN_DATE),
    RESOURCE_COLUMN("last_vintage", COLUMN_DATE), RESOURCE_COLUMN("source", COLUMN_TEXT),
};

/* One series as text: values of series_columns. */
struct series {
    struct str values[ARRAY_LEN(series_columns)];
};

static enum status read_series(const struct rows *rows, struct arena *arena, struct series *ret,
                               struct err *err)
{
    for (size_t i = 1; i < ARRAY_LEN(series_columns); i++) {
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
    for (size_t i = 1; i <= 3; i++) {
        buf_add_c(&id, i == 1 ? "" : ":");
        buf_add(&id, ret->values[i]);
    }
    if (id.failed)
        return out_of_memory(err);
    ret->values[0] = buf_str(&id);
    return STATUS_OK;
}

/* The list of series. */

struct listing {
    struct resource *resource;
    struct str q;
    struct series_filter filter;
};

static bool contains(struct str text, struct str part)
{
    for (size_t i = 0; i + part.len <= text.len; i++)
        if (str_eq_nocase(str_sub(text, i, i + part.len), part))
            return true;
    return false;
}

static enum status fill_list(struct request *request, void *cls, struct table *table,
                             struct err *err)
{
    struct listing *listing = cls;
    struct resource *resource = listing->resource;
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(rows_clear) struct rows rows = {0};
    size_t skip = 0, place = 0;
    bool has_row = false;
    enum status s = resource_skip(resource, &skip, err);
    if (s == STATUS_OK)
        s = resource_db(resource, &db, err);
    if (s == STATUS_OK)
        s = table_columns(table, series_columns, ARRAY_LEN(series_columns), err);
    if (s == STATUS_OK)
        s = series_open(db, &listing->filter, resource->read_at, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct series series = {0};
        s = read_series(&rows, &request->arena, &series, err);
        bool is_wanted = listing->q.ptr == NULL || contains(series.values[0], listing->q) ||
                         contains(series.values[4], listing->q);
        if (s != STATUS_OK || !is_wanted)
            continue;
        if (table_rows(table) == (size_t)resource->limit)
            return resource_next_at(resource, table, place, err);
        if (place >= skip)
            s = table_row(table, series.values, err);
        place++;
    }
    return s;
}

static void put_list_meta(struct json_out *json, void *cls)
{
    const struct listing *listing = cls;
    resource_put_meta(listing->resource, json, true);
}

enum status indicators_list(struct request *request, struct err *err)
{
    static const char *const names[] = {"q",      "country",    "frequency",     "limit",
                                        "cursor", "generation", TABLE_PARAMETERS};
    static const char *const frequencies[] = {"D", "W", "M", "Q", "A"};
    CLEANUP(resource_end) struct resource resource = {0};
    size_t frequency = FREQUENCY_COUNT;
    struct listing listing = {.resource = &resource,
                              .q = request_param(request, "q"),
                              .filter = {.country = request_param(request, "country")}};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = resource_begin(request, marts, ARRAY_LEN(marts), &resource, err);
    if (s == STATUS_OK && listing.q.ptr != NULL && (listing.q.len < 1 || listing.q.len > 64))
        s = params_refuse(err, "q", listing.q, "1 to 64 bytes of text");
    if (s == STATUS_OK)
        s = resource_choice(request, "frequency", frequencies, FREQUENCY_COUNT, &frequency, err);
    if (frequency < FREQUENCY_COUNT)
        listing.filter.frequency = str_of(frequencies[frequency]);
    resource_say(&resource, "q", listing.q);
    resource_say(&resource, "country", listing.filter.country);
    resource_say(&resource, "frequency", listing.filter.frequency);
    if (s == STATUS_OK)
        s = resource_page(&resource, MART_LIMIT_MAX, 1, err);
    if (s != STATUS_OK)
        return s;
    return resource_answer(
        &resource,
        (struct table_request){.fill = fill_list,
                               .put_meta = put_list_meta,
                               .file_name = STR("indicators"),
                               .describedby = STR("/v1/marts/mart_economic_indicator"),
                               .cls = &listing},
        err);
}

/* One series, by "stat_code:country" or "stat_code:country:frequency". */

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
        s = read_series(&rows, &resource->request->arena, &series, err);
        if (s == STATUS_OK)
            suggest_offer(&search, series.values[0]);
        if (s == STATUS_OK) /* without its frequency, as it may have been meant */
            suggest_offer(&search, str_sub(series.values[0], 0, series.values[0].len - 2));
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
    err_suggest(err, a->values[0]);
    err_allow(err, "%.*s, %.*s", STR_ARG(a->values[0]), STR_ARG(b->values[0]));
    return STATUS_BAD_VALUE;
}

static enum status find_series(struct db *db, const struct resource *resource, struct series *ret,
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
        s = read_series(&rows, &request->arena, &found[n_found++], err);
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

static enum status fill_one(struct request *request, void *cls, struct table *table,
                            struct err *err)
{
    struct listing *listing = cls;
    CLEANUP(db_releasep) struct db *db = NULL;
    struct series series;
    (void)request;
    enum status s = resource_db(listing->resource, &db, err);
    if (s == STATUS_OK)
        s = find_series(db, listing->resource, &series, err);
    if (s == STATUS_OK)
        s = table_columns(table, series_columns, ARRAY_LEN(series_columns), err);
    return s != STATUS_OK ? s : table_row(table, series.values, err);
}

static void put_one_meta(struct json_out *json, void *cls)
{
    const struct listing *listing = cls;
    resource_put_meta(listing->resource, json, false);
}

enum status indicator_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"generation", TABLE_PARAMETERS};
    CLEANUP(resource_end) struct resource resource = {0};
    struct listing listing = {.resource = &resource};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = resource_begin(request, marts, ARRAY_LEN(marts), &resource, err);
    if (s != STATUS_OK)
        return s;
    return resource_answer(
        &resource,
        (struct table_request){.is_single = true,
                               .fill = fill_one,
                               .put_meta = put_one_meta,
                               .file_name = STR("indicator"),
                               .describedby = STR("/v1/marts/mart_economic_indicator"),
                               .collection = STR("/v1/indicators"),
                               .cls = &listing},
        err);
}

/* Its observations. */

struct observing {
    struct resource *resource;
    struct window window;
    size_t frequency; /* FREQUENCY_COUNT: its own */
    size_t aggregation, transform;
    int32_t as_of; /* DATE_MAX: the latest */
    bool has_all_vintages;
    struct series series; /* found by fill */
};

struct observed_rows {
    struct observation *row;
    size_t n, cap;
};

static enum status add_row(struct observed_rows *to, struct arena *arena,
                           struct observation observation, struct err *err)
{
    if (to->n == to->cap) {
        size_t cap = to->cap == 0 ? 256 : 2 * to->cap;
        struct observation *grown =
            arena_grow(arena, to->row, to->cap * sizeof *grown, cap * sizeof *grown);
        if (grown == NULL)
            return out_of_memory(err);
        to->row = grown;
        to->cap = cap;
    }
    to->row[to->n++] = observation;
    return STATUS_OK;
}

static enum status read_row(const struct rows *rows, struct arena *arena, struct observation *ret,
                            struct err *err)
{
    struct observation o = {.value = CELL_NONE};
    if (!rows_date(rows, OBSERVATION_FIRST, &o.first) ||
        !rows_date(rows, OBSERVATION_LAST, &o.last) ||
        !rows_date(rows, OBSERVATION_VINTAGE, &o.vintage) ||
        !rows_instant(rows, OBSERVATION_KNOWN_AT, &o.known_at))
        return err_set(err, STATUS_DB_ERROR,
                       "A stored observation has a date that cannot be read.");
    struct str text = mart_value_text(rows, OBSERVATION_VALUE, COLUMN_DECIMAL, arena);
    if (text.ptr != NULL) {
        const char *copy = arena_dup(arena, text);
        if (copy == NULL)
            return out_of_memory(err);
        o.value = cell_exact((struct str){copy, text.len});
    }
    *ret = o;
    return STATUS_OK;
}

/* The vintages known on as_of: of each period the latest one, unless all are wanted. */
static enum status read_rows(const struct observing *what, struct db *db, struct observed_rows *ret,
                             struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct arena *arena = &what->resource->request->arena;
    const struct series_filter filter = {.stat_code = what->series.values[1],
                                         .country = what->series.values[2],
                                         .frequency = what->series.values[3]};
    bool has_row = false;
    enum status s =
        observations_open(db, &filter, what->as_of, what->resource->read_at, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct observation o = {0};
        s = read_row(&rows, arena, &o, err);
        bool is_newer = ret->n > 0 && !what->has_all_vintages && s == STATUS_OK &&
                        ret->row[ret->n - 1].first == o.first &&
                        ret->row[ret->n - 1].last == o.last;
        if (is_newer)
            ret->row[ret->n - 1] = o;
        else if (s == STATUS_OK)
            s = add_row(ret, arena, o, err);
    }
    return s;
}

static enum frequency own_frequency(const struct observing *what)
{
    struct str letter = what->series.values[3];
    enum frequency frequency = FREQUENCY_DAY;
    while (frequency + 1 < FREQUENCY_COUNT &&
           !(letter.len == 1 && letter.ptr[0] == frequency_letters[frequency]))
        frequency++;
    return frequency;
}

static enum status transform_rows(const struct observing *what, struct observed_rows *rows,
                                  enum frequency frequency, struct err *err)
{
    struct arena *arena = &what->resource->request->arena;
    if (what->transform == TRANSFORM_LIN)
        return STATUS_OK;
    int32_t *period = arena_array(arena, rows->n, sizeof *period);
    double *x = arena_array(arena, rows->n, sizeof *x);
    if (period == NULL || x == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < rows->n; i++) {
        period[i] = period_index(frequency, rows->row[i].last);
        x[i] = rows->row[i].value.value;
    }
    transform_apply((enum transform)what->transform,
                    (struct observed){.period = period, .n = rows->n, .frequency = frequency}, x,
                    x);
    for (size_t i = 0; i < rows->n; i++)
        rows->row[i].value = cell_of(x[i]);
    return STATUS_OK;
}

static enum status compute(const struct observing *what, struct observed_rows *rows,
                           struct err *err)
{
    enum frequency from = own_frequency(what);
    enum frequency to = what->frequency == FREQUENCY_COUNT ? from : (enum frequency)what->frequency;
    if (to < from) {
        char allowed[64];
        (void)snprintf(allowed, sizeof allowed, "%s",
                       from == FREQUENCY_YEAR      ? "a"
                       : from == FREQUENCY_QUARTER ? "q, a"
                                                   : "m, q, a");
        (void)params_refuse(err, "frequency", request_param(what->resource->request, "frequency"),
                            allowed);
        return STATUS_BAD_VALUE;
    }
    if (to > from && rows->n > 0)
        rows->n = observations_aggregate(rows->row, rows->n, from, to,
                                         (enum aggregation)what->aggregation,
                                         &what->resource->request->arena);
    return transform_rows(what, rows, to, err);
}

/* 2020, 2020Q1 or 2020-01 by what the period spans; the last day of anything shorter. */
static void period_text(const struct observation *o, char ret[PERIOD_BYTES])
{
    struct civil first = date_to_civil(o->first);
    int days = o->last - o->first + 1;
    if (days > 300)
        (void)snprintf(ret, PERIOD_BYTES, "%04d", first.year % 10000);
    else if (days > 80)
        (void)snprintf(ret, PERIOD_BYTES, "%04dQ%d", first.year % 10000, (first.month + 2) / 3);
    else if (days > 20)
        (void)snprintf(ret, PERIOD_BYTES, "%04d-%02d", first.year % 10000, first.month % 100);
    else
        date_format(o->last, ret);
}

static enum status put_rows(const struct observing *what, const struct observed_rows *rows,
                            struct table *table, struct err *err)
{
    struct resource *resource = what->resource;
    struct arena *arena = &resource->request->arena;
    size_t skip = 0;
    enum status s = resource_skip(resource, &skip, err);
    for (size_t i = 0; i < rows->n && s == STATUS_OK; i++) {
        const struct observation *o = &rows->row[i];
        char period[PERIOD_BYTES], first[DATE_TEXT_BYTES], last[DATE_TEXT_BYTES],
            vintage[DATE_TEXT_BYTES];
        if (o->last < what->window.from || o->last > what->window.to || i < skip)
            continue;
        if (table_rows(table) == (size_t)resource->limit)
            return resource_next_at(resource, table, i, err);
        period_text(o, period);
        date_format(o->first, first);
        date_format(o->last, last);
        date_format(o->vintage, vintage);
        const struct str values[] = {str_of(period), str_of(first), str_of(last),
                                     cell_text(o->value, arena), str_of(vintage)};
        s = table_row(table, values, err);
    }
    return s;
}

static enum status fill_observations(struct request *request, void *cls, struct table *table,
                                     struct err *err)
{
    struct observing *what = cls;
    CLEANUP(db_releasep) struct db *db = NULL;
    struct observed_rows rows = {.n = 0};
    bool is_exact = what->transform == TRANSFORM_LIN &&
                    (what->frequency == FREQUENCY_COUNT || what->aggregation != AGGREGATION_AVG);
    const struct table_column columns[] = {
        RESOURCE_COLUMN("period", COLUMN_TEXT), RESOURCE_COLUMN("period_start", COLUMN_DATE),
        RESOURCE_COLUMN("period_end", COLUMN_DATE),
        RESOURCE_COLUMN("value", is_exact ? COLUMN_DECIMAL : COLUMN_FLOAT),
        RESOURCE_COLUMN("vintage", COLUMN_DATE)};
    struct table_column *kept = arena_array(&request->arena, ARRAY_LEN(columns), sizeof *kept);
    if (kept == NULL)
        return out_of_memory(err);
    memcpy(kept, columns, sizeof columns);
    enum status s = resource_db(what->resource, &db, err);
    if (s == STATUS_OK)
        s = find_series(db, what->resource, &what->series, err);
    if (s == STATUS_OK)
        s = read_rows(what, db, &rows, err);
    if (s == STATUS_OK)
        s = compute(what, &rows, err);
    if (s == STATUS_OK)
        s = table_columns(table, kept, ARRAY_LEN(columns), err);
    return s != STATUS_OK ? s : put_rows(what, &rows, table, err);
}

static void put_observations_meta(struct json_out *json, void *cls)
{
    const struct observing *what = cls;
    char as_of[DATE_TEXT_BYTES];
    const char letter[] = {what->frequency == FREQUENCY_COUNT
                               ? frequency_letters[own_frequency(what)]
                               : frequency_letters[what->frequency],
                           '\0'};
    resource_put_meta(what->resource, json, true);
    jw_key_text(json, "id", what->series.values[0]);
    jw_key_text(json, "name", what->series.values[4]);
    jw_key_text(json, "unit", what->series.values[5]);
    jw_key_c(json, "frequency", letter);
    jw_key_text(json, "aggregation",
                what->frequency == FREQUENCY_COUNT ? STR_NONE
                                                   : str_of(aggregation_names[what->aggregation]));
    jw_key_c(json, "transform", transform_names[what->transform]);
    date_format(what->as_of, as_of);
    jw_key_text(json, "vintage_as_of", what->as_of == DATE_MAX ? STR_NONE : str_of(as_of));
}

static enum status read_observing(struct request *request, struct observing *what, struct err *err)
{
    static const char *const frequencies[] = {"m", "q", "a"};
    static const char *const vintages[] = {"latest", "all"};
    size_t frequency = ARRAY_LEN(frequencies), vintage = 0;
    bool has_as_of = false;
    enum status s =
        resource_choice(request, "frequency", frequencies, ARRAY_LEN(frequencies), &frequency, err);
    if (s == STATUS_OK)
        s = resource_choice(request, "aggregation", aggregation_names, AGGREGATION_COUNT,
                            &what->aggregation, err);
    if (s == STATUS_OK)
        s = resource_choice(request, "transform", transform_names, TRANSFORM_COUNT,
                            &what->transform, err);
    if (s == STATUS_OK)
        s = resource_choice(request, "vintages", vintages, ARRAY_LEN(vintages), &vintage, err);
    if (s == STATUS_OK)
        s = params_date(request, "as_of", &what->as_of, &has_as_of, err);
    if (s == STATUS_OK)
        s = params_window(request, what->resource->as_of, &what->window, err);
    if (s != STATUS_OK)
        return s;
    what->has_all_vintages = vintage == 1;
    if (frequency < ARRAY_LEN(frequencies))
        what->frequency = FREQUENCY_MONTH + frequency;
    struct str aggregation = request_param(request, "aggregation");
    if (aggregation.ptr != NULL && what->frequency == FREQUENCY_COUNT)
        return params_refuse(err, "aggregation", aggregation, "frequency=m, q or a beside it");
    if (what->has_all_vintages &&
        (what->frequency != FREQUENCY_COUNT || what->transform != TRANSFORM_LIN))
        return params_refuse(err, "vintages", STR("all"),
                             "neither frequency nor transform beside it");
    return STATUS_OK;
}

enum status indicator_observations_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"from",        "to",        "last",       "frequency",
                                        "aggregation", "transform", "as_of",      "vintages",
                                        "limit",       "cursor",    "generation", TABLE_PARAMETERS};
    CLEANUP(resource_end) struct resource resource = {0};
    struct observing *what = ARENA_NEW(&request->arena, struct observing);
    if (what == NULL)
        return out_of_memory(err);
    *what =
        (struct observing){.resource = &resource, .frequency = FREQUENCY_COUNT, .as_of = DATE_MAX};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = resource_begin(request, marts, ARRAY_LEN(marts), &resource, err);
    if (s == STATUS_OK)
        s = read_observing(request, what, err);
    if (s != STATUS_OK)
        return s;
    resource_say_i64(&resource, "from", what->window.from);
    resource_say_i64(&resource, "to", what->window.to);
    resource_say_i64(&resource, "frequency", (int64_t)what->frequency);
    resource_say_i64(&resource, "aggregation", (int64_t)what->aggregation);
    resource_say_i64(&resource, "transform", (int64_t)what->transform);
    resource_say_i64(&resource, "as_of", what->as_of);
    resource_say_i64(&resource, "vintages", what->has_all_vintages);
    s = resource_page(&resource, MART_LIMIT_MAX, 1, err);
    if (s != STATUS_OK)
        return s;
    return resource_answer(
        &resource,
        (struct table_request){.fill = fill_observations,
                               .put_meta = put_observations_meta,
                               .file_name = STR("observations"),
                               .describedby = STR("/v1/marts/mart_economic_indicator"),
                               .cls = what},
        err);
}
