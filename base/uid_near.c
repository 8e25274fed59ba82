/* uid_near.c - how near one uid is to another: symbol, class and exchange apart. */
#include "base/uid_near.h"

#include "base/suggest.h"

/* Scores of three ranges, one below the other; within each the letters that differ count, at most 64 of each part. */
enum { BEGUN_MIN = 3 }; /* letters that tell a beginning from chance */
enum { SAME_SYMBOL = 0, NEAR_SYMBOL = 1000, BEGUN_SYMBOL = 20000, TOO_FAR = 30000, PER_EDIT = 100 };

struct parts {
    struct str class, exchange, symbol; /* exchange may be empty; class too, of a bare symbol */
};

static struct parts parts_of(struct str uid)
{
    struct parts parts = {STR(""), STR(""), uid};
    size_t colon = str_find(uid, ':', 0);
    if (colon < uid.len) {
        parts.class = str_sub(uid, 0, colon);
        parts.symbol = str_sub(uid, colon + 1, uid.len);
    }
    size_t point = str_find(parts.symbol, '.', 0);
    if (point < parts.symbol.len) {
        parts.exchange = str_sub(parts.symbol, 0, point);
        parts.symbol = str_sub(parts.symbol, point + 1, parts.symbol.len);
    }
    return parts;
}

static bool is_near(struct str wanted, unsigned distance)
{
    unsigned most = wanted.len < 2 ? 0 : wanted.len < 6 ? 1 : (unsigned)wanted.len / 3;
    return distance <= most;
}

static unsigned score_of(struct str wanted_uid, struct str uid)
{
    struct parts wanted = parts_of(wanted_uid), there = parts_of(uid);
    unsigned class = suggest_distance(wanted.class, there.class);
    unsigned around = class + suggest_distance(wanted.exchange, there.exchange);
    unsigned symbol = suggest_distance(wanted.symbol, there.symbol);
    bool is_of_class = wanted.class.len == 0 || is_near(wanted.class, class);
    if (symbol == 0)
        return SAME_SYMBOL + around;
    if (is_of_class && is_near(wanted.symbol, symbol))
        return NEAR_SYMBOL + PER_EDIT * symbol + around;
    if (is_of_class && wanted.symbol.len >= BEGUN_MIN &&
        suggest_is_begun(wanted.symbol, there.symbol))
        return BEGUN_SYMBOL + around;
    return TOO_FAR;
}

struct uid_near uid_near_start(struct str wanted)
{
    return (struct uid_near){.wanted = wanted, .best = STR_NONE, .score = TOO_FAR};
}

bool uid_near_offer(struct uid_near *search, struct str uid)
{
    unsigned score = score_of(search->wanted, uid);
    if (score >= search->score)
        return false;
    search->score = score;
    search->best = uid;
    return true;
}
