/* panel_received.c - lists what spin-offs bring, and what that brings in turn; makes series of money. */
#include "backtest/panel_received.h"

#include <string.h>

struct walk {
    const struct spec *spec;
    const struct market_data *market;
    struct received *list;
};

static void add_once(struct walk *w, const struct price_series *series)
{
    for (size_t i = 0; i < w->list->n; i++)
        if (w->list->series[i] == series)
            return;
    w->list->series[w->list->n++] = series;
}

/* What one series brings inside the window. */
static void add_gifts(struct walk *w, const struct price_series *from)
{
    for (size_t i = 0; i < from->n_gifts; i++) {
        int32_t date = from->date[from->gifts[i].row];
        const struct price_series *into = market_find(w->market, from->gifts[i].into);
        if (into != NULL && date > w->spec->start && date <= w->spec->end)
            add_once(w, into);
    }
}

/* What those listed from the first-th on bring; the list grows meanwhile. */
static void follow(struct walk *w, size_t first)
{
    for (size_t i = first; i < w->list->n; i++)
        add_gifts(w, w->list->series[i]);
}

enum status received_find(struct received *received, const struct panel *panel,
                          const struct spec *spec, const struct market_data *market,
                          struct arena *arena, struct err *err)
{
    struct walk w = {spec, market, received};
    *received = (struct received){.n = 0};
    if (spec->spin_offs != SPIN_OFFS_KEEP)
        return STATUS_OK;
    received->series = arena_array(arena, market->n_series, sizeof(const struct price_series *));
    if (received->series == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this request.");
    for (size_t a = 0; a < panel->n_held; a++)
        add_gifts(&w, panel->assets[a].series);
    follow(&w, 0);
    received->n_of_held = received->n;
    for (size_t i = 0; i < spec->n_universe; i++) {
        const struct price_series *series = market_find(market, spec->universe[i]);
        if (series != NULL)
            add_gifts(&w, series);
    }
    follow(&w, received->n_of_held);
    return STATUS_OK;
}

size_t money_most(const struct market_data *market)
{
    size_t n = 0;
    for (size_t i = 0; i < market->n_series; i++) {
        size_t k = 0;
        while (k < i && strcmp(market->series[k].currency, market->series[i].currency) != 0)
            k++;
        n += k == i ? 1 : 0;
    }
    return n;
}

enum status money_series(const struct panel *panel, const char *currency, struct arena *arena,
                         const struct price_series **ret, struct err *err)
{
    static const char prefix[] = "cash:";
    size_t n = panel->n_sessions;
    struct price_series *series = ARENA_NEW(arena, struct price_series);
    double *one = arena_array(arena, n, sizeof *one);
    char *uid = arena_array(arena, sizeof prefix + CURRENCY_TEXT_BYTES, 1);
    if (series == NULL || one == NULL || uid == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this request.");
    for (size_t t = 0; t < n; t++)
        one[t] = 1;
    memcpy(uid, prefix, sizeof prefix - 1);
    memcpy(uid + sizeof prefix - 1, currency, CURRENCY_TEXT_BYTES);
    *series = (struct price_series){.uid = str_of(uid),
                                    .n = n,
                                    .date = panel->clock,
                                    .price = one,
                                    .close = one,
                                    .open = one,
                                    .high = one,
                                    .low = one,
                                    .known_at = panel->known_at,
                                    .delisted_on = DATE_NONE};
    memcpy(series->currency, currency, CURRENCY_TEXT_BYTES);
    *ret = series;
    return STATUS_OK;
}
