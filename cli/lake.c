/* lake.c - cmmc lake: lists, reads and checks the objects that ingestion keeps. */
#include "base/clock.h"
#include "base/date.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "handlers/lake_service.h"
#include "ingest/lake_compact.h"

#include <stdio.h>
#include <string.h>

enum { HOURS_DEFAULT = 24, SECONDS_PER_HOUR = 3600 };

/* What the arguments say. */
struct ask {
    const char *name; /* the key or prefix; NULL: none */
    struct lake_range range;
    int64_t hours;
};

static bool read_last_day(const char *value, void *to)
{
    int32_t *behind = to;
    bool is_day = argument_day(value, behind);
    *behind += is_day; /* the day itself belongs to it */
    return is_day;
}

static bool read_hours(const char *value, void *to)
{
    int64_t *hours = to;
    return str_to_i64(str_of(value), hours) && *hours >= 0 && *hours <= 1000000;
}

enum takes { TAKES_DAYS, TAKES_KEY, TAKES_HOURS };

static int read_arguments(enum takes takes, int argc, char **argv, struct ask *ask)
{
    const struct argument days[] = {
        {"--from", "a day as YYYY-MM-DD", argument_day, &ask->range.from},
        {"--to", "a day as YYYY-MM-DD", read_last_day, &ask->range.to},
        {"", "PREFIX", argument_once, &ask->name},
    };
    const struct argument key[] = {{"", "KEY", argument_once, &ask->name}};
    const struct argument hours[] = {{"--hours", "0 to 1000000 hours", read_hours, &ask->hours}};
    switch (takes) {
    case TAKES_DAYS:
        return arguments_read("lake", days, ARRAY_LEN(days), argc, argv);
    case TAKES_KEY:
        return arguments_read("lake", key, ARRAY_LEN(key), argc, argv);
    case TAKES_HOURS:
        break;
    }
    return arguments_read("lake", hours, ARRAY_LEN(hours), argc, argv);
}

struct total {
    struct lake *lake;
    int64_t n, bytes, n_bad;
};

static enum status write_failed(struct err *err)
{
    return err_set(err, STATUS_IO, "Standard output cannot be written.");
}

static enum status print_entry(void *to, const struct lake_entry *entry, struct err *err)
{
    struct total *total = to;
    total->n++;
    total->bytes += entry->bytes;
    return printf("%12lld %s\n", (long long)entry->bytes, entry->key) < 0 ? write_failed(err)
                                                                          : STATUS_OK;
}

static const char *objects_of(int64_t n)
{
    return str_plural((uint64_t)n, "object", "objects");
}

static const char *bytes_of(int64_t n)
{
    return str_plural((uint64_t)n, "byte", "bytes");
}

static enum status list(struct lake *lake, const struct ask *ask, struct err *err)
{
    struct total total = {.lake = lake};
    enum status s = lake_list(lake, &ask->range, print_entry, &total, NULL, err);
    if (s == STATUS_OK)
        (void)fprintf(stderr, "%lld %s, %lld %s\n", (long long)total.n, objects_of(total.n),
                      (long long)total.bytes, bytes_of(total.bytes));
    return s;
}

static enum status to_stdout(void *to, struct str bytes, struct err *err)
{
    (void)to;
    return fwrite(bytes.ptr, 1, bytes.len, stdout) == bytes.len ? STATUS_OK : write_failed(err);
}

static enum status print_bytes(struct lake *lake, const struct ask *ask, struct err *err)
{
    return lake_get(lake, ask->name, 0, INT64_MAX, (struct lake_sink){to_stdout, NULL}, NULL, err);
}

static enum status print_meta(struct lake *lake, const struct ask *ask, struct err *err)
{
    char when[INSTANT_TEXT_BYTES], address[LAKE_ADDRESS_MAX];
    struct lake_entry entry;
    enum status s = lake_head(lake, ask->name, &entry, err);
    if (s != STATUS_OK)
        return s;
    instant_format(entry.meta.fetched_at, when);
    lake_address(lake, entry.key, address);
    (void)printf("address      %s\nbytes        %lld\nsha256       %s\nfetched_at   %s\n", address,
                 (long long)entry.bytes, entry.sha256, when);
    (void)printf("source_url   %s\nhttp_status  %d\nschema_hash  %s\n", entry.meta.source_url,
                 entry.meta.http_status, entry.meta.schema_hash);
    return STATUS_OK;
}

static enum status drop(void *to, struct str bytes, struct err *err)
{
    (void)err;
    *(int64_t *)to += (int64_t)bytes.len;
    return STATUS_OK;
}

/* An object whose bytes or metadata are not those stored is counted and said; other trouble ends it. */
static enum status check(void *to, const struct lake_entry *entry, struct err *err)
{
    struct total *total = to;
    struct err why = {0};
    enum status s = lake_get(total->lake, entry->key, 0, INT64_MAX,
                             (struct lake_sink){drop, &total->bytes}, NULL, &why);
    total->n++;
    if (s == STATUS_BAD_DATA || s == STATUS_NOT_FOUND) {
        total->n_bad++;
        (void)printf("bad %s: %s\n", entry->key, why.detail);
        return STATUS_OK;
    }
    if (s != STATUS_OK)
        *err = why;
    return s;
}

static enum status verify(struct lake *lake, const struct ask *ask, struct err *err)
{
    struct total total = {.lake = lake};
    enum status s = lake_list(lake, &ask->range, check, &total, NULL, err);
    if (s != STATUS_OK)
        return s;
    (void)printf("%lld %s, %lld %s, %lld bad\n", (long long)total.n, objects_of(total.n),
                 (long long)total.bytes, bytes_of(total.bytes), (long long)total.n_bad);
    return total.n_bad == 0
               ? STATUS_OK
               : err_set(err, STATUS_BAD_DATA, "%lld %s not as stored.", (long long)total.n_bad,
                         str_plural((uint64_t)total.n_bad, "object is", "objects are"));
}

static enum status compact(struct lake *lake, const struct ask *ask, struct err *err)
{
    struct total total = {.lake = lake};
    struct lake_compacted done = {0};
    enum status s = lake_compact(lake, &ask->range, print_entry, &total, NULL, &done, err);
    if (s == STATUS_OK)
        (void)fprintf(stderr, "%lld %s; %lld %s written with %lld rows of %lld, %lld removed\n",
                      (long long)done.n_years, str_plural((uint64_t)done.n_years, "year", "years"),
                      (long long)done.n_written, objects_of(done.n_written), (long long)done.n_rows,
                      (long long)done.n_read, (long long)done.n_removed);
    return s;
}

static enum status tidy(struct lake *lake, const struct ask *ask, struct err *err)
{
    int64_t n = 0;
    enum status s = lake_tidy(lake, clock_wall_s() - ask->hours * SECONDS_PER_HOUR, NULL, &n, err);
    if (s == STATUS_OK)
        (void)printf("%lld unfinished %s removed\n", (long long)n,
                     str_plural((uint64_t)n, "write", "writes"));
    return s;
}

static const struct {
    const char *name;
    enum takes takes;
    enum status (*run)(struct lake *lake, const struct ask *ask, struct err *err);
} actions[] = {
    {"ls", TAKES_DAYS, list},         {"cat", TAKES_KEY, print_bytes},
    {"stat", TAKES_KEY, print_meta},  {"verify", TAKES_DAYS, verify},
    {"compact", TAKES_DAYS, compact}, {"tidy", TAKES_HOURS, tidy},
};

static int act(size_t action, const struct ask *ask)
{
    struct config config;
    struct lake *lake = NULL;
    struct err err = {0};
    if (!command_configure(&config))
        return EXIT_CONFIG;
    enum status s = lake_service_open(&config, &lake, &err);
    if (s == STATUS_OK)
        s = actions[action].run(lake, ask, &err);
    if (s == STATUS_OK && fflush(stdout) != 0)
        s = write_failed(&err);
    int code = s == STATUS_OK ? EXIT_DONE : command_fail(&err);
    lake_freep(&lake);
    config_clear(&config);
    return code;
}

int lake_command(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    struct ask ask = {.range = {STR(""), DATE_MIN, DATE_MAX + 1}, .hours = HOURS_DEFAULT};
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (strcmp(what, actions[i].name) != 0)
            continue;
        int code = read_arguments(actions[i].takes, argc - 1, argv + 1, &ask);
        if (code != EXIT_DONE)
            return code;
        if (actions[i].takes == TAKES_KEY && (ask.name == NULL || ask.name[0] == '\0')) {
            (void)fprintf(stderr, "cmmc lake %s: a key is missing; see `cmmc lake --help`\n", what);
            return EXIT_USAGE;
        }
        if (ask.name != NULL)
            ask.range.prefix = str_of(ask.name);
        return act(i, &ask);
    }
    return command_misused("lake", what);
}
