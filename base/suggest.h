/* suggest.h - "did you mean": the nearest of some names. Pure; callable from any thread. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/str.h"

/* Edits (insert, delete, replace, swap neighbours) from a to b, ASCII case ignored; capped at 64 bytes each. */
unsigned suggest_distance(struct str a, struct str b);

/* Whether a name was begun and not ended, as risk_free of risk_free_rate; case does not matter. */
bool suggest_is_begun(struct str wanted, struct str candidate);

/*
 * A search in progress: offer every candidate, then take the one with the fewest edits, of two the one that begins with
 * what was wanted (1mo of 1m); at most a third of the letters may be wrong. Else the first that begins with what was wanted;
 * STR_NONE when none is near enough.
 */
struct suggest {
    struct str wanted;
    struct str best;
    unsigned best_score; /* twice its distance, and one unless it begins with what was wanted */
};

struct suggest suggest_start(struct str wanted);
void suggest_offer(struct suggest *search, struct str candidate);
struct str suggest_take(const struct suggest *search);

#endif
