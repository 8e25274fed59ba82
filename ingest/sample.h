/*
 * sample.h - a folder of tables (manifest.h), each in the columns of a mart, as objects of the lake: the first stage of the
 * pipeline for data that nobody has to be asked for. Silver, gold and publish follow as for what was fetched.
 *
 * A table that some files of the manifest make together becomes one object of rows, in the partition of its last day, beside
 * the files as they are: ten objects of rows by day would be twenty thousand. fetched_at is the midnight after that day, not
 * the time of copying: the same folder always gives the same objects, and what a source is asked for is newer.
 */
#ifndef INGEST_SAMPLE_H
#define INGEST_SAMPLE_H

#include "ingest/manifest.h"
#include "ingest/pipeline.h"

/*
 * A stage of the pipeline, for all of the folder's tables. Done again, killed or not, it changes nothing. The report, which
 * begins empty, is the sum over tables: objects are files and objects of rows. Memory: a table's rows, at most 768 MiB.
 * Errors: of bronze those of the manifest and of its files (BAD_DATA, BAD_CSV naming file and line), BAD_DATA for a mart that
 * no data set is of, those of the lake and of stop; of the others those of pipeline.h.
 */
enum status sample_stage_run(const struct ingest_world *world, enum ingest_stage stage,
                             const char *folder, struct ingest_report *total,
                             const struct stop *stop, struct err *err) NODISCARD;

#endif
