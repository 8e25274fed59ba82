/* correlations.c - how an instrument's daily log returns move with those of others, on common dates. */
#include "handlers/handlers.h"

#include "base/date.h"
#include "base/number.h"
#include "handlers/instrument.h"
#include "handlers/params.h"
#include "handlers/risk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WITH_MAX = 200, TOP_DEFAULT = 10, PEERS_MAX = 500, COLUMNS = 6 };

struct correlations {
    struct resource *resource;
    struct str with[WITH_MAX];
    size_t n_with; /* 0: the top of its asset class */
    size_t window;
    int64_t top;
    bool has_more_peers; /* than were looked at */
};

struct pair {
    struct str uid;
    int32_t from, to;
    size_t n;
    double correlation; /* NaN: too few or no variation */
    unsigned warnings;
};

static enum status out_of_memory(struct err *err)
{
    (void)err_out_of_memory(err);
    return STATUS_OUT_OF_MEMORY;
}

static enum status join(const struct correlations *self, const struct risk_series *own,
                        const struct risk_series *other, struct arena *scratch, struct pair *ret,
                        struct err *err)
{
    struct priced a = risk_priced(own, (enum risk_window)self->window);
    struct priced b = {other->prices.date, other->prices.price, other->prices.n};
    int32_t *date = arena_array(scratch, a.n, sizeof *date);
    double *x = arena_array(scratch, a.n, sizeof *x);
    double *y = arena_array(scratch, a.n, sizeof *y);
    if (date == NULL || x == NULL || y == NULL)
        return out_of_memory(err);
    size_t n = pairs_common(a, b, date, x, y);
    (void)pairs_correlation(x, y, n, &ret->correlation, &ret->n);
    ret->from = n > 0 ? date[0] : DATE_NONE;
    ret->to = n > 0 ? date[n - 1] : DATE_NONE;
    return STATUS_OK;
}

/* Loads the other one into memory of its own: an asset class would not fit together. */
static enum status correlate(const struct correlations *self, struct db *db,
                             const struct risk_series *own, struct str uid, struct pair *ret,
                             struct err *err)
{
    struct risk_series other;
    struct arena scratch;
    arena_init(&scratch, (size_t)64 << 20);
    *ret =
        (struct pair){.uid = uid, .from = DATE_NONE, .to = DATE_NONE, .correlation = (double)NAN};
    enum status s = risk_series_load(self->resource, db, "with", uid, &scratch, &other, err);
    if (s == STATUS_OK)
        s = join(self, own, &other, &scratch, ret, err);
    ret->warnings = s == STATUS_OK ? risk_warnings(&other) : 0;
    arena_clear(&scratch);
    return s;
}

static enum status put_pair(const struct correlations *self, const struct pair *pair,
                            struct table *table, struct err *err)
{
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES], n[24], value[NUMBER_TEXT_BYTES];
    struct str values[COLUMNS] = {pair->uid, str_of(risk_window_names[self->window])};
    (void)snprintf(n, sizeof n, "%zu", pair->n);
    values[4] = str_of(n);
    if (pair->from != DATE_NONE) {
        date_format(pair->from, from);
        date_format(pair->to, to);
        values[2] = str_of(from);
        values[3] = str_of(to);
    }
    if (isfinite(pair->correlation))
        values[5] = (struct str){value, number_format(pair->correlation, value)};
    table_warn(table, pair->warnings);
    return table_row(table, values, err);
}

/* Highest first; those without a value last; equal ones by uid. */
static int by_correlation(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    bool has_a = isfinite(a->correlation), has_b = isfinite(b->correlation);
    if (has_a != has_b)
        return has_a ? -1 : 1;
    if (has_a && (a->correlation > b->correlation || a->correlation < b->correlation))
        return a->correlation > b->correlation ? -1 : 1;
    return str_cmp(a->uid, b->uid);
}

/* uids of the asset class, without the instrument's own. */
static enum status load_peers(struct correlations *self, struct db *db,
                              const struct instrument *own, struct str *ret, size_t *ret_n,
                              struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct arena *arena = &self->resource->request->arena;
    bool has_row = false;
    size_t n = 0;
    enum status s =
        instrument_peers_open(db, own->asset_class, self->resource->read_at, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct str uid = rows_text(&rows, 0);
        if (str_eq(uid, own->uid))
            continue;
        self->has_more_peers = n == PEERS_MAX;
        if (self->has_more_peers)
            break;
        ret[n] = (struct str){arena_dup(arena, uid), uid.len};
        if (ret[n++].ptr == NULL)
            return out_of_memory(err);
    }
    *ret_n = n;
    return s;
}

static enum status fill_rows(struct correlations *self, struct db *db,
                             const struct risk_series *own, struct table *table, struct err *err)
{
    struct arena *arena = &self->resource->request->arena;
    struct str *uids = self->n_with > 0 ? self->with : arena_array(arena, PEERS_MAX, sizeof *uids);
    struct pair *pairs = arena_array(arena, PEERS_MAX, sizeof *pairs);
    size_t n = self->n_with;
    enum status s = STATUS_OK;
    if (uids == NULL || pairs == NULL)
        return out_of_memory(err);
    if (n == 0)
        s = load_peers(self, db, &own->instrument, uids, &n, err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++)
        s = correlate(self, db, own, uids[i], &pairs[i], err);
    if (s == STATUS_OK && self->n_with == 0)
        qsort(pairs, n, sizeof *pairs, by_correlation);
    size_t n_shown = self->n_with == 0 && n > (size_t)self->top ? (size_t)self->top : n;
    for (size_t i = 0; i < n_shown && s == STATUS_OK; i++)
        s = put_pair(self, &pairs[i], table, err);
    return s;
}

static enum status must_know(struct correlations *self, struct db *db, struct str uid,
                             struct err *err)
{
    struct instrument instrument;
    return instrument_find(db, "with", uid, self->resource->read_at,
                           &self->resource->request->arena, &instrument, err);
}

static enum status fill(struct request *request, void *cls, struct table *table, struct err *err)
{
    static const char *const names[COLUMNS] = {"uid", "window", "from", "to", "n", "correlation"};
    static const enum column_kind kinds[COLUMNS] = {COLUMN_TEXT, COLUMN_TEXT, COLUMN_DATE,
                                                    COLUMN_DATE, COLUMN_INT,  COLUMN_FLOAT};
    struct correlations *self = cls;
    CLEANUP(db_releasep) struct db *db = NULL;
    struct risk_series own;
    struct table_column *columns = arena_array(&request->arena, COLUMNS, sizeof *columns);
    if (columns == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = (struct table_column){str_of(names[i]), kinds[i]};
    enum status s = resource_db(self->resource, &db, err);
    if (s == STATUS_OK)
        s = risk_series_load(self->resource, db, "uid", request->path_params[0], &request->arena,
                             &own, err);
    for (size_t i = 0; i < self->n_with && s == STATUS_OK; i++)
        s = must_know(self, db, self->with[i], err); /* before the first row */
    if (s == STATUS_OK)
        s = table_columns(table, columns, COLUMNS, err);
    if (s != STATUS_OK)
        return s;
    table_warn(table, risk_warnings(&own));
    return fill_rows(self, db, &own, table, err);
}

static void put_meta(struct json_out *json, void *cls)
{
    const struct correlations *self = cls;
    resource_put_meta(self->resource, json, true);
    jw_key_c(json, "source", "computed");
    jw_key_c(json, "prices", "adj_close");
    jw_key_c(json, "returns", "daily log returns on common dates");
    jw_key_bool(json, "peers_cut", self->has_more_peers);
}

static enum status read_with(struct correlations *self, struct err *err)
{
    struct request *request = self->resource->request;
    struct str list = request_param(request, "with");
    struct str uid;
    while (list.ptr != NULL && str_next_field(&list, ',', &uid)) {
        if (uid.len == 0 || self->n_with == WITH_MAX)
            return params_refuse(err, "with", uid,
                                 "1 to 200 uids from /v1/instruments, separated by commas");
        resource_say(self->resource, "with", uid);
        self->with[self->n_with++] = uid;
    }
    struct str top = request_param(request, "top");
    if (self->n_with > 0 && top.ptr != NULL)
        return params_refuse(err, "top", top, "either with or top");
    return params_i64(request, "top", 1, WITH_MAX, &self->top, err);
}

enum status instrument_correlations_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"with", "top", "window", "generation", TABLE_PARAMETERS};
    static const char *const marts[] = {"mart_price_daily", "mart_instrument"};
    CLEANUP(resource_end) struct resource resource = {0};
    struct correlations *self = ARENA_NEW(&request->arena, struct correlations);
    if (self == NULL)
        return out_of_memory(err);
    *self = (struct correlations){
        .resource = &resource, .window = WINDOW_1Y, .top = TOP_DEFAULT, .n_with = 0};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = resource_begin(request, marts, ARRAY_LEN(marts), &resource, err);
    if (s == STATUS_OK)
        s = read_with(self, err);
    if (s == STATUS_OK)
        s = resource_choice(request, "window", risk_window_names, WINDOW_COUNT, &self->window, err);
    if (s != STATUS_OK)
        return s;
    resource_say_i64(&resource, "top", self->top);
    resource_say_i64(&resource, "window", (int64_t)self->window);
    return resource_answer(&resource,
                           (struct table_request){.fill = fill,
                                                  .put_meta = put_meta,
                                                  .file_name = STR("correlations"),
                                                  .describedby = STR("/v1/marts/mart_price_daily"),
                                                  .cls = self},
                           err);
}
