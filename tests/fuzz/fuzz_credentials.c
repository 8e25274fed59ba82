/* fuzz_credentials.c - any bytes as Authorization, as a query with keys, as what proxies write. */
#include "handlers/client_address.h"
#include "handlers/credentials.h"
#include "store/api_key.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(struct str input, bool is_forwarded)
{
    struct proxies proxies;
    struct address peer;
    bool ok = proxies_parse(STR("10.0.0.0/8, 2001:db8::/32"), &proxies, NULL) == STATUS_OK &&
              address_parse(STR("10.0.0.1"), &peer);
    assert(ok);
    (void)ok;
    struct address client = client_address(&proxies, &peer, input, is_forwarded), again;
    char text[ADDRESS_TEXT_BYTES];
    address_format(&client, text);
    ok = address_parse(str_of(text), &again);
    assert(ok && address_rate_id(&client, false).value == address_rate_id(&again, false).value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = {(const char *)data, size}, key, name;
    char room[CREDENTIALS_MAX];
    int64_t id;
    struct proxies proxies;
    struct err err = {0};
    if (credentials_read(input, room, &key))
        assert(key.len > 0 && key.len < CREDENTIALS_MAX);
    if (api_key_parse(input, &id))
        assert(api_key_is_in(input, NULL) && id >= 0);
    if (credentials_in_query(input, &name))
        assert(name.ptr >= input.ptr && name.ptr + name.len <= input.ptr + input.len);
    if (proxies_parse(input, &proxies, &err) != STATUS_OK)
        assert(err.detail[0] != '\0');
    check_address(input, false);
    check_address(input, true);
    return 0;
}
