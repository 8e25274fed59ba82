/*
 * sigv4.h - AWS Signature Version 4 in the Authorization header, for requests to S3 and to services at path "/".
 * Pure functions but for the arena: no I/O, no clock; callable from any thread with an arena of its own.
 * The request is given as it is meant (path and query not encoded), and what has to be sent comes back encoded, so
 * that the bytes signed and the bytes on the wire are the same ones. That is why libcurl's own signer is not used:
 * 7.88 sends "ymd=" in a path as it is and signs it so, where S3 signs "ymd%3D".
 * Source: "Signature Version 4 signing process" and, for paths, "Authenticating Requests: Using the Authorization
 * Header" of the Amazon S3 API reference: S3 paths are encoded once and never normalised.
 */
#ifndef INGEST_SIGV4_H
#define INGEST_SIGV4_H

#include "base/err.h"

struct arena;

struct sigv4_field {
    struct str name, value;
};

struct sigv4_keys {
    struct str access_key, secret_key;
    struct str session_token; /* of temporary credentials; empty: none */
};

struct sigv4_scope {
    struct str region, service; /* "s3" adds the header x-amz-content-sha256 */
    int64_t at_s;               /* seconds since 1970: both the header's time and the scope's day */
};

struct sigv4_request {
    struct str method;
    struct str path; /* from "/", not encoded */
    const struct sigv4_field *query;
    size_t n_query;
    const struct sigv4_field *headers; /* with Host; all are signed, each name at most once */
    size_t n_headers;
    struct str body_sha256; /* hexadecimal, or "UNSIGNED-PAYLOAD" */
};

struct sigv4_signed {
    struct str target; /* path and query, encoded: to be sent as it is */
    struct sigv4_field
        *headers; /* names in lower case, sorted; those of the request and of the signature */
    size_t n_headers;
};

/*
 * Signs one request; a retry signs again, with its own time.
 * The key derived from the secret is wiped before the return; the arena holds no secret but the session token.
 * Errors: CONFIG for a secret of more than 256 bytes; TOO_LARGE for a request of more than 64 KiB of
 * path, query and headers; OUT_OF_MEMORY.
 */
enum status sigv4_sign(struct arena *arena, const struct sigv4_keys *keys,
                       const struct sigv4_scope *scope, const struct sigv4_request *request,
                       struct sigv4_signed *ret, struct err *err) NODISCARD;

#endif
