/* series.c - the series pass: each touched instrument's prices and events are read, and handed to what is made of them. */
#include "ingest/series.h"

#include "base/array.h"
#include "ingest/action.h"
#include "ingest/warehouse_impl.h"

enum {
    TOUCHES_BYTES_MAX = 128 << 20,
    EVENTS_BYTES_MAX = 128 << 20,
    SERIES_BYTES_MAX = 192 << 20,
    FX_BYTES_MAX = 128 << 20
};

static const char touches_sql[] =
    "SELECT t.uid, i.asset_class, i.market, i.currency, i.symbol, i.is_survivor_biased, "
    "t.from_date, t.to_date, t.lookback_date, i.coupon_rate, i.coupons_per_year, i.maturity_date, m.close_winter "
    "FROM stg_touch t JOIN dim_instrument i ON i.uid = t.uid LEFT JOIN dim_market m ON m.market = i.market "
    "ORDER BY t.uid";

enum { EVENTS_AT_ONCE = 256 }; /* instruments whose events are read together */

struct pass {
    struct db *db; /* which writes, and sees what this run has written */
    /* Of prices: another one where there is one, so that neither waits for the other. */
    struct db *reader;
    const struct stop *stop;
    struct arena touches, events, prices, rates;
    struct series_touch *all;
    size_t n, cap;
    int32_t from, to; /* of all touches */
    struct fx_book *fx;
    struct series_benchmark benchmarks[SERIES_BENCHMARKS];
    struct outbox measures, panel, periods, risk, bonds;
    struct buf indexes; /* what makes those again that are left out while tables are filled */
};

static enum status add_touch(struct pass *p, const struct rows *rows, struct err *err)
{
    p->all = arena_reserve(&p->touches, p->all, p->n + 1, &p->cap, sizeof *p->all);
    if (p->all == NULL)
        return err_out_of_memory(err);
    struct series_touch *t = &p->all[p->n++];
    *t = (struct series_touch){0};
    const char **const texts[] = {&t->uid, &t->asset_class, &t->market, &t->currency, &t->symbol};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_dup(&p->touches, rows_text(rows, i));
    t->is_biased = rows_bool(rows, 5);
    (void)rows_date(rows, 6, &t->from);
    (void)rows_date(rows, 7, &t->to);
    (void)rows_date(rows, 8, &t->lookback);
    t->is_bond = !rows_is_null(rows, 9) && rows_date(rows, 11, &t->bond.maturity);
    t->bond.coupon_rate = t->is_bond ? rows_f64(rows, 9) : 0;
    t->bond.coupons_per_year = (unsigned)rows_i64(rows, 10);
    t->utc_offset_s = market_utc_offset_s(rows_text(rows, 12));
    p->from = p->n == 1 || t->lookback < p->from ? t->lookback : p->from;
    p->to = p->n == 1 || t->to > p->to ? t->to : p->to;
    return t->symbol == NULL ? err_out_of_memory(err) : STATUS_OK;
}

static enum status read_touches(struct pass *p, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    enum status s = db_query(p->db, touches_sql, NO_PARAMS, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = add_touch(p, &rows, err);
    return s;
}

/* where: more of the table's key before the column, so that no index is read from an instrument's first day on; or "". */
static enum status delete_old(struct pass *p, const struct outbox *box, const struct series *s,
                              const char *where, const char *column, int32_t after, struct err *err)
{
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    if (box->was_empty)
        return STATUS_OK;
    return warehouse_exec(
        p->db,
        PARAMS(db_text(str_of(s->touch->uid)), db_date(after, from), db_date(s->touch->to, to)),
        NULL, err, "DELETE FROM %s WHERE uid = $1%s AND %s > $2 AND %s <= $3", box->table, where,
        column, column);
}

static enum status pass_one(struct pass *p, const struct series_touch *t, struct err *err)
{
    struct series series;
    arena_reset(&p->prices);
    enum status s = series_prices_read(p->reader, p->fx, t, &p->prices, &series, err);
    if (s != STATUS_OK || series.first == series.n)
        return s;
    int32_t before = t->from - 1;
    int32_t anchor = series.first > 0 ? series.date[series.first - 1] : before;
    s = delete_old(p, &p->measures, &series, "", "date", before, err);
    if (s == STATUS_OK)
        s = delete_old(p, &p->panel, &series, "", "date", anchor, err);
    if (s == STATUS_OK)
        s = delete_old(p, &p->periods, &series, " AND period IN ('W', 'M', 'Q', 'Y')", "period_end",
                       before, err);
    if (s == STATUS_OK)
        s = delete_old(p, &p->risk, &series, "", "as_of", before, err);
    if (s == STATUS_OK && t->is_bond)
        s = delete_old(p, &p->bonds, &series, "", "date", before, err);
    if (s == STATUS_OK)
        s = series_measures(&series, &p->measures, p->db, err);
    if (s == STATUS_OK)
        s = series_panel(&series, p->fx, &p->panel, p->db, err);
    if (s == STATUS_OK)
        s = series_periods(&series, &p->periods, p->db, err);
    if (s == STATUS_OK)
        s = series_bond(&series, &p->bonds, p->db, err);
    return s == STATUS_OK ? series_risk(&series, p->benchmarks, &p->risk, p->db, err) : s;
}

/* In the order in which series_*.c give their values. */
static const struct db_column measure_columns[] = {{"uid", DB_TYPE_TEXT},
                                                   {"date", DB_TYPE_DATE},
                                                   {"open", DB_TYPE_DECIMAL},
                                                   {"high", DB_TYPE_DECIMAL},
                                                   {"low", DB_TYPE_DECIMAL},
                                                   {"close", DB_TYPE_DECIMAL},
                                                   {"adj_close", DB_TYPE_DECIMAL},
                                                   {"volume", DB_TYPE_DECIMAL},
                                                   {"dividend", DB_TYPE_DECIMAL},
                                                   {"split_ratio", DB_TYPE_DECIMAL},
                                                   {"currency", DB_TYPE_TEXT},
                                                   {"source", DB_TYPE_TEXT},
                                                   {"quality", DB_TYPE_I64},
                                                   {"known_at", DB_TYPE_INSTANT},
                                                   {"value_traded", DB_TYPE_DECIMAL},
                                                   {"fx_krw", DB_TYPE_F64},
                                                   {"fx_usd", DB_TYPE_F64},
                                                   {"ret_1d", DB_TYPE_F64},
                                                   {"ret_5d", DB_TYPE_F64},
                                                   {"ret_20d", DB_TYPE_F64},
                                                   {"ret_ytd", DB_TYPE_F64},
                                                   {"ma_5", DB_TYPE_F64},
                                                   {"ma_20", DB_TYPE_F64},
                                                   {"ma_60", DB_TYPE_F64},
                                                   {"ma_120", DB_TYPE_F64},
                                                   {"vol_20d", DB_TYPE_F64},
                                                   {"vol_30d", DB_TYPE_F64},
                                                   {"high_52w", DB_TYPE_F64},
                                                   {"low_52w", DB_TYPE_F64},
                                                   {"nav_ret_1d", DB_TYPE_F64},
                                                   {"tracking_diff_20d", DB_TYPE_F64},
                                                   {"market_cap", DB_TYPE_F64},
                                                   {"load_id", DB_TYPE_I64}};
static const struct db_column panel_columns[] = {{"uid", DB_TYPE_TEXT},
                                                 {"date", DB_TYPE_DATE},
                                                 {"asset_class", DB_TYPE_TEXT},
                                                 {"symbol", DB_TYPE_TEXT},
                                                 {"currency", DB_TYPE_TEXT},
                                                 {"adj_close", DB_TYPE_DECIMAL},
                                                 {"adj_close_krw", DB_TYPE_DECIMAL},
                                                 {"adj_close_usd", DB_TYPE_DECIMAL},
                                                 {"fx_to_krw", DB_TYPE_F64},
                                                 {"fx_to_usd", DB_TYPE_F64},
                                                 {"is_trading_day", DB_TYPE_BOOL},
                                                 {"is_filled", DB_TYPE_BOOL},
                                                 {"days_stale", DB_TYPE_I64},
                                                 {"ret_1d", DB_TYPE_F64},
                                                 {"log_ret_1d", DB_TYPE_F64},
                                                 {"load_id", DB_TYPE_I64}};
static const struct db_column period_columns[] = {
    {"uid", DB_TYPE_TEXT},        {"period", DB_TYPE_TEXT},    {"period_end", DB_TYPE_DATE},
    {"first_date", DB_TYPE_DATE}, {"last_date", DB_TYPE_DATE}, {"open", DB_TYPE_DECIMAL},
    {"high", DB_TYPE_DECIMAL},    {"low", DB_TYPE_DECIMAL},    {"close", DB_TYPE_DECIMAL},
    {"ret", DB_TYPE_F64},         {"vol", DB_TYPE_F64},        {"max_dd", DB_TYPE_F64},
    {"volume", DB_TYPE_DECIMAL},  {"n_days", DB_TYPE_I64},     {"load_id", DB_TYPE_I64}};
static const struct db_column risk_columns[] = {{"uid", DB_TYPE_TEXT},
                                                {"as_of", DB_TYPE_DATE},
                                                {"window_days", DB_TYPE_I64},
                                                {"currency", DB_TYPE_TEXT},
                                                {"n_obs", DB_TYPE_I64},
                                                {"ann_return", DB_TYPE_F64},
                                                {"ann_vol", DB_TYPE_F64},
                                                {"sharpe", DB_TYPE_F64},
                                                {"sortino", DB_TYPE_F64},
                                                {"calmar", DB_TYPE_F64},
                                                {"max_dd", DB_TYPE_F64},
                                                {"max_dd_days", DB_TYPE_F64},
                                                {"var_95", DB_TYPE_F64},
                                                {"cvar_95", DB_TYPE_F64},
                                                {"skew", DB_TYPE_F64},
                                                {"kurt", DB_TYPE_F64},
                                                {"beta_to_benchmark", DB_TYPE_F64},
                                                {"load_id", DB_TYPE_I64}};
static const struct db_column bond_columns[] = {
    {"uid", DB_TYPE_TEXT},         {"date", DB_TYPE_DATE},
    {"is_matured", DB_TYPE_BOOL},  {"years_to_maturity", DB_TYPE_F64},
    {"accrued", DB_TYPE_F64},      {"dirty_price", DB_TYPE_F64},
    {"ytm", DB_TYPE_F64},          {"current_yield", DB_TYPE_F64},
    {"mod_duration", DB_TYPE_F64}, {"ret_1d", DB_TYPE_F64},
    {"load_id", DB_TYPE_I64}};

static enum status init_boxes(struct pass *p, int64_t load_id, struct err *err)
{
    const struct {
        struct outbox *box;
        const char *table;
        const struct db_column *columns;
        size_t n;
    } all[] = {{&p->measures, "fact_price_measure", measure_columns, ARRAY_LEN(measure_columns)},
               {&p->panel, "mart_price_panel", panel_columns, ARRAY_LEN(panel_columns)},
               {&p->periods, "mart_return_period", period_columns, ARRAY_LEN(period_columns)},
               {&p->risk, "mart_risk", risk_columns, ARRAY_LEN(risk_columns)},
               {&p->bonds, "fact_bond_measure", bond_columns, ARRAY_LEN(bond_columns)}};
    enum status s = STATUS_OK;
    for (size_t i = 0; i < ARRAY_LEN(all) && s == STATUS_OK; i++)
        s = outbox_init(all[i].box, p->db, all[i].table, all[i].columns, all[i].n, load_id, err);
    return s;
}

/* A first pass. Readers of several marts meet the measures first: they wait there, and hold nothing that is waited for. */
static enum status leave_out_indexes(struct pass *p, struct outbox *const *boxes, size_t n,
                                     struct err *err)
{
    enum status s = STATUS_OK;
    buf_init(&p->indexes, &p->rates, WAREHOUSE_INDEXES_BYTES);
    for (size_t i = 0; i < n && p->measures.was_empty && s == STATUS_OK; i++)
        if (boxes[i]->was_empty)
            s = warehouse_unindex(p->db, boxes[i]->table, &p->indexes, err);
    return s;
}

static enum status finish(struct pass *p, struct outbox *const *boxes, size_t n, struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < n && s == STATUS_OK; i++)
        s = outbox_flush(boxes[i], p->db, err);
    if (s == STATUS_OK && p->indexes.len > 0)
        s = db_exec_script(p->db, buf_c_str(&p->indexes), err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++)
        s = warehouse_analyze(p->db, boxes[i]->table, boxes[i]->n_written, err);
    return s;
}

static enum status run(struct pass *p, struct err *err)
{
    struct outbox *const boxes[] = {&p->measures, &p->panel, &p->periods, &p->risk, &p->bonds};
    enum status s = read_touches(p, err);
    if (s == STATUS_OK && p->n > 0)
        s = fx_book_load(p->db, &p->rates, p->from, p->to, &p->fx, err);
    if (s == STATUS_OK && p->n > 0)
        s = series_benchmarks_load(p->db, &p->rates, p->from, p->to, p->benchmarks, err);
    if (s == STATUS_OK)
        s = leave_out_indexes(p, boxes, ARRAY_LEN(boxes), err);
    for (size_t i = 0; i < p->n && s == STATUS_OK; i++) {
        size_t rest = p->n - i;
        if (stop_is_raised(p->stop))
            return stop_status(p->stop, err);
        if (i % EVENTS_AT_ONCE == 0)
            s = series_events_read(p->db, &p->events, &p->all[i],
                                   rest < EVENTS_AT_ONCE ? rest : EVENTS_AT_ONCE, err);
        if (s == STATUS_OK)
            s = pass_one(p, &p->all[i], err);
    }
    return s == STATUS_OK ? finish(p, boxes, ARRAY_LEN(boxes), err) : s;
}

enum status series_pass(struct db *db, struct db *reader, int64_t load_id, const struct stop *stop,
                        int64_t *ret_rows, struct err *err)
{
    struct pass p = {.db = db, .reader = reader == NULL ? db : reader, .stop = stop};
    arena_init(&p.touches, TOUCHES_BYTES_MAX);
    arena_init(&p.events, EVENTS_BYTES_MAX);
    arena_init(&p.prices, SERIES_BYTES_MAX);
    arena_init(&p.rates, FX_BYTES_MAX);
    enum status s = init_boxes(&p, load_id, err);
    if (s == STATUS_OK)
        s = run(&p, err);
    if (s == STATUS_OK)
        *ret_rows = p.measures.n_written + p.panel.n_written + p.periods.n_written +
                    p.risk.n_written + p.bonds.n_written;
    if (s == STATUS_OK)
        s = correlations_refresh(db, load_id, stop, err);
    outbox_clear(&p.measures);
    outbox_clear(&p.panel);
    outbox_clear(&p.periods);
    outbox_clear(&p.risk);
    outbox_clear(&p.bonds);
    arena_clear(&p.touches);
    arena_clear(&p.events);
    arena_clear(&p.prices);
    arena_clear(&p.rates);
    return s;
}
