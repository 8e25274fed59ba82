/*
 * loadgen.c - the one load generator of every comparison here: HTTP/1.1 over keep-alive connections, one thread, epoll.
 *
 *   loadgen [-c connections] [-d seconds] [-w warm-up seconds] [-r requests per second] [-H header]... PORT FILE
 *
 * FILE has one target a line; requests go through it round and round. Without -r each connection sends its next
 * request when it has its answer (closed loop: how much goes through). With -r the k-th request is due at k / rate
 * whatever the server does, and its latency counts from then: a stall is felt by every request that should have been
 * sent during it (open loop: what clients who do not wait for each other would see). Requests due while every
 * connection is busy wait in line, and their waiting counts.
 *
 * Prints one JSON object. An answer is counted when its last byte has arrived; latencies are exact, not bucketed.
 * Exit code 1: it could not connect. The sum of statuses and errors says what the server did.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 16384, READ_BYTES = 1 << 18, CONNECTIONS_MAX = 1024, HEADERS_MAX = 4096 };

enum phase { IN_HEAD, IN_BODY, IN_CHUNK_SIZE, IN_CHUNK, IN_CHUNK_END, IN_TRAILER };

struct conn {
    int fd;
    bool is_busy;
    int64_t due_ns; /* when its request was to be sent */
    enum phase phase;
    int status;
    bool closes;
    int64_t left; /* of the body or the chunk */
    size_t n_head;
    char head[HEAD_MAX]; /* of the answer; later the line of a chunk's size or of a trailer */
    const char *unsent;
    size_t n_unsent;
};

struct text {
    char *ptr;
    size_t len;
};

static struct {
    int port;
    size_t n_conns;
    double seconds, warm_s, rate;
    struct text *requests;
    size_t n_requests, next_request;
    struct conn *conns;
    size_t *idle;
    size_t n_idle;
    int epoll, timer;
    int64_t start_ns, measure_ns, end_ns;
    int64_t n_scheduled; /* open loop: requests taken from the schedule */
    uint32_t *latencies; /* of answers after the warm-up, in units of 100 ns */
    size_t n_latencies, latencies_max;
    uint64_t statuses[600];
    uint64_t n_errors, n_bytes;
    double cpu_at_measure;
} g;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void conn_open(struct conn *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)g.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("loadgen: connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(g.epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        die("loadgen: epoll_ctl");
}

static void conn_send(struct conn *c)
{
    while (c->n_unsent > 0) {
        ssize_t n = send(c->fd, c->unsent, c->n_unsent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return; /* the answer, or its absence, will tell */
        c->unsent += n;
        c->n_unsent -= (size_t)n;
    }
}

static void conn_start(struct conn *c, int64_t due_ns)
{
    struct text request = g.requests[g.next_request];
    g.next_request = g.next_request + 1 == g.n_requests ? 0 : g.next_request + 1;
    c->is_busy = true;
    c->due_ns = due_ns;
    c->phase = IN_HEAD;
    c->n_head = 0;
    c->unsent = request.ptr;
    c->n_unsent = request.len;
    conn_send(c);
}

static int64_t due_of(int64_t k)
{
    return g.start_ns + (int64_t)((double)k * 1e9 / g.rate);
}

/* Open loop: hands due requests to idle connections, and sets the timer for the next one. */
static void dispatch(void)
{
    while (g.n_idle > 0) {
        int64_t due = due_of(g.n_scheduled);
        if (due > now_ns()) {
            struct itimerspec at = {
                .it_value = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000}};
            timerfd_settime(g.timer, TFD_TIMER_ABSTIME, &at, NULL);
            return;
        }
        if (due >= g.end_ns)
            return;
        g.n_scheduled++;
        g.n_idle--;
        conn_start(&g.conns[g.idle[g.n_idle]], due);
    }
}

static void conn_free_again(struct conn *c, bool reopen)
{
    c->is_busy = false;
    if (reopen) {
        close(c->fd);
        conn_open(c);
    }
    if (g.rate > 0) {
        g.idle[g.n_idle] = (size_t)(c - g.conns);
        g.n_idle++;
    } else {
        conn_start(c, now_ns());
    }
}

static void conn_failed(struct conn *c)
{
    if (c->is_busy && now_ns() >= g.measure_ns)
        g.n_errors++;
    conn_free_again(c, true);
}

static void conn_answered(struct conn *c)
{
    int64_t now = now_ns();
    if (now >= g.measure_ns && now < g.end_ns) {
        g.statuses[c->status]++;
        if (g.n_latencies < g.latencies_max) {
            int64_t took = (now - c->due_ns) / 100;
            g.latencies[g.n_latencies] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
            g.n_latencies++;
        }
    }
    conn_free_again(c, c->closes);
}

static const char *header_value(const char *head, const char *name)
{
    size_t n = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':')
            return line + 2 + n + 1;
    return NULL;
}

/* The head is complete and ends in a zero: what follows it. Returns false when it is no HTTP answer. */
static bool read_head(struct conn *c)
{
    if (strncmp(c->head, "HTTP/1.1 ", 9) != 0)
        return false;
    c->status = (int)strtol(c->head + 9, NULL, 10);
    if (c->status < 100 || c->status > 599)
        return false;
    const char *connection = header_value(c->head, "Connection");
    c->closes = connection != NULL && strncasecmp(connection + strspn(connection, " "), "close", 5) == 0;
    const char *length = header_value(c->head, "Content-Length");
    if (c->status == 304 || c->status == 204) {
        c->left = 0;
        c->phase = IN_BODY;
    } else if (length != NULL) {
        c->left = strtoll(length, NULL, 10);
        c->phase = IN_BODY;
    } else if (header_value(c->head, "Transfer-Encoding") != NULL) {
        c->phase = IN_CHUNK_SIZE;
    } else {
        return false;
    }
    c->n_head = 0;
    return true;
}

/* Takes bytes up to and with a line feed into head; true when the line is whole. */
static bool take_line(struct conn *c, const char **at, const char *end)
{
    while (*at < end && c->n_head < HEAD_MAX - 1) {
        char byte = *(*at)++;
        c->head[c->n_head++] = byte;
        if (byte == '\n') {
            c->head[c->n_head] = '\0';
            c->n_head = 0;
            return true;
        }
    }
    return false;
}

/* Takes bytes up to the empty line that ends a head. */
static bool take_head(struct conn *c, const char **at, const char *end)
{
    while (*at < end && c->n_head < HEAD_MAX - 1) {
        char byte = *(*at)++;
        c->head[c->n_head++] = byte;
        if (byte == '\n' && c->n_head >= 4 && memcmp(c->head + c->n_head - 4, "\r\n\r\n", 4) == 0) {
            c->head[c->n_head] = '\0';
            return true;
        }
    }
    return false;
}

static void skip(struct conn *c, const char **at, const char *end)
{
    int64_t n = end - *at < c->left ? end - *at : c->left;
    *at += n;
    c->left -= n;
}

/* Reads what came. Returns 1 when the answer is complete, 0 when more is to come, -1 when it is no HTTP. */
static int conn_parse(struct conn *c, const char *at, const char *end)
{
    for (;;) {
        switch (c->phase) {
        case IN_HEAD:
            if (!take_head(c, &at, end))
                return c->n_head == HEAD_MAX - 1 ? -1 : 0;
            if (!read_head(c))
                return -1;
            break;
        case IN_BODY:
            skip(c, &at, end);
            if (c->left > 0)
                return 0;
            return at == end ? 1 : -1; /* nothing was asked for that could follow */
        case IN_CHUNK_SIZE:
            if (!take_line(c, &at, end))
                return 0;
            c->left = strtoll(c->head, NULL, 16);
            c->phase = c->left == 0 ? IN_TRAILER : IN_CHUNK;
            break;
        case IN_CHUNK:
            skip(c, &at, end);
            if (c->left > 0)
                return 0;
            c->phase = IN_CHUNK_END;
            break;
        case IN_CHUNK_END:
            if (!take_line(c, &at, end))
                return 0;
            c->phase = IN_CHUNK_SIZE;
            break;
        case IN_TRAILER:
            if (!take_line(c, &at, end))
                return 0;
            if (strcmp(c->head, "\r\n") == 0)
                return at == end ? 1 : -1;
            break;
        }
    }
}

static void conn_read(struct conn *c)
{
    static char room[READ_BYTES];
    ssize_t n = recv(c->fd, room, sizeof room, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || !c->is_busy) {
        conn_failed(c);
        return;
    }
    if (now_ns() >= g.measure_ns)
        g.n_bytes += (uint64_t)n;
    int done = conn_parse(c, room, room + n);
    if (done < 0)
        conn_failed(c);
    else if (done > 0)
        conn_answered(c);
}

static void run(void)
{
    struct epoll_event events[256];
    g.start_ns = now_ns();
    g.measure_ns = g.start_ns + (int64_t)(g.warm_s * 1e9);
    g.end_ns = g.measure_ns + (int64_t)(g.seconds * 1e9);
    for (size_t i = 0; i < g.n_conns; i++)
        conn_free_again(&g.conns[i], false);
    bool is_measuring = false;
    while (now_ns() < g.end_ns) {
        if (!is_measuring && now_ns() >= g.measure_ns) {
            is_measuring = true;
            g.cpu_at_measure = cpu_s();
        }
        if (g.rate > 0)
            dispatch();
        int n = epoll_wait(g.epoll, events, 256, 100);
        for (int i = 0; i < n; i++) {
            uint64_t expirations = 0;
            if (events[i].data.ptr != NULL)
                conn_read(events[i].data.ptr);
            else if (read(g.timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
                die("loadgen: timer");
        }
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double quantile_us(double q)
{
    if (g.n_latencies == 0)
        return 0;
    size_t at = (size_t)(q * (double)(g.n_latencies - 1) + 0.5);
    return g.latencies[at] / 10.0;
}

static void report(void)
{
    /* Requests that were due and are still waiting: each has waited until now, at least. */
    for (size_t i = 0; i < g.n_conns && g.rate > 0; i++)
        if (g.conns[i].is_busy && g.n_latencies < g.latencies_max)
            g.latencies[g.n_latencies++] = (uint32_t)((g.end_ns - g.conns[i].due_ns) / 100);
    for (; g.rate > 0 && due_of(g.n_scheduled) < g.end_ns && g.n_latencies < g.latencies_max;
         g.n_scheduled++)
        g.latencies[g.n_latencies++] = (uint32_t)((g.end_ns - due_of(g.n_scheduled)) / 100);
    qsort(g.latencies, g.n_latencies, sizeof *g.latencies, compare);
    uint64_t n = 0;
    printf("{\"statuses\": {");
    for (int status = 0; status < 600; status++) {
        if (g.statuses[status] == 0)
            continue;
        printf("%s\"%d\": %llu", n == 0 ? "" : ", ", status,
               (unsigned long long)g.statuses[status]);
        n += g.statuses[status];
    }
    printf("}, \"requests\": %llu, \"errors\": %llu, \"bytes\": %llu, \"seconds\": %.6f, "
           "\"rate\": %.3f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f, "
           "\"cpu_s\": %.6f}\n",
           (unsigned long long)n, (unsigned long long)g.n_errors, (unsigned long long)g.n_bytes,
           g.seconds, (double)n / g.seconds, quantile_us(0.5), quantile_us(0.99),
           quantile_us(0.999), quantile_us(1), cpu_s() - g.cpu_at_measure);
}

static void read_targets(const char *path, const char *headers)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n = 0;
    if (file == NULL)
        die(path);
    while ((n = getline(&line, &room, file)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        g.requests = realloc(g.requests, (g.n_requests + 1) * sizeof *g.requests);
        struct text request = {0};
        int len = g.requests == NULL ? -1
                                     : asprintf(&request.ptr, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n",
                                                line, g.port, headers);
        if (len < 0)
            die("loadgen: memory");
        request.len = (size_t)len;
        g.requests[g.n_requests] = request;
        g.n_requests++;
    }
    free(line);
    fclose(file);
    if (g.n_requests == 0) {
        fprintf(stderr, "loadgen: %s has no targets\n", path);
        exit(2);
    }
}

static void set_up(const char *path, const char *headers)
{
    read_targets(path, headers);
    g.latencies_max = (size_t)((g.seconds + 1) * (g.rate > 0 ? g.rate * 1.01 : 300000.0)) + 1000;
    g.latencies = malloc(g.latencies_max * sizeof *g.latencies);
    g.conns = calloc(g.n_conns, sizeof *g.conns);
    g.idle = calloc(g.n_conns, sizeof *g.idle);
    g.epoll = epoll_create1(0);
    g.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (g.latencies == NULL || g.conns == NULL || g.idle == NULL || g.epoll < 0 || g.timer < 0 ||
        epoll_ctl(g.epoll, EPOLL_CTL_ADD, g.timer, &event) != 0)
        die("loadgen: set up");
    for (size_t i = 0; i < g.n_conns; i++)
        conn_open(&g.conns[i]);
}

int main(int argc, char **argv)
{
    static char headers[HEADERS_MAX];
    size_t n_headers = 0;
    int option = 0;
    g.n_conns = 64;
    g.seconds = 2;
    g.warm_s = 0.2;
    while ((option = getopt(argc, argv, "c:d:w:r:H:")) != -1) {
        if (option == 'c')
            g.n_conns = strtoul(optarg, NULL, 10);
        else if (option == 'd')
            g.seconds = strtod(optarg, NULL);
        else if (option == 'w')
            g.warm_s = strtod(optarg, NULL);
        else if (option == 'r')
            g.rate = strtod(optarg, NULL);
        else if (option == 'H' && n_headers + strlen(optarg) + 3 < sizeof headers)
            n_headers += (size_t)snprintf(headers + n_headers, sizeof headers - n_headers, "%s\r\n", optarg);
        else
            return 2;
    }
    if (argc - optind != 2 || g.n_conns < 1 || g.n_conns > CONNECTIONS_MAX || g.seconds <= 0) {
        fprintf(stderr, "usage: loadgen [-c n] [-d s] [-w s] [-r rate] [-H header]... PORT FILE\n");
        return 2;
    }
    g.port = (int)strtol(argv[optind], NULL, 10);
    prctl(PR_SET_TIMERSLACK, 1000UL);
    set_up(argv[optind + 1], headers);
    run();
    report();
    return 0;
}
