/* cli/ingest.c - cmmc ingest: one data set over some days, stage after stage, from the shell. */
#define _GNU_SOURCE /* sigaction under -std=c17 */
#include "cli/arguments.h"
#include "cli/ingest_lists.h"
#include "cli/ingest_sample.h"
#include "handlers/ingest_world.h"

#include "base/clock.h"
#include "base/suggest.h"
#include "ingest/dataset.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CHARS = 30, SECONDS_PER_DAY = 86400 };

struct request {
    struct ingest_task task;
    unsigned stages;
    bool is_json, is_backfill;
};

/* Raised by SIGINT and SIGTERM: what was fetched is kept for the next run. */
static struct stop stop;

static void on_signal(int signal)
{
    (void)signal;
    stop_raise(&stop, STOP_DRAINING);
}

static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* What is printed while it runs: a bar that is written over on a terminal, lines elsewhere. */
struct view {
    bool is_terminal, has_bar;
    size_t n_shown;
};

static void clear_bar(struct view *view)
{
    if (view->has_bar)
        (void)fputs("\r\033[K", stderr);
    view->has_bar = false;
}

static void say(void *listener, const char *line)
{
    clear_bar(listener);
    (void)fprintf(stderr, "%s\n", line);
}

static void show_progress(void *listener, size_t n_done, size_t n,
                          const struct ingest_report *report)
{
    struct view *view = listener;
    size_t filled = n == 0 ? 0 : n_done * BAR_CHARS / n;
    if (!view->is_terminal) {
        char line[INGEST_PROGRESS_BYTES];
        ingest_progress_format(n_done, n, report, line);
        if (n_done != view->n_shown)
            (void)fprintf(stderr, "%s\n", line);
        view->n_shown = n_done;
        return;
    }
    (void)fprintf(stderr, "\r[%.*s%.*s] %zu/%zu symbols, %lld requests, %.1f MiB, %lld rows\033[K",
                  (int)filled, "##############################", (int)(BAR_CHARS - filled),
                  "                              ", n_done, n, (long long)report->requests,
                  (double)report->bytes / 1048576, (long long)report->rows_in);
    (void)fflush(stderr);
    view->has_bar = true;
}

static void print_report(const struct request *request, enum ingest_stage stage,
                         const struct ingest_report *report)
{
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    date_format(request->task.from, from);
    date_format(request->task.to, to);
    (void)printf(
        "%s %s %s to %s: requests %lld, bytes %lld, rows in %lld, out %lld, rejected %lld, "
        "objects written %lld, unchanged %lld",
        request->task.dataset->name, ingest_stage_names[stage], from, to,
        (long long)report->requests, (long long)report->bytes, (long long)report->rows_in,
        (long long)report->rows_out, (long long)report->rejected, (long long)report->objects,
        (long long)report->objects_skipped);
    if (report->rows_copied > 0)
        (void)printf(", %lld rows copied", (long long)report->rows_copied);
    if (report->s3_puts + report->s3_lists + report->s3_gets > 0)
        (void)printf(", S3: %lld PUT, %lld LIST, %lld GET, %lld bytes", (long long)report->s3_puts,
                     (long long)report->s3_lists, (long long)report->s3_gets,
                     (long long)report->s3_bytes);
    if (report->provider[0] != '\0')
        (void)printf(", by %s", report->provider);
    if (report->quota_left >= 0)
        (void)printf(", %lld requests left today", (long long)report->quota_left);
    (void)puts("");
}

static enum status print_json(const struct request *request, enum ingest_stage stage,
                              const struct ingest_report *report, struct err *err)
{
    struct arena arena;
    struct buf text;
    struct json_out json;
    arena_init(&arena, 1 << 20);
    buf_init(&text, &arena, 1 << 16);
    jw_init(&json, &text);
    jw_object(&json);
    jw_key_c(&json, "dataset", request->task.dataset->name);
    jw_key_c(&json, "stage", ingest_stage_names[stage]);
    jw_key_date(&json, "from", request->task.from);
    jw_key_date(&json, "to", request->task.to);
    ingest_report_write(report, &json);
    jw_end_object(&json);
    enum status s = text.failed ? err_out_of_memory(err) : STATUS_OK;
    if (s == STATUS_OK)
        (void)printf("%.*s\n", STR_ARG(buf_str(&text)));
    arena_clear(&arena);
    return s;
}

static enum status run_stages(struct ingest_parts *parts, const struct request *request,
                              struct err *err)
{
    struct view view = {.is_terminal = isatty(STDERR_FILENO) == 1};
    enum status s = STATUS_OK;
    parts->world.listener = &view;
    parts->world.say = say;
    parts->world.progress = show_progress;
    for (unsigned i = 0; i < INGEST_STAGES && s == STATUS_OK; i++) {
        struct ingest_report report = {.quota_left = -1};
        struct err ignored = {0};
        if ((request->stages & 1U << i) == 0)
            continue;
        s = ingest_stage_run(&parts->world, (enum ingest_stage)i, &request->task, &report, &stop,
                             err);
        clear_bar(&view);
        if (!request->is_json)
            print_report(request, (enum ingest_stage)i, &report);
        else if (print_json(request, (enum ingest_stage)i, &report, &ignored) != STATUS_OK &&
                 s == STATUS_OK)
            s = err_out_of_memory(err);
    }
    return s;
}

static int exit_code_of(enum status s, struct err *err)
{
    if (s == STATUS_OK)
        return EXIT_DONE;
    if (s == STATUS_DRAINING)
        (void)err_set(err, s, "Stopped; the same command goes on from here.");
    int code = command_fail(err);
    if (err->retry_after_s > 0)
        (void)fprintf(stderr, "  again:   in %u s\n", err->retry_after_s);
    bool may_pass = s == STATUS_SOURCE_DOWN || s == STATUS_DB_UNAVAILABLE || s == STATUS_BUSY ||
                    s == STATUS_DRAINING;
    return may_pass ? EXIT_LATER : code;
}

static int run(const struct config *config, const struct request *request)
{
    struct ingest_parts parts = {.lake = NULL};
    struct db_pool *serving = NULL;
    struct err err = {0};
    int code = EXIT_DONE;
    if ((request->stages & 1U << INGEST_PUBLISH) != 0)
        code = command_open_store(config, true, &serving);
    if (code == EXIT_DONE) {
        watch_signals();
        enum status s = ingest_parts_open(config, request->stages, serving, &parts, &err);
        code = exit_code_of(s == STATUS_OK ? run_stages(&parts, request, &err) : s, &err);
    }
    ingest_parts_clear(&parts);
    db_pool_close(serving);
    return code;
}

static bool read_stages(const char *value, void *to)
{
    return ingest_stages_parse(str_of(value), to, NULL) == STATUS_OK;
}

static int read_request(int argc, char **argv, struct request *ret)
{
    const struct argument table[] = {
        {"--from", "a day, as 2024-12-31", argument_day, &ret->task.from},
        {"--to", "a day, as 2024-12-31", argument_day, &ret->task.to},
        {"--backfill", NULL, argument_on, &ret->is_backfill},
        {"--stages", "some of bronze, silver, gold, publish, with commas between and each once",
         read_stages, &ret->stages},
        {"--file", "a file's name", argument_text, &ret->task.file},
        {"--force", NULL, argument_on, &ret->task.force},
        {"--json", NULL, argument_on, &ret->is_json},
    };
    return arguments_read("ingest", table, ARRAY_LEN(table), argc, argv);
}

/* Yesterday and the days before it that are always fetched again; a file holds what it holds. */
static bool complete(struct request *request)
{
    const struct dataset *dataset = request->task.dataset;
    bool is_file = request->task.file != NULL;
    if (request->task.to == DATE_NONE)
        request->task.to = is_file ? DATE_MAX : (int32_t)(clock_wall_s() / SECONDS_PER_DAY) - 1;
    if (request->task.from == DATE_NONE && request->is_backfill)
        request->task.from = dataset->first;
    if (request->task.from == DATE_NONE)
        request->task.from = is_file ? DATE_MIN : request->task.to - dataset->refetch_days;
    if (request->task.from > request->task.to) {
        (void)fputs("cmmc ingest: --from is after --to\n", stderr);
        return false;
    }
    return true;
}

static int unknown_dataset(const char *name)
{
    struct suggest search = suggest_start(str_of(name));
    for (size_t i = 0; i < n_datasets; i++)
        suggest_offer(&search, str_of(datasets[i].name));
    struct str near = suggest_take(&search);
    (void)fprintf(stderr, "cmmc ingest: there is no data set \"%s\"", name);
    if (near.ptr != NULL)
        (void)fprintf(stderr, "; did you mean \"%.*s\"?\n", STR_ARG(near));
    else
        (void)fputs("; `cmmc ingest --list` shows them\n", stderr);
    return EXIT_USAGE;
}

static int run_sample(const struct config *config, struct sample_request *request)
{
    char room[COMMAND_PATH_BYTES];
    struct db_pool *serving = NULL;
    struct err err = {0};
    if (request->folder == NULL)
        request->folder = command_sample_folder(config, room);
    if (request->folder == NULL)
        return EXIT_FAILED;
    int code = command_open_store(config, true, &serving);
    if (code == EXIT_DONE) {
        watch_signals();
        code = exit_code_of(ingest_sample(config, serving, request, &stop, &err), &err);
    }
    db_pool_close(serving);
    return code;
}

static int sample_command(int argc, char **argv)
{
    struct sample_request request = {.folder = NULL};
    struct config config;
    const struct argument table[] = {
        {"--if-empty", NULL, argument_on, &request.if_empty},
        {"", "FOLDER", argument_once, &request.folder},
    };
    int code = arguments_read("ingest", table, ARRAY_LEN(table), argc, argv);
    if (code != EXIT_DONE)
        return code;
    if (!command_configure(&config))
        return EXIT_CONFIG;
    code = run_sample(&config, &request);
    config_clear(&config);
    return code;
}

int ingest_command(int argc, char **argv)
{
    struct request request = {.task = {.from = DATE_NONE, .to = DATE_NONE},
                              .stages = INGEST_ALL_STAGES};
    struct config config;
    if (argc == 2 && command_is_flag(argv[1], "list"))
        return ingest_list_datasets();
    if (argc == 2 && command_is_flag(argv[1], "costs"))
        return ingest_list_costs();
    if (argc >= 2 && command_is_flag(argv[1], "sample"))
        return sample_command(argc - 1, argv + 1);
    if (argc < 2)
        return command_misused("ingest", "");
    if (argv[1][0] == '-')
        return command_misused("ingest", argv[1]);
    request.task.dataset = dataset_find(str_of(argv[1]));
    if (request.task.dataset == NULL)
        return unknown_dataset(argv[1]);
    int code = read_request(argc - 1, argv + 1, &request);
    if (code != EXIT_DONE)
        return code;
    if (!complete(&request))
        return EXIT_USAGE;
    if (!command_configure(&config))
        return EXIT_CONFIG;
    code = run(&config, &request);
    config_clear(&config);
    return code;
}
