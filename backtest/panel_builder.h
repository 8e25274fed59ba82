/*
 * panel_builder.h - a panel while it is built, and what is done for each of its columns; a part of panel_build, not for others.
 */
#ifndef BACKTEST_PANEL_BUILDER_H
#define BACKTEST_PANEL_BUILDER_H

#include "backtest/align.h"
#include "backtest/panel_received.h"

struct panel_builder {
    const struct spec *spec;
    const struct market_data *market;
    struct arena *arena;
    struct panel *panel;
    struct dated clock;
    struct received received;
    size_t max_assets;
    uint32_t *row; /* scratch: one aligned row per session */
};

/* The error of a run without room for its panel. */
enum status panel_too_large(const struct panel_builder *b, struct err *err) NODISCARD;

/* Errors: STATUS_UNKNOWN_ASSET; and that it lacks the prices of the request's mode. */
enum status panel_find_series(const struct panel_builder *b, struct str uid,
                              const struct price_series **ret, struct err *err) NODISCARD;

/* Fills column a, whose series is set; *ret_is_covered is false when a price or a rate is missing at some session. */
enum status panel_fill_column(struct panel_builder *b, size_t a, bool *ret_is_covered,
                              struct err *err) NODISCARD;

/* Coverage figures of a column that is kept, and the sessions at which it is closed. */
void panel_count_column(struct panel *panel, size_t a);

#endif
