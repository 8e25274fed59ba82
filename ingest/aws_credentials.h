/*
 * aws_credentials.h - keys for signing: from the environment, the shared file, the container's or the machine's metadata,
 * and those of a role taken with them. Temporary keys are renewed before they end. Callable from any thread: one
 * renews while others go on with the keys there are, or wait for the first.
 * Not read: single sign-on, credential_process, web identities, role_arn of the shared file.
 * Source: "AWS SDKs and Tools Reference Guide", standardised credential providers; "Use IMDSv2"; "AssumeRole".
 */
#ifndef INGEST_AWS_CREDENTIALS_H
#define INGEST_AWS_CREDENTIALS_H

#include "base/err.h"

struct aws_credentials;
struct stop;

enum { AWS_KEY_BYTES = 132, AWS_SECRET_BYTES = 260, AWS_TOKEN_BYTES = 4100 };

struct aws_keys {
    char access_key[AWS_KEY_BYTES], secret_key[AWS_SECRET_BYTES];
    char session_token[AWS_TOKEN_BYTES]; /* "": keys for good */
    int64_t expires_s;                   /* 0: never */
    unsigned serial;                     /* counts renewals, from 1 */
};

/* The environment, e.g. getenv; NULL for a name that is not set. */
typedef char *aws_lookup(const char *name);

struct aws_login {
    aws_lookup *lookup;
    const char
        *profile; /* of the shared file, and of nothing else; "": AWS_PROFILE or "default", if the
                                environment has no keys */
    const char *role;        /* to be taken with these keys: "arn:aws:iam::1:role/lake"; "": none */
    const char *external_id; /* that the role asks for; "": none */
    const char *region;
    const char *sts;     /* address of STS; "": that of the region */
    const char *ca_file; /* NULL: the system's */
};

/* login->region, else that of the environment (AWS_REGION, AWS_DEFAULT_REGION), else us-east-1. */
const char *aws_region_of(const struct aws_login *login);

/* Copies what it needs; asks nobody yet. Errors: OUT_OF_MEMORY; CONFIG for an address of STS that is not private. */
enum status aws_credentials_new(const struct aws_login *login, struct aws_credentials **ret,
                                struct err *err) NODISCARD;
void aws_credentials_freep(struct aws_credentials **credentials);

/*
 * The keys in force; *ret is to be wiped after use.
 *   expired_serial  of keys that a service refused as expired: others are got unless there are others; 0: none
 * Errors: CONFIG when no provider has keys, or a file or role cannot be used; IO, DEADLINE for a provider that does not
 * answer; those of stop.
 */
enum status aws_credentials_get(struct aws_credentials *credentials, unsigned expired_serial,
                                const struct stop *stop, struct aws_keys *ret, struct err *err)
    NODISCARD;

/* The profile's keys in the text of a shared file; false when it has none. Pure. */
bool aws_profile_read(struct str text, struct str profile, struct aws_keys *ret);

#endif
