/*
 * checksum.h - 128 bits that tell damaged bytes from whole ones, at memory speed. No secret and no signature: who can
 * write the bytes can write the sum. The same on every machine of one byte order. Pure; callable from any thread.
 */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include "base/str.h"

#include <stdint.h>

enum { CHECKSUM_BYTES = 16 };

void checksum(struct str bytes, unsigned char ret[CHECKSUM_BYTES]);

/* The two halves of a product: every bit of a and b changes the result. What checksum and hash tables are made of. */
uint64_t checksum_fold(uint64_t a, uint64_t b);

#endif
