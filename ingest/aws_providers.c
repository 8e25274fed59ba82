/* aws_providers.c - the chain: environment, shared file, container, machine; a role on top. */
#include "ingest/aws_providers.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 256 << 10 };

bool aws_copy(struct str text, char *ret, size_t size)
{
    if (text.len >= size)
        return false;
    if (text.len > 0)
        memcpy(ret, text.ptr, text.len);
    ret[text.len] = '\0';
    return true;
}

static const char *look(aws_lookup *lookup, const char *name)
{
    const char *value = lookup(name);
    return value == NULL ? "" : value;
}

const char *aws_region_of(const struct aws_login *login)
{
    const char *names[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    if (login->region[0] != '\0')
        return login->region;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = look(login->lookup, names[i]);
        if (value[0] != '\0')
            return value;
    }
    return "us-east-1";
}

static enum status init_role(struct aws_provider *p, const struct aws_login *login, struct err *err)
{
    struct aws_login base = *login;
    base.role = "";
    enum status s = aws_credentials_new(&base, &p->base, err);
    const struct aws_options options = {login->region, login->ca_file, p->base, false};
    if (s == STATUS_OK)
        s = aws_new(&options, &p->aws, err);
    if (s == STATUS_OK && login->sts[0] == '\0')
        (void)snprintf(p->sts, sizeof p->sts, "https://sts.%s.amazonaws.com%s", login->region,
                       strncmp(login->region, "cn-", 3) == 0 ? ".cn" : "");
    if (s == STATUS_OK && !aws_is_private(str_of(p->sts)))
        s = err_set(err, STATUS_CONFIG,
                    "STS gives keys away: its address has to start with https.");
    if (s != STATUS_OK)
        aws_provider_clear(p);
    return s;
}

enum status aws_provider_init(struct aws_provider *provider, const struct aws_login *login,
                              struct err *err)
{
    struct aws_provider *p = provider;
    *p = (struct aws_provider){.lookup = login->lookup};
    bool fits = aws_copy(str_of(login->profile), p->profile, sizeof p->profile) &&
                aws_copy(str_of(login->role), p->role, sizeof p->role) &&
                aws_copy(str_of(login->external_id), p->external_id, sizeof p->external_id) &&
                aws_copy(str_of(login->region), p->region, sizeof p->region) &&
                aws_copy(str_of(login->sts), p->sts, sizeof p->sts);
    if (!fits)
        return err_set(err, STATUS_CONFIG, "A setting for keys is too long.");
    return p->role[0] == '\0' ? STATUS_OK : init_role(p, login, err);
}

void aws_provider_clear(struct aws_provider *provider)
{
    aws_freep(&provider->aws);
    aws_credentials_freep(&provider->base);
}

/* false: the environment has no keys. */
static bool read_environment(aws_lookup *lookup, struct aws_keys *ret)
{
    return look(lookup, "AWS_ACCESS_KEY_ID")[0] != '\0' &&
           look(lookup, "AWS_SECRET_ACCESS_KEY")[0] != '\0' &&
           aws_copy(str_of(lookup("AWS_ACCESS_KEY_ID")), ret->access_key, sizeof ret->access_key) &&
           aws_copy(str_of(lookup("AWS_SECRET_ACCESS_KEY")), ret->secret_key,
                    sizeof ret->secret_key) &&
           aws_copy(str_of(look(lookup, "AWS_SESSION_TOKEN")), ret->session_token,
                    sizeof ret->session_token);
}

/* Up to FILE_MAX bytes of a file; false when there is none. */
static bool read_file(const char *path, struct arena *arena, struct str *ret)
{
    char *text = arena_alloc(arena, FILE_MAX);
    FILE *file = text == NULL ? NULL : fopen(path, "re");
    if (file == NULL)
        return false;
    *ret = (struct str){text, fread(text, 1, FILE_MAX, file)};
    return fclose(file) == 0;
}

static bool read_shared_file(const struct aws_provider *p, struct aws_keys *ret)
{
    CLEANUP(arena_clear) struct arena arena;
    static const char *const files[][2] = {{"AWS_SHARED_CREDENTIALS_FILE", "credentials"},
                                           {"AWS_CONFIG_FILE", "config"}};
    const char *profile = p->profile[0] != '\0' ? p->profile : look(p->lookup, "AWS_PROFILE");
    arena_init(&arena, 4 * (size_t)FILE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char path[PATH_MAX];
        struct str text;
        const char *named = look(p->lookup, files[i][0]), *home = look(p->lookup, "HOME");
        int n = named[0] != '\0' ? snprintf(path, sizeof path, "%s", named)
                                 : snprintf(path, sizeof path, "%s/.aws/%s", home, files[i][1]);
        if (n > 0 && (size_t)n < sizeof path && read_file(path, &arena, &text) &&
            aws_profile_read(text, str_of(profile[0] == '\0' ? "default" : profile), ret))
            return true;
    }
    return false;
}

static enum status ask_base(const struct aws_provider *p, const struct stop *stop,
                            struct aws_keys *ret, struct err *err)
{
    bool is_named = p->profile[0] != '\0';
    if ((!is_named && read_environment(p->lookup, ret)) || read_shared_file(p, ret))
        return STATUS_OK;
    if (is_named) {
        (void)err_set(err, STATUS_CONFIG, "The shared files of keys have no such profile.");
        err_at(err, ERR_SETTING, STR("aws_profile"), str_of(p->profile));
        return STATUS_CONFIG;
    }
    enum status s = aws_ask_container(p->lookup, stop, ret, err);
    if (s == STATUS_NOT_FOUND)
        s = aws_ask_machine(p->lookup, stop, ret, err);
    if (s != STATUS_NOT_FOUND)
        return s;
    (void)err_set(err, STATUS_CONFIG, "No keys for S3 were found.");
    err_allow(
        err,
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws/credentials, the metadata of a container or a machine");
    return STATUS_CONFIG;
}

enum status aws_provider_ask(struct aws_provider *provider, const struct stop *stop,
                             struct aws_keys *ret, struct err *err)
{
    return provider->aws != NULL ? aws_ask_sts(provider, stop, ret, err)
                                 : ask_base(provider, stop, ret, err);
}

/* "[name]", in a config file "[profile name]". */
static bool is_section(struct str line, struct str profile)
{
    struct str name = str_trim(str_sub(line, 1, str_find(line, ']', 0)));
    if (str_starts(name, STR("profile ")))
        name = str_trim(str_sub(name, 8, name.len));
    return str_eq(name, profile);
}

bool aws_profile_read(struct str text, struct str profile, struct aws_keys *ret)
{
    struct aws_keys keys = {0};
    struct str line;
    bool is_inside = false, fits = true;
    while (str_next_field(&text, '\n', &line)) {
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        line = str_trim(line);
        size_t equals = str_find(line, '=', 0);
        if (line.len > 0 && line.ptr[0] == '[')
            is_inside = is_section(line, profile);
        if (!is_inside || equals == line.len || line.ptr[0] == '#' || line.ptr[0] == ';')
            continue;
        struct str name = str_trim(str_sub(line, 0, equals));
        struct str value = str_trim(str_sub(line, equals + 1, line.len));
        if (str_eq_c(name, "aws_access_key_id"))
            fits = aws_copy(value, keys.access_key, sizeof keys.access_key) && fits;
        else if (str_eq_c(name, "aws_secret_access_key"))
            fits = aws_copy(value, keys.secret_key, sizeof keys.secret_key) && fits;
        else if (str_eq_c(name, "aws_session_token"))
            fits = aws_copy(value, keys.session_token, sizeof keys.session_token) && fits;
    }
    if (!fits || keys.access_key[0] == '\0' || keys.secret_key[0] == '\0')
        return false;
    *ret = keys;
    return true;
}
