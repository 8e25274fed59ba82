/* aws_answer.c - what an answer says: its error code, in XML or JSON, and the status that callers see. */
#include "ingest/aws_impl.h"

#include "base/json_in.h"
#include "ingest/xml_in.h"

#include <stdio.h>
#include <string.h>

enum { ERROR_ARENA_BYTES = 1 << 20 };

static void keep(struct str text, char *ret, size_t size)
{
    struct str cut = str_utf8_cut(text, size - 1);
    for (size_t i = 0; i < cut.len; i++)
        ret[i] = (unsigned char)cut.ptr[i] < ' ' ? ' ' : cut.ptr[i];
    ret[cut.len] = '\0';
}

/* S3 answers Error/Code, STS ErrorResponse/Error/Code. */
static enum status on_element(void *to, struct str path, struct str text, struct err *err)
{
    struct aws_try *try = to;
    (void)err;
    if (str_starts(path, STR("ErrorResponse/")))
        path = str_sub(path, 14, path.len);
    if (str_eq_c(path, "Error/Code"))
        keep(text, try->code, sizeof try->code);
    else if (str_eq_c(path, "Error/Message"))
        keep(text, try->message, sizeof try->message);
    return STATUS_OK;
}

/* {"__type": "com.amazonaws.secretsmanager#ResourceNotFoundException", "message": "..."} */
static void read_json(struct aws_try *try, struct str body)
{
    CLEANUP(arena_clear) struct arena arena;
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct str type = STR_NONE, text = STR_NONE;
    arena_init(&arena, ERROR_ARENA_BYTES);
    if (jr_parse(body, &arena, &doc, NULL) != STATUS_OK)
        return;
    struct json_val root = jr_root(doc), message = jr_member(root, "message");
    if (jr_type(message) != JR_STRING)
        message = jr_member(root, "Message");
    if (jr_read_str(jr_member(root, "__type"), 1, 200, &type, NULL) == STATUS_OK) {
        size_t hash = str_find(type, '#', 0);
        keep(hash < type.len ? str_sub(type, hash + 1, type.len) : type, try->code,
             sizeof try->code);
    }
    if (jr_read_str(message, 0, 4096, &text, NULL) == STATUS_OK)
        keep(text, try->message, sizeof try->message);
}

void aws_read_code(struct aws_try *try)
{
    struct str body = str_trim(buf_str(&try->body));
    bool failed = try->answer.status >= 300;
    try->code[0] = try->message[0] = '\0';
    if (body.len == 0 || (!failed && !try->call->may_fail_inside))
        return;
    if (body.ptr[0] == '{')
        read_json(try, body);
    else if (xml_read(body, on_element, try, NULL) != STATUS_OK && !failed)
        (void)snprintf(try->code, sizeof try->code, "InternalError"); /* a 200 that broke off */
}

static enum status refused(const struct aws *aws, const struct aws_try *try, struct err *err)
{
    struct str region = transport_header(try->transport, STR("x-amz-bucket-region"));
    bool is_elsewhere =
        try->answer.status == 301 || strcmp(try->code, "AuthorizationHeaderMalformed") == 0;
    enum status s = try->verdict == AWS_REFUSED && !is_elsewhere ? STATUS_BAD_VALUE : STATUS_CONFIG;
    if (strcmp(try->code, "NoSuchBucket") == 0)
        s = STATUS_CONFIG;
    (void)err_set(err, s, "The service %.*s refused with %d%s%s%s%s.", STR_ARG(try->call->service),
                  try->answer.status, try->code[0] == '\0' ? "" : " ", try->code,
                  try->message[0] == '\0' ? "" : ": ", try->message);
    if (try->verdict == AWS_DENIED)
        err_allow(err, "a key that the service knows, its secret, and a policy that allows this");
    if (region.len > 0 && !str_eq_c(region, aws->region))
        err_allow(err, "the region %.*s; the setting says %s", STR_ARG(region), aws->region);
    return s;
}

static enum status failed(const struct aws *aws, const struct aws_try *try, struct err *err)
{
    int64_t seconds = 0;
    if (try->verdict != AWS_AGAIN && try->verdict != AWS_THROTTLED)
        return refused(aws, try, err);
    bool is_asked = str_to_i64(transport_header(try->transport, STR("retry-after")), &seconds) &&
                    seconds > 0 && seconds < 86400;
    enum status s =
        err_set(err, try->verdict == AWS_THROTTLED ? STATUS_BUSY : STATUS_IO,
                "The service %.*s answered %d%s%s at try %d.", STR_ARG(try->call->service),
                try->answer.status, try->code[0] == '\0' ? "" : " ", try->code, try->tries);
    if (err != NULL)
        err->retry_after_s = is_asked ? (unsigned)seconds : 0;
    return s;
}

enum status aws_finish(const struct aws *aws, const struct aws_try *try, struct arena *arena,
                       struct aws_answer *ret, struct err *err)
{
    const struct aws_call *call = try->call;
    bool is_result =
        try->verdict == AWS_FINE || try->verdict == AWS_ABSENT || try->verdict == AWS_EXISTS;
    struct aws_answer answer = {try->verdict, try->answer.status, try->tries, STR_NONE, {STR_NONE}};
    if (!is_result)
        return failed(aws, try, err);
    for (size_t i = 0; i < call->n_wanted && i < AWS_WANTED_MAX; i++) {
        struct str value = transport_header(try->transport, str_of(call->wanted[i]));
        if (value.ptr == NULL)
            continue;
        char *copy = arena_dup(arena, value);
        if (copy == NULL)
            return err_out_of_memory(err);
        answer.wanted[i] = (struct str){copy, value.len};
    }
    if (try->body.len > 0 && try->verdict == AWS_FINE) {
        char *copy = arena_dup(arena, buf_str(&try->body));
        if (copy == NULL)
            return err_out_of_memory(err);
        answer.body = (struct str){copy, try->body.len};
    }
    *ret = answer;
    return STATUS_OK;
}

bool aws_is_private(struct str base)
{
    static const char *const local[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};
    if (str_starts(base, STR("https://")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(local); i++) {
        struct str rest = str_sub(base, strlen(local[i]), base.len);
        if (str_starts(base, str_of(local[i])) &&
            (rest.len == 0 || rest.ptr[0] == ':' || rest.ptr[0] == '/'))
            return true;
    }
    return false;
}
