/* metrics.c - POST /v1/metrics: a track record in, every metric out; nothing is stored; prices are read for monkeys and factors alone. */
#include "handlers/handlers.h"

#include "handlers/backtest_service.h"
#include "handlers/metrics_answer.h"
#include "handlers/metrics_csv.h"
#include "handlers/negotiate.h"
#include "handlers/params.h"
#include "handlers/rows_answer.h"

enum { OPTIONS_MAX = 32 };

static bool is_csv(struct request *request)
{
    struct str type = request_header(request, "Content-Type");
    struct str essence = str_trim(str_sub(type, 0, str_find(type, ';', 0)));
    return str_eq_nocase(essence, STR("text/csv"));
}

/* JSON carries its options in the body, CSV in the query. */
static enum status parse_csv(struct request *request, struct metrics_request **ret, struct err *err)
{
    struct metrics_option option[OPTIONS_MAX];
    size_t n = 0, n_names = 0;
    while (metrics_option_names[n_names] != NULL)
        n_names++;
    enum status s = params_expect(request, metrics_option_names, n_names, err);
    for (size_t i = 0; i < n_names && s == STATUS_OK; i++) {
        struct str value = request_param(request, metrics_option_names[i]);
        if (value.ptr != NULL)
            option[n++] = (struct metrics_option){str_of(metrics_option_names[i]), value};
    }
    return s == STATUS_OK ? metrics_csv_parse(request->body, option, n, &request->arena, ret, err)
                          : s;
}

static enum status parse_json(struct request *request, struct metrics_request **ret,
                              struct err *err)
{
    enum status s = params_json_body(request, err);
    if (s != STATUS_OK)
        err_allow(err, "application/json or text/csv");
    if (s == STATUS_OK)
        s = params_expect(request, NULL, 0, err);
    return s == STATUS_OK ? metrics_request_parse(request->body, &request->arena, ret, err) : s;
}

enum status metrics_create(struct request *request, struct err *err)
{
    struct metrics_request *asked = NULL;
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    struct str body = STR_NONE;
    enum format format;
    enum status s =
        is_csv(request) ? parse_csv(request, &asked, err) : parse_json(request, &asked, err);
    if (s == STATUS_OK)
        s = negotiate_format(request, 1 << FORMAT_JSON, &format, err);
    if (s == STATUS_OK && metrics_request_reads_prices(asked))
        s = rows_catalog(request, &catalog, err);
    const struct backtest_service service = backtest_service_of(request->app, catalog);
    if (s == STATUS_OK)
        s = metrics_answer(asked, &service, &request->arena, &request->stop, &body, err);
    if (s == STATUS_GENERATION_RETIRED)
        return rows_moved_on(err);
    if (s != STATUS_OK)
        return s;
    reply_header(request, "Cache-Control", "no-store");
    reply_type(request, 200, format_media_type(format));
    reply_body(request, body);
    return STATUS_OK;
}
