/*
 * schema_hash.h - a fingerprint of what an answer is made of, to see when a provider changes it: the names of its members, of
 * its elements or of its columns, whatever their order and number. Pure; any thread.
 */
#ifndef INGEST_SCHEMA_HASH_H
#define INGEST_SCHEMA_HASH_H

#include "base/digest.h"

/*
 * Members of JSON (names that begin with a digit are data: dates, stamps), elements of XML and HTML, or the first line of
 * anything else. "" when there are none, or more than SCHEMA_NAMES_MAX.
 */
enum { SCHEMA_NAMES_MAX = 512 };
enum status schema_hash(struct str body, char ret[DIGEST_HEX_BYTES], struct err *err) NODISCARD;

#endif
