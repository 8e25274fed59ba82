/* config_print.c - the settings for people and programs: text, Markdown and JSON from the same rows. */
#include "server/config.h"

#include "base/json_out.h"

enum { PRINT_BYTES_MAX = 1 << 20 };

static void describe_allowed(const struct setting_info *info, char *ret, size_t size)
{
    if (info->has_range)
        (void)snprintf(ret, size, "%llu to %llu %s", (unsigned long long)info->min,
                       (unsigned long long)info->max, info->unit);
    else if (info->is_secret)
        (void)snprintf(ret, size, "%s%s", info->unit[0] == '\0' ? "text" : "empty or ", info->unit);
    else
        (void)snprintf(ret, size, "%s", info->unit);
}

/* A '|' would end the cell of a Markdown table. */
static void add_cell(struct buf *out, const char *text)
{
    buf_add_c(out, " ");
    for (; *text != '\0'; text++) {
        if (*text == '|')
            buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
    buf_add_c(out, " |");
}

static void print_markdown(const struct setting_info *info, const char *allowed, struct buf *out)
{
    buf_printf(out, "| `%s` | `%s` |", info->key, info->environment);
    add_cell(out, info->default_text[0] == '\0' ? "(empty)" : info->default_text);
    add_cell(out, allowed);
    add_cell(out, info->value[0] == '\0' ? "(empty)" : info->value);
    add_cell(out, info->help);
    buf_add_char(out, '\n');
}

static void print_text(const struct setting_info *info, const char *allowed, struct buf *out)
{
    buf_printf(out, "%-20s %-28s = %s   (%s; default %s; %s)\n    %s\n", info->key,
               info->environment, info->value[0] == '\0' ? "\"\"" : info->value,
               config_source_name(info->source),
               info->default_text[0] == '\0' ? "\"\"" : info->default_text, allowed, info->help);
}

static enum status write_out(const struct buf *text, FILE *out, struct err *err)
{
    if (text->failed)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory to print the settings.");
    if (fwrite(text->ptr, 1, text->len, out) != text->len || fflush(out) != 0)
        return err_set(err, STATUS_IO, "The settings could not be written.");
    return STATUS_OK;
}

enum status config_print(const struct config *config, FILE *out, bool as_markdown, struct err *err)
{
    struct arena arena;
    struct buf text;
    arena_init(&arena, 4 * PRINT_BYTES_MAX);
    buf_init(&text, &arena, PRINT_BYTES_MAX);
    if (as_markdown)
        buf_add_c(&text, "| Setting | Environment | Default | Allowed | Now | Meaning |\n"
                         "|---|---|---|---|---|---|\n");
    for (int i = 0; i < SETTING_COUNT; i++) {
        struct setting_info info;
        char allowed[192];
        config_describe(config, (enum setting)i, &info);
        describe_allowed(&info, allowed, sizeof allowed);
        if (as_markdown)
            print_markdown(&info, allowed, &text);
        else
            print_text(&info, allowed, &text);
    }
    enum status s = write_out(&text, out, err);
    arena_clear(&arena);
    return s;
}

static void print_json(const struct setting_info *info, struct json_out *json)
{
    jw_object(json);
    jw_key_c(json, "key", info->key);
    jw_key_c(json, "environment", info->environment);
    jw_key_c(json, "type", info->type);
    jw_key_c(json, "default", info->default_text);
    jw_key_c(json, "value", info->value);
    jw_key_c(json, "source", config_source_name(info->source));
    if (info->has_range) {
        jw_key_i64(json, "min", (int64_t)info->min);
        jw_key_i64(json, "max", (int64_t)info->max);
    }
    jw_key_c(json, "unit", info->unit);
    jw_key_bool(json, "secret", info->is_secret);
    jw_key_c(json, "help", info->help);
    jw_end_object(json);
}

enum status config_print_json(const struct config *config, FILE *out, struct err *err)
{
    struct arena arena;
    struct buf text;
    struct json_out json;
    arena_init(&arena, 4 * PRINT_BYTES_MAX);
    buf_init(&text, &arena, PRINT_BYTES_MAX);
    jw_init(&json, &text);
    jw_object(&json);
    jw_key(&json, "settings");
    jw_array(&json);
    for (int i = 0; i < SETTING_COUNT; i++) {
        struct setting_info info;
        config_describe(config, (enum setting)i, &info);
        print_json(&info, &json);
    }
    jw_end_array(&json);
    jw_end_object(&json);
    buf_add_char(&text, '\n');
    enum status s = write_out(&text, out, err);
    arena_clear(&arena);
    return s;
}
