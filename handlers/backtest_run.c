/* backtest_run.c - request text to answer text: identify, find, else load, run, write what is asked for, and keep all. */
#include "handlers/backtest_run_parts.h"

#include "base/clock.h"
#include "handlers/backtest_select.h"

#include <string.h>

double run_ms_since(int64_t from_ns)
{
    return (double)(clock_mono_ns() - from_ns) / 1e6;
}

void backtest_answer_clear(struct backtest_answer *answer)
{
    blob_unref(answer->blob);
    answer->blob = NULL;
}

/* The parts alone, cut once more for what is asked of them behind a dot. */
static enum status write_parts(const struct run *run, struct str select,
                               struct backtest_answer *answer, struct err *err)
{
    struct buf out;
    buf_init(&out, run->answer_arena, SIZE_MAX / 4);
    backtest_render_parts(run->result, str_of(answer->id), &run->passport, select, &out);
    if (out.failed)
        return err_out_of_memory(err);
    return backtest_select(buf_str(&out), select, run->answer_arena, &answer->body, err);
}

static enum status write_answer(struct run *run, struct backtest_draft *draft, struct str select,
                                struct backtest_answer *answer, struct err *err)
{
    int64_t from_ns = clock_mono_ns();
    enum status s = draft != NULL ? write_parts(run, select, answer, err)
                                  : backtest_document(run->result, answer->id, &run->passport,
                                                      run->arena->limit_bytes, run->service->hand,
                                                      &answer->blob, &answer->body, err);
    answer->render_ms = run_ms_since(from_ns);
    if (s == STATUS_OK && draft != NULL)
        backtest_draft_finish(draft, run->result, &run->passport, answer->id);
    return s;
}

static enum status run_engine(struct run *run, struct backtest_answer *answer, struct err *err)
{
    struct backtest_result *result = NULL;
    int64_t from_ns = clock_mono_ns();
    enum status s = STATUS_OK;
    if (!run->is_loaded) {
        s = run_load(run, err);
        answer->load_ms = run_ms_since(from_ns);
    }
    from_ns = clock_mono_ns();
    if (s == STATUS_OK)
        s = run_simulate(run, &result, err);
    answer->engine_ms = run_ms_since(from_ns);
    run->result = result;
    return s;
}

/* The run gets an arena and a hold that outlive the call, and a request in that arena. */
static enum status set_apart(struct run *run, struct str *request_body, struct backtest_draft **ret,
                             struct err *err)
{
    struct backtest_draft *draft = backtest_draft_new(run->arena->limit_bytes);
    *ret = draft;
    const char *copy = draft == NULL ? NULL : arena_dup(&draft->arena, *request_body);
    if (draft == NULL || copy == NULL)
        return err_out_of_memory(err);
    run->arena = &draft->arena;
    run->hold = &draft->hold;
    *request_body = (struct str){copy, request_body->len};
    return STATUS_OK;
}

static enum status select_of_whole(struct run *run, struct str select,
                                   struct backtest_answer *answer, struct err *err)
{
    enum status s = backtest_select(answer->body, select, run->answer_arena, &answer->body, err);
    if (select.ptr != NULL)
        backtest_answer_clear(answer);
    return s;
}

static enum status answer_run(struct run *run, struct str request_body, struct str select,
                              struct backtest_answer *answer, struct err *err)
{
    CLEANUP(backtest_draft_freep) struct backtest_draft *draft = NULL;
    struct str spec = STR_NONE;
    bool has_store = run->service->file == NULL;
    bool is_apart = has_store && run->service->keeper != NULL && select.ptr != NULL;
    enum status s = is_apart ? set_apart(run, &request_body, &draft, err) : STATUS_OK;
    if (s == STATUS_OK)
        s = run_begin(run, request_body, answer, &spec, err);
    if (s == STATUS_OK && has_store)
        s = run_find(run, answer, err);
    if (s != STATUS_OK || answer->was_stored)
        return s != STATUS_OK ? s : select_of_whole(run, select, answer, err);
    s = run_engine(run, answer, err);
    if (s == STATUS_OK)
        s = write_answer(run, draft, select, answer, err);
    if (s == STATUS_OK && has_store)
        s = run_keep(run, spec, answer, &draft, err);
    return s != STATUS_OK || is_apart ? s : select_of_whole(run, select, answer, err);
}

enum status backtest_answer_for(const struct backtest_service *service, struct str request_body,
                                struct str select, struct arena *arena, const struct stop *stop,
                                struct backtest_answer *ret, struct err *err)
{
    CLEANUP(market_hold_release) struct market_hold hold = {0};
    struct run run = {
        .service = service, .arena = arena, .answer_arena = arena, .stop = stop, .hold = &hold};
    struct backtest_answer answer = {.body = STR_NONE};
    enum status s = backtest_parts_check(select, arena, err);
    if (s == STATUS_OK)
        s = answer_run(&run, request_body, select, &answer, err);
    if (s == STATUS_OK)
        *ret = answer;
    else
        backtest_answer_clear(&answer);
    return s;
}
