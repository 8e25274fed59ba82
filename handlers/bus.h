/*
 * bus.h - the channel on which servers that share a Redis tell each other of publishes and purges. It only makes
 * things faster: versions are part of every key, and each server looks for new ones by itself every refresh_ms.
 */
#ifndef HANDLERS_BUS_H
#define HANDLERS_BUS_H

#include "server/app.h"

struct bus;

/* app->cache must be set and have a Redis. */
enum status bus_new(struct app *app, struct bus **ret, struct err *err) NODISCARD;
void bus_free(struct bus *bus); /* ends the thread first; NULL is allowed */
bool bus_is_open(const struct bus *bus);

/* A purge that this server made, for the others: Redis keeps it, and the channel tells of it. */
void bus_tell_purge(struct app *app, struct str mart, int64_t at_ms);

/* A generation that this server has seen. On a thread that may wait. */
void bus_tell_publish(struct app *app, int64_t generation);

#endif
