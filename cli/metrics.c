/* metrics.c - cmmc metrics: a track record from a file, measured without a server; monkeys alone open the database. */
#include "cli/arguments.h"
#include "cli/command.h"

#include "cli/store_service.h"
#include "handlers/metrics_answer.h"
#include "handlers/metrics_csv.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_MIB = 1024, OPTIONS_MAX = 64 };

struct arguments {
    const char *path; /* NULL or "-": standard input */
    bool is_csv;
    struct metrics_option option[OPTIONS_MAX];
    size_t n_options;
};

static bool ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcmp(text + n - m, ending) == 0;
}

/* FILE or NAME=VALUE. */
static bool read_operand(const char *value, void *to)
{
    struct arguments *arguments = to;
    const char *equals = strchr(value, '=');
    if (equals != NULL && arguments->n_options < OPTIONS_MAX) {
        arguments->option[arguments->n_options++] =
            (struct metrics_option){{value, (size_t)(equals - value)}, str_of(equals + 1)};
        return true;
    }
    return argument_once(value, &arguments->path);
}

/* With the prices that monkeys and factors need. What is wrong with settings or store is printed as well. */
static enum status answer_from_store(const struct metrics_request *request, struct arena *arena,
                                     struct str *ret, struct err *err)
{
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    struct backtest_service service = {.pool = NULL};
    struct db_pool *pool = NULL;
    struct config config;
    if (!command_configure(&config))
        return err_set(err, STATUS_CONFIG,
                       "Monkeys and factors by uid need the database's prices.");
    enum status s = STATUS_OK;
    if (command_open_store(&config, true, &pool) != EXIT_DONE)
        s = err_set(err, STATUS_IO, "Monkeys and factors by uid need the database's prices.");
    if (s == STATUS_OK)
        s = store_service(&config, pool, &catalog, &service, err);
    if (s == STATUS_OK)
        s = metrics_answer(request, &service, arena, NULL, ret, err);
    db_pool_close(pool);
    config_clear(&config);
    return s;
}

static enum status run(const struct arguments *arguments, struct arena *arena, struct err *err)
{
    struct metrics_request *request = NULL;
    struct str body = STR_NONE, answer = STR_NONE;
    enum status s =
        command_read_request(arguments->path, METRICS_BODY_BYTES_MAX, arena, &body, err);
    if (s == STATUS_OK && !arguments->is_csv && arguments->n_options > 0) {
        (void)err_set(err, STATUS_BAD_SPEC, "Options as name=value go with a CSV file.");
        err_allow(err, "the same members in the JSON document");
        return STATUS_BAD_SPEC;
    }
    if (s == STATUS_OK)
        s = arguments->is_csv ? metrics_csv_parse(body, arguments->option, arguments->n_options,
                                                  arena, &request, err)
                              : metrics_request_parse(body, arena, &request, err);
    if (s == STATUS_OK)
        s = metrics_request_reads_prices(request)
                ? answer_from_store(request, arena, &answer, err)
                : metrics_answer(request, NULL, arena, NULL, &answer, err);
    if (s == STATUS_OK && fwrite(answer.ptr, 1, answer.len, stdout) != answer.len)
        s = err_set(err, STATUS_IO, "The answer cannot be written.");
    return s;
}

int metrics_command(int argc, char **argv)
{
    struct arguments arguments = {.path = NULL};
    const struct argument table[] = {
        {"--csv", NULL, argument_on, &arguments.is_csv},
        {"", "FILE or NAME=VALUE", read_operand, &arguments},
    };
    if (arguments_read("metrics", table, ARRAY_LEN(table), argc, argv) != EXIT_DONE)
        return EXIT_USAGE;
    arguments.is_csv |= arguments.path != NULL && ends_with(arguments.path, ".csv");
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, (size_t)ARENA_MIB << 20);
    int code = run(&arguments, &arena, &err) == STATUS_OK ? EXIT_DONE : command_fail(&err);
    arena_clear(&arena);
    return code;
}
