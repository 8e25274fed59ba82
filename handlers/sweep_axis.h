/* sweep_axis.h - one dimension of a sweep's grid; for sweep.c alone. Pure. */
#ifndef HANDLERS_SWEEP_AXIS_H
#define HANDLERS_SWEEP_AXIS_H

#include "backtest/rng.h"
#include "handlers/sweep.h"

enum axis_kind { AXIS_LIST, AXIS_RANGE, AXIS_WEIGHTS };

struct sweep_axis {
    enum axis_kind kind;
    struct str *pointers; /* each gets a value at every point */
    size_t n_pointers;
    struct str *values; /* of a list: value of pointer p at point i is values[i * n_pointers + p] */
    uint64_t n_points;  /* UINT64_MAX: a continuum, for random search alone */
    double from, to, step; /* of a range */
    unsigned units;        /* of weights: each is a multiple of 1 / units */
};

/* base: the parsed base request, which says how many weights there are. */
enum status axis_parse(struct json_val val, struct json_val base, struct arena *arena,
                       struct sweep_axis *ret, struct err *err) NODISCARD;

/* The values at a point into ret[0..n_pointers), in the arena. False without memory. */
bool axis_at(const struct sweep_axis *axis, uint64_t point, struct arena *arena, struct str *ret);

/* A point by chance: each as likely as the next; of a continuum uniform, of weights uniform on the simplex. */
bool axis_draw(const struct sweep_axis *axis, struct rng *rng, struct arena *arena,
               struct str *ret);

#endif
