/* migrate.c - cmmc migrate: applies or lists migrations, and grants a role the reading of marts. */
#include "cli/arguments.h"
#include "cli/command.h"

#include "store/migrate.h"
#include "store/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATES_MAX = 1000, SCRIPTS_BYTES_MAX = 4 << 20 };

static int print_status(struct db_pool *pool)
{
    struct migration_state *states = calloc(STATES_MAX, sizeof *states);
    size_t n = 0;
    struct err err = {0};
    if (states == NULL)
        (void)err_out_of_memory(&err);
    enum status s =
        states == NULL ? STATUS_OUT_OF_MEMORY : migrate_status(pool, states, STATES_MAX, &n, &err);
    for (size_t i = 0; s == STATUS_OK && i < n; i++) {
        const char *how = !states[i].is_applied  ? "pending"
                          : states[i].is_changed ? "CHANGED since"
                                                 : "applied";
        const char *words = strchr(states[i].name, '_'); /* behind the number: 0001_create_marts */
        (void)printf("%04d %-28s %.12s  %s %s\n", states[i].version,
                     words == NULL ? states[i].name : words + 1, states[i].checksum, how,
                     states[i].applied_at);
    }
    free(states);
    return s == STATUS_OK ? EXIT_DONE : command_fail(&err);
}

static int apply(struct db_pool *pool)
{
    struct err err = {0};
    int n_applied = 0;
    if (migrate_up(pool, &n_applied, &err) != STATUS_OK)
        return command_fail(&err);
    if (n_applied == 0)
        (void)puts("already up to date");
    else
        (void)printf("applied %d migration%s\n", n_applied, n_applied == 1 ? "" : "s");
    return EXIT_DONE;
}

static int grant(struct db_pool *pool, const char *role)
{
    struct err err = {0};
    int64_t n = 0;
    int code = apply(pool);
    if (code != EXIT_DONE)
        return code;
    if (reader_grant(pool, str_of(role), &n, &err) != STATUS_OK)
        return command_fail(&err);
    (void)printf("%s may read %lld %s\n", role, (long long)n,
                 str_plural((uint64_t)n, "table or view", "tables and views"));
    return EXIT_DONE;
}

/* For who makes the warehouse's schema by hand, or reads what is going to be run. */
static int print_warehouse(const char *name)
{
    static const char *const names[] = {
        [SQL_SQLITE] = "sqlite", [SQL_POSTGRESQL] = "postgresql", [SQL_REDSHIFT] = "redshift"};
    const struct migration_set sets[] = {{warehouse_migrations, warehouse_migrations_count},
                                         {gold_models, gold_models_count}};
    CLEANUP(arena_clear) struct arena arena;
    struct buf out;
    struct err err = {0};
    size_t dialect = 0;
    enum status s = STATUS_OK;
    while (dialect < ARRAY_LEN(names) && strcmp(name, names[dialect]) != 0)
        dialect++;
    if (dialect == ARRAY_LEN(names)) {
        (void)err_set(&err, STATUS_BAD_VALUE, "This is no dialect: %s", name);
        err_allow(&err, "sqlite, postgresql or redshift");
        return command_fail(&err);
    }
    arena_init(&arena, (size_t)4 * SCRIPTS_BYTES_MAX);
    buf_init(&out, &arena, SCRIPTS_BYTES_MAX);
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        for (size_t k = 0; k < sets[i].n && s == STATUS_OK; k++) {
            buf_printf(&out, "-- %s/%s\n", i == 0 ? "migrations" : "gold", sets[i].files[k].name);
            s = migrate_render(&sets[i].files[k], (enum sql_dialect)dialect, &out, &err);
        }
    if (s == STATUS_OK && out.failed)
        s = err_out_of_memory(&err);
    if (s == STATUS_OK)
        (void)fwrite(out.ptr, 1, out.len, stdout);
    return s == STATUS_OK ? EXIT_DONE : command_fail(&err);
}

int migrate_command(int argc, char **argv)
{
    const char *reader = NULL, *dialect = NULL;
    bool wants_status = false;
    const struct argument table[] = {
        {"--status", NULL, argument_on, &wants_status},
        {"--reader", "a role of PostgreSQL", argument_text, &reader},
        {"--warehouse", "sqlite, postgresql or redshift", argument_text, &dialect},
    };
    if (arguments_read("migrate", table, ARRAY_LEN(table), argc, argv) != EXIT_DONE)
        return EXIT_USAGE;
    if (wants_status + (reader != NULL) + (dialect != NULL) > 1)
        return command_misused("migrate", argv[argc - 1]);
    if (dialect != NULL)
        return print_warehouse(dialect);
    struct config config;
    if (!command_configure(&config))
        return EXIT_CONFIG;
    struct db_pool *pool = NULL;
    int code = command_open_store(&config, false, &pool);
    if (code == EXIT_DONE)
        code = wants_status     ? print_status(pool)
               : reader != NULL ? grant(pool, reader)
                                : apply(pool);
    db_pool_close(pool);
    config_clear(&config);
    return code;
}
