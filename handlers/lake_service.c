/* lake_service.c - the lake that the settings name. */
#include "handlers/lake_service.h"

#include "handlers/aws_service.h"
#include "ingest/lake_s3.h"

#include <stdio.h>

enum status lake_service_open(const struct config *config, struct lake **ret, struct err *err)
{
    char folder[1100];
    const struct lake_s3_options options = {
        .endpoint = config->s3_endpoint,
        .style = (enum lake_s3_style)config->s3_style,
        .login = aws_service_login(config),
    };
    if (str_starts(str_of(config->lake), STR("s3://")))
        return lake_open_s3(config->lake, &options, ret, err);
    (void)snprintf(folder, sizeof folder, "%s/lake", config->var_dir);
    return lake_open(config->lake[0] == '\0' ? folder : config->lake, ret, err);
}
