/* gold_marts.c - see gold_marts.h. */
#include "ingest/gold_marts.h"

const struct gold_mart gold_marts[GOLD_MARTS] = {
#define MART(name, feeds) {#name, (feeds)},
#include "ingest/gold_marts.def"
};

static const char price_sets[] =
    "coin,commodity,index,msci,us_stock,us_etf,kr_stock,kr_etf,bond,upload,table_price,us_stock_action,"
    "us_etf_action,kr_stock_action,kr_etf_action,table_action";

static bool is_among(struct str set, const char *list)
{
    struct str rest = str_of(list), one;
    while (str_next_field(&rest, ',', &one))
        if (str_eq(one, set) || (str_eq(one, STR("*")) && is_among(set, price_sets)))
            return true;
    return false;
}

bool gold_mart_is_fed_by(const struct gold_mart *mart, struct str dataset)
{
    return is_among(dataset, mart->feeds);
}
