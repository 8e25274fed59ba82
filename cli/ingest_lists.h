/* ingest_lists.h - tables on standard output, for cmmc ingest; both return the command's exit code. */
#ifndef CLI_INGEST_LISTS_H
#define CLI_INGEST_LISTS_H

#include "cli/command.h"

/* Each data set with its title and providers. */
int ingest_list_datasets(void);

/* What runs of this machine have cost, by month and data set. */
int ingest_list_costs(void);

#endif
