/*
 * panel_columns.h - the parts of panel_build beyond closes: opens, volumes, shares and events; not for others.
 */
#ifndef BACKTEST_PANEL_COLUMNS_H
#define BACKTEST_PANEL_COLUMNS_H

#include "backtest/panel.h"

/* Room for the arrays that panel_columns(spec) names. False when the arena is too small. */
bool panel_columns_init(struct panel *panel, const struct spec *spec, size_t max_assets,
                        struct arena *arena);

/* Fills them for column a, whose price, state and basis are set; row is what the column was made from. */
void panel_columns_fill(struct panel *panel, size_t a, const uint32_t *row);

/* Takes the expenses out of column a; afterwards its prices are final. */
void panel_expense_apply(struct panel *panel, size_t a, const struct expenses *expenses);

/* Collects the placed actions of all columns into panel->events. False when the arena is too small. */
bool panel_events_build(struct panel *panel, enum spec_pay_on pay_on, struct arena *arena);

#endif
