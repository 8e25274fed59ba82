/* mart_aggregate.c - metrics of a mart's rows by groups, from an allow-list of functions. */
#include "handlers/handlers.h"

#include "handlers/mart_grouped.h"
#include "handlers/params.h"

struct aggregate {
    struct mart_table what;
    struct mart_group group;
};

static void aggregate_end(struct aggregate *aggregate)
{
    mart_table_end(&aggregate->what);
}

static enum status fill(struct request *request, void *cls, struct table *table, struct err *err)
{
    struct aggregate *aggregate = cls;
    const struct mart_group *group = &aggregate->group;
    struct table_column *columns = arena_array(&request->arena, group->n_outputs, sizeof *columns);
    if (columns == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < group->n_outputs; i++)
        columns[i] = (struct table_column){group->outputs[i].name, group->outputs[i].kind};
    enum status s = table_columns(table, columns, group->n_outputs, err);
    return s != STATUS_OK ? s : grouped_write(request, &aggregate->what, group, table, err);
}

static void put_meta(struct json_out *json, void *cls)
{
    const struct aggregate *aggregate = cls;
    mart_table_put_meta(json, &aggregate->what);
}

static enum status read_group(struct request *request, struct aggregate *aggregate, struct err *err)
{
    const struct mart *mart = aggregate->what.rows.query->mart;
    struct mart_group *group = &aggregate->group;
    struct str groups = request_param(request, "group");
    struct str metrics = request_param(request, "metrics");
    struct str order = request_param(request, "order");
    enum status s = STATUS_OK;
    group->query = aggregate->what.rows.query;
    group->limit = MART_LIMIT_DEFAULT;
    if (groups.ptr != NULL)
        s = group_parse(mart, groups, &request->arena, group, err);
    if (s == STATUS_OK)
        s = metrics_parse(mart, metrics.ptr == NULL ? STR("count:*") : metrics, &request->arena,
                          group, err);
    if (s == STATUS_OK && order.ptr != NULL)
        s = group_order_parse(order, group, err);
    if (s == STATUS_OK)
        s = params_i64(request, "limit", 1, MART_LIMIT_MAX, &group->limit, err);
    mart_group_finish(group);
    return s;
}

enum status mart_aggregate_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"group", "metrics", "order", "limit",
                                        MART_TABLE_PARAMETERS};
    CLEANUP(aggregate_end) struct aggregate aggregate = {0};
    enum status s = mart_table_begin(request, names, ARRAY_LEN(names), true, &aggregate.what, err);
    if (s == STATUS_OK)
        s = read_group(request, &aggregate, err);
    if (s != STATUS_OK)
        return s;
    struct buf detail;
    buf_init(&detail, &request->arena, (size_t)8 * 1024);
    mart_group_canonical(&aggregate.group, &detail);
    if (detail.failed)
        return err_out_of_memory(err);
    aggregate.what.detail = buf_str(&detail);
    return mart_table_answer(request, &aggregate.what, fill, put_meta, &aggregate, err);
}
