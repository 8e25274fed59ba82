/* table_options.c - how the client wants a table: parameters, Accept and Prefer. */
#include "handlers/table.h"

#include "handlers/params.h"

/* A parameter that takes one of a few words; the first is what an absent one means. */
struct choice {
    const char *name;
    const char *words[4];
    const char *allowed;
};

static const struct choice shapes = {
    "shape", {"rows", "arrays", "columns", "bare"}, "rows, arrays, columns or bare"};
static const struct choice numbers = {"numbers", {"native", "string"}, "native or string"};
static const struct choice nulls = {"nulls", {"keep", "drop"}, "keep or drop"};
static const struct choice header = {"header", {"on", "off"}, "on or off"};
static const struct choice bom = {"bom", {"off", "on"}, "on or off"};
static const struct choice csv = {"csv", {"plain", "safe"}, "plain or safe"};

static const struct choice buffer = {"buffer", {"auto", "full"}, "auto or full"};

static enum status read_choice(const struct request *request, const struct choice *choice,
                               size_t *ret, struct err *err)
{
    struct str value = request_param(request, choice->name);
    *ret = 0;
    if (value.ptr == NULL)
        return STATUS_OK;
    for (size_t i = 0; i < ARRAY_LEN(choice->words) && choice->words[i] != NULL; i++)
        if (str_eq_c(value, choice->words[i])) {
            *ret = i;
            return STATUS_OK;
        }
    return params_refuse(err, choice->name, value, choice->allowed);
}

static enum status read_flag(const struct request *request, const struct choice *choice, bool *ret,
                             struct err *err)
{
    size_t at = 0;
    enum status s = read_choice(request, choice, &at, err);
    *ret = at == 1;
    return s;
}

/* RFC 7240: preferences are comma-separated, each a token with an optional value and parameters. */
static bool has_preference(struct request *request, const char *wanted)
{
    struct str all = request_header(request, "Prefer");
    struct str item;
    while (str_next_field(&all, ',', &item)) {
        item = str_trim(str_sub(item, 0, str_find(item, ';', 0)));
        if (str_eq_nocase(item, str_of(wanted)))
            return true;
    }
    return false;
}

enum status table_options_read(struct request *request, unsigned formats, struct table_options *ret,
                               struct err *err)
{
    struct table_options options = {0};
    size_t shape = 0;
    enum status s = negotiate_format(request, formats, &options.format, err);
    if (s == STATUS_OK)
        s = read_choice(request, &shapes, &shape, err);
    if (s == STATUS_OK)
        s = read_flag(request, &numbers, &options.numbers_as_strings, err);
    if (s == STATUS_OK)
        s = read_flag(request, &nulls, &options.drops_nulls, err);
    if (s == STATUS_OK)
        s = read_flag(request, &header, &options.has_no_header, err);
    if (s == STATUS_OK)
        s = read_flag(request, &bom, &options.has_bom, err);
    if (s == STATUS_OK)
        s = read_flag(request, &csv, &options.is_csv_safe, err);
    if (s == STATUS_OK)
        s = read_flag(request, &buffer, &options.is_whole, err);
    if (s != STATUS_OK)
        return s;
    options.shape = (enum table_shape)shape;
    if (options.format == FORMAT_NDJSON) {
        reply_header(request, "Vary", "Prefer");
        options.has_end_record = has_preference(request, "end-record");
    }
    if (options.has_end_record)
        reply_header(request, "Preference-Applied", "end-record");
    *ret = options;
    return STATUS_OK;
}
