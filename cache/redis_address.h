/*
 * redis_address.h - where a Redis is and who logs in there, read from its URL. A pure function, callable from any thread.
 */
#ifndef CACHE_REDIS_ADDRESS_H
#define CACHE_REDIS_ADDRESS_H

#include "base/str.h"

enum { REDIS_ADDRESS_BYTES = 256 };

struct redis_address {
    char host[REDIS_ADDRESS_BYTES]; /* or the socket's path */
    char user[REDIS_ADDRESS_BYTES];
    char password[REDIS_ADDRESS_BYTES];
    int port;
    int database;
    bool is_unix, is_tls;
};

/* redis[s]://[[user]:password@]host[:port][/db] or unix:///path[?db=n]; false when it is neither. */
bool redis_address_parse(struct str url, struct redis_address *ret) NODISCARD;

#endif
