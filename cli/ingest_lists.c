/* cli/ingest_lists.c - what data sets there are, and what their runs have cost. */
#include "cli/ingest_lists.h"

#include "ingest/cost_book.h"
#include "ingest/dataset.h"

#include <stdio.h>

enum { COSTS_BYTES_MAX = 64 << 20 };

int ingest_list_datasets(void)
{
    for (size_t i = 0; i < n_datasets; i++) {
        struct dataset_provider providers[DATASET_PROVIDERS_MAX];
        size_t n = dataset_providers(&datasets[i], providers);
        (void)printf("%-20s %s", datasets[i].name, datasets[i].title);
        for (size_t p = 0; p < n; p++)
            (void)printf("%s%s", p == 0 ? " [" : ", ", providers[p].source->name);
        (void)puts(n > 0 ? "]" : "");
    }
    return EXIT_DONE;
}

int ingest_list_costs(void)
{
    struct config config;
    struct arena arena;
    struct err err = {0};
    struct cost_sum *sums = NULL;
    char folder[1100];
    size_t n = 0;
    if (!command_configure(&config))
        return EXIT_CONFIG;
    arena_init(&arena, COSTS_BYTES_MAX);
    (void)snprintf(folder, sizeof folder, "%s/ingest", config.var_dir);
    enum status s = cost_book_read(folder, &arena, &sums, &n, &err);
    if (s == STATUS_OK)
        (void)printf("%-8s%-20s%10s%14s%10s%10s%10s%14s%12s\n", "month", "dataset", "requests",
                     "bytes", "S3 PUT", "S3 LIST", "S3 GET", "S3 bytes", "copied");
    for (size_t i = 0; s == STATUS_OK && i < n; i++)
        (void)printf("%-8s%-20s%10lld%14lld%10lld%10lld%10lld%14lld%12lld\n", sums[i].month,
                     sums[i].dataset, (long long)sums[i].requests, (long long)sums[i].bytes,
                     (long long)sums[i].s3_puts, (long long)sums[i].s3_lists,
                     (long long)sums[i].s3_gets, (long long)sums[i].s3_bytes,
                     (long long)sums[i].rows_copied);
    arena_clear(&arena);
    config_clear(&config);
    return s == STATUS_OK ? EXIT_DONE : command_fail(&err);
}
