/* mart_schema.c - JSON Schema (draft 2020-12) of one row of a mart, as the JSON representation writes it. */
#include "handlers/handlers.h"

#include "base/json_out.h"
#include "handlers/document.h"
#include "handlers/params.h"
#include "handlers/rows_answer.h"

enum { SCHEMA_BYTES_MAX = 4 * 1024 * 1024 };

static const char *format_of(enum column_kind kind)
{
    return kind == COLUMN_DATE ? "date" : kind == COLUMN_INSTANT ? "date-time" : NULL;
}

static void put_property(struct json_out *json, const struct mart *mart,
                         const struct mart_column *column)
{
    const char *type = column_kind_json(column->kind);
    const char *format = format_of(column->kind);
    /* A foreign mart may hold what has no form in JSON: that is null. */
    bool may_be_null = column->is_nullable || !mart->is_managed;
    jw_key_str(json, column->name);
    jw_object(json);
    jw_key(json, "type");
    if (may_be_null) {
        jw_array(json);
        jw_str(json, str_of(type));
        jw_str(json, STR("null"));
        jw_end_array(json);
    } else {
        jw_str(json, str_of(type));
    }
    if (format != NULL && mart->is_managed)
        jw_key_c(json, "format", format);
    if (column->description.len > 0)
        jw_key_text(json, "description", column->description);
    if (column->unit.len > 0)
        jw_key_text(json, "x-unit", column->unit);
    jw_end_object(json);
}

static void put_schema(struct json_out *json, const struct mart *mart, struct str address)
{
    jw_object(json);
    jw_key_c(json, "$schema", "https://json-schema.org/draft/2020-12/schema");
    jw_key_text(json, "$id", address);
    jw_key_text(json, "title", mart->title);
    if (mart->description.len > 0)
        jw_key_text(json, "description", mart->description);
    jw_key_c(json, "type", "object");
    jw_key(json, "properties");
    jw_object(json);
    for (size_t i = 0; i < mart->n_columns; i++)
        put_property(json, mart, &mart->columns[i]);
    jw_end_object(json);
    jw_key(json, "required");
    jw_array(json);
    for (size_t i = 0; i < mart->n_columns; i++)
        jw_str(json, mart->columns[i].name);
    jw_end_array(json);
    jw_key_bool(json, "additionalProperties", false);
    jw_end_object(json);
}

enum status mart_schema_get(struct request *request, struct err *err)
{
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = rows_catalog(request, &catalog, err);
    if (s != STATUS_OK)
        return s;
    const struct mart *mart = catalog_mart(catalog, request->path_params[0]);
    if (mart == NULL)
        return catalog_unknown_mart(catalog, request->path_params[0], err);
    struct buf out, address;
    struct json_out json;
    buf_init(&out, &request->arena, SCHEMA_BYTES_MAX);
    buf_init(&address, &request->arena, 256);
    buf_printf(&address, "/v1/marts/%.*s/schema", STR_ARG(mart->name));
    jw_init(&json, &out);
    put_schema(&json, mart, buf_str(&address));
    buf_add_char(&out, '\n');
    return document_tagged(request, mart->generation, "public, max-age=60",
                           "application/schema+json", &out, err);
}
