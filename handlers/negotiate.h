/*
 * negotiate.h - which representation the client wants, and whether it already has it.
 * Sources: RFC 9110 sections 12.5.1 (Accept, q-values), 8.8.3 and 13.1.2 (entity tags, If-None-Match).
 */
#ifndef HANDLERS_NEGOTIATE_H
#define HANDLERS_NEGOTIATE_H

#include "base/encode.h"
#include "server/request.h"

enum format { FORMAT_JSON, FORMAT_CSV, FORMAT_NDJSON, FORMAT_ARROW, FORMAT_HTML, FORMAT_COUNT };

/*
 * Picks among the formats in mask (bits 1 << FORMAT_x): format= wins over Accept; with neither, the lowest
 * one. NOT_ACCEPTABLE lists what there is. Adds Vary: Accept to the reply.
 */
enum status negotiate_format(struct request *request, unsigned mask, enum format *ret,
                             struct err *err) NODISCARD;
const char *format_media_type(enum format format); /* with charset */
const char *format_extension(enum format format);  /* of file names, without a dot */

/* Accept names application/json itself, which a range with a star does not: for what is text to everyone else. */
bool accepts_json_by_name(struct request *request);

/*
 * The quality, in thousandths, that Accept gives a media type that it names, whatever its parameters; 0 when it does
 * not name it.
 */
int accept_quality_by_name(struct request *request, const char *media_type);

/*
 * Sets ETag "tag" and Cache-Control on the reply, then compares with If-None-Match. When the client has the
 * same representation the reply becomes 304 and true is returned: the handler is done. Asked after the
 * representation was made: "*" means that there is one. Conditions on anything but GET and HEAD are ignored.
 */
bool reply_if_unchanged(struct request *request, const char *tag, const char *cache_control);

/* The same before any I/O, when it is not known yet that there is anything: "*" does not count. */
bool reply_if_known(struct request *request, const char *tag, const char *cache_control);

/* The comparison alone. last_modified: NULL when there is none. */
bool client_has(struct request *request, const char *tag, const char *last_modified);

/* Sets Cache-Control; "private" takes the place of "public" where the answer depends on who asks. */
void reply_cache_control(struct request *request, const char *text);

enum { TAG_BYTES = 64 };

/* "g<generation>-<first 16 hex digits of SHA-256(canonical)>"; equal inputs give equal tags. */
enum status tag_make(int64_t generation, struct str canonical, char ret[TAG_BYTES], struct err *err)
    NODISCARD;

/* Codings of one body have tags of their own. */
void tag_add_encoding(char tag[TAG_BYTES], enum encoding encoding);

#endif
