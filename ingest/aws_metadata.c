/* aws_metadata.c - keys from the metadata of a container (ECS, EKS pod identity) or a machine (EC2, IMDSv2). */
#include "ingest/aws_providers.h"

#include "base/date.h"
#include "base/json_in.h"

#include <stdio.h>
#include <string.h>

enum { ANSWER_BYTES = 64 << 10, ARENA_BYTES = 1 << 20, CONNECT_MS = 1000, TOTAL_MS = 5000 };

/* One request to a metadata service, its answer in arena. */
struct ask {
    struct transport *transport;
    struct arena arena;
    const struct stop *stop;
    struct str body;
    int status;
};

static void clear_ask(struct ask *ask)
{
    transport_freep(&ask->transport);
    arena_clear(&ask->arena);
}

static enum status keep(void *to, struct str bytes, struct err *err)
{
    (void)err;
    buf_add(to, bytes);
    return STATUS_OK;
}

static enum status ask_for(struct ask *ask, const char *method, struct str url,
                           const struct transport_field *header, struct err *err)
{
    struct buf body;
    struct transport_answer answer;
    buf_init(&body, &ask->arena, ANSWER_BYTES);
    struct str nothing = STR_NONE;
    const struct transport_request request = {
        .method = str_of(method),
        .url = url,
        .headers = header,
        .n_headers = header == NULL ? 0 : 1,
        .read = strcmp(method, "PUT") == 0 ? transport_read_str : NULL,
        .from = &nothing,
        .write = keep,
        .to = &body,
        .limits = {.connect_ms = CONNECT_MS, .total_ms = TOTAL_MS, .answer_bytes = ANSWER_BYTES},
        .is_direct = true,
        .stop = ask->stop,
    };
    enum status s = transport_send(ask->transport, &request, &answer, err);
    if (s != STATUS_OK)
        return s;
    ask->status = answer.status;
    ask->body = body.failed ? STR_NONE : buf_str(&body);
    return STATUS_OK;
}

static enum status is_broken(const char *what, int status, struct err *err)
{
    return err_set(err, STATUS_IO, "%s gave no keys (status %d).", what, status);
}

/* {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"} */
static bool read_keys(struct str body, struct arena *arena, struct aws_keys *ret)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct str access, secret, token, expires;
    if (jr_parse(body, arena, &doc, NULL) != STATUS_OK)
        return false;
    struct json_val root = jr_root(doc);
    return jr_read_str(jr_member(root, "AccessKeyId"), 1, AWS_KEY_BYTES, &access, NULL) ==
               STATUS_OK &&
           jr_read_str(jr_member(root, "SecretAccessKey"), 1, AWS_SECRET_BYTES, &secret, NULL) ==
               STATUS_OK &&
           jr_read_str(jr_member(root, "Token"), 1, AWS_TOKEN_BYTES, &token, NULL) == STATUS_OK &&
           jr_read_str(jr_member(root, "Expiration"), 1, 40, &expires, NULL) == STATUS_OK &&
           aws_copy(access, ret->access_key, sizeof ret->access_key) &&
           aws_copy(secret, ret->secret_key, sizeof ret->secret_key) &&
           aws_copy(token, ret->session_token, sizeof ret->session_token) &&
           instant_parse(expires, &ret->expires_s);
}

/* https, loopback, or one of the two link-local addresses that containers are given keys at. */
static bool is_trusted(struct str url)
{
    return aws_is_private(url) || str_starts(url, STR("http://169.254.170.2/")) ||
           str_starts(url, STR("http://169.254.170.23/"));
}

/* The token that the service wants, from a file that is renewed or from the environment. */
static bool read_token(aws_lookup *lookup, char *ret, size_t size)
{
    const char *path = lookup("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = lookup("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    ret[0] = '\0';
    if (path == NULL || path[0] == '\0')
        return token == NULL || aws_copy(str_of(token), ret, size);
    FILE *file = fopen(path, "re");
    size_t n = file == NULL ? 0 : fread(ret, 1, size - 1, file);
    while (n > 0 && (ret[n - 1] == '\n' || ret[n - 1] == '\r'))
        n--;
    ret[n] = '\0';
    return file != NULL && fclose(file) == 0;
}

enum status aws_ask_container(aws_lookup *lookup, const struct stop *stop, struct aws_keys *ret,
                              struct err *err)
{
    CLEANUP(clear_ask) struct ask ask = {.stop = stop};
    char url[AWS_URL_MAX * 2], token[AWS_TOKEN_BYTES];
    const char *relative = lookup("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = lookup("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    arena_init(&ask.arena, ARENA_BYTES);
    if (relative != NULL && relative[0] != '\0')
        (void)snprintf(url, sizeof url, "http://169.254.170.2%s", relative);
    else if (full != NULL && full[0] != '\0')
        (void)snprintf(url, sizeof url, "%s", full);
    else
        return STATUS_NOT_FOUND;
    if (!is_trusted(str_of(url)) || !read_token(lookup, token, sizeof token))
        return err_set(err, STATUS_CONFIG,
                       "AWS_CONTAINER_* name an address or a token that cannot be used.");
    enum status s = transport_new(NULL, &ask.transport, err);
    const struct transport_field header = {STR("Authorization"), str_of(token)};
    if (s == STATUS_OK)
        s = ask_for(&ask, "GET", str_of(url), token[0] == '\0' ? NULL : &header, err);
    if (s == STATUS_OK && (ask.status != 200 || !read_keys(ask.body, &ask.arena, ret)))
        s = is_broken("The container's metadata service", ask.status, err);
    return s;
}

/* The name of the machine's role, then its keys; a session token is wanted for both. */
static enum status ask_role(struct ask *ask, const char *base, const struct transport_field *header,
                            struct aws_keys *ret, struct err *err)
{
    char url[AWS_URL_MAX * 3];
    int n = snprintf(url, sizeof url, "%s/latest/meta-data/iam/security-credentials/", base);
    enum status s = ask_for(ask, "GET", str_of(url), header, err);
    if (s != STATUS_OK)
        return s;
    if (ask->status == 404)
        return STATUS_NOT_FOUND; /* a machine without a role */
    struct str name = str_trim(str_sub(ask->body, 0, str_find(ask->body, '\n', 0)));
    if (ask->status != 200 || name.len == 0 || name.len > AWS_URL_MAX)
        return is_broken("The machine's metadata service", ask->status, err);
    (void)snprintf(url + n, sizeof url - (size_t)n, "%.*s", STR_ARG(name));
    s = ask_for(ask, "GET", str_of(url), header, err);
    if (s == STATUS_OK && (ask->status != 200 || !read_keys(ask->body, &ask->arena, ret)))
        s = is_broken("The machine's metadata service", ask->status, err);
    return s;
}

enum status aws_ask_machine(aws_lookup *lookup, const struct stop *stop, struct aws_keys *ret,
                            struct err *err)
{
    CLEANUP(clear_ask) struct ask ask = {.stop = stop};
    const char *is_off = lookup("AWS_EC2_METADATA_DISABLED");
    const char *base = lookup("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const struct transport_field life = {STR("X-aws-ec2-metadata-token-ttl-seconds"), STR("21600")};
    char url[AWS_URL_MAX * 2];
    arena_init(&ask.arena, ARENA_BYTES);
    if (is_off != NULL && strcmp(is_off, "true") == 0)
        return STATUS_NOT_FOUND;
    base = base == NULL || base[0] == '\0' ? "http://169.254.169.254" : base;
    (void)snprintf(url, sizeof url, "%.*s/latest/api/token", AWS_URL_MAX, base);
    enum status s = transport_new(NULL, &ask.transport, err);
    if (s != STATUS_OK)
        return s;
    s = ask_for(&ask, "PUT", str_of(url), &life, err);
    if (s == STATUS_IO || s == STATUS_DEADLINE)
        return STATUS_NOT_FOUND; /* not on such a machine */
    if (s == STATUS_OK && (ask.status != 200 || ask.body.len == 0))
        s = is_broken("The machine's metadata service", ask.status, err);
    char *token = s == STATUS_OK ? arena_dup(&ask.arena, ask.body) : NULL;
    if (s == STATUS_OK && token == NULL)
        s = err_out_of_memory(err);
    const struct transport_field header = {STR("X-aws-ec2-metadata-token"), str_of(token)};
    (void)snprintf(url, sizeof url, "%.*s", AWS_URL_MAX, base);
    return s == STATUS_OK ? ask_role(&ask, url, &header, ret, err) : s;
}
