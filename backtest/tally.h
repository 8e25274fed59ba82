/*
 * tally.h - how often each word of a stream occurred.
 * Memory from the arena, bounded by the different words; one thread.
 */
#ifndef BACKTEST_TALLY_H
#define BACKTEST_TALLY_H

#include "base/arena.h"

struct tally_word {
    struct str word;
    size_t count;
};

struct tally {
    struct arena *arena;
    struct tally_word *slots; /* open addressing; word.ptr NULL is free */
    size_t n_slots, n_words;
};

void tally_init(struct tally *tally, struct arena *arena);

/* Copies a word that is new. False when out of memory. */
bool tally_add(struct tally *tally, struct str word) NODISCARD;

/* The words, most frequent first and then bytewise; the tally can take no more. */
const struct tally_word *tally_sorted(struct tally *tally, size_t *ret_n);

#endif
