/*
 * bi_msci.c - daily bars of MSCI indices by the price list of Markets Insider, newest first. The symbol is the number of
 * the index and its exchange: 169323/MSCB. Undocumented and without terms of reuse, as bi_bond.c; the vendor forbids
 * passing the figures on. Source: markets.businessinsider.com, Valor_HistoricPriceList.
 */
#include "ingest/sources/bi.h"

static void add_day(struct buf *path, int32_t date)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = date_to_civil(date);
    buf_printf(path, "%s.%%20%02d%%20%04d", months[c.month - 1], c.day, c.year);
}

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    size_t slash = str_find(ask->symbol, '/', 0);
    if (slash == 0 || slash + 1 >= ask->symbol.len)
        return source_bad_symbol(ask, "NUMBER/EXCHANGE, as in 169323/MSCB", err);
    buf_init(&path, arena, 512);
    buf_add(&path, STR("/ajax/Valor_HistoricPriceList/"));
    source_escape(&path, str_sub(ask->symbol, 0, slash));
    buf_add_char(&path, '/');
    add_day(&path, ask->from);
    buf_add_char(&path, '_');
    add_day(&path, ask->to);
    buf_add_char(&path, '/');
    source_escape(&path, str_sub(ask->symbol, slash + 1, ask->symbol.len));
    return source_path(&path, ret, err);
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    return bi_parse(&source_bi_msci, FEED_US_SHORT, ask, body, w, ret_has_more, err);
}

const struct source source_bi_msci = {
    .name = "bi_msci",
    .title = "Markets Insider MSCI indices",
    .base = "https://markets.businessinsider.com",
    .manners = {.interval_ms = 5000, .timeout_s = 60, .body_mib = 16},
    .target = target,
    .judge = bi_judge,
    .parse = parse,
};
