/* backtest_hash.c - feeds a result to SHA-256 line by line. */
#include "handlers/backtest_hash.h"

#include <math.h>
#include <stdio.h>

enum { LINE_BYTES = 160 };

/* "name value" and a line feed; a value that is not finite is "null". */
static enum status add_line(struct digest *digest, const char *name, double value, struct err *err)
{
    char line[LINE_BYTES];
    int n = isfinite(value) ? snprintf(line, sizeof line, "%s %.11e\n", name, value + 0.0)
                            : snprintf(line, sizeof line, "%s null\n", name);
    return digest_add(digest, (struct str){line, (size_t)n}, err);
}

static enum status add_measures(struct digest *digest, const struct backtest_result *r,
                                struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < MEASURE_COUNT && s == STATUS_OK; i++) {
        const struct measure_value *m = &r->measures[i];
        s = add_line(digest, measure_infos[i].name,
                     m->reason == REASON_NONE ? m->value : (double)NAN, err);
    }
    return s;
}

static enum status add_months(struct digest *digest, const struct backtest_result *r,
                              struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t y = 0; y < r->years.n; y++) {
        const struct table_year *year = &r->years.rows[y];
        for (int m = 0; m < 12 && s == STATUS_OK; m++) {
            char name[32];
            (void)snprintf(name, sizeof name, "%d-%02d", year->year, m + 1);
            s = add_line(digest, name, year->month[m], err);
        }
    }
    return s;
}

enum status backtest_hash(const struct backtest_result *r, char ret[DIGEST_HEX_BYTES],
                          struct err *err)
{
    CLEANUP(digest_freep) struct digest *digest = NULL;
    unsigned char raw[DIGEST_BYTES];
    size_t last = r->panel->n_sessions - 1;
    enum status s = digest_new(&digest, err);
    if (s == STATUS_OK)
        s = add_measures(digest, r, err);
    if (s == STATUS_OK)
        s = add_months(digest, r, err);
    if (s == STATUS_OK)
        s = add_line(digest, "equity", r->equity[last], err);
    if (s == STATUS_OK)
        s = add_line(digest, "wealth", r->wealth[last], err);
    if (s == STATUS_OK)
        s = add_line(digest, "costs", sim_costs_paid(&r->ledger), err);
    if (s == STATUS_OK)
        s = add_line(digest, "trades", (double)r->ledger.n_trades, err);
    if (s == STATUS_OK)
        s = digest_finish(digest, raw, err);
    if (s == STATUS_OK)
        digest_to_hex(raw, ret);
    return s;
}
