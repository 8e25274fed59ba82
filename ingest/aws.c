/* aws.c - one call: sign, send, judge, wait, again; and the connections that threads take turns with. */
#define _GNU_SOURCE /* explicit_bzero */
#include "ingest/aws_impl.h"

#include "base/clock.h"
#include "base/http_date.h"
#include "base/stop.h"
#include "ingest/aws_credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { NAP_MS = 50, SKEW_S = 60, ATTEMPT_BYTES = 512 << 10, NS_PER_MS = 1000000 };

enum status aws_new(const struct aws_options *options, struct aws **ret, struct err *err)
{
    struct aws *aws = calloc(1, sizeof *aws);
    char *region = strdup(options->region);
    char *ca_file = options->ca_file == NULL ? NULL : strdup(options->ca_file);
    if (aws == NULL || region == NULL || (options->ca_file != NULL && ca_file == NULL)) {
        free(aws);
        free(region);
        free(ca_file);
        return err_out_of_memory(err);
    }
    *aws = (struct aws){.region = region,
                        .ca_file = ca_file,
                        .credentials = options->credentials,
                        .is_direct = options->is_direct};
    lock_init(&aws->lock);
    aws_budget_init(&aws->budget);
    *ret = aws;
    return STATUS_OK;
}

void aws_freep(struct aws **ret)
{
    struct aws *aws = *ret;
    if (aws == NULL)
        return;
    for (int i = 0; i < aws->n_idle; i++)
        transport_freep(&aws->idle[i]);
    lock_clear(&aws->lock);
    free(aws->region);
    free(aws->ca_file);
    free(aws);
    *ret = NULL;
}

static enum status borrow(struct aws *aws, struct transport **ret, struct err *err)
{
    lock_take(&aws->lock);
    *ret = aws->n_idle > 0 ? aws->idle[--aws->n_idle] : NULL;
    lock_give(&aws->lock);
    return *ret != NULL ? STATUS_OK : transport_new(aws->ca_file, ret, err);
}

/* One that failed goes, with its connections: the next try takes a new one. */
static void give_back(struct aws *aws, struct transport *transport, bool is_good)
{
    lock_take(&aws->lock);
    if (is_good && aws->n_idle < AWS_IDLE_MAX) {
        aws->idle[aws->n_idle++] = transport;
        transport = NULL;
    }
    lock_give(&aws->lock);
    transport_freep(&transport);
}

/* Sleeps in naps, so that a stop word ends it. */
static enum status wait_ms(unsigned ms, const struct stop *stop, struct err *err)
{
    while (ms > 0 && !stop_is_raised(stop)) {
        unsigned nap = ms < NAP_MS ? ms : NAP_MS;
        const struct timespec time = {0, (long)nap * NS_PER_MS};
        (void)nanosleep(&time, NULL);
        ms -= nap;
    }
    return stop_is_raised(stop) ? stop_status(stop, err) : STATUS_OK;
}

static uint64_t draw(void)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        random = (uint64_t)clock_mono_ns();
    return random;
}

bool aws_may_continue(struct aws *aws, int tries, const struct stop *stop)
{
    return tries < AWS_TRIES && aws_budget_retry(&aws->budget) &&
           wait_ms(aws_wait_ms((unsigned)tries, draw(), 0), stop, NULL) == STATUS_OK;
}

/* ---- One try ----------------------------------------------------------------------------------------------------- */

static enum status sign(struct aws *aws, const struct aws_call *call, struct aws_try *try,
                        struct sigv4_signed *ret, struct err *err)
{
    struct aws_keys keys;
    struct sigv4_field *headers = arena_array(&try->arena, call->n_headers + 1, sizeof *headers);
    if (headers == NULL)
        return err_out_of_memory(err);
    enum status s =
        aws_credentials_get(aws->credentials, try->expired_serial, call->stop, &keys, err);
    if (s != STATUS_OK)
        return s;
    try->serial = keys.serial;
    char hash[DIGEST_HEX_BYTES];
    s = digest_hex(call->body, hash, err);
    size_t n = 0;
    for (; s == STATUS_OK && n < call->n_headers; n++)
        headers[n] = call->headers[n];
    if (s == STATUS_OK) {
        size_t host = str_starts(call->base, STR("https://")) ? 8 : 7;
        headers[n++] = (struct sigv4_field){STR("host"), str_sub(call->base, host, call->base.len)};
        const struct sigv4_keys signing = {str_of(keys.access_key), str_of(keys.secret_key),
                                           str_of(keys.session_token)};
        const struct sigv4_scope scope = {str_of(aws->region), call->service,
                                          clock_wall_s() + atomic_load(&aws->skew_s)};
        const struct sigv4_request request = {call->method, call->path, call->query, call->n_query,
                                              headers,      n,          str_of(hash)};
        s = sigv4_sign(&try->arena, &signing, &scope, &request, ret, err);
        try->has_session = keys.session_token[0] != '\0';
        /* What was signed keeps views of the token and the hash. */
        for (size_t i = 0; s == STATUS_OK && i < ret->n_headers; i++) {
            struct sigv4_field *field = &ret->headers[i];
            char *copy = arena_dup(&try->arena, field->value);
            if (copy == NULL)
                s = err_out_of_memory(err);
            field->value.ptr = copy;
        }
    }
    explicit_bzero(&keys, sizeof keys);
    return s;
}

/* The answer's body: to the caller when it is what was asked for, else kept as far as it fits. */
static enum status on_answer(void *to, struct str bytes, struct err *err)
{
    struct aws_try *try = to;
    int status = transport_status(try->transport);
    bool is_wanted = status >= 200 && status < 300;
    if (status == try->call->write_status && try->call->write != NULL) {
        try->was_given = true;
        enum status s = try->call->write(try->call->to, bytes, err);
        try->sink_failed = s != STATUS_OK;
        return s;
    }
    buf_add(&try->body, bytes);
    if (!try->body.failed || !is_wanted)
        return STATUS_OK;
    return err_set(err, STATUS_BAD_DATA, "The service's answer is longer than allowed.");
}

static enum status exchange(struct aws *aws, const struct aws_call *call, struct aws_try *try,
                            struct err *err)
{
    struct sigv4_signed head = {0};
    struct buf url;
    enum status s = sign(aws, call, try, &head, err);
    if (s != STATUS_OK)
        return s;
    buf_init(&url, &try->arena, ATTEMPT_BYTES);
    buf_add(&url, call->base);
    buf_add(&url, head.target);
    struct transport_field *fields = arena_array(&try->arena, head.n_headers, sizeof *fields);
    if (url.failed || fields == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < head.n_headers; i++)
        fields[i] = (struct transport_field){head.headers[i].name, head.headers[i].value};
    struct str rest = call->body;
    const struct transport_request request = {
        .method = call->method,
        .url = buf_str(&url),
        .headers = fields,
        .n_headers = head.n_headers,
        .read = call->has_body ? transport_read_str : NULL,
        .from = &rest,
        .body_bytes = (int64_t)call->body.len,
        .write = on_answer,
        .to = try,
        .limits = {.connect_ms = 5000, .slow_bytes_s = 1024, .slow_s = 20},
        .is_direct = aws->is_direct,
        .stop = call->stop,
    };
    s = borrow(aws, &try->transport, err);
    if (s != STATUS_OK)
        return s;
    try->was_sent = true;
    return transport_send(try->transport, &request, &try->answer, err);
}

/* Seconds that the service's clock is ahead of ours; 0 unless its Date says that they are far apart. */
static int64_t skew_of(const struct aws_try *try)
{
    int64_t theirs = 0;
    if (!http_date_parse(transport_header(try->transport, STR("date")), &theirs))
        return 0;
    int64_t skew = theirs - clock_wall_s();
    return skew > SKEW_S || skew < -SKEW_S ? skew : 0;
}

/* A refusal of HEAD has no code: a clock far off, or keys of a session, are the likely reasons. */
static void guess(const struct aws *aws, struct aws_try *try)
{
    bool is_vague = try->verdict == AWS_DENIED || try->answer.status == 400;
    int64_t skew = skew_of(try);
    if (!is_vague || try->code[0] != '\0')
        return;
    if (skew != 0 && skew != atomic_load(&aws->skew_s))
        try->verdict = AWS_SKEWED;
    else if (try->has_session)
        try->verdict = AWS_EXPIRED;
}

/* What to do about a try that was answered: true when it is to be tried at once, with other keys or another time. */
static bool corrects(struct aws *aws, struct aws_try *try)
{
    if (try->verdict == AWS_SKEWED && !try->was_corrected) {
        int64_t skew = skew_of(try);
        try->was_corrected = true;
        atomic_store(&aws->skew_s, skew);
        return true;
    }
    if (try->verdict == AWS_EXPIRED && !try->renews) {
        try->renews = true;
        try->expired_serial = try->serial;
        return true;
    }
    return false;
}

static bool is_passing(enum status s)
{
    return s == STATUS_IO || s == STATUS_DEADLINE;
}

/* One try, whose error is in *err. *ret_again: another one may help. */
static enum status attempt(struct aws *aws, struct aws_try *try, struct arena *arena,
                           struct aws_answer *ret, bool *ret_again, struct err *err)
{
    arena_reset(&try->arena);
    buf_init(&try->body, &try->arena, AWS_BODY_MAX);
    try->transport = NULL;
    try->code[0] = '\0';
    try->was_sent = false;
    try->answer.bytes = 0;
    enum status s = exchange(aws, try->call, try, err);
    if (try->was_sent && try->call->cost != NULL) {
        atomic_fetch_add(&try->call->cost->requests, 1);
        atomic_fetch_add(&try->call->cost->bytes, (int64_t)try->call->body.len + try->answer.bytes);
    }
    bool is_answered = s == STATUS_OK;
    *ret_again = false;
    if (is_answered) {
        aws_read_code(try);
        try->verdict = aws_judge(try->answer.status, str_of(try->code));
        guess(aws, try);
        *ret_again =
            corrects(aws, try) || try->verdict == AWS_AGAIN || try->verdict == AWS_THROTTLED;
        s = aws_finish(aws, try, arena, ret, err);
    } else {
        *ret_again = try->was_sent && is_passing(s) && !stop_is_raised(try->call->stop) &&
                     !try->sink_failed && !try->was_given;
    }
    if (try->transport != NULL)
        give_back(aws, try->transport, is_answered && try->answer.status < 500);
    return s;
}

enum status aws_send(struct aws *aws, const struct aws_call *call, struct arena *arena,
                     struct aws_answer *ret, struct err *err)
{
    struct aws_try try = {.call = call};
    struct err why = {0};
    bool is_again = true;
    enum status s = STATUS_IO;
    arena_init(&try.arena, AWS_BODY_MAX + ATTEMPT_BYTES * 4);
    aws_budget_call(&aws->budget);
    for (int tries = 1; is_again; tries++) {
        bool was_corrected = try.was_corrected, renewed = try.renews;
        try.tries = tries;
        s = attempt(aws, &try, arena, ret, &is_again, &why);
        if (s == STATUS_OK || !is_again)
            break;
        is_again = tries < AWS_TRIES;
        if (!is_again || (try.was_corrected && !was_corrected) || (try.renews && !renewed))
            continue; /* a correction needs no wait */
        is_again = aws_budget_retry(&aws->budget);
        enum status woken =
            is_again
                ? wait_ms(aws_wait_ms((unsigned)tries, draw(), why.retry_after_s), call->stop, &why)
                : STATUS_OK;
        if (woken != STATUS_OK) {
            s = woken;
            break;
        }
    }
    arena_clear(&try.arena);
    if (s != STATUS_OK && err != NULL)
        *err = why;
    return s;
}
