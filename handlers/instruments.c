/* instruments.c - instruments by search and by uid, and their prices: views of two marts. */
#include "handlers/handlers.h"

#include "base/suggest.h"
#include "handlers/instrument.h"

#include "handlers/params.h"
#include "handlers/rows_answer.h"
#include "handlers/urls.h"
#include "store/instrument_store.h"

/* The columns that are filtered by exact value, in the order of enum instrument_facet. */
static const char *const facets[FACET_COUNT] = {"asset_class", "market", "currency", "country",
                                                "sector"};

static enum status add_exact_filters(struct request *request, struct rows_request *rows,
                                     struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < FACET_COUNT && s == STATUS_OK; i++) {
        struct str value = request_param(request, facets[i]);
        if (value.ptr != NULL)
            s = rows_add_equal(request, rows, facets[i], value, err);
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

/* Nothing was found: a value that no instrument has is a mistake, with the nearest that there is. */
static enum status value_must_exist(struct request *request, struct db *db,
                                    enum instrument_facet facet, int64_t generation,
                                    struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct str wanted = request_param(request, facets[facet]);
    struct suggest search = suggest_start(wanted);
    struct buf list;
    bool has_row = false;
    buf_init(&list, &request->arena, (size_t)64 * 1024);
    enum status s = instrument_values_open(db, facet, generation, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct str value = rows_text(&rows, 0);
        const char *copy = arena_dup(&request->arena, value);
        if (str_eq(value, wanted))
            return STATUS_OK;
        if (copy == NULL)
            return err_out_of_memory(err);
        suggest_offer(&search, (struct str){copy, value.len});
        buf_add_c(&list, list.len == 0 ? "" : ", ");
        buf_add(&list, value);
    }
    if (s != STATUS_OK)
        return s;
    s = params_refuse(err, facets[facet], wanted, "");
    err_allow(err, "%.*s", STR_ARG(str_utf8_cut(buf_str(&list), sizeof err->allowed - 1)));
    err_suggest(err, suggest_take(&search));
    return s;
}

static enum status values_must_exist(struct request *request, struct db *db, int64_t generation,
                                     struct err *err)
{
    enum status s = STATUS_OK;
    for (enum instrument_facet i = 0; i < FACET_COUNT && s == STATUS_OK; i++)
        if (request_param(request, facets[i]).ptr != NULL)
            s = value_must_exist(request, db, i, generation, err);
    return s;
}

enum status instruments_list(struct request *request, struct err *err)
{
    static const char *const names[] = {
        "q",      "asset_class", "market", "currency", "country",    "sector",        "active",
        "select", "order",       "limit",  "cursor",   "generation", TABLE_PARAMETERS};
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
    rows.when_empty = values_must_exist;
    return s != STATUS_OK ? s : rows_answer(request, &rows, err);
}

enum status instrument_find(struct db *db, const char *parameter, struct str uid,
                            int64_t generation, struct arena *arena, struct instrument *ret,
                            struct err *err)
{
    bool is_found = false;
    enum status s = instrument_get(db, uid, generation, arena, ret, &is_found, err);
    if (s != STATUS_OK || is_found)
        return s;
    (void)err_set(err, STATUS_UNKNOWN_INSTRUMENT, "There is no instrument \"%.*s\".",
                  STR_ARG(str_utf8_cut(uid, 64)));
    err_at(err, ERR_PARAMETER, str_of(parameter), uid);
    err_suggest(err, ret->uid);
    err_allow(err, "a uid from /v1/instruments, as class:SYMBOL%s",
              str_starts(uid, STR("fx:")) ? "; exchange rates are rows of /v1/marts/mart_fx_daily"
                                          : "");
    return STATUS_UNKNOWN_INSTRUMENT;
}

enum status instrument_must_exist(struct request *request, struct db *db, int64_t generation,
                                  struct err *err)
{
    struct instrument instrument;
    return instrument_find(db, "uid", request->path_params[0], generation, &request->arena,
                           &instrument, err);
}

/* What there is about the instrument, as links of the answer (RFC 8288). */
static void add_links(struct request *request)
{
    static const char *const parts[] = {"prices", "risk", "correlations"};
    struct buf uid;
    buf_init(&uid, &request->arena, 1024);
    url_encode(&uid, request->path_params[0]);
    for (size_t i = 0; i < ARRAY_LEN(parts) && !uid.failed; i++)
        reply_header(request, "Link", "</v1/instruments/%.*s/%s>; rel=\"related\"; title=\"%s\"",
                     STR_ARG(buf_str(&uid)), parts[i], parts[i]);
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
    add_links(request);
    rows.is_single = true;
    rows.has_parent = true;
    rows.when_empty = instrument_must_exist;
    return s != STATUS_OK ? s : rows_answer(request, &rows, err);
}
