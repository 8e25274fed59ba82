/* fuzz_aws.c - any bytes as a service's XML, and as a shared file of keys: refused, or read within the limits. */
#include "ingest/aws_credentials.h"
#include "ingest/xml_in.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status check(void *to, struct str path, struct str text, struct err *err)
{
    size_t *n = to;
    size_t depth = 1;
    (void)err;
    assert(path.len > 0 && path.len < XML_PATH_MAX && text.len <= XML_TEXT_MAX);
    for (size_t i = 0; i < path.len; i++)
        depth += path.ptr[i] == '/';
    assert(depth <= XML_DEPTH_MAX && str_is_utf8(text));
    (void)depth;
    *n += 1;
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = {(const char *)data, size};
    struct aws_keys keys;
    size_t n = 0;
    enum status s = xml_read(input, check, &n, NULL);
    assert(s == STATUS_BAD_DATA || (s == STATUS_OK && n > 0));
    (void)s;
    if (aws_profile_read(input, STR("default"), &keys)) {
        assert(keys.access_key[0] != '\0' && strlen(keys.access_key) < sizeof keys.access_key);
        assert(keys.secret_key[0] != '\0' && strlen(keys.secret_key) < sizeof keys.secret_key);
        assert(strlen(keys.session_token) < sizeof keys.session_token);
    }
    return 0;
}
