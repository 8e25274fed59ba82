/* spec_money.h - the members flows, financing and leverage; for spec.c and spec_canonical.c. */
#ifndef BACKTEST_SPEC_MONEY_H
#define BACKTEST_SPEC_MONEY_H

#include "backtest/spec_lists.h"

enum status spec_read_flows(struct json_val root, struct arena *arena, struct spec *spec,
                            struct err *err) NODISCARD;
enum status spec_read_financing(struct json_val root, struct arena *arena, struct spec *spec,
                                struct err *err) NODISCARD;
enum status spec_read_leverage(struct json_val root, struct spec *spec, struct err *err) NODISCARD;

/* The member of the request, or nothing where it was not given. */
void spec_write_flows(const struct spec *spec, struct json_out *json);
void spec_write_financing(const struct spec *spec, struct json_out *json);
void spec_write_leverage(const struct spec *spec, struct json_out *json);

/* As the simulator and flows_build take them: every rate a fraction. */
struct financing spec_financing(const struct spec *spec);
struct leverage spec_leverage(const struct spec *spec);

#endif
