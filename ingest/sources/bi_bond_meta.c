/*
 * bi_bond_meta.c - terms of a bond by its page at Markets Insider: the rows of its table that have two cells. The symbol is
 * the last name of the page's address. The first value of a repeated name counts. See bi_bond.c for the terms of use.
 */
#include "ingest/html.h"
#include "ingest/source.h"

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    struct buf path;
    if (ask->symbol.len == 0 || ask->symbol.len > 128)
        return source_bad_symbol(ask, "the last name of the page's address", err);
    buf_init(&path, arena, 512);
    buf_add(&path, STR("/bonds/"));
    source_escape(&path, ask->symbol);
    return source_path(&path, ret, err);
}

static struct feed_verdict judge(const struct feed_reply *reply)
{
    return feed_judge(reply, FEED_FORM_HTML);
}

static const struct {
    const char *name; /* lower case, without dots and question marks, '_' for blanks */
    enum feed_column_id column;
} fields[] = {{"isin", BOND_ISIN},
              {"name", BOND_NAME},
              {"country", BOND_COUNTRY},
              {"issuer", BOND_ISSUER},
              {"issue_volume", BOND_ISSUE_VOLUME},
              {"currency", BOND_CURRENCY},
              {"issue_price", BOND_ISSUE_PRICE},
              {"issue_date", BOND_ISSUE_DATE},
              {"coupon", BOND_COUPON},
              {"denomination", BOND_DENOMINATION},
              {"payment_type", BOND_PAYMENT_TYPE},
              {"maturity_date", BOND_MATURITY_DATE},
              {"no_of_payments_per_year", BOND_PAYMENTS},
              {"coupon_start_date", BOND_COUPON_START},
              {"floater", BOND_FLOATER}};

static bool is_name(struct str label, const char *name)
{
    size_t n = 0, len = str_of(name).len;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        if (c == '.' || c == '?' || c == ':')
            continue;
        c = c == ' ' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (n == len || c != name[n++])
            return false;
    }
    return n == len;
}

static void put_date(struct feed_writer *w, enum feed_column_id column, struct str text)
{
    int32_t date = 0, ymd = w->row.ymd;
    char padded[16];
    size_t n = 0, digits = 0;
    /* 2/15/2018 as 02/15/2018 */
    for (size_t i = 0; i < text.len && n < sizeof padded - 1; i++) {
        digits = text.ptr[i] == '/' ? 0 : digits + 1;
        bool is_short = digits == 1 && (i + 1 == text.len || text.ptr[i + 1] == '/');
        if (is_short)
            padded[n++] = '0';
        padded[n++] = text.ptr[i];
    }
    if (n < sizeof padded - 1 && feed_date((struct str){padded, n}, FEED_US_LONG, &date)) {
        feed_put_date(w, column, date);
        w->row.ymd = ymd;
    } else if (text.len > 0 && !str_eq_c(text, "-")) {
        feed_refuse(w, "bad-date", column, text);
    }
}

static void put(struct feed_writer *w, struct str label, struct str value)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        enum feed_column_id column = fields[i].column;
        size_t place = (size_t)column - feed_layouts[SHAPE_BOND].first;
        if (!is_name(label, fields[i].name) || w->row.field[place].ptr != NULL)
            continue;
        if (column == BOND_FLOATER)
            feed_put_text(w, column,
                          str_eq_nocase(value, STR("yes"))  ? STR("true")
                          : str_eq_nocase(value, STR("no")) ? STR("false")
                                                            : STR_NONE);
        else if (feed_columns[column].kind == FEED_DECIMAL)
            feed_put_number(w, column, value);
        else if (feed_columns[column].kind == FEED_DATE)
            put_date(w, column, value);
        else
            feed_put_text(w, column, value);
        return;
    }
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    struct html_cell cell;
    struct str label = STR_NONE;
    bool has_cell = true;
    size_t n_pairs = 0;
    enum status s = STATUS_OK;
    *ret_has_more = false;
    feed_begin(w, SHAPE_BOND);
    feed_put_date(w, BOND_DATE, feed_local_date(ask->now_s, 0, false));
    feed_put_text(w, BOND_KEY, ask->symbol);
    while (has_cell) {
        s = html_next_cell(&body, w->arena, &cell, &has_cell, err);
        if (s != STATUS_OK)
            return s;
        if (has_cell && cell.is_first) {
            label = cell.text;
        } else if (has_cell && label.ptr != NULL) {
            put(w, label, cell.text);
            label = STR_NONE;
            n_pairs++;
        }
    }
    if (n_pairs == 0)
        return source_changed(&source_bi_bond_meta, "no table of terms", err);
    return feed_end(w, err);
}

const struct source source_bi_bond_meta = {
    .name = "bi_bond_meta",
    .title = "Markets Insider bond pages",
    .base = "https://markets.businessinsider.com",
    .manners = {.interval_ms = 5000, .timeout_s = 60, .body_mib = 8},
    .target = target,
    .judge = judge,
    .parse = parse,
};
