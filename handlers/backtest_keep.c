/* backtest_keep.c - finding an answer that is kept, and keeping a new one. */
#include "handlers/backtest_run_parts.h"

#include "handlers/json_text.h"
#include "store/backtest_store.h"

#include <math.h>

/*
 * Among those that wait to be stored, then in the store. While the store cannot be reached nothing is found: a second
 * run has the same bytes, and needs no connection when its prices are in the book.
 */
enum status run_find(struct run *run, struct backtest_answer *answer, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct backtest_keeper *keeper = run->service->keeper;
    enum status s = backtest_keeper_find(keeper, str_of(answer->id), run->answer_arena,
                                         &answer->blob, &answer->body, &answer->was_stored, err);
    if (s != STATUS_OK || answer->was_stored)
        return s;
    s = db_acquire(run->service->pool, DB_READ, run->stop, &db, err);
    if (s == STATUS_OK)
        s = backtest_load(db, str_of(answer->id), run->answer_arena, &answer->body,
                          &answer->was_stored, err);
    if (s != STATUS_DB_UNAVAILABLE || keeper == NULL)
        return s;
    if (err != NULL)
        *err = (struct err){0};
    return STATUS_OK;
}

static double value_of(const struct backtest_result *result, enum measure_id id)
{
    const struct measure_value *value =
        &result->measures[profile_row(result->spec->metrics_profile, id)];
    return value->reason == REASON_NONE ? value->value : (double)NAN;
}

/* The strategy's name out of the normalised request, where it is a string or an object that has one. */
static struct str strategy_of(struct str spec)
{
    struct str key, value, inner;
    for (size_t at = 1; json_next_member(spec, &at, &key, &value);)
        if (str_eq_c(key, "strategy") && value.len > 2 && value.ptr[0] == '"')
            return str_sub(value, 1, value.len - 1);
        else if (str_eq_c(key, "strategy") && value.len > 2 && value.ptr[0] == '{')
            for (size_t k = 1; json_next_member(value, &k, &key, &inner);)
                if (str_eq_c(key, "name") && inner.len > 2 && inner.ptr[0] == '"')
                    return str_sub(inner, 1, inner.len - 1);
    return STR_NONE;
}

static struct backtest_kept kept_of(const struct run *run, struct str spec,
                                    const struct backtest_answer *answer)
{
    const struct backtest_result *result = run->result;
    return (struct backtest_kept){.id = str_of(answer->id),
                                  .spec = spec,
                                  .generation = run->generation,
                                  .summary = {
                                      .strategy = strategy_of(spec),
                                      .currency = str_of(result->spec->currency),
                                      .start = result->spec->start,
                                      .end = result->spec->end,
                                      .n_assets = (int64_t)result->spec->n_assets,
                                      .total_return = value_of(result, MEASURE_total_return),
                                      .cagr = value_of(result, MEASURE_cagr),
                                      .sharpe = value_of(result, MEASURE_sharpe),
                                      .max_drawdown = value_of(result, MEASURE_max_drawdown),
                                  }};
}

static enum status store(struct run *run, const struct backtest_kept *kept, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(run->service->pool, DB_WRITE, run->stop, &db, err);
    if (s == STATUS_OK)
        s = backtest_save(db, kept->id, kept->spec, kept->generation, kept->body, &kept->summary,
                          err);
    return s;
}

static enum status store_draft(struct run *run, struct backtest_kept *kept, struct err *err)
{
    struct blob *blob = NULL;
    enum status s = kept->later->write(kept->later, &blob, &kept->body, err);
    if (s == STATUS_OK)
        s = store(run, kept, err);
    blob_unref(blob);
    return s;
}

enum status run_keep(struct run *run, struct str spec, const struct backtest_answer *answer,
                     struct backtest_draft **draft, struct err *err)
{
    struct backtest_kept kept = kept_of(run, spec, answer);
    if (*draft != NULL) {
        kept.later = &(*draft)->later;
    } else {
        kept.body = answer->body;
        kept.blob = answer->blob;
    }
    if (!backtest_keeper_take(run->service->keeper, &kept))
        return *draft != NULL ? store_draft(run, &kept, err) : store(run, &kept, err);
    *draft = NULL;
    return STATUS_OK;
}
