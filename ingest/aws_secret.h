/* aws_secret.h - one secret of AWS Secrets Manager, by name or ARN: keys of sources need not stand in a setting. */
#ifndef INGEST_AWS_SECRET_H
#define INGEST_AWS_SECRET_H

#include "ingest/aws.h"

/*
 * The current version of a secret's text, in arena. It is a secret: not for logs or errors.
 *   base   address of the service; "": that of the region
 *   field  of a secret that is a JSON object, the member of this name; "": the whole text
 * Errors: CONFIG for an address that is not private, a refusal, a secret that is binary or lacks the field; those of aws_send.
 */
enum status aws_secret_read(struct aws *aws, const char *region, const char *base, struct str name,
                            struct str field, struct arena *arena, struct str *ret, struct err *err)
    NODISCARD;

#endif
