/* spec_weights.c - turns the weights of a request into the target weights of the simulation. */
#include "backtest/spec_weights.h"

#include <float.h>
#include <math.h>

static const double SUM_TOLERANCE = 1e-6;

/* Weights that are missing are missing from the assets, even where a universe stands in for them. */
static struct str weights_at(const struct spec *spec)
{
    return spec->depth > 0 ? str_of(spec->assets_at) : STR("/assets");
}

static enum status bad_sum(double sum, struct str at, struct err *err)
{
    enum status s = err_set(err, STATUS_BAD_WEIGHTS, "The weights add up to %.10g, not to 1.", sum);
    err_at(err, ERR_POINTER, at, STR_NONE);
    err_allow(err,
              "weights that add up to 1 (within 1e-6), or on_weight_sum \"normalize\" (divide by "
              "the sum) or \"cash\" (keep the rest in cash, sum below 1); \"reject\" is the "
              "default");
    return s;
}

/* A sum that differs from 1 by its own rounding alone is left as it is: 0.6, 0.3, 0.1 stay so. */
static void divide_all(struct spec *spec, double sum)
{
    bool is_one = fabs(sum - 1) <= (double)spec->n_assets * DBL_EPSILON;
    for (size_t i = 0; i < spec->n_assets && !is_one; i++)
        spec->assets[i].weight /= sum;
    spec->invested_share = 1;
}

static enum status settle_given(struct spec *spec, struct err *err)
{
    double sum = 0;
    for (size_t i = 0; i < spec->n_assets; i++)
        sum += spec->assets[i].weight;

    if (!(sum > 0)) {
        enum status s = err_set(err, STATUS_BAD_WEIGHTS, "Every weight is 0: nothing is bought.");
        err_at(err, ERR_POINTER, weights_at(spec), STR_NONE);
        err_allow(err, "at least one weight above 0");
        return s;
    }
    if (fabs(sum - 1) <= SUM_TOLERANCE || spec->on_weight_sum == WEIGHT_SUM_NORMALIZE) {
        divide_all(spec, sum);
        return STATUS_OK;
    }
    if (spec->on_weight_sum == WEIGHT_SUM_CASH && sum < 1) {
        spec->invested_share = sum;
        return STATUS_OK;
    }
    return bad_sum(sum, weights_at(spec), err);
}

/* With leverage the weights stand as they are: the rest is cash, or debt. */
static enum status settle_leveraged(struct spec *spec, struct err *err)
{
    double gross = 0, net = 0;
    for (size_t i = 0; i < spec->n_assets; i++) {
        gross += fabs(spec->assets[i].weight);
        net += spec->assets[i].weight;
    }
    spec->invested_share = net;
    if (gross > 0 && gross <= spec->leverage.max_gross * (1 + SUM_TOLERANCE))
        return STATUS_OK;
    enum status s =
        err_set(err, STATUS_BAD_WEIGHTS, "The sizes of the weights add up to %.10g.", gross);
    err_at(err, ERR_POINTER, weights_at(spec), STR_NONE);
    err_allow(err, "a sum of absolute weights above 0 and at most /leverage/max_gross, %.10g",
              spec->leverage.max_gross);
    return s;
}

enum status spec_weights_settle(struct spec *spec, struct err *err)
{
    if (spec->strategy == STRATEGY_FIXED && !spec->has_weights) {
        enum status s =
            err_set(err, STATUS_BAD_WEIGHTS, "Strategy \"fixed\" needs a weight per asset.");
        err_at(err, ERR_POINTER, weights_at(spec), STR_NONE);
        err_allow(err, "a weight of at least 0 for every asset, or strategy \"equal\"");
        return s;
    }
    bool takes_none = !strategy_involves(spec->model, STRATEGY_FIXED) &&
                      !strategy_involves(spec->model, STRATEGY_BUY_AND_HOLD);
    if (takes_none && spec->has_weights) {
        enum status s =
            err_set(err, STATUS_BAD_WEIGHTS, "Strategy \"%s\" chooses the weights itself.",
                    spec->model->kind->name);
        err_at(err, ERR_POINTER, STR("/assets/0/weight"), STR_NONE);
        err_allow(err, "assets without weights, or strategy \"fixed\"");
        return s;
    }
    if (spec->has_weights)
        return spec->leverage.is_allowed ? settle_leveraged(spec, err) : settle_given(spec, err);
    for (size_t i = 0; i < spec->n_assets; i++)
        spec->assets[i].weight = 1.0 / (double)spec->n_assets;
    spec->invested_share = 1;
    return STATUS_OK;
}
