/*
 * panel_shelf.h - the panels that one thread used last, for runs of a batch that differ in nothing that shapes them.
 * All runs read the same version of the data. One thread at a time.
 */
#ifndef HANDLERS_PANEL_SHELF_H
#define HANDLERS_PANEL_SHELF_H

#include "backtest/panel.h"
#include "handlers/backtest_market.h"

struct panel_shelf;

/* Its panels and their series take at most max_bytes together. Errors: STATUS_OUT_OF_MEMORY. */
enum status panel_shelf_new(size_t max_bytes, struct panel_shelf **ret, struct err *err) NODISCARD;
void panel_shelf_free(
    struct panel_shelf *shelf); /* NULL is allowed; gives the series back to their book */

/* A place of the shelf; what market and panel point into lives in its arena. */
struct shelved {
    struct arena arena;
    struct market_data market;
    struct market_hold hold;
    const struct panel *panel;
    struct str key; /* in the arena; ptr NULL: empty */
    uint64_t used_at;
};

/* The panel of this key, or NULL. It stays until the next place is taken. */
const struct shelved *panel_shelf_find(struct panel_shelf *shelf, struct str key);

/* The place that was used longest ago, emptied. It is found once panel_shelf_fill has named it. */
struct shelved *panel_shelf_take(struct panel_shelf *shelf);

/* false, and the place is empty again, when its arena has no room for the key. */
bool panel_shelf_fill(struct shelved *place, struct str key) NODISCARD;
void panel_shelf_empty(struct shelved *place);

#endif
