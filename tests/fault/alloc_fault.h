/*
 * alloc_fault.h - makes the n-th allocation of our own code fail (the linker's --wrap; see the Makefile), for
 * n = 0, 1, 2 ... until a scenario runs through without meeting it.
 */
#ifndef TESTS_FAULT_ALLOC_FAULT_H
#define TESTS_FAULT_ALLOC_FAULT_H

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static atomic_long fault_countdown = -1; /* allocations until the one that fails; -1: none does */
static atomic_bool fault_has_struck;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *ptr, size_t size);

static bool fault_strikes(void)
{
    if (atomic_load(&fault_countdown) < 0 || atomic_fetch_sub(&fault_countdown, 1) != 0)
        return false;
    atomic_store(&fault_has_struck, true);
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fault_strikes() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fault_strikes() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
    return fault_strikes() ? NULL : __real_realloc(ptr, size);
}

/* One run of the scenario with everything of its own; *err describes a failure. */
typedef enum status fault_scenario(void *cls, struct err *err);

/*
 * Every failure must be a status that says memory ran out, with a sentence. Returns how many allocations the
 * scenario makes.
 */
static long fault_sweep(fault_scenario *scenario, void *cls)
{
    enum { MOST = 100000 };
    for (long n = 0; n < MOST; n++) {
        struct err err = {0};
        atomic_store(&fault_has_struck, false);
        atomic_store(&fault_countdown, n);
        enum status s = scenario(cls, &err);
        atomic_store(&fault_countdown, -1);
        if (!atomic_load(&fault_has_struck)) {
            assert_int_equal(s, STATUS_OK);
            return n;
        }
        if (s == STATUS_OK)
            continue; /* one that could be done without */
        if (s != STATUS_OUT_OF_MEMORY && s != STATUS_TOO_LARGE)
            fail_msg("allocation %ld: %s: %s", n, status_name(s), err.detail);
        assert_true(err.detail[0] != '\0');
    }
    fail_msg("the scenario makes more than %d allocations", MOST);
    return 0;
}

#endif
