/* silver_shape.c - from the columns of a shape to those of a table, each value checked against its kind and range. */
#include "ingest/silver_shape.h"

#include "base/checksum.h"
#include "base/json_in.h"
#include "base/number.h"
#include "ingest/contract.h"

#include <string.h>

enum { KEYWORDS_BYTES_MAX = 32 * 1024, ID_BYTES = 24 };

size_t silver_width(const struct silver_shape *shape)
{
    size_t n = 0;
    while (n < SILVER_COLUMNS_MAX && shape->columns[n].name != NULL)
        n++;
    return n;
}

static enum feed_kind kind_of(const struct silver_column *column)
{
    if (column->from < FEED_COLUMN_IDS)
        return feed_columns[column->from].kind;
    switch (column->from) {
    case SILVER_MART_ID:
    case SILVER_QUALITY:
        return FEED_INTEGER;
    case SILVER_PUB_DAY:
    case SILVER_VINTAGE:
        return FEED_DATE;
    case SILVER_CLOSE:
        return FEED_DECIMAL;
    default:
        return FEED_TEXT;
    }
}

const char *silver_type(const struct silver_column *column)
{
    switch (kind_of(column)) {
    case FEED_DECIMAL:
        return "{{decimal}}";
    case FEED_INTEGER:
        return "BIGINT";
    case FEED_DATE:
        return "{{date}}";
    case FEED_INSTANT:
        return "{{instant}}";
    case FEED_BOOL:
        return "{{bool}}";
    case FEED_TEXT:
    case FEED_JSON:
        break;
    }
    return "{{text}}";
}

const char *silver_prefix(struct str dataset)
{
    static const struct {
        const char *dataset, *prefix;
    } prefixes[] = {
        {"coin", "coin:"},         {"commodity", "commodity:"}, {"index", "index:"},
        {"msci", "index:"},        {"us_stock", "stock:US."},   {"us_etf", "etf:US."},
        {"kr_stock", "stock:KR."}, {"kr_etf", "etf:KR."},       {"kr_industry", "stock:KR."},
        {"bond", "bond:"},         {"bond_meta", "bond:"},      {"upload", ""},
        {"table_price", ""},       {"table_instrument", ""},    {"table_action", ""}};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_eq_c(dataset, prefixes[i].dataset))
            return prefixes[i].prefix;
    return NULL;
}

/* A column of the shape as the object has it. */
static struct str given(const struct silver_row *row, int column)
{
    return row->field[(size_t)column - row->first];
}

static struct str joined(struct arena *arena, struct str a, struct str b)
{
    char *text = arena_alloc(arena, a.len + b.len + 1);
    if (text == NULL)
        return STR_NONE;
    if (a.len > 0)
        memcpy(text, a.ptr, a.len);
    if (b.len > 0)
        memcpy(text + a.len, b.ptr, b.len);
    return (struct str){text, a.len + b.len};
}

/* Symbols have neither blanks nor control characters. */
static bool is_symbol(struct str symbol)
{
    for (size_t i = 0; i < symbol.len; i++)
        if ((unsigned char)symbol.ptr[i] <= ' ')
            return false;
    return symbol.len > 0 && symbol.len <= 64;
}

static struct str uid_of(const struct silver_row *row, struct arena *arena)
{
    int column = row->shape == &silver_shapes[SHAPE_BOND] ? BOND_ISIN : (int)row->first;
    struct str symbol = given(row, column);
    bool is_uid = row->prefix.len > 0 || str_find(symbol, ':', 0) < symbol.len;
    return is_symbol(symbol) && is_uid ? joined(arena, row->prefix, symbol) : STR_NONE;
}

/* Whose units holders receive. */
static struct str into_of(const struct silver_row *row)
{
    struct str into = given(row, CORPORATE_ACTION_INTO);
    if (into.ptr == NULL)
        return given(row, CORPORATE_ACTION_UID);
    return is_symbol(into) && str_find(into, ':', 0) < into.len ? into : STR_NONE;
}

static struct str mart_id(const struct silver_row *row, struct arena *arena)
{
    unsigned char sum[CHECKSUM_BYTES];
    uint64_t id = 0;
    int64_t told = 0;
    struct buf text;
    buf_init(&text, arena, ID_BYTES);
    checksum(given(row, ARTICLE_URL), sum);
    memcpy(&id, sum, sizeof id);
    bool is_told = str_to_i64(given(row, ARTICLE_ID), &told) && told > 0;
    buf_add_i64(&text, is_told ? told : (int64_t)(id >> 1));
    return buf_str(&text);
}

/* ["a", "b;c"] as a;b,c. An empty list is none. */
static bool keywords_of(struct str list, struct arena *arena, struct str *ret)
{
    *ret = STR_NONE;
    if (list.ptr == NULL)
        return true;
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    if (jr_parse(list, arena, &doc, NULL) != STATUS_OK || jr_type(jr_root(doc)) != JR_ARRAY)
        return false;
    struct json_val root = jr_root(doc);
    struct buf text;
    buf_init(&text, arena, KEYWORDS_BYTES_MAX);
    for (size_t i = 0; i < jr_length(root); i++) {
        struct str word = jr_text_at(root, i);
        if (word.ptr == NULL)
            return false;
        buf_add_c(&text, text.len > 0 && word.len > 0 ? ";" : "");
        for (size_t k = 0; k < word.len; k++)
            buf_add_char(&text, word.ptr[k] == ';' ? ',' : word.ptr[k]);
    }
    *ret = text.len > 0 ? buf_str(&text) : STR_NONE;
    return !text.failed;
}

static struct str told_close(const struct silver_row *row)
{
    struct str close = given(row, PRICE_CLOSE);
    return close.ptr != NULL ? close : given(row, PRICE_ADJ_CLOSE);
}

/* Bit 1 of the marts: the price is adjusted, and the quoted one is not known. */
static struct str told_quality(const struct silver_row *row, struct arena *arena)
{
    int64_t told = 0;
    struct buf text;
    (void)str_to_i64(given(row, PRICE_QUALITY), &told);
    buf_init(&text, arena, ID_BYTES);
    buf_add_i64(&text, told | (given(row, PRICE_CLOSE).ptr == NULL ? 1 : 0));
    return buf_str(&text);
}

/* "bad-number" and its kin for a text that is not of the kind; NULL when it is. */
static const char *fault_of(enum feed_kind kind, struct str value)
{
    int64_t number = 0;
    int32_t date = 0;
    switch (kind) {
    case FEED_DECIMAL:
        return decimal_is_valid(value) ? NULL : "bad-number";
    case FEED_INTEGER:
        return str_to_i64(value, &number) ? NULL : "bad-number";
    case FEED_DATE:
        return date_parse(value, &date) ? NULL : "bad-date";
    case FEED_INSTANT:
        return instant_parse(value, &number) ? NULL : "bad-instant";
    case FEED_BOOL:
        return str_eq(value, STR("true")) || str_eq(value, STR("false")) ? NULL : "bad-flag";
    case FEED_TEXT:
    case FEED_JSON:
        break;
    }
    return NULL;
}

static bool computed(const struct silver_row *row, int from, struct arena *arena, struct str *ret)
{
    switch (from) {
    case SILVER_UID:
        *ret = uid_of(row, arena);
        return ret->ptr != NULL;
    case SILVER_MART_ID:
        *ret = mart_id(row, arena);
        return true;
    case SILVER_PUB_DAY:
        *ret = str_sub(given(row, ARTICLE_PUBLISHED), 0, DATE_TEXT_BYTES - 1);
        return true;
    case SILVER_AREA:
        *ret = given(row, OBSERVATION_AREA);
        *ret = ret->ptr == NULL ? STR("-") : *ret;
        return true;
    case SILVER_VINTAGE:
        *ret = given(row, OBSERVATION_VINTAGE);
        *ret = ret->ptr == NULL ? str_sub(row->fetched_at, 0, DATE_TEXT_BYTES - 1) : *ret;
        return true;
    case SILVER_CLOSE:
        *ret = told_close(row);
        return true;
    case SILVER_QUALITY:
        *ret = told_quality(row, arena);
        return ret->ptr != NULL;
    case SILVER_INTO:
        *ret = into_of(row);
        return ret->ptr != NULL;
    default:
        return keywords_of(given(row, ARTICLE_KEYWORDS), arena, ret);
    }
}

static bool check_given(const struct silver_row *row, const char **ret_reason,
                        const char **ret_column)
{
    const struct feed_layout *layout = &feed_layouts[row->shape - silver_shapes];
    for (size_t i = 0; i < layout->n; i++) {
        const struct feed_column *column = &feed_columns[layout->first + i];
        struct str value = row->field[i];
        const char *fault = value.ptr != NULL   ? fault_of(column->kind, value)
                            : column->is_needed ? "missing"
                                                : NULL;
        if (fault == NULL)
            continue;
        *ret_reason = fault;
        *ret_column = column->name;
        return false;
    }
    return true;
}

bool silver_values(const struct silver_row *row, struct arena *arena, struct str *ret,
                   const char **ret_reason, const char **ret_column)
{
    if (!check_given(row, ret_reason, ret_column) || !contract_keeps(row, ret_reason, ret_column))
        return false;
    const struct silver_column *columns = row->shape->columns;
    for (size_t i = 0; i < SILVER_COLUMNS_MAX && columns[i].name != NULL; i++) {
        if (columns[i].from < FEED_COLUMN_IDS) {
            ret[i] = given(row, columns[i].from);
        } else if (!computed(row, columns[i].from, arena, &ret[i])) {
            *ret_reason = columns[i].from == SILVER_KEYWORDS ? "bad-list" : "bad-symbol";
            *ret_column = columns[i].name;
            return false;
        }
        char *room = ret[i].ptr != NULL && kind_of(&columns[i]) == FEED_DECIMAL
                         ? arena_alloc(arena, ret[i].len + 2)
                         : NULL;
        ret[i] = room == NULL ? ret[i] : decimal_canonical(ret[i], room);
        if (ret[i].ptr != NULL && kind_of(&columns[i]) == FEED_BOOL)
            ret[i] = str_eq(ret[i], STR("true")) ? STR("1") : STR("0");
    }
    return true;
}
