/*
 * api_key.h - the text of a key: "cmmc_<id>_<secret><check>".
 *
 * id is decimal. The secret is 256 random bits as 52 characters of base32 (RFC 4648, lower case). check is the
 * CRC-32 of all before it as 7 more, so that a typing error, and a scanner that looks for leaked keys, know a
 * key from other text without asking a server. What is stored is the plain SHA-256 of the text: against 256
 * random bits there is no guessing, which is all that a slow hash would hinder, while it would let anyone who
 * sends made-up keys keep the processor busy. Pure functions, except api_key_make, which reads the system's
 * random numbers; callable from any thread.
 */
#ifndef STORE_API_KEY_H
#define STORE_API_KEY_H

#include "base/digest.h"

enum { API_KEY_TEXT_BYTES = 96, API_KEY_NAME_MAX = 64 };

/* Bits of a key's scopes, as they are stored. */
enum { SCOPE_READ = 1, SCOPE_BACKTEST = 2, SCOPE_ADMIN = 4, SCOPE_ALL = 7 };

/* Makes a new secret for id. Errors: STATUS_INTERNAL when there are no random numbers. */
enum status api_key_make(int64_t id, char ret_text[API_KEY_TEXT_BYTES],
                         unsigned char ret_hash[DIGEST_BYTES], struct err *err) NODISCARD;

/* False when text is no well-formed key, checksum included. */
bool api_key_parse(struct str text, int64_t *ret_id);

/* Does text hold the beginning of a key, "cmmc_<digits>_"? *ret_at, which may be NULL, is where. */
bool api_key_is_in(struct str text, size_t *ret_at);

/* "read,backtest" and back; false for an unknown or repeated name and for none at all. */
bool scopes_parse(struct str text, unsigned *ret);
const char *scopes_text(unsigned scopes);

/* 1 to API_KEY_NAME_MAX letters, digits, '.', '-', '_', starting with a letter. */
bool api_key_name_is_valid(struct str name);

#endif
