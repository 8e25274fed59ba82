/* wide.h - 128-bit integers, which GCC and Clang have on every 64-bit machine and C17 has no word for. */
#ifndef BASE_WIDE_H
#define BASE_WIDE_H

__extension__ typedef unsigned __int128 u128;

#endif
