/*
 * spec_trust.h - what a request asks about the trust its result deserves: intervals, a look-ahead proof,
 * drawn futures. Plain values inside struct spec; docs/formulas.md sections 1 and 9.
 */
#ifndef BACKTEST_SPEC_TRUST_H
#define BACKTEST_SPEC_TRUST_H

#include "backtest/montecarlo.h"
#include "backtest/spec_hedge.h"
#include "base/json_in.h"
#include "base/json_out.h"

enum {
    SPEC_REPLICATES_MAX = 10000,
    SPEC_CUTS_MAX = 100,
    SPEC_PATHS_MAX = 10000,
    SPEC_BLOCK_MAX = 5000,
    SPEC_CAPACITY_MAX = 16,
};

#define SPEC_SEED_MAX (((int64_t)1 << 53) - 1)

struct spec_bootstrap {
    unsigned count; /* 0: not asked for */
    uint64_t seed;
    double mean_block;     /* 0: n^(1/3) */
    bool is_politis_white; /* mean_block is chosen from the returns */
    double level;
};

struct spec_verify {
    unsigned cuts; /* 0: not asked for */
    uint64_t seed;
};

struct spec_monte_carlo {
    unsigned count; /* 0: not asked for */
    uint64_t seed;
    enum montecarlo_model model;
    double mean_block;   /* 0: n^(1/3) */
    double years;        /* 0: as many sessions as the run */
    double flow;         /* paid in after every flow_every sessions, < 0: taken out */
    unsigned flow_every; /* 0: never */
    double goals[MONTECARLO_GOALS_MAX];
    size_t n_goals;
};

struct spec_trust {
    struct spec_bootstrap bootstrap;
    struct spec_verify verify;
    struct spec_monte_carlo monte_carlo;
    bool offset_luck;
    double capacity[SPEC_CAPACITY_MAX]; /* amounts of capital to run the request at, variations.h */
    size_t n_capacity;
    bool dividend_modes, destination_modes, currency_modes; /* likewise */
    struct spec_hedge hedge;                                /* of currency_modes */
};

/*
 * The members bootstrap, verify, offset_luck, capacity, dividend_modes, destination_modes and monte_carlo of a request. Errors: STATUS_UNKNOWN_FIELD, STATUS_WRONG_TYPE, STATUS_OUT_OF_RANGE, STATUS_BAD_SPEC.
 */
enum status spec_trust_read(struct json_val root, struct spec_trust *ret, struct err *err)
    NODISCARD;

/* The member bootstrap alone: of a track record too. *ret is left as it is when it is absent. */
enum status spec_bootstrap_read(struct json_val root, struct spec_bootstrap *ret, struct err *err)
    NODISCARD;

/* Writes the members that were asked for, every default filled in. */
void spec_trust_canonical(const struct spec_trust *trust, struct json_out *json);

/*
 * Cells visited for it by a run over so many days that visits run_cells itself and has n_offsets
 * (offset_luck_count): see check_cost.
 */
uint64_t spec_trust_cells(const struct spec_trust *trust, uint64_t days, uint64_t run_cells,
                          unsigned n_offsets);

#endif
