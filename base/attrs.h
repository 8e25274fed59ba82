/*
 * attrs.h - the only place where compiler attributes are spelled out.
 * Clang checks the lock annotations with -Wthread-safety; GCC sees empty macros.
 */
#ifndef BASE_ATTRS_H
#define BASE_ATTRS_H

#define NODISCARD __attribute__((warn_unused_result))
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define PRINTF(format_index, args_index) __attribute__((format(printf, format_index, args_index)))
#define UNUSED __attribute__((unused))
#define RARELY __attribute__((noinline, cold)) /* kept out of the way of what is called often */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* A vector of so many bytes, worked on lane by lane; loose: the same read from memory aligned for one lane only. */
#define VECTOR(bytes) __attribute__((vector_size(bytes)))
#define VECTOR_LOOSE(bytes) __attribute__((vector_size(bytes), may_alias, aligned(8)))

#if defined(__clang__)
#define CAPABILITY(name) __attribute__((capability(name)))
#define REQUIRES(lock) __attribute__((requires_capability(lock)))
#define ACQUIRES(lock) __attribute__((acquire_capability(lock)))
#define RELEASES(lock) __attribute__((release_capability(lock)))
#define NO_THREAD_SAFETY __attribute__((no_thread_safety_analysis))
#else
#define CAPABILITY(name)
#define REQUIRES(lock)
#define ACQUIRES(lock)
#define RELEASES(lock)
#define NO_THREAD_SAFETY
#endif

/* Marks a field guarded by the lock named in its comment; C cannot name a sibling field here. */
#define GUARDED

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
