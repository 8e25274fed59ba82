/* pipeline_warehouse.c - the stages of pipeline.h that the warehouse does. */
#include "ingest/dataset.h"
#include "ingest/pipeline.h"
#include "ingest/warehouse.h"

#include <stdio.h>

static enum status load_folder(const struct ingest_world *world, const struct ingest_task *task,
                               const char *folder, struct ingest_report *report,
                               const struct stop *stop, struct err *err)
{
    struct warehouse_task window = {.dataset = str_of(task->dataset->name),
                                    .folder = str_of(folder),
                                    .from = task->from,
                                    .to = task->to};
    struct warehouse_report loaded = {0};
    enum status s = warehouse_silver(world->lake, world->warehouse, &window, stop, &loaded, err);
    report->objects += loaded.n_objects;
    report->rows_in += loaded.n_rows;
    report->rows_out += loaded.n_changed;
    report->rejected += loaded.n_bad;
    return s;
}

enum status ingest_silver(const struct ingest_world *world, const struct ingest_task *task,
                          struct ingest_report *report, const struct stop *stop, struct err *err)
{
    char own[DATASET_FOLDER_BYTES], beside[DATASET_FOLDER_BYTES];
    dataset_folder(task->dataset, task->dataset->shape, own);
    dataset_folder(task->dataset, SHAPE_ACTION, beside);
    bool has_actions = task->dataset->shape == SHAPE_BAR || task->dataset->shape == SHAPE_FUND;
    enum status s = load_folder(world, task, own, report, stop, err);
    return s == STATUS_OK && has_actions ? load_folder(world, task, beside, report, stop, err) : s;
}

enum status ingest_gold(const struct ingest_world *world, const struct ingest_task *task,
                        struct ingest_report *report, const struct stop *stop, struct err *err)
{
    struct warehouse_report modelled = {0};
    (void)task;
    enum status s = warehouse_gold(world->warehouse, stop, &modelled, err);
    report->rows_out += modelled.n_rows;
    return s;
}

enum status ingest_publish(const struct ingest_world *world, const struct ingest_task *task,
                           struct ingest_report *report, const struct stop *stop, struct err *err)
{
    struct warehouse_task how = {.force = task->force, .generations = world->generations_kept};
    struct warehouse_report sent = {0};
    enum status s = warehouse_publish(world->warehouse, world->serving, &how, stop, &sent, err);
    report->rows_in += sent.n_rows;
    report->rows_out += sent.n_changed;
    report->generation = sent.generation;
    if (sent.stale[0] != '\0')
        (void)snprintf(report->note, sizeof report->note, "No newer rows: %s.", sent.stale);
    return s;
}
