/* load.c - cmmc load: publishes a folder of CSV files through the path that ingestion uses. */
#include "cli/arguments.h"
#include "cli/command.h"

#include "base/clock.h"
#include "ingest/load.h"

#include <stdio.h>

static int load_folder(struct db_pool *pool, const char *folder, bool only_if_empty, int keep)
{
    struct err err = {0};
    struct load_report report = {0};
    int64_t from_ns = clock_mono_ns();
    if (load_directory(pool, folder, only_if_empty, keep, &report, &err) != STATUS_OK)
        return command_fail(&err);
    double seconds = (double)(clock_mono_ns() - from_ns) / 1e9;
    if (report.is_skipped)
        (void)puts("the store already holds data: nothing to do");
    else if (!report.publish.is_changed)
        (void)printf("read %lld %s in %.1f s: generation %lld already holds them\n",
                     (long long)report.n_rows, str_plural((uint64_t)report.n_rows, "row", "rows"),
                     seconds, (long long)report.publish.generation);
    else
        (void)printf("published generation %lld: %lld %s from %zu %s in %.1f s\n",
                     (long long)report.publish.generation, (long long)report.n_rows,
                     str_plural((uint64_t)report.n_rows, "row", "rows"), report.n_files,
                     str_plural(report.n_files, "file", "files"), seconds);
    return EXIT_DONE;
}

int load_command(int argc, char **argv)
{
    bool only_if_empty = false;
    const char *folder = NULL;
    const struct argument table[] = {
        {"--if-empty", NULL, argument_on, &only_if_empty},
        {"", "FOLDER", argument_once, &folder},
    };
    int code = arguments_read("load", table, ARRAY_LEN(table), argc, argv);
    if (code != EXIT_DONE)
        return code;
    struct config config;
    if (!command_configure(&config))
        return EXIT_CONFIG;
    char sample[COMMAND_PATH_BYTES];
    code = EXIT_FAILED;
    struct db_pool *pool = NULL;
    if (folder == NULL)
        folder = command_sample_folder(&config, sample);
    if (folder != NULL)
        code = command_open_store(&config, true, &pool);
    if (pool != NULL)
        code = load_folder(pool, folder, only_if_empty, (int)config.generations_kept);
    db_pool_close(pool);
    config_clear(&config);
    return code;
}
