/*
 * trace.h - W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/): the caller's traceparent when
 * it is valid, else a trace of our own. tracestate is for those that call further servers; this one calls none.
 * Pure but for the ids; any thread.
 */
#ifndef SERVER_TRACE_H
#define SERVER_TRACE_H

#include "server/request_id.h"

/* A trace of our own: new ids, not sampled. */
void trace_start(struct request_ids *ids, struct trace *ret);

/* Takes over the caller's trace id and sampling when traceparent is valid; false leaves trace as it is. */
bool trace_join(struct str traceparent, struct trace *trace);

#endif
