/* stop.c - turns a raised cancel word into the status the caller returns. */
#include "base/stop.h"

enum status stop_status(const struct stop *stop, struct err *err)
{
    switch ((enum stop_reason)atomic_load(&stop->reason)) {
    case STOP_CLIENT_GONE:
        return err_set(err, STATUS_CLIENT_GONE, "The client closed the connection.");
    case STOP_DRAINING:
        return err_set(err, STATUS_DRAINING, "The server is shutting down; try another one.");
    case STOP_DEADLINE:
    case STOP_NONE:
        break;
    }
    return err_set(err, STATUS_DEADLINE, "The request did not finish within its deadline.");
}
