/* client_address.c - addresses, networks and the headers that proxies write. */
#include "handlers/client_address.h"

#include <arpa/inet.h>
#include <string.h>

enum { HOPS_MAX = 32 };

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

bool address_parse(struct str text, struct address *ret)
{
    char room[ADDRESS_TEXT_BYTES];
    struct address address = {0};
    if (text.len == 0 || text.len >= sizeof room || memchr(text.ptr, '\0', text.len) != NULL)
        return false;
    memcpy(room, text.ptr, text.len);
    room[text.len] = '\0';
    if (inet_pton(AF_INET, room, address.bytes) != 1) {
        if (inet_pton(AF_INET6, room, address.bytes) != 1)
            return false;
        address.is_v6 = memcmp(address.bytes, mapped, sizeof mapped) != 0;
        if (!address.is_v6) {
            memmove(address.bytes, address.bytes + sizeof mapped, 4);
            memset(address.bytes + 4, 0, 12);
        }
    }
    *ret = address;
    return true;
}

void address_format(const struct address *address, char ret[ADDRESS_TEXT_BYTES])
{
    if (inet_ntop(address->is_v6 ? AF_INET6 : AF_INET, address->bytes, ret, ADDRESS_TEXT_BYTES) ==
        NULL)
        ret[0] = '\0';
}

bool address_is_loopback(const struct address *address)
{
    static const unsigned char one[16] = {[15] = 1};
    return address->is_v6 ? memcmp(address->bytes, one, sizeof one) == 0 : address->bytes[0] == 127;
}

struct rate_id address_rate_id(const struct address *address, bool of_failures)
{
    struct rate_id id = {.kind = address->is_v6 ? RATE_V6 : RATE_V4};
    if (of_failures)
        id.kind = address->is_v6 ? RATE_V6_FAILURES : RATE_V4_FAILURES;
    for (size_t i = 0; i < (address->is_v6 ? 8U : 4U); i++)
        id.value = id.value << 8 | address->bytes[i];
    return id;
}

static bool network_parse(struct str text, struct network *ret)
{
    size_t slash = str_find(text, '/', 0);
    struct network network;
    if (!address_parse(str_sub(text, 0, slash), &network.address))
        return false;
    unsigned most = network.address.is_v6 ? 128 : 32;
    int64_t bits = most;
    if (slash < text.len &&
        (!str_to_i64(str_sub(text, slash + 1, text.len), &bits) || bits < 0 || bits > most))
        return false;
    network.bits = (unsigned)bits;
    *ret = network;
    return true;
}

enum status proxies_parse(struct str text, struct proxies *ret, struct err *err)
{
    struct str item;
    ret->n = 0;
    while (str_trim(text).len > 0 && str_next_field(&text, ',', &item)) {
        item = str_trim(item);
        if (ret->n < PROXIES_MAX && network_parse(item, &ret->networks[ret->n])) {
            ret->n++;
            continue;
        }
        (void)err_set(err, STATUS_CONFIG, "The trusted proxies cannot be read.");
        err_at(err, ERR_SETTING, STR("CMMC_TRUSTED_PROXIES"), item);
        err_allow(err, "at most %d addresses or networks with commas between, like 10.0.0.0/8",
                  PROXIES_MAX);
        return STATUS_CONFIG;
    }
    return STATUS_OK;
}

static bool is_within(const struct network *network, const struct address *address)
{
    if (network->address.is_v6 != address->is_v6)
        return false;
    size_t whole = network->bits / 8;
    unsigned rest = network->bits % 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    unsigned mask = 0xff00U >> rest & 0xff;
    return rest == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

bool proxies_have(const struct proxies *proxies, const struct address *address)
{
    for (size_t i = 0; i < proxies->n; i++)
        if (is_within(&proxies->networks[i], address))
            return true;
    return false;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80". */
static bool hop_parse(struct str text, struct address *ret)
{
    size_t bracket = str_find(text, ']', 0);
    if (text.len > 0 && text.ptr[0] == '[')
        return bracket < text.len && address_parse(str_sub(text, 1, bracket), ret);
    size_t colon = str_find(text, ':', 0);
    bool has_port = colon < text.len && str_find(text, ':', colon + 1) == text.len;
    return address_parse(has_port ? str_sub(text, 0, colon) : text, ret);
}

/* Position of the first c outside quotes; *ret_is_open when the text ends within some. */
static size_t find_bare(struct str text, char c, bool *ret_is_open)
{
    bool is_quoted = false;
    size_t i = 0;
    for (; i < text.len && (is_quoted || text.ptr[i] != c); i++) {
        if (text.ptr[i] == '"')
            is_quoted = !is_quoted;
        else if (is_quoted && text.ptr[i] == '\\')
            i++;
    }
    *ret_is_open = is_quoted;
    return i < text.len ? i : text.len;
}

/* The value of for= in one element of Forwarded, quotes taken off; empty when there is none. */
static struct str for_value(struct str element)
{
    bool is_open;
    while (element.len > 0) {
        size_t end = find_bare(element, ';', &is_open);
        struct str pair = str_trim(str_sub(element, 0, end));
        element = str_sub(element, end + 1, element.len);
        size_t equals = str_find(pair, '=', 0);
        if (!str_eq_nocase(str_sub(pair, 0, equals), STR("for")))
            continue;
        struct str value = str_sub(pair, equals + 1, pair.len);
        bool is_quoted = value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"';
        return is_quoted ? str_sub(value, 1, value.len - 1) : value;
    }
    return STR("");
}

struct address client_address(const struct proxies *proxies, const struct address *peer,
                              struct str header, bool is_forwarded)
{
    struct str hops[HOPS_MAX]; /* the last ones: a ring */
    size_t n = 0;
    struct address client = *peer;
    if (!proxies_have(proxies, peer))
        return client;
    while (header.len > 0) {
        bool is_open = false;
        size_t end = is_forwarded ? find_bare(header, ',', &is_open) : str_find(header, ',', 0);
        if (is_open) /* a client's open quote would swallow what the proxy added behind it */
            return client;
        hops[n++ % HOPS_MAX] = str_trim(str_sub(header, 0, end));
        header = str_sub(header, end + 1, header.len);
    }
    for (size_t k = 0; k < n && k < HOPS_MAX && proxies_have(proxies, &client); k++) {
        struct str hop = hops[(n - 1 - k) % HOPS_MAX];
        struct address address;
        if (!hop_parse(is_forwarded ? for_value(hop) : hop, &address))
            break;
        client = address;
    }
    return client;
}
