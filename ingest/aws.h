/*
 * aws.h - signed calls to services that speak AWS's protocols (S3 and what imitates it, STS, Secrets Manager): keys,
 * signature, retries with jitter and a budget, one correction of the clock, one renewal of expired keys. Knows no
 * service: paths, bodies and results are its callers' (s3.h, aws_credentials.h, aws_secret.h).
 * A struct aws is shared by threads; a call blocks, and looks at its stop word while it sends and waits.
 */
#ifndef INGEST_AWS_H
#define INGEST_AWS_H

#include "base/arena.h"
#include "ingest/aws_retry.h"
#include "ingest/sigv4.h"
#include "ingest/transport.h"

struct aws;
struct aws_credentials;
struct stop;

enum { AWS_WANTED_MAX = 8, AWS_BODY_MAX = 4 << 20, AWS_URL_MAX = 256 };

struct aws_options {
    const char *region;                  /* "eu-west-1" */
    const char *ca_file;                 /* NULL: the system's */
    struct aws_credentials *credentials; /* borrowed */
    bool is_direct;                      /* not through a proxy of the environment */
};

/* What calls have cost: requests that were sent, repeated ones too, and the bytes of bodies. Threads may share one. */
struct aws_cost {
    _Atomic(int64_t) requests, bytes;
};

struct aws_call {
    struct str service; /* "s3" */
    struct str base;    /* "https://bucket.s3.eu-west-1.amazonaws.com", no slash at the end */
    struct str method, path;
    const struct sigv4_field *query;
    size_t n_query;
    const struct sigv4_field *headers; /* without host */
    size_t n_headers;
    struct str body; /* in memory, since it may have to be sent again */
    bool has_body;   /* of length 0 too: PUT and POST */
    transport_write *
        write; /* of an answer with write_status; NULL, and others: it comes with the answer, AWS_BODY_MAX
                               at most */
    void *to;
    int write_status;
    bool may_fail_inside;      /* a 200 whose body is an error is a failure */
    const char *const *wanted; /* headers of the answer to be kept, at most AWS_WANTED_MAX */
    size_t n_wanted;
    const struct stop *stop;
    struct aws_cost *cost; /* is counted there; NULL: nowhere */
};

struct aws_answer {
    enum aws_verdict verdict; /* FINE, ABSENT or EXISTS: others are errors */
    int status;
    int tries;
    struct str body;                   /* ptr NULL: it went to write */
    struct str wanted[AWS_WANTED_MAX]; /* ptr NULL: not there */
};

enum status aws_new(const struct aws_options *options, struct aws **ret, struct err *err) NODISCARD;
void aws_freep(struct aws **aws);

/*
 * Texts of *ret are in arena. Once write was given bytes, a call that breaks off is not repeated here.
 * Errors: IO (passing: unreachable, broken off, 5xx; tried AWS_TRIES times or to the end of the budget), BUSY with
 * err->retry_after_s (throttled as long), DEADLINE (took too long as often), CONFIG for keys, policy, clock or region that
 * the service refuses, BAD_VALUE for other refusals; BAD_DATA for answers that are none; those of write, stop, transport.h
 * and sigv4.h.
 */
enum status aws_send(struct aws *aws, const struct aws_call *call, struct arena *arena,
                     struct aws_answer *ret, struct err *err) NODISCARD;

/* For those that continue a call that broke off: whether the budget has a retry, which is taken after a wait. */
bool aws_may_continue(struct aws *aws, int tries, const struct stop *stop);

/* http:// addresses are for machines of one's own: true for https, and for http to a loopback address. */
bool aws_is_private(struct str base);

#endif
