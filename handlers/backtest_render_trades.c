/*
 * backtest_render_trades.c - thousands of trades column by column: names are said once, and a text that was written
 * before, as most are, is copied from there.
 */
#include "handlers/backtest_render_trades.h"

#include "base/date.h"
#include "base/number.h"

#include <string.h>

/* A column of texts: what a trade has in it is known by a number. */
struct texts {
    const char *key;
    uint32_t (*code)(const struct sim_trade *trade);
    struct str (*text)(const struct backtest_result *r, uint32_t code, char room[DATE_TEXT_BYTES]);
};

static uint32_t code_of_date(const struct sim_trade *trade)
{
    return trade->session;
}

static uint32_t code_of_asset(const struct sim_trade *trade)
{
    return trade->asset;
}

static uint32_t code_of_side(const struct sim_trade *trade)
{
    return trade->is_buy ? 1 : 0;
}

static uint32_t code_of_reason(const struct sim_trade *trade)
{
    return (uint32_t)trade->reason;
}

static struct str text_of_date(const struct backtest_result *r, uint32_t session,
                               char room[DATE_TEXT_BYTES])
{
    date_format(r->panel->clock[session], room);
    return (struct str){room, DATE_TEXT_BYTES - 1};
}

static struct str text_of_uid(const struct backtest_result *r, uint32_t asset,
                              char room[DATE_TEXT_BYTES])
{
    (void)room;
    return r->panel->assets[asset].series->uid;
}

static struct str text_of_currency(const struct backtest_result *r, uint32_t asset,
                                   char room[DATE_TEXT_BYTES])
{
    (void)room;
    return str_of(r->panel->assets[asset].series->currency);
}

static struct str text_of_side(const struct backtest_result *r, uint32_t is_buy,
                               char room[DATE_TEXT_BYTES])
{
    (void)r;
    (void)room;
    return is_buy ? STR("buy") : STR("sell");
}

static struct str text_of_reason(const struct backtest_result *r, uint32_t reason,
                                 char room[DATE_TEXT_BYTES])
{
    (void)r;
    (void)room;
    return str_of(sim_reason_names[reason]);
}

/* Where a text was written last, with the comma before it; len 0: nowhere. */
struct written {
    uint32_t code;
    size_t at, len;
};

enum { WRITTEN = 64 }; /* a power of two; codes that share a place are written anew */

static bool write_again(struct buf *out, const struct written *before)
{
    char *to = buf_room(out, before->len);
    if (to == NULL)
        return false;
    memcpy(to, out->ptr + before->at, before->len);
    out->len += before->len;
    return true;
}

/* A value of its own, behind a key. */
static void write_value_again(struct json_out *json, const struct written *before)
{
    jw_raw(json, STR(""));
    (void)write_again(json->out, before);
}

static void write_texts(const struct backtest_result *r, const struct texts *column, size_t n,
                        struct json_out *json)
{
    char room[DATE_TEXT_BYTES];
    struct written written[WRITTEN] = {0};
    jw_key(json, column->key);
    jw_array(json);
    for (size_t i = 0; i < n; i++) {
        uint32_t code = column->code(&r->ledger.trades[i]);
        struct written *before = &written[code % WRITTEN];
        if (before->len > 0 && before->code == code && write_again(json->out, before))
            continue;
        size_t at = json->out->len;
        jw_str(json, column->text(r, code, room));
        if (i > 0) /* the first one has no comma */
            *before = (struct written){code, at, json->out->len - at};
    }
    jw_end_array(json);
}

static void write_numbers(const char *key, const double *first, size_t n, struct json_out *json)
{
    jw_key(json, key);
    jw_f64_column(json, first, n, sizeof(struct sim_trade));
}

static bool is_same_column(const struct sim_trade *trades, size_t n, size_t a, size_t b)
{
    size_t i = 0;
    while (i < n && number_is_same(trades[i].paid[a], trades[i].paid[b]))
        i++;
    return i == n;
}

/* What was not asked for is 0 throughout, and two rates may be the same: such a column's text is copied. */
static void write_paid(const struct sim_trade *trades, size_t n, struct json_out *json)
{
    struct written columns[COST_TRADE_COUNT] = {0};
    for (size_t k = 0; k < COST_TRADE_COUNT; k++) {
        size_t before = 0;
        while (before < k && !is_same_column(trades, n, before, k))
            before++;
        jw_key(json, cost_kind_names[k]);
        size_t at = json->out->len;
        if (before == k)
            jw_f64_column(json, &trades->paid[k], n, sizeof *trades);
        else
            write_value_again(json, &columns[before]);
        columns[k] = (struct written){.at = at, .len = json->out->len - at};
    }
}

static size_t n_written(const struct sim_recorder *ledger)
{
    return ledger->n_trades < ledger->max_trades ? ledger->n_trades : ledger->max_trades;
}

void render_trades_first(const struct backtest_result *r, struct json_out *json)
{
    static const struct texts columns[] = {{"date", code_of_date, text_of_date},
                                           {"uid", code_of_asset, text_of_uid},
                                           {"side", code_of_side, text_of_side},
                                           {"reason", code_of_reason, text_of_reason}};
    size_t n = n_written(&r->ledger);
    jw_key(json, "trades");
    jw_object(json);
    jw_key_i64(json, "count", (int64_t)r->ledger.n_trades);
    jw_key_bool(json, "truncated", n < r->ledger.n_trades);
    jw_key(json, "columns");
    jw_object(json);
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        write_texts(r, &columns[i], n, json);
}

void render_trades_pass(struct json_out *json)
{
    jw_key(json, "trades");
    jw_object(json);
    jw_key(json, "columns");
    jw_object(json);
    jw_key_null(json, "date");
}

void render_trades_rest(const struct backtest_result *r, struct json_out *json)
{
    static const struct texts currency = {"currency", code_of_asset, text_of_currency};
    const struct sim_trade *trades = r->ledger.trades;
    size_t n = n_written(&r->ledger);
    write_numbers("quantity", &trades->quantity, n, json);
    write_numbers("price", &trades->local_price, n, json);
    write_texts(r, &currency, n, json);
    write_numbers("fx", &trades->fx, n, json);
    write_numbers("value", &trades->value, n, json);
    write_paid(trades, n, json);
    jw_end_object(json);
    jw_end_object(json);
}

void render_trades(const struct backtest_result *r, struct json_out *json)
{
    render_trades_first(r, json);
    render_trades_rest(r, json);
}
