/* fetch_send.c - one request on the wire: what it says, what it may take, and what becomes of its answer. */
#include "ingest/fetch_impl.h"

#include "base/clock.h"
#include "ingest/fetch_pace.h"
#include "ingest/redact.h"

enum { CONNECT_MS = 10000, SLOW_BYTES_S = 64, SLOW_S = 30, TYPE_MAX = 128, HEADERS_MAX = 4 };

static enum status write_body(void *to, struct str bytes, struct err *err)
{
    struct fetch_job *j = to;
    buf_add(&j->body, bytes);
    return j->body.failed ? err_out_of_memory(err) : STATUS_OK;
}

/* What a request may take: the source's time, and no more than the run has left. */
static unsigned time_of(const struct fetch_job *j)
{
    int64_t left_ms = (j->f->deadline_ns - clock_mono_ns()) / 1000000,
            most_ms = (int64_t)j->source->manners.timeout_s * 1000;
    return (unsigned)(left_ms < 1 ? 1 : left_ms < most_ms ? left_ms : most_ms);
}

static struct transport_request request_of(struct fetch_job *j,
                                           struct transport_field headers[HEADERS_MAX])
{
    const struct source_manners *manners = &j->source->manners;
    size_t n = 0;
    headers[n++] = (struct transport_field){STR("User-Agent"), str_of(j->f->options.agent)};
    headers[n++] = (struct transport_field){STR("Accept"), STR("*/*")};
    if (j->header.ptr != NULL)
        headers[n++] = (struct transport_field){j->header, j->header_value};
    if (j->form.ptr != NULL)
        headers[n++] =
            (struct transport_field){STR("Content-Type"), STR("application/x-www-form-urlencoded")};
    j->form_rest = j->form;
    return (struct transport_request){
        .method = j->form.ptr != NULL ? STR("POST") : STR("GET"),
        .url = {j->url, j->url_len},
        .headers = headers,
        .n_headers = n,
        .read = j->form.ptr != NULL ? transport_read_str : NULL,
        .from = &j->form_rest,
        .body_bytes = (int64_t)j->form.len,
        .write = write_body,
        .to = j,
        .limits = {.connect_ms = CONNECT_MS,
                   .total_ms = time_of(j),
                   .slow_bytes_s = SLOW_BYTES_S,
                   .slow_s = SLOW_S,
                   .answer_bytes = (int64_t)manners->body_mib << 20,
                   .redirects = TRANSPORT_REDIRECTS_MAX},
        .takes_gzip = true,
        .stop = j->stop,
    };
}

/* No answer is a source that is down, whatever the reason; one that is too long is not what we know. */
static enum status judge_failure(struct fetch_job *j, enum status s, const struct err *why,
                                 struct err *err)
{
    if (s == STATUS_OUT_OF_MEMORY || stop_is_raised(j->stop) || s == STATUS_INTERNAL) {
        if (err != NULL)
            *err = *why;
        return s;
    }
    if (s == STATUS_TOO_LARGE)
        fetch_decide(j, FEED_CHANGED, why->detail);
    else
        j->ret->verdict = feed_verdict_of(FEED_DOWN, str_of(why->detail));
    return STATUS_OK;
}

enum status fetch_send(struct fetch_job *j, struct err *err)
{
    struct transport_field headers[HEADERS_MAX];
    struct transport_request request = request_of(j, headers);
    struct transport_answer answer = {0};
    struct err why = {0};
    j->ret->requests++;
    buf_init(&j->body, j->arena, ((size_t)j->source->manners.body_mib << 20) + 1);
    enum status s = transport_send(j->f->transport, &request, &answer, &why);
    j->ret->fetched_at = clock_wall_s();
    j->ret->bytes += (int64_t)j->body.len;
    j->ret->reply = (struct feed_reply){.body = STR_NONE};
    if (s != STATUS_OK)
        return judge_failure(j, s, &why, err);
    redact(j->body.ptr, j->body.len, j->key);
    struct str type = transport_header(j->f->transport, STR("Content-Type"));
    const char *copy =
        arena_dup(j->arena, str_sub(type, 0, type.len < TYPE_MAX ? type.len : TYPE_MAX));
    if (copy == NULL)
        return err_out_of_memory(err);
    j->ret->reply = (struct feed_reply){
        .http_status = answer.status,
        .content_type = str_of(copy),
        .retry_after_s =
            pace_retry_after(transport_header(j->f->transport, STR("Retry-After")), clock_wall_s()),
        .body = buf_str(&j->body)};
    j->ret->verdict = j->source->judge(&j->ret->reply);
    j->ret->retry_after_s = j->ret->reply.retry_after_s;
    return STATUS_OK;
}
