/*
 * client_address.h - the address of the client, also behind proxies, and the caller that rate limits count.
 * Pure functions; callable from any thread. Sources: RFC 7239 (Forwarded); RFC 4291 (IPv6 prefixes).
 */
#ifndef HANDLERS_CLIENT_ADDRESS_H
#define HANDLERS_CLIENT_ADDRESS_H

#include "base/err.h"
#include "handlers/rate.h"

enum { PROXIES_MAX = 64, ADDRESS_TEXT_BYTES = 46 };

struct address {
    bool is_v6; /* an IPv4-mapped address is IPv4 */
    unsigned char bytes[16];
};

struct network {
    struct address address;
    unsigned bits; /* of the prefix */
};

struct proxies {
    struct network networks[PROXIES_MAX];
    size_t n;
};

/* Numeric IPv4 or IPv6. */
bool address_parse(struct str text, struct address *ret);
void address_format(const struct address *address, char ret[ADDRESS_TEXT_BYTES]);
bool address_is_loopback(const struct address *address);

/* IPv6 callers are counted by their /64: one household or one server has all of it. */
struct rate_id address_rate_id(const struct address *address, bool of_failures);

/*
 * "10.0.0.0/8, 2001:db8::/32, 192.0.2.1": networks whose word about addresses is taken.
 * Errors: STATUS_CONFIG naming the setting trusted_proxies.
 */
enum status proxies_parse(struct str text, struct proxies *ret, struct err *err) NODISCARD;
bool proxies_have(const struct proxies *proxies, const struct address *address);

/*
 * The client, seen from us: from peer, back through header as long as the word is that of a trusted proxy. What
 * cannot be read ends the walk there, so that nothing a client writes is ever believed. header is
 * X-Forwarded-For ("a, b, c") or, when is_forwarded, Forwarded ("for=a, for=b;proto=https").
 */
struct address client_address(const struct proxies *proxies, const struct address *peer,
                              struct str header, bool is_forwarded);

#endif
