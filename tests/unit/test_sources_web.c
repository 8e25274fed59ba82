/*
 * test_sources_web.c - the sources that are pages for people, or no service at all: the Korean exchange's pages, Markets
 * Insider, investing.com, Wikipedia, and files of the user. Bodies are made up, with the traps that each of them sets.
 */
#include "tests/unit/source_reading.h"

#include "ingest/html.h"
#include "ingest/universe.h"

#define HTML_TYPE "text/html; charset=utf-8"

static void holidays_of_korea(void **state)
{
    (void)state;
    struct source_ask ask = {.from = day(2024, 12, 1), .to = day(2025, 1, 31), .key = STR("a+b=")};
#define PUBLIC(items)                                                       \
    "{\"response\":{\"header\":{\"resultCode\":\"00\",\"resultMsg\":\"\"}," \
    "\"body\":{\"items\":" items ",\"numOfRows\":100,\"pageNo\":1,\"totalCount\":1}}}"
    static const char wanted[] =
        "holiday 2024-12-25|market=XKRX|date=2024-12-25|name=기독탄신일\n"
        "holiday 2024-05-01|market=XKRX|date=2024-05-01|name=Labour Day\n"
        "holiday 2024-12-31|market=XKRX|date=2024-12-31|name=Year-end closing\n";
#define ITEM "{\"locdate\":20241225,\"dateName\":\"기독탄신일\",\"isHoliday\":\"Y\",\"seq\":1}"
    assert_rows("datagokr_holiday", ask, PUBLIC("{\"item\":[" ITEM "]}"), true, wanted);
    assert_rows("datagokr_holiday", ask, PUBLIC("{\"item\":" ITEM "}"), true, wanted);
    ask.page = 1; /* the last year: and no day of rest in it */
    assert_rows("datagokr_holiday", ask, PUBLIC("\"\""), false, "");
    assert_rows("datagokr_holiday", ask,
                PUBLIC("{\"item\":{\"locdate\":20250301,\"isHoliday\":\"N\",\"dateName\":\"x\"}}"),
                false, "");
    assert_rows("datagokr_holiday", ask,
                PUBLIC("{\"item\":{\"locdate\":20251399,\"isHoliday\":\"Y\",\"dateName\":\"x\"}}"),
                false, "! bad-date date \n");
    assert_target(
        "datagokr_holiday", ask,
        "/B090041/openapi/service/SpcdeInfoService/getRestDeInfo?solYear=2025&numOfRows=100&pageNo=1&_type=json"
        "&serviceKey=a%2Bb%3D");
    ask.page = 0;
    assert_rows(
        "krx_holiday", ask,
        "{\"block1\":[{\"calnd_dd\":\"2024-12-25\",\"calnd_dd_dy\":\"2024-12-25 (Wed)\",\"holdy_eng_nm\":\"Christmas Day\"},"
        "{\"calnd_dd_dy\":\"someday\"}]}",
        true,
        "holiday 2024-12-25|market=XKRX|date=2024-12-25|name=Christmas Day\n! bad-date date someday\n");
    assert_target("krx_holiday", ask, "/contents/OPN/99/OPN99000001.jspx");
    assert_verdict("krx_holiday", 200, JSON, "{\"block1\": [ ]}", FEED_AUTH);
    assert_verdict("krx_holiday", 200, JSON, "{\"block1\":[{}]}", FEED_OK);
}

static void pages_of_the_korean_exchange(void **state)
{
    (void)state;
    struct source_ask ask = {
        .symbol = STR("KSQ"), .from = day(2024, 12, 2), .to = day(2024, 12, 3)};
    assert_rows(
        "krx_web_industry", ask,
        "{\"block1\":[{\"ISU_SRT_CD\":\"035720\",\"ISU_ABBRV\":\"카카오\",\"MKT_TP_NM\":\"KOSDAQ\",\"IDX_IND_NM\":\"IT 서비스\"}],"
        "\"CURRENT_DATETIME\":\"2024.12.02 PM 06:30:10\"}",
        false,
        "listing 2024-12-03|symbol=035720|date=2024-12-03|market=KOSDAQ|name=카카오|industry=IT 서비스\n");
    assert_target("krx_web_industry", ask, "/comm/bldAttendant/getJsonData.cmd");
    assert_verdict("krx_web_industry", 400, "text/html", "LOGOUT", FEED_BLOCKED);
    assert_rows("krx_web_industry", ask, "{\"output\":[]}", false, "BAD_DATA");
    assert_rows(
        "krx_web_etf", ask,
        "{\"output\":[{\"ISU_SRT_CD\":\"069500\",\"ISU_CD\":\"KR7069500007\",\"ISU_ABBRV\":\"KODEX 200\",\"TDD_CLSPRC\":\"33,105\","
        "\"NAV\":\"33,118.22\",\"TDD_OPNPRC\":\"-\",\"ACC_TRDVOL\":\"5,123,456\"},{\"ISU_SRT_CD\":\"1\",\"TDD_CLSPRC\":\"-\"}]}",
        true,
        "fund 2024-12-02|symbol=069500|date=2024-12-02|isin=KR7069500007|name=KODEX 200|close=33105|nav=33118.22|volume=5123456\n"
        "! missing close \n");
    ask.symbol = STR("NYSE");
    assert_target("krx_web_industry", ask, "BAD_VALUE");
}

static void bonds_and_indices_of_markets_insider(void **state)
{
    (void)state;
    struct source_ask ask = {
        .symbol = STR("1,43733993,1330,333"), .from = day(2024, 12, 1), .to = day(2025, 1, 1)};
    assert_rows(
        "bi_bond", ask,
        "[{\"Close\":98.42,\"Open\":98.31,\"High\":98.55,\"Low\":98.30,\"Volume\":0,\"Estimate\":null,\"Date\":\"2024-12-02 00:00\"},"
        "{\"Close\":null,\"Date\":\"2024-12-03 00:00\"}]",
        false,
        "bar 2024-12-02|symbol=1,43733993,1330,333|date=2024-12-02|open=98.31|high=98.55|low=98.3|close=98.42|volume=0\n"
        "! missing close \n");
    assert_target(
        "bi_bond", ask,
        "/Ajax/Chart_GetChartData?instrumentType=Bond&tkData=1,43733993,1330,333&from=20241201&to=20250101");
    assert_verdict("bi_bond", 200, JSON, " [] ", FEED_EMPTY); /* never a row of zeros */
    assert_verdict("bi_bond", 403, "text/html", "<html>", FEED_BLOCKED);
    ask.symbol = STR("169323/MSCB");
    assert_target("bi_bond", ask, "BAD_VALUE");
    assert_target("bi_msci", ask,
                  "/ajax/Valor_HistoricPriceList/169323/Dec.%2001%202024_Jan.%2001%202025/MSCB");
    assert_rows(
        "bi_msci", ask,
        "[{\"Date\":\"12/02/24\",\"Open\":\"3,805.11\",\"High\":\"3,822.40\",\"Low\":3799.02,\"Close\":\"3,819.77\",\"Volume\":\"0\"}]",
        false,
        "bar 2024-12-02|symbol=169323/MSCB|date=2024-12-02|open=3805.11|high=3822.4|low=3799.02|close=3819.77|volume=0\n");
    assert_verdict("bi_msci", 200, JSON, "[]", FEED_EMPTY);
    assert_rows("bi_msci", ask, "{}", false, "BAD_DATA");
}

static void indices_of_investing(void **state)
{
    (void)state;
    struct source_ask ask = {
        .symbol = STR("166"), .from = day(2024, 12, 2), .to = day(2024, 12, 2)};
    assert_rows(
        "investing", ask,
        "{\"data\":[{\"rowDate\":\"Dec 02, 2024\",\"last_close\":\"6,047.15\",\"last_open\":\"6,040.11\",\"last_max\":\"6,053.58\","
        "\"last_min\":null,\"volume\":\"2.51B\",\"volumeRaw\":2510000000,\"last_minRaw\":\"6035.330078125\",\"change_precent\":\"0.24\"},"
        "{\"rowDate\":\"Dec 01, 2024\",\"last_closeRaw\":6047.14990234375,\"volumeRaw\":\"\"}]}",
        false,
        "bar 2024-12-02|symbol=166|date=2024-12-02|open=6040.11|high=6053.58|low=6035.330078125|close=6047.15|volume=2510000000\n"
        "bar 2024-12-01|symbol=166|date=2024-12-01|close=6047.15\n");
    assert_verdict("investing", 200, JSON, "{\"data\": null}\n", FEED_EMPTY);
    assert_verdict("investing", 403, "text/html", "<html>Just a moment...</html>", FEED_BLOCKED);
    assert_target(
        "investing", ask,
        "/api/financialdata/historical/166?start-date=2024-12-02&end-date=2024-12-02&time-frame=Daily&add-missing-rows=false");
    ask.now_s = 1733100000; /* that day */
    assert_rows("investing", ask,
                "{\"data\":[{\"rowDate\":\"Dec 02, 2024\",\"last_close\":\"1\"}]}", false,
                "! unfinished row \n");
}

#define PAGE(rows) "<!DOCTYPE html><html><body><table>" rows "</table></body></html>"
#define PAIR(name, value) "<tr class=\"a>b\"><td class='k'> " name "\n</td><td>" value "</td></tr>"

static void terms_of_bonds(void **state)
{
    (void)state;
    struct source_ask ask = {.symbol = STR("us-1"), .now_s = 1733100000};
    assert_rows(
        "bi_bond_meta", ask,
        PAGE(PAIR("ISIN", "US9128284F40") PAIR("Name", "AT&amp;T <b>3%</b>&nbsp;&#50;")
                 PAIR("Issue Volume", "39,000,000,000") PAIR("Coupon", "2.875%")
                     PAIR("Coupon", "9%") PAIR("Maturity Date", "2/15/2028")
                         PAIR("Issue Date", "12/1/2018") PAIR("No. of Payments per Year", "2.0")
                             PAIR("Floater?", "No") PAIR("Coupon Start Date", "-")),
        false,
        "bond 2024-12-02|isin=US9128284F40|bond_key=us-1|date=2024-12-02|name=AT&T 3% 2|issue_volume=39000000000"
        "|issue_date=2018-12-01|coupon=2.875|maturity_date=2028-02-15|payments_per_year=2|is_floater=false\n");
    assert_rows("bi_bond_meta", ask, PAGE(PAIR("Name", "x")), false, "! missing isin \n");
    assert_rows("bi_bond_meta", ask, PAGE(PAIR("ISIN", "x") PAIR("Issue Date", "13/41/2018")),
                false, "! bad-date issue_date 13/41/2018\n");
    assert_rows("bi_bond_meta", ask, "<html><body>Sorry</body></html>", false, "BAD_DATA");
    assert_rows("bi_bond_meta", ask, "<table><tr><td>ISIN", false, "BAD_DATA");
    assert_target("bi_bond_meta", ask, "/bonds/us-1");
    assert_verdict("bi_bond_meta", 200, HTML_TYPE, PAGE(""), FEED_OK);
    assert_verdict("bi_bond_meta", 404, HTML_TYPE, PAGE(""), FEED_NOT_FOUND);
}

/* Cells that span rows, notes, and a cell too many: no rule of odd and even. */
static void codes_of_wikipedia(void **state)
{
    (void)state;
    struct source_ask ask = {.now_s = 1733100000};
    assert_rows(
        "wikipedia", ask,
        PAGE(
            "<tr><td rowspan=\"4\">10</td><td rowspan=\"4\"><a href=\"/x\">Energy</a><sup>[1]</sup></td>"
            "<td>1010<td>Energy Group</td><td>note</td><td>101010</td><td>Equipment &amp; Services</td>"
            "<td>10101010</td><td>Drilling</td></tr><tr><td>20202020</td><td>Orphan</td></tr>"),
        false,
        "code 2024-12-02|scheme=GICS|date=2024-12-02|level=sector|code=10|name=Energy\n"
        "code 2024-12-02|scheme=GICS|date=2024-12-02|level=industry_group|code=1010|name=Energy Group\n"
        "code 2024-12-02|scheme=GICS|date=2024-12-02|level=industry|code=101010|name=Equipment & Services\n"
        "code 2024-12-02|scheme=GICS|date=2024-12-02|level=sub_industry|code=10101010|name=Drilling\n"
        "! bad-text code 20202020\n");
    assert_rows("wikipedia", ask, PAGE("<tr><td>10</td><td>Energy</td></tr>"), false, "BAD_DATA");
    assert_verdict("wikipedia", 403, "text/plain", "Please set a user-agent", FEED_BLOCKED);
    assert_target("wikipedia", ask, "/wiki/Global_Industry_Classification_Standard");
}

static void files_of_the_user(void **state)
{
    (void)state;
    struct source_ask ask = {.symbol = STR("bar")};
    assert_rows(
        "upload", ask,
        "\xEF\xBB\xBF"
        "close,symbol,date,name\r\n\"1,234.50\",AAA,2024-12-02,\"A, Inc.\"\r\n.5,BBB,2024-12-02,\r\nx,CCC,2024-12-02,\r\n"
        "1,DDD,12/02/2024,\r\n",
        false,
        "bar 2024-12-02|symbol=AAA|date=2024-12-02|close=1234.5|name=A, Inc.\n"
        "bar 2024-12-02|symbol=BBB|date=2024-12-02|close=0.5\n! bad-number close x\n! bad-date date 12/02/2024\n");
    assert_rows("upload", ask, "symbol,date,closing\nA,2024-12-02,1\n", false, "BAD_DATA");
    assert_rows("upload", ask, "symbol,date\nA,2024-12-02\n", false, "BAD_DATA");
    assert_rows("upload", ask, "symbol,date,close,close\nA,2024-12-02,1,1\n", false, "BAD_DATA");
    assert_rows("upload", ask, "symbol,date,close\nA,2024-12-02\n", false, "BAD_DATA");
    assert_rows("upload", ask, "", false, "BAD_DATA");
    ask.symbol = STR("rate");
    assert_rows("upload", ask, "base,quote,date,rate\nEUR,USD,2024-12-02,1.05\n", false,
                "rate 2024-12-02|base=EUR|quote=USD|date=2024-12-02|rate=1.05\n");
    ask.symbol = STR("nothing");
    assert_rows("upload", ask, "a\n", false, "BAD_DATA");
    assert_target("upload", ask, "BAD_VALUE");
}

static void every_universe_can_be_asked_for(void **state)
{
    (void)state;
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, 64 << 20);
    for (size_t d = 0; d < n_datasets; d++) {
        struct universe universe;
        struct dataset_provider providers[DATASET_PROVIDERS_MAX];
        size_t n = dataset_providers(&datasets[d], providers);
        if (universe_load(&datasets[d], NULL, &arena, &universe, &err) != STATUS_OK)
            fail_msg("%s: %s", datasets[d].name, err.detail);
        assert_true(n > 0 || strcmp(datasets[d].name, "upload") == 0 ||
                    strncmp(datasets[d].name, "table_", 6) == 0);
        for (size_t p = 0; p < n; p++) {
            size_t column = universe_column(&universe, providers[p].source);
            assert_true(p == 0 || providers[p].rank >= providers[p - 1].rank);
            for (size_t i = 0; i < universe.n && column < universe.n_columns; i++) {
                struct source_ask ask = {.symbol = universe.rows[i].spelling[column],
                                         .from = day(2024, 1, 1),
                                         .to = day(2024, 2, 1),
                                         .key = STR("k")};
                struct source_target target = {.path = STR_NONE};
                if (ask.symbol.ptr != NULL &&
                    providers[p].source->target(&ask, &arena, &target, &err) != STATUS_OK)
                    fail_msg("%s: %s", datasets[d].name, err.detail);
            }
        }
        for (size_t c = 0; c < universe.n_columns; c++) { /* no column that nobody reads */
            bool is_provider = false;
            for (size_t p = 0; p < n; p++)
                is_provider |= providers[p].source == universe.columns[c];
            assert_true(is_provider);
        }
    }
    assert_ptr_equal(dataset_find(STR("coin")), &datasets[0]);
    assert_null(dataset_find(STR("nothing")));
    assert_int_equal(datasets[0].first, day(2018, 1, 1));
    assert_int_equal(dataset_find(STR("us_stock"))->first, day(2015, 1, 1));
    char folder[DATASET_FOLDER_BYTES];
    dataset_folder(dataset_find(STR("us_stock")), SHAPE_ACTION, folder);
    assert_string_equal(folder, "us_stock_action");
    dataset_folder(dataset_find(STR("gics")), SHAPE_CODE, folder);
    assert_string_equal(folder, "industry_code/gics_codes");
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holidays_of_korea),
        cmocka_unit_test(pages_of_the_korean_exchange),
        cmocka_unit_test(bonds_and_indices_of_markets_insider),
        cmocka_unit_test(indices_of_investing),
        cmocka_unit_test(terms_of_bonds),
        cmocka_unit_test(codes_of_wikipedia),
        cmocka_unit_test(files_of_the_user),
        cmocka_unit_test(every_universe_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
