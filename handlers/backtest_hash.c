/* backtest_hash.c - feeds a result to SHA-256 line by line. */
#include "handlers/backtest_hash.h"

#include "base/number.h"

#include <math.h>

enum { LINE_BYTES = 160, TEXT_BYTES = 4096 };

/* Lines on their way, a few pages at a time. */
struct hashing {
    struct digest *digest;
    struct buf text;
    char room[TEXT_BYTES];
};

static enum status flush(struct hashing *hashing, struct err *err)
{
    enum status s = digest_add(hashing->digest, buf_str(&hashing->text), err);
    hashing->text.len = 0;
    return s;
}

/* "name value" and a line feed; a value that is not finite is "null". */
static enum status add_line(struct hashing *hashing, struct str name, double value, struct err *err)
{
    char number[NUMBER_TEXT_BYTES];
    struct buf *text = &hashing->text;
    buf_add(text, name);
    buf_add_char(text, ' ');
    if (isfinite(value))
        buf_add(text, (struct str){number, number_format_rounded(value, number)});
    else
        buf_add(text, STR("null"));
    buf_add_char(text, '\n');
    return text->len + LINE_BYTES < TEXT_BYTES ? STATUS_OK : flush(hashing, err);
}

static enum status add_measures(struct hashing *hashing, const struct backtest_result *r,
                                struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < MEASURE_COUNT && s == STATUS_OK; i++) {
        const struct measure_value *m = &r->measures[i];
        s = add_line(hashing, str_of(measure_infos[i].name),
                     m->reason == REASON_NONE ? m->value : (double)NAN, err);
    }
    return s;
}

static enum status add_months(struct hashing *hashing, const struct backtest_result *r,
                              struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t y = 0; y < r->years.n; y++) {
        const struct table_year *year = &r->years.rows[y];
        for (int m = 1; m <= 12 && s == STATUS_OK; m++) {
            char name_room[32];
            struct buf name;
            buf_init_fixed(&name, name_room, sizeof name_room);
            buf_add_i64(&name, year->year);
            buf_add(&name, m < 10 ? STR("-0") : STR("-"));
            buf_add_i64(&name, m);
            s = add_line(hashing, buf_str(&name), year->month[m - 1], err);
        }
    }
    return s;
}

static enum status add_all(struct hashing *hashing, const struct backtest_result *r,
                           struct err *err)
{
    size_t last = r->panel->n_sessions - 1;
    enum status s = add_measures(hashing, r, err);
    if (s == STATUS_OK)
        s = add_months(hashing, r, err);
    if (s == STATUS_OK)
        s = add_line(hashing, STR("equity"), r->equity[last], err);
    if (s == STATUS_OK)
        s = add_line(hashing, STR("wealth"), r->wealth[last], err);
    if (s == STATUS_OK)
        s = add_line(hashing, STR("costs"), sim_costs_paid(&r->ledger), err);
    if (s == STATUS_OK)
        s = add_line(hashing, STR("trades"), (double)r->ledger.n_trades, err);
    return s == STATUS_OK ? flush(hashing, err) : s;
}

enum status backtest_hash(const struct backtest_result *r, char ret[DIGEST_HEX_BYTES],
                          struct err *err)
{
    CLEANUP(digest_freep) struct digest *digest = NULL;
    unsigned char raw[DIGEST_BYTES];
    struct hashing hashing;
    enum status s = digest_new(&digest, err);
    hashing.digest = digest;
    buf_init_fixed(&hashing.text, hashing.room, sizeof hashing.room);
    if (s == STATUS_OK)
        s = add_all(&hashing, r, err);
    if (s == STATUS_OK)
        s = digest_finish(digest, raw, err);
    if (s == STATUS_OK)
        digest_to_hex(raw, ret);
    return s;
}
