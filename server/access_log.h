/* access_log.h - the one log line and the metrics of a completed request. */
#ifndef SERVER_ACCESS_LOG_H
#define SERVER_ACCESS_LOG_H

#include "server/exchange.h"

/* Called once for each exchange, when the library is done with it. */
void access_log(struct exchange *x, enum exchange_end end);

#endif
