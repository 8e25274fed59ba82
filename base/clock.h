/* clock.h - monotonic time for durations and deadlines, wall time for stamps. Callable from any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ns(void);
int64_t
clock_mono_coarse_ns(void);  /* of the last tick, some milliseconds ago: for deadlines of seconds */
int64_t clock_wall_s(void);  /* seconds since 1970 */
int64_t clock_wall_ms(void); /* milliseconds since 1970 */

#endif
