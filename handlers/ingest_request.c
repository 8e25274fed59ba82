/* ingest_request.c - see ingest_request.h. */
#include "handlers/ingest_request.h"

#include "base/date.h"

enum { DAY_S = 86400, DAYS_BACK_MAX = 40000, TEXT_BYTES_MAX = 1024 };

/* By name, with the nearest one as the suggestion. */
static enum status read_dataset(struct json_val val, const struct dataset **ret, struct err *err)
{
    enum { NAMES_MAX = 64 };
    const char *names[NAMES_MAX];
    size_t at = 0, n = n_datasets < NAMES_MAX ? n_datasets : NAMES_MAX;
    for (size_t i = 0; i < n; i++)
        names[i] = datasets[i].name;
    enum status s = jr_read_choice(val, names, n, &at, err);
    *ret = s == STATUS_OK ? &datasets[at] : NULL;
    return s;
}

static enum status read_stages(struct json_val list, unsigned *ret, struct err *err)
{
    *ret = INGEST_ALL_STAGES;
    if (!jr_is_present(list))
        return STATUS_OK;
    *ret = 0;
    enum status s = jr_expect_array(list, 1, INGEST_STAGES, err);
    for (size_t i = 0; s == STATUS_OK && i < jr_length(list); i++) {
        size_t at = 0;
        s = jr_read_choice(jr_item(list, i), ingest_stage_names, INGEST_STAGES, &at, err);
        *ret |= 1U << at;
    }
    return s;
}

static enum status read_day(struct json_val root, const char *name, int32_t *day, struct err *err)
{
    struct json_val val = jr_member(root, name);
    return jr_is_present(val) ? jr_read_date(val, day, err) : STATUS_OK;
}

static enum status out_of_window(struct json_val root, const char *name, const char *allowed,
                                 struct err *err)
{
    (void)err_set(err, STATUS_OUT_OF_RANGE, "This is no window that can be asked for.");
    jr_err_at(err, jr_member(root, name));
    err_allow(err, "%s", allowed);
    return STATUS_OUT_OF_RANGE;
}

enum status ingest_request_read(struct json_val root, int32_t today, struct ingest_request *ret,
                                struct err *err)
{
    static const char *const members[] = {"type", "dataset", "from", "to", "stages", "force"};
    static const char *const types[] = {INGEST_JOB_TYPE};
    size_t at = 0;
    *ret = (struct ingest_request){.to = today};
    enum status s = jr_expect_object(root, members, ARRAY_LEN(members), err);
    if (s == STATUS_OK && jr_is_present(jr_member(root, "type")))
        s = jr_read_choice(jr_member(root, "type"), types, ARRAY_LEN(types), &at, err);
    if (s == STATUS_OK)
        s = read_dataset(jr_member(root, "dataset"), &ret->dataset, err);
    if (s == STATUS_OK)
        s = read_day(root, "to", &ret->to, err);
    if (s != STATUS_OK)
        return s;
    ret->from = ret->to - ret->dataset->refetch_days;
    s = read_day(root, "from", &ret->from, err);
    if (s == STATUS_OK)
        s = read_stages(jr_member(root, "stages"), &ret->stages, err);
    if (s == STATUS_OK && jr_is_present(jr_member(root, "force")))
        s = jr_read_bool(jr_member(root, "force"), &ret->force, err);
    if (s == STATUS_OK && ret->to > today)
        return out_of_window(root, "to", "a day until today, in UTC", err);
    if (s == STATUS_OK && ret->from > ret->to)
        return out_of_window(root, "from", "a day not after to", err);
    return s;
}

static void put_stages(unsigned stages, struct json_out *json)
{
    jw_key(json, "stages");
    jw_array(json);
    for (unsigned i = 0; i < INGEST_STAGES; i++)
        if ((stages & 1U << i) != 0)
            jw_str(json, str_of(ingest_stage_names[i]));
    jw_end_array(json);
}

struct str ingest_request_write(const struct ingest_request *request, struct arena *arena)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, arena, TEXT_BYTES_MAX);
    jw_init(&json, &out);
    jw_object(&json);
    jw_key_c(&json, "type", INGEST_JOB_TYPE);
    jw_key_c(&json, "dataset", request->dataset->name);
    jw_key_date(&json, "from", request->from);
    jw_key_date(&json, "to", request->to);
    put_stages(request->stages, &json);
    jw_key_bool(&json, "force", request->force);
    jw_end_object(&json);
    return out.failed ? STR_NONE : buf_str(&out);
}

struct str ingest_request_key(const struct ingest_request *request, struct arena *arena)
{
    struct buf out;
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    date_format(request->from, from);
    date_format(request->to, to);
    buf_init(&out, arena, TEXT_BYTES_MAX);
    buf_printf(&out, INGEST_JOB_TYPE ":%s:%s:%s", request->dataset->name, from, to);
    return out.failed ? STR_NONE : buf_str(&out);
}

static enum status read_days(struct json_val root, const char *name, int64_t *ret, struct err *err)
{
    struct json_val val = jr_member(root, name);
    return jr_is_present(val) ? jr_read_i64(val, 0, DAYS_BACK_MAX, ret, err) : STATUS_OK;
}

enum status ingest_template_read(struct json_val root, struct ingest_template *ret, struct err *err)
{
    *ret = (struct ingest_template){.to_days = 0};
    enum status s = read_dataset(jr_member(root, "dataset"), &ret->dataset, err);
    if (s == STATUS_OK)
        s = read_days(root, "to_days", &ret->to_days, err);
    if (s != STATUS_OK)
        return s;
    ret->from_days = ret->to_days + ret->dataset->refetch_days;
    s = read_days(root, "from_days", &ret->from_days, err);
    if (s == STATUS_OK)
        s = read_stages(jr_member(root, "stages"), &ret->stages, err);
    if (s == STATUS_OK && ret->from_days < ret->to_days)
        return out_of_window(root, "from_days", "at least to_days: both count back from the slot",
                             err);
    return s;
}

void ingest_template_write(const struct ingest_template *template, struct json_out *json)
{
    jw_key_c(json, "dataset", template->dataset->name);
    jw_key_i64(json, "from_days", template->from_days);
    jw_key_i64(json, "to_days", template->to_days);
    put_stages(template->stages, json);
}

struct ingest_request ingest_template_at(const struct ingest_template *template, int64_t slot_s)
{
    int32_t day = (int32_t)(slot_s / DAY_S);
    return (struct ingest_request){.dataset = template->dataset,
                                   .from = day - (int32_t) template->from_days,
                                   .to = day - (int32_t) template->to_days,
                                   .stages = template->stages};
}
