/* metrics_process.h - the customary process_* metrics, read from the kernel when metrics are written. */
#ifndef SERVER_METRICS_PROCESS_H
#define SERVER_METRICS_PROCESS_H

#include "server/metrics.h"

void metrics_collect_process(struct metrics *metrics);

#endif
