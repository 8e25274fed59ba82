/* rest_error.h - a failure as PostgREST's clients expect it: {"code","message","details","hint"}. */
#ifndef HANDLERS_REST_ERROR_H
#define HANDLERS_REST_ERROR_H

#include "server/request.h"

/*
 * Writes the reply for s and err and returns STATUS_OK; OUT_OF_MEMORY leaves the problem document to answer, and so
 * do failures that end the request itself (client gone, deadline, draining).
 * Codes: postgrest.org, "Errors"; SQLSTATEs where PostgreSQL itself would have refused.
 */
enum status rest_error(struct request *request, enum status s, struct err *err);

#endif
