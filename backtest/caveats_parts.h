/* caveats_parts.h - what caveats.c and caveats_events.c share; not for others. */
#ifndef BACKTEST_CAVEATS_PARTS_H
#define BACKTEST_CAVEATS_PARTS_H

#include "backtest/caveats.h"

struct collector {
    struct backtest_result *result;
    struct arena *arena;
    bool is_out_of_memory;
};

enum { DETAIL_BYTES_MAX = 1024 };

/* uids is copied; n 0 means the whole run. */
void caveats_add(struct collector *c, const char *code, struct str detail, const struct str *uids,
                 size_t n);

/* What happened to held assets, and what the fills had to do without. */
void caveats_add_events(struct collector *c);

#endif
