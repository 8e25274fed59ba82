/*
 * encoding.h - which content coding the client wants. Source: RFC 9110 section 12.5.3 (Accept-Encoding).
 */
#ifndef HANDLERS_ENCODING_H
#define HANDLERS_ENCODING_H

#include "base/encode.h"
#include "server/request.h"

/*
 * The coding with the greatest quality; among equals zstd, then br, gzip, identity. Without the header:
 * identity, although any would do. Identity that is not named comes after everything that is.
 * NOT_ACCEPTABLE when the client excludes all four. Adds Vary: Accept-Encoding to the reply.
 */
enum status encoding_choose(struct request *request, enum encoding *ret, struct err *err) NODISCARD;

#endif
