/* maximum_return.c - the most mean return over the window of those whose volatility is at most so much a year. */
#include "backtest/strategies/kinds.h"

#include <math.h>
#include <string.h>

static const struct strategy_param params[] = {
    STRATEGY_PARAM_NUMBER("most_volatility", 0.001, 2, 0.1),
};

enum { GAIN, AIM, BEST, TRIAL, SCRATCH }; /* arrays of m doubles */
enum { STEPS_MAX = 60 };

/* A portfolio of the frontier: the least variance with at least this gain. */
struct point {
    double gain, volatility; /* a session; of means scaled to 1 */
};

static double gain_of(const struct strategy_input *input, const double *weight)
{
    return input->kernels->dot(input->scratch + GAIN * input->m, weight, input->m);
}

static bool solve(const struct strategy_input *input, bool has_gain, double gain, double *weight,
                  struct point *ret)
{
    struct qp_problem problem = {.limits = input->limits,
                                 .h = input->covariance,
                                 .gain = has_gain ? input->scratch + GAIN * input->m : NULL,
                                 .gain_min = gain};
    if (qp_solve(&problem, input->qp, weight) != QP_SOLVED)
        return false;
    ret->gain = gain_of(input, weight);
    ret->volatility = sqrt(covariance_variance(input->covariance, input->m, weight));
    return true;
}

static void scale_means(const struct strategy_input *input)
{
    double *gain = input->scratch + GAIN * input->m, largest = 0;
    for (size_t i = 0; i < input->m; i++)
        largest = fmax(largest, fabs(input->mean[i]));
    for (size_t i = 0; i < input->m; i++)
        gain[i] = largest > 0 ? input->mean[i] / largest : 0;
}

/*
 * Between the least variance, which is quiet enough, and the highest gain, which is not, volatility is convex in the
 * gain: where it meets the limit by false position, whose kept end counts half when it is kept again (the Illinois
 * variant; M. Dowell, P. Jarratt, BIT 11, 1971). best: the last portfolio within the limit.
 */
static void search(const struct strategy_input *input, double most, struct point low,
                   struct point high, double *best)
{
    static const double TOLERANCE = 1e-12;
    double *trial = input->scratch + TRIAL * input->m;
    double below = low.volatility - most, above = high.volatility - most;
    int last = 0;
    for (size_t step = 0; step < STEPS_MAX; step++) {
        double gain = low.gain - below * (high.gain - low.gain) / (above - below);
        struct point found;
        if (!(gain > low.gain) || !(gain < high.gain) || !solve(input, true, gain, trial, &found))
            return;
        if (found.volatility > most) {
            high.gain = gain;
            above = found.volatility - most;
            below = last > 0 ? below / 2 : below;
            last = 1;
            continue;
        }
        memcpy(best, trial, input->m * sizeof *best);
        if (found.volatility >= most * (1 - TOLERANCE))
            return;
        low.gain = gain;
        below = found.volatility - most;
        above = last < 0 ? above / 2 : above;
        last = -1;
    }
}

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    static const double HAIR = 1e-9; /* of the highest gain, which rounding may put out of reach */
    double *best = input->scratch + BEST * input->m, *trial = input->scratch + TRIAL * input->m;
    double limit = input->strategy->param[0] / sqrt(input->periods_per_year);
    struct point low, high;
    scale_means(input);
    if (!solve(input, false, 0, best, &low) || low.volatility > limit)
        return NOTE_NO_ANSWER;
    memcpy(trial, best, input->m * sizeof *trial);
    qp_climb(input->limits, input->scratch + GAIN * input->m, input->qp,
             input->scratch + AIM * input->m, trial);
    double most = fmax(gain_of(input, trial), low.gain);
    if (!solve(input, true, most - HAIR, trial, &high))
        return NOTE_NO_ANSWER;
    if (high.volatility <= limit)
        best = trial;
    else
        search(input, limit, low, high, best);
    memcpy(ret_weight, best, input->m * sizeof *ret_weight);
    return NOTE_NONE;
}

const struct strategy_kind strategy_maximum_return = {
    .name = "maximum_return",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE,
    .standard_lookback = 252,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = SCRATCH,
    .weigh = weigh,
};
