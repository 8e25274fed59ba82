/* ingest_world.c - lake, warehouse, keys and manners out of the settings. */
#include "handlers/ingest_world.h"

#include "handlers/lake_service.h"
#include "ingest/fetch_base.h"
#include "ingest/warehouse.h"

#include <stdio.h>
#include <string.h>

static void describe_asking(const struct config *config, struct ingest_parts *ret)
{
    const struct fetch_key keys[INGEST_KEYS] = {
        {"ecos", config->ecos_key}, {"fred", config->fred_key},
        {"nyt", config->nyt_key},   {"datagokr", config->datagokr_key},
        {"krx", config->krx_key},   {"krx_holiday", config->krx_holiday_code}};
    bool has_contact = config->source_contact[0] != '\0';
    memcpy(ret->keys, keys, sizeof keys);
    (void)snprintf(ret->folder, sizeof ret->folder, "%s/ingest", config->var_dir);
    (void)snprintf(ret->agent, sizeof ret->agent, "cmmc/%s (daily data for a private server%s%s)",
                   CMMC_VERSION, has_contact ? "; " : "", config->source_contact);
    ret->asking = (struct source_fetcher_options){.folder = ret->folder,
                                                  .agent = ret->agent,
                                                  .bases = config->source_base,
                                                  .keys = ret->keys,
                                                  .n_keys = INGEST_KEYS,
                                                  .run_s = config->ingest_run_s};
}

static enum status open_warehouse(const struct config *config, struct ingest_parts *parts,
                                  struct err *err)
{
    char path[1100];
    (void)snprintf(path, sizeof path, "%s/warehouse.db", config->var_dir);
    const struct db_options options = {
        .url = config->warehouse_url,
        .sqlite_path = path,
        .pool_max = config->db_pool,
        .acquire_ms = config->db_acquire_ms,
        .statement_ms = 0,
    };
    return warehouse_open(&options, &parts->warehouse, err);
}

enum status ingest_parts_open(const struct config *config, unsigned stages, struct db_pool *serving,
                              struct ingest_parts *ret, struct err *err)
{
    *ret = (struct ingest_parts){.lake = NULL};
    describe_asking(config, ret);
    enum status s = fetch_bases_check(str_of(config->source_base), err);
    if (s == STATUS_OK)
        s = config_make_var_dir(config, err);
    if (s == STATUS_OK)
        s = lake_service_open(config, &ret->lake, err);
    if (s == STATUS_OK && (stages & ~(1U << INGEST_BRONZE)) != 0)
        s = open_warehouse(config, ret, err);
    if (s != STATUS_OK) {
        ingest_parts_clear(ret);
        return s;
    }
    ret->world = (struct ingest_world){.lake = ret->lake,
                                       .warehouse = ret->warehouse,
                                       .serving = serving,
                                       .asking = &ret->asking,
                                       .generations_kept = (int)config->generations_kept,
                                       .folder = ret->folder,
                                       .universe_folder = config->universe_dir};
    return STATUS_OK;
}

void ingest_parts_clear(struct ingest_parts *parts)
{
    db_pool_close(parts->warehouse);
    parts->warehouse = NULL;
    lake_freep(&parts->lake);
}
