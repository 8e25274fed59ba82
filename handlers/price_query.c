/* price_query.c - the parameters of the price resources, read and said in one way. */
#include "handlers/price_query.h"

#include "base/date.h"
#include "base/suggest.h"

#include <string.h>

static const char *const names[PRICE_COLUMNS] = {
    [BAR_OPEN] = "open",
    [BAR_HIGH] = "high",
    [BAR_LOW] = "low",
    [BAR_CLOSE] = "close",
    [BAR_ADJ_CLOSE] = "adj_close",
    [BAR_VOLUME] = "volume",
    [BAR_DIVIDEND] = "dividend",
    [BAR_SPLIT_RATIO] = "split_ratio",
    [PRICE_COLUMN_UID] = "uid",
    [PRICE_COLUMN_DATE] = "date",
    [PRICE_COLUMN_CURRENCY] = "currency",
    [PRICE_COLUMN_SOURCE] = "source",
    [PRICE_COLUMN_QUALITY] = "quality",
    [PRICE_COLUMN_KNOWN_AT] = "known_at",
    [PRICE_COLUMN_SESSIONS] = "sessions",
};

static const char *const interval_names[FREQUENCY_COUNT] = {"1d", "1w", "1mo", "1q", "1y"};
static const char *const layout_names[] = {"long", "wide"};
static const char *const order_names[] = {"date.asc", "date.desc", "date"};

const char *price_column_name(unsigned column)
{
    return names[column];
}

enum column_kind price_column_kind(const struct price_query *query, unsigned column)
{
    bool is_computed = query->transform != TRANSFORM_LIN || query->currency.ptr != NULL;
    switch (column) {
    case PRICE_COLUMN_UID:
    case PRICE_COLUMN_CURRENCY:
    case PRICE_COLUMN_SOURCE:
        return COLUMN_TEXT;
    case PRICE_COLUMN_DATE:
        return COLUMN_DATE;
    case PRICE_COLUMN_KNOWN_AT:
        return COLUMN_INSTANT;
    case PRICE_COLUMN_QUALITY:
    case PRICE_COLUMN_SESSIONS:
        return COLUMN_INT;
    case BAR_SPLIT_RATIO:
        return query->interval == FREQUENCY_DAY ? COLUMN_DECIMAL : COLUMN_FLOAT;
    case BAR_VOLUME:
        return query->transform == TRANSFORM_LIN ? COLUMN_DECIMAL : COLUMN_FLOAT;
    case BAR_ADJ_CLOSE:
    case BAR_DIVIDEND:
        return is_computed ? COLUMN_FLOAT : COLUMN_DECIMAL;
    default:
        return is_computed || query->adjust != ADJUST_NONE ? COLUMN_FLOAT : COLUMN_DECIMAL;
    }
}

static enum status unknown_field(const char *parameter, struct str name, unsigned n_names,
                                 struct err *err)
{
    struct suggest search = suggest_start(name);
    for (unsigned i = 0; i < n_names; i++)
        suggest_offer(&search, str_of(names[i]));
    (void)err_set(err, STATUS_UNKNOWN_COLUMN, "There is no price field \"%.*s\".",
                  STR_ARG(str_utf8_cut(name, 64)));
    err_at(err, ERR_PARAMETER, str_of(parameter), name);
    err_suggest(err, suggest_take(&search));
    err_allow(err,
              n_names == PRICE_COLUMNS
                  ? "uid, date, open, high, low, close, adj_close, volume, dividend, split_ratio, "
                    "currency, source, quality, known_at, sessions"
                  : "open, high, low, close, adj_close, volume, dividend, split_ratio");
    return STATUS_UNKNOWN_COLUMN;
}

/* Index of name among the first n_names; n_names when it is none of them. */
static unsigned find_name(struct str name, unsigned n_names)
{
    unsigned i = 0;
    while (i < n_names && !str_eq_c(name, names[i]))
        i++;
    return i;
}

static void default_columns(struct price_query *query)
{
    static const unsigned all[] = {PRICE_COLUMN_UID,
                                   PRICE_COLUMN_DATE,
                                   BAR_OPEN,
                                   BAR_HIGH,
                                   BAR_LOW,
                                   BAR_CLOSE,
                                   BAR_ADJ_CLOSE,
                                   BAR_VOLUME,
                                   BAR_DIVIDEND,
                                   BAR_SPLIT_RATIO,
                                   PRICE_COLUMN_CURRENCY,
                                   PRICE_COLUMN_SOURCE,
                                   PRICE_COLUMN_QUALITY,
                                   PRICE_COLUMN_KNOWN_AT,
                                   PRICE_COLUMN_SESSIONS};
    static const unsigned transformed[] = {PRICE_COLUMN_UID, PRICE_COLUMN_DATE, BAR_CLOSE};
    bool is_lin = query->transform == TRANSFORM_LIN;
    const unsigned *from = is_lin ? all : transformed;
    query->n_columns = is_lin ? ARRAY_LEN(all) - (query->interval == FREQUENCY_DAY ? 1 : 0)
                              : ARRAY_LEN(transformed);
    memcpy(query->columns, from, query->n_columns * sizeof *from);
}

/* fields=, or its other name select=. */
static enum status read_fields(struct request *request, struct price_query *query, struct err *err)
{
    const char *parameter = request_param(request, "fields").ptr != NULL ? "fields" : "select";
    struct str list = request_param(request, parameter);
    if (list.ptr == NULL) {
        default_columns(query);
        return STATUS_OK;
    }
    if (str_eq_c(str_of(parameter), "fields") && request_param(request, "select").ptr != NULL)
        return params_refuse(err, "select", request_param(request, "select"),
                             "either fields or select: they are the same");
    struct str name;
    while (str_next_field(&list, ',', &name)) {
        unsigned column = find_name(name, PRICE_COLUMNS);
        if (column == PRICE_COLUMNS)
            return unknown_field(parameter, name, PRICE_COLUMNS, err);
        for (size_t i = 0; i < query->n_columns; i++)
            if (query->columns[i] == column)
                return params_refuse(err, parameter, name, "each field once");
        query->columns[query->n_columns++] = column;
    }
    return STATUS_OK;
}

static enum status read_field(struct request *request, struct price_query *query, struct err *err)
{
    struct str name = request_param(request, "field");
    query->field = BAR_CLOSE;
    if (name.ptr == NULL)
        return STATUS_OK;
    if (!query->is_wide)
        return params_refuse(err, "field", name, "layout=wide beside it; fields for layout=long");
    unsigned field = find_name(name, BAR_FIELDS);
    if (field == BAR_FIELDS)
        return unknown_field("field", name, BAR_FIELDS, err);
    query->field = (enum bar_field)field;
    return STATUS_OK;
}

static enum status read_currency(struct request *request, struct price_query *query,
                                 struct err *err)
{
    struct str code = request_param(request, "currency");
    query->currency = code;
    if (code.ptr == NULL)
        return STATUS_OK;
    bool is_code = code.len == 3;
    for (size_t i = 0; is_code && i < code.len; i++)
        is_code = code.ptr[i] >= 'A' && code.ptr[i] <= 'Z';
    return is_code ? STATUS_OK
                   : params_refuse(err, "currency", code, "an ISO 4217 code in capitals, as USD");
}

/* instruments=a,b,...: each once, in the order given. */
static enum status read_uids(struct request *request, size_t max, struct price_query *query,
                             struct err *err)
{
    struct str list = request_param(request, "instruments");
    size_t n = 1;
    for (size_t i = 0; i < list.len; i++)
        n += list.ptr[i] == ',' ? 1 : 0;
    if (list.len == 0 || n > max) {
        enum status s = params_refuse(err, "instruments", list, "");
        err_allow(err, "1 to %zu uids from /v1/instruments, separated by commas", max);
        return s;
    }
    query->uids = arena_array(&request->arena, n, sizeof *query->uids);
    if (query->uids == NULL)
        return err_out_of_memory(err);
    struct str uid;
    while (str_next_field(&list, ',', &uid)) {
        bool is_new = uid.len > 0;
        for (size_t i = 0; i < query->n_uids && is_new; i++)
            is_new = !str_eq(uid, query->uids[i]);
        if (!is_new)
            return params_refuse(err, "instruments", uid, "different uids, none of them empty");
        query->uids[query->n_uids++] = uid;
    }
    return STATUS_OK;
}

static enum status read_choices(struct request *request, struct price_query *query, struct err *err)
{
    size_t interval = 0, adjust = 0, transform = 0, layout = 0, order = 0;
    enum status s =
        resource_choice(request, "interval", interval_names, FREQUENCY_COUNT, &interval, err);
    if (s == STATUS_OK)
        s = resource_choice(request, "adjust", bar_adjust_names, ADJUST_COUNT, &adjust, err);
    if (s == STATUS_OK)
        s = resource_choice(request, "transform", transform_names, TRANSFORM_COUNT, &transform,
                            err);
    if (s == STATUS_OK)
        s = resource_choice(request, "layout", layout_names, ARRAY_LEN(layout_names), &layout, err);
    if (s == STATUS_OK)
        s = resource_choice(request, "order", order_names, ARRAY_LEN(order_names), &order, err);
    query->interval = (enum frequency)interval;
    query->adjust = (enum bar_adjust)adjust;
    query->transform = (enum transform)transform;
    query->is_wide = layout == 1;
    query->is_descending = order == 1;
    return s;
}

static void say(struct resource *resource, const struct price_query *query)
{
    for (size_t i = 0; i < query->n_uids; i++)
        resource_say(resource, "uid", query->uids[i]);
    resource_say_i64(resource, "from", query->window.from);
    resource_say_i64(resource, "to", query->window.to);
    resource_say_i64(resource, "interval", query->interval);
    resource_say_i64(resource, "adjust", query->adjust);
    resource_say_i64(resource, "transform", query->transform);
    resource_say(resource, "currency", query->currency);
    resource_say_i64(resource, "wide", query->is_wide);
    resource_say_i64(resource, "descending", query->is_descending);
    if (query->is_wide)
        resource_say_i64(resource, "field", query->field);
    for (size_t i = 0; i < query->n_columns && !query->is_wide; i++)
        resource_say_i64(resource, "column", query->columns[i]);
}

enum status price_query_read(struct resource *resource, size_t max_uids, struct price_query *ret,
                             struct err *err)
{
    struct request *request = resource->request;
    enum status s = read_choices(request, ret, err);
    if (s == STATUS_OK)
        s = params_window(request, resource->as_of, &ret->window, err);
    if (s == STATUS_OK)
        s = read_currency(request, ret, err);
    if (s == STATUS_OK)
        s = read_fields(request, ret, err);
    if (s == STATUS_OK)
        s = read_field(request, ret, err);
    if (s == STATUS_OK && max_uids > 0)
        s = read_uids(request, max_uids, ret, err);
    if (s == STATUS_OK)
        say(resource, ret);
    return s;
}

void price_query_put_meta(const struct price_query *query, struct json_out *json)
{
    jw_key_c(json, "interval", interval_names[query->interval]);
    jw_key_c(json, "adjust", bar_adjust_names[query->adjust]);
    jw_key_text(json, "currency", query->currency);
    jw_key_c(json, "transform", transform_names[query->transform]);
    jw_key_c(json, "layout", layout_names[query->is_wide ? 1 : 0]);
    if (query->is_wide)
        jw_key_c(json, "field", names[query->field]);
}
