/* prices_latest.c - the newest bar of each instrument, and how it differs from the one before. */
#include "handlers/handlers.h"

#include "base/decimal.h"
#include "base/number.h"
#include "handlers/instrument.h"
#include "handlers/params.h"
#include "handlers/resource.h"
#include "handlers/warnings.h"
#include "store/mart_query.h"
#include "store/price_store.h"

#include <math.h>

enum { UIDS_MAX = 200 };

static const char *const asset_classes[] = {"stock", "etf",       "bond", "fx",
                                            "coin",  "commodity", "index"};

static const struct table_column columns[] = {
    RESOURCE_COLUMN("uid", COLUMN_TEXT),
    RESOURCE_COLUMN("date", COLUMN_DATE),
    RESOURCE_COLUMN("close", COLUMN_DECIMAL),
    RESOURCE_COLUMN("adj_close", COLUMN_DECIMAL),
    RESOURCE_COLUMN("previous_date", COLUMN_DATE),
    RESOURCE_COLUMN("previous_close", COLUMN_DECIMAL),
    RESOURCE_COLUMN("previous_adj_close", COLUMN_DECIMAL),
    RESOURCE_COLUMN("change", COLUMN_DECIMAL),
    RESOURCE_COLUMN("change_pct", COLUMN_FLOAT),
    RESOURCE_COLUMN("basis", COLUMN_TEXT),
    RESOURCE_COLUMN("currency", COLUMN_TEXT),
    RESOURCE_COLUMN("source", COLUMN_TEXT),
    RESOURCE_COLUMN("quality", COLUMN_INT),
    RESOURCE_COLUMN("known_at", COLUMN_INSTANT),
};

/* The texts of one bar, kept beyond its row. */
struct latest_bar {
    struct str uid, date, close, adj_close, split_ratio, currency, source, quality, known_at;
};

struct latest {
    struct resource *resource;
    struct price_latest which;
    struct str uids[UIDS_MAX]; /* ptr NULL of the first: all of an asset class */
    size_t n_uids;
};

static enum status read_bar(const struct rows *rows, struct arena *arena, struct latest_bar *ret,
                            struct err *err)
{
    const struct {
        struct str *to;
        size_t column;
        enum column_kind kind;
    } texts[] = {
        {&ret->uid, 0, COLUMN_TEXT},
        {&ret->date, 1 + PRICE_DATE, COLUMN_DATE},
        {&ret->close, 1 + PRICE_CLOSE, COLUMN_DECIMAL},
        {&ret->adj_close, 1 + PRICE_ADJ_CLOSE, COLUMN_DECIMAL},
        {&ret->split_ratio, 1 + PRICE_SPLIT_RATIO, COLUMN_DECIMAL},
        {&ret->currency, 1 + PRICE_CURRENCY, COLUMN_TEXT},
        {&ret->source, 1 + PRICE_SOURCE, COLUMN_TEXT},
        {&ret->quality, 1 + PRICE_QUALITY, COLUMN_INT},
        {&ret->known_at, 1 + PRICE_KNOWN_AT, COLUMN_INSTANT},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct str text = mart_value_text(rows, texts[i].column, texts[i].kind, arena);
        *texts[i].to = STR_NONE;
        if (text.ptr == NULL)
            continue;
        *texts[i].to = (struct str){arena_dup(arena, text), text.len};
        if (texts[i].to->ptr == NULL)
            return err_out_of_memory(err);
    }
    return STATUS_OK;
}

/* Closes compare as quoted, unless one is missing or a split came between: then adjusted ones do. */
static bool compares_quoted(const struct latest_bar *bar, const struct latest_bar *before)
{
    double ratio = 1;
    bool is_split = bar->split_ratio.ptr != NULL && str_to_f64(bar->split_ratio, &ratio) &&
                    (ratio < 1 || ratio > 1);
    return bar->close.ptr != NULL && before->close.ptr != NULL && !is_split;
}

static void put_change(const struct latest_bar *bar, const struct latest_bar *before,
                       struct str values[], char room[DECIMAL_SUM_BYTES],
                       char percent[NUMBER_TEXT_BYTES])
{
    bool is_quoted = compares_quoted(bar, before);
    struct str now = is_quoted ? bar->close : bar->adj_close;
    struct str then = is_quoted ? before->close : before->adj_close;
    double x, y;
    if (now.ptr == NULL || then.ptr == NULL || !str_to_f64(now, &x) || !str_to_f64(then, &y))
        return;
    values[7] = decimal_subtract(now, then, room);
    double change = (x / y - 1) * 100;
    if (isfinite(change))
        values[8] = (struct str){percent, number_format(change, percent)};
    values[9] = is_quoted ? STR("close") : STR("adj_close");
}

static enum status put_row(const struct latest_bar *bar, const struct latest_bar *before,
                           struct table *table, struct err *err)
{
    char room[DECIMAL_SUM_BYTES], percent[NUMBER_TEXT_BYTES];
    struct str values[] = {bar->uid,     bar->date,     bar->close,        bar->adj_close,
                           before->date, before->close, before->adj_close, STR_NONE,
                           STR_NONE,     STR_NONE,      bar->currency,     bar->source,
                           bar->quality, bar->known_at};
    int64_t quality = 0;
    put_change(bar, before, values, room, percent);
    (void)str_to_i64(bar->quality, &quality); /* null is none */
    table_warn(table, warnings_of(bar->source, quality));
    return table_row(table, values, err);
}

/* Rows come in pairs, newest first; an instrument with one bar has no pair. */
static enum status put_rows(struct latest *self, struct rows *rows, struct table *table,
                            struct err *err)
{
    static const struct latest_bar none = {.uid = {NULL, 0}};
    struct resource *resource = self->resource;
    struct latest_bar bar = none, next;
    struct str last = STR_NONE; /* the uid of the last row written */
    bool has_row = false;
    enum status s = rows_next(rows, &has_row, err);
    if (s == STATUS_OK && has_row)
        s = read_bar(rows, &resource->request->arena, &bar, err);
    while (s == STATUS_OK && bar.uid.ptr != NULL) {
        if (table_rows(table) == (size_t)resource->limit)
            return resource_next(resource, table, &last, 1, err);
        next = none;
        s = rows_next(rows, &has_row, err);
        if (s == STATUS_OK && has_row)
            s = read_bar(rows, &resource->request->arena, &next, err);
        bool is_pair = next.uid.ptr != NULL && str_eq(bar.uid, next.uid);
        if (s == STATUS_OK)
            s = put_row(&bar, is_pair ? &next : &none, table, err);
        last = bar.uid;
        bar = next;
        if (s == STATUS_OK && is_pair) {
            bar = none;
            s = rows_next(rows, &has_row, err);
            if (s == STATUS_OK && has_row)
                s = read_bar(rows, &resource->request->arena, &bar, err);
        }
    }
    return s;
}

static enum status open_and_put(struct latest *self, struct db *db, struct table *table,
                                struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s = price_latest_open(db, &self->which, self->resource->read_at, &rows, err);
    return s != STATUS_OK ? s : put_rows(self, &rows, table, err);
}

static enum status must_know(struct latest *self, struct db *db, struct str uid, struct err *err)
{
    struct instrument instrument;
    return instrument_find(db, "instruments", uid, self->resource->read_at,
                           &self->resource->request->arena, &instrument, err);
}

static enum status fill(struct request *request, void *cls, struct table *table, struct err *err)
{
    struct latest *self = cls;
    CLEANUP(db_releasep) struct db *db = NULL;
    (void)request;
    enum status s = resource_db(self->resource, &db, err);
    for (size_t i = 0; i < self->n_uids && s == STATUS_OK; i++)
        s = must_know(self, db, self->uids[i], err);
    if (s == STATUS_OK)
        s = table_columns(table, columns, ARRAY_LEN(columns), err);
    if (s == STATUS_OK && self->n_uids == 0)
        return open_and_put(self, db, table, err);
    for (size_t i = 0; i < self->n_uids && s == STATUS_OK; i++) {
        self->which.uid = self->uids[i];
        s = open_and_put(self, db, table, err);
    }
    return s;
}

static void put_meta(struct json_out *json, void *cls)
{
    const struct latest *self = cls;
    resource_put_meta(self->resource, json, true);
    jw_key_text(json, "asset_class", self->which.asset_class);
}

/* instruments=a,b: those, all on one page; else an asset class, or everything, in pages by uid. */
static enum status read_which(struct latest *self, struct err *err)
{
    struct request *request = self->resource->request;
    struct str list = request_param(request, "instruments");
    size_t class = ARRAY_LEN(asset_classes);
    enum status s = resource_choice(request, "asset_class", asset_classes, class, &class, err);
    if (s != STATUS_OK)
        return s;
    if (class < ARRAY_LEN(asset_classes))
        self->which.asset_class = str_of(asset_classes[class]);
    if (list.ptr == NULL)
        return STATUS_OK;
    if (self->which.asset_class.ptr != NULL)
        return params_refuse(err, "instruments", list, "either instruments or asset_class");
    struct str uid;
    while (str_next_field(&list, ',', &uid)) {
        if (uid.len == 0 || self->n_uids == UIDS_MAX)
            return params_refuse(err, "instruments", uid,
                                 "1 to 200 uids from /v1/instruments, separated by commas");
        resource_say(self->resource, "uid", uid);
        self->uids[self->n_uids++] = uid;
    }
    return STATUS_OK;
}

enum status prices_latest_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"asset_class", "instruments", "limit",
                                        "cursor",      "generation",  TABLE_PARAMETERS};
    static const char *const marts[] = {"mart_price_daily", "mart_instrument"};
    CLEANUP(resource_end) struct resource resource = {0};
    struct latest *self = ARENA_NEW(&request->arena, struct latest);
    if (self == NULL)
        return err_out_of_memory(err);
    self->resource = &resource;
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = resource_begin(request, marts, ARRAY_LEN(marts), &resource, err);
    if (s == STATUS_OK)
        s = read_which(self, err);
    resource_say(&resource, "asset_class", self->which.asset_class);
    if (s == STATUS_OK)
        s = resource_page(&resource, MART_LIMIT_MAX, 1, err);
    if (s != STATUS_OK)
        return s;
    if (self->n_uids > 0)
        resource.limit = UIDS_MAX; /* a list is answered whole */
    self->which.after = resource.after.values != NULL ? resource.after.values[0] : STR("");
    self->which.limit = resource.limit + 1;
    return resource_answer(&resource,
                           (struct table_request){.fill = fill,
                                                  .put_meta = put_meta,
                                                  .file_name = STR("prices-latest"),
                                                  .describedby = STR("/v1/marts/mart_price_daily"),
                                                  .cls = self},
                           err);
}
