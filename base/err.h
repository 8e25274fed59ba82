/*
 * err.h - statuses and the one description that travels with a failure.
 * A function that can fail returns enum status and fills *err only when it fails; err may be NULL.
 * The description names what was wrong (where, name, value) and what is allowed.
 * Plain data: copy freely, no destructor, one thread at a time.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attrs.h"
#include "base/str.h"

enum status {
#define STATUS(name, http, code, slug, title) STATUS_##name,
#include "base/status.def"
#undef STATUS
    STATUS_COUNT
};

enum err_where { ERR_NOWHERE, ERR_PARAMETER, ERR_POINTER, ERR_HEADER, ERR_SETTING, ERR_LINE };

struct err {
    enum status status;
    enum err_where where;   /* what name points into: query parameter, JSON pointer, header ... */
    char detail[512];       /* one sentence for a person */
    char name[128];         /* "limit", "/assets/0/weight" */
    char value[96];         /* what was refused, as it was sent; see err_at */
    char suggestion[96];    /* "did you mean" */
    char allowed[640];      /* what would have been accepted */
    unsigned retry_after_s; /* 0: not stated */
};

int status_http(enum status s);
const char *status_name(enum status s);  /* "UNKNOWN_COLUMN" */
const char *status_code(enum status s);  /* "Q102" */
const char *status_slug(enum status s);  /* "unknown-column" */
const char *status_title(enum status s); /* "Unknown column" */

/* Fills *err (when not NULL) with s and a sentence; clears the rest; returns s so that it can be returned. */
enum status err_set(struct err *err, enum status s, const char *format, ...) PRINTF(3, 4);

/* OUT_OF_MEMORY where nothing more can be said about it; returned, as by err_set. */
enum status err_out_of_memory(struct err *err);

/* The same where it is a request's own limit that was reached. */
enum status err_request_memory(struct err *err);

/*
 * Adds the place to an err already set, and what was refused there as it was sent: the text of a parameter, header,
 * setting or field of a line. Name and value are cut to fit, at a UTF-8 boundary; a value that was cut ends in "...".
 * At ERR_POINTER, inside a JSON body, value is a string there, and kept as JSON text: "abc" with its quotes.
 */
void err_at(struct err *err, enum err_where where, struct str name, struct str value);

/* The same at a place of a JSON body whose value is any JSON, given as its text. */
void err_at_json(struct err *err, struct str pointer, struct str json);
void err_suggest(struct err *err, struct str suggestion);
void err_allow(struct err *err, const char *format, ...) PRINTF(2, 3);

#endif
