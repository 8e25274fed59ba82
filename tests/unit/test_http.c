/* test_http.c - the protocol as clients see it: methods, forms of the target, bodies, keep-alive, errors. */
#include "tests/unit/test_http.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static struct world world;

static int start(void **state)
{
    (void)state;
    world_start(&world, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop(&world);
    return 0;
}

static void twenty_pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    char text[4096] = "";
    for (int i = 0; i < 20; i++) /* every second one goes through suspend and resume */
        (void)snprintf(text + strlen(text), sizeof text - strlen(text),
                       "GET %s%d HTTP/1.1\r\nHost: x\r\n\r\n",
                       i % 2 == 0 ? "/items/" : "/sleep?ms=1&n=", i);
    send_text(fd, text);
    for (int i = 0; i < 20; i++) {
        char *answer = read_one(fd, false), wanted[16];
        (void)snprintf(wanted, sizeof wanted, "%d", i);
        assert_int_equal(status_of(answer), 200);
        assert_string_equal(body_of(answer), i % 2 == 0 ? wanted : "slept\n");
        free(answer);
    }
    (void)close(fd);
}

static void request_split_into_single_bytes_is_answered(void **state)
{
    (void)state;
    static const char text[] =
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    int fd = connect_to(world.port);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        assert_true(send_bytes(fd, &text[i], 1));
        sleep_ms(1);
    }
    char *answer = read_all(fd, NULL);
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "hello world");
    free(answer);
    (void)close(fd);
}

static void head_has_the_headers_of_get_and_no_body(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    send_text(fd, "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    char *head = read_one(fd, true), *get = read_one(fd, false);
    assert_int_equal(status_of(head), 200);
    assert_non_null(strstr(head, "Content-Length: 6\r\n"));
    assert_non_null(strstr(head, "ETag: \"hello\"\r\n"));
    assert_int_equal(status_of(get), 200);
    assert_string_equal(body_of(get), "hello\n");
    free(head);
    free(get);
    (void)close(fd);
}

static void options_answers_allow_and_preflight(void **state)
{
    (void)state;
    char *plain = converse(world.port, "OPTIONS /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(status_of(plain), 204);
    assert_non_null(strstr(plain, "Allow: GET, HEAD, OPTIONS\r\n"));
    assert_null(strstr(plain, "Access-Control-Allow-Methods"));
    char *star = converse(world.port, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(status_of(star), 204);
    assert_non_null(strstr(star, "Allow: GET, HEAD, POST"));
    char *preflight =
        converse(world.port, "OPTIONS /echo HTTP/1.1\r\nHost: x\r\nOrigin: http://a.example\r\n"
                             "Access-Control-Request-Method: POST\r\n\r\n");
    assert_int_equal(status_of(preflight), 204);
    assert_non_null(strstr(preflight, "Access-Control-Allow-Methods: POST, OPTIONS\r\n"));
    assert_non_null(strstr(preflight, "Access-Control-Allow-Origin: *\r\n"));
    assert_non_null(strstr(preflight, "Access-Control-Max-Age: 86400\r\n"));
    assert_problem(world.port, "OPTIONS /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404, "Q110");
    free(plain);
    free(star);
    free(preflight);
}

static void unknown_address_suggests_the_nearest(void **state)
{
    (void)state;
    char *answer = converse(world.port, GET("/helo"));
    assert_int_equal(status_of(answer), 404);
    assert_non_null(strstr(answer, "\"suggestion\":\"/hello\""));
    assert_non_null(strstr(answer, "\"type\":\"/docs/problems/not-found\""));
    assert_non_null(strstr(answer, "\"instance\":\"urn:uuid:"));
    assert_non_null(strstr(answer, "\"retryable\":false"));
    free(answer);
    answer = converse(world.port, GET("/item/apple"));
    assert_non_null(strstr(answer, "\"suggestion\":\"/items/apple\""));
    free(answer);
}

static void wrong_method_is_405_with_allow_and_keeps_get_connections(void **state)
{
    (void)state;
    char *answer = converse(world.port, "DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(status_of(answer), 405);
    assert_non_null(strstr(answer, "Allow: GET, HEAD, OPTIONS\r\n"));
    assert_non_null(strstr(answer, "Connection: close\r\n"));
    free(answer);
    int fd = connect_to(world.port);
    for (int i = 0; i < 3; i++) { /* a client's mistake does not cost a GET its connection */
        send_text(fd, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        answer = read_one(fd, false);
        assert_int_equal(status_of(answer), 405);
        free(answer);
    }
    (void)close(fd);
}

static void methods_and_versions_are_exact(void **state)
{
    (void)state;
    assert_problem(world.port, "TRACE /hello HTTP/1.1\r\nHost: x\r\n\r\n", 405, "Q114");
    assert_problem(world.port, "get /hello HTTP/1.1\r\nHost: x\r\n\r\n", 501, "Q116");
    assert_problem(world.port, "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501, "Q116");
    assert_problem(world.port, "GET /hello HTTP/1.2\r\nHost: x\r\n\r\n", 505, "Q117");
    assert_answer(world.port, "GET /hello HTTP/2.0\r\nHost: x\r\n\r\n",
                  505); /* the library's own page */
    assert_answer(world.port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
}

static void absolute_form_is_the_path_and_other_forms_are_refused(void **state)
{
    (void)state;
    assert_answer(world.port, GET("http://x/hello"), 200);
    assert_answer(world.port, GET("HTTPS://x:8080/items/a?b=c"), 200);
    assert_problem(world.port, GET("http://x"), 404, "Q110");
    assert_problem(world.port, GET("http://u:p@x/hello"), 400, "Q100");
    assert_problem(world.port, GET("ftp://x/hello"), 400, "Q100");
    assert_problem(world.port, GET("x:80"), 400, "Q100");
    assert_problem(world.port, GET("*"), 400, "Q100");
}

static void paths_that_mean_two_things_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {"/items/a%2Fb",    "/items/a%2fb",       "/items/a%00b",
                                        "/items/..",       "/items/%2e%2e",      "/./hello",
                                        "//hello",         "/items//a",          "/items/%zz",
                                        "/items/%4",       "/items/%ff",         "/items/a#b",
                                        "/items/\xc3\xa9", "/items/%0d%0aX: y",  "/items/a%5cb",
                                        "/items/a\x01",    "/items/%c0%ae%c0%ae"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                       paths[i]);
        assert_problem(world.port, text, 400, "Q100");
    }
    char *answer = converse(world.port, GET("/items/%EA%B0%80+%61"));
    assert_string_equal(body_of(answer), "\xea\xb0\x80+a");
    free(answer);
    answer = converse(world.port, GET("/items/fixed"));
    assert_string_equal(body_of(answer), "hello\n");
    free(answer);
    assert_problem(world.port, GET("/hello/"), 404, "Q110");
}

static void query_parameters_are_decoded_once(void **state)
{
    (void)state;
    char *answer = converse(world.port, GET("/query?a=1&a=2&b&&c=&d=x%2By+z&e=%2541"));
    assert_string_equal(body_of(answer),
                        "[a]=[1]\n[a]=[2]\n[b]=[]\n[c]=[]\n[d]=[x+y z]\n[e]=[%41]\n");
    free(answer);
    answer = converse(world.port, GET("/query?ok=1&bad=%zz"));
    assert_int_equal(status_of(answer), 400);
    assert_non_null(strstr(answer, "\"parameter\":\"bad\""));
    free(answer);
    assert_problem(world.port, GET("/query?a=%00"), 400, "Q100");
    assert_problem(world.port, GET("/query?a=%ff"), 400, "Q100");
    assert_problem(world.port, GET("/query?=v"), 400, "Q100");
}

static void oversized_heads_get_an_answer_or_a_close_never_silence(void **state)
{
    (void)state;
    static const size_t sizes[] = {7 * 1024, 9 * 1024, 64 * 1024, 200 * 1024};
    static const int statuses[] = {200, 414, 414, 414};
    static const char tail[] = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char *text = malloc(sizes[i] + 128);
        assert_non_null(text);
        memcpy(text, "GET /query?a=", 13);
        memset(text + 13, 'x', sizes[i]);
        memcpy(text + 13 + sizes[i], tail, sizeof tail);
        assert_answer(world.port, text, statuses[i]);
        free(text);
    }
    for (size_t n = 200; n <= 12800; n *= 4) {
        char *text = calloc(1, n * 2 + 128);
        assert_non_null(text);
        memcpy(text, "GET /hello?a", 12);
        for (size_t i = 0; i + 1 < n; i++)
            memcpy(text + 12 + 2 * i, "&a", 2);
        memcpy(text + 12 + 2 * (n - 1), tail, sizeof tail);
        int64_t from = now_ms();
        char *answer = converse(world.port, text); /* asserts that the server closes */
        assert_true(now_ms() - from < 2000);
        /* Beyond what the library has room for, only closing is left. */
        assert_true(n == 200 ? status_of(answer) == 200 : status_of(answer) != 200);
        free(answer);
        free(text);
    }
}

static void too_many_or_too_long_headers_are_431(void **state)
{
    (void)state;
    char text[64 * 1024] = "GET /hello HTTP/1.1\r\nHost: x\r\n";
    for (int i = 0; i < 65; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "X-%d: y\r\n", i);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "\r\n");
    assert_problem(world.port, text, 431, "L102");
    size_t at = (size_t)snprintf(text, sizeof text, "GET /hello HTTP/1.1\r\nHost: x\r\nX: ");
    memset(text + at, 'y', 20000);
    memcpy(text + at + 20000, "\r\n\r\n", 5);
    assert_problem(world.port, text, 431, "L102");
}

/* Far more than anyone sends is served; what is beyond the library's room is refused or cut, never left waiting. */
static void large_head_is_served_and_a_larger_one_is_not_left_waiting(void **state)
{
    (void)state;
    for (size_t n = 100; n <= 900; n += 200) {
        size_t room = 64 * 1024, len = 0;
        char *text = malloc(room);
        assert_non_null(text);
        len += (size_t)snprintf(text, room, "GET /hello?a");
        for (size_t i = 1; i < n; i++)
            len += (size_t)snprintf(text + len, room - len, "&a=%010zu", i);
        len += (size_t)snprintf(text + len, room - len,
                                " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        for (int i = 2; i < REQUEST_HEADERS_MAX; i++)
            len += (size_t)snprintf(text + len, room - len, "X-%d: %0120d\r\n", i, i);
        (void)snprintf(text + len, room - len, "\r\n");
        int64_t from = now_ms();
        char *answer = converse(world.port, text);
        assert_true(now_ms() - from < 2000);
        if (n == 100)
            assert_int_equal(status_of(answer), 200);
        free(answer);
        free(text);
    }
}

static void http_10_closes_unless_asked_to_stay(void **state)
{
    (void)state;
    char *answer = converse(world.port, "GET /hello HTTP/1.0\r\n\r\n");
    assert_int_equal(status_of(answer), 200);
    assert_null(strstr(answer, "chunked"));
    free(answer);
    int fd = connect_to(world.port);
    for (int i = 0; i < 2; i++) {
        send_text(fd, "GET /io HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
        answer = read_one(fd, false);
        assert_int_equal(status_of(answer), 200);
        free(answer);
    }
    (void)close(fd);
}

static void bodies_of_ten_mebibytes_go_both_ways(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    char head[128];
    (void)snprintf(head, sizeof head,
                   "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", BIG_BYTES);
    send_text(fd, head);
    assert_true(send_bytes(fd, big_body, BIG_BYTES));
    char *answer = read_all(fd, NULL);
    assert_int_equal(status_of(answer), 200);
    assert_int_equal(content_length(answer), BIG_BYTES);
    assert_memory_equal(body_of(answer), big_body, BIG_BYTES);
    free(answer);
    (void)close(fd);
    answer = converse(world.port, GET("/big"));
    assert_memory_equal(body_of(answer), big_body, BIG_BYTES);
    free(answer);
}

static void body_limits_count_decoded_bytes_and_the_client_can_read_the_error(void **state)
{
    (void)state;
    static char text[40000];
    char *body = malloc(1025);
    assert_non_null(body);
    memset(body, 'b', 1025);
    for (int n = 1024; n <= 1025; n++) {
        (void)snprintf(text, sizeof text,
                       "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%.*s", n, n,
                       body);
        assert_answer(world.port, text, n == 1024 ? 200 : 413);
        (void)snprintf(text, sizeof text,
                       "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "%x\r\n%.*s\r\n0\r\n\r\n",
                       (unsigned)n, n, body);
        assert_answer(world.port, text, n == 1024 ? 200 : 413);
    }
    free(body);
    int fd = connect_to(
        world.port); /* nothing of a large refused body is lost on the way to the error */
    (void)snprintf(text, sizeof text,
                   "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", BIG_BYTES);
    send_text(fd, text);
    assert_true(send_bytes(fd, big_body, BIG_BYTES));
    char *answer = read_all(fd, NULL);
    assert_int_equal(status_of(answer), 413);
    free(answer);
    (void)close(fd);
    assert_answer(world.port, "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
                  200);
    assert_problem(world.port, "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
                   404, "Q110");
}

static void expectations_are_met_or_refused_before_the_body(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    send_text(
        fd, "POST /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    char *interim = read_one(fd, false);
    assert_int_equal(status_of(interim), 100);
    send_text(fd, "abc");
    char *answer = read_all(fd, NULL);
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "abc");
    (void)close(fd);
    free(interim);
    free(answer);
    assert_problem(
        world.port,
        "POST /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4000\r\n\r\n",
        413, "L100");
    assert_problem(
        world.port,
        "POST /nowhere HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
        404, "Q110");
    assert_problem(
        world.port,
        "GET /hello HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\nConnection: close\r\n\r\n", 417,
        "Q115");
}

static void request_ids_are_ours_or_the_clients(void **state)
{
    (void)state;
    char *answer = converse(
        world.port,
        "GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-Id: abc-123\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(answer, "X-Request-Id: abc-123\r\n"));
    free(answer);
    answer =
        converse(world.port,
                 "GET /helo HTTP/1.1\r\nHost: x\r\nX-Request-Id: a b\r\nConnection: close\r\n\r\n");
    const char *id = strstr(answer, "X-Request-Id: ");
    assert_non_null(id);
    assert_int_equal(id[14 + 14], '7'); /* UUIDv7 */
    assert_int_equal(id[14 + 36], '\r');
    free(answer);
}

static void memory_used_up_is_still_a_problem_document(void **state)
{
    (void)state;
    assert_problem(world.port, GET("/hungry"), 503, "X102");
}

static void standard_headers_are_on_every_answer(void **state)
{
    (void)state;
    static const char *const texts[] = {GET("/hello"), GET("/io"), GET("/nowhere"),
                                        GET("/items/%00")};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char *answer = converse(world.port, texts[i]);
        assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff\r\n"));
        assert_non_null(strstr(answer, "X-Request-Id: "));
        assert_non_null(strstr(answer, "Server-Timing: queue;dur="));
        assert_non_null(strstr(answer, "Access-Control-Expose-Headers: "));
        assert_non_null(strstr(answer, "Date: "));
        free(answer);
    }
}

static void ops_routes_are_only_on_the_ops_listener(void **state)
{
    (void)state;
    assert_problem(world.port, GET("/metrics"), 404, "Q110");
    assert_problem(world.ops_port, GET("/hello"), 404, "Q110");
    char *answer = converse(world.ops_port, GET("/metrics"));
    assert_int_equal(status_of(answer), 200);
    assert_non_null(
        strstr(answer, "cmmc_http_requests_total{route=\"/hello\",method=\"GET\",status=\"200\"}"));
    assert_non_null(strstr(answer, "cmmc_queue_depth{lane=\"cpu\"} 0"));
    assert_null(strstr(answer, "/helo"));
    free(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_pipelined_requests_are_answered_in_order),
        cmocka_unit_test(request_split_into_single_bytes_is_answered),
        cmocka_unit_test(head_has_the_headers_of_get_and_no_body),
        cmocka_unit_test(options_answers_allow_and_preflight),
        cmocka_unit_test(unknown_address_suggests_the_nearest),
        cmocka_unit_test(wrong_method_is_405_with_allow_and_keeps_get_connections),
        cmocka_unit_test(methods_and_versions_are_exact),
        cmocka_unit_test(absolute_form_is_the_path_and_other_forms_are_refused),
        cmocka_unit_test(paths_that_mean_two_things_are_refused),
        cmocka_unit_test(query_parameters_are_decoded_once),
        cmocka_unit_test(oversized_heads_get_an_answer_or_a_close_never_silence),
        cmocka_unit_test(too_many_or_too_long_headers_are_431),
        cmocka_unit_test(large_head_is_served_and_a_larger_one_is_not_left_waiting),
        cmocka_unit_test(http_10_closes_unless_asked_to_stay),
        cmocka_unit_test(bodies_of_ten_mebibytes_go_both_ways),
        cmocka_unit_test(body_limits_count_decoded_bytes_and_the_client_can_read_the_error),
        cmocka_unit_test(expectations_are_met_or_refused_before_the_body),
        cmocka_unit_test(request_ids_are_ours_or_the_clients),
        cmocka_unit_test(memory_used_up_is_still_a_problem_document),
        cmocka_unit_test(standard_headers_are_on_every_answer),
        cmocka_unit_test(ops_routes_are_only_on_the_ops_listener),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
