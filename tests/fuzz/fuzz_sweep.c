/* fuzz_sweep.c - any bytes as the body of a batch or a sweep: refused with a reason, or items that are valid JSON. */
#include "handlers/sweep.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ITEMS_MAX = 200 };

/* Whatever is kept of it is read back, and every item's request parses. */
static void check(const struct sweep *sweep, struct arena *arena)
{
    struct err err = {0};
    struct sweep_kept kept;
    struct str text;
    enum status s = sweep_keep(sweep, "sweep", arena, &text, &err);
    assert(s == STATUS_OK);
    s = sweep_recall(text, arena, &kept, &err);
    assert(s == STATUS_OK && kept.n_parameters == sweep->n_parameters);
    for (size_t i = 0; i < sweep->n_items; i++) {
        const struct backtest_item item = {(int64_t)i, sweep->items[i].request,
                                           sweep->items[i].parameters};
        struct json_doc *doc = NULL;
        s = sweep_request(kept.base, &item, arena, &text, &err);
        if (s != STATUS_OK) {
            assert(err.detail[0] != '\0');
            continue;
        }
        s = jr_parse(text, arena, &doc, &err);
        assert(s == STATUS_OK);
        jr_free(doc);
    }
    (void)s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct err err = {0};
    struct sweep sweep;
    struct str body = {(const char *)data, size};
    arena_init(&arena, (size_t)1 << 28);
    if (sweep_parse(body, ITEMS_MAX, &arena, &sweep, &err) == STATUS_OK)
        check(&sweep, &arena);
    else
        assert(err.detail[0] != '\0');
    if (batch_parse(body, ITEMS_MAX, &arena, &sweep, &err) == STATUS_OK)
        check(&sweep, &arena);
    arena_clear(&arena);
    return 0;
}
