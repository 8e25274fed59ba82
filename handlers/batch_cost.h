/*
 * batch_cost.h - what a batch will take, before it is accepted: from the requests and the catalogue alone, without
 * prices, except that open dates of the first item are looked up once.
 */
#ifndef HANDLERS_BATCH_COST_H
#define HANDLERS_BATCH_COST_H

#include "handlers/backtest_run.h"
#include "handlers/sweep.h"

struct batch_cost {
    uint64_t
        cells; /* names x days x 2 and decisions (work.h), over the items: a row draws no monkeys */
    uint64_t bytes;   /* of memory that the largest item takes on one thread */
    size_t n_refused; /* items that no request can be made of: each becomes a row with its error */
};

/* Errors: when no item at all can be used, what is wrong with the first. */
enum status batch_cost(const struct backtest_service *service, const struct sweep *sweep,
                       const struct stop *stop, struct batch_cost *ret, struct err *err) NODISCARD;

#endif
