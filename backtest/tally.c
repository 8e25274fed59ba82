/* tally.c - a hash table of counts. */
#include "backtest/tally.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 256 };

void tally_init(struct tally *tally, struct arena *arena)
{
    *tally = (struct tally){.arena = arena};
}

/* Source: G. Fowler, L. C. Noll, K.-P. Vo, FNV-1a, 64 bits. */
static uint64_t hash(struct str word)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < word.len; i++)
        h = (h ^ (unsigned char)word.ptr[i]) * 1099511628211u;
    return h;
}

static struct tally_word *find(struct tally_word *slots, size_t n_slots, struct str word)
{
    size_t at = (size_t)hash(word) & (n_slots - 1);
    while (slots[at].word.ptr != NULL && !str_eq(slots[at].word, word))
        at = (at + 1) & (n_slots - 1);
    return &slots[at];
}

static bool grow(struct tally *tally)
{
    size_t n = tally->n_slots == 0 ? FIRST_SLOTS : 2 * tally->n_slots;
    struct tally_word *slots = arena_array(tally->arena, n, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < tally->n_slots; i++)
        if (tally->slots[i].word.ptr != NULL)
            *find(slots, n, tally->slots[i].word) = tally->slots[i];
    tally->slots = slots;
    tally->n_slots = n;
    return true;
}

bool tally_add(struct tally *tally, struct str word)
{
    if (2 * (tally->n_words + 1) > tally->n_slots && !grow(tally))
        return false;
    struct tally_word *slot = find(tally->slots, tally->n_slots, word);
    if (slot->word.ptr == NULL) {
        slot->word = (struct str){arena_dup(tally->arena, word), word.len};
        if (slot->word.ptr == NULL)
            return false;
        tally->n_words++;
    }
    slot->count++;
    return true;
}

static int by_count(const void *left, const void *right)
{
    const struct tally_word *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return str_cmp(a->word, b->word);
}

const struct tally_word *tally_sorted(struct tally *tally, size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < tally->n_slots; i++)
        if (tally->slots[i].word.ptr != NULL)
            tally->slots[n++] = tally->slots[i];
    if (n > 0)
        qsort(tally->slots, n, sizeof *tally->slots, by_count);
    *ret_n = n;
    return tally->slots;
}
