/* bronze.c - which provider is asked for which symbols, and who comes next where one does not answer. */
#include "ingest/bronze_impl.h"

#include "base/clock.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_BYTES = 1 << 30, KEPT_BYTES = 256 << 20, LINE_BYTES = 512 };

/* What is still to be had. */
struct wanted {
    bool all;      /* from a provider that is asked for everything at once */
    bool *symbol;  /* of the universe */
    bool *unknown; /* nobody asked so far knows it */
    bool has_columns, has_failed, is_passing;
    char why[320]; /* of each provider that failed, its first reason */
    int64_t retry_after_s;
};

/* A line for the person or the log that follows the run. */
static PRINTF(2, 3) void say(const struct bronze_run *run, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;
    if (run->world->say == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    run->world->say(run->world->listener, line);
}

void bronze_progress(const struct bronze_run *run)
{
    if (run->world->progress != NULL)
        run->world->progress(run->world->listener, run->n_units_done, run->n_units, run->report);
}

/* The first thing worth knowing stays; every one is said. */
void bronze_note(struct bronze_run *run, const char *format, ...)
{
    char line[sizeof run->report->note];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    struct str cut = str_utf8_cut(str_of(line), sizeof line - 1);
    line[cut.len] = '\0';
    if (run->report->note[0] == '\0')
        (void)snprintf(run->report->note, sizeof run->report->note, "%s", line);
    say(run, "%s", line);
}

static void add_reason(struct wanted *wanted, const struct source *source,
                       const struct feed_verdict *verdict)
{
    char name[40];
    size_t len = strlen(wanted->why);
    (void)snprintf(name, sizeof name, "%s: ", source->name);
    if (strstr(wanted->why, name) != NULL)
        return;
    (void)snprintf(wanted->why + len, sizeof wanted->why - len, "%s%s%s: %.*s", len > 0 ? "; " : "",
                   name, feed_outcome_names[verdict->outcome],
                   STR_ARG(str_utf8_cut(str_of(verdict->detail), 100)));
    wanted->why[str_utf8_cut(str_of(wanted->why), sizeof wanted->why - 2).len] = '\0';
}

static void remember_failure(struct bronze_run *run, const struct source *source,
                             struct wanted *wanted)
{
    enum feed_outcome outcome = run->verdict.outcome;
    bool is_passing = outcome == FEED_THROTTLED || outcome == FEED_QUOTA || outcome == FEED_DOWN;
    wanted->has_failed = true;
    wanted->is_passing |= is_passing;
    add_reason(wanted, source, &run->verdict);
    if (is_passing && run->retry_after_s > wanted->retry_after_s)
        wanted->retry_after_s = run->retry_after_s;
}

static void note_provider(struct bronze_run *run, const struct source *source)
{
    if (run->report->provider[0] == '\0')
        (void)snprintf(run->report->provider, sizeof run->report->provider, "%s", source->name);
}

static enum status ask_whole(struct bronze_run *run, const struct source *source,
                             struct wanted *wanted, enum bronze_result *ret, struct err *err)
{
    struct bronze_unit unit = {.source = source, .spelling = STR("")};
    run->n_units++;
    enum status s = bronze_ask(run, &unit, ret, err);
    run->n_units_done++;
    bronze_progress(run);
    if (s == STATUS_OK && *ret == BRONZE_GOT)
        note_provider(run, source);
    else if (s == STATUS_OK)
        remember_failure(run, source, wanted);
    if (s == STATUS_OK && *ret == BRONZE_FAILED)
        bronze_note(run, "%s: %s: %s", source->name, feed_outcome_names[run->verdict.outcome],
                    run->verdict.detail);
    return s;
}

static enum status ask_symbol(struct bronze_run *run, const struct bronze_unit *unit, size_t i,
                              struct wanted *wanted, enum bronze_result *ret, struct err *err)
{
    enum status s = bronze_ask(run, unit, ret, err);
    run->n_units_done++;
    bronze_progress(run);
    if (s != STATUS_OK)
        return s;
    wanted->unknown[i] = *ret == BRONZE_NOTHING;
    if (*ret == BRONZE_GOT) {
        wanted->symbol[i] = false;
        note_provider(run, unit->source);
    } else if (*ret == BRONZE_NOTHING) {
        say(run, "%s does not know %.*s", unit->source->name, STR_ARG(unit->row->symbol));
    } else {
        remember_failure(run, unit->source, wanted);
    }
    if (*ret == BRONZE_FAILED)
        bronze_note(run, "%s, %.*s: %s: %s", unit->source->name, STR_ARG(unit->row->symbol),
                    feed_outcome_names[run->verdict.outcome], run->verdict.detail);
    return STATUS_OK;
}

static enum status ask_symbols(struct bronze_run *run, const struct source *source, size_t column,
                               struct wanted *wanted, enum bronze_result *ret, struct err *err)
{
    enum status s = STATUS_OK;
    *ret = BRONZE_GOT;
    for (size_t i = 0; i < run->universe.n; i++)
        run->n_units += wanted->symbol[i] && run->universe.rows[i].spelling[column].ptr != NULL;
    for (size_t i = 0; s == STATUS_OK && *ret != BRONZE_OUT && i < run->universe.n; i++) {
        struct bronze_unit unit = {source, &run->universe.rows[i],
                                   run->universe.rows[i].spelling[column]};
        if (wanted->symbol[i] && unit.spelling.ptr != NULL)
            s = ask_symbol(run, &unit, i, wanted, ret, err);
        if (s == STATUS_OK && stop_is_raised(run->stop))
            s = stop_status(run->stop, err);
    }
    return s;
}

static bool is_anything_wanted(const struct bronze_run *run, const struct wanted *wanted)
{
    if (wanted->all)
        return true;
    for (size_t i = 0; i < run->universe.n; i++)
        if (wanted->symbol[i])
            return true;
    return false;
}

static void say_who_is_next(struct bronze_run *run, const struct source *source,
                            const struct source *next)
{
    const char *outcome = feed_outcome_names[run->verdict.outcome];
    if (next != NULL)
        bronze_note(run, "%s: %s: %s; %s is asked instead", source->name, outcome,
                    run->verdict.detail, next->name);
    else
        bronze_note(run, "%s: %s: %s; no other provider has it", source->name, outcome,
                    run->verdict.detail);
}

/* Providers of one rank, [from, to): together they are everything. */
static enum status ask_rank(struct bronze_run *run, const struct dataset_provider *providers,
                            size_t from, size_t to, const struct source *next,
                            struct wanted *wanted, struct err *err)
{
    bool has_all = true, is_whole = false;
    enum status s = STATUS_OK;
    for (size_t p = from; p < to && s == STATUS_OK; p++) {
        const struct source *source = providers[p].source;
        size_t column = universe_column(&run->universe, source);
        enum bronze_result result = BRONZE_GOT;
        if (column < run->universe.n_columns) {
            wanted->has_columns = true;
            wanted->all = false;
            s = ask_symbols(run, source, column, wanted, &result, err);
        } else {
            is_whole = true;
            s = ask_whole(run, source, wanted, &result, err);
            has_all &= result == BRONZE_GOT;
        }
        if (s == STATUS_OK && result == BRONZE_OUT)
            say_who_is_next(run, source, next);
    }
    if (s == STATUS_OK && is_whole && has_all) {
        wanted->all = false;
        memset(wanted->symbol, 0, run->universe.n * sizeof *wanted->symbol);
    }
    return s;
}

static enum status ask_everybody(struct bronze_run *run, struct wanted *wanted, struct err *err)
{
    struct dataset_provider providers[DATASET_PROVIDERS_MAX];
    size_t n = dataset_providers(run->task->dataset, providers);
    enum status s = STATUS_OK;
    if (n == 0)
        return err_set(err, STATUS_BAD_VALUE,
                       "The data set %s has no provider: give it a file with --file.",
                       run->task->dataset->name);
    for (size_t from = 0, to; s == STATUS_OK && from < n && is_anything_wanted(run, wanted);
         from = to) {
        for (to = from + 1; to < n && providers[to].rank == providers[from].rank;)
            to++;
        s = ask_rank(run, providers, from, to, to < n ? providers[to].source : NULL, wanted, err);
    }
    return s;
}

/* Symbols that nobody gave although somebody should have, and those that nobody knows. */
static enum status conclude(struct bronze_run *run, const struct wanted *wanted, struct err *err)
{
    size_t n_missing = wanted->all ? 1 : 0, n_unknown = 0;
    size_t n_all = wanted->all ? 1 : run->universe.n;
    for (size_t i = 0; i < run->universe.n; i++) {
        n_unknown += wanted->symbol[i] && wanted->unknown[i];
        n_missing += wanted->symbol[i] && !wanted->unknown[i];
    }
    if (n_unknown > 0)
        bronze_note(run, "%zu %s known to no provider", n_unknown,
                    str_plural(n_unknown, "symbol is", "symbols are"));
    if (n_missing == 0 || !wanted->has_failed)
        return STATUS_OK;
    if (wanted->is_passing) {
        (void)err_set(err, STATUS_SOURCE_DOWN, "Of %s, %zu of %zu %s could not be fetched now: %s",
                      run->task->dataset->name, n_missing, n_all,
                      str_plural(n_all, "symbol", "symbols"), wanted->why);
        if (err != NULL)
            err->retry_after_s = (unsigned)wanted->retry_after_s;
        return STATUS_SOURCE_DOWN;
    }
    if (run->report->rows_in > 0) {
        bronze_note(run, "%zu %s could not be fetched: %s", n_missing,
                    str_plural(n_missing, "symbol", "symbols"), wanted->why);
        return STATUS_OK;
    }
    (void)err_set(err, STATUS_SOURCE_REFUSED, "Of %s, nothing could be fetched: %s",
                  run->task->dataset->name, wanted->why);
    err_allow(err, "a file of your own in their place: cmmc ingest %s --file FILE",
              run->task->dataset->name);
    return STATUS_SOURCE_REFUSED;
}

static enum status fetch_all(struct bronze_run *run, struct err *err)
{
    struct wanted wanted = {.all = true};
    struct err outcome = {0};
    enum status s = universe_load(run->task->dataset, run->world->universe_folder, &run->kept,
                                  &run->universe, err);
    if (s != STATUS_OK)
        return s;
    wanted.symbol = arena_array(&run->kept, run->universe.n + 1, sizeof *wanted.symbol);
    wanted.unknown = arena_array(&run->kept, run->universe.n + 1, sizeof *wanted.unknown);
    if (wanted.symbol == NULL || wanted.unknown == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < run->universe.n; i++)
        wanted.symbol[i] = true;
    s = source_fetcher_new(run->world->asking, &run->fetcher, err);
    if (s == STATUS_OK)
        s = ask_everybody(run, &wanted, err);
    source_fetcher_freep(&run->fetcher);
    if (s != STATUS_OK)
        return s;
    /* What has come is written even when some is missing. */
    enum status end = conclude(run, &wanted, &outcome);
    s = bronze_write(run, err);
    if (s == STATUS_OK && end != STATUS_OK && err != NULL)
        *err = outcome;
    return s == STATUS_OK ? end : s;
}

static enum status upload(struct bronze_run *run, struct err *err)
{
    enum status s = bronze_upload(run, err);
    (void)snprintf(run->report->provider, sizeof run->report->provider, "%s", source_upload.name);
    return s == STATUS_OK ? bronze_write(run, err) : s;
}

static bool is_upload(const struct ingest_task *task)
{
    return task->file != NULL || task->text.ptr != NULL;
}

static enum status open_spool(struct bronze_run *run, struct err *err)
{
    char name[96], from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    const struct ingest_task *task = run->task;
    date_format(task->from, from);
    date_format(task->to, to);
    (void)snprintf(name, sizeof name, "%s-%s-%s%s", task->dataset->name, from, to,
                   is_upload(task) ? "-file" : "");
    return spool_open(run->world->folder, name, clock_wall_s(), run->stop, &run->spool, err);
}

enum status ingest_bronze(const struct ingest_world *world, const struct ingest_task *task,
                          struct ingest_report *report, const struct stop *stop, struct err *err)
{
    struct bronze_run run = {.world = world, .task = task, .report = report, .stop = stop};
    assert(world->lake != NULL && world->folder != NULL && task->from <= task->to);
    assert(world->asking != NULL || is_upload(task));
    *report =
        (struct ingest_report){.quota_left = -1, .rows_first = DATE_NONE, .rows_last = DATE_NONE};
    arena_init(&run.kept, KEPT_BYTES);
    arena_init(&run.answer, ANSWER_BYTES);
    enum status s = open_spool(&run, err);
    if (s == STATUS_OK)
        s = is_upload(task) ? upload(&run, err) : fetch_all(&run, err);
    /* What was fetched waits for the next run, unless this one is over; a file is read again. */
    bool is_over = s == STATUS_OK || s == STATUS_SOURCE_REFUSED || is_upload(task);
    spool_close(run.spool, !is_over);
    arena_clear(&run.answer);
    arena_clear(&run.kept);
    return s;
}
