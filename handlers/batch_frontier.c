/* batch_frontier.c - the base request with equal weights, asked for its frontier alone. */
#include "handlers/batch_frontier.h"

#include "base/json_out.h"
#include "handlers/batch_team.h"

#include <stdio.h>

enum { CHANGES_BYTES_MAX = 64 << 10 };

static size_t n_elements(struct str array)
{
    size_t n = 0, at = 0;
    if (array.len < 3 || array.ptr[0] != '[')
        return 0;
    do {
        at = json_value_end(array, at + 1);
        n++;
    } while (at < array.len && array.ptr[at] == ',');
    return n;
}

static size_t n_assets_of(struct str base)
{
    struct str key, value;
    size_t n = 0;
    for (size_t at = 1; json_next_member(base, &at, &key, &value);)
        if (str_eq_c(key, "assets"))
            n = n_elements(value);
    return n;
}

static bool varies(const struct sweep_kept *kept, const char *pointer)
{
    for (size_t i = 0; i < kept->n_parameters; i++)
        if (str_eq_c(kept->parameters[i].pointer, pointer))
            return true;
    return false;
}

/* Writes the weight of each asset; false when one of them is not the sweep's to vary. */
static bool write_weights(const struct sweep_kept *kept, struct json_out *json)
{
    char pointer[40];
    size_t n = n_assets_of(kept->base);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(pointer, sizeof pointer, "/assets/%zu/weight", i);
        if (!varies(kept, pointer))
            return false;
        jw_key_i64(json, pointer, 1);
    }
    return n > 1;
}

/* The changes of the base as those of an item: every asset is held, and only the frontier is asked for. */
static bool write_changes(const struct sweep_kept *kept, struct json_out *json)
{
    static const char *const left_out[] = {"/bootstrap", "/monte_carlo", "/verify"};
    jw_object(json);
    bool has_weights = write_weights(kept, json);
    jw_key_c(json, "/on_weight_sum", "normalize");
    jw_key(json, "/monkeys");
    jw_raw(json, STR("{\"count\":0}"));
    jw_key(json, "/frontier");
    jw_raw(json, STR("{}"));
    for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
        jw_key_null(json, left_out[i]);
    jw_end_object(json);
    return has_weights;
}

enum status batch_frontier(const struct backtest_service *service, const struct sweep_kept *kept,
                           struct arena *arena, const struct stop *stop, struct str *ret,
                           struct str *ret_reason, struct err *err)
{
    struct buf changes;
    struct json_out json;
    struct backtest_answer answer = {.body = STR_NONE};
    struct str request;
    struct err why = {0};
    buf_init(&changes, arena, CHANGES_BYTES_MAX);
    jw_init(&json, &changes);
    *ret = *ret_reason = STR_NONE;
    if (kept->base.ptr == NULL || !write_changes(kept, &json))
        return STATUS_OK;
    if (changes.failed)
        return err_out_of_memory(err);
    const struct backtest_item item = {0, STR_NONE, buf_str(&changes)};
    enum status s = sweep_request(kept->base, &item, arena, &request, &why);
    if (s == STATUS_OK)
        s = backtest_answer_for(service, request, STR("frontier"), arena, stop, &answer, &why);
    if (s != STATUS_OK && batch_ends_all(s)) {
        if (err != NULL)
            *err = why;
        return s;
    }
    if (s == STATUS_OK)
        *ret = json_data_member(answer.body, "frontier");
    else
        *ret_reason = str_of(status_slug(s));
    return STATUS_OK;
}
