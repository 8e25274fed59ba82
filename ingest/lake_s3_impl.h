/* lake_s3_impl.h - what the files of the lake on S3 share; for them alone. */
#ifndef INGEST_LAKE_S3_IMPL_H
#define INGEST_LAKE_S3_IMPL_H

#include "ingest/aws.h"
#include "ingest/lake_impl.h"
#include "ingest/lake_s3.h"

enum { LAKE_S3_PATH_MAX = 1400, LAKE_S3_ARENA_BYTES = 1 << 20, LAKE_S3_PAGE_KEYS = 1000 };

struct lake_s3 {
    struct lake lake; /* first */
    struct aws_credentials *credentials;
    struct aws *aws;
    struct aws_cost *costs; /* by enum lake_request */
    char bucket[64];
    char prefix[LAKE_S3_PATH_MAX - LAKE_KEY_MAX - 128]; /* "" or "a/b/" */
    char base[AWS_URL_MAX + 64];                        /* without a slash at the end */
    bool has_path_style;
    unsigned page_keys; /* 1 to LAKE_S3_PAGE_KEYS */
};

/* A call to the object of key; key "": a listing of the bucket. Headers, query and body are the caller's to add. */
struct aws_call lake_s3_call(const struct lake_s3 *lake, const char *method, const char *key,
                             char path[LAKE_S3_PATH_MAX], const struct stop *stop);

enum status lake_s3_head(struct lake *lake, const char *key, struct lake_entry *ret,
                         struct err *err) NODISCARD;
enum status lake_s3_get(struct lake *lake, const char *key, int64_t from, int64_t to,
                        struct lake_sink sink, const struct stop *stop, struct err *err) NODISCARD;
enum status lake_s3_put(struct lake *lake, struct lake_entry *entry, struct lake_source source,
                        const struct stop *stop, bool *ret_is_new, struct err *err) NODISCARD;
enum status lake_s3_list(struct lake *lake, const struct lake_range *range, lake_visit *visit,
                         void *to, const struct stop *stop, struct err *err) NODISCARD;
enum status lake_s3_tidy(struct lake *lake, int64_t before_s, const struct stop *stop,
                         int64_t *ret_n, struct err *err) NODISCARD;

/* An object in parts of bytes each, read from fd; entry has its length and hash. *ret_exists: somebody was first. */
struct lake_s3_parts {
    struct lake_s3 *lake;
    const struct lake_entry *entry;
    const struct sigv4_field *meta;
    size_t n_meta;
    int fd;
    char *room; /* of one part */
    size_t part_bytes;
    const struct stop *stop;
};
enum status lake_s3_upload(const struct lake_s3_parts *parts, bool *ret_exists, struct err *err)
    NODISCARD;

/* Base64 of a SHA-256 in hexadecimal, as x-amz-checksum-sha256 wants it. */
enum { LAKE_S3_CHECKSUM_BYTES = 45 };
void lake_s3_checksum(const char hex[DIGEST_HEX_BYTES], char ret[LAKE_S3_CHECKSUM_BYTES]);

#endif
