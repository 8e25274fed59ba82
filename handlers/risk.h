/* risk.h - what the risk and the correlations of an instrument share: windows and adjusted series. */
#ifndef HANDLERS_RISK_H
#define HANDLERS_RISK_H

#include "backtest/pairs.h"
#include "handlers/resource.h"
#include "store/instrument_store.h"

enum risk_window { WINDOW_30D, WINDOW_90D, WINDOW_1Y, WINDOW_3Y, WINDOW_MAX, WINDOW_COUNT };
extern const char *const risk_window_names[WINDOW_COUNT];

/* An instrument and its adjusted closes; UNKNOWN_INSTRUMENT about parameter. */
struct risk_series {
    struct instrument instrument;
    struct price_column prices;
};
enum status risk_series_load(struct resource *resource, struct db *db, const char *parameter,
                             struct str uid, struct arena *arena, struct risk_series *ret,
                             struct err *err) NODISCARD;

struct priced risk_priced(const struct risk_series *series, enum risk_window window);
unsigned risk_warnings(const struct risk_series *series);

#endif
