/* mart_group_parse.c - groups, metrics and their order as they stand in a URL, checked against the catalogue. */
#include "store/mart_group.h"

#include "base/suggest.h"
#include "store/mart_query_impl.h"

#include <string.h>

enum {
    NUMBERS = 1 << COLUMN_INT | 1 << COLUMN_DECIMAL | 1 << COLUMN_FLOAT,
    ORDERED = NUMBERS | 1 << COLUMN_TEXT | 1 << COLUMN_DATE | 1 << COLUMN_INSTANT,
    DAYS = 1 << COLUMN_DATE | 1 << COLUMN_INSTANT,
    ANY = ORDERED | 1 << COLUMN_BOOL | 1 << COLUMN_OTHER
};

static const struct {
    struct str name;
    enum metric_fn metric;
    unsigned kinds;
} metrics[] = {
    {{"count", 5}, FN_COUNT, ANY}, {{"count_distinct", 14}, FN_COUNT_DISTINCT, ANY},
    {{"min", 3}, FN_MIN, ORDERED}, {{"max", 3}, FN_MAX, ORDERED},
    {{"sum", 3}, FN_SUM, NUMBERS}, {{"avg", 3}, FN_AVG, NUMBERS},
};

static const struct {
    struct str name;
    enum period period;
} periods[] = {
    {{"day", 3}, PERIOD_DAY},         {{"week", 4}, PERIOD_WEEK}, {{"month", 5}, PERIOD_MONTH},
    {{"quarter", 7}, PERIOD_QUARTER}, {{"year", 4}, PERIOD_YEAR},
};

static enum status refuse(const char *parameter, struct str value, const char *detail,
                          const char *allowed, struct err *err)
{
    enum status s = err_set(err, STATUS_BAD_VALUE, "%s", detail);
    err_at(err, ERR_PARAMETER, str_of(parameter), value);
    err_allow(err, "%s", allowed);
    return s;
}

static enum status find_column(const struct mart *mart, struct str name, const char *parameter,
                               size_t *ret, struct err *err)
{
    int column = mart_column_index(mart, name);
    if (column < 0)
        return mart_unknown_column(mart, name, parameter, err);
    *ret = (size_t)column;
    return STATUS_OK;
}

/* Adds an output called first_second, or first alone; item of the parameter asked for it. */
static enum status add_output(struct mart_group *group, struct group_output output,
                              struct str first, struct str second, struct str item,
                              const char *parameter, struct arena *arena, struct err *err)
{
    struct buf name;
    buf_init(&name, arena, 1024);
    buf_add(&name, first);
    if (second.len > 0) {
        buf_add_char(&name, '_');
        buf_add(&name, second);
    }
    if (name.failed)
        return mart_query_no_memory(err);
    output.name = buf_str(&name);
    for (size_t i = 0; i < group->n_outputs; i++)
        if (str_eq(group->outputs[i].name, output.name))
            return refuse(parameter, item, "Two columns of the answer have one name.",
                          "each group and each metric once", err);
    group->outputs[group->n_outputs++] = output;
    return STATUS_OK;
}

static enum status parse_group(const struct mart *mart, struct str text, struct arena *arena,
                               struct mart_group *group, struct err *err)
{
    struct group_output output = {0};
    size_t colon = str_find(text, ':', 0);
    struct str name = mart_column_index(mart, text) >= 0 ? text : str_sub(text, 0, colon);
    struct str period = name.len == text.len ? STR("") : str_sub(text, colon + 1, text.len);
    enum status s = find_column(mart, name, "group", &output.column, err);
    if (s != STATUS_OK)
        return s;
    output.kind = mart->columns[output.column].kind;
    for (size_t i = 0; i < ARRAY_LEN(periods); i++)
        if (str_eq(period, periods[i].name))
            output.period = periods[i].period;
    bool has_days = (DAYS >> output.kind & 1) != 0;
    bool has_period = name.len < text.len;
    if (has_period && (output.period == PERIOD_NONE || !has_days))
        return refuse(
            "group", text, "The groups cannot be made.",
            "column, or for dates and instants column:day, :week, :month, :quarter, :year", err);
    if (has_period)
        output.kind = COLUMN_DATE;
    return add_output(group, output, name, period, text, "group", arena, err);
}

enum status group_parse(const struct mart *mart, struct str text, struct arena *arena,
                        struct mart_group *group, struct err *err)
{
    struct str rest = text;
    struct str item;
    while (str_next_field(&rest, ',', &item)) {
        if (group->n_outputs == GROUPS_MAX)
            return refuse("group", item, "There are too many groups.", "at most 8", err);
        enum status s = parse_group(mart, item, arena, group, err);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

static enum column_kind kind_of(enum metric_fn metric, enum column_kind kind)
{
    if (metric == FN_COUNT || metric == FN_COUNT_DISTINCT)
        return COLUMN_INT;
    bool adds_up = metric == FN_SUM || metric == FN_AVG;
    return adds_up && kind != COLUMN_FLOAT ? COLUMN_DECIMAL : kind;
}

static enum status unknown_metric(struct str text, struct str name, struct err *err)
{
    struct suggest search = suggest_start(name);
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
        suggest_offer(&search, metrics[i].name);
    enum status s = refuse(
        "metrics", text, "A metric is a function, a colon and a column that it can be of.",
        "count:*, count, count_distinct of any column; min, max of what has an order; sum, avg of numbers",
        err);
    err_suggest(err, suggest_take(&search));
    return s;
}

static enum status parse_metric(const struct mart *mart, struct str text, struct arena *arena,
                                struct mart_group *group, struct err *err)
{
    size_t colon = str_find(text, ':', 0);
    struct str function = str_sub(text, 0, colon);
    struct str name = str_sub(text, colon + 1, text.len);
    for (size_t i = 0; i < ARRAY_LEN(metrics) && colon < text.len; i++) {
        if (!str_eq(function, metrics[i].name))
            continue;
        struct group_output output = {.is_metric = true, .metric = metrics[i].metric};
        output.counts_rows = output.metric == FN_COUNT && str_eq(name, STR("*"));
        enum status s = output.counts_rows
                            ? STATUS_OK
                            : find_column(mart, name, "metrics", &output.column, err);
        if (s != STATUS_OK)
            return s;
        enum column_kind kind = mart->columns[output.column].kind;
        if (!output.counts_rows && (metrics[i].kinds >> kind & 1) == 0)
            return unknown_metric(text, function, err);
        output.kind = kind_of(output.metric, kind);
        return add_output(group, output, function, output.counts_rows ? STR("") : name, text,
                          "metrics", arena, err);
    }
    return unknown_metric(text, function, err);
}

enum status metrics_parse(const struct mart *mart, struct str text, struct arena *arena,
                          struct mart_group *group, struct err *err)
{
    struct str rest = text;
    struct str item;
    size_t n = 0;
    while (str_next_field(&rest, ',', &item)) {
        if (n++ == METRICS_MAX)
            return refuse("metrics", item, "There are too many metrics.", "at most 16", err);
        enum status s = parse_metric(mart, item, arena, group, err);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

static int output_named(const struct mart_group *group, struct str name)
{
    for (size_t i = 0; i < group->n_outputs; i++)
        if (str_eq(group->outputs[i].name, name))
            return (int)i;
    return -1;
}

static bool is_ordered_by(const struct mart_group *group, size_t output)
{
    for (size_t i = 0; i < group->n_order; i++)
        if (group->order[i].output == output)
            return true;
    return false;
}

static enum status unknown_output(const struct mart_group *group, struct str item, struct err *err)
{
    struct suggest search = suggest_start(item);
    for (size_t i = 0; i < group->n_outputs; i++)
        suggest_offer(&search, group->outputs[i].name);
    enum status s = refuse("order", item, "The answer is not sorted by that.",
                           "columns of the answer, each once, with .asc or .desc", err);
    err_suggest(err, suggest_take(&search));
    return s;
}

enum status group_order_parse(struct str text, struct mart_group *group, struct err *err)
{
    struct str rest = text;
    struct str item;
    while (str_next_field(&rest, ',', &item)) {
        bool is_descending =
            item.len > 5 && str_eq(str_sub(item, item.len - 5, item.len), STR(".desc"));
        bool is_ascending =
            item.len > 4 && str_eq(str_sub(item, item.len - 4, item.len), STR(".asc"));
        int output = output_named(group, item);
        if (output < 0 && (is_descending || is_ascending))
            output = output_named(group, str_sub(item, 0, item.len - (is_descending ? 5 : 4)));
        else
            is_descending = false;
        if (output < 0 || is_ordered_by(group, (size_t)output))
            return unknown_output(group, item, err);
        group->order[group->n_order++] = (struct group_order){(size_t)output, is_descending};
    }
    return STATUS_OK;
}

void mart_group_finish(struct mart_group *group)
{
    for (size_t i = 0; i < group->n_outputs; i++)
        if (!group->outputs[i].is_metric && !is_ordered_by(group, i))
            group->order[group->n_order++] = (struct group_order){i, false};
}

void mart_group_canonical(const struct mart_group *group, struct buf *out)
{
    buf_add_c(out, "&outputs=");
    for (size_t i = 0; i < group->n_outputs; i++) {
        const struct group_output *output = &group->outputs[i];
        buf_printf(out, "%s%c%d.%zu.%d", i > 0 ? "," : "", output->is_metric ? 'm' : 'g',
                   output->is_metric ? (int)output->metric : (int)output->period, output->column,
                   output->counts_rows);
    }
    buf_add_c(out, "&order=");
    for (size_t i = 0; i < group->n_order; i++)
        buf_printf(out, "%s%zu.%s", i > 0 ? "," : "", group->order[i].output,
                   group->order[i].is_descending ? "desc" : "asc");
    buf_printf(out, "&limit=%lld", (long long)group->limit);
}
