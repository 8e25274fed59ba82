/*
 * transport.h - one HTTP request to somewhere else, over libcurl (its only user). No policy: nothing is tried again,
 * nothing is cached, nothing is signed; callers judge the status. Errors name the host and never path, query or headers.
 * A struct transport keeps its connections for the next request and belongs to one thread at a time; threads have their
 * own. HTTP/1.1, http and https; certificates are always checked.
 */
#ifndef INGEST_TRANSPORT_H
#define INGEST_TRANSPORT_H

#include "base/err.h"

struct stop;
struct transport;

enum { TRANSPORT_HEAD_BYTES = 64 << 10, TRANSPORT_REDIRECTS_MAX = 5 };

/* The request's body and the answer's, piece by piece; *ret_n 0 is the end. An error ends the request with it. */
typedef enum status transport_read(void *from, char *room, size_t size, size_t *ret_n,
                                   struct err *err);
typedef enum status transport_write(void *to, struct str bytes, struct err *err);

/* A transport_read of the bytes that from, a struct str *, has left. */
enum status transport_read_str(void *from, char *room, size_t size, size_t *ret_n, struct err *err);

struct transport_field {
    struct str name, value; /* no control characters */
};

/* 0 means none, but for redirects: then an answer that redirects is an answer like others. */
struct transport_limits {
    unsigned connect_ms;           /* name, connection, TLS */
    unsigned total_ms;             /* all of it, with redirects */
    unsigned slow_bytes_s, slow_s; /* fewer bytes a second than this, for so long */
    int64_t answer_bytes;          /* after decompression */
    unsigned redirects;            /* followed for GET and HEAD, at most TRANSPORT_REDIRECTS_MAX */
};

struct transport_request {
    struct str method; /* "GET" */
    struct str url;    /* sent as it is: encoded by the caller */
    const struct transport_field *headers;
    size_t n_headers;
    transport_read *read; /* NULL: no body */
    void *from;
    int64_t body_bytes;     /* what read gives in all */
    transport_write *write; /* NULL: what comes is dropped */
    void *to;
    struct transport_limits limits;
    bool takes_gzip; /* asks for gzip; the sink sees plain bytes */
    bool is_direct;  /* not through the proxy of the environment (https_proxy and its like) */
    const struct stop *stop; /* looked at for every piece, and every second; may be NULL */
};

struct transport_answer {
    int status;
    int64_t bytes; /* given to the sink */
    unsigned redirects;
};

/* ca_file: certificates to trust, in PEM; NULL: those of the system. Errors: OUT_OF_MEMORY; INTERNAL. */
enum status transport_new(const char *ca_file, struct transport **ret, struct err *err) NODISCARD;
void transport_freep(struct transport **transport);

/*
 * Sends one request and gives the answer's body to its sink, whatever the status; bodies of redirects that are followed
 * are dropped. A redirect is followed from https to https only, and to another origin with User-Agent and Accept alone.
 * An answer is whole: its length, last chunk or gzip trailer was there.
 * Errors: BAD_VALUE for an address that cannot be asked; IO when the host cannot be reached or breaks off; DEADLINE for
 * the time limits; TOO_LARGE for the limit of bytes or of headers; BAD_DATA for damaged gzip, an encoding not asked for,
 * a body of the request that ends too early, too many redirects or one that is not followed; those of read, write
 * and stop. The sink may have seen bytes before an error.
 */
enum status transport_send(struct transport *transport, const struct transport_request *request,
                           struct transport_answer *ret, struct err *err) NODISCARD;

/* For the sink, and until the next request: the answer's status, and a header's value ("" length with ptr NULL: none).
 * Of several headers of one name it is the first; name in any case. */
int transport_status(const struct transport *transport);
struct str transport_header(const struct transport *transport, struct str name);

#endif
