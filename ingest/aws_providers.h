/* aws_providers.h - where keys come from: what the files of aws_credentials.h share; for them alone. */
#ifndef INGEST_AWS_PROVIDERS_H
#define INGEST_AWS_PROVIDERS_H

#include "ingest/aws.h"
#include "ingest/aws_credentials.h"

struct aws_provider {
    aws_lookup *lookup;
    char profile[128], role[2049], external_id[1225], region[64], sts[AWS_URL_MAX];
    struct aws_credentials
        *base;       /* of the role: the keys it is taken with; NULL: this is the base */
    struct aws *aws; /* for STS; NULL without a role */
};

enum status aws_provider_init(struct aws_provider *provider, const struct aws_login *login,
                              struct err *err) NODISCARD;
void aws_provider_clear(struct aws_provider *provider);
enum status aws_provider_ask(struct aws_provider *provider, const struct stop *stop,
                             struct aws_keys *ret, struct err *err) NODISCARD;

/*
 * The container's keys when the environment says where, else the machine's. NOT_FOUND: there is no such service.
 * Errors: CONFIG, IO, DEADLINE; BAD_DATA.
 */
enum status aws_ask_container(aws_lookup *lookup, const struct stop *stop, struct aws_keys *ret,
                              struct err *err) NODISCARD;
enum status aws_ask_machine(aws_lookup *lookup, const struct stop *stop, struct aws_keys *ret,
                            struct err *err) NODISCARD;

/* Keys of the role. Errors: those of aws_send; BAD_DATA. */
enum status aws_ask_sts(const struct aws_provider *provider, const struct stop *stop,
                        struct aws_keys *ret, struct err *err) NODISCARD;

/* text into ret, or false when it does not fit. */
bool aws_copy(struct str text, char *ret, size_t size);

#endif
