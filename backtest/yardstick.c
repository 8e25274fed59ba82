/* yardstick.c - the benchmark's own path and measures; called by a run, or once for a panel that runs share. */
#include "backtest/yardstick.h"
#include "base/number.h"

#include <math.h>
#include <string.h>

double yardstick_periods(const struct panel *panel)
{
    return panel->trades_every_day ? 365 : 252;
}

enum status yardstick_path(const struct panel *panel, struct arena *arena, struct measure_path *ret,
                           struct err *err)
{
    size_t n = panel->n_sessions, count = 0;
    *ret = (struct measure_path){0};
    if (panel->benchmark == NULL)
        return STATUS_OK;
    int32_t *date = arena_array(arena, n, sizeof *date);
    double *value = arena_array(arena, n, sizeof *value);
    if (date == NULL || value == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the benchmark.");
    for (size_t t = 0; t < n; t++) {
        if (isnan(panel->benchmark[t]))
            continue;
        date[count] = panel->clock[t];
        value[count++] = panel->benchmark[t];
    }
    if (count >= 2)
        *ret = (struct measure_path){date, value, count};
    return STATUS_OK;
}

void yardstick_line(const struct panel *panel, struct measure_path path, double capital,
                    double *ret)
{
    panel->kernels->levels(panel->benchmark, panel->n_sessions, path.value[0], capital, ret);
}

enum status yardstick_measure(const struct spec *spec, const struct panel *panel,
                              struct measure_path path, const double *risk_free,
                              struct arena *arena, struct yardstick *ret, struct err *err)
{
    struct measure_input input = {
        .path = path,
        .periods_per_year = yardstick_periods(panel),
        .risk_free_rate = spec->risk_free_rate,
        .risk_free = risk_free,
        .kernels = panel->kernels,
        .options.has_mar = profile_targets_zero(spec->metrics_profile),
    };
    *ret = (struct yardstick){
        .is_known = true, .risk_free_rate = input.risk_free_rate, .has_mar = input.options.has_mar};
    return measure_compute(&input, arena, ret->measures, err);
}

bool yardstick_serves(const struct yardstick *yardstick, const struct spec *spec)
{
    return yardstick->is_known && spec->risk_free.ptr == NULL &&
           number_is_same(yardstick->risk_free_rate, spec->risk_free_rate) &&
           yardstick->has_mar == profile_targets_zero(spec->metrics_profile);
}
