/* access_log.h - the one log line and the metrics of a completed request. */
#ifndef SERVER_ACCESS_LOG_H
#define SERVER_ACCESS_LOG_H

#include "server/exchange.h"

/* Called once for each exchange, by its last owner. */
void access_log(struct exchange *x);

#endif
