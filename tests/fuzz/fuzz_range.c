/* fuzz_range.c - any Range and If-Range: what is served lies inside the file, and is the whole unless a part was asked for. */
#include "handlers/byte_range.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the file's size; a newline parts Range from If-Range. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str text = {(const char *)data + 1, size - 1};
    size_t newline = str_find(text, '\n', 0);
    struct str if_range = newline == text.len ? STR_NONE : str_sub(text, newline + 1, text.len);
    int64_t from = -1, to = -1, file = (int64_t)data[0] * data[0];
    enum range_kind kind =
        byte_range_read(str_sub(text, 0, newline), if_range, STR("\"t\""), file, &from, &to);
    assert(from >= 0 && to <= file && from <= to);
    assert(kind != RANGE_PART || from < to);
    assert(kind == RANGE_PART || (from == 0 && to == file));
    return 0;
}
