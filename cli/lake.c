/* lake.c - cmmc lake: lists, reads and checks the objects that ingestion keeps. */
#include "base/clock.h"
#include "base/date.h"
#include "cli/command.h"
#include "handlers/lake_service.h"
#include "ingest/lake_compact.h"

#include <stdio.h>
#include <string.h>

enum { HOURS_DEFAULT = 24, SECONDS_PER_HOUR = 3600 };

/* What the arguments say. */
struct ask {
    const char *what; /* "ls" ... */
    const char *name; /* the key or prefix; "": none */
    struct lake_range range;
    int64_t hours;
};

static bool read_option(struct ask *ask, const char *flag, const char *value)
{
    bool takes_days = strcmp(ask->what, "ls") == 0 || strcmp(ask->what, "verify") == 0 ||
                      strcmp(ask->what, "compact") == 0;
    if (takes_days && command_is_flag(flag, "from"))
        return date_parse(str_of(value), &ask->range.from);
    if (takes_days && command_is_flag(flag, "to")) {
        bool is_read = date_parse(str_of(value), &ask->range.to);
        ask->range.to += is_read; /* the day itself belongs to it */
        return is_read;
    }
    if (strcmp(ask->what, "tidy") == 0 && command_is_flag(flag, "hours"))
        return str_to_i64(str_of(value), &ask->hours) && ask->hours >= 0 && ask->hours <= 1000000;
    return false;
}

/* An option that is none of this one's, has no value, or one that it does not take. */
static int wrong_option(const struct ask *ask, const char *flag, const char *value)
{
    bool is_tidy = strcmp(ask->what, "tidy") == 0;
    bool takes_days = !is_tidy && strcmp(ask->what, "cat") != 0 && strcmp(ask->what, "stat") != 0;
    if (takes_days && (command_is_flag(flag, "from") || command_is_flag(flag, "to")))
        return command_bad_value("lake", flag, value, "a day as YYYY-MM-DD");
    if (is_tidy && command_is_flag(flag, "hours"))
        return command_bad_value("lake", flag, value, "0 to 1000000 hours");
    return command_misused("lake", flag);
}

/* EXIT_DONE, or what a wrong argument ends with. */
static int read_arguments(struct ask *ask, int argc, char **argv)
{
    bool takes_name = strcmp(ask->what, "tidy") != 0;
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            const char *value = i + 1 < argc ? argv[i + 1] : NULL;
            if (value == NULL || !read_option(ask, argv[i], value))
                return wrong_option(ask, argv[i], value);
            i++;
        } else if (takes_name && ask->name[0] == '\0') {
            ask->name = argv[i];
        } else {
            return command_misused("lake", argv[i]);
        }
    }
    ask->range.prefix = str_of(ask->name);
    return EXIT_DONE;
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
    bool needs_name;
    enum status (*run)(struct lake *lake, const struct ask *ask, struct err *err);
} actions[] = {
    {"ls", false, list},       {"cat", true, print_bytes},  {"stat", true, print_meta},
    {"verify", false, verify}, {"compact", false, compact}, {"tidy", false, tidy},
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
    struct ask ask = {.what = argc > 1 ? argv[1] : "",
                      .name = "",
                      .range = {STR_NONE, DATE_MIN, DATE_MAX + 1},
                      .hours = HOURS_DEFAULT};
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (strcmp(ask.what, actions[i].name) != 0)
            continue;
        int code = read_arguments(&ask, argc, argv);
        if (code == EXIT_DONE && actions[i].needs_name && ask.name[0] == '\0') {
            (void)fprintf(stderr, "cmmc lake %s: a key is missing; see `cmmc lake --help`\n",
                          ask.what);
            return EXIT_USAGE;
        }
        return code == EXIT_DONE ? act(i, &ask) : code;
    }
    return command_misused("lake", ask.what);
}
