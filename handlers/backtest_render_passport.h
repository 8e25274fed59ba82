/* backtest_render_passport.h - the member passport of a backtest's document; a part of backtest_render.h. */
#ifndef HANDLERS_BACKTEST_RENDER_PASSPORT_H
#define HANDLERS_BACKTEST_RENDER_PASSPORT_H

#include "base/json_out.h"
#include "handlers/backtest_render.h"

void render_passport(const struct backtest_result *r, struct str id,
                     const struct backtest_passport *passport, struct json_out *json);

#endif
