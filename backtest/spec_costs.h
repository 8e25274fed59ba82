/* spec_costs.h - the member costs of a request; for spec.c and spec_canonical.c. */
#ifndef BACKTEST_SPEC_COSTS_H
#define BACKTEST_SPEC_COSTS_H

#include "backtest/spec_lists.h"

enum status spec_read_costs(struct json_val costs, struct spec *spec, struct err *err) NODISCARD;
/* expense and expenses of the member costs; the names of all assets and of the universe are known. */
enum status spec_read_expenses(struct json_val costs, struct arena *arena, struct spec *spec,
                               struct err *err) NODISCARD;
/* Inside the object costs. */
void spec_write_expenses(const struct spec *spec, struct json_out *json);
void spec_write_costs(const struct spec *spec, struct json_out *json);

/* The costs of the request as the simulator takes them: every rate a fraction. */
struct cost_model spec_cost_model(const struct spec *spec);

/* Rates of a number or of a list of {"from", "percent"}: a tax, a fee; in per cent. */
enum status spec_read_rates(struct json_val val, double max_percent, struct dated_rate *rates,
                            size_t max, size_t *ret_n, struct err *err) NODISCARD;
/* As they were given; none is the number 0. */
void spec_write_rate_list(const struct dated_rate *rates, size_t n, struct json_out *json);
/* The same as a member; none is no member. */
void spec_write_rates(const char *key, const struct dated_rate *rates, size_t n,
                      struct json_out *json);

#endif
