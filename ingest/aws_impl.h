/* aws_impl.h - what aws.c and aws_answer.c share; for them alone. */
#ifndef INGEST_AWS_IMPL_H
#define INGEST_AWS_IMPL_H

#include "base/digest.h"
#include "base/lock.h"
#include "ingest/aws.h"

enum { AWS_IDLE_MAX = 16, AWS_CODE_BYTES = 64 };

struct aws {
    char *region, *ca_file;
    struct aws_credentials *credentials;
    bool is_direct;
    struct aws_budget budget;
    _Atomic(int64_t) skew_s; /* the service's clock less ours */
    struct lock lock;        /* a leaf: idle connections */
    struct transport *idle[AWS_IDLE_MAX] GUARDED;
    int n_idle GUARDED;
};

/* One call under way. */
struct aws_try {
    const struct aws_call *call;
    struct arena arena; /* of one try */
    struct transport *transport;
    struct transport_answer answer;
    struct buf body;
    enum aws_verdict verdict;
    int tries;
    bool was_sent, was_given, sink_failed;
    bool has_session, renews, was_corrected;
    unsigned serial,
        expired_serial;        /* of the keys used, and of those that were refused as expired */
    char code[AWS_CODE_BYTES]; /* of the error in the body; "": none */
    char message[256];
};

/* Finds code and message in an answer that failed, or may have. */
void aws_read_code(struct aws_try *try);

/* The answer into *ret, or its error into *err. */
enum status aws_finish(const struct aws *aws, const struct aws_try *try, struct arena *arena,
                       struct aws_answer *ret, struct err *err) NODISCARD;

#endif
