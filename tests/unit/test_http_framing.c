/* test_http_framing.c - whatever is wrong with a head, exactly one request is answered and the connection ends. */
#include "tests/unit/test_http.h"

#define SECOND "GET /items/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

static struct world world;

static int start(void **state)
{
    (void)state;
    world_start(&world, (const char *const[]){"HEADER_TIMEOUT_MS=600", "BODY_TIMEOUT_MS=600",
                                              "IDLE_TIMEOUT_S=3", NULL});
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop(&world);
    return 0;
}

struct attempt {
    const char *name;
    const char *text;
    size_t n;
    int status; /* 0: any single answer, or none */
};

#define TRY(name, text, status)              \
    {                                        \
        name, text, sizeof(text) - 1, status \
    }

static const struct attempt tries[] = {
    TRY("length and chunked",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n" SECOND,
        400),
    TRY("chunked and length",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
        "0\r\n\r\n" SECOND,
        400),
    TRY("two lengths",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 42\r\n\r\n" SECOND,
        400),
    TRY("two equal lengths",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n" SECOND,
        400),
    TRY("two codings",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n"
        "0\r\n\r\n" SECOND,
        400),
    TRY("space before colon",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length : 42\r\n\r\n" SECOND, 400),
    TRY("tab before colon",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length\t: 42\r\n\r\n" SECOND, 400),
    TRY("space before coding's colon",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n"
        "0\r\n\r\n" SECOND,
        400),
    TRY("folded length", "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n 42\r\n\r\n" SECOND,
        400),
    TRY("folded coding",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" SECOND,
        0),
    TRY("NUL in a value",
        "POST /small HTTP/1.1\r\nHost: x\r\nA: b\0c\r\nContent-Length: 42\r\n\r\n" SECOND, 0),
    TRY("NUL in a name", "POST /small HTTP/1.1\r\nHost: x\r\nContent-\0Length: 42\r\n\r\n" SECOND,
        0),
    TRY("bare CR in a value",
        "POST /small HTTP/1.1\r\nHost: x\r\nA: b\rContent-Length: 42\r\n\r\n" SECOND, 0),
    TRY("bare LF lines", "POST /small HTTP/1.1\nHost: x\nContent-Length: 0\n\n" SECOND, 0),
    TRY("bare LF before a length",
        "POST /small HTTP/1.1\r\nHost: x\r\nA: b\nContent-Length: 0\r\n\r\n" SECOND, 0),
    TRY("name that starts like length",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length2: 42\r\n\r\n" SECOND, 400),
    TRY("name that starts like coding",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding-X: chunked\r\n\r\n" SECOND, 400),
    TRY("unknown coding",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SECOND,
        501),
    TRY("gzip coding",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" SECOND,
        501),
    TRY("identity coding",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n" SECOND, 501),
    TRY("coding in HTTP/1.0",
        "POST /small HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SECOND,
        400),
    TRY("no host", "GET /hello HTTP/1.1\r\n\r\n" SECOND, 400),
    TRY("two hosts", "GET /hello HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n" SECOND, 400),
    TRY("empty host", "GET /hello HTTP/1.1\r\nHost:\r\n\r\n" SECOND, 400),
    TRY("junk host", "GET /hello HTTP/1.1\r\nHost: a/b@c\r\n\r\n" SECOND, 400),
    TRY("host with a look-alike", "GET /hello HTTP/1.1\r\nHost: x\r\nHost_: y\r\n\r\n" SECOND, 400),
    TRY("name that is no token", "GET /hello HTTP/1.1\r\nHost: x\r\nA(b): c\r\n\r\n" SECOND, 400),
    TRY("control character in a value",
        "GET /hello HTTP/1.1\r\nHost: x\r\nA: b\x01"
        "c\r\n\r\n" SECOND,
        400),
    TRY("space in the target", "GET /hello world HTTP/1.1\r\nHost: x\r\n\r\n" SECOND, 400),
    TRY("body that holds a request",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 42\r\n\r\n" SECOND SECOND, 200),
    TRY("body on a GET",
        "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 42\r\n\r\n" SECOND SECOND, 200),
    TRY("request after a POST",
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na" SECOND, 200),
    TRY("line feeds only in chunks",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\na\n0\n\n" SECOND,
        0),
    TRY("chunk size that is no number",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" SECOND, 0),
    TRY("chunk size that overflows",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "fffffffffffffffff\r\n" SECOND,
        0),
    TRY("no version", "GET /hello\r\n\r\n", 0),
    TRY("TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 0),
    TRY("garbage", "\xff\xfe\x00\x01garbage \x80\r\n\r\n", 0),
};

static void every_doubtful_head_gets_at_most_one_answer_and_a_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        const struct attempt *t = &tries[i];
        int fd = connect_to(world.port);
        bool is_closed = false;
        (void)send_bytes(fd, t->text, t->n);
        char *answer = read_all(fd, &is_closed);
        unsigned n = count_responses(answer);
        bool is_wrong = t->status != 0 ? status_of(answer) != t->status || n != 1 : n > 1;
        if (is_wrong || !is_closed || strstr(answer, "smuggled\"") != NULL ||
            strstr(body_of(answer), "HTTP/1.1 200") != NULL)
            fail_msg("%s: %u answers, %s:\n%s", t->name, n, is_closed ? "closed" : "open", answer);
        free(answer);
        (void)close(fd);
    }
}

/*
 * The library refuses these before any callback of ours and writes its header block twice: it cannot be
 * helped from here. Pinned, so that a new version shows itself: nothing is run and the connection ends.
 */
static void lengths_that_the_library_refuses_itself_run_nothing(void **state)
{
    (void)state;
    static const char *const lengths[] = {"-1", "+5", "5,5", "0x5", "99999999999999999999999", ""};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        char text[256];
        (void)snprintf(text, sizeof text,
                       "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\n" SECOND,
                       lengths[i]);
        char *answer = converse(world.port, text);
        assert_true(count_responses(answer) <= 2);
        assert_true(status_of(answer) == 400 || status_of(answer) == 413);
        assert_null(strstr(answer, "200 OK"));
        free(answer);
    }
}

/* A seeded stream of mutilated requests: the server answers or closes each and lives on. */
static void random_bytes_never_bring_it_down(void **state)
{
    (void)state;
    static const char seed_text[] =
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"
        "GET /query?a=%41&b=c HTTP/1.1\r\nHost: x\r\n\r\n";
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 300; round++) {
        char text[sizeof seed_text];
        memcpy(text, seed_text, sizeof text);
        for (int k = 0; k < 1 + round % 8; k++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            text[random % (sizeof text - 1)] = (char)(random >> 32);
        }
        int fd = connect_to(world.port);
        (void)send_bytes(fd, text, sizeof text - 1);
        (void)shutdown(fd, SHUT_WR);
        bool is_closed = false;
        char *answer = read_all(fd, &is_closed);
        if (!is_closed)
            fail_msg("round %d: silence", round);
        free(answer);
        (void)close(fd);
    }
    assert_answer(world.port, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_doubtful_head_gets_at_most_one_answer_and_a_close),
        cmocka_unit_test(lengths_that_the_library_refuses_itself_run_nothing),
        cmocka_unit_test(random_bytes_never_bring_it_down),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
