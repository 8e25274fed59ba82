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

static enum status check_redshift(const struct config *config, struct err *err)
{
    bool is_on_s3 = str_starts(str_of(config->lake), STR("s3://"));
    if (is_on_s3 && config->redshift_role[0] != '\0')
        return STATUS_OK;
    (void)err_set(err, STATUS_CONFIG,
                  "Redshift loads objects that lie on S3, by a role of its own.");
    err_at(err, ERR_SETTING, is_on_s3 ? STR("CMMC_REDSHIFT_ROLE") : STR("CMMC_LAKE"),
           str_of(is_on_s3 ? config->redshift_role : config->lake));
    err_allow(err, is_on_s3 ? "the ARN of an IAM role that reads the lake, or default"
                            : "s3://bucket or s3://bucket/prefix");
    return STATUS_CONFIG;
}

static enum status open_warehouse(const struct config *config, struct ingest_parts *parts,
                                  struct err *err)
{
    char path[1100];
    bool is_redshift = str_starts(str_of(config->warehouse_url), STR("redshift://"));
    enum status s = is_redshift ? check_redshift(config, err) : STATUS_OK;
    if (s == STATUS_OK && is_redshift)
        s = redshift_tidy(parts->lake, NULL, err);
    if (s != STATUS_OK)
        return s;
    parts->redshift = (struct redshift){parts->lake, config->redshift_role};
    redshift_bulk(&parts->redshift, &parts->bulk);
    (void)snprintf(path, sizeof path, "%s/warehouse.db", config->var_dir);
    const struct db_options options = {
        .url = config->warehouse_url,
        .sqlite_path = path,
        .pool_max = config->db_pool,
        .acquire_ms = config->db_acquire_ms,
        .statement_ms = 0,
        .bulk = &parts->bulk,
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
