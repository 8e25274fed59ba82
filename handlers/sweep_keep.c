/* sweep_keep.c - what a job keeps of its sweep, written and read back. */
#include "handlers/sweep.h"

#include <stdio.h>
#include <string.h>

enum { KEPT_BYTES_MAX = 4 << 20 };

enum status sweep_keep(const struct sweep *sweep, const char *kind, struct arena *arena,
                       struct str *ret, struct err *err)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, arena, KEPT_BYTES_MAX);
    jw_init(&json, &out);
    jw_object(&json);
    jw_key_c(&json, "kind", kind);
    jw_key_i64(&json, "items", (int64_t)sweep->n_items);
    jw_key_i64(&json, "grid", sweep->n_grid > INT64_MAX ? INT64_MAX : (int64_t)sweep->n_grid);
    jw_key_c(&json, "metric", backtest_row_names[sweep->metric]);
    jw_key(&json, "parameters");
    jw_array(&json);
    for (size_t i = 0; i < sweep->n_parameters; i++) {
        const struct sweep_parameter *parameter = &sweep->parameters[i];
        jw_object(&json);
        jw_key_c(&json, "name", parameter->name);
        jw_key_text(&json, "pointer", parameter->pointer);
        jw_key_c(&json, "type", parameter->is_number ? "number" : "string");
        jw_key_i64(&json, "slot", parameter->slot);
        jw_end_object(&json);
    }
    jw_end_array(&json);
    jw_key(&json, "base");
    if (sweep->base.ptr == NULL)
        jw_null(&json);
    else
        jw_raw(&json, sweep->base);
    jw_end_object(&json);
    *ret = buf_str(&out);
    return out.failed ? err_out_of_memory(err) : STATUS_OK;
}

static struct str string_at(struct json_val object, const char *key)
{
    struct str text = STR("");
    return jr_read_str(jr_member(object, key), 0, SIZE_MAX, &text, NULL) == STATUS_OK ? text
                                                                                      : STR("");
}

static enum status recall_parameter(struct json_val val, struct arena *arena,
                                    struct sweep_parameter *ret, struct err *err)
{
    int64_t slot = -1;
    struct str pointer = string_at(val, "pointer"), name = string_at(val, "name");
    enum status s = jr_read_i64(jr_member(val, "slot"), -1, ITEM_NUMBERS - 1, &slot, err);
    if (s != STATUS_OK)
        return s;
    ret->pointer = (struct str){arena_dup(arena, pointer), pointer.len};
    ret->is_number = str_eq_c(string_at(val, "type"), "number");
    ret->slot = (int)slot;
    (void)snprintf(ret->name, sizeof ret->name, "%.*s", STR_ARG(name));
    return ret->pointer.ptr == NULL ? err_out_of_memory(err) : STATUS_OK;
}

enum status sweep_recall(struct str kept, struct arena *arena, struct sweep_kept *ret,
                         struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct sweep_kept sweep = {.base = STR_NONE};
    struct str key, value;
    size_t metric = 0;
    enum status s = jr_parse(kept, arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    struct json_val list = jr_member(jr_root(doc), "parameters");
    s = jr_read_choice(jr_member(jr_root(doc), "metric"), backtest_row_names, BACKTEST_ROW_METRICS,
                       &metric, err);
    sweep.metric = (enum backtest_row_metric)metric;
    sweep.is_sweep = str_eq_c(string_at(jr_root(doc), "kind"), "sweep");
    sweep.is_montecarlo = str_eq_c(string_at(jr_root(doc), "kind"), "montecarlo");
    sweep.n_parameters = jr_length(list);
    sweep.parameters = arena_array(arena, sweep.n_parameters + 1, sizeof *sweep.parameters);
    if (sweep.parameters == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; s == STATUS_OK && i < sweep.n_parameters; i++)
        s = recall_parameter(jr_item(list, i), arena, &sweep.parameters[i], err);
    for (size_t at = 1; json_next_member(kept, &at, &key, &value);)
        if (str_eq_c(key, "base") && !str_eq_c(value, "null"))
            sweep.base = value;
    if (s == STATUS_OK)
        *ret = sweep;
    return s;
}
