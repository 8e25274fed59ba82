/* cli/ingest_sample.c - cmmc ingest --sample: tables of a folder through all stages, without asking anybody. */
#define _GNU_SOURCE /* readlink */
#include "cli/ingest_sample.h"
#include "handlers/ingest_world.h"

#include "base/clock.h"
#include "ingest/sample.h"
#include "store/catalog.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool has_manifest(const char *folder)
{
    char path[COMMAND_PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/manifest.json", folder);
    return n > 0 && (size_t)n < sizeof path && access(path, R_OK) == 0;
}

/*
 * Where the sample data lies: beside the sources the program was built from (build/cmmc, build/asan/cmmc), or where
 * a package puts it (bin/cmmc and share/cmmc/sample).
 */
static bool find_sample(char *ret, size_t size)
{
    static const char *const places[] = {"../data/sample", "../../data/sample",
                                         "../share/cmmc/sample"};
    char program[COMMAND_PATH_BYTES];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n < 0)
        return false;
    program[n] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        int len = snprintf(ret, size, "%s/%s", program, places[i]);
        if (len > 0 && (size_t)len < size && has_manifest(ret))
            return true;
    }
    return false;
}

const char *command_sample_folder(const struct config *config, char room[COMMAND_PATH_BYTES])
{
    if (config->sample_dir[0] != '\0')
        return config->sample_dir;
    if (find_sample(room, COMMAND_PATH_BYTES))
        return room;
    (void)fputs("cmmc: the sample data was not found; name its folder, or set CMMC_SAMPLE_DIR\n",
                stderr);
    return NULL;
}

static void print_stage(const char *stage, const struct ingest_report *report, int64_t from_ns)
{
    (void)printf("sample %s: rows in %lld, out %lld, rejected %lld, objects written %lld, "
                 "unchanged %lld, %.1f s\n",
                 stage, (long long)report->rows_in, (long long)report->rows_out,
                 (long long)report->rejected, (long long)report->objects,
                 (long long)report->objects_skipped, (double)(clock_mono_ns() - from_ns) / 1e9);
    (void)fflush(stdout);
}

static enum status run_stage(const struct ingest_world *world, enum ingest_stage stage,
                             const char *folder, const struct stop *stop, struct err *err)
{
    struct ingest_report report = {.quota_left = -1};
    int64_t from_ns = clock_mono_ns();
    enum status s = sample_stage_run(world, stage, folder, &report, stop, err);
    print_stage(ingest_stage_names[stage], &report, from_ns);
    return s;
}

static enum status holds_data(struct db_pool *serving, bool *ret, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    enum status s = db_acquire(serving, DB_READ, NULL, &db, err);
    if (s == STATUS_OK)
        s = catalog_load(db, &catalog, err);
    *ret = s == STATUS_OK && catalog->generation > 0;
    return s;
}

/* Nobody's own lake or warehouse is filled with the sample unless it is asked for. */
static enum status is_unwanted(const struct config *config, struct db_pool *serving, bool *ret,
                               struct err *err)
{
    enum status s = holds_data(serving, ret, err);
    if (s != STATUS_OK)
        return s;
    bool is_own = config->lake[0] != '\0' || config->warehouse_url[0] != '\0';
    if (*ret)
        (void)puts("the store already holds data: nothing to do");
    else if (is_own)
        (void)puts("CMMC_LAKE or CMMC_WAREHOUSE_URL names one of your own: the sample is left out; "
                   "`cmmc ingest --sample` takes it in");
    *ret |= is_own;
    return STATUS_OK;
}

enum status ingest_sample(const struct config *config, struct db_pool *serving,
                          const struct sample_request *request, const struct stop *stop,
                          struct err *err)
{
    struct ingest_parts parts = {.lake = NULL};
    bool is_done = false;
    enum status s = request->if_empty ? is_unwanted(config, serving, &is_done, err) : STATUS_OK;
    if (s != STATUS_OK || is_done)
        return s;
    s = ingest_parts_open(config, INGEST_ALL_STAGES, serving, &parts, err);
    for (unsigned i = 0; i < INGEST_STAGES && s == STATUS_OK; i++)
        s = run_stage(&parts.world, (enum ingest_stage)i, request->folder, stop, err);
    ingest_parts_clear(&parts);
    return s;
}
