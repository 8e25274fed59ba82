/* aws_service.c - the login of the settings, and secrets read with it. */
#include "handlers/aws_service.h"

#include "ingest/aws_secret.h"

#include <stdlib.h>

struct aws_login aws_service_login(const struct config *config)
{
    return (struct aws_login){
        .lookup = getenv,
        .profile = config->aws_profile,
        .role = config->aws_role,
        .external_id = config->aws_external_id,
        .region = config->aws_region,
        .sts = config->aws_sts_endpoint,
        .ca_file = config->aws_ca_file[0] == '\0' ? NULL : config->aws_ca_file,
    };
}

struct vault {
    struct aws *aws;
    const char *region, *endpoint;
};

static enum status read_secret(void *from, struct str name, struct str field, struct arena *arena,
                               struct str *ret, struct err *err)
{
    const struct vault *vault = from;
    return aws_secret_read(vault->aws, vault->region, vault->endpoint, name, field, arena, ret,
                           err);
}

enum status aws_service_secrets(struct config *config, struct err *err)
{
    CLEANUP(aws_credentials_freep) struct aws_credentials *credentials = NULL;
    struct aws_login login = aws_service_login(config);
    struct vault vault = {.endpoint = config->aws_secrets_endpoint};
    if (!config_has_references(config))
        return STATUS_OK;
    login.role = ""; /* the lake's may be another account's */
    login.region = vault.region = aws_region_of(&login);
    enum status s = aws_credentials_new(&login, &credentials, err);
    const struct aws_options options = {login.region, login.ca_file, credentials, false};
    if (s == STATUS_OK)
        s = aws_new(&options, &vault.aws, err);
    if (s == STATUS_OK)
        s = config_resolve(config, read_secret, &vault, err);
    aws_freep(&vault.aws);
    return s;
}
