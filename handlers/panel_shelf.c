/* panel_shelf.c - few places, looked through in order; the longest unused one makes room. */
#include "handlers/panel_shelf.h"

#include <stdlib.h>

/* A sweep whose fastest axis shapes the panel still finds them when it has few values. */
enum { PLACES = 8 };

struct panel_shelf {
    struct shelved places[PLACES];
    uint64_t now;
};

enum status panel_shelf_new(size_t max_bytes, struct panel_shelf **ret, struct err *err)
{
    struct panel_shelf *shelf = calloc(1, sizeof *shelf);
    if (shelf == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < PLACES; i++)
        arena_init(&shelf->places[i].arena, max_bytes / PLACES);
    *ret = shelf;
    return STATUS_OK;
}

void panel_shelf_empty(struct shelved *place)
{
    market_hold_release(&place->hold);
    arena_reset(&place->arena);
    *place = (struct shelved){.arena = place->arena};
}

void panel_shelf_free(struct panel_shelf *shelf)
{
    if (shelf == NULL)
        return;
    for (size_t i = 0; i < PLACES; i++) {
        panel_shelf_empty(&shelf->places[i]);
        arena_clear(&shelf->places[i].arena);
    }
    free(shelf);
}

const struct shelved *panel_shelf_find(struct panel_shelf *shelf, struct str key)
{
    for (size_t i = 0; i < PLACES; i++) {
        struct shelved *place = &shelf->places[i];
        if (place->key.ptr != NULL && str_eq(place->key, key)) {
            place->used_at = ++shelf->now;
            return place;
        }
    }
    return NULL;
}

struct shelved *panel_shelf_take(struct panel_shelf *shelf)
{
    struct shelved *oldest = &shelf->places[0];
    for (size_t i = 1; i < PLACES; i++)
        if (shelf->places[i].used_at < oldest->used_at)
            oldest = &shelf->places[i];
    panel_shelf_empty(oldest);
    oldest->used_at = ++shelf->now;
    return oldest;
}

bool panel_shelf_fill(struct shelved *place, struct str key)
{
    place->key = (struct str){arena_dup(&place->arena, key), key.len};
    if (place->key.ptr != NULL)
        return true;
    panel_shelf_empty(place);
    return false;
}
