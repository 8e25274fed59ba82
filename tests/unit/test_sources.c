/*
 * test_sources.c - every source: what it asks for, what it makes of answers, and the rows it finds. Bodies are made up in
 * the shapes of the providers, with the traps that each of them sets.
 */
#include "tests/unit/source_reading.h"

static void klines_of_binance(void **state)
{
    (void)state;
    struct source_ask ask = {
        .symbol = STR("BTCUSDT"), .from = day(2024, 12, 1), .to = day(2024, 12, 2)};
    static const char body[] =
        "[[1733011200000,\"96407.99000000\",\"97888.00000000\",\"95693.88000000\",\"97185.18000000\",\"16938.60452000\",1733097599999,"
        "\"1638553091.09430530\",3240000,\"8301.12330000\",\"803075141.33110000\",\"0\"],"
        "[1733097600000,\"0.00001234\",\"97888.00000000\",\"95693.88000000\",\"-\",\"1\",1733183999999,\"2\",6,\"3\",\"4\",\"0\"]]";
    assert_rows(
        "binance", ask, body, false,
        "bar 2024-12-01|symbol=BTCUSDT|date=2024-12-01|open=96407.99|high=97888|low=95693.88|close=97185.18|volume=16938.60452"
        "|value_traded=1638553091.0943053|n_trades=3240000|taker_buy_volume=8301.1233\n"
        "! missing close \n");
    ask.now_s = 1733097599; /* inside the first day */
    assert_rows("binance", ask, body, false, "! unfinished row \n! unfinished row \n");
    assert_rows(
        "binance", ask,
        "[[95617584000000,\"1\",\"1\",\"1\",\"1\",\"1\",1733183999999,\"2\",6,\"3\",\"4\",\"0\"]]",
        false, "! bad-date date \n"); /* the year 5000 */
    assert_rows("binance", ask, "[[1]]", false, "BAD_DATA");
    assert_rows("binance", ask, "{}", false, "BAD_DATA");
    assert_target(
        "binance", ask,
        "/api/v3/klines?symbol=BTCUSDT&interval=1d&startTime=1733011200000&endTime=1733183999999&limit=1000");
    assert_verdict("binance", 200, JSON, "[]", FEED_EMPTY);
    assert_verdict("binance", 200, JSON, body, FEED_OK);
    assert_verdict("binance", 400, JSON, "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}",
                   FEED_NOT_FOUND);
    assert_verdict("binance", 400, JSON, "{\"code\": -1121, \"msg\": \"Invalid symbol.\"}",
                   FEED_NOT_FOUND);
    assert_verdict("binance", 400, JSON, "{\"code\":-1100,\"msg\":\"Illegal characters\"}",
                   FEED_REFUSED);
    assert_verdict("binance", 418, JSON, "{}", FEED_THROTTLED);
    assert_verdict("binance", 451, JSON,
                   "{\"code\":0,\"msg\":\"Service unavailable from a restricted location\"}",
                   FEED_BLOCKED);
}

#define YAHOO(meta, rest) "{\"chart\":{\"result\":[{\"meta\":{" meta "}," rest "}],\"error\":null}}"

static void charts_of_yahoo(void **state)
{
    (void)state;
    struct source_ask ask = {
        .symbol = STR("AAPL"), .from = day(2024, 2, 7), .to = day(2024, 2, 12)};
    assert_rows(
        "yahoo", ask,
        YAHOO(
            "\"currency\":\"USD\",\"gmtoffset\":-18000,\"regularMarketTime\":1707771600",
            "\"timestamp\":[1707316200,1707402600],"
            "\"events\":{\"dividends\":{\"1707489000\":{\"amount\":0.24,\"date\":1707489000}},"
            "\"splits\":{\"1598880600\":{\"date\":1598880600,\"numerator\":4,\"denominator\":1,\"splitRatio\":\"4:1\"}}},"
            "\"indicators\":{\"quote\":[{\"open\":[190.64,189.39],\"high\":[191.05,189.54],\"low\":[188.61,187.35],"
            "\"close\":[189.41000366210938,null],\"volume\":[53439000,40962000]}],"
            "\"adjclose\":[{\"adjclose\":[189.1686,188.08]}]}"),
        false,
        "bar 2024-02-07|symbol=AAPL|date=2024-02-07|open=190.64|high=191.05|low=188.61|close=189.41|adj_close=189.1686"
        "|volume=53439000|currency=USD\n"
        "action 2024-02-09|symbol=AAPL|date=2024-02-09|kind=dividend|amount=0.24|currency=USD\n"
        "action 2020-08-31|symbol=AAPL|date=2020-08-31|kind=split|numerator=4|denominator=1\n");
    /* Summer time, a null bar, and the last quote of the day before once more: Tuesday twice. */
    ask.symbol = STR("KRW=X");
    static const char fx[] = YAHOO(
        "\"currency\":\"KRW\",\"gmtoffset\":3600,\"regularMarketTime\":1720012920",
        "\"timestamp\":[1719788400,1719874800,1719961200,1720012920],"
        "\"indicators\":{\"quote\":[{\"open\":[1379.2,null,1385.9,1386.0],\"high\":[1384.0,null,1389.0,1389.0],"
        "\"low\":[1376.4,null,1384.2,1384.2],\"close\":[1381.9,null,1387.0,1387.1],\"volume\":[0,null,0,0]}]}");
    assert_rows(
        "yahoo", ask, fx, false,
        "bar 2024-07-01|symbol=KRW=X|date=2024-07-01|open=1379.2|high=1384|low=1376.4|close=1381.9|volume=0|currency=KRW\n"
        "bar 2024-07-03|symbol=KRW=X|date=2024-07-03|open=1385.9|high=1389|low=1384.2|close=1387|volume=0|currency=KRW\n"
        "! duplicate row \n");
    ask.now_s = 1720012920; /* that day */
    assert_rows(
        "yahoo", ask, fx, false,
        "bar 2024-07-01|symbol=KRW=X|date=2024-07-01|open=1379.2|high=1384|low=1376.4|close=1381.9|volume=0|currency=KRW\n"
        "! unfinished row \n! unfinished row \n");
    ask.now_s = 0;
    ask.symbol = STR("CL=F");
    assert_rows(
        "yahoo", ask,
        YAHOO(
            "\"currency\":\"USD\",\"gmtoffset\":-14400",
            "\"timestamp\":[1587355200],\"indicators\":{\"quote\":[{\"open\":[17.73],\"high\":[17.85],\"low\":[-40.32],"
            "\"close\":[-37.63],\"volume\":[247947]}]}"),
        false,
        "bar 2020-04-20|symbol=CL=F|date=2020-04-20|open=17.73|high=17.85|low=-40.32|close=-37.63|volume=247947|currency=USD\n");
    ask.symbol = STR("VOD.L");
    assert_rows(
        "yahoo", ask,
        YAHOO(
            "\"currency\":\"GBp\",\"gmtoffset\":0",
            "\"timestamp\":[1707292800],\"indicators\":{\"quote\":[{\"open\":[67.5],\"high\":[68],\"low\":[67],"
            "\"close\":[67.25],\"volume\":[1]}]}"),
        false,
        "bar 2024-02-07|symbol=VOD.L|date=2024-02-07|open=0.675|high=0.68|low=0.67|close=0.6725|volume=1|currency=GBP\n");
    assert_rows("yahoo", ask,
                YAHOO("\"gmtoffset\":0", "\"indicators\":{\"quote\":[{}],\"adjclose\":[{}]}"),
                false, "");
    assert_rows("yahoo", ask, "{\"chart\":{\"result\":null,\"error\":{\"code\":\"Not Found\"}}}",
                false, "BAD_DATA");
    ask.symbol = STR("^GSPC");
    assert_target(
        "yahoo", ask,
        "/v8/finance/chart/%5EGSPC?period1=1707264000&period2=1707868800&interval=1d&events=div,splits,capitalGains"
        "&includePrePost=false");
    assert_verdict("yahoo", 429, "text/plain", "Too Many Requests", FEED_THROTTLED);
    assert_verdict("yahoo", 200, "text/plain", "Edge: Too Many Requests", FEED_THROTTLED);
    assert_verdict("yahoo", 404, JSON, "{\"chart\":{\"result\":null}}", FEED_NOT_FOUND);
    assert_verdict("yahoo", 200, "text/html", "<html><body>Will be right back</body></html>",
                   FEED_DOWN);
    assert_verdict("yahoo", 502, "text/html", "<html></html>", FEED_DOWN);
}

static void statistics_of_ecos(void **state)
{
    (void)state;
    struct source_ask ask = {.symbol = STR("902Y006/M"),
                             .from = day(2024, 12, 1),
                             .to = day(2024, 12, 31),
                             .key = STR("se/cret")};
    static const char body[] =
        "{\"StatisticSearch\":{\"list_total_count\":1001,\"row\":["
        "{\"STAT_CODE\":\"902Y006\",\"STAT_NAME\":\"9.1.1.2. 국제 주요국 중앙은행 정책금리\",\"ITEM_CODE1\":\"KR\",\"ITEM_NAME1\":\"한국\","
        "\"ITEM_CODE2\":null,\"UNIT_NAME\":\"% \",\"TIME\":\"202412\",\"DATA_VALUE\":\"3\"},"
        "{\"STAT_CODE\":\"902Y015\",\"ITEM_CODE1\":\"KOR\",\"TIME\":\"2024Q4\",\"DATA_VALUE\":\"\"},"
        "{\"STAT_CODE\":\"902Y015\",\"TIME\":\"2024X\",\"DATA_VALUE\":\"1\"}]}}";
    assert_rows(
        "ecos", ask, body, true,
        "observation 2024-12-31|series=902Y006|area=KR|frequency=M|period_start=2024-12-01|period_end=2024-12-31|value=3|unit=%"
        "|series_name=9.1.1.2. 국제 주요국 중앙은행 정책금리|area_name=한국\n"
        "observation 2024-12-31|series=902Y015|area=KOR|frequency=Q|period_start=2024-10-01|period_end=2024-12-31\n"
        "! bad-date period_start 2024X\n");
    ask.page = 1;
    assert_target("ecos", ask,
                  "/api/StatisticSearch/se%2Fcret/json/kr/1001/2000/902Y006/M/202412/202412");
    ask.symbol = STR("731Y001/D/0000001");
    ask.page = 0;
    assert_target(
        "ecos", ask,
        "/api/StatisticSearch/se%2Fcret/json/kr/1/1000/731Y001/D/20241201/20241231/0000001");
    ask.symbol = STR("902Y015/Q");
    assert_target("ecos", ask,
                  "/api/StatisticSearch/se%2Fcret/json/kr/1/1000/902Y015/Q/2024Q4/2024Q4");
    ask.symbol = STR("902Y015");
    assert_target("ecos", ask, "BAD_VALUE");
    assert_verdict("ecos", 200, JSON, body, FEED_OK);
    assert_verdict(
        "ecos", 200, JSON,
        "{\"RESULT\":{\"CODE\":\"INFO-200\",\"MESSAGE\":\"해당하는 데이터가 없습니다.\"}}",
        FEED_EMPTY);
    assert_verdict("ecos", 200, JSON, "{\"RESULT\":{\"CODE\":\"INFO-100\",\"MESSAGE\":\"x\"}}",
                   FEED_AUTH);
    assert_verdict("ecos", 200, JSON, "{\"RESULT\":{\"CODE\":\"ERROR-101\",\"MESSAGE\":\"x\"}}",
                   FEED_REFUSED);
    assert_verdict("ecos", 200, JSON, "{\"RESULT\":{\"CODE\":\"ERROR-400\",\"MESSAGE\":\"x\"}}",
                   FEED_TOO_WIDE);
    assert_verdict("ecos", 200, JSON, "{\"RESULT\":{\"CODE\":\"ERROR-602\",\"MESSAGE\":\"x\"}}",
                   FEED_THROTTLED);
}

static void series_of_fred(void **state)
{
    (void)state;
    struct source_ask ask = {.symbol = STR("DGS10/D"),
                             .from = day(2024, 12, 24),
                             .to = day(2024, 12, 26),
                             .key = STR("k")};
    assert_rows(
        "fred", ask,
        "{\"count\":2,\"observations\":[{\"realtime_start\":\"2026-03-02\",\"date\":\"2024-12-24\",\"value\":\"4.59\"},"
        "{\"realtime_start\":\"2026-03-02\",\"date\":\"2024-12-25\",\"value\":\".\"}]}",
        false,
        "observation 2024-12-24|series=DGS10|frequency=D|period_start=2024-12-24|period_end=2024-12-24|vintage=2026-03-02|value=4.59\n"
        "observation 2024-12-25|series=DGS10|frequency=D|period_start=2024-12-25|period_end=2024-12-25|vintage=2026-03-02\n");
    ask.symbol = STR("GDP/Q");
    assert_rows(
        "fred", ask, "{\"observations\":[{\"date\":\"2024-10-01\",\"value\":\"29719.647\"}]}",
        false,
        "observation 2024-12-31|series=GDP|frequency=Q|period_start=2024-10-01|period_end=2024-12-31|value=29719.647\n");
    assert_target(
        "fred", ask,
        "/fred/series/observations?series_id=GDP&file_type=json&observation_start=2024-12-24&observation_end=2024-12-26"
        "&limit=100000&offset=0&api_key=k");
    ask.symbol = STR("GDP");
    assert_target("fred", ask, "BAD_VALUE");
    assert_verdict(
        "fred", 400, JSON,
        "{\"error_code\":400,\"error_message\":\"Bad Request.  The series does not exist.\"}",
        FEED_NOT_FOUND);
    assert_verdict(
        "fred", 400, JSON,
        "{\"error_code\":400,\"error_message\":\"Bad Request.  The value for variable api_key is not registered.\"}",
        FEED_AUTH);
    assert_verdict("fred", 429, JSON, "{}", FEED_THROTTLED);
}

static void rates_of_frankfurter(void **state)
{
    (void)state;
    struct source_ask ask = {
        .symbol = STR("KRW,USD"), .from = day(2024, 12, 2), .to = day(2024, 12, 3)};
    assert_rows(
        "frankfurter", ask,
        "{\"amount\":1.0,\"base\":\"EUR\",\"start_date\":\"2024-12-02\",\"end_date\":\"2024-12-03\","
        "\"rates\":{\"2024-12-02\":{\"KRW\":1475,\"USD\":1.0501},\"2024-12-03\":{\"KRW\":1470.5}}}",
        false,
        "rate 2024-12-02|base=EUR|quote=KRW|date=2024-12-02|rate=1475\n"
        "rate 2024-12-02|base=EUR|quote=USD|date=2024-12-02|rate=1.0501\n"
        "rate 2024-12-03|base=EUR|quote=KRW|date=2024-12-03|rate=1470.5\n");
    assert_rows("frankfurter", ask,
                "{\"base\":\"EUR\",\"date\":\"2024-11-29\",\"rates\":{\"USD\":1.0562}}", false,
                "rate 2024-11-29|base=EUR|quote=USD|date=2024-11-29|rate=1.0562\n");
    assert_rows("frankfurter", ask, "{\"base\":\"USD\",\"rates\":{}}", false, "BAD_DATA");
    assert_target("frankfurter", ask, "/v1/2024-12-02..2024-12-03?base=EUR&symbols=KRW,USD");
    ask.symbol = STR("KRW,US");
    assert_target("frankfurter", ask, "BAD_VALUE");
    assert_verdict("frankfurter", 404, JSON, "{\"message\":\"not found\"}", FEED_NOT_FOUND);
    assert_verdict("frankfurter", 422, JSON, "{\"message\":\"invalid\"}", FEED_REFUSED);
}

static void rates_of_the_central_bank(void **state)
{
    (void)state;
    struct source_ask ask = {
        .symbol = STR(""), .from = day(2024, 12, 2), .to = day(2024, 12, 3), .now_s = 1733300000};
    static const char body[] =
        "<?xml version=\"1.0\"?><gesmes:Envelope><gesmes:subject>Reference rates</gesmes:subject><Cube>"
        "<Cube time=\"2024-12-04\"><Cube currency=\"USD\" rate=\"1.06\"/></Cube>"
        "<Cube time='2024-12-02'><Cube currency='USD' rate='1.0501'/><Cube rate='1475.0' currency='KRW'/>"
        "<Cube currency='RUB' rate='N/A'/></Cube><Cube time='2024-13-02'><Cube currency='USD' rate='1'/></Cube>"
        "</Cube></gesmes:Envelope>";
    assert_rows("ecb", ask, body, false,
                "rate 2024-12-02|base=EUR|quote=USD|date=2024-12-02|rate=1.0501\n"
                "rate 2024-12-02|base=EUR|quote=KRW|date=2024-12-02|rate=1475\n"
                "! missing rate \n! bad-date date 2024-13-02\n");
    assert_rows("ecb", ask, "<Cube><Cube currency='USD' rate='1'", false, "BAD_DATA");
    assert_rows("ecb", ask, "<x/>", false, "BAD_DATA");
    assert_target("ecb", ask, "/stats/eurofxref/eurofxref-hist-90d.xml");
    ask.from = day(2024, 1, 1);
    assert_target("ecb", ask, "/stats/eurofxref/eurofxref-hist.xml");
    ask.symbol = STR("USD");
    assert_target("ecb", ask, "BAD_VALUE");
    assert_verdict("ecb", 200, "text/xml", body, FEED_OK);
    assert_verdict("ecb", 200, "text/html", "<html></html>", FEED_DOWN);
}

static void articles_of_the_times(void **state)
{
    (void)state;
    struct source_ask ask = {
        .symbol = STR_NONE, .from = day(2024, 12, 5), .to = day(2025, 1, 2), .key = STR("k")};
    static const char body[] =
        "{\"response\":{\"docs\":[{\"_id\":\"nyt://article/1\",\"abstract\":\"The central bank held rates steady.\","
        "\"web_url\":\"https://www.nytimes.com/a.html\",\"headline\":{\"main\":\"Rates Held Steady\",\"kicker\":null},"
        "\"keywords\":[{\"name\":\"subject\",\"value\":\"Interest \\\"Rates\\\"\",\"rank\":1}],\"pub_date\":\"2024-12-02T18:00:00+0000\","
        "\"section_name\":\"Business Day\",\"byline\":{\"original\":\"By Jane Roe\"},\"word_count\":812},"
        "{\"_id\":\"nyt://article/2\",\"abstract\":\"\",\"web_url\":\"https://www.nytimes.com/b.html\",\"headline\":null,\"keywords\":[],"
        "\"pub_date\":\"2024-12-03T00:10:00Z\",\"section_name\":null,\"byline\":null,\"word_count\":0},"
        "{\"web_url\":\"https://www.nytimes.com/c.html\",\"pub_date\":\"2024-12-03\"}],\"meta\":{\"hits\":2}}}";
    assert_rows(
        "nyt_archive", ask, body, true,
        "article 2024-12-02|article_id=nyt://article/1|web_url=https://www.nytimes.com/a.html|published_at=2024-12-02T18:00:00Z"
        "|section=Business Day|headline=Rates Held Steady|abstract=The central bank held rates steady.|byline=By Jane Roe"
        "|word_count=812|keywords=[\"Interest \\\"Rates\\\"\"]\n"
        "article 2024-12-03|article_id=nyt://article/2|web_url=https://www.nytimes.com/b.html|published_at=2024-12-03T00:10:00Z"
        "|word_count=0|keywords=[]\n"
        "! bad-date published_at 2024-12-03\n");
    assert_target("nyt_archive", ask, "/svc/archive/v1/2024/12.json?api-key=k");
    ask.page = 1;
    assert_target("nyt_archive", ask, "/svc/archive/v1/2025/1.json?api-key=k");
    assert_rows("nyt_archive", ask, "{\"response\":{\"docs\":[]}}", false, "");
    ask.page = 0;
    assert_rows("nyt_search", ask,
                "{\"status\":\"OK\",\"response\":{\"docs\":null,\"metadata\":{\"hits\":0}}}", false,
                "");
    assert_target(
        "nyt_search", ask,
        "/svc/search/v2/articlesearch.json?sort=oldest&begin_date=20241205&end_date=20250102&page=0&api-key=k");
    ask.page = 100;
    assert_target("nyt_search", ask, "BAD_VALUE");
    assert_rows("nyt_search", ask, "{}", false, "BAD_DATA");
    assert_verdict("nyt_archive", 401, JSON, "{\"fault\":{\"faultstring\":\"Invalid ApiKey\"}}",
                   FEED_AUTH);
    assert_verdict("nyt_archive", 429, JSON,
                   "{\"fault\":{\"faultstring\":\"Rate limit quota violation.\"}}", FEED_THROTTLED);
}

#define PORTAL(code, total, items)                                        \
    "{\"response\":{\"header\":{\"resultCode\":\"" code                   \
    "\",\"resultMsg\":\"NORMAL SERVICE.\"},\"body\":{\"numOfRows\":1000," \
    "\"pageNo\":1,\"totalCount\":" total ",\"items\":" items "}}}"
#define ETF                                                                                                                  \
    "{\"basDt\":\"20241202\",\"srtnCd\":\"069500\",\"isinCd\":\"KR7069500007\",\"itmsNm\":\"KODEX 200\",\"clpr\":\"33105\"," \
    "\"vs\":\"-120\",\"fltRt\":\"-.36\",\"nav\":\"33118.22\",\"mkp\":\"33250\",\"hipr\":\"33320\",\"lopr\":\"33020\","       \
    "\"trqu\":\"5123456\",\"trPrc\":\"169876543210\",\"mrktTotAmt\":\"5432100000000\",\"nPptTotAmt\":\"5434269000000\","     \
    "\"stLstgCnt\":\"164050000\",\"bssIdxIdxNm\":\"코스피 200\",\"bssIdxClpr\":\".11\"}"
#define ETF_ROW                                                                                                                  \
    "fund 2024-12-02|symbol=069500|date=2024-12-02|isin=KR7069500007|name=KODEX 200|open=33250|high=33320|low=33020|close=33105" \
    "|nav=33118.22|volume=5123456|value_traded=169876543210|market_cap=5432100000000|net_assets=5434269000000|shares=164050000"  \
    "|base_index_name=코스피 200|base_index_close=0.11\n"

static void prices_of_the_korean_portal(void **state)
{
    (void)state;
    struct source_ask ask = {.symbol = STR_NONE,
                             .from = day(2024, 12, 2),
                             .to = day(2024, 12, 2),
                             .key = STR("a+b/c==")};
    assert_rows("datagokr_etf", ask, PORTAL("00", "1001", "{\"item\":[" ETF "]}"), true, ETF_ROW);
    assert_rows("datagokr_etf", ask, PORTAL("00", "1", "{\"item\":" ETF "}"), false, ETF_ROW);
    assert_rows("datagokr_etf", ask, PORTAL("00", "0", "{\"item\":[]}"), false, "");
    assert_rows("datagokr_etf", ask, PORTAL("00", "0", "\"\""), false, "");
#define SMALL_PAGE(page)                                                                             \
    "{\"response\":{\"header\":{\"resultCode\":\"00\"},\"body\":{\"numOfRows\":100,\"pageNo\":" page \
    ",\"totalCount\":150,\"items\":{\"item\":" ETF "}}}}"
    assert_rows("datagokr_etf", ask, SMALL_PAGE("1"), true, ETF_ROW);
    assert_rows("datagokr_etf", ask, SMALL_PAGE("2"), false, ETF_ROW);
    assert_rows("datagokr_etf", ask, PORTAL("10", "0", "\"\""), false, "BAD_DATA");
    assert_rows("datagokr_etf", ask, PORTAL("00", "1", "null"), false, "BAD_DATA");
    assert_rows("datagokr_etf", ask, PORTAL("00", "1", "{\"things\":[]}"), false, "BAD_DATA");
    assert_rows(
        "datagokr_stock", ask,
        PORTAL(
            "00", "1",
            "{\"item\":{\"basDt\":\"20241202\",\"srtnCd\":\"005930\",\"isinCd\":\"KR7005930003\",\"itmsNm\":\"삼성전자\","
            "\"mrktCtg\":\"KOSPI\",\"clpr\":\"53600\",\"mkp\":\"54200\",\"hipr\":\"54400\",\"lopr\":\"53400\","
            "\"trqu\":\"1\",\"trPrc\":\"2\",\"lstgStCnt\":\"5969782550\",\"mrktTotAmt\":\"319980344680000\"}}"),
        false,
        "bar 2024-12-02|symbol=005930|date=2024-12-02|open=54200|high=54400|low=53400|close=53600|volume=1|value_traded=2"
        "|market_cap=319980344680000|shares=5969782550|market=KOSPI|name=삼성전자|isin=KR7005930003|currency=KRW\n");
    /* Without a trade there is a close, and no price of the session: it is told as 0. */
    assert_rows(
        "datagokr_stock", ask,
        PORTAL(
            "00", "1",
            "{\"item\":{\"basDt\":\"20241202\",\"srtnCd\":\"001140\",\"mrktCtg\":\"KOSPI\",\"clpr\":\"497\","
            "\"mkp\":\"0\",\"hipr\":\"0\",\"lopr\":\"0\",\"trqu\":\"0\",\"trPrc\":\"0\"}}"),
        false,
        "bar 2024-12-02|symbol=001140|date=2024-12-02|close=497|volume=0|value_traded=0"
        "|market=KOSPI|currency=KRW\n");
    assert_rows(
        "datagokr_etf", ask,
        PORTAL(
            "00", "1",
            "{\"item\":{\"basDt\":\"20241202\",\"srtnCd\":\"104520\",\"clpr\":\"9015\",\"mkp\":\"0\","
            "\"hipr\":\"0\",\"lopr\":\"0\",\"trqu\":\"0\"}}"),
        false, "fund 2024-12-02|symbol=104520|date=2024-12-02|close=9015|volume=0\n");
    assert_target(
        "datagokr_etf", ask,
        "/1160100/GetSecuritiesProductInfoService_V2/getETFPriceInfo_V2?resultType=json&numOfRows=1000&pageNo=1"
        "&beginBasDt=20241202&endBasDt=20241203&serviceKey=a%2Bb%2Fc%3D%3D");
    assert_verdict(
        "datagokr_etf", 200, "text/xml",
        "<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg><returnAuthMsg>SERVICE_KEY_IS_NOT_REGISTERED_ERROR"
        "</returnAuthMsg><returnReasonCode>30</returnReasonCode></cmmMsgHeader></OpenAPI_ServiceResponse>",
        FEED_AUTH);
    assert_verdict("datagokr_etf", 200, "text/xml",
                   "<x><returnReasonCode>22</returnReasonCode></x>", FEED_QUOTA);
    assert_verdict("datagokr_etf", 200, "text/xml",
                   "<x><returnReasonCode>12</returnReasonCode></x>", FEED_REFUSED);
    assert_verdict("datagokr_etf", 200, "text/xml", "<x></x>", FEED_CHANGED);
    assert_verdict("datagokr_etf", 200, JSON, PORTAL("00", "0", "\"\""), FEED_OK);
    assert_verdict("datagokr_etf", 200, JSON, PORTAL("22", "0", "\"\""), FEED_QUOTA);
    assert_verdict("datagokr_etf", 200, JSON, "{\"resultCode\" : \"30\"}", FEED_AUTH);
    assert_verdict("datagokr_etf", 200, JSON, "{\"resultCode\"", FEED_OK);
}

static void days_of_the_korean_exchange(void **state)
{
    (void)state;
    struct source_ask ask = {
        .symbol = STR_NONE, .from = day(2024, 12, 2), .to = day(2024, 12, 3), .key = STR("secret")};
    assert_rows(
        "krx_etf", ask,
        "{\"OutBlock_1\":[{\"BAS_DD\":\"20241202\",\"ISU_CD\":\"069500\",\"ISU_NM\":\"KODEX 200\",\"TDD_CLSPRC\":\"33,105\","
        "\"NAV\":\"33118.22\",\"TDD_OPNPRC\":\"-\",\"ACC_TRDVOL\":\"5123456\",\"IDX_IND_NM\":\"코스피 200\"}]}",
        true,
        "fund 2024-12-02|symbol=069500|date=2024-12-02|name=KODEX 200|close=33105|nav=33118.22|volume=5123456"
        "|base_index_name=코스피 200\n");
    ask.page = 1;
    assert_rows(
        "krx_kospi", ask,
        "{\"OutBlock_1\":[{\"BAS_DD\":\"20241203\",\"ISU_CD\":\"005930\",\"ISU_NM\":\"삼성전자\",\"MKT_NM\":\"KOSPI\","
        "\"TDD_CLSPRC\":\"53600\"}]}",
        false,
        "bar 2024-12-03|symbol=005930|date=2024-12-03|close=53600|market=KOSPI|name=삼성전자|currency=KRW\n");
    assert_rows(
        "krx_kospi", ask,
        "{\"OutBlock_1\":[{\"BAS_DD\":\"20241203\",\"ISU_CD\":\"001140\",\"TDD_CLSPRC\":\"497\",\"TDD_OPNPRC\":\"0\","
        "\"TDD_HGPRC\":\"0\",\"TDD_LWPRC\":\"0\",\"ACC_TRDVOL\":\"0\"}]}",
        false, "bar 2024-12-03|symbol=001140|date=2024-12-03|close=497|volume=0|currency=KRW\n");
    assert_rows(
        "krx_etf", ask,
        "{\"OutBlock_1\":[{\"BAS_DD\":\"20241203\",\"ISU_CD\":\"104520\",\"TDD_CLSPRC\":\"9,015\",\"TDD_OPNPRC\":\"0\","
        "\"TDD_HGPRC\":\"0\",\"TDD_LWPRC\":\"0\",\"ACC_TRDVOL\":\"0\"}]}",
        false, "fund 2024-12-03|symbol=104520|date=2024-12-03|close=9015|volume=0\n");
    assert_rows("krx_kosdaq", ask, "{\"OutBlock_1\":[]}", false, "");
    assert_rows("krx_kosdaq", ask, "{\"output\":[]}", false, "BAD_DATA");
    assert_target("krx_kosdaq", ask, "/svc/apis/sto/ksq_bydd_trd?basDd=20241203");
    assert_verdict("krx_etf", 401, JSON,
                   "{\"respMsg\":\"Unauthorized API Call\",\"respCode\":\"401\"}", FEED_AUTH);
    assert_verdict("krx_etf", 400, "text/plain", "LOGOUT", FEED_REFUSED);
}

/* Cutting an answer anywhere, or putting another byte into it, gives rows, rejects or a refusal: nothing else. */
static void damage_is_refused_or_rejected(void **state)
{
    static const char *const names[] = {"datagokr_etf", "nyt_archive", "yahoo"};
    static const char *const bodies[] = {
        PORTAL("00", "1", "{\"item\":[" ETF "]}"),
        "{\"response\":{\"docs\":[{\"_id\":\"1\",\"web_url\":\"u\",\"pub_date\":\"2024-12-02T18:00:00Z\",\"keywords\":[{\"value\":\"x\"}]}]}}",
        YAHOO(
            "\"currency\":\"USD\",\"gmtoffset\":0",
            "\"timestamp\":[1707316200],\"indicators\":{\"quote\":[{\"open\":[1],\"high\":[1],\"low\":[1],\"close\":[1.5],\"volume\":[1]}]}")};
    struct source_ask ask = {.symbol = STR("X"), .from = day(2024, 12, 2), .to = day(2024, 12, 2)};
    (void)state;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        char copy[2048];
        size_t len = strlen(bodies[k]);
        for (size_t i = 0; i < 2 * len; i++) {
            struct reading r;
            memcpy(copy, bodies[k], len + 1);
            if (i < len)
                copy[i] = '\0';
            else
                copy[i - len] = "\"x{}[],0\xff"[i % 9];
            (void)read_now(&r, names[k], ask, copy);
            assert_true(r.status == STATUS_OK || r.status == STATUS_BAD_DATA);
            arena_clear(&r.arena);
        }
    }
}

static void every_source_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_sources; i++) {
        assert_ptr_equal(source_find(str_of(sources[i]->name)), sources[i]);
        assert_true(sources[i]->manners.timeout_s > 0 && sources[i]->manners.body_mib > 0);
        assert_true(sources[i] == &source_upload || strncmp(sources[i]->base, "https://", 8) == 0);
    }
    assert_null(source_find(STR("nobody")));
    assert_true(feed_is_retried(FEED_THROTTLED) && feed_is_retried(FEED_DOWN) &&
                !feed_is_retried(FEED_BLOCKED));
    for (size_t i = 0; i < SHAPE_COUNT; i++)
        assert_true(feed_layouts[i].n <= FEED_COLUMNS_MAX &&
                    feed_columns[feed_layouts[i].first].name != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(klines_of_binance),
        cmocka_unit_test(charts_of_yahoo),
        cmocka_unit_test(statistics_of_ecos),
        cmocka_unit_test(series_of_fred),
        cmocka_unit_test(rates_of_frankfurter),
        cmocka_unit_test(rates_of_the_central_bank),
        cmocka_unit_test(articles_of_the_times),
        cmocka_unit_test(prices_of_the_korean_portal),
        cmocka_unit_test(days_of_the_korean_exchange),
        cmocka_unit_test(damage_is_refused_or_rejected),
        cmocka_unit_test(every_source_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
