/* aws_retry.c - verdicts on answers, full jitter, the budget of retries. */
#include "ingest/aws_retry.h"

enum { BUDGET_TENTHS = 100, RETRY_TENTHS = 10, MS_PER_S = 1000 };

struct code_row {
    const char *code;
    enum aws_verdict verdict;
};

/* Of S3, STS and Secrets Manager; codes that are not here are judged by their status. */
static const struct code_row code_rows[] = {
    {"NoSuchKey", AWS_ABSENT},
    {"PreconditionFailed", AWS_EXISTS},
    {"SlowDown", AWS_THROTTLED},
    {"Throttling", AWS_THROTTLED},
    {"ThrottlingException", AWS_THROTTLED},
    {"ThrottledException", AWS_THROTTLED},
    {"RequestLimitExceeded", AWS_THROTTLED},
    {"TooManyRequestsException", AWS_THROTTLED},
    {"InternalError", AWS_AGAIN},
    {"InternalFailure", AWS_AGAIN},
    {"InternalServiceError", AWS_AGAIN},
    {"ServiceUnavailable", AWS_AGAIN},
    {"RequestTimeout", AWS_AGAIN},
    {"OperationAborted", AWS_AGAIN},
    {"ConditionalRequestConflict", AWS_AGAIN},
    {"BadDigest", AWS_AGAIN}, /* damaged on the way */
    {"XAmzContentSHA256Mismatch", AWS_AGAIN},
    {"IncompleteBody", AWS_AGAIN},
    {"RequestTimeTooSkewed", AWS_SKEWED},
    {"ExpiredToken", AWS_EXPIRED},
    {"ExpiredTokenException", AWS_EXPIRED},
    {"TokenRefreshRequired", AWS_EXPIRED},
};

enum aws_verdict aws_judge(int http_status, struct str code)
{
    for (size_t i = 0; i < ARRAY_LEN(code_rows); i++)
        if (str_eq_c(code, code_rows[i].code))
            return code_rows[i].verdict;
    if (http_status >= 200 && http_status < 300 && code.len == 0)
        return AWS_FINE;
    if (http_status == 404 && code.len == 0)
        return AWS_ABSENT;
    if (http_status == 412)
        return AWS_EXISTS;
    if (http_status == 401 || http_status == 403)
        return AWS_DENIED;
    if (http_status == 429)
        return AWS_THROTTLED;
    bool passes =
        http_status == 408 || http_status == 500 || (http_status >= 502 && http_status <= 504);
    return passes ? AWS_AGAIN : AWS_REFUSED;
}

unsigned aws_wait_ms(unsigned tries, uint64_t random, unsigned retry_after_s)
{
    uint64_t top = AWS_WAIT_BASE_MS;
    for (unsigned i = 1; i < tries && top < AWS_WAIT_CAP_MS; i++)
        top *= 2;
    top = top < AWS_WAIT_CAP_MS ? top : AWS_WAIT_CAP_MS;
    uint64_t asked = (uint64_t)retry_after_s * MS_PER_S;
    uint64_t wait = random % (top + 1);
    wait = wait > asked ? wait : asked;
    return (unsigned)(wait < AWS_WAIT_CAP_MS ? wait : AWS_WAIT_CAP_MS);
}

void aws_budget_init(struct aws_budget *budget)
{
    atomic_init(&budget->tenths, BUDGET_TENTHS);
}

void aws_budget_call(struct aws_budget *budget)
{
    int now = atomic_load(&budget->tenths);
    while (now < BUDGET_TENTHS && !atomic_compare_exchange_weak(&budget->tenths, &now, now + 1))
        ;
}

bool aws_budget_retry(struct aws_budget *budget)
{
    int now = atomic_load(&budget->tenths);
    while (now >= RETRY_TENTHS)
        if (atomic_compare_exchange_weak(&budget->tenths, &now, now - RETRY_TENTHS))
            return true;
    return false;
}
