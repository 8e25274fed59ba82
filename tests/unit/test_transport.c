/* test_transport.c - requests to a server of raw answers in this program: whole, cut, slow, too large, redirected. */
#include "base/arena.h"
#include "base/attrs.h"
#include "base/gzip.h"
#include "base/stop.h"
#include "ingest/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 1 << 20, BODY_MAX = 256 << 10, PORT_TEXT = 8 };

/* What the server says to a path, byte by byte; then it closes, or stays silent until the test ends. */
struct script {
    const char *path;
    struct str answer;
    bool hangs;
};

struct server {
    int listener;
    unsigned port;
    pthread_t thread;
    pthread_mutex_t lock;
    struct script scripts[8];
    int n_requests;
    char request[REQUEST_MAX]; /* the last one, head and body */
};

static struct server server;
static struct transport *transport;
static struct arena arena;

static size_t body_start(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    return end == NULL ? 0 : (size_t)(end - text) + 4;
}

/* A head, and as much of a body as it announces. */
static void read_request(int client)
{
    size_t n = 0, want = 0;
    while (want == 0 || n < want) {
        ssize_t got = read(client, server.request + n, sizeof server.request - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        server.request[n] = '\0';
        size_t start = body_start(server.request);
        const char *length = strstr(server.request, "Content-Length: ");
        if (start == 0)
            continue;
        want = start + (length == NULL ? 0 : (size_t)atol(length + 16));
    }
    server.request[n] = '\0';
}

/* What the tests look at is written under the lock, and before the answer. */
static void answer_one(int client)
{
    struct script script = {0};
    char rest;
    (void)pthread_mutex_lock(&server.lock);
    read_request(client);
    server.n_requests++;
    const char *space = strchr(server.request, ' ');
    for (size_t i = 0; space != NULL && i < ARRAY_LEN(server.scripts); i++) {
        size_t n = server.scripts[i].path == NULL ? 0 : strlen(server.scripts[i].path);
        if (n > 0 && strncmp(space + 1, server.scripts[i].path, n) == 0 && space[1 + n] == ' ')
            script = server.scripts[i];
    }
    (void)pthread_mutex_unlock(&server.lock);
    if (script.answer.len > 0)
        (void)send(client, script.answer.ptr, script.answer.len, MSG_NOSIGNAL);
    while (script.hangs && read(client, &rest, 1) > 0) /* until the client has left */
        ;
    (void)close(client);
}

static void *serve(void *argument)
{
    (void)argument;
    for (;;) {
        int client = accept(server.listener, NULL, NULL);
        if (client < 0)
            return NULL;
        answer_one(client);
    }
}

static int setup(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    (void)state;
    memset(&server, 0, sizeof server);
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server.listener, (struct sockaddr *)&at, size) != 0 ||
        listen(server.listener, 8) != 0 ||
        getsockname(server.listener, (struct sockaddr *)&at, &size) != 0)
        return -1;
    server.port = ntohs(at.sin_port);
    arena_init(&arena, 4 << 20);
    (void)pthread_mutex_init(&server.lock, NULL);
    return pthread_create(&server.thread, NULL, serve, NULL) != 0 ||
           transport_new(NULL, &transport, NULL) != STATUS_OK;
}

static int teardown(void **state)
{
    (void)state;
    transport_freep(&transport);
    (void)shutdown(server.listener, SHUT_RDWR);
    (void)pthread_join(server.thread, NULL);
    arena_clear(&arena);
    return close(server.listener);
}

static PRINTF(1, 2) struct str text_of(const char *format, ...)
{
    struct buf out;
    va_list args;
    va_start(args, format);
    buf_init(&out, &arena, 1 << 20);
    buf_vprintf(&out, format, args);
    va_end(args);
    assert_non_null(buf_c_str(&out));
    return buf_str(&out);
}

static struct str here(const char *path)
{
    return text_of("http://127.0.0.1:%u%s", server.port, path);
}

static struct transport_request request_of(const char *method, const char *path)
{
    return (struct transport_request){.method = str_of(method),
                                      .url = here(path),
                                      .is_direct = true,
                                      .limits = {.total_ms = 20000, .redirects = 5}};
}

static enum status take(void *to, struct str bytes, struct err *err)
{
    (void)err;
    buf_add(to, bytes);
    return STATUS_OK;
}

static char body[BODY_MAX];

/* Sends, with the answer's body in body. */
static enum status send_it(struct transport_request request, struct transport_answer *ret,
                           struct err *err)
{
    struct buf out;
    buf_init_fixed(&out, body, sizeof body);
    request.write = take;
    request.to = &out;
    enum status s = transport_send(transport, &request, ret, err);
    body[out.len] = '\0';
    (void)pthread_mutex_lock(&server.lock);
    (void)pthread_mutex_unlock(&server.lock);
    return s;
}

static enum status get(const char *path, struct transport_answer *ret, struct err *err)
{
    return send_it(request_of("GET", path), ret, err);
}

static void say(size_t i, const char *path, struct str answer)
{
    server.scripts[i] = (struct script){path, answer, false};
}

static void an_answer_has_status_headers_and_body(void **state)
{
    struct transport_answer answer;
    (void)state;
    say(0, "/a?b=ymd%3D1",
        STR("HTTP/1.1 404 No\r\nX-One: 1\r\nx-one: 2\r\nEmpty:\r\nContent-Length: 4\r\n\r\nnone"));
    assert_int_equal(get("/a?b=ymd%3D1", &answer, NULL), STATUS_OK);
    assert_int_equal(answer.status, 404);
    assert_int_equal(answer.bytes, 4);
    assert_string_equal(body, "none");
    assert_true(str_eq_c(transport_header(transport, STR("X-ONE")), "1"));
    assert_int_equal(transport_header(transport, STR("empty")).len, 0);
    assert_null(transport_header(transport, STR("x-two")).ptr);
    assert_non_null(strstr(server.request, "User-Agent: cmmc/"));
    assert_null(strstr(server.request, "Accept"));
}

static void a_cut_answer_is_an_error(void **state)
{
    struct transport_answer answer;
    struct err err = {0};
    (void)state;
    say(0, "/length", STR("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
    say(1, "/chunk", STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"));
    say(2, "/head", STR("HTTP/1.1 200 OK\r\nContent-Len"));
    say(3, "/none", STR_NONE);
    say(4, "/garbage", STR("what is this\r\n\r\n"));
    const char *paths[] = {"/length", "/chunk", "/head", "/none", "/garbage"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_int_equal(get(paths[i], &answer, &err), STATUS_IO);
    assert_non_null(strstr(err.detail, "127.0.0.1"));
}

static void gzip_is_unpacked_whole_or_not_at_all(void **state)
{
    struct transport_answer answer;
    struct str packed;
    (void)state;
    assert_int_equal(gzip_pack(STR("date,close\n"), 6, &arena, &packed, NULL), STATUS_OK);
    for (size_t cut = 0; cut < 2; cut++) {
        struct str sent = str_sub(packed, 0, packed.len - 3 * cut);
        struct str head = text_of(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", sent.len);
        char *whole = arena_alloc(&arena, head.len + sent.len);
        assert_non_null(whole);
        memcpy(whole, head.ptr, head.len);
        memcpy(whole + head.len, sent.ptr, sent.len);
        say(cut, cut == 0 ? "/whole" : "/cut", (struct str){whole, head.len + sent.len});
    }
    say(2, "/brotli", STR("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"));
    say(3, "/not", STR("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"));
    struct transport_request request = request_of("GET", "/whole");
    assert_int_equal(send_it(request, &answer, NULL), STATUS_BAD_DATA); /* it was not asked for */
    request.takes_gzip = true;
    assert_int_equal(send_it(request, &answer, NULL), STATUS_OK);
    assert_string_equal(body, "date,close\n");
    assert_int_equal(answer.bytes, 11);
    assert_non_null(strstr(server.request, "Accept-Encoding: gzip\r\n"));
    request.limits.answer_bytes = 10;
    assert_int_equal(send_it(request, &answer, NULL), STATUS_TOO_LARGE);
    request.limits.answer_bytes = 0;
    const char *paths[] = {"/cut", "/brotli", "/not"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        request.url = here(paths[i]);
        assert_int_equal(send_it(request, &answer, NULL), STATUS_BAD_DATA);
    }
}

static void too_much_is_not_read_to_its_end(void **state)
{
    struct transport_answer answer;
    struct transport_request request = request_of("GET", "/ten");
    (void)state;
    say(0, "/ten", STR("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"));
    request.limits.answer_bytes = 10;
    assert_int_equal(send_it(request, &answer, NULL), STATUS_OK);
    request.limits.answer_bytes = 9;
    assert_int_equal(send_it(request, &answer, NULL), STATUS_TOO_LARGE);
    struct buf head;
    buf_init(&head, &arena, 1 << 20);
    buf_add_c(&head, "HTTP/1.1 200 OK\r\n");
    while (head.len < TRANSPORT_HEAD_BYTES)
        buf_printf(&head, "X-%zu: %01000d\r\n", head.len, 0);
    buf_add_c(&head, "Content-Length: 0\r\n\r\n");
    say(1, "/head", buf_str(&head));
    assert_int_equal(get("/head", &answer, NULL), STATUS_TOO_LARGE);
}

static void silence_ends_at_a_limit_or_a_stop(void **state)
{
    struct transport_answer answer;
    struct stop stop = {0};
    struct err err = {0};
    struct transport_request request = request_of("GET", "/hang");
    (void)state;
    server.scripts[0] =
        (struct script){"/hang", STR("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), true};
    request.limits.total_ms = 200;
    assert_int_equal(send_it(request, &answer, &err), STATUS_DEADLINE);
    assert_non_null(strstr(err.detail, "127.0.0.1"));
    request.limits = (struct transport_limits){.slow_bytes_s = 1000, .slow_s = 1};
    assert_int_equal(send_it(request, &answer, NULL), STATUS_DEADLINE);
    stop_raise(&stop, STOP_DRAINING);
    request.stop = &stop;
    assert_int_equal(send_it(request, &answer, NULL), STATUS_DRAINING);
}

/* A sink that raises the stop word when the first bytes are there: the silence after them ends. */
static enum status raise_it(void *to, struct str bytes, struct err *err)
{
    (void)bytes;
    (void)err;
    stop_raise(to, STOP_CLIENT_GONE);
    return STATUS_OK;
}

static void a_stop_ends_what_has_begun(void **state)
{
    struct transport_answer answer;
    struct stop stop = {0};
    struct transport_request request = request_of("GET", "/hang");
    (void)state;
    server.scripts[0] =
        (struct script){"/hang", STR("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), true};
    request.stop = &stop;
    request.write = raise_it;
    request.to = &stop;
    assert_int_equal(transport_send(transport, &request, &answer, NULL), STATUS_CLIENT_GONE);
}

static void redirects_are_followed_within_limits(void **state)
{
    struct transport_answer answer;
    struct err err = {0};
    const struct transport_field headers[] = {{STR("X-Key"), STR("s3cret")},
                                              {STR("Accept"), STR("text/csv")}};
    struct transport_request request = request_of("GET", "/from");
    (void)state;
    say(0, "/from",
        STR("HTTP/1.1 302 Found\r\nLocation: /to?a=1\r\nContent-Length: 5\r\n\r\nmoved"));
    say(1, "/to?a=1", STR("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere"));
    say(2, "/loop", STR("HTTP/1.1 301 Moved\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n"));
    say(3, "/file",
        STR("HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"));
    say(4, "/other",
        text_of("HTTP/1.1 307 T\r\nLocation: http://localhost:%u/to?a=1\r\n"
                "Content-Length: 0\r\n\r\n",
                server.port));
    request.headers = headers;
    request.n_headers = ARRAY_LEN(headers);
    assert_int_equal(send_it(request, &answer, NULL), STATUS_OK);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.redirects, 1);
    assert_string_equal(body, "here");
    assert_non_null(strstr(server.request, "X-Key: s3cret\r\n"));

    request.url = here("/other"); /* a key does not go to another origin */
    assert_int_equal(send_it(request, &answer, NULL), STATUS_OK);
    assert_null(strstr(server.request, "X-Key"));
    assert_non_null(strstr(server.request, "Accept: text/csv\r\n"));

    server.n_requests = 0;
    assert_int_equal(get("/loop", &answer, &err), STATUS_BAD_DATA);
    assert_int_equal(server.n_requests, 6);
    assert_int_equal(get("/file", &answer, &err), STATUS_BAD_DATA);
    request.url = here("/from");
    request.limits.redirects = 0;
    assert_int_equal(send_it(request, &answer, NULL), STATUS_OK);
    assert_int_equal(answer.status, 302);
    assert_string_equal(body, "moved");
}

/* So many bytes of 'x', then the end. */
static enum status give_x(void *from, char *room, size_t size, size_t *ret_n, struct err *err)
{
    int64_t *rest = from;
    size_t n = *rest < (int64_t)size ? (size_t)*rest : size;
    n = n > 1000 ? 1000 : n;
    (void)err;
    memset(room, 'x', n);
    *rest -= (int64_t)n;
    *ret_n = n;
    return STATUS_OK;
}

static void a_body_is_streamed(void **state)
{
    enum { BYTES = 100000 };
    struct transport_answer answer;
    struct err err = {0};
    int64_t rest = BYTES;
    struct transport_request request = request_of("PUT", "/put");
    const struct transport_field type = {STR("Content-Type"), STR("text/csv")};
    (void)state;
    say(0, "/put", STR("HTTP/1.1 201 Made\r\nETag: \"1\"\r\nContent-Length: 0\r\n\r\n"));
    request.read = give_x;
    request.from = &rest;
    request.body_bytes = BYTES;
    request.headers = &type;
    request.n_headers = 1;
    assert_int_equal(send_it(request, &answer, NULL), STATUS_OK);
    assert_int_equal(answer.status, 201);
    assert_true(str_eq_c(transport_header(transport, STR("etag")), "\"1\""));
    assert_int_equal(strlen(server.request + body_start(server.request)), BYTES);
    assert_non_null(strstr(server.request, "PUT /put HTTP/1.1\r\n"));
    assert_non_null(strstr(server.request, "Content-Type: text/csv\r\n"));
    rest = BYTES - 1;
    assert_int_equal(send_it(request, &answer, &err), STATUS_BAD_DATA);

    struct str text = STR("a=1");
    request = request_of("POST", "/put");
    request.read = transport_read_str;
    request.from = &text;
    request.body_bytes = 3;
    assert_int_equal(send_it(request, &answer, NULL), STATUS_OK);
    assert_string_equal(server.request + body_start(server.request), "a=1");
    assert_null(strstr(server.request, "Content-Type"));
}

static void head_has_no_body_and_any_length(void **state)
{
    struct transport_answer answer;
    struct transport_request request = request_of("HEAD", "/large");
    (void)state;
    say(0, "/large", STR("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n"));
    request.limits.answer_bytes = 10;
    assert_int_equal(send_it(request, &answer, NULL), STATUS_OK);
    assert_int_equal(answer.bytes, 0);
    assert_true(str_eq_c(transport_header(transport, STR("content-length")), "5000000000"));
    request = request_of("DELETE", "/gone");
    say(1, "/gone", STR("HTTP/1.1 204 No Content\r\n\r\n"));
    assert_int_equal(send_it(request, &answer, NULL), STATUS_OK);
    assert_int_equal(answer.status, 204);
}

static void what_cannot_be_asked_is_refused_without_its_secrets(void **state)
{
    struct transport_answer answer;
    struct err err = {0};
    const char *urls[] = {"",        "ftp://a/",    "file:///etc/passwd",
                          "http://", "http://a b/", "http:/\n/"};
    struct transport_request request = request_of("GET", "/");
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        request.url = str_of(urls[i]);
        assert_int_equal(send_it(request, &answer, &err), STATUS_BAD_VALUE);
    }
    const struct transport_field bad = {STR("X-Key"), STR("a\r\nHost: b")};
    request = request_of("GET", "/");
    request.headers = &bad;
    request.n_headers = 1;
    assert_int_equal(send_it(request, &answer, &err), STATUS_BAD_VALUE);
    request = request_of("GET", "/");
    request.url = STR("http://127.0.0.1:1/path?key=s3cret"); /* nobody listens there */
    assert_int_equal(send_it(request, &answer, &err), STATUS_IO);
    assert_null(strstr(err.detail, "s3cret"));
    request.url = STR("http://no-such-name.invalid/path?key=s3cret");
    assert_int_equal(send_it(request, &answer, &err), STATUS_IO);
    assert_null(strstr(err.detail, "s3cret"));
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(an_answer_has_status_headers_and_body),
        SERVED(a_cut_answer_is_an_error),
        SERVED(gzip_is_unpacked_whole_or_not_at_all),
        SERVED(too_much_is_not_read_to_its_end),
        SERVED(silence_ends_at_a_limit_or_a_stop),
        SERVED(a_stop_ends_what_has_begun),
        SERVED(redirects_are_followed_within_limits),
        SERVED(a_body_is_streamed),
        SERVED(head_has_no_body_and_any_length),
        SERVED(what_cannot_be_asked_is_refused_without_its_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
