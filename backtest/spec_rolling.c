/* spec_rolling.c - reads and writes which rolling windows are asked for. */
#include "backtest/spec_rolling.h"

enum status spec_rolling_read(struct json_val root, struct spec_rolling *ret, struct err *err)
{
    static const char *const keys[] = {"window", "metrics"};
    struct json_val val = jr_member(root, "rolling"), list = jr_member(val, "metrics");
    int64_t window = 0;
    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = jr_read_i64(jr_member(val, "window"), 2, SPEC_WINDOW_MAX, &window, err);
    ret->window = (size_t)window;
    if (s != STATUS_OK || !jr_is_present(list)) {
        for (size_t m = 0; m < ROLLING_METRIC_COUNT; m++)
            ret->wanted[m] = true;
        return s;
    }
    s = jr_expect_array(list, 1, ROLLING_METRIC_COUNT, err);
    for (size_t i = 0; i < jr_length(list) && s == STATUS_OK; i++) {
        size_t metric = 0;
        s = jr_read_choice(jr_item(list, i), rolling_metric_names, ROLLING_METRIC_COUNT, &metric,
                           err);
        ret->wanted[metric] = true;
    }
    return s;
}

void spec_rolling_canonical(const struct spec_rolling *rolling, struct json_out *json)
{
    if (rolling->window == 0)
        return;
    jw_key(json, "rolling");
    jw_object(json);
    jw_key_i64(json, "window", (int64_t)rolling->window);
    jw_key(json, "metrics");
    jw_array(json);
    for (size_t m = 0; m < ROLLING_METRIC_COUNT; m++) {
        if (rolling->wanted[m])
            jw_str(json, str_of(rolling_metric_names[m]));
    }
    jw_end_array(json);
    jw_end_object(json);
}
