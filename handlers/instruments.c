/* instruments.c - instruments by search and by uid, and their prices: views of two marts. */
#include "handlers/handlers.h"

#include "handlers/params.h"
#include "handlers/rows_answer.h"
#include "store/instrument_store.h"

/* asset_class=, market=, currency= as exact matches. */
static enum status add_exact_filters(struct request *request, struct rows_request *rows,
                                     struct err *err)
{
    static const char *const columns[] = {"asset_class", "market", "currency"};
    enum status s = STATUS_OK;
    for (size_t i = 0; i < ARRAY_LEN(columns) && s == STATUS_OK; i++) {
        struct str value = request_param(request, columns[i]);
        if (value.ptr != NULL)
            s = rows_add_equal(request, rows, columns[i], value, err);
    }
    return s;
}

static enum status add_active(struct request *request, struct rows_request *rows, struct err *err)
{
    struct str active = request_param(request, "active");
    if (active.ptr == NULL)
        return STATUS_OK;
    if (!str_eq_c(active, "true") && !str_eq_c(active, "false"))
        return params_refuse(err, "active", active, "true or false");
    return rows_add_equal(request, rows, "is_active", active, err);
}

static enum status add_search(struct request *request, struct rows_request *rows, struct err *err)
{
    struct str q = request_param(request, "q");
    if (q.ptr == NULL)
        return STATUS_OK;
    if (q.len < 1 || q.len > 64)
        return params_refuse(err, "q", q, "1 to 64 bytes of text");
    return mart_query_search(rows->query, q, "uid,symbol,name,name_local", &request->arena, err);
}

enum status instruments_list(struct request *request, struct err *err)
{
    static const char *const names[] = {"q",      "asset_class", "market",        "currency",
                                        "active", "select",      "order",         "limit",
                                        "cursor", "generation",  TABLE_PARAMETERS};
    CLEANUP(rows_end) struct rows_request rows = {0};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = rows_begin(request, STR("mart_instrument"), &rows, err);
    if (s == STATUS_OK)
        s = add_exact_filters(request, &rows, err);
    if (s == STATUS_OK)
        s = add_active(request, &rows, err);
    if (s == STATUS_OK)
        s = add_search(request, &rows, err);
    if (s == STATUS_OK)
        s = rows_read_page(request, &rows, err);
    return s != STATUS_OK ? s : rows_answer(request, &rows, err);
}

/* A known instrument without rows in the window is an empty list; an unknown one is 404. */
static enum status must_exist(struct request *request, struct db *db, int64_t generation,
                              struct err *err)
{
    struct str uid = request->path_params[0];
    struct instrument instrument;
    bool is_found = false;
    enum status s =
        instrument_get(db, uid, generation, &request->arena, &instrument, &is_found, err);
    if (s != STATUS_OK || is_found)
        return s;
    (void)err_set(err, STATUS_UNKNOWN_INSTRUMENT, "There is no instrument \"%.*s\".",
                  STR_ARG(str_utf8_cut(uid, 64)));
    err_at(err, ERR_PARAMETER, STR("uid"), uid);
    err_suggest(err, instrument.uid);
    err_allow(err, "a uid from /v1/instruments, as class:SYMBOL");
    return STATUS_UNKNOWN_INSTRUMENT;
}

enum status instrument_get_one(struct request *request, struct err *err)
{
    static const char *const names[] = {"select", "generation", TABLE_PARAMETERS};
    CLEANUP(rows_end) struct rows_request rows = {0};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = rows_begin(request, STR("mart_instrument"), &rows, err);
    if (s == STATUS_OK)
        s = rows_add_equal(request, &rows, "uid", request->path_params[0], err);
    if (s == STATUS_OK)
        s = rows_read_page(request, &rows, err);
    rows.is_single = true;
    rows.when_empty = must_exist;
    return s != STATUS_OK ? s : rows_answer(request, &rows, err);
}

enum status instrument_prices_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"from",  "to",     "last",       "select",        "order",
                                        "limit", "cursor", "generation", TABLE_PARAMETERS};
    CLEANUP(rows_end) struct rows_request rows = {0};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = rows_begin(request, STR("mart_price_daily"), &rows, err);
    if (s == STATUS_OK)
        s = rows_add_equal(request, &rows, "uid", request->path_params[0], err);
    if (s == STATUS_OK)
        s = rows_add_window(request, &rows, err);
    if (s == STATUS_OK)
        s = rows_read_page(request, &rows, err);
    rows.when_empty = must_exist;
    return s != STATUS_OK ? s : rows_answer(request, &rows, err);
}
