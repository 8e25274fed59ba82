/* test_router.c - router.h: which row answers, and what is said when none does. */
#include "server/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum status nothing(struct request *request, struct err *err)
{
    (void)request;
    (void)err;
    return STATUS_OK;
}

/* Method, path, handler, lane, deadline in ms, body limit, ops? */
#define ROW(row_method, row_path, row_handler, row_lane, row_ms, row_bytes, row_ops)     \
    {                                                                                    \
        .method = METHOD_##row_method, .path = (row_path), .handler = (row_handler),     \
        .lane = LANE_##row_lane, .deadline_ms = (row_ms), .body_max_bytes = (row_bytes), \
        .access = (row_ops) ? ACCESS_OPS : ACCESS_READ, .summary = ""                    \
    }

static const struct route routes[] = {
    ROW(GET, "/", nothing, HTTP, 0, 0, false),
    ROW(GET, "/v1/marts", nothing, HTTP, 0, 0, false),
    ROW(GET, "/v1/marts/{mart}/rows", nothing, IO, 100, 0, false),
    ROW(GET, "/v1/marts/{mart}/rows/{key}", nothing, IO, 100, 0, false),
    ROW(GET, "/v1/backtests/{id}", nothing, IO, 100, 0, false),
    ROW(DELETE, "/v1/backtests/{id}", nothing, IO, 100, 0, false),
    ROW(GET, "/v1/backtests/examples", nothing, HTTP, 0, 0, false),
    ROW(POST, "/v1/backtests:validate", nothing, CPU, 100, 1024, false),
    ROW(GET, "/livez", nothing, HTTP, 0, 0, true),
};

static struct router *router, *ops;
static struct request request;

static int start(void **state)
{
    (void)state;
    assert_int_equal(router_new(routes, ARRAY_LEN(routes), false, &router, NULL), STATUS_OK);
    assert_int_equal(router_new(routes, ARRAY_LEN(routes), true, &ops, NULL), STATUS_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    arena_clear(&request.arena);
    router_free(router);
    router_free(ops);
    return 0;
}

static enum status match(const struct router *in, enum method method, const char *path,
                         struct err *err)
{
    arena_clear(&request.arena);
    request = (struct request){.method = method, .path = str_of(path)};
    arena_init(&request.arena, 1 << 16);
    return router_match(in, &request, err);
}

static const char *allow(void)
{
    for (size_t i = 0; i < request.reply.n_headers; i++)
        if (strcmp(request.reply.headers[i].name, "Allow") == 0)
            return request.reply.headers[i].value;
    return "";
}

static void parameters_are_decoded_and_literals_win(void **state)
{
    (void)state;
    assert_int_equal(match(router, METHOD_GET, "/v1/marts/mart_price/rows/a%2Cb", NULL), STATUS_OK);
    assert_string_equal(request.route->path, "/v1/marts/{mart}/rows/{key}");
    assert_string_equal(request.path_params[0].ptr, "mart_price"); /* ended by NUL, too */
    assert_true(str_eq_c(request.path_params[1], "a,b"));
    assert_int_equal(match(router, METHOD_GET, "/v1/backtests/examples", NULL), STATUS_OK);
    assert_string_equal(request.route->path, "/v1/backtests/examples");
    assert_int_equal(match(router, METHOD_GET, "/v1/backtests/other", NULL), STATUS_OK);
    assert_string_equal(request.route->path, "/v1/backtests/{id}");
    assert_int_equal(match(router, METHOD_HEAD, "/", NULL), STATUS_OK);
    assert_string_equal(request.route->path, "/");
}

static void one_address_has_one_spelling(void **state)
{
    (void)state;
    static const char *const paths[] = {"/v1/m%61rts", "/V1/marts", "/v1/marts/", "/v1",
                                        "/v1/marts/a/rows/b/c/d/e/f/g"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_int_equal(match(router, METHOD_GET, paths[i], NULL), STATUS_NOT_FOUND);
    assert_int_equal(match(router, METHOD_GET, "/livez", NULL), STATUS_NOT_FOUND);
    assert_int_equal(match(ops, METHOD_GET, "/livez", NULL), STATUS_OK);
}

static void miss_suggests_the_nearest_address_with_the_clients_own_values(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(match(router, METHOD_GET, "/v1/mart/mart_price/rows", &err), STATUS_NOT_FOUND);
    assert_string_equal(err.suggestion, "/v1/marts/mart_price/rows");
    assert_int_equal(match(router, METHOD_GET, "/completely/elsewhere", &err), STATUS_NOT_FOUND);
    assert_string_equal(err.suggestion, "");
}

static void wrong_method_lists_the_right_ones(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(match(router, METHOD_POST, "/v1/backtests/a", &err),
                     STATUS_METHOD_NOT_ALLOWED);
    assert_string_equal(allow(), "GET, HEAD, DELETE, OPTIONS");
    assert_string_equal(err.allowed, "GET, HEAD, DELETE, OPTIONS");
    assert_int_equal(match(router, METHOD_OPTIONS, "/v1/backtests:validate", &err), STATUS_OK);
    assert_null(request.route);
    assert_string_equal(allow(), "POST, OPTIONS");
    assert_int_equal(match(router, METHOD_HEAD, "/v1/backtests:validate", &err),
                     STATUS_METHOD_NOT_ALLOWED);
    /* A literal that does not take the method does not hide a parameter that does. */
    assert_int_equal(match(router, METHOD_DELETE, "/v1/backtests/examples", &err), STATUS_OK);
}

static void rows_that_cannot_be_served_are_refused(void **state)
{
    (void)state;
    const struct route bad[][2] = {
        {ROW(GET, "v1", nothing, HTTP, 0, 0, false)},
        {ROW(GET, "/{a", nothing, HTTP, 0, 0, false)},
        {ROW(GET, "/a", NULL, HTTP, 0, 0, false)},
        {ROW(GET, "/a", nothing, IO, 0, 0, false)},
        {ROW(GET, "/{a}/{b}/{c}/{d}/{e}", nothing, HTTP, 0, 0, false)},
        {ROW(GET, "/a/b/c/d/e/f/g/h/i", nothing, HTTP, 0, 0, false)},
        {ROW(GET, "/{a}", nothing, HTTP, 0, 0, false),
         ROW(GET, "/{b}", nothing, HTTP, 0, 0, false)},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct router *none = NULL;
        struct err err = {0};
        assert_int_equal(router_new(bad[i], bad[i][1].path == NULL ? 1 : 2, false, &none, &err),
                         STATUS_INTERNAL);
        assert_null(none);
        assert_true(err.detail[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_decoded_and_literals_win),
        cmocka_unit_test(one_address_has_one_spelling),
        cmocka_unit_test(miss_suggests_the_nearest_address_with_the_clients_own_values),
        cmocka_unit_test(wrong_method_lists_the_right_ones),
        cmocka_unit_test(rows_that_cannot_be_served_are_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
