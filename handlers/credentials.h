/*
 * credentials.h - what a client says about who it is: the Authorization header, and keys where they must not be.
 * Pure functions; callable from any thread. Sources: RFC 6750 (Bearer), RFC 7617 (Basic), RFC 4648 (base64).
 */
#ifndef HANDLERS_CREDENTIALS_H
#define HANDLERS_CREDENTIALS_H

#include "base/str.h"

enum { CREDENTIALS_MAX = 512 }; /* bytes of a header that are looked at */

/*
 * The key in "Bearer <key>", or in "Basic <base64 of user:key>" whatever the user; the scheme's case does not
 * matter. room holds what was decoded. False for anything else.
 */
bool credentials_read(struct str authorization, char room[CREDENTIALS_MAX], struct str *ret_key);

/*
 * Does the raw query hold a key? *ret_name is the parameter's name as sent. True for a value with a key of ours in
 * it, for parameters named api_key, apikey, api-key or access_token, and for "key" and "token" with 32 characters
 * or more that could be a secret: shorter ones may be a mart's column.
 */
bool credentials_in_query(struct str query, struct str *ret_name);

#endif
