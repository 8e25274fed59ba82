/* suggest.c - optimal string alignment distance over short names. */
#include "base/suggest.h"

enum { LONGEST = 64 };

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

unsigned suggest_distance(struct str a, struct str b)
{
    a = str_sub(a, 0, LONGEST);
    b = str_sub(b, 0, LONGEST);
    unsigned row[3][LONGEST + 1]; /* the rows for i - 2, i - 1 and i, taken in turn */
    for (unsigned j = 0; j <= b.len; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *now = row[i % 3];
        const unsigned *last = row[(i + 2) % 3];
        const unsigned *before = row[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            char ca = fold(a.ptr[i - 1]);
            char cb = fold(b.ptr[j - 1]);
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (ca == cb ? 0 : 1));
            bool is_swap = i > 1 && j > 1 && ca == fold(b.ptr[j - 2]) && fold(a.ptr[i - 2]) == cb;
            if (is_swap && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return row[a.len % 3][b.len];
}

struct suggest suggest_start(struct str wanted)
{
    /* A third of the letters may be wrong, one of two; of a single one nothing but its case. */
    unsigned most = (unsigned)(wanted.len > LONGEST ? LONGEST : wanted.len) / 3;
    if (most == 0 && wanted.len > 1)
        most = 1;
    return (struct suggest){.wanted = wanted, .best = STR_NONE, .best_score = 2 * (most + 1)};
}

bool suggest_is_begun(struct str wanted, struct str candidate)
{
    return wanted.len < candidate.len && str_eq_nocase(wanted, str_sub(candidate, 0, wanted.len));
}

void suggest_offer(struct suggest *search, struct str candidate)
{
    enum { BEGUN_MIN = 4 }; /* letters that tell a beginning from chance */
    bool is_begun = suggest_is_begun(search->wanted, candidate);
    if (search->best.ptr == NULL && is_begun && search->wanted.len >= BEGUN_MIN)
        search->best = candidate; /* unless one is nearer */
    size_t longer = candidate.len > search->wanted.len ? candidate.len : search->wanted.len;
    size_t shorter = candidate.len > search->wanted.len ? search->wanted.len : candidate.len;
    if (2 * (longer - shorter) >= search->best_score)
        return;
    unsigned score = 2 * suggest_distance(search->wanted, candidate) + (is_begun ? 0 : 1);
    if (score < search->best_score) {
        search->best_score = score;
        search->best = candidate;
    }
}

struct str suggest_take(const struct suggest *search)
{
    return search->best;
}
