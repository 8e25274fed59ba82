/* backtest.c - cmmc backtest: the same request and answer as over HTTP, without a server. */
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
    const char *request; /* NULL: standard input */
    const char *prices;  /* NULL: the database */
    const char *series;  /* NULL: none; only with prices */
    const char *currency;
};

static bool read_arguments(int argc, char **argv, struct arguments *ret)
{
    *ret = (struct arguments){.currency = "USD"};
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (command_is_flag(argv[i], "prices") && has_value)
            ret->prices = argv[++i];
        else if (command_is_flag(argv[i], "series") && has_value)
            ret->series = argv[++i];
        else if (command_is_flag(argv[i], "currency") && has_value && strlen(argv[i + 1]) == 3)
            ret->currency = argv[++i];
        else if ((argv[i][0] == '-' && argv[i][1] != '\0') || ret->request != NULL) {
            (void)command_misused("backtest", argv[i]);
            return false;
        } else
            ret->request = argv[i];
    }
    if (ret->request != NULL && strcmp(ret->request, "-") == 0)
        ret->request = NULL;
    if (ret->series == NULL || ret->prices != NULL)
        return true;
    (void)fputs("cmmc backtest: --series goes with --prices; see `cmmc backtest --help`\n", stderr);
    return false;
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
    if (!read_arguments(argc, argv, &arguments))
        return EXIT_USAGE;
    if (!command_configure(&config))
        return EXIT_CONFIG;
    struct arena arena;
    arena_init(&arena, (size_t)ARENA_MIB << 20);
    struct err err = {0};
    struct str request = STR_NONE;
    int code =
        command_read_request(arguments.request, REQUEST_MAX, &arena, &request, &err) == STATUS_OK
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
