/*
 * spec_limits.h - limits on weights in a request: "constraints" of a strategy; "group", "min_weight" and
 * "max_weight" of an asset. Part of spec_parse and spec_canonical; not for others.
 */
#ifndef BACKTEST_SPEC_LIMITS_H
#define BACKTEST_SPEC_LIMITS_H

#include "backtest/spec.h"
#include "base/json_in.h"

struct strategy_limits spec_limits_default(void); /* long only, 0 to 1 each */

/* "constraints"; absent keeps *limits. Errors name the JSON pointer. */
enum status spec_read_limits(struct json_val val, struct arena *arena,
                             struct strategy_limits *limits, struct err *err) NODISCARD;
enum status spec_read_asset_limits(struct json_val val, struct arena *arena,
                                   struct spec_asset *asset, struct err *err) NODISCARD;

/*
 * Refuses limits that no weights of the assets can meet, naming the one that stands in the way
 * (STATUS_BAD_SPEC), limits of assets under a strategy that takes none, and a group without assets.
 * val is the strategy of the request, where pointers start.
 */
enum status spec_check_limits(const struct spec *spec, const struct strategy *strategy,
                              struct json_val val, struct arena *arena, struct err *err) NODISCARD;

/* Members of the canonical form; nothing when they are the defaults. */
void spec_write_limits(const struct strategy_limits *limits, struct json_out *json);
void spec_write_asset_limits(const struct spec_asset *asset, struct json_out *json);

#endif
