/* aws_service.h - how the settings log in to AWS, and the secrets that they keep there. */
#ifndef HANDLERS_AWS_SERVICE_H
#define HANDLERS_AWS_SERVICE_H

#include "ingest/aws_credentials.h"
#include "server/config.h"

/* Views into config; keys come from the process's environment, and what aws_credentials.h names. */
struct aws_login aws_service_login(const struct config *config);

/*
 * Reads the secrets of config that are kept in Secrets Manager, with the keys that there are and no role; asks nobody
 * where there are none. Errors: CONFIG naming the setting; those of aws_secret_read.
 */
enum status aws_service_secrets(struct config *config, struct err *err) NODISCARD;

#endif
