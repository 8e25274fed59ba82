/* test_backtest_memory.c - a backtest from request text to document, each of its allocations failing in turn. */
#include "tests/fault/alloc_fault.h"
#include "tests/unit/test_backtest_world.h"

#include "handlers/backtest_render.h"

static const char body[] =
    "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}],\"benchmark\":\"x:C\","
    "\"costs\":{\"commission_bps\":5},\"monkeys\":{\"count\":20,\"universe\":[\"x:A\",\"x:B\",\"x:C\"]}}";

/* The arena starts small, so that most of what is asked for meets malloc. */
static enum status run(void *cls, struct err *err)
{
    static const struct backtest_mart mart = {"mart_price_daily", 1};
    static const struct backtest_passport passport = {BACKTEST_ENGINE_VERSION, &mart, 1};
    const struct world *w = cls;
    struct spec *spec = NULL;
    struct backtest_result *result = NULL;
    CLEANUP(arena_clear) struct arena arena;
    struct buf out;
    arena_init(&arena, (size_t)1 << 28);
    enum status s = spec_parse(str_of(body), &arena, &spec, err);
    if (s == STATUS_OK)
        s = backtest_run(spec, &w->market, &arena, NULL, &result, err);
    if (s != STATUS_OK)
        return s;
    buf_init(&out, &arena, (size_t)1 << 26);
    backtest_render(result, STR("id"), &passport, &out);
    return out.failed ? err_set(err, STATUS_OUT_OF_MEMORY, "The document did not fit.") : STATUS_OK;
}

static void every_failed_allocation_of_a_backtest_is_told(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    for (size_t i = 0; i < 3; i++) {
        static const char *const uids[] = {"x:A", "x:B", "x:C"};
        (void)world_add_walk(&w, uids[i], day(2010, 1, 4), 2500, i + 1, 0);
    }
    assert_true(fault_sweep(run, &w) > 10);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_of_a_backtest_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
