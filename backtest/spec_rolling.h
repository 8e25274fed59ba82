/* spec_rolling.h - the member rolling of a request, of a backtest or a track record: which windows are measured. */
#ifndef BACKTEST_SPEC_ROLLING_H
#define BACKTEST_SPEC_ROLLING_H

#include "backtest/rolling.h"
#include "base/json_in.h"
#include "base/json_out.h"

enum { SPEC_WINDOW_MAX = 200000 };

struct spec_rolling {
    size_t window; /* sessions; 0: not asked for */
    bool wanted[ROLLING_METRIC_COUNT];
};

/*
 * *ret is left as it is when the member is absent; without metrics in it all are wanted. Errors:
 * STATUS_UNKNOWN_FIELD, STATUS_WRONG_TYPE, STATUS_OUT_OF_RANGE.
 */
enum status spec_rolling_read(struct json_val root, struct spec_rolling *ret, struct err *err)
    NODISCARD;

/* Writes the member when it was asked for, every default filled in. */
void spec_rolling_canonical(const struct spec_rolling *rolling, struct json_out *json);

#endif
