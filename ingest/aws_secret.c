/* aws_secret.c - GetSecretValue of Secrets Manager. */
#include "ingest/aws_secret.h"

#include "base/json_in.h"
#include "base/json_out.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BYTES = 1 << 20, SECRET_MAX = 65536, NAME_MAX_BYTES = 2048 };

static enum status lacks(struct str name, const char *what, struct err *err)
{
    (void)err_set(err, STATUS_CONFIG, "The secret %s.", what);
    err_at(err, ERR_NOWHERE, STR("secret"), name);
    return STATUS_CONFIG;
}

/* The member field of the object in text, or all of it. */
static enum status pick(struct str name, struct str text, struct str field, struct arena *arena,
                        struct str *ret, struct err *err)
{
    CLEANUP(arena_clear) struct arena scratch;
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    char member[128];
    struct str value = text;
    arena_init(&scratch, ARENA_BYTES);
    if (field.len > 0) {
        (void)snprintf(member, sizeof member, "%.*s", STR_ARG(field));
        if (jr_parse(text, &scratch, &doc, NULL) != STATUS_OK ||
            jr_read_str(jr_member(jr_root(doc), member), 0, SECRET_MAX, &value, NULL) != STATUS_OK)
            return lacks(name, "is no JSON object with that field", err);
    }
    char *copy = arena_dup(arena, value);
    if (copy == NULL)
        return err_out_of_memory(err);
    *ret = (struct str){copy, value.len};
    return STATUS_OK;
}

enum status aws_secret_read(struct aws *aws, const char *region, const char *base, struct str name,
                            struct str field, struct arena *arena, struct str *ret, struct err *err)
{
    CLEANUP(arena_clear) struct arena scratch;
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    const struct sigv4_field headers[] = {
        {STR("content-type"), STR("application/x-amz-json-1.1")},
        {STR("x-amz-target"), STR("secretsmanager.GetSecretValue")}};
    struct aws_answer answer;
    struct json_out json;
    struct buf body;
    char address[AWS_URL_MAX];
    arena_init(&scratch, AWS_BODY_MAX + ARENA_BYTES);
    (void)snprintf(address, sizeof address, "https://secretsmanager.%.32s.amazonaws.com%s", region,
                   strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
    struct str at = str_of(base[0] == '\0' ? address : base), text;
    if (!aws_is_private(at))
        return err_set(err, STATUS_CONFIG, "Secrets are read through https only.");
    buf_init(&body, &scratch, ARENA_BYTES);
    jw_init(&json, &body);
    jw_object(&json);
    jw_key_text(&json, "SecretId", str_utf8_cut(name, NAME_MAX_BYTES));
    jw_end_object(&json);
    const struct aws_call call = {.service = STR("secretsmanager"),
                                  .base = at,
                                  .method = STR("POST"),
                                  .path = STR("/"),
                                  .headers = headers,
                                  .n_headers = ARRAY_LEN(headers),
                                  .body = buf_str(&body),
                                  .has_body = true};
    enum status s = aws_send(aws, &call, &scratch, &answer, err);
    if (s == STATUS_BAD_VALUE)
        return lacks(name, "is refused: there is none of this name, or this key may not read it",
                     err);
    if (s == STATUS_OK && jr_parse(answer.body, &scratch, &doc, NULL) != STATUS_OK)
        s = err_set(err, STATUS_BAD_DATA, "Secrets Manager's answer is no JSON.");
    if (s != STATUS_OK)
        return s;
    if (jr_read_str(jr_member(jr_root(doc), "SecretString"), 0, SECRET_MAX, &text, NULL) !=
        STATUS_OK)
        return lacks(name, "is binary", err);
    return pick(name, text, field, arena, ret, err);
}
