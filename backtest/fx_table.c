/* fx_table.c - EUR reference rates turned into rates of the run's currency, one column per currency. */
#include "backtest/fx_table.h"

#include <math.h>
#include <string.h>

static enum status out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY,
                   "No memory left for the exchange rates of this request.");
}

enum status fx_table_init(struct fx_table *table, struct arena *arena, size_t max, const char *base,
                          struct err *err)
{
    *table = (struct fx_table){.arena = arena};
    memcpy(table->base, base, CURRENCY_TEXT_BYTES);
    table->currency = arena_array(arena, max, sizeof *table->currency);
    table->rate = arena_array(arena, max, sizeof *table->rate);
    return table->currency == NULL || table->rate == NULL ? out_of_memory(err) : STATUS_OK;
}

/* One leg, quote units for one EUR, at every session. */
static enum status fill_leg(struct fx_table *table, const struct market_data *market,
                            struct dated clock, const char *quote, double *ret_rate,
                            struct err *err)
{
    bool is_eur = strcmp(quote, "EUR") == 0;
    for (size_t t = 0; t < clock.n; t++)
        ret_rate[t] = is_eur ? 1 : (double)NAN;
    const struct fx_series *fx = is_eur ? NULL : market_find_fx(market, quote);
    if (fx == NULL)
        return STATUS_OK;

    enum status s = market_check_fx(fx, err);
    if (s != STATUS_OK)
        return s;
    uint32_t *row = arena_array(table->arena, clock.n, sizeof *row);
    if (row == NULL)
        return out_of_memory(err);
    align_rows((struct dated){fx->n, fx->date, fx->known_at}, clock, row);
    for (size_t t = 0; t < clock.n; t++) {
        if (row[t] == ALIGN_NO_ROW)
            continue;
        ret_rate[t] = fx->rate[row[t]];
        table->stale_sessions += clock.date[t] - fx->date[row[t]] > FX_STALE_DAYS ? 1 : 0;
    }
    return STATUS_OK;
}

/* rate[t]: base units for one unit of currency. */
static enum status fill_rates(struct fx_table *table, const struct market_data *market,
                              struct dated clock, const char *currency, double *ret_rate,
                              struct err *err)
{
    if (strcmp(currency, table->base) == 0) {
        for (size_t t = 0; t < clock.n; t++)
            ret_rate[t] = 1;
        return STATUS_OK;
    }
    double *eur_currency = arena_array(table->arena, clock.n, sizeof *eur_currency);
    if (eur_currency == NULL)
        return out_of_memory(err);
    table->uses_fx = true;
    enum status s = fill_leg(table, market, clock, table->base, ret_rate, err);
    if (s == STATUS_OK)
        s = fill_leg(table, market, clock, currency, eur_currency, err);
    for (size_t t = 0; t < clock.n && s == STATUS_OK; t++)
        ret_rate[t] /= eur_currency[t];
    return s;
}

enum status fx_table_add(struct fx_table *table, const struct market_data *market,
                         struct dated clock, const char *currency, size_t *ret_index,
                         struct err *err)
{
    for (size_t c = 0; c < table->n; c++) {
        if (strcmp(table->currency[c], currency) == 0) {
            *ret_index = c;
            return STATUS_OK;
        }
    }
    double *rate = arena_array(table->arena, clock.n, sizeof *rate);
    if (rate == NULL)
        return out_of_memory(err);
    enum status s = fill_rates(table, market, clock, currency, rate, err);
    if (s != STATUS_OK)
        return s;
    memcpy(table->currency[table->n], currency, CURRENCY_TEXT_BYTES);
    table->rate[table->n] = rate;
    *ret_index = table->n++;
    return STATUS_OK;
}
