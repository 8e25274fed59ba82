/*
 * job_service.h - what one server has for jobs: its runner, the thread that serves those who watch, and the removal of
 * what is old. app->config, metrics, db, catalog and backtest_rate are set before.
 */
#ifndef HANDLERS_JOB_SERVICE_H
#define HANDLERS_JOB_SERVICE_H

#include "server/app.h"

struct job_service;

/* pool: connections of the jobs' own, so that neither they nor requests take them from each other. */
enum status job_service_new(struct app *app, struct db_pool *pool, struct job_service **ret,
                            struct err *err) NODISCARD;

/* Connections that pool needs. */
unsigned job_service_connections(const struct config *config);

/* At the first signal: runs end and are handed back. Returns at once. NULL is allowed. */
void job_service_drain(struct job_service *service);

/* After the server has stopped, before app is taken apart. NULL is allowed. */
void job_service_free(struct job_service *service);

#endif
