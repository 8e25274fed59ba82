/* command.c - what the subcommands share: errors for a person, settings, the store. */
#include "cli/command.h"

#include "backtest/kernels.h"
#include "base/log.h"
#include "handlers/aws_service.h"
#include "store/migrate.h"

#include <stdio.h>
#include <string.h>

extern char **environ;

int command_fail(const struct err *err)
{
    (void)fprintf(stderr, "cmmc: %s\n", err->detail);
    if (err->name[0] != '\0')
        (void)fprintf(stderr, "  at:      %s%s%s%s\n", err->where == ERR_LINE ? "line " : "",
                      err->name, err->value[0] == '\0' ? "" : " = ", err->value);
    if (err->suggestion[0] != '\0')
        (void)fprintf(stderr, "  nearest: %s\n", err->suggestion);
    if (err->allowed[0] != '\0')
        (void)fprintf(stderr, "  allowed: %s\n", err->allowed);
    return err->status == STATUS_CONFIG ? EXIT_CONFIG : EXIT_FAILED;
}

enum status command_read_request(const char *path, size_t max, struct arena *arena, struct str *ret,
                                 struct err *err)
{
    bool is_stdin = path == NULL || strcmp(path, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(path, "rb");
    if (in == NULL)
        return err_set(err, STATUS_IO, "%s cannot be opened.", path);
    char *text = arena_alloc(arena, max + 1);
    size_t n = text == NULL ? 0 : fread(text, 1, max + 1, in);
    bool is_broken = text == NULL || ferror(in) != 0;
    if (!is_stdin)
        (void)fclose(in);
    if (is_broken)
        return err_set(err, STATUS_IO, "The request cannot be read.");
    if (n > max)
        return err_set(err, STATUS_BODY_TOO_LARGE, "The request is longer than %zu bytes.", max);
    *ret = (struct str){text, n};
    return STATUS_OK;
}

int command_misused(const char *name, const char *argument)
{
    if (argument[0] == '\0')
        (void)fprintf(stderr, "cmmc %s: an argument is missing; see `cmmc %s --help`\n", name,
                      name);
    else
        (void)fprintf(stderr, "cmmc %s: unexpected argument \"%s\"; see `cmmc %s --help`\n", name,
                      argument, name);
    return EXIT_USAGE;
}

bool command_is_flag(const char *argument, const char *flag)
{
    return argument[0] == '-' && argument[1] == '-' && strcmp(argument + 2, flag) == 0;
}

bool command_configure(struct config *ret)
{
    struct err err = {0};
    if (config_load(ret, environ, &err) != STATUS_OK) {
        (void)command_fail(&err);
        return false;
    }
    if (kernels_choose((enum kernels_choice)ret->kernels) == NULL) {
        (void)err_set(&err, STATUS_CONFIG,
                      "This processor or build has not what kernels=%s asks for.",
                      ret->kernels == KERNELS_AVX2 ? "avx2" : "avx512");
        err_allow(&err, "auto: the fastest there is");
        (void)command_fail(&err);
        config_clear(ret);
        return false;
    }
    if (aws_service_secrets(ret, &err) != STATUS_OK) {
        (void)command_fail(&err);
        config_clear(ret);
        return false;
    }
    log_set_level((enum log_level)ret->log_level);
    return true;
}

int command_open_store(const struct config *config, bool migrate, struct db_pool **ret)
{
    struct err err = {0};
    char path[1100];
    (void)snprintf(path, sizeof path, "%s/cmmc.db", config->var_dir);
    bool is_embedded = config->database_url[0] == '\0';
    struct db_options options = {
        .url = config->database_url,
        .read_urls = config->database_read_url,
        .sqlite_path = path,
        .pool_max = config->db_pool,
        .acquire_ms = config->db_acquire_ms,
        .statement_ms = config->db_statement_ms,
    };
    enum status s = is_embedded ? config_make_var_dir(config, &err) : STATUS_OK;
    if (s == STATUS_OK)
        s = db_pool_open(&options, ret, &err);
    if (s != STATUS_OK)
        return command_fail(&err);
    int n_applied = 0;
    if (migrate && migrate_up(*ret, &n_applied, &err) != STATUS_OK) {
        db_pool_close(*ret);
        *ret = NULL;
        return command_fail(&err);
    }
    return EXIT_DONE;
}
