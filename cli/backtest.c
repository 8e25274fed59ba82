/* backtest.c - cmmc backtest: the same request and answer as over HTTP, without a server. */
#include "cli/command.h"

#include "handlers/backtest_run.h"

#include <stdio.h>
#include <string.h>

enum { REQUEST_MAX = 1 << 20, ARENA_MIB = 1024 };

/* Reads the whole request, at most REQUEST_MAX bytes. */
static enum status read_request(const char *path, struct arena *arena, struct str *ret,
                                struct err *err)
{
    FILE *in = path == NULL ? stdin : fopen(path, "rb");
    if (in == NULL)
        return err_set(err, STATUS_IO, "%s cannot be opened.", path);
    char *text = arena_alloc(arena, REQUEST_MAX + 1);
    size_t n = text == NULL ? 0 : fread(text, 1, REQUEST_MAX + 1, in);
    bool is_broken = text == NULL || ferror(in) != 0;
    if (in != stdin)
        (void)fclose(in);
    if (is_broken)
        return err_set(err, STATUS_IO, "The request cannot be read.");
    if (n > REQUEST_MAX)
        return err_set(err, STATUS_BODY_TOO_LARGE, "The request is longer than %d bytes.",
                       REQUEST_MAX);
    *ret = (struct str){text, n};
    return STATUS_OK;
}

static enum status run(struct db_pool *pool, const struct config *config, struct str request,
                       struct arena *arena, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    enum status s = db_acquire(pool, DB_READ, NULL, &db, err);
    if (s == STATUS_OK)
        s = catalog_load(db, &catalog, err);
    db_releasep(&db);
    if (s != STATUS_OK)
        return s;
    struct backtest_answer answer = {.body = STR_NONE};
    struct backtest_service service = {.pool = pool,
                                       .statement_ms = config->db_backtest_ms,
                                       .catalog = catalog,
                                       .cells_max = config->backtest_cells_max,
                                       .kernels =
                                           kernels_choose((enum kernels_choice)config->kernels)};
    s = backtest_answer_for(&service, request, arena, NULL, &answer, err);
    if (s == STATUS_OK && fwrite(answer.body.ptr, 1, answer.body.len, stdout) != answer.body.len)
        s = err_set(err, STATUS_IO, "The answer cannot be written.");
    return s;
}

int backtest_command(int argc, char **argv)
{
    if (argc > 2 || (argc == 2 && argv[1][0] == '-' && argv[1][1] != '\0'))
        return command_misused("backtest", argv[argc - 1]);
    const char *path = argc == 2 && strcmp(argv[1], "-") != 0 ? argv[1] : NULL;
    struct config config;
    if (!command_configure(&config))
        return EXIT_CONFIG;
    struct arena arena;
    arena_init(&arena, (size_t)ARENA_MIB << 20);
    struct err err = {0};
    struct str request = STR_NONE;
    struct db_pool *pool = NULL;
    int code =
        read_request(path, &arena, &request, &err) == STATUS_OK ? EXIT_DONE : command_fail(&err);
    if (code == EXIT_DONE)
        code = command_open_store(&config, true, &pool);
    if (code == EXIT_DONE && run(pool, &config, request, &arena, &err) != STATUS_OK)
        code = command_fail(&err);
    db_pool_close(pool);
    arena_clear(&arena);
    config_clear(&config);
    return code;
}
