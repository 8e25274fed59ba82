/* table_links.c - the addresses that a table names beside its own: the first page, and the lasting one. */
#include "handlers/table_write.h"

#include "handlers/urls.h"

#include <stdlib.h>

enum { URL_BYTES_MAX = 64 * 1024 };

static void add_param(struct buf *out, bool *is_first, struct str name, struct str value)
{
    buf_add_char(out, *is_first ? '?' : '&');
    *is_first = false;
    url_encode(out, name);
    buf_add_char(out, '=');
    url_encode(out, value);
}

struct str table_url_first(struct table *table)
{
    const struct request *request = table->request;
    struct buf out;
    bool is_first = true;
    buf_init(&out, &table->request->arena, URL_BYTES_MAX);
    buf_add(&out, request->path);
    for (size_t i = 0; i < request->n_params; i++)
        if (!str_eq_c(request->params[i].name, "cursor"))
            add_param(&out, &is_first, request->params[i].name, request->params[i].value);
    return out.failed ? STR_NONE : buf_str(&out);
}

static int order_of_params(const void *a, const void *b)
{
    const struct query_param *const *left = a, *const *right = b;
    int order = str_cmp((*left)->name, (*right)->name);
    return order != 0 ? order : str_cmp((*left)->value, (*right)->value);
}

/* Parameters by name, with the generation that is shown: the same rows for as long as it is kept. */
struct str table_url_canonical(struct table *table)
{
    const struct request *request = table->request;
    const struct query_param generation = {STR("generation"), STR_NONE};
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is sorted */
    enum { ITEM_BYTES = sizeof(const struct query_param *) };
    const struct query_param **sorted =
        arena_array(&table->request->arena, request->n_params + 1, ITEM_BYTES);
    if (sorted == NULL)
        return STR_NONE;
    bool is_versioned = table->what->mart != NULL && table->what->version > 0;
    size_t n = 0;
    for (size_t i = 0; i < request->n_params; i++)
        if (!is_versioned || !str_eq(request->params[i].name, generation.name))
            sorted[n++] = &request->params[i];
    if (is_versioned)
        sorted[n++] = &generation;
    qsort(sorted, n, ITEM_BYTES, order_of_params);
    struct buf out, number;
    bool is_first = true;
    buf_init(&out, &table->request->arena, URL_BYTES_MAX);
    buf_init(&number, &table->request->arena, 32);
    buf_add_i64(&number, table->what->version);
    buf_add(&out, request->path);
    for (size_t i = 0; i < n; i++)
        add_param(&out, &is_first, sorted[i]->name,
                  sorted[i] == &generation ? buf_str(&number) : sorted[i]->value);
    return out.failed || number.failed ? STR_NONE : buf_str(&out);
}
