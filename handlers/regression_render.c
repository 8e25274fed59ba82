/* regression_render.c - coefficients with both kinds of errors, or why there are none. */
#include "handlers/regression_render.h"

#include "handlers/measure_render.h"

static void write_coefficient(struct json_out *json, struct str name,
                              const struct regression_coefficient *c, double periods)
{
    jw_object(json);
    jw_key_text(json, "name", name);
    number_write(json, "value", c->value);
    if (periods > 0)
        number_write(json, "annual", c->value * periods);
    number_write(json, "se", c->se);
    number_write(json, "t", c->t);
    number_write(json, "p", c->p);
    number_write(json, "hac_se", c->hac_se);
    number_write(json, "hac_t", c->hac_t);
    number_write(json, "hac_p", c->hac_p);
    jw_end_object(json);
}

void regression_write(const struct regression *fit, const struct str *names,
                      double periods_per_year, struct json_out *json)
{
    jw_key_i64(json, "n", (int64_t)fit->n);
    jw_key_i64(json, "lag", (int64_t)fit->lag);
    if (!fit->is_known) {
        jw_key_c(json, "reason", fit->n < fit->n_factors + 3 ? "too_short" : "zero_variance");
        return;
    }
    jw_key(json, "coefficients");
    jw_array(json);
    for (size_t j = 0; j <= fit->n_factors; j++)
        write_coefficient(json, j == 0 ? STR("alpha") : names[j - 1], &fit->coefficient[j],
                          j == 0 ? periods_per_year : 0);
    jw_end_array(json);
    number_write(json, "r_squared", fit->r_squared);
    number_write(json, "adjusted_r_squared", fit->adjusted_r_squared);
    number_write(json, "residual_sd", fit->residual_sd);
}
