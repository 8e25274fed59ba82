/* batch_cost.c - see batch_cost.h. */
#include "handlers/batch_cost.h"

#include "backtest/work.h"
#include "base/date.h"

enum { SCRATCH_BYTES_MAX = 512 << 20, LOOK_EVERY = 64 };

static void add_item(const struct spec *spec, int32_t start, int32_t end, struct batch_cost *cost)
{
    int32_t from = spec->start == DATE_NONE ? start : spec->start;
    int32_t to = spec->end == DATE_NONE ? end : spec->end;
    uint64_t days = to > from ? (uint64_t)(to - from) + 1 : 1;
    uint64_t sessions = days * 5 / 7 + 1;
    uint64_t bytes = sessions * ((spec->n_assets + spec->n_universe + 1) * 24 + 10 * 8);
    cost->cells += spec->n_assets * days * 2 + work_of_decisions(spec, days);
    if (bytes > cost->bytes)
        cost->bytes = bytes;
}

enum status batch_cost(const struct backtest_service *service, const struct sweep *sweep,
                       const struct stop *stop, struct batch_cost *ret, struct err *err)
{
    CLEANUP(arena_clear) struct arena scratch;
    struct batch_cost cost = {.cells = 0};
    struct err first = {0}, one = {0};
    enum status why = STATUS_OK;
    int32_t start = DATE_NONE, end = DATE_NONE;
    arena_init(&scratch, SCRATCH_BYTES_MAX);
    for (size_t i = 0; i < sweep->n_items; i++) {
        const struct backtest_item item = {(int64_t)i, sweep->items[i].request,
                                           sweep->items[i].parameters};
        struct str request;
        struct spec *spec = NULL;
        struct backtest_plan plan;
        CLEANUP(market_hold_release) struct market_hold hold = {0};
        if (i % LOOK_EVERY == 0 && stop_is_raised(stop))
            return stop_status(stop, err);
        arena_reset(&scratch);
        enum status s = sweep_request(sweep->base, &item, &scratch, &request, &one);
        if (s == STATUS_OK && start == DATE_NONE) {
            s = backtest_plan_for(service, request, false, &scratch, stop, &plan, &hold, &one);
            if (s == STATUS_OK) {
                start = plan.parsed->start;
                end = plan.parsed->end;
            }
        }
        if (s == STATUS_OK)
            s = spec_parse(request, &scratch, &spec, &one);
        if (s == STATUS_OK) {
            add_item(spec, start, end, &cost);
            continue;
        }
        cost.n_refused++;
        if (why == STATUS_OK) {
            why = s;
            first = one;
        }
    }
    if (cost.n_refused == sweep->n_items) {
        if (err != NULL)
            *err = first;
        return why;
    }
    *ret = cost;
    return STATUS_OK;
}
