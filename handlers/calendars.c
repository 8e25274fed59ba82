/* calendars.c - markets, their sessions, and the open days around a date. */
#include "handlers/handlers.h"

#include "base/date.h"
#include "base/suggest.h"
#include "handlers/params.h"
#include "handlers/resource.h"
#include "handlers/rows_answer.h"
#include "store/calendar_store.h"
#include "store/mart_query.h"

#include <stdio.h>

static const char mart_name[] = "mart_calendar";

/* A market without a row at all is NOT_FOUND with the nearest name. */
static enum status market_must_exist(struct request *request, struct db *db, int64_t generation,
                                     struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct str market = request->path_params[0];
    struct suggest search = suggest_start(market);
    char list[sizeof err->allowed] = "";
    size_t used = 0;
    bool has_row = false;
    enum status s = calendar_markets_open(db, generation, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct str name = rows_text(&rows, 0);
        if (str_eq(name, market))
            return STATUS_OK;
        const char *copy = arena_dup(&request->arena, name);
        if (copy == NULL)
            return err_out_of_memory(err);
        suggest_offer(&search, (struct str){copy, name.len});
        int n = used < sizeof list
                    ? snprintf(list + used, sizeof list - used, "%s%s", used == 0 ? "" : ", ", copy)
                    : 0;
        used += n > 0 ? (size_t)n : 0;
    }
    if (s != STATUS_OK)
        return s;
    (void)err_set(err, STATUS_NOT_FOUND, "There is no calendar of a market \"%.*s\".",
                  STR_ARG(str_utf8_cut(market, 64)));
    err_at(err, ERR_PARAMETER, STR("market"), market);
    err_suggest(err, suggest_take(&search));
    err_allow(err, "%s", list);
    return STATUS_NOT_FOUND;
}

static enum status fill_markets(struct request *request, void *cls, struct table *table,
                                struct err *err)
{
    static const struct table_column columns[] = {
        RESOURCE_COLUMN("market", COLUMN_TEXT), RESOURCE_COLUMN("first_date", COLUMN_DATE),
        RESOURCE_COLUMN("last_date", COLUMN_DATE), RESOURCE_COLUMN("days", COLUMN_INT),
        RESOURCE_COLUMN("sessions", COLUMN_INT)};
    struct resource *resource = cls;
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    (void)request;
    enum status s = resource_db(resource, &db, err);
    if (s == STATUS_OK)
        s = table_columns(table, columns, ARRAY_LEN(columns), err);
    if (s == STATUS_OK)
        s = calendar_markets_open(db, resource->read_at, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct str values[ARRAY_LEN(columns)];
        for (size_t i = 0; i < ARRAY_LEN(columns); i++)
            values[i] = rows_text(&rows, i);
        s = table_row(table, values, err);
    }
    return s;
}

static void put_meta(struct json_out *json, void *cls)
{
    resource_put_meta(cls, json, true);
}

enum status calendars_list(struct request *request, struct err *err)
{
    static const char *const names[] = {"generation", TABLE_PARAMETERS};
    static const char *const marts[] = {mart_name};
    CLEANUP(resource_end) struct resource resource = {0};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = resource_begin(request, marts, ARRAY_LEN(marts), &resource, err);
    if (s != STATUS_OK)
        return s;
    return resource_answer(&resource,
                           (struct table_request){.fill = fill_markets,
                                                  .put_meta = put_meta,
                                                  .file_name = STR("calendars"),
                                                  .describedby = STR("/v1/marts/mart_calendar"),
                                                  .cls = &resource},
                           err);
}

enum status calendar_sessions_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"from",  "to",     "last",       "select",        "order",
                                        "limit", "cursor", "generation", TABLE_PARAMETERS};
    CLEANUP(rows_end) struct rows_request rows = {0};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = rows_begin(request, STR("mart_calendar"), &rows, err);
    if (s == STATUS_OK)
        s = rows_add_equal(request, &rows, "market", request->path_params[0], err);
    if (s == STATUS_OK)
        s = rows_add_equal(request, &rows, "is_open", STR("true"), err);
    if (s == STATUS_OK)
        s = rows_add_window(request, &rows, err);
    if (s == STATUS_OK)
        s = rows_read_page(request, &rows, err);
    rows.when_empty = market_must_exist;
    return s != STATUS_OK ? s : rows_answer(request, &rows, err);
}

/* A question about one date: the day itself, and the sessions around it. */
struct around {
    struct resource *resource;
    int32_t date;
};

static struct str keep(struct arena *arena, struct str text)
{
    return text.ptr == NULL ? STR_NONE : (struct str){arena_dup(arena, text), text.len};
}

/* Columns of one day: its date, whether it is open, half a day, and its close. STR_NONE without a row. */
enum { DAY_COLUMNS = 4 };
static enum status read_day(const struct around *around, struct db *db, enum calendar_day which,
                            struct str ret[DAY_COLUMNS], struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct request *request = around->resource->request;
    bool has_row = false;
    enum status s = calendar_day_open(db, request->path_params[0], around->resource->read_at, which,
                                      around->date, &rows, err);
    if (s == STATUS_OK)
        s = rows_next(&rows, &has_row, err);
    for (size_t i = 0; i < DAY_COLUMNS; i++)
        ret[i] = STR_NONE;
    if (s != STATUS_OK || !has_row)
        return s;
    ret[0] = keep(&request->arena, mart_value_text(&rows, 0, COLUMN_DATE, &request->arena));
    ret[1] = mart_value_text(&rows, 1, COLUMN_BOOL, &request->arena);
    ret[2] = mart_value_text(&rows, 2, COLUMN_BOOL, &request->arena);
    ret[3] = keep(&request->arena, mart_value_text(&rows, 5, COLUMN_INSTANT, &request->arena));
    return STATUS_OK;
}

static enum status fill_around(struct request *request, void *cls, struct table *table,
                               struct err *err)
{
    static const struct table_column columns[] = {
        RESOURCE_COLUMN("market", COLUMN_TEXT),
        RESOURCE_COLUMN("date", COLUMN_DATE),
        RESOURCE_COLUMN("is_open", COLUMN_BOOL),
        RESOURCE_COLUMN("is_half_day", COLUMN_BOOL),
        RESOURCE_COLUMN("close_at", COLUMN_INSTANT),
        RESOURCE_COLUMN("previous_open", COLUMN_DATE),
        RESOURCE_COLUMN("next_open", COLUMN_DATE),
        RESOURCE_COLUMN("next_close_at", COLUMN_INSTANT),
    };
    const struct around *around = cls;
    CLEANUP(db_releasep) struct db *db = NULL;
    struct str day[DAY_COLUMNS], previous[DAY_COLUMNS], next[DAY_COLUMNS];
    char date[DATE_TEXT_BYTES];
    enum status s = resource_db(around->resource, &db, err);
    if (s == STATUS_OK)
        s = market_must_exist(request, db, around->resource->read_at, err);
    if (s == STATUS_OK)
        s = read_day(around, db, CALENDAR_DAY, day, err);
    if (s == STATUS_OK)
        s = read_day(around, db, CALENDAR_PREVIOUS, previous, err);
    if (s == STATUS_OK)
        s = read_day(around, db, CALENDAR_NEXT, next, err);
    if (s == STATUS_OK)
        s = table_columns(table, columns, ARRAY_LEN(columns), err);
    if (s != STATUS_OK)
        return s;
    date_format(around->date, date);
    const struct str values[] = {request->path_params[0],
                                 str_of(date),
                                 day[1],
                                 day[2],
                                 day[3],
                                 previous[0],
                                 next[0],
                                 next[3]};
    return table_row(table, values, err);
}

static void put_around_meta(struct json_out *json, void *cls)
{
    const struct around *around = cls;
    resource_put_meta(around->resource, json, false);
}

/* The date under another name for each resource; today has no meaning in an answer that is cached, so it is asked. */
static enum status answer_around(struct request *request, const char *parameter, struct err *err)
{
    const char *const names[] = {parameter, "generation", TABLE_PARAMETERS};
    static const char *const marts[] = {mart_name};
    CLEANUP(resource_end) struct resource resource = {0};
    struct around around = {.resource = &resource};
    bool is_given = false;
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = resource_begin(request, marts, ARRAY_LEN(marts), &resource, err);
    if (s == STATUS_OK)
        s = params_date(request, parameter, &around.date, &is_given, err);
    if (s == STATUS_OK && !is_given)
        s = params_refuse(err, parameter, STR(""), "YYYY-MM-DD: the parameter is required");
    if (s != STATUS_OK)
        return s;
    resource_say_i64(&resource, "date", around.date);
    return resource_answer(&resource,
                           (struct table_request){.is_single = true,
                                                  .fill = fill_around,
                                                  .put_meta = put_around_meta,
                                                  .file_name = STR("calendar"),
                                                  .describedby = STR("/v1/marts/mart_calendar"),
                                                  .cls = &around},
                           err);
}

enum status calendar_next_open_get(struct request *request, struct err *err)
{
    return answer_around(request, "after", err);
}

enum status calendar_day_get(struct request *request, struct err *err)
{
    return answer_around(request, "date", err);
}
