/*
 * number_digits.h - what the files number*.c share: the shortest decimal as an integer, and sixteen digits at once. Those
 * come by halves: two of eight digits, four quarters, eight pairs, sixteen, each step the same few operations on all of
 * them; by the vector instructions that every x86-64 has, or in two words.
 */
#ifndef BASE_NUMBER_DIGITS_H
#define BASE_NUMBER_DIGITS_H

#include "base/attrs.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

enum { WORD = 8, SIXTEEN = 16 };
#define EIGHT_DIGITS UINT64_C(100000000)

/* digits * 10^exponent */
struct shortest {
    uint64_t digits;
    int exponent;
};

/* The shortest decimal of a finite value but 0, without its sign. Callable from any thread. */
struct shortest number_shortest(double value);

static const uint64_t powers_of_ten[] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
};

static inline int count_digits(uint64_t x)
{
    if (x >= powers_of_ten[15])
        return x >= powers_of_ten[16] ? 17 : 16;
    int bits = 64 - __builtin_clzll(x | 1);
    int n = bits * 1233 >> 12; /* floor(bits log10(2)): right, or one too low */
    return n + (x >= powers_of_ten[n] ? 1 : 0);
}

typedef uint8_t sixteen_bytes VECTOR(16); /* in the order of the text */

/* The eight digits of x < 10^8 as the bytes of a word, the first one lowest. */
static inline uint64_t eight_digits(uint32_t x)
{
    uint32_t high = x / 10000;
    uint64_t all = high | (uint64_t)(x - 10000 * high) << 32;
    uint64_t tens = all * 10486 >> 20 & UINT64_C(0x0000007f0000007f); /* v / 100 for v < 10000 */
    all = tens | (all - 100 * tens) << 16;
    tens = all * 103 >> 10 & UINT64_C(0x000f000f000f000f); /* v / 10 for v < 100 */
    return tens | (all - 10 * tens) << 8;
}

/* The eight bytes of a word, lowest first. */
static inline void put_word(char *to, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(to, &word, WORD);
}

/* Eight of sixteen bytes as a word, the first one lowest. */
static inline uint64_t word_of(sixteen_bytes bytes, size_t half)
{
    typedef uint64_t words VECTOR(16);
    uint64_t word = ((words)bytes)[half];
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The digits of x < 10^16, each 0 to 9. */
static inline sixteen_bytes sixteen_digits_in_words(uint64_t x)
{
    char text[SIXTEEN];
    sixteen_bytes bytes;
    put_word(text, eight_digits((uint32_t)(x / EIGHT_DIGITS)));
    put_word(text + WORD, eight_digits((uint32_t)(x % EIGHT_DIGITS)));
    memcpy(&bytes, text, sizeof bytes);
    return bytes;
}

/* How many there are without the zeros behind them. */
static inline int count_without_zeros_in_words(sixteen_bytes digits)
{
    uint64_t high = word_of(digits, 0), low = word_of(digits, 1);
    return low != 0    ? SIXTEEN - __builtin_clzll(low) / 8
           : high != 0 ? WORD - __builtin_clzll(high) / 8
                       : 0;
}

#ifdef __SSE2__
static inline sixteen_bytes sixteen_digits(uint64_t x)
{
    uint64_t high = x / EIGHT_DIGITS;
    __m128i all = _mm_set_epi64x((long long)(x - high * EIGHT_DIGITS), (long long)high);
    __m128i upper = _mm_srli_epi64(_mm_mul_epu32(all, _mm_set1_epi64x(0xd1b71759)), 45);
    __m128i lower = _mm_sub_epi64(all, _mm_mul_epu32(upper, _mm_set1_epi64x(10000)));
    all = _mm_or_si128(upper, _mm_slli_epi64(lower, 32));
    upper = _mm_srli_epi16(_mm_mulhi_epu16(all, _mm_set1_epi16(10486)), 4); /* v / 100 */
    lower = _mm_sub_epi32(all, _mm_madd_epi16(upper, _mm_set1_epi16(100)));
    all = _mm_or_si128(upper, _mm_slli_epi32(lower, 16));
    upper = _mm_mulhi_epu16(all, _mm_set1_epi16(6554)); /* v / 10 for v < 100 */
    __m128i moved = _mm_mullo_epi16(upper, _mm_set1_epi16((10 << 8) - 1));
    return (sixteen_bytes)_mm_sub_epi16(_mm_slli_epi16(all, 8), moved);
}

static inline int count_without_zeros(sixteen_bytes digits)
{
    __m128i is_digit = _mm_cmpgt_epi8((__m128i)digits, _mm_setzero_si128());
    return __builtin_clz((unsigned)_mm_movemask_epi8(is_digit) << 1 | 1) ^ 31;
}
#else
static inline sixteen_bytes sixteen_digits(uint64_t x)
{
    return sixteen_digits_in_words(x);
}

static inline int count_without_zeros(sixteen_bytes digits)
{
    return count_without_zeros_in_words(digits);
}
#endif

#endif
