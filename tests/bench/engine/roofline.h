/* roofline.h - what one core of this machine can do at most. */
#ifndef BENCH_ENGINE_ROOFLINE_H
#define BENCH_ENGINE_ROOFLINE_H

double
roofline_flops_per_s(void); /* fused multiply-adds, two operations each, in 256-bit registers */
double roofline_bytes_per_s(void); /* read from memory in order */

#endif
