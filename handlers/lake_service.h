/* lake_service.h - the lake that the settings name, in a folder or on S3. */
#ifndef HANDLERS_LAKE_SERVICE_H
#define HANDLERS_LAKE_SERVICE_H

#include "ingest/lake.h"
#include "server/config.h"

/*
 * Asks nobody yet, and makes no folder before something is put. Keys of S3 come from the process's environment, and what
 * aws_credentials.h names. Errors: CONFIG naming the setting; OUT_OF_MEMORY.
 */
enum status lake_service_open(const struct config *config, struct lake **ret, struct err *err)
    NODISCARD;

#endif
