/* instrument_book.c - what the rows of a load say of their instruments: an open hash table by uid. */
#include "base/checksum.h"
#include "base/date.h"
#include "ingest/silver_impl.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 1024, ARENA_BYTES_MAX = 256 << 20 };

struct instrument_book {
    struct arena arena;
    struct instrument_note *slots; /* uid.ptr NULL: free */
    size_t n_slots, n;             /* a power of two; at most half are taken */
};

enum status instrument_book_new(struct instrument_book **ret, struct err *err)
{
    struct instrument_book *book = calloc(1, sizeof *book);
    if (book == NULL)
        return err_out_of_memory(err);
    arena_init(&book->arena, ARENA_BYTES_MAX);
    book->n_slots = SLOTS_FIRST;
    book->slots = calloc(book->n_slots, sizeof *book->slots);
    if (book->slots == NULL) {
        instrument_book_freep(&book);
        return err_out_of_memory(err);
    }
    *ret = book;
    return STATUS_OK;
}

void instrument_book_freep(struct instrument_book **book)
{
    if (*book == NULL)
        return;
    arena_clear(&(*book)->arena);
    free((*book)->slots);
    free(*book);
    *book = NULL;
}

static struct instrument_note *slot_of(const struct instrument_book *book, struct str uid)
{
    unsigned char sum[CHECKSUM_BYTES];
    uint64_t at = 0;
    checksum(uid, sum);
    memcpy(&at, sum, sizeof at);
    while (book->slots[at & (book->n_slots - 1)].uid.ptr != NULL &&
           !str_eq(book->slots[at & (book->n_slots - 1)].uid, uid))
        at++;
    return &book->slots[at & (book->n_slots - 1)];
}

static enum status grow(struct instrument_book *book, struct err *err)
{
    struct instrument_book wider = *book;
    wider.n_slots = 2 * book->n_slots;
    wider.slots = calloc(wider.n_slots, sizeof *wider.slots);
    if (wider.slots == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < book->n_slots; i++)
        if (book->slots[i].uid.ptr != NULL)
            *slot_of(&wider, book->slots[i].uid) = book->slots[i];
    free(book->slots);
    book->slots = wider.slots;
    book->n_slots = wider.n_slots;
    return STATUS_OK;
}

enum { TEXTS = 7 };

static void texts_of(struct instrument_note *note, struct str *ret[TEXTS])
{
    struct str *const all[TEXTS] = {&note->uid,  &note->symbol,   &note->name,  &note->market,
                                    &note->isin, &note->currency, &note->source};
    memcpy(ret, all, sizeof all);
}

/* Of two notes of one day the greater one, so that their order does not matter. */
static int compare(struct instrument_note a, struct instrument_note b)
{
    struct str *x[TEXTS], *y[TEXTS];
    texts_of(&a, x);
    texts_of(&b, y);
    for (size_t i = 0; i < TEXTS; i++) {
        int order = str_cmp(*x[i], *y[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

enum status instrument_book_add(struct instrument_book *book, const struct instrument_note *note,
                                struct err *err)
{
    struct instrument_note *slot = slot_of(book, note->uid);
    bool is_new = slot->uid.ptr == NULL;
    if (!is_new && note->day < slot->day)
        return STATUS_OK;
    int order = is_new ? 1 : compare(*note, *slot);
    if (order == 0 || (!is_new && note->day == slot->day && order < 0)) {
        slot->day = note->day;
        return STATUS_OK;
    }
    struct instrument_note copy = *note;
    struct str *texts[TEXTS];
    texts_of(&copy, texts);
    for (size_t i = 0; i < TEXTS; i++) {
        if (texts[i]->ptr == NULL)
            continue;
        texts[i]->ptr = arena_dup(&book->arena, *texts[i]);
        if (texts[i]->ptr == NULL)
            return err_out_of_memory(err);
    }
    *slot = copy;
    book->n += is_new;
    return 2 * book->n > book->n_slots ? grow(book, err) : STATUS_OK;
}

static enum status stage_note(struct db *db, const struct instrument_note *note, struct str dataset,
                              struct str load_id, struct err *err)
{
    char hash[SILVER_HASH_BYTES], at[INSTANT_TEXT_BYTES];
    instant_format((int64_t)note->day * 86400, at);
    struct str fields[] = {note->uid,  note->symbol,   note->symbol, note->name,   note->market,
                           note->isin, note->currency, dataset,      note->source, str_of(at),
                           STR_NONE,   load_id,        STR("0")};
    silver_hash(fields, 9, hash);
    fields[10] = str_of(hash);
    return db_copy_row(db, fields, err);
}

enum status instrument_book_merge(struct instrument_book *book, struct db *db, struct str dataset,
                                  int64_t load_id, struct err *err)
{
    struct silver_merge merge;
    char number[24];
    struct buf text;
    int64_t n_changed = 0;
    buf_init_fixed(&text, number, sizeof number);
    buf_add_i64(&text, load_id);
    silver_merge_init_instruments(&merge);
    if (book->n == 0)
        return STATUS_OK;
    enum status s = silver_stage_make(db, &merge, err);
    if (s == STATUS_OK)
        s = db_copy_begin(db, merge.stage, merge.names, merge.n + 1, err);
    for (size_t i = 0; i < book->n_slots && s == STATUS_OK; i++)
        if (book->slots[i].uid.ptr != NULL)
            s = stage_note(db, &book->slots[i], dataset, buf_str(&text), err);
    if (s == STATUS_OK)
        s = db_copy_end(db, err);
    if (s == STATUS_OK)
        s = silver_merge_run(db, &merge, load_id, &n_changed, err);
    return s == STATUS_OK ? silver_stage_drop(db, &merge, err) : s;
}
