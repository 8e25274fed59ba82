/* routes.c - cmmc routes: the route table as text or JSON. */
#include "cli/arguments.h"
#include "cli/command.h"

#include "base/arena.h"
#include "base/json_out.h"
#include "handlers/handlers.h"
#include "server/router.h"

#include <stdio.h>

static const char *lane_name(enum lane lane)
{
    static const char *const names[LANE_COUNT] = {
        [LANE_HTTP] = "http", [LANE_QUICK] = "quick",   [LANE_IO] = "io",
        [LANE_CPU] = "cpu",   [LANE_STREAM] = "stream",
    };
    return names[lane];
}

static const char *access_name(enum access access)
{
    static const char *const names[] = {
        [ACCESS_PUBLIC] = "public", [ACCESS_READ] = "read", [ACCESS_BACKTEST] = "backtest",
        [ACCESS_ADMIN] = "admin",   [ACCESS_OPS] = "ops",
    };
    return names[access];
}

static void print_text(void)
{
    for (size_t i = 0; i < routes_count; i++)
        (void)printf("%-6s %-46s %-8s %-6s %s\n", method_name(routes[i].method), routes[i].path,
                     access_name(routes[i].access), lane_name(routes[i].lane), routes[i].summary);
}

static void put_json(struct json_out *json)
{
    jw_array(json);
    for (size_t i = 0; i < routes_count; i++) {
        jw_object(json);
        jw_key_c(json, "method", method_name(routes[i].method));
        jw_key_c(json, "path", routes[i].path);
        jw_key_c(json, "listener", routes[i].access == ACCESS_OPS ? "ops" : "data");
        jw_key_c(json, "access", access_name(routes[i].access));
        jw_key_c(json, "lane", lane_name(routes[i].lane));
        jw_key_i64(json, "deadline_ms", routes[i].deadline_ms);
        jw_key_i64(json, "body_max_bytes", (int64_t)routes[i].body_max_bytes);
        jw_key_c(json, "summary", routes[i].summary);
        jw_end_object(json);
    }
    jw_end_array(json);
}

int routes_command(int argc, char **argv)
{
    bool as_json = false;
    const struct argument table[] = {{"--json", NULL, argument_on, &as_json}};
    if (arguments_read("routes", table, ARRAY_LEN(table), argc, argv) != EXIT_DONE)
        return EXIT_USAGE;
    if (!as_json) {
        print_text();
        return EXIT_DONE;
    }
    struct arena arena;
    struct buf out;
    struct json_out json;
    arena_init(&arena, 1 << 20);
    buf_init(&out, &arena, 1 << 20);
    jw_init(&json, &out);
    put_json(&json);
    struct str text = buf_str(&out);
    bool is_written =
        !out.failed && fwrite(text.ptr, 1, text.len, stdout) == text.len && puts("") >= 0;
    arena_clear(&arena);
    return is_written ? EXIT_DONE : EXIT_FAILED;
}
