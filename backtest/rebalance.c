/* rebalance.c - the width of a band and where a position outside it goes. */
#include "backtest/rebalance.h"

#include <math.h>

double rebalance_band_of(const struct rebalance_bands *bands, double target)
{
    double size = fabs(target), band = (double)INFINITY;

    if (bands->absolute > 0)
        band = bands->absolute;
    if (bands->relative > 0 && size > 0)
        band = fmin(band, bands->relative * size);
    if (bands->five_twentyfive)
        band = fmin(band, fmin(0.05, 0.25 * size));
    if (bands->relative > 0 && !(size > 0) && !(bands->absolute > 0))
        band = 0;
    return band;
}

bool rebalance_is_outside(const struct rebalance_bands *bands, double weight, double target)
{
    return rebalance_is_off(fabs(weight - target), rebalance_band_of(bands, target));
}

bool rebalance_portfolio_is_outside(const struct rebalance_bands *bands, double sum_off)
{
    return bands->portfolio > 0 && 0.5 * sum_off >= bands->portfolio - REBALANCE_EPSILON;
}

double rebalance_destination_of(const struct rebalance_rule *rule, double weight, double target)
{
    switch (rule->destination) {
    case DESTINATION_HALFWAY:
        return 0.5 * (weight + target);
    case DESTINATION_EDGE: {
        /* Just inside: on the edge itself the band would count as left again. */
        double band = rebalance_band_of(&rule->bands, target) * (1 - 1e-6);
        if (weight > target + band)
            return target + band;
        return weight < target - band ? target - band : weight;
    }
    case DESTINATION_TARGET:
    case REBALANCE_DESTINATION_COUNT:
        break;
    }
    return target;
}
