/* ingest_world.h - what ingestion works with, made out of the settings: for the subcommand and for the server's jobs. */
#ifndef HANDLERS_INGEST_WORLD_H
#define HANDLERS_INGEST_WORLD_H

#include "ingest/fetch.h"
#include "ingest/pipeline.h"
#include "ingest/redshift.h"
#include "server/config.h"

enum { INGEST_KEYS = 6 };

struct ingest_parts {
    struct ingest_world world; /* several threads may run stages with it */
    struct lake *lake;
    struct db_pool *warehouse;
    struct redshift redshift; /* for a warehouse there */
    struct db_bulk bulk;
    struct source_fetcher_options asking;
    struct fetch_key keys[INGEST_KEYS];
    char folder[1100], agent[256];
};

/*
 * For these stages (bits, as ingest_stages_parse gives them): opens the lake and, for all stages but bronze, the
 * warehouse with its schema. serving is the caller's, or NULL where nothing is published. config outlives ret, which stays
 * where it is; ret is clear after an error. Errors: CONFIG naming the setting; those of the lake and the database.
 */
enum status ingest_parts_open(const struct config *config, unsigned stages, struct db_pool *serving,
                              struct ingest_parts *ret, struct err *err) NODISCARD;
void ingest_parts_clear(struct ingest_parts *parts); /* harmless when all is zero */

#endif
