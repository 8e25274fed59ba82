/* request_id.c - ids from the clock and a counter stirred with a random seed: no system call each. */
#include "server/request_id.h"

#include "server/framing.h"

#include "base/clock.h"

#include <sys/random.h>

void request_ids_init(struct request_ids *ids)
{
    atomic_store(&ids->count, 0);
    if (getrandom(ids->seed, sizeof ids->seed, GRND_NONBLOCK) == (ssize_t)sizeof ids->seed)
        return;
    ids->seed[0] = (uint64_t)clock_mono_ns(); /* early boot: still unique on this machine */
    ids->seed[1] = (uint64_t)clock_wall_ms();
}

static uint64_t stir(uint64_t x) /* the finaliser of splitmix64 */
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void request_ids_next(struct request_ids *ids, char ret[REQUEST_ID_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    uint64_t n =
        atomic_fetch_add_explicit(&ids->count, 1, memory_order_relaxed) * 0x9e3779b97f4a7c15u;
    uint64_t high = ((uint64_t)clock_wall_ms() << 16) | 0x7000u | (stir(ids->seed[0] + n) & 0xfffu);
    uint64_t low = (stir(ids->seed[1] + n) & 0x3fffffffffffffffu) | 0x8000000000000000u;
    for (int i = 0, at = 0; i < 32; i++) {
        uint64_t word = i < 16 ? high : low;
        if (i == 8 || i == 12 || i == 16 || i == 20)
            ret[at++] = '-';
        ret[at++] = digits[(word >> (60 - 4 * (i % 16))) & 0xf];
    }
    ret[REQUEST_ID_BYTES - 1] = '\0';
}

void request_ids_words(struct request_ids *ids, uint64_t ret[3])
{
    uint64_t n =
        atomic_fetch_add_explicit(&ids->count, 1, memory_order_relaxed) * 0x9e3779b97f4a7c15u;
    ret[0] = stir(ids->seed[0] ^ n);
    ret[1] = stir(ids->seed[1] ^ n) | 1; /* an id of zeros only is not one */
    ret[2] = stir(ret[0] + ids->seed[1]) | 1;
}

bool request_id_is_usable(struct str s)
{
    return s.len <= 64 && framing_is_token(s);
}
