/*
 * crowds.h - sorted monkey statistics in the process, by what they depend on: generations of the marts,
 * the engine, and the request less its weights. A strategy ranked among a kept crowd gets the bytes it
 * would have got without. Bounded in bytes; callable from any thread.
 */
#ifndef HANDLERS_CROWDS_H
#define HANDLERS_CROWDS_H

#include "base/blob.h"
#include "base/digest.h"

#include <stdint.h>

struct crowds;
struct monkey_crowd;

/* max_bytes 0: nothing is kept, and *ret is NULL. */
enum status crowds_new(uint64_t max_bytes, struct crowds **ret, struct err *err) NODISCARD;
void crowds_free(struct crowds *crowds); /* NULL is allowed */

/*
 * False when it is not there. *ret points into *ret_blob, which is the caller's to unref. Both functions
 * accept a crowds of NULL.
 */
bool crowds_find(struct crowds *crowds, const unsigned char key[DIGEST_BYTES],
                 struct monkey_crowd *ret, struct blob **ret_blob) NODISCARD;

/* Keeps a copy, if there is room for one that large. */
void crowds_keep(struct crowds *crowds, const unsigned char key[DIGEST_BYTES],
                 const struct monkey_crowd *crowd);

#endif
