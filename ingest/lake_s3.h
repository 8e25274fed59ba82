/*
 * lake_s3.h - the lake in a bucket of S3, or of what speaks its protocol: opened here, used through lake.h.
 * Objects are written with `If-None-Match: *`, so that of many writers one wins; metadata are x-amz-meta- headers. The
 * server has to know conditional writes: S3 and Ceph do, servers that ignore the header would overwrite.
 * Memory: a part of 8 MiB for each put under way; longer objects are spooled to a temporary file, since their SHA-256
 * goes ahead of them.
 */
#ifndef INGEST_LAKE_S3_H
#define INGEST_LAKE_S3_H

#include "ingest/aws_credentials.h"
#include "ingest/lake.h"

enum lake_s3_style { LAKE_S3_AUTO, LAKE_S3_PATH, LAKE_S3_VIRTUAL };

struct lake_s3_options {
    const char *endpoint; /* "http://127.0.0.1:7480"; "": AWS */
    enum lake_s3_style
        style; /* of addresses; auto: virtual on AWS unless the bucket has dots, else path */
    struct aws_login login; /* region "": AWS_REGION, AWS_DEFAULT_REGION or us-east-1 */
    unsigned page_keys;     /* of one page of a listing; 0: 1000 */
};

/*
 * address: "s3://bucket" or "s3://bucket/prefix"; asks nobody yet.
 * Errors: CONFIG for an address, endpoint or region that cannot be; OUT_OF_MEMORY. Calls of the lake then give, beside
 * those of lake.h: IO, BUSY and DEADLINE for trouble that passes, CONFIG for keys, policy, region or bucket.
 */
enum status lake_open_s3(const char *address, const struct lake_s3_options *options,
                         struct lake **ret, struct err *err) NODISCARD;

#endif
