/* dataset.c - the table of data sets out of datasets.def. */
#include "ingest/dataset.h"

#include <assert.h>
#include <stdio.h>

/* Days from 1970 to the first of a year. */
#define LEAPS(y) ((y) / 4 - (y) / 100 + (y) / 400)
#define FIRST_OF(year) (((year)-1970) * 365 + LEAPS((year)-1) - LEAPS(1969))

const struct dataset datasets[] = {
#define DATASET(name, folder, shape, window, refetch, cron, year, title) \
    {#name, title, folder, SHAPE_##shape, window, refetch, cron, FIRST_OF(year)},
#include "ingest/datasets.def"
};
const size_t n_datasets = ARRAY_LEN(datasets);

static const struct {
    const char *dataset;
    struct dataset_provider provider;
} provider_rows[] = {
#define PROVIDER(name, rank, source) {#name, {rank, &source_##source}},
#include "ingest/datasets.def"
};

const struct dataset *dataset_find(struct str name)
{
    for (size_t i = 0; i < n_datasets; i++)
        if (str_eq_c(name, datasets[i].name))
            return &datasets[i];
    return NULL;
}

size_t dataset_providers(const struct dataset *dataset,
                         struct dataset_provider ret[DATASET_PROVIDERS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(provider_rows); i++)
        if (str_eq_c(str_of(dataset->name), provider_rows[i].dataset)) {
            assert(n < DATASET_PROVIDERS_MAX);
            ret[n++] = provider_rows[i].provider;
        }
    return n;
}

void dataset_folder(const struct dataset *dataset, enum feed_shape shape,
                    char ret[DATASET_FOLDER_BYTES])
{
    bool is_beside = shape == SHAPE_ACTION && dataset->shape != SHAPE_ACTION;
    (void)snprintf(ret, DATASET_FOLDER_BYTES, "%s%s", dataset->folder, is_beside ? "_action" : "");
}
