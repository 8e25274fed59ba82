/* ingest_sample.h - the sample's way through the pipeline, for cmmc ingest. */
#ifndef CLI_INGEST_SAMPLE_H
#define CLI_INGEST_SAMPLE_H

#include "base/stop.h"
#include "cli/command.h"

struct sample_request {
    const char *folder; /* NULL: command_sample_folder */
    /* Nothing is done when the serving database holds data, or lake or warehouse are named. */
    bool if_empty;
};

/*
 * All stages, each with a line on standard output. What was done stays when a stage fails or is stopped, and the next run
 * goes on from there. Errors: those of ingest/sample.h and of the stages.
 */
enum status ingest_sample(const struct config *config, struct db_pool *serving,
                          const struct sample_request *request, const struct stop *stop,
                          struct err *err) NODISCARD;

#endif
