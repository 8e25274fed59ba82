/* spec_frontier.c - how many portfolios a frontier has, and which part of the sessions it is made from. */
#include "backtest/spec_frontier.h"

enum { POINTS_MAX = 100, POINTS_STANDARD = 20 };

enum status spec_read_frontier(struct json_val root, struct spec *spec, struct err *err)
{
    static const char *const keys[] = {"points", "in_sample"};
    struct json_val val = jr_member(root, "frontier");
    int64_t points = POINTS_STANDARD;
    double in_sample = 0.5;

    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK && jr_is_present(jr_member(val, "points")))
        s = jr_read_i64(jr_member(val, "points"), 2, POINTS_MAX, &points, err);
    if (s == STATUS_OK && jr_is_present(jr_member(val, "in_sample")))
        s = jr_read_f64(jr_member(val, "in_sample"), 0.1, 0.9, &in_sample, err);
    spec->frontier = (struct frontier_ask){(size_t)points, in_sample};
    return s;
}

void spec_write_frontier(const struct spec *spec, struct json_out *json)
{
    if (spec->frontier.n_points == 0)
        return;
    jw_key(json, "frontier");
    jw_object(json);
    jw_key_i64(json, "points", (int64_t)spec->frontier.n_points);
    jw_key_f64(json, "in_sample", spec->frontier.in_sample);
    jw_end_object(json);
}
