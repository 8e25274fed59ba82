/*
 * words.h - the words of a text, for full-text search that is the same on every back end.
 * A word is a run of letters, digits and characters beyond ASCII; what separates words is the rest of ASCII, and the
 * blanks and punctuation listed in words_separators. ASCII letters are folded to lower case, others stay as they are.
 * Pure; callable from any thread.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include "base/str.h"

/* Every separator as one string in UTF-8, for back ends that replace characters themselves. */
extern const char words_separators[];

/*
 * Writes " word word ": folded, each separator one space, and a space at both ends. out holds s.len + 2 bytes.
 * Returns the length.
 */
size_t words_normalise(struct str s, char *out);

#endif
