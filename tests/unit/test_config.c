/* test_config.c - config.h: where values come from, what is refused and how that is said. */
#include "server/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ENVIRONMENT(...) ((const char *const[]){__VA_ARGS__, NULL})

static char file_path[64];
static char file_setting[96];

static void write_file(const char *text)
{
    (void)snprintf(file_path, sizeof file_path, "/tmp/test_config_%ld", (long)getpid());
    (void)snprintf(file_setting, sizeof file_setting, "CMMC_CONFIG=%s", file_path);
    FILE *file = fopen(file_path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* config_load as main calls it: with environ's type. */
static enum status load(struct config *config, const char *const *settings, struct err *err)
{
    char room[8][128];
    char *environment[9] = {NULL};
    for (size_t i = 0; settings[i] != NULL; i++) {
        assert_true(i < 8);
        (void)snprintf(room[i], sizeof room[i], "%s", settings[i]);
        environment[i] = room[i];
    }
    return config_load(config, environment, err);
}

static int remove_file(void **state)
{
    (void)state;
    if (file_path[0] != '\0')
        (void)unlink(file_path);
    return 0;
}

static void defaults_are_valid(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(load(&config, ENVIRONMENT("HOME=/x", "OTHER_PORT=1"), NULL), STATUS_OK);
    assert_int_equal(config.port, 8080);
    assert_string_equal(config.bind, "127.0.0.1");
    assert_string_equal(config.database_url, "");
    assert_int_equal(config.log_level, 1);
    assert_true(config.backtest_cells_max > UINT32_MAX / 4); /* a wide field */
    assert_int_equal(config.sources[SETTING_port], CONFIG_DEFAULT);
    assert_true(config_http_threads(&config) >= 2);
    assert_true(config_cpu_workers(&config) >= 1);
    config_clear(&config);
}

static void environment_beats_file_beats_default(void **state)
{
    (void)state;
    struct config config;
    struct err err = {0};
    write_file("# a comment\n\n port = 1000 \r\nops_port=1001\nlog_level = warn\ncors_origin =\n");
    assert_int_equal(
        load(&config, ENVIRONMENT(file_setting, "CMMC_PORT=2000", "CMMC_TEST_X=1", "CMMC_BIN=x"),
             &err),
        STATUS_OK);
    assert_int_equal(config.port, 2000);
    assert_int_equal(config.sources[SETTING_port], CONFIG_ENVIRONMENT);
    assert_int_equal(config.ops_port, 1001);
    assert_int_equal(config.sources[SETTING_ops_port], CONFIG_FILE);
    assert_int_equal(config.log_level, 2);
    assert_string_equal(config.cors_origin, "");
    config_clear(&config);
}

static void every_wrong_value_is_named_with_its_source_and_range(void **state)
{
    (void)state;
    static const struct {
        const char *setting, *name, *allowed;
    } bad[] = {
        {"CMMC_PORT=65536", "port", "0 to 65535 port"},
        {"CMMC_PORT=-1", "port", "0 to 65535 port"},
        {"CMMC_PORT=80a", "port", "0 to 65535 port"},
        {"CMMC_PORT=", "port", "0 to 65535 port"},
        {"CMMC_PORT= 80", "port", "0 to 65535 port"},
        {"CMMC_IO_WORKERS=0", "io_workers", "1 to 256 threads"},
        {"CMMC_LOG_LEVEL=inof", "log_level", "debug|info|warn|error"},
        {"CMMC_BIND=", "bind", "1 to 45 bytes of UTF-8 without control characters"},
        {"CMMC_VAR_DIR=a\nb", "var_dir", "1 to 1024 bytes of UTF-8 without control characters"},
        {"CMMC_BACKTEST_CELLS_MAX=999", "backtest_cells_max", "1000 to 100000000000 cells"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct config config;
        struct err err = {0};
        assert_int_equal(load(&config, ENVIRONMENT(bad[i].setting), &err), STATUS_CONFIG);
        assert_int_equal(err.where, ERR_SETTING);
        assert_string_equal(err.name, bad[i].name);
        assert_string_equal(err.allowed, bad[i].allowed);
        assert_non_null(strstr(err.detail, "environment"));
    }
}

static void typing_errors_are_errors_with_a_suggestion(void **state)
{
    (void)state;
    struct config config;
    struct err err = {0};
    assert_int_equal(load(&config, ENVIRONMENT("CMMC_PROT=1"), &err), STATUS_CONFIG);
    assert_string_equal(err.suggestion, "CMMC_PORT");
    assert_int_equal(load(&config, ENVIRONMENT("CMMC_LOG_LEVEL=inof"), &err), STATUS_CONFIG);
    assert_string_equal(err.suggestion, "info");
    write_file("port = 1\nqueue_oi = 3\n");
    assert_int_equal(load(&config, ENVIRONMENT(file_setting), &err), STATUS_CONFIG);
    assert_string_equal(err.suggestion, "queue_io");
    assert_non_null(strstr(err.detail, "Line 2"));
    write_file("port\n");
    assert_int_equal(load(&config, ENVIRONMENT(file_setting), &err), STATUS_CONFIG);
    write_file("port = 99999\n");
    assert_int_equal(load(&config, ENVIRONMENT(file_setting), &err), STATUS_CONFIG);
    assert_non_null(strstr(err.detail, "line 1"));
    assert_int_equal(load(&config, ENVIRONMENT("CMMC_CONFIG=/nonexistent/file"), &err), STATUS_IO);
}

static char *printed(const struct config *config, int how)
{
    char *text = NULL;
    size_t n = 0;
    FILE *file = open_memstream(&text, &n);
    assert_non_null(file);
    enum status s = how == 2 ? config_print_json(config, file, NULL)
                             : config_print(config, file, how == 1, NULL);
    assert_int_equal(s, STATUS_OK);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void secrets_are_checked_and_never_shown(void **state)
{
    (void)state;
    struct config config;
    struct err err = {0};
    assert_int_equal(load(&config, ENVIRONMENT("CMMC_DATABASE_URL=mysql://me:hunter2@db/x"), &err),
                     STATUS_CONFIG);
    assert_null(strstr(err.detail, "hunter2"));
    assert_string_equal(err.value, "***");
    assert_int_equal(
        load(&config, ENVIRONMENT("CMMC_DATABASE_URL=postgresql://me:hunter2@db/x"), &err),
        STATUS_OK);
    assert_string_equal(config.database_url, "postgresql://me:hunter2@db/x");
    for (int how = 0; how < 3; how++) {
        char *text = printed(&config, how);
        assert_null(strstr(text, "hunter2"));
        assert_non_null(strstr(text, "***"));
        free(text);
    }
    config_clear(&config);
}

static void printing_shows_every_setting(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(load(&config, ENVIRONMENT("CMMC_PORT=4321"), NULL), STATUS_OK);
    for (int how = 0; how < 3; how++) {
        char *text = printed(&config, how);
        for (int i = 0; i < SETTING_COUNT; i++) {
            struct setting_info info;
            config_describe(&config, (enum setting)i, &info);
            assert_non_null(strstr(text, info.key));
            assert_non_null(strstr(text, info.environment));
            assert_true(strlen(info.help) > 10);
        }
        assert_non_null(strstr(text, "4321"));
        free(text);
    }
    config_clear(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_valid),
        cmocka_unit_test(environment_beats_file_beats_default),
        cmocka_unit_test(every_wrong_value_is_named_with_its_source_and_range),
        cmocka_unit_test(typing_errors_are_errors_with_a_suggestion),
        cmocka_unit_test(secrets_are_checked_and_never_shown),
        cmocka_unit_test(printing_shows_every_setting),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
