/* backtest.c - cmmc backtest: the same request and answer as over HTTP, without a server. */
#include "cli/arguments.h"
#include "cli/command.h"

#include "cli/store_service.h"
#include "handlers/series_file.h"

#include <stdio.h>
#include <string.h>

enum { REQUEST_MAX = 1 << 20, ARENA_MIB = 1024 };

static enum status run(struct db_pool *pool, const struct config *config, struct str request,
                       struct arena *arena, struct err *err)
{
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    CLEANUP(backtest_answer_clear) struct backtest_answer answer = {.body = STR_NONE};
    struct backtest_service service = {.pool = NULL};
    enum status s = store_service(config, pool, &catalog, &service, err);
    if (s == STATUS_OK)
        s = backtest_answer_for(&service, request, STR_NONE, arena, NULL, &answer, err);
    if (s == STATUS_OK && fwrite(answer.body.ptr, 1, answer.body.len, stdout) != answer.body.len)
        s = err_set(err, STATUS_IO, "The answer cannot be written.");
    return s;
}

/* What the command line asks for. */
struct arguments {
    const char *request; /* NULL or "-": standard input */
    const char *prices;  /* NULL: the database */
    const char *series;  /* NULL: none; only with prices */
    const char *currency;
};

static bool read_currency(const char *value, void *to)
{
    return strlen(value) == 3 && argument_text(value, to);
}

static int read_arguments(int argc, char **argv, struct arguments *ret)
{
    const struct argument table[] = {
        {"--prices", "a CSV file's name", argument_text, &ret->prices},
        {"--currency", "three letters, as USD", read_currency, &ret->currency},
        {"--series", "a CSV file's name", argument_text, &ret->series},
        {"", "FILE", argument_once, &ret->request},
    };
    *ret = (struct arguments){.currency = "USD"};
    int code = arguments_read("backtest", table, ARRAY_LEN(table), argc, argv);
    if (code != EXIT_DONE || ret->series == NULL || ret->prices != NULL)
        return code;
    (void)fputs("cmmc backtest: --series goes with --prices; see `cmmc backtest --help`\n", stderr);
    return EXIT_USAGE;
}

static enum status run_on_file(const struct arguments *arguments, const struct config *config,
                               struct str request, struct arena *arena, struct err *err)
{
    struct price_file file;
    CLEANUP(backtest_answer_clear) struct backtest_answer answer = {.body = STR_NONE};
    const struct backtest_service service = {.cells_max = config->backtest_cells_max,
                                             .file = &file};
    enum status s = price_file_read(arguments->prices, arguments->currency, arena, &file, err);
    if (s == STATUS_OK && arguments->series != NULL)
        s = series_file_read(arguments->series, arena, &file, err);
    if (s == STATUS_OK)
        s = backtest_answer_for(&service, request, STR_NONE, arena, NULL, &answer, err);
    if (s == STATUS_OK && fwrite(answer.body.ptr, 1, answer.body.len, stdout) != answer.body.len)
        s = err_set(err, STATUS_IO, "The answer cannot be written.");
    return s;
}

static int run_on_store(const struct config *config, struct str request, struct arena *arena)
{
    struct err err = {0};
    struct db_pool *pool = NULL;
    int code = command_open_store(config, true, &pool);
    if (code == EXIT_DONE && run(pool, config, request, arena, &err) != STATUS_OK)
        code = command_fail(&err);
    db_pool_close(pool);
    return code;
}

int backtest_command(int argc, char **argv)
{
    struct arguments arguments;
    struct config config;
    int code = read_arguments(argc, argv, &arguments);
    if (code != EXIT_DONE)
        return code;
    if (!command_configure(&config))
        return EXIT_CONFIG;
    struct arena arena;
    arena_init(&arena, (size_t)ARENA_MIB << 20);
    struct err err = {0};
    struct str request = STR_NONE;
    code = command_read_request(arguments.request, REQUEST_MAX, &arena, &request, &err) == STATUS_OK
               ? EXIT_DONE
               : command_fail(&err);
    if (code == EXIT_DONE && arguments.prices == NULL)
        code = run_on_store(&config, request, &arena);
    else if (code == EXIT_DONE &&
             run_on_file(&arguments, &config, request, &arena, &err) != STATUS_OK)
        code = command_fail(&err);
    arena_clear(&arena);
    config_clear(&config);
    return code;
}
