/* observations.c - the observations of one economic series by frequency, transform and vintage. */
#include "handlers/handlers.h"

#include "base/date.h"
#include "handlers/indicators.h"
#include "store/mart_query.h"

#include <stdio.h>
#include <string.h>

enum { PERIOD_BYTES = 32 };

static enum status out_of_memory(struct err *err)
{
    (void)err_out_of_memory(err);
    return STATUS_OUT_OF_MEMORY;
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
        s = series_find(db, what->resource, &what->series, err);
    if (s == STATUS_OK)
        s = observed_rows_load(what, db, &rows, err);
    if (s == STATUS_OK)
        s = table_columns(table, kept, ARRAY_LEN(columns), err);
    return s != STATUS_OK ? s : put_rows(what, &rows, table, err);
}

static void put_observations_meta(struct json_out *json, void *cls)
{
    const struct observing *what = cls;
    char as_of[DATE_TEXT_BYTES];
    const char letter[] = {what->frequency == FREQUENCY_COUNT
                               ? frequency_letters[series_frequency(&what->series)]
                               : frequency_letters[what->frequency],
                           '\0'};
    resource_put_meta(what->resource, json, true);
    jw_key_text(json, "id", series_id(&what->series));
    jw_key_text(json, "name", series_field(&what->series, SERIES_NAME));
    jw_key_text(json, "unit", series_field(&what->series, SERIES_UNIT));
    jw_key_c(json, "frequency", letter);
    jw_key_text(json, "aggregation",
                what->frequency == FREQUENCY_COUNT ? STR_NONE
                                                   : str_of(aggregation_names[what->aggregation]));
    jw_key_c(json, "transform", transform_names[what->transform]);
    date_format(what->as_of, as_of);
    jw_key_text(json, "vintage_as_of", what->as_of == DATE_MAX ? STR_NONE : str_of(as_of));
}

/* Who asks what was known then counts back from then. */
static int32_t newest_known(const struct observing *what)
{
    return what->as_of < what->resource->as_of ? what->as_of : what->resource->as_of;
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
        s = params_window(request, newest_known(what), &what->window, err);
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
        s = resource_begin(request, indicator_marts, INDICATOR_MARTS, &resource, err);
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
