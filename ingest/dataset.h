/*
 * dataset.h - what is ingested: a data set has a folder in the lake, a shape of rows, and providers in the order in which
 * they are asked (datasets.def). Its universe (universe.h) says which symbols. Constant tables; any thread.
 */
#ifndef INGEST_DATASET_H
#define INGEST_DATASET_H

#include "ingest/source.h"

enum { DATASET_PROVIDERS_MAX = 4, DATASET_FOLDER_BYTES = 64 };

struct dataset_provider {
    unsigned rank; /* 0 first; those of one rank together */
    const struct source *source;
};

struct dataset {
    const char *name, *title;
    const char *folder; /* "coin_data": below bronze/ */
    enum feed_shape shape;
    int32_t window_days;  /* of one request at most; 0: there is only the present */
    int32_t refetch_days; /* a run without a window goes back so far */
    const char *cron;     /* UTC; "": never by itself */
    int32_t first;        /* the day a backfill begins with */
};

extern const struct dataset datasets[];
extern const size_t n_datasets;
const struct dataset *dataset_find(struct str name); /* NULL: none */

/* Its providers by rank; gives how many. None: only files of the user (upload). */
size_t dataset_providers(const struct dataset *dataset,
                         struct dataset_provider ret[DATASET_PROVIDERS_MAX]);

/* Where rows of a shape lie: the folder, or for corporate actions beside bars that with "_action". */
void dataset_folder(const struct dataset *dataset, enum feed_shape shape,
                    char ret[DATASET_FOLDER_BYTES]);

#endif
