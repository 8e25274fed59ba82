/*
 * lake.h - the lake: objects with metadata below bronze/{dataset}/ymd=YYYY-MM-DD/, written once and never changed.
 * In a folder, or in a bucket of S3 (lake_s3.h): the same functions, and the same promises. Callable from any thread, and
 * safe between processes: of many writers of a key one wins. Bytes are streamed: memory does not depend on their number.
 * An object is seen whole or not at all, and is stored for good when lake_put returns.
 *
 * In a folder an object is the file of its key, with its raw bytes; beside it ".{file}.meta" holds lines "name: value".
 * Writers of one partition take turns (flock).
 */
#ifndef INGEST_LAKE_H
#define INGEST_LAKE_H

#include "base/digest.h"
#include "base/err.h"

struct lake;
struct stop;

enum { LAKE_KEY_MAX = 512, LAKE_FILE_MAX = 200, LAKE_URL_MAX = 1024, LAKE_ADDRESS_MAX = 6144 };

/* A key taken apart; views into it. */
struct lake_key {
    struct str
        dataset; /* between the layer and the partition: "coin_data", "industry_code/krx_codes" */
    int32_t from, to; /* the partition's days, half-open: one of ymd=, a year of year= */
    struct str file;
};

/* Where an object comes from. No member holds control characters. */
struct lake_meta {
    char source_url[LAKE_URL_MAX];      /* "": not from an address */
    int64_t fetched_at;                 /* seconds since 1970; 0: not known */
    int http_status;                    /* 0: none */
    char schema_hash[DIGEST_HEX_BYTES]; /* of the columns or members found; "": not known */
};

struct lake_entry {
    char key[LAKE_KEY_MAX + 1];
    int64_t bytes;
    char sha256[DIGEST_HEX_BYTES];
    struct lake_meta meta;
};

/* Bytes of an object, from the caller and to the caller; *ret_n 0 is the end. An error ends the call with it. */
typedef enum status lake_read(void *from, char *room, size_t size, size_t *ret_n, struct err *err);
typedef enum status lake_write(void *to, struct str bytes, struct err *err);
typedef enum status lake_visit(void *to, const struct lake_entry *entry, struct err *err);

/* A source or sink with its own state. */
struct lake_source {
    lake_read *read;
    void *from;
};

struct lake_sink {
    lake_write *write;
    void *to;
};

/*
 * The form of a key: a layer (bronze or silver), a dataset of one or more names, one partition (ymd=YYYY-MM-DD or
 * year=YYYY), a file. Names have letters, digits, '.', '-', '_' and do not start with a dot.
 * Errors: BAD_VALUE.
 */
enum status lake_key_parse(struct str key, struct lake_key *ret, struct err *err) NODISCARD;

/*
 * An address without its secrets: no user and password, "***" for values of parameters that are named like a
 * secret (key, token, secret, password, signature, auth in any case); cut to fit. Done by lake_put, too.
 */
void lake_url_redact(struct str url, char ret[LAKE_URL_MAX]);

/* The lake in a folder, which is made when first written to. Errors: OUT_OF_MEMORY; CONFIG for an address (lake_s3.h). */
enum status lake_open(const char *folder, struct lake **ret, struct err *err) NODISCARD;
void lake_freep(struct lake **lake);

/*
 * Stores what source gives as key, once. The same bytes again change nothing (*ret_is_new is false, the first
 * metadata stays), so that a retry is harmless; others are refused.
 *   stop  polled for every piece; may be NULL
 * Errors: BAD_VALUE; BAD_DATA when key holds other bytes; IO; those of source and stop.
 */
enum status lake_put(struct lake *lake, const char *key, struct lake_source source,
                     const struct lake_meta *meta, const struct stop *stop, bool *ret_is_new,
                     struct err *err) NODISCARD;

/* What is known of an object without reading it. Errors: BAD_VALUE, NOT_FOUND, IO; BAD_DATA for broken metadata. */
enum status lake_head(struct lake *lake, const char *key, struct lake_entry *ret, struct err *err)
    NODISCARD;

/*
 * Bytes [from, to) of an object to sink, piece by piece; to INT64_MAX: to its end. A whole read checks the SHA-256.
 * Errors: as lake_head; RANGE_NOT_SATISFIABLE; BAD_DATA when the bytes are not those stored; those of sink and stop.
 */
enum status lake_get(struct lake *lake, const char *key, int64_t from, int64_t to,
                     struct lake_sink sink, const struct stop *stop, struct err *err) NODISCARD;

/* What is listed: keys that start with prefix in partitions that overlap the days [from, to). */
struct lake_range {
    struct str prefix;
    int32_t from, to;
};

/*
 * Calls visit for every object with its key and bytes; hash and metadata are left empty, lake_head knows them. Partitions of
 * one data set come in the order of days, and objects of a partition in that of names. Holds the names of one folder at
 * each level, or one page of a thousand. Errors: IO; BAD_DATA; those of visit and stop.
 */
enum status lake_list(struct lake *lake, const struct lake_range *range, lake_visit *visit,
                      void *to, const struct stop *stop, struct err *err) NODISCARD;

/*
 * Removes an object of the layer silver, which can be made again of others; none of that key is no error. What is in
 * bronze stays. Errors: BAD_VALUE, also for keys of bronze; IO.
 */
enum status lake_remove(struct lake *lake, const char *key, struct err *err) NODISCARD;

/*
 * Removes what writers that were killed left behind: temporary files, uploads in parts. Nobody sees them, but they take
 * room. before_s: only those begun before that time, in seconds since 1970. Errors: IO; those of stop.
 */
enum status lake_tidy(struct lake *lake, int64_t before_s, const struct stop *stop, int64_t *ret_n,
                      struct err *err) NODISCARD;

/* Requests to S3 by what they are billed as, repeated ones too, and the bytes of their bodies, since the lake was opened. */
enum lake_request { LAKE_PUT, LAKE_LIST, LAKE_GET, LAKE_FREE, LAKE_REQUESTS };
struct lake_cost {
    int64_t requests
        [LAKE_REQUESTS]; /* PUT with POST; GET with HEAD; DELETE and the end of an upload are free */
    int64_t bytes;
};
void lake_cost(const struct lake *lake, struct lake_cost *ret); /* of a folder: nothing */

/* Where an object is for others: a path or "s3://bucket/prefix/key". key is of the form of lake_key_parse, or "". */
void lake_address(const struct lake *lake, const char *key, char ret[LAKE_ADDRESS_MAX]);

#endif
