/* indicators.c - economic series by search, and one by its id. */
#include "handlers/handlers.h"

#include "handlers/indicators.h"
#include "store/mart_query.h"

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
        s = table_columns(table, series_columns, SERIES_VALUES, err);
    if (s == STATUS_OK)
        s = series_open(db, &listing->filter, resource->read_at, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct series series = {0};
        s = series_read(&rows, &request->arena, &series, err);
        bool is_wanted = listing->q.ptr == NULL || contains(series_id(&series), listing->q) ||
                         contains(series_field(&series, SERIES_NAME), listing->q);
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
        s = resource_begin(request, indicator_marts, INDICATOR_MARTS, &resource, err);
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

/* One series. */

static enum status fill_one(struct request *request, void *cls, struct table *table,
                            struct err *err)
{
    struct listing *listing = cls;
    CLEANUP(db_releasep) struct db *db = NULL;
    struct series series;
    (void)request;
    enum status s = resource_db(listing->resource, &db, err);
    if (s == STATUS_OK)
        s = series_find(db, listing->resource, &series, err);
    if (s == STATUS_OK)
        s = table_columns(table, series_columns, SERIES_VALUES, err);
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
        s = resource_begin(request, indicator_marts, INDICATOR_MARTS, &resource, err);
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
