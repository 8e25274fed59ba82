/* test_client_address.c - networks, and the client behind proxies, also when it lies. */
#include "handlers/client_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct proxies proxies_of(const char *text)
{
    struct proxies proxies;
    struct err err = {0};
    assert_int_equal(proxies_parse(str_of(text), &proxies, &err), STATUS_OK);
    return proxies;
}

static const char *seen(const char *trusted, const char *peer, const char *header,
                        bool is_forwarded)
{
    static char text[ADDRESS_TEXT_BYTES];
    struct proxies proxies = proxies_of(trusted);
    struct address address, client;
    assert_true(address_parse(str_of(peer), &address));
    client = client_address(&proxies, &address, str_of(header), is_forwarded);
    address_format(&client, text);
    return text;
}

static void networks_hold_their_addresses_and_no_others(void **state)
{
    (void)state;
    static const struct {
        const char *network, *within, *outside;
    } cases[] = {{"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
                 {"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
                 {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
                 {"0.0.0.0/0", "203.0.113.9", "2001:db8::1"},
                 {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
                 {"::1/128", "::1", "::2"},
                 {"10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"},
                 {" 10.0.0.1 , 10.0.0.2 ", "10.0.0.2", "10.0.0.3"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct proxies proxies = proxies_of(cases[i].network);
        struct address within, outside;
        assert_true(address_parse(str_of(cases[i].within), &within));
        assert_true(address_parse(str_of(cases[i].outside), &outside));
        if (!proxies_have(&proxies, &within) || proxies_have(&proxies, &outside))
            fail_msg("%s", cases[i].network);
    }
}

static void what_is_no_network_is_refused_with_its_text(void **state)
{
    (void)state;
    static const char *const bad[] = {"10.0.0.0/33",        "10.0.0.0/-1", "10.0.0.0/",
                                      "10.0.0/8",           "localhost",   "::1/129",
                                      "10.0.0.1,,10.0.0.2", "10.0.0.1/8/8"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct proxies proxies;
        struct err err = {0};
        if (proxies_parse(str_of(bad[i]), &proxies, &err) != STATUS_CONFIG)
            fail_msg("%s", bad[i]);
        assert_string_equal(err.name, "CMMC_TRUSTED_PROXIES");
    }
    struct proxies none;
    assert_int_equal(proxies_parse(STR("  "), &none, NULL), STATUS_OK);
    assert_int_equal(none.n, 0);
}

static void nobody_is_believed_but_trusted_proxies(void **state)
{
    (void)state;
    assert_string_equal(seen("", "203.0.113.1", "198.51.100.7", false), "203.0.113.1");
    assert_string_equal(seen("10.0.0.0/8", "203.0.113.1", "198.51.100.7", false), "203.0.113.1");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "198.51.100.7", false), "198.51.100.7");
    /* What the client wrote stands to the left of what the proxy saw. */
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "1.1.1.1, 10.0.0.9, 198.51.100.7", false),
                        "198.51.100.7");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "198.51.100.7, 10.0.0.2, 10.0.0.3", false),
                        "198.51.100.7");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "10.0.0.5, 10.0.0.2", false), "10.0.0.5");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", NULL, false), "10.0.0.1");
    assert_string_equal(seen("10.0.0.0/8", "::ffff:10.0.0.1", "198.51.100.7", false),
                        "198.51.100.7");
}

static void ports_brackets_and_quotes_are_read(void **state)
{
    (void)state;
    assert_string_equal(seen("10.0.0.1", "10.0.0.1", "198.51.100.7:4711", false), "198.51.100.7");
    assert_string_equal(seen("10.0.0.1", "10.0.0.1", "[2001:db8::1]:4711", false), "2001:db8::1");
    assert_string_equal(seen("10.0.0.1", "10.0.0.1", "2001:db8::1", false), "2001:db8::1");
    assert_string_equal(seen("10.0.0.1", "10.0.0.1", "for=198.51.100.7;proto=https", true),
                        "198.51.100.7");
    assert_string_equal(seen("10.0.0.1", "10.0.0.1", "proto=https;For=\"[2001:db8::1]:80\"", true),
                        "2001:db8::1");
    assert_string_equal(
        seen("10.0.0.1", "10.0.0.1", "for=1.1.1.1;by=\"a,b\", for=198.51.100.7", true),
        "198.51.100.7");
}

static void hostile_values_leave_the_nearest_proxy(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "unknown", "",          ",",    "  ,  ", "198.51.100.7, unknown", "1.2.3.4.5",
        "_hidden", "999.1.1.1", "[::1", "::1::", "1.1.1.1\", 2.2.2.2 x"};
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        if (!str_eq_c(str_of(seen("10.0.0.1", "10.0.0.1", headers[i], false)), "10.0.0.1"))
            fail_msg("%s", headers[i]);
    /* A quote that the client leaves open would make the proxy's word part of the client's. */
    assert_string_equal(seen("10.0.0.1", "10.0.0.1", "for=9.9.9.9;x=\", for=198.51.100.7", true),
                        "10.0.0.1");
    assert_string_equal(
        seen("10.0.0.1", "10.0.0.1", "for=9.9.9.9;x=\", for=\"[2001:db8::1]\"", true), "10.0.0.1");
    assert_string_equal(
        seen("10.0.0.1", "10.0.0.1", "for=9.9.9.9;x=\"\\\", for=198.51.100.7", true), "10.0.0.1");
    assert_string_equal(seen("10.0.0.1", "10.0.0.1", "host=198.51.100.7", true), "10.0.0.1");
}

static void ipv6_callers_are_counted_by_their_64(void **state)
{
    (void)state;
    struct address a, b, c, v4;
    assert_true(address_parse(STR("2001:db8:1:2::1"), &a));
    assert_true(address_parse(STR("2001:db8:1:2:ffff::9"), &b));
    assert_true(address_parse(STR("2001:db8:1:3::1"), &c));
    assert_true(address_parse(STR("192.0.2.1"), &v4));
    assert_true(address_rate_id(&a, false).value == address_rate_id(&b, false).value);
    assert_true(address_rate_id(&a, false).value != address_rate_id(&c, false).value);
    assert_int_equal(address_rate_id(&v4, false).value, 0xc0000201);
    assert_int_equal(address_rate_id(&v4, false).kind, RATE_V4);
    assert_int_equal(address_rate_id(&a, true).kind, RATE_V6_FAILURES);
}

static void loopback_is_recognised(void **state)
{
    (void)state;
    static const char *const local[] = {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"};
    static const char *const other[] = {"0.0.0.0", "::", "128.0.0.1", "10.0.0.1", "::2"};
    struct address address;
    for (size_t i = 0; i < ARRAY_LEN(local); i++)
        assert_true(address_parse(str_of(local[i]), &address) && address_is_loopback(&address));
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        assert_true(address_parse(str_of(other[i]), &address) && !address_is_loopback(&address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_hold_their_addresses_and_no_others),
        cmocka_unit_test(what_is_no_network_is_refused_with_its_text),
        cmocka_unit_test(nobody_is_believed_but_trusted_proxies),
        cmocka_unit_test(ports_brackets_and_quotes_are_read),
        cmocka_unit_test(hostile_values_leave_the_nearest_proxy),
        cmocka_unit_test(ipv6_callers_are_counted_by_their_64),
        cmocka_unit_test(loopback_is_recognised),
    };
    return cmocka_run_group_tests_name("client_address", tests, NULL, NULL);
}
