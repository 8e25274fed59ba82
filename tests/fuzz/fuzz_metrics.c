/* fuzz_metrics.c - any bytes as a track record, JSON or a table: refused with a reason, or a document of JSON. */
#include "handlers/metrics_answer.h"
#include "handlers/metrics_csv.h"

#include "base/json_in.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says how the rest is read: its lowest bit is the form, the others the profile of a table. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct metrics_request *request = NULL;
    struct json_doc *doc = NULL;
    struct str answer = STR_NONE;
    struct err err = {0};
    if (size == 0)
        return 0;
    struct str body = {(const char *)data + 1, size - 1};
    const struct metrics_option options[] = {
        {STR("profile"), str_of(profile_names[data[0] / 2 % PROFILE_COUNT])},
        {STR("rolling_window"), STR("3")},
        {STR("aggregate"), STR("weekly")},
    };
    arena_init(&arena, (size_t)1 << 28);
    enum status s = data[0] % 2 == 0 ? metrics_request_parse(body, &arena, &request, &err)
                                     : metrics_csv_parse(body, options, ARRAY_LEN(options), &arena,
                                                         &request, &err);
    if (s == STATUS_OK)
        request->monkeys.count = 0; /* there is no store here */
    if (s == STATUS_OK)
        s = metrics_answer(request, NULL, &arena, NULL, &answer, &err);
    if (s != STATUS_OK)
        assert(err.detail[0] != '\0');
    else
        assert(jr_parse(answer, &arena, &doc, &err) == STATUS_OK);
    jr_free(doc);
    arena_clear(&arena);
    return 0;
}
