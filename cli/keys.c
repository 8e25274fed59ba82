/* keys.c - cmmc keys: makes, lists and revokes keys. */
#include "cli/arguments.h"
#include "cli/command.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/json_out.h"
#include "store/key_store.h"

#include <stdio.h>
#include <string.h>

enum { LIST_BYTES = 64 << 20 };

static const char *instant_or(int64_t seconds, const char *never, char room[INSTANT_TEXT_BYTES])
{
    if (seconds == 0)
        return never;
    instant_format(seconds, room);
    return room;
}

static bool read_name(const char *value, void *to)
{
    *(struct str *)to = str_of(value);
    return true;
}

static bool read_scopes(const char *value, void *to)
{
    return scopes_parse(str_of(value), to);
}

/* A day, which is its beginning, or an instant. */
static bool read_moment(const char *value, void *to)
{
    int64_t *seconds = to;
    int32_t date;
    if (date_parse(str_of(value), &date)) {
        *seconds = (int64_t)date * 86400;
        return true;
    }
    return strlen(value) >= INSTANT_TEXT_BYTES - 1 && instant_parse(str_of(value), seconds);
}

static bool read_rate(const char *value, void *to)
{
    int64_t *rate = to;
    return str_to_i64(str_of(value), rate) && *rate >= 0;
}

static int create(struct db_pool *pool, const struct key_options *options)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    char text[API_KEY_TEXT_BYTES];
    struct key key;
    struct err err = {0};
    enum status s = db_acquire(pool, DB_WRITE, NULL, &db, &err);
    if (s == STATUS_OK)
        s = key_create(db, options, clock_wall_s(), &key, text, &err);
    if (s != STATUS_OK)
        return command_fail(&err);
    (void)fprintf(stderr, "key %lld, %.*s, may %s; keep it safe, it is not shown again:\n",
                  (long long)key.id, STR_ARG(key.name), scopes_text(key.scopes));
    bool is_written = puts(text) >= 0 && fflush(stdout) == 0;
    return is_written ? EXIT_DONE : EXIT_FAILED;
}

static const char *state_of(const struct key *key, int64_t now)
{
    bool is_expired = key->expires_at != 0 && key->expires_at <= now;
    return key->revoked_at != 0 ? "revoked" : is_expired ? "expired" : "in force";
}

static void print_table(const struct key *keys, size_t n)
{
    (void)printf("%-5s %-24s %-20s %-9s %-8s %-20s %s\n", "id", "name", "scopes", "state", "rate",
                 "expires", "last used");
    for (size_t i = 0; i < n; i++) {
        char rate[24], expires[INSTANT_TEXT_BYTES], used[INSTANT_TEXT_BYTES];
        (void)snprintf(rate, sizeof rate, "%lld", (long long)keys[i].rate);
        (void)printf("%-5lld %-24.*s %-20s %-9s %-8s %-20s %s\n", (long long)keys[i].id,
                     STR_ARG(keys[i].name), scopes_text(keys[i].scopes),
                     state_of(&keys[i], clock_wall_s()), keys[i].rate < 0 ? "default" : rate,
                     instant_or(keys[i].expires_at, "never", expires),
                     instant_or(keys[i].last_used_at, "never", used));
    }
}

static void put_key(struct json_out *json, const struct key *key)
{
    char room[INSTANT_TEXT_BYTES];
    jw_object(json);
    jw_key_i64(json, "id", key->id);
    jw_key_text(json, "name", key->name);
    jw_key_c(json, "scopes", scopes_text(key->scopes));
    if (key->rate < 0)
        jw_key_null(json, "rate");
    else
        jw_key_i64(json, "rate", key->rate);
    jw_key_text(json, "created_at", str_of(instant_or(key->created_at, NULL, room)));
    jw_key_text(json, "expires_at", str_of(instant_or(key->expires_at, NULL, room)));
    jw_key_text(json, "revoked_at", str_of(instant_or(key->revoked_at, NULL, room)));
    jw_key_text(json, "last_used_at", str_of(instant_or(key->last_used_at, NULL, room)));
    jw_end_object(json);
}

static bool print_json(const struct key *keys, size_t n, struct arena *arena)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, arena, LIST_BYTES);
    jw_init(&json, &out);
    jw_array(&json);
    for (size_t i = 0; i < n; i++)
        put_key(&json, &keys[i]);
    jw_end_array(&json);
    struct str text = buf_str(&out);
    return !out.failed && fwrite(text.ptr, 1, text.len, stdout) == text.len && puts("") >= 0;
}

static int list(struct db_pool *pool, bool as_json)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(arena_clear) struct arena arena;
    struct key *keys = NULL;
    size_t n = 0;
    struct err err = {0};
    arena_init(&arena, 2 * (size_t)LIST_BYTES);
    enum status s = db_acquire(pool, DB_READ, NULL, &db, &err);
    if (s == STATUS_OK)
        s = key_list(db, &arena, &keys, &n, &err);
    if (s != STATUS_OK)
        return command_fail(&err);
    if (as_json)
        return print_json(keys, n, &arena) ? EXIT_DONE : EXIT_FAILED;
    print_table(keys, n);
    return EXIT_DONE;
}

static int revoke(struct db_pool *pool, const char *name_or_id)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct err err = {0};
    int64_t id = 0;
    enum status s = db_acquire(pool, DB_WRITE, NULL, &db, &err);
    if (s == STATUS_OK)
        s = key_find(db, str_of(name_or_id), &id, &err);
    if (s == STATUS_OK)
        s = key_revoke(db, id, clock_wall_s(), &err);
    if (s != STATUS_OK)
        return command_fail(&err);
    (void)printf("revoked key %lld\n", (long long)id);
    return EXIT_DONE;
}

static int missing_option(const char *flag)
{
    (void)fprintf(stderr, "cmmc keys: create needs %s; see `cmmc keys --help`\n", flag);
    return EXIT_USAGE;
}

/* What to do, read completely before the store is opened. */
struct order {
    enum { CREATE, LIST, REVOKE } what;
    struct key_options options;
    bool as_json;
    const char *name_or_id;
};

static int read_create(int argc, char **argv, struct key_options *ret)
{
    const struct argument table[] = {
        {"--name", "a name of 1 to 64 characters", read_name, &ret->name},
        {"--scopes", "read, backtest, admin, with commas between and each once", read_scopes,
         &ret->scopes},
        {"--expires", "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ", read_moment, &ret->expires_at},
        {"--rate", "requests a minute, 0 or more", read_rate, &ret->rate},
    };
    ret->rate = -1;
    int code = arguments_read("keys", table, ARRAY_LEN(table), argc, argv);
    if (code != EXIT_DONE)
        return code;
    if (ret->name.ptr == NULL)
        return missing_option("--name");
    return ret->scopes == 0 ? missing_option("--scopes") : EXIT_DONE;
}

static int read_order(int argc, char **argv, struct order *order)
{
    const struct argument list[] = {{"--json", NULL, argument_on, &order->as_json}};
    const struct argument revoke[] = {{"", "NAME or ID", argument_once, &order->name_or_id}};
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "create") == 0) {
        order->what = CREATE;
        return read_create(argc - 1, argv + 1, &order->options);
    }
    if (strcmp(what, "list") == 0) {
        order->what = LIST;
        return arguments_read("keys", list, ARRAY_LEN(list), argc - 1, argv + 1);
    }
    if (strcmp(what, "revoke") != 0)
        return command_misused("keys", what);
    order->what = REVOKE;
    int code = arguments_read("keys", revoke, ARRAY_LEN(revoke), argc - 1, argv + 1);
    return code == EXIT_DONE && order->name_or_id == NULL ? command_misused("keys", "") : code;
}

int keys_command(int argc, char **argv)
{
    struct order order = {.what = LIST};
    struct config config;
    int code = read_order(argc, argv, &order);
    if (code != EXIT_DONE)
        return code;
    if (!command_configure(&config))
        return EXIT_CONFIG;
    struct db_pool *pool = NULL;
    code = command_open_store(&config, true, &pool);
    if (code == EXIT_DONE) {
        code = order.what == CREATE ? create(pool, &order.options)
               : order.what == LIST ? list(pool, order.as_json)
                                    : revoke(pool, order.name_or_id);
    }
    db_pool_close(pool);
    config_clear(&config);
    return code;
}
