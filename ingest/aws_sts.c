/* aws_sts.c - keys of a role: AssumeRole of the Security Token Service. */
#include "ingest/aws_providers.h"

#include "base/date.h"
#include "ingest/xml_in.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BYTES = 1 << 20, SESSION_S = 3600, BODY_BYTES = 16 << 10 };

static void add_escaped(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, "%s%s=", out->len == 0 ? "" : "&", name);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        bool is_safe = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
        buf_printf(out, is_safe ? "%c" : "%%%02X", c);
    }
}

struct found {
    struct aws_keys keys;
    bool fits;
};

static enum status on_element(void *to, struct str path, struct str text, struct err *err)
{
    struct found *found = to;
    struct str inside = STR("AssumeRoleResponse/AssumeRoleResult/Credentials/");
    (void)err;
    if (!str_starts(path, inside))
        return STATUS_OK;
    struct str name = str_sub(path, inside.len, path.len);
    if (str_eq_c(name, "AccessKeyId"))
        found->fits &= aws_copy(text, found->keys.access_key, sizeof found->keys.access_key);
    else if (str_eq_c(name, "SecretAccessKey"))
        found->fits &= aws_copy(text, found->keys.secret_key, sizeof found->keys.secret_key);
    else if (str_eq_c(name, "SessionToken"))
        found->fits &= aws_copy(text, found->keys.session_token, sizeof found->keys.session_token);
    else if (str_eq_c(name, "Expiration"))
        found->fits &= instant_parse(text, &found->keys.expires_s);
    return STATUS_OK;
}

enum status aws_ask_sts(const struct aws_provider *provider, const struct stop *stop,
                        struct aws_keys *ret, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct aws_answer answer = {0};
    struct buf body;
    arena_init(&arena, ARENA_BYTES);
    buf_init(&body, &arena, BODY_BYTES);
    add_escaped(&body, "Action", STR("AssumeRole"));
    add_escaped(&body, "Version", STR("2011-06-15"));
    add_escaped(&body, "RoleArn", str_of(provider->role));
    add_escaped(&body, "RoleSessionName", STR("cmmc"));
    buf_printf(&body, "&DurationSeconds=%d", SESSION_S);
    if (provider->external_id[0] != '\0')
        add_escaped(&body, "ExternalId", str_of(provider->external_id));
    const struct sigv4_field type = {STR("content-type"), STR("application/x-www-form-urlencoded")};
    const struct aws_call call = {.service = STR("sts"),
                                  .base = str_of(provider->sts),
                                  .method = STR("POST"),
                                  .path = STR("/"),
                                  .headers = &type,
                                  .n_headers = 1,
                                  .body = buf_str(&body),
                                  .has_body = true,
                                  .stop = stop};
    enum status s =
        body.failed ? err_out_of_memory(err) : aws_send(provider->aws, &call, &arena, &answer, err);
    if (s == STATUS_BAD_VALUE || s == STATUS_CONFIG) { /* the role, or who may take it */
        if (err != NULL)
            err->status = STATUS_CONFIG;
        s = STATUS_CONFIG;
        err_at(err, ERR_SETTING, STR("aws_role"), str_of(provider->role));
    }
    struct found found = {.fits = true};
    if (s == STATUS_OK)
        s = xml_read(answer.body, on_element, &found, err);
    if (s != STATUS_OK)
        return s;
    if (!found.fits || found.keys.access_key[0] == '\0' || found.keys.secret_key[0] == '\0' ||
        found.keys.session_token[0] == '\0' || found.keys.expires_s == 0)
        return err_set(err, STATUS_BAD_DATA, "STS answered without keys.");
    *ret = found.keys;
    return STATUS_OK;
}
