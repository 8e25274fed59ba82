/*
 * spec_attribution.h - the member attribution of a request, and objects of numbers by uid. Part of spec.c and
 * spec_views.c; not for others. Errors name the JSON pointer and what is allowed.
 */
#ifndef BACKTEST_SPEC_ATTRIBUTION_H
#define BACKTEST_SPEC_ATTRIBUTION_H

#include "backtest/spec.h"
#include "base/json_in.h"

struct spec_range {
    double min, max; /* inclusive */
};

/* An object of numbers by uid into ret[spec->n_assets]; one of them is not 0. */
enum status spec_read_numbers(struct json_val val, const struct spec *spec, struct spec_range range,
                              double *ret, struct err *err) NODISCARD;
void spec_write_numbers(const struct spec *spec, const char *key, const double *number,
                        struct json_out *json);

/* After the assets have been read. */
enum status spec_read_attribution(struct json_val root, struct arena *arena, struct spec *spec,
                                  struct err *err) NODISCARD;

/* Writes the member when it was asked for. */
void spec_attribution_canonical(const struct spec *spec, struct json_out *json);

#endif
