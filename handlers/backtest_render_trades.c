/*
 * backtest_render_trades.c - thousands of rows with the same keys: each is put together in one piece of memory instead
 * of key by key. A row that does not fit there, or holds what has to be escaped, goes the common way.
 */
#include "handlers/backtest_render_trades.h"

#include "base/date.h"
#include "base/number.h"

#include <math.h>
#include <string.h>

enum { ROW_BYTES = 1024, UID_BYTES = 128 };

/* The date of the row before: most sessions have a trade of every asset. */
struct day {
    uint32_t session;
    bool is_known;
    char text[DATE_TEXT_BYTES];
};

static void write_trade(const struct backtest_result *r, const struct sim_trade *trade,
                        struct json_out *json)
{
    jw_object(json);
    jw_key_date(json, "date", r->panel->clock[trade->session]);
    jw_key_text(json, "uid", r->panel->assets[trade->asset].series->uid);
    jw_key_c(json, "side", trade->is_buy ? "buy" : "sell");
    jw_key_c(json, "reason", sim_reason_names[trade->reason]);
    jw_key_f64(json, "quantity", trade->quantity);
    jw_key_f64(json, "price", trade->local_price);
    jw_key_c(json, "currency", r->panel->assets[trade->asset].series->currency);
    jw_key_f64(json, "fx", trade->fx);
    jw_key_f64(json, "value", trade->value);
    for (size_t k = 0; k < COST_TRADE_COUNT; k++)
        jw_key_f64(json, cost_kind_names[k], trade->paid[k]);
    jw_end_object(json);
}

static inline char *put(char *to, struct str text)
{
    memcpy(to, text.ptr, text.len);
    return to + text.len;
}

static inline char *put_c(char *to, const char *text)
{
    return put(to, str_of(text));
}

static char *put_number(char *to, struct str key, double value)
{
    to = put(to, key);
    return isfinite(value) ? to + number_format(value, to) : put(to, STR("null"));
}

static char *put_costs(char *to, const struct sim_trade *trade)
{
    for (size_t k = 0; k < COST_TRADE_COUNT; k++) {
        to = put_c(put(to, STR(",\"")), cost_kind_names[k]);
        to = put_number(to, STR("\":"), trade->paid[k]);
    }
    return to;
}

/* The same bytes as write_trade; uid is clean and short. */
static size_t put_trade(const struct backtest_result *r, const struct sim_trade *trade,
                        struct day *day, char row[ROW_BYTES])
{
    const struct price_series *series = r->panel->assets[trade->asset].series;
    if (!day->is_known || day->session != trade->session) {
        date_format(r->panel->clock[trade->session], day->text);
        day->session = trade->session;
        day->is_known = true;
    }
    char *to = put(row, STR("{\"date\":\""));
    to = put(to, (struct str){day->text, DATE_TEXT_BYTES - 1});
    to = put(put(to, STR("\",\"uid\":\"")), series->uid);
    to = put(to, trade->is_buy ? STR("\",\"side\":\"buy\",\"reason\":\"")
                               : STR("\",\"side\":\"sell\",\"reason\":\""));
    to = put_c(to, sim_reason_names[trade->reason]);
    to = put_number(to, STR("\",\"quantity\":"), trade->quantity);
    to = put_number(to, STR(",\"price\":"), trade->local_price);
    to = put_c(put(to, STR(",\"currency\":\"")), series->currency);
    to = put_number(to, STR("\",\"fx\":"), trade->fx);
    to = put_number(to, STR(",\"value\":"), trade->value);
    to = put(put_costs(to, trade), STR("}"));
    return (size_t)(to - row);
}

void render_trades(const struct backtest_result *r, struct json_out *json)
{
    const struct sim_recorder *ledger = &r->ledger;
    size_t n = ledger->n_trades < ledger->max_trades ? ledger->n_trades : ledger->max_trades;
    struct day day = {0};
    char row[ROW_BYTES];
    jw_key(json, "trades");
    jw_object(json);
    jw_key_i64(json, "count", (int64_t)ledger->n_trades);
    jw_key_bool(json, "truncated", n < ledger->n_trades);
    jw_key(json, "rows");
    jw_array(json);
    for (size_t i = 0; i < n; i++) {
        const struct sim_trade *trade = &ledger->trades[i];
        struct str uid = r->panel->assets[trade->asset].series->uid;
        if (uid.len <= UID_BYTES && jw_is_clean(uid))
            jw_raw(json, (struct str){row, put_trade(r, trade, &day, row)});
        else
            write_trade(r, trade, json);
    }
    jw_end_array(json);
    jw_end_object(json);
}
