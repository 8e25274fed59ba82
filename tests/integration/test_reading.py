"""Marts, instruments and prices over HTTP, on the embedded database and on PostgreSQL: one suite, two backends."""

import decimal
import functools
import json
import re
import threading
import unittest
import urllib.parse

from support.backend import Postgresql, Sqlite
from support.dataset import Dataset, sample_rows
from support.problems import Assertions
from support.server import SAMPLE

SPICE = ["'", "''", "\"", "\\", "'; DROP TABLE gen_price_daily; --", "' OR '1'='1", "$1", "$$", "%", "_", "%%", "?1",
         "/*", "*/ --", "0x00", "NaN", "1;SELECT 1", "' UNION SELECT body FROM backtest_result --", "(", ")", "),(",
         "eq.", ".", ",", "{", "}", "null", "NULL", "\u0130\u0131ß", "가나다", "😀", "%s%s%n", "../../etc/passwd",
         "${jndi:ldap://x}", "<script>alert(1)</script>", "a" * 900]


def quote(text):
    return urllib.parse.quote(text, safe="")


@functools.lru_cache(maxsize=None)
def rows_of(*paths):
    return [row for path in paths for row in sample_rows(path)]


def prices():
    return rows_of("prices_us_stocks.csv.gz", "prices_us_etfs.csv.gz", "prices_indices.csv.gz",
                   "prices_commodities.csv.gz", "prices_simulated.csv.gz")


def fx():
    return rows_of("fx_ecb.csv.gz")


class Case(Assertions):
    """What the suites of this file share: a server on self.backend_type, and walks through pages."""

    backend_type = None
    with_sample = True
    settings = {"refresh_ms": 100}

    @classmethod
    def setUpClass(cls):
        cls.backend = cls.backend_type(cls.with_sample)
        cls.prepare()
        cls.server = cls.backend.server(**cls.settings).start()

    @classmethod
    def prepare(cls):
        """Before the server starts."""

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def get(self, target, **headers):
        return self.server.get(target, **headers)

    def data(self, target):
        return self.assert_ok(self.get(target)).json["data"]

    def walk(self, target, between=lambda page: None):
        """All pages by links.next; between is called after each."""
        pages = []
        while target:
            answer = self.assert_ok(self.get(target))
            page = answer.json
            pages.append(page)
            target = page["links"]["next"]
            self.assertEqual(answer.link("next"), target)
            self.assertEqual(page["meta"]["truncated"], target is not None)
            self.assertEqual(page["meta"]["returned"], len(page["data"]))
            between(page)
        return pages

    def walked(self, target, between=lambda page: None):
        return [row for page in self.walk(target, between) for row in page["data"]]


class Reading(Case):
    # ---- The catalogue ------------------------------------------------------------------------------------------

    def test_the_catalogue_lists_every_mart_of_the_sample_with_its_rows(self):
        expected = {}
        for file in json.loads((SAMPLE / "manifest.json").read_text())["files"]:
            expected[file["mart"]] = expected.get(file["mart"], 0) + file["rows"]
        document = self.assert_ok(self.get("/v1/marts")).json
        marts = {mart["name"]: mart for mart in document["data"]}
        self.assertEqual(list(marts), sorted(marts))
        self.assertEqual({name: marts[name]["rows"] for name in expected}, expected)
        self.assertIn("mart_freshness", marts)
        for mart in marts.values():
            self.assertTrue(mart["is_managed"])
            is_published = mart["name"] in expected or mart["name"] == "mart_freshness"  # others wait for the warehouse
            self.assertEqual(mart["generation"], 1 if is_published else 0)
            address = f"/v1/marts/{mart['name']}"
            self.assertEqual(mart["links"], {"self": address, "values": address + "/values/{column}",
                                             **{part: f"{address}/{part}" for part in ("rows", "schema", "facets", "aggregate")}})
            self.assertEqual(mart["default_order"], mart["key"])
            if is_published:
                self.assertRegex(mart["published_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            else:
                self.assertEqual((mart["published_at"], mart["rows"], self.data(address + "/rows")), (None, 0, []))
        self.assertEqual(document["meta"], {"generation": 1, "oldest_generation": 1})

    def test_as_of_is_the_last_date_of_the_time_column(self):
        marts = {mart["name"]: mart for mart in self.data("/v1/marts")}
        self.assertEqual(marts["mart_fx_daily"]["as_of"], max(row["date"] for row in fx()))
        self.assertEqual(marts["mart_price_daily"]["as_of"], max(row["date"] for row in prices()))
        self.assertIsNone(marts["mart_instrument"]["as_of"])

    def test_a_mart_lists_its_columns_with_types_units_and_key(self):
        mart = self.data("/v1/marts/mart_price_daily")
        columns = {column["name"]: column for column in mart["columns"]}
        self.assertEqual(list(columns), list(prices()[0]))
        self.assertEqual((mart["key"], mart["time_column"]), (["uid", "date"], "date"))
        self.assertEqual([name for name, column in columns.items() if column["is_key"]], ["uid", "date"])
        self.assertEqual([columns[name]["json_type"] for name in ("uid", "date", "close", "quality", "known_at")],
                         ["string", "string", "number", "integer", "string"])
        self.assertEqual((columns["close"]["unit"], columns["close"]["is_nullable"]), ("currency", True))
        self.assertFalse(columns["uid"]["is_nullable"])
        boolean = {column["name"]: column for column in self.data("/v1/marts/mart_fx_daily")["columns"]}["is_cross"]
        self.assertEqual(boolean["json_type"], "boolean")

    def test_an_unknown_mart_is_404_with_the_nearest_name(self):
        for target in ("/v1/marts/mart_price_dialy", "/v1/marts/mart_price_dialy/rows"):
            self.assert_problem(self.get(target), "unknown-mart", about="mart", suggestion="mart_price_daily")

    def test_tables_that_are_no_marts_are_not_served(self):
        for name in ("publication", "mart_generation", "meta_mart", "gen_price_daily", "backtest_result", "sqlite_master",
                     "pg_class", "MART_PRICE_DAILY", "mart_price_daily ", "public.mart_price_daily"):
            self.assert_problem(self.get(f"/v1/marts/{quote(name)}/rows"), "unknown-mart")

    # ---- Filters ------------------------------------------------------------------------------------------------

    def check_filters(self, query, holds, rows=None, key=lambda row: (row["base"], row["quote"], row["date"]),
                      mart="mart_fx_daily"):
        expected = [key(row) for row in (rows if rows is not None else fx()) if holds(row)]
        answer = self.data(f"/v1/marts/{mart}/rows?{query}&limit=50000")
        self.assertEqual([key(row) for row in answer], sorted(expected), query)

    def test_every_operator_gives_the_rows_that_python_finds(self):
        number = decimal.Decimal
        for query, holds in [
                ("quote=eq.KRW", lambda row: row["quote"] == "KRW"),
                ("quote=neq.KRW&date=eq.2020-01-02", lambda row: row["quote"] != "KRW" and row["date"] == "2020-01-02"),
                ("rate=gt.1300&date=gte.2020-01-01", lambda row: number(row["rate"]) > 1300 and row["date"] >= "2020-01-01"),
                ("rate=gte.1.1172&quote=eq.USD", lambda row: number(row["rate"]) >= number("1.1172") and row["quote"] == "USD"),
                ("rate=lt.0.7&date=lt.2005-01-01", lambda row: number(row["rate"]) < number("0.7") and row["date"] < "2005-01-01"),
                ("rate=lte.0.70&quote=eq.GBP", lambda row: number(row["rate"]) <= number("0.7") and row["quote"] == "GBP"),
                ("quote=in.(KRW,JPY)&date=eq.2019-07-01", lambda row: row["quote"] in ("KRW", "JPY") and row["date"] == "2019-07-01"),
                ('quote=in.("KRW",USD)&date=gt.2026-10-01', lambda row: row["quote"] in ("KRW", "USD") and row["date"] > "2026-10-01"),
                ("is_filled=is.true", lambda row: row["is_filled"] == "true"),
                ("is_cross=eq.true&date=eq.2019-07-01", lambda row: row["is_cross"] == "true" and row["date"] == "2019-07-01"),
                ("is_cross=is.false&date=eq.2019-07-01", lambda row: row["is_cross"] == "false" and row["date"] == "2019-07-01"),
                ("known_at=gte.2026-10-29T00:00:00Z", lambda row: row["known_at"] >= "2026-10-29T00:00:00Z"),
                ("known_at=eq.2026-10-30T15:00:00Z&quote=eq.USD", lambda row: row["known_at"] == "2026-10-30T15:00:00Z" and row["quote"] == "USD"),
                ("known_at=eq.2026-10-31T00:00:00%2B09:00&quote=eq.USD", lambda row: row["known_at"] == "2026-10-30T15:00:00Z" and row["quote"] == "USD"),
                ("known_at=eq.2026-10-31T00:00:00+09:00&quote=eq.USD", lambda row: row["known_at"] == "2026-10-30T15:00:00Z" and row["quote"] == "USD"),
                ("known_at=gte.2026-10-30T15:00:00.5Z", lambda row: row["known_at"] > "2026-10-30T15:00:00Z"),
                ("known_at=gt.2026-10-29T15:00:00.000001Z", lambda row: row["known_at"] > "2026-10-29T15:00:00Z"),
                ("known_at=lt.1999-01-04T15:00:00.5Z", lambda row: row["known_at"] <= "1999-01-04T15:00:00Z"),
                ("known_at=eq.2026-10-30T15:00:00.5Z", lambda row: False),
                ("known_at=in.(2026-10-30T15:00:00.000Z,2026-10-29T15:00:00.1Z)", lambda row: row["known_at"] == "2026-10-30T15:00:00Z"),
                ("known_at=neq.1999-01-04T15:00:00.5Z&date=eq.1999-01-04", lambda row: row["date"] == "1999-01-04"),
                ("date=gte.2019-01-01&date=lte.2019-01-10&quote=eq.CHF",
                 lambda row: "2019-01-01" <= row["date"] <= "2019-01-10" and row["quote"] == "CHF")]:
            with self.subTest(query):
                self.check_filters(query, holds)

    def test_numbers_compare_as_numbers_not_as_text(self):
        values = [row["word_count"] for row in self.data("/v1/marts/mart_news_article/rows?word_count=gt.99&limit=50000")]
        expected = [int(row["word_count"]) for row in rows_of("news_simulated.csv.gz") if int(row["word_count"]) > 99]
        self.assertEqual(sorted(values), sorted(expected))
        rates = self.data("/v1/marts/mart_fx_daily/rows?date=eq.2020-01-02&order=rate.desc")
        self.assertEqual([row["rate"] for row in rates], sorted((row["rate"] for row in rates), reverse=True))
        self.assertGreater(rates[0]["rate"], 1000)

    def test_is_null_and_not_null_find_empty_fields_and_comparisons_do_not(self):
        rows = rows_of("instruments.csv")
        key = lambda row: row["uid"]  # noqa: E731
        self.check_filters("sector=is.null", lambda row: row["sector"] == "", rows, key, "mart_instrument")
        self.check_filters("sector=is.not_null", lambda row: row["sector"] != "", rows, key, "mart_instrument")
        self.check_filters("sector=neq.Energy", lambda row: row["sector"] not in ("", "Energy"), rows, key, "mart_instrument")

    def test_a_value_may_hold_points_commas_and_quotes(self):
        names = ["Crude oil, West Texas Intermediate, Cushing, USD per barrel", "Best Buy Co., Inc.", "Apple Inc."]
        listed = ",".join('"' + name + '"' for name in names)
        rows = self.data(f"/v1/marts/mart_instrument/rows?name={quote(f'in.({listed})')}&select=name")
        self.assertEqual(sorted(row["name"] for row in rows), sorted(names))
        self.assertEqual(len(self.data(f"/v1/marts/mart_instrument/rows?name={quote('eq.' + names[1])}")), 1)
        self.assertEqual(self.data(f"/v1/marts/mart_instrument/rows?name_local={quote('eq.애플')}")[0]["uid"], "stock:US.AAPL")

    def test_a_malformed_filter_is_400_and_says_what_is_allowed(self):
        base = "/v1/marts/mart_price_daily/rows?"
        for query, slug, about, allowed in [
                ("close=5", "bad-filter", "close", "gte.V"), ("close=", "bad-filter", "close", "gte.V"),
                ("close=eg.5", "bad-filter", "close", "eq.V"), ("close=between.1", "bad-filter", "close", "eq.V"),
                ("uid=in.()", "bad-filter", "uid", "in.("), ("uid=in.(a", "bad-filter", "uid", "in.("),
                ('uid=in.("a', "bad-filter", "uid", "in.("), ('uid=in.("a"b)', "bad-filter", "uid", "in.("),
                ("uid=in." + quote("(" + ",".join(["a"] * 501) + ")"), "bad-filter", "uid", "500"),
                ("close=is.true", "bad-filter", "close", "null"), ("close=is.nil", "bad-filter", "close", "null"),
                ("close=gt.abc", "bad-value", "close", "number"), ("close=gt.1e5x", "bad-value", "close", "number"),
                ("close=gt.NaN", "bad-value", "close", "number"), ("close=gt.", "bad-value", "close", "number"),
                ("close=gt.Infinity", "bad-value", "close", "number"),
                ("close=gt." + "9" * 39, "bad-value", "close", "38"),
                ("quality=eq.1.5", "bad-value", "quality", "integer"),
                ("quality=eq.99999999999999999999", "bad-value", "quality", "integer"),
                ("date=gt.2019-02-30", "bad-value", "date", "YYYY-MM-DD"), ("date=eq.today", "bad-value", "date", "YYYY-MM-DD"),
                ("date=in.(2019-01-01,2019-13-01)", "bad-value", "date", "YYYY-MM-DD"),
                ("known_at=gt.yesterday", "bad-value", "known_at", "YYYY-MM-DDTHH:MM:SSZ"),
                ("known_at=gt.2020-01-01T00:00:00.1234567Z", "bad-value", "known_at", "YYYY-MM-DDTHH:MM:SSZ"),
                ("known_at=gt.2020-01-01T00:00:00%2B25:00", "bad-value", "known_at", "%2B09:00")]:
            with self.subTest(query):
                self.assert_problem(self.get(base + query), slug, about=about, allowed=allowed)
        self.assert_problem(self.get("/v1/marts/mart_fx_daily/rows?is_cross=eq.yes"), "bad-value", about="is_cross",
                            allowed="true")

    def test_an_operator_of_another_spelling_gets_a_suggestion(self):
        self.assert_problem(self.get("/v1/marts/mart_price_daily/rows?close=gtr.5"), "bad-filter", suggestion="gt")
        self.assert_problem(self.get("/v1/marts/mart_price_daily/rows?close=is.nul"), "bad-filter", suggestion="null")

    def test_more_than_32_filters_are_refused(self):
        query = "&".join(["close=gt.1"] * 33)
        self.assert_problem(self.get(f"/v1/marts/mart_price_daily/rows?{query}"), "bad-filter", allowed="32")
        query = "&".join(["close=gt.1"] * 31 + ["uid=eq.index:VIX"])
        self.assertGreater(len(self.data(f"/v1/marts/mart_price_daily/rows?{query}&limit=2")), 1)

    def test_an_unknown_column_is_400_with_the_nearest_one(self):
        base = "/v1/marts/mart_price_daily/rows?"
        self.assert_problem(self.get(base + "clsoe=gt.5"), "unknown-parameter", about="clsoe", suggestion="close")
        self.assert_problem(self.get(base + "limt=5"), "unknown-parameter", about="limt", suggestion="limit")
        self.assert_problem(self.get(base + "select=uid,clsoe"), "unknown-column", about="select", suggestion="close")
        self.assert_problem(self.get(base + "order=clsoe.desc"), "unknown-column", about="order", suggestion="close")
        for hidden in ("gen_from", "gen_to", "rowid", "ctid", "oid", "xmin"):
            self.assert_problem(self.get(base + f"select={hidden}"), "unknown-column")
            self.assert_problem(self.get(base + f"{hidden}=gt.0"), "unknown-parameter")

    # ---- Columns, order, pages ----------------------------------------------------------------------------------

    def test_select_decides_columns_and_their_order(self):
        row = self.data("/v1/marts/mart_fx_daily/rows?select=rate,quote&quote=eq.KRW&date=eq.2020-01-02")[0]
        self.assertEqual(list(row), ["rate", "quote"])
        everything = self.data("/v1/marts/mart_fx_daily/rows?limit=1")[0]
        self.assertEqual(list(everything), list(fx()[0]))

    def test_a_column_twice_in_select_or_order_is_400(self):
        for query in ("select=uid,date,uid", "order=date,date.desc", "order=date.up"):
            self.assert_problem(self.get(f"/v1/marts/mart_price_daily/rows?{query}"), "bad-value",
                                about=query.split("=", 1)[0])

    def test_rows_come_in_the_order_of_the_key_unless_asked_otherwise(self):
        rows = self.data("/v1/marts/mart_fx_daily/rows?select=base,quote,date&limit=3000")
        keys = [tuple(row.values()) for row in rows]
        self.assertEqual(keys, sorted(keys))
        self.assertEqual(keys, sorted((row["base"], row["quote"], row["date"]) for row in fx())[:3000])

    def test_text_is_ordered_by_code_point_on_every_database(self):
        names = [row["name_local"] for row in self.data("/v1/marts/mart_instrument/rows?order=name_local&name_local=is.not_null")]
        self.assertEqual(names, sorted(names))
        symbols = [row["symbol"] for row in self.data("/v1/marts/mart_instrument/rows?order=symbol.desc")]
        self.assertEqual(symbols, sorted(symbols, reverse=True))

    def test_nulls_are_last_ascending_and_first_descending(self):
        ascending = [row["sector"] for row in self.data("/v1/marts/mart_instrument/rows?order=sector")]
        descending = [row["sector"] for row in self.data("/v1/marts/mart_instrument/rows?order=sector.desc")]
        known = sorted(sector for sector in ascending if sector is not None)
        empty = [None] * (len(ascending) - len(known))
        self.assertGreater(len(empty), 1)
        self.assertEqual(ascending, known + empty)
        self.assertEqual(descending, empty + known[::-1])

    def test_limits_outside_1_to_50000_are_refused(self):
        base = "/v1/marts/mart_fx_daily/rows?select=date&limit="
        for limit in ("0", "-1", "50001", "abc", "1.5", "", "1e3", "99999999999999999999", "+5", "0x10"):
            with self.subTest(limit):
                self.assert_problem(self.get(base + quote(limit)), "bad-value", about="limit", allowed="1 to 50000")
        self.assertEqual(len(self.data(base + "1")), 1)
        self.assertEqual(len(self.data(base + "50000")), 50000)
        self.assertEqual(len(self.data("/v1/marts/mart_fx_daily/rows?select=date")), 1000)

    def test_a_walk_sees_every_row_once_for_every_order_and_page_size(self):
        expected = sorted(row["uid"] for row in rows_of("instruments.csv"))
        for order in ("", "uid.desc", "sector", "sector.desc", "market,currency.desc", "is_active,asset_class.desc,name",
                      "delisting_return", "delisting_return.desc", "n_rows.desc", "first_date.desc", "name_local",
                      "is_survivor_biased.desc,country"):
            whole = [row["uid"] for row in self.data(f"/v1/marts/mart_instrument/rows?order={order}" if order else
                                                     "/v1/marts/mart_instrument/rows")]
            for limit in (1, 4, 43, 44):
                with self.subTest(order=order, limit=limit):
                    query = (f"order={order}&" if order else "") + f"select=uid&limit={limit}"
                    seen = [row["uid"] for row in self.walked(f"/v1/marts/mart_instrument/rows?{query}")]
                    self.assertEqual(sorted(seen), expected)
                    self.assertEqual(seen, whole)

    def test_a_walk_with_filters_over_many_rows_is_complete(self):
        query = "quote=in.(KRW,JPY,USD)&date=gte.2015-01-01&select=quote,date,rate"
        expected = sorted((row["quote"], row["date"]) for row in fx()
                          if row["quote"] in ("KRW", "JPY", "USD") and row["date"] >= "2015-01-01")
        for order in ("rate.desc", "date.desc,rate", "known_at", "is_cross,rate"):
            with self.subTest(order):
                seen = [(row["quote"], row["date"]) for row in
                        self.walked(f"/v1/marts/mart_fx_daily/rows?{query}&order={order}&limit=1500")]
                self.assertEqual(sorted(seen), expected)

    def test_rows_of_one_key_walk_forwards_and_backwards_in_every_format(self):
        uid, base = "stock:US.AAPL", "/v1/marts/mart_price_daily/rows?uid=eq.stock:US.AAPL&date=gte.2022-06-01"
        days = sorted(row["date"] for row in prices() if row["uid"] == uid and row["date"] >= "2022-06-01")
        expected = [(uid, date) for date in days]
        self.assertGreater(len(days), 100)
        for order in ("uid.asc", "date.asc", "uid.desc,date.asc"):
            with self.subTest(order=order):
                pages = self.walk(f"{base}&order={order}&limit=50")
                self.assertEqual([(row["uid"], row["date"]) for page in pages for row in page["data"]], expected)
                back, target = [], pages[-1]["links"]["prev"]
                while target:
                    page = self.assert_ok(self.get(target)).json
                    back, target = page["data"] + back, page["links"]["prev"]
                self.assertEqual(back, [row for page in pages[:-1] for row in page["data"]])
        for limit in ("limit=1000", "limit=all"):
            with self.subTest(limit):
                lines = self.get(f"{base}&select=date,uid&{limit}&format=csv").body.decode().splitlines()
                self.assertEqual(lines, ["date,uid"] + [f"{date},{uid}" for date in days])
                lines = self.get(f"{base}&select=date,uid&{limit}&format=ndjson").body.decode().splitlines()
                self.assertEqual([json.loads(line) for line in lines], [{"date": date, "uid": uid} for date in days])
        row = self.data(f"/v1/marts/mart_price_daily/rows?uid=eq.{uid}&date=eq.{days[0]}")[0]
        self.assertEqual((row["uid"], row["date"]), (uid, days[0]))

    def test_a_walk_of_the_largest_mart_is_the_whole_sample(self):
        seen = [(row["uid"], row["date"]) for row in self.walked("/v1/marts/mart_price_daily/rows?select=uid,date&limit=50000")]
        self.assertEqual(len(seen), len(prices()))
        self.assertEqual(seen, sorted({(row["uid"], row["date"]) for row in prices()}))

    def test_csv_pages_by_the_link_header_alone(self):
        target, seen = "/v1/marts/mart_instrument/rows?select=uid&limit=10&format=csv", []
        while target:
            answer = self.assert_ok(self.get(target))
            seen += [row[0] for row in answer.rows[1:]]
            target = answer.link("next")
        self.assertEqual(seen, sorted(row["uid"] for row in rows_of("instruments.csv")))

    def test_an_empty_answer_has_no_rows_and_no_next_page(self):
        page = self.assert_ok(self.get("/v1/marts/mart_fx_daily/rows?quote=eq.XXX")).json
        self.assertEqual((page["data"], page["links"]["next"], page["meta"]["returned"]), ([], None, 0))
        self.assertEqual(self.get("/v1/marts/mart_fx_daily/rows?quote=eq.XXX&select=date,rate&format=csv").body, b"date,rate\r\n")

    # ---- Cursors ------------------------------------------------------------------------------------------------

    def cursor(self, query="order=sector&limit=5"):
        next_page = self.assert_ok(self.get(f"/v1/marts/mart_instrument/rows?{query}")).json["links"]["next"]
        return urllib.parse.parse_qs(urllib.parse.urlsplit(next_page).query)["cursor"][0]

    def test_a_changed_cursor_is_400_whichever_character_was_changed(self):
        cursor = self.cursor()
        for i in range(len(cursor)):
            other = "A" if cursor[i] != "A" else "B"
            changed = cursor[:i] + other + cursor[i + 1:]
            answer = self.get(f"/v1/marts/mart_instrument/rows?order=sector&limit=5&cursor={changed}")
            self.assert_problem(answer, "bad-cursor", about="cursor", allowed="links.next")

    def test_a_made_up_cursor_is_400(self):
        cursor = self.cursor()
        for text in ("", "x", "AAAA", "%25", "null", "1", cursor[:-1], cursor + "A", cursor[1:], cursor * 2, "A" * 1900,
                     "가", cursor.swapcase(), cursor + "=", cursor[:10] + "+" + cursor[11:]):
            with self.subTest(text):
                answer = self.get(f"/v1/marts/mart_instrument/rows?order=sector&limit=5&cursor={quote(text)}")
                self.assert_problem(answer, "bad-cursor", about="cursor")

    def test_a_cursor_of_another_query_is_400(self):
        cursor = self.cursor()
        for target in ("mart_instrument/rows?order=sector.desc", "mart_instrument/rows?", "mart_fx_daily/rows?",
                       "mart_instrument/rows?order=sector&asset_class=eq.stock"):
            join = "" if target.endswith("?") else "&"
            answer = self.get(f"/v1/marts/{target}{join}limit=5&cursor={cursor}")
            self.assert_problem(answer, "cursor-mismatch", about="cursor", allowed="same parameters")

    def test_a_cursor_goes_with_its_own_generation_only(self):
        cursor = self.cursor()
        base = f"/v1/marts/mart_instrument/rows?order=sector&limit=5&cursor={cursor}"
        self.assert_ok(self.get(base + "&generation=1"))
        self.assert_problem(self.get(base + "&generation=2"), "bad-value", about="generation")

    # ---- Generations --------------------------------------------------------------------------------------------

    def test_a_pinned_generation_is_immutable_and_a_future_one_is_400(self):
        answer = self.assert_ok(self.get("/v1/marts/mart_instrument/rows?generation=1&limit=1"))
        self.assertIn("immutable", answer.header("Cache-Control"))
        self.assertNotIn("immutable", self.get("/v1/marts/mart_instrument/rows?limit=1").header("Cache-Control"))
        for value in ("2", "9223372036854775807"):
            self.assert_problem(self.get(f"/v1/marts/mart_instrument/rows?generation={value}"), "bad-value", about="generation")
        for value in ("0", "-1", "x", "", "9223372036854775808"):
            self.assert_problem(self.get(f"/v1/marts/mart_instrument/rows?generation={value}"), "bad-value",
                                about="generation", allowed="integer")

    # ---- The time window ----------------------------------------------------------------------------------------

    def test_from_and_to_are_inclusive(self):
        self.check_filters("quote=eq.KRW&from=2020-01-02&to=2020-01-31",
                           lambda row: row["quote"] == "KRW" and "2020-01-02" <= row["date"] <= "2020-01-31")
        self.check_filters("quote=eq.KRW&from=2026-10-28", lambda row: row["quote"] == "KRW" and row["date"] >= "2026-10-28")
        self.check_filters("quote=eq.KRW&to=1999-01-08", lambda row: row["quote"] == "KRW" and row["date"] <= "1999-01-08")

    def test_last_counts_back_from_the_mart_s_last_date(self):
        # The mart ends on 2026-10-30.
        for last, first in (("1d", "2026-10-30"), ("30d", "2026-10-01"), ("2w", "2026-10-17"), ("1m", "2026-10-01"),
                            ("1y", "2025-10-31"), ("36500d", "1999-01-04")):
            with self.subTest(last):
                self.check_filters(f"quote=eq.USD&last={last}", lambda row, first=first: row["quote"] == "USD" and row["date"] >= first)

    def test_a_bad_window_is_400(self):
        base = "/v1/marts/mart_fx_daily/rows?"
        for query, about in [("from=2020-13-01", "from"), ("from=2020-1-1", "from"), ("to=tomorrow", "to"), ("from=", "from"),
                             ("from=1899-12-31", "from"), ("to=2200-01-01", "to"), ("from=2020-02-30", "from"),
                             ("from=2020-02-01&to=2020-01-31", "to"), ("last=1y&from=2020-01-01", "last"),
                             ("last=0d", "last"), ("last=-1d", "last"), ("last=1q", "last"), ("last=d", "last"),
                             ("last=36501d", "last"), ("last=1", "last"), ("last=", "last"), ("last=99999999999y", "last")]:
            with self.subTest(query):
                problem = self.assert_problem(self.get(base + query), "bad-value", about=about)
                self.assertTrue(problem["errors"][0]["allowed"], problem)
        self.assert_problem(self.get("/v1/marts/mart_instrument/rows?from=2020-01-01"), "bad-value", about="from")

    # ---- Representations ----------------------------------------------------------------------------------------

    def test_csv_and_json_hold_the_same_values(self):
        for mart in ("mart_instrument", "mart_price_daily", "mart_fx_daily", "mart_calendar", "mart_news_article",
                     "mart_economic_indicator", "mart_freshness"):
            with self.subTest(mart):
                target = f"/v1/marts/{mart}/rows?limit=200"
                rows = json.loads(self.get(target).body, parse_float=str, parse_int=str, parse_constant=self.fail)["data"]
                table = self.get(target + "&format=csv").rows
                as_text = [["" if value is None else str(value).lower() if isinstance(value, bool) else value
                            for value in row.values()] for row in rows]
                self.assertEqual(table[0], list(rows[0]))
                self.assertEqual(table[1:], as_text)

    def test_values_are_those_of_the_sample_digit_by_digit(self):
        wanted = [row for row in prices() if row["uid"] == "bond:SIM.CORP5Y"][:50]
        rows = json.loads(self.get("/v1/instruments/bond:SIM.CORP5Y/prices?limit=50").body, parse_float=str, parse_int=str)["data"]
        for row, source in zip(rows, wanted, strict=True):
            for name, text in source.items():
                given = row[name]
                if re.fullmatch(r"-?\d+\.\d+", text):
                    text = text.rstrip("0").rstrip(".")
                self.assertEqual("" if given is None else given, text, (name, row, source))

    def test_formats_are_negotiated(self):
        target = "/v1/marts/mart_instrument/rows?limit=1"
        for accept, media_type in [(None, "application/json"), ("", "application/json"), ("*/*", "application/json"),
                                   ("text/csv", "text/csv"), ("text/*", "text/csv"), ("TEXT/CSV", "text/csv"),
                                   ("application/json;q=0.1, text/csv", "text/csv"),
                                   ("text/csv;q=0.5, application/json;q=0.5", "application/json"),
                                   ("text/csv, */*;q=0.1", "text/csv"), ("application/*;q=0.9, */*;q=0.8", "application/json"),
                                   ("application/json;q=0, */*", "text/csv"), ("image/png, text/csv;q=0.001", "text/csv"),
                                   ("text/csv;header=present", "text/csv"), ("text/html, application/xhtml+xml, */*;q=0.8", "application/json")]:
            with self.subTest(accept):
                headers = {} if accept is None else {"accept": accept}
                answer = self.assert_ok(self.get(target, **headers))
                self.assertEqual(answer.media_type, media_type)
                self.assertIn("Accept", answer.header("Vary"))

    def test_what_cannot_be_had_is_406_with_a_list(self):
        target = "/v1/marts/mart_instrument/rows?limit=1"
        for accept in ("image/png", "text/html", "application/json;q=0", "text/csv;q=0, application/json;q=0.0", "nonsense", "*/*;q=0"):
            with self.subTest(accept):
                answer = self.get(target, accept=accept)
                self.assert_problem(answer, "not-acceptable", about="Accept", allowed="application/json, text/csv")
        self.assert_problem(self.get("/v1/marts", accept="text/csv"), "not-acceptable", allowed="application/json")

    def test_format_goes_before_accept_and_an_unknown_one_is_400(self):
        answer = self.assert_ok(self.get("/v1/marts/mart_instrument/rows?limit=1&format=csv", accept="application/json"))
        self.assertEqual(answer.header("Content-Type"), "text/csv; charset=utf-8; header=present")
        self.assertRegex(answer.header("Content-Disposition"), r'filename="mart_instrument-g1\.csv"')
        self.assert_problem(self.get("/v1/marts/mart_instrument/rows?format=xml"), "bad-value", about="format", allowed="json, csv")
        self.assert_problem(self.get("/v1/marts?format=csv"), "bad-value", about="format", allowed="json")

    # ---- Validators ---------------------------------------------------------------------------------------------

    TARGETS = ("/", "/openapi.yaml", "/docs/problems/bad-value", "/v1/marts", "/v1/marts/mart_fx_daily",
               "/v1/marts/mart_fx_daily/rows?limit=3", "/v1/marts/mart_fx_daily/rows?limit=3&format=csv",
               "/v1/instruments?limit=3", "/v1/instruments/stock:US.AAPL", "/v1/instruments/stock:US.AAPL/prices?limit=3")

    def test_every_get_has_a_strong_tag_and_304_for_it(self):
        for target in self.TARGETS:
            with self.subTest(target):
                first = self.assert_ok(self.get(target))
                tag = first.header("ETag")
                self.assertRegex(tag, r'^"[!#-~]+"$')
                for given in (tag, f'"other", {tag}', f"W/{tag}", "*", f'{tag},"x"'):
                    answer = self.get(target, if_none_match=given)
                    self.assertEqual((answer.status, answer.body), (304, b""), given)
                    self.assertEqual(answer.header("ETag"), tag)
                    self.assertEqual(answer.header("Cache-Control"), first.header("Cache-Control"))
                    self.assertEqual(answer.header("Vary"), first.header("Vary"))
                for given in ('"other"', tag.strip('"'), tag[:-1], "", f'"{tag}"'):
                    again = self.get(target, if_none_match=given)
                    self.assertEqual((again.status, again.body, again.header("ETag")), (200, first.body, tag), given)

    def test_tags_differ_by_representation_query_and_page(self):
        page = self.get("/v1/marts/mart_fx_daily/rows?limit=3")
        tags = [self.get(target).header("ETag") for target in
                ("/v1/marts/mart_fx_daily/rows?limit=3", "/v1/marts/mart_fx_daily/rows?limit=4", "/v1/marts/mart_fx_daily/rows?limit=3&format=csv",
                 "/v1/marts/mart_fx_daily/rows?limit=3&select=date", "/v1/marts/mart_fx_daily/rows?limit=3&order=date",
                 "/v1/marts/mart_fx_daily/rows?limit=3&quote=eq.KRW", page.json["links"]["next"])]
        self.assertEqual(len(set(tags)), len(tags))

    def test_accept_and_format_give_the_same_bytes(self):
        by_header = self.get("/v1/marts/mart_fx_daily/rows?limit=3", accept="text/csv")
        by_name = self.get("/v1/marts/mart_fx_daily/rows?limit=3&format=csv")
        self.assertEqual(by_header.body, by_name.body)

    def test_the_same_request_gives_the_same_bytes(self):
        for target in self.TARGETS:
            with self.subTest(target):
                self.assertEqual(self.get(target).body, self.get(target).body)

    # ---- Methods ------------------------------------------------------------------------------------------------

    def test_head_gives_the_headers_of_get(self):
        own = {"date", "x-request-id", "server-timing", "connection"}
        missing = ("/v1/marts/mart_nothing", "/v1/instruments/stock:US.NONE", "/v1/marts/mart_fx_daily/rows?limit=0", "/nothing")
        for target in self.TARGETS + missing:
            with self.subTest(target):
                get, head = self.get(target), self.server.head(target)
                self.assertEqual((head.status, head.body), (get.status, b""))
                kept = [[(key.lower(), value) for key, value in one.headers if key.lower() not in own] for one in (get, head)]
                if get.status == 200:
                    self.assertEqual(sorted(kept[0]), sorted(kept[1]))
                else:  # a problem's text holds the request's id
                    self.assertEqual(sorted(dict(kept[0])), sorted(dict(kept[1])))

    def test_head_is_conditional_too(self):
        tag = self.server.head("/v1/marts/mart_fx_daily/rows?limit=3").header("ETag")
        self.assertEqual(self.server.head("/v1/marts/mart_fx_daily/rows?limit=3", if_none_match=tag).status, 304)

    def test_options_lists_methods(self):
        for target in ("/v1/marts", "/v1/marts/mart_fx_daily/rows", "/v1/instruments/x/prices", "/"):
            answer = self.server.data.options(target)
            self.assertEqual((answer.status, answer.body, answer.header("Allow")), (204, b"", "GET, HEAD, OPTIONS"))
        self.assertEqual(self.server.data.options("/v1/backtests:batch").header("Allow"), "POST, OPTIONS")
        self.assert_problem(self.server.data.options("/v1/nothing"), "not-found")

    def test_other_methods_are_405_with_allow(self):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            for target, allow in (("/v1/marts", "GET, HEAD, OPTIONS"), ("/v1/instruments/stock:US.AAPL", "GET, HEAD, OPTIONS")):
                answer = self.server.data.request(method, target)
                self.assert_problem(answer, "method-not-allowed", allowed=allow)
                self.assertEqual(answer.header("Allow"), allow)
        self.assertEqual(self.get("/v1/backtests:batch").header("Allow"), "POST, OPTIONS")
        self.assert_problem(self.get("/v1/backtests:batch"), "method-not-allowed")

    # ---- Addresses ----------------------------------------------------------------------------------------------

    def test_an_unknown_address_is_404_with_the_nearest_one(self):
        self.assert_problem(self.get("/v1/mart"), "not-found", suggestion="/v1/marts")
        self.assert_problem(self.get("/v1/instrumnets"), "not-found", suggestion="/v1/instruments")
        self.assert_problem(self.get("/v1/instruments/"), "not-found", suggestion="/v1/instruments")
        self.assert_problem(self.get("/v1/marts/mart_fx_daily/row"), "not-found", suggestion="/v1/marts/mart_fx_daily/rows")
        self.assert_problem(self.get("/docs/problems/bad-valu"), "not-found", suggestion="bad-value")
        for target in ("/v2/marts", "/v1", "/v1/", "/v1/marts/", "/v1/marts/mart_fx_daily/rows/x/y", "/favicon.ico", "/metrics", "/readyz",
                       "/V1/marts", "/v1/m%61rts"):
            with self.subTest(target):
                self.assert_problem(self.get(target), "not-found")

    def test_odd_paths_are_refused_or_not_found_and_never_break(self):
        for target in ("/v1/marts/..", "/v1/marts/%2e%2e/x", "/v1//marts", "/v1/marts/a%2Fb", "/v1/marts/%00", "/v1/marts/%ff",
                       "/v1/marts/%zz", "/v1/marts/%", "//", "/%5c", "/v1/marts/" + "a" * 1100):
            with self.subTest(target):
                answer = self.get(target)
                self.assertIn(answer.status, (400, 404), answer)
                self.assertEqual(answer.header("Content-Type"), "application/problem+json")

    # ---- Parameters ---------------------------------------------------------------------------------------------

    def test_unknown_parameters_are_400_with_the_nearest_name(self):
        for target, about, suggestion in [
                ("/v1/marts?fromat=json", "fromat", "format"), ("/v1/marts/mart_fx_daily?formt=json", "formt", "format"),
                ("/v1/instruments?curency=USD", "curency", "currency"), ("/v1/instruments/stock:US.AAPL?slect=uid", "slect", "select"),
                ("/v1/instruments/stock:US.AAPL/prices?form=2020-01-01", "form", None),
                ("/v1/instruments?uid=eq.x", "uid", None), ("/?x=1", "x", None), ("/openapi.yaml?x=1", "x", None)]:
            with self.subTest(target):
                problem = self.assert_problem(self.get(target), "unknown-parameter", about=about, suggestion=suggestion)
                self.assertTrue(problem["errors"][0]["allowed"])

    def test_repeated_parameters_are_400(self):
        for target, about in [("/v1/instruments?q=a&q=b", "q"), ("/v1/marts/mart_fx_daily/rows?limit=1&limit=1", "limit"),
                              ("/v1/instruments/stock:US.AAPL/prices?from=2020-01-01&from=2020-01-01", "from"),
                              ("/v1/marts?format=json&format=json", "format")]:
            self.assert_problem(self.get(target), "repeated-parameter", about=about)

    def test_a_malformed_query_string_is_400(self):
        for query in ("%zz=1", "a=%", "q=%ff%fe", "q=%00", "q=a%0ab", "=1", "q=%e3%81", "%ff=1"):
            with self.subTest(query):
                self.assert_problem(self.get(f"/v1/instruments?{query}"), "bad-request")

    def test_plus_and_percent_20_are_spaces(self):
        for text in ("Apple+Inc.", "Apple%20Inc."):
            self.assertEqual([row["uid"] for row in self.data(f"/v1/instruments?q={text}")], ["stock:US.AAPL"])

    # ---- Instruments --------------------------------------------------------------------------------------------

    def instruments(self, query):
        return sorted(row["uid"] for row in self.data(f"/v1/instruments?{query}"))

    def test_instruments_are_found_by_text_in_any_case(self):
        rows = rows_of("instruments.csv")
        for text in ("apple", "APPLE", "aapl", "us.", "sim ", "s&p", "애플", "500", "krx.9"):
            with self.subTest(text):
                expected = sorted(row["uid"] for row in rows if any(
                    text.lower() in row[name].lower() for name in ("uid", "symbol", "name", "name_local")))
                self.assertTrue(expected)
                self.assertEqual(self.instruments("q=" + quote(text)), expected)

    def test_search_text_is_taken_literally(self):
        for text in ("%", "_", "a%e", "\\", "*", "[a]", "'"):
            with self.subTest(text):
                expected = sorted(row["uid"] for row in rows_of("instruments.csv") if any(
                    text.lower() in row[name].lower() for name in ("uid", "symbol", "name", "name_local")))
                self.assertEqual(self.instruments("q=" + quote(text)), expected)

    def test_search_text_is_1_to_64_bytes(self):
        for text in ("", "a" * 65, "가" * 22):
            self.assert_problem(self.get("/v1/instruments?q=" + quote(text)), "bad-value", about="q", allowed="64 bytes")
        self.assert_ok(self.get("/v1/instruments?q=" + "a" * 64))

    def test_instruments_are_filtered_by_class_market_currency_and_activity(self):
        rows = rows_of("instruments.csv")
        for query, holds in [("asset_class=stock", lambda row: row["asset_class"] == "stock"),
                             ("market=XKRX", lambda row: row["market"] == "XKRX"), ("currency=KRW", lambda row: row["currency"] == "KRW"),
                             ("active=false", lambda row: row["is_active"] == "false"),
                             ("active=true&asset_class=etf&currency=KRW",
                              lambda row: row["asset_class"] == "etf" and row["currency"] == "KRW" and row["is_active"] == "true"),
                             ("q=sim&asset_class=coin&market=24_7", lambda row: row["asset_class"] == "coin"),
                             ("country=KR&sector=Financials",
                              lambda row: row["country"] == "KR" and row["sector"] == "Financials"),
                             ("asset_class=coin&market=XKRX", lambda row: False)]:
            with self.subTest(query):
                self.assertEqual(self.instruments(query), sorted(row["uid"] for row in rows if holds(row)))
        for name, value, nearest in (("asset_class", "stok", "stock"), ("market", "XKRK", "XKRX"), ("currency", "UDS", "USD"),
                                     ("country", "UZ", "US"), ("sector", "Financial", "Financials")):
            self.assert_problem(self.get(f"/v1/instruments?{name}={value}"), "bad-value", about=name, value=value,
                                suggestion=nearest, allowed=nearest)
        for value in ("1", "yes", "", "TRUE"):
            self.assert_problem(self.get(f"/v1/instruments?active={value}"), "bad-value", about="active", allowed="true or false")

    def test_instruments_page_select_and_order_like_rows(self):
        seen = self.walked("/v1/instruments?q=s&select=uid,name&order=name.desc&limit=7")
        self.assertEqual([row["name"] for row in seen], sorted((row["name"] for row in seen), reverse=True))
        self.assertEqual(len(seen), len(self.instruments("q=s")))
        self.assertEqual(self.get("/v1/instruments?select=uid&limit=2&format=csv").rows[0], ["uid"])

    def test_an_instrument_has_its_coverage(self):
        for uid in ("stock:US.AAPL", "coin:SIMBTCUSDT", "stock:KRX.900060", "index:SPX"):
            dates = [row["date"] for row in prices() if row["uid"] == uid]
            with self.subTest(uid):
                document = self.assert_ok(self.get(f"/v1/instruments/{uid}")).json
                one = document["data"]
                self.assertEqual((one["uid"], one["first_date"], one["last_date"], one["n_rows"]),
                                 (uid, min(dates), max(dates), len(dates)))
                self.assertEqual(document["links"]["describedby"], "/v1/marts/mart_instrument")
                self.assertNotIn("next", document["links"])
        delisted = self.data("/v1/instruments/stock:KRX.900060")
        self.assertEqual((delisted["is_active"], delisted["delisted_on"], delisted["delisting_return"]), (False, "2018-09-14", -0.3))

    def test_an_instrument_comes_as_csv_and_with_chosen_columns(self):
        self.assertEqual(self.data("/v1/instruments/stock:US.AAPL?select=name,uid"), {"name": "Apple Inc.", "uid": "stock:US.AAPL"})
        table = self.get("/v1/instruments/stock:KRX.000910?select=symbol,name_local&format=csv").rows
        self.assertEqual(table, [["symbol", "name_local"], ["000910", "모의가람세미콘"]])

    def test_a_uid_may_be_percent_encoded(self):
        self.assertEqual(self.data("/v1/instruments/stock%3AUS%2EAAPL")["uid"], "stock:US.AAPL")

    def test_an_unknown_instrument_is_404_with_the_nearest_uid(self):
        for uid, nearest in (("stock:US.APPL", "stock:US.AAPL"), ("index:SPY", "index:SPX"), ("stock:us.jpm", "stock:US.JPM")):
            for target in (f"/v1/instruments/{uid}", f"/v1/instruments/{uid}/prices", f"/v1/instruments/{uid}?format=csv"):
                with self.subTest(target):
                    self.assert_problem(self.get(target), "unknown-instrument", about="uid", suggestion=nearest, allowed="/v1/instruments")

    # ---- Prices -------------------------------------------------------------------------------------------------

    def test_prices_of_an_instrument_are_those_of_the_sample(self):
        expected = [row["date"] for row in prices() if row["uid"] == "index:SPX"]
        rows = self.data("/v1/instruments/index:SPX/prices?select=uid,date,close&limit=50000")
        self.assertEqual([row["date"] for row in rows], sorted(expected))
        self.assertEqual({row["uid"] for row in rows}, {"index:SPX"})

    def test_prices_take_windows_orders_and_pages(self):
        dates = sorted(row["date"] for row in prices() if row["uid"] == "stock:US.JPM")
        inside = [date for date in dates if "2008-09-01" <= date <= "2008-10-31"]
        target = "/v1/instruments/stock:US.JPM/prices?from=2008-09-01&to=2008-10-31&select=date"
        self.assertEqual([row["date"] for row in self.data(target)], inside)
        self.assertEqual([row["date"] for row in self.data(target + "&order=date.desc")], inside[::-1])
        self.assertEqual([row["date"] for row in self.walked(target + "&limit=7")], inside)
        self.assertEqual([row[0] for row in self.get(target + "&format=csv").rows[1:]], inside)

    def test_a_window_without_prices_is_an_empty_list(self):
        page = self.assert_ok(self.get("/v1/instruments/stock:US.AAPL/prices?from=1950-01-01&to=1950-12-31")).json
        self.assertEqual((page["data"], page["links"]["next"]), ([], None))

    def test_prices_take_no_filters_of_columns(self):
        self.assert_problem(self.get("/v1/instruments/stock:US.AAPL/prices?close=gt.5"), "unknown-parameter", about="close")

    # ---- Warnings -----------------------------------------------------------------------------------------------

    def warnings(self, target):
        return [warning["code"] for warning in self.assert_ok(self.get(target)).json["meta"]["warnings"]]

    def test_simulated_and_survivor_biased_rows_come_with_warnings(self):
        for target, codes in [("/v1/instruments/coin:SIMBTCUSDT/prices?limit=5", ["simulated_data"]),
                              ("/v1/instruments/coin:SIMBTCUSDT", ["simulated_data"]),
                              ("/v1/instruments/stock:US.AAPL/prices?limit=5", ["survivorship"]),
                              ("/v1/instruments/stock:US.AAPL", ["survivorship"]),
                              ("/v1/instruments/index:SPX/prices?limit=5", []),
                              ("/v1/marts/mart_fx_daily/rows?limit=5", []),
                              ("/v1/marts/mart_news_article/rows?limit=5", ["simulated_data"]),
                              ("/v1/marts/mart_instrument/rows", ["simulated_data", "survivorship"])]:
            with self.subTest(target):
                self.assertEqual(self.warnings(target), codes)

    def test_warnings_do_not_depend_on_the_columns_shown(self):
        target = "/v1/marts/mart_price_daily/rows?uid=in.(coin:SIMETHUSDT,stock:US.JPM)&limit=50000&select="
        for columns in ("date", "source", "quality", "date,adj_close"):
            answer = self.assert_ok(self.get(target + columns)).json
            self.assertEqual([warning["code"] for warning in answer["meta"]["warnings"]], ["simulated_data", "survivorship"])
            self.assertEqual(list(answer["data"][0]), columns.split(","))
            table = self.assert_ok(self.get(target + columns + "&format=csv"))
            self.assertEqual(table.header("Data-Warnings"), "simulated_data, survivorship")
        self.assertIsNone(self.assert_ok(self.get("/v1/marts/mart_fx_daily/rows?limit=2&format=csv")).header("Data-Warnings"))

    def test_a_warning_is_a_sentence(self):
        for warning in self.get("/v1/marts/mart_instrument/rows").json["meta"]["warnings"]:
            self.assertRegex(warning["detail"], r"^[A-Z].+\.$")

    # ---- Hostile text -------------------------------------------------------------------------------------------

    def test_hostile_text_is_data_wherever_it_stands(self):
        before = self.data("/v1/marts")
        for text in SPICE:
            given = quote(text)
            for target in (f"/v1/marts/mart_instrument/rows?uid=eq.{given}", f"/v1/marts/mart_instrument/rows?uid=neq.{given}&limit=1",
                           f"/v1/marts/mart_instrument/rows?name=gt.{given}&limit=1", f"/v1/marts/mart_instrument/rows?uid=in.({given})",
                           f'/v1/marts/mart_instrument/rows?uid=in.("{quote(text.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34)))}")',
                           f"/v1/marts/mart_price_daily/rows?close=gt.{given}", f"/v1/marts/mart_price_daily/rows?date=eq.{given}",
                           f"/v1/marts/mart_instrument/rows?select={given}", f"/v1/marts/mart_instrument/rows?order={given}",
                           f"/v1/marts/mart_instrument/rows?{given}=eq.1", f"/v1/marts/mart_instrument/rows?cursor={given}",
                           f"/v1/marts/mart_instrument/rows?uid=is.{given}", f"/v1/marts/{given}/rows", f"/v1/instruments/{given}",
                           f"/v1/instruments/{given}/prices", f"/v1/instruments?q={given}", f"/v1/instruments?asset_class={given}",
                           f"/v1/instruments?format={given}", f"/v1/backtests/{given}"):
                with self.subTest(target):
                    answer = self.get(target)
                    self.assertIn(answer.status, (200, 400, 404), answer)
                    if answer.status != 200:
                        self.assertEqual(answer.header("Content-Type"), "application/problem+json")
                        json.loads(answer.body)
        self.assertEqual(self.data("/v1/marts"), before)


class Publishing(Case):
    """What changes while the server runs."""

    def publish(self, dataset, **settings):
        output = self.backend.load(dataset.folder, **settings)
        generation = int(self.assert_one(r"generation (\d+)", output))
        self.server.wait_until(lambda: self.get("/v1/marts").json["meta"]["generation"] == generation, "the new generation")
        return generation

    def edited(self, path, edit, dataset=None):
        dataset = dataset or Dataset.copy_of_mart(path)
        dataset.change(path, edit)
        return dataset

    def test_a_publish_in_the_middle_of_a_walk_does_not_disturb_it(self):
        target = "/v1/marts/mart_fx_daily/rows?quote=in.(KRW,USD,JPY)&order=rate.desc&select=quote,date,rate&limit=1000"
        before = self.walked(target)
        generation = self.get(target).json["meta"]["generation"]

        # Every rate changes and hundreds of days are added: without pinning, pages would repeat and skip rows.
        def edit(text):
            header, *lines = text.splitlines()
            changed = [re.sub(r"^(\w+,\w+,[\d-]+,)([\d.]+)", r"\g<1>9\2", line) for line in lines]
            added = [line.replace("1999-", "1998-") for line in changed if ",1999-" in line]
            return "\n".join([header] + changed + added) + "\n"

        dataset = self.edited("fx_ecb.csv.gz", edit)
        failures, pages = [], []

        def load():
            try:
                self.backend.load(dataset.folder)
            except AssertionError as error:
                failures.append(error)

        loader = threading.Thread(target=load)

        def between(page):
            pages.append(page)
            if len(pages) == 1:
                loader.start()
            if len(pages) == 8:
                loader.join()  # the rest of the walk comes after the publish

        rows = self.walked(target, between)
        self.assertGreater(len(pages), 12)
        self.assertEqual(failures, [])
        self.assertEqual({page["meta"]["generation"] for page in pages}, {generation})
        self.assertEqual(rows, before)
        self.server.wait_until(lambda: self.get(target).json["meta"]["generation"] > generation, "the new generation")
        after = self.walked(target)
        self.assertGreater(len(after), len(before) + 500)
        self.assertEqual(self.walked(target + f"&generation={generation}"), before)

    def test_a_publish_changes_the_tags_of_what_it_changed(self):
        untouched = ("/v1/marts/mart_price_daily/rows?limit=3", "/v1/instruments/stock:US.AAPL/prices?limit=3",
                     "/v1/marts/mart_economic_indicator/rows?limit=3")
        touched = ("/v1/marts/mart_news_article/rows?limit=3&order=article_id", "/v1/marts", "/v1/marts/mart_news_article")
        generation = self.get("/v1/marts").json["meta"]["generation"]
        pinned = tuple(f"{target}&generation={generation}" for target in untouched + touched[:1])
        before = {target: self.assert_ok(self.get(target)) for target in untouched + touched + pinned}
        self.publish(self.edited("news_simulated.csv.gz", lambda text: text.replace("[Simulated]", "[Made up]"), Dataset.copy_of_sample()))
        for target in touched:
            with self.subTest(target):
                answer = self.get(target, if_none_match=before[target].header("ETag"))
                self.assertEqual(answer.status, 200)
                self.assertNotEqual(answer.header("ETag"), before[target].header("ETag"))
        for target in untouched:
            with self.subTest(target):
                answer = self.get(target)
                self.assertEqual((answer.header("ETag"), answer.body), (before[target].header("ETag"), before[target].body))
                self.assertEqual(self.get(target, if_none_match=before[target].header("ETag")).status, 304)
        for target in pinned:
            with self.subTest(target):
                answer = self.get(target)
                self.assertEqual((answer.header("ETag"), answer.body), (before[target].header("ETag"), before[target].body))
                self.assertEqual(self.get(target, if_none_match=before[target].header("ETag")).status, 304)

    def added_mart(self, name, statements):
        """A mart made by plain SQL, once it is served; dropped when the test ends."""
        self.backend.sql(statements)
        self.addCleanup(self.backend.sql, f"DROP TABLE {name};")
        self.server.wait_until(lambda: self.get(f"/v1/marts/{name}").status == 200, "the new mart", 3)

    def test_dates_without_an_end_and_odd_numbers_can_be_paged_over(self):
        self.added_mart("mart_test_odd", """
            CREATE TABLE mart_test_odd (k INTEGER NOT NULL PRIMARY KEY, valid_to DATE, at TIMESTAMP, ratio DOUBLE PRECISION, flag BOOLEAN);
            INSERT INTO mart_test_odd VALUES (1, '9999-12-31', '9999-12-31 00:00:00', 1e300, true), (2, '1066-10-14', '1066-10-14 09:00:00', -1e-320, false),
                (3, '2020-01-01', '2020-01-01 10:00:00.5', 0.1, NULL), (4, NULL, NULL, NULL, true), (5, '9999-12-31', '9999-12-31 00:00:00', 0.1, false);""")
        for order in ("valid_to", "valid_to.desc", "at", "at.desc", "ratio", "ratio.desc", "flag", "flag.desc"):
            with self.subTest(order):
                rows = self.walked(f"/v1/marts/mart_test_odd/rows?order={order}&limit=1")
                self.assertEqual(sorted(row["k"] for row in rows), [1, 2, 3, 4, 5])
                whole = self.data(f"/v1/marts/mart_test_odd/rows?order={order}")
                self.assertEqual(rows, whole)

    def test_the_same_data_again_makes_no_generation(self):
        folder = Dataset.copy_of_sample().folder
        self.publish(Dataset(folder))
        before = self.get("/v1/marts")
        output = self.backend.load(folder)
        self.assertIn("already holds them", output)
        after = self.get("/v1/marts", if_none_match=before.header("ETag"))
        self.assertEqual(after.status, 304)

    def test_a_generation_that_is_no_longer_kept_is_410(self):
        page = self.assert_ok(self.get("/v1/marts/mart_news_article/rows?limit=10")).json
        generation = page["meta"]["generation"]
        dataset = Dataset.copy_of_mart("news_simulated.csv.gz")
        for i in range(2):
            dataset.change("news_simulated.csv.gz", lambda text, i=i: re.sub(r"\[[^\]]*\]", f"[Round {i}]", text))
            self.publish(dataset, generations_kept=1)
        self.assert_problem(self.get(page["links"]["next"]), "generation-retired", allowed=" to ")
        self.assert_problem(self.get(f"/v1/marts/mart_news_article/rows?generation={generation}"), "generation-retired",
                            about="generation")
        # What those publishes did not change is still what it was at that generation.
        for target in ("/v1/instruments?", "/v1/instruments/index:SPX?", "/v1/instruments/index:SPX/prices?"):
            pinned = self.assert_ok(self.get(f"{target}generation={generation}")).json
            self.assertEqual(pinned["data"], self.get(target[:-1]).json["data"])
        document = self.get("/v1/marts").json["meta"]
        self.assertEqual(document["generation"], document["oldest_generation"])

    def test_a_pinned_generation_keeps_its_dates_when_later_days_are_published(self):
        base = "/v1/marts/mart_fx_daily/rows?quote=in.(USD,KRW)&order=date&limit=7"
        generation = self.get("/v1/marts").json["meta"]["generation"]
        pinned = (f"{base}&generation={generation}", f"{base}&last=30d&generation={generation}")
        before = {target: self.assert_ok(self.get(target)) for target in pinned}
        whole = self.walked(f"{base}&last=30d")
        first = self.get(f"{base}&last=30d").json

        def edit(text):
            lines = text.splitlines()
            return "\n".join(lines + [line.replace("2026-10-30", "2026-11-20") for line in lines if ",2026-10-30," in line]) + "\n"

        self.publish(self.edited("fx_ecb.csv.gz", edit))
        self.assertEqual(self.get(base).json["meta"]["as_of"], "2026-11-20")
        for target in pinned:
            with self.subTest(target):
                answer = self.get(target)
                self.assertEqual(answer.json["data"], before[target].json["data"])
                self.assertEqual((answer.header("ETag"), answer.body), (before[target].header("ETag"), before[target].body))
        with self.subTest("a walk over the last days goes on"):
            self.assertEqual(first["data"] + self.walked(first["links"]["next"]), whole)

    def test_a_mart_added_by_plain_sql_is_served_without_a_restart(self):
        self.assert_problem(self.get("/v1/marts/mart_test_added/rows"), "unknown-mart")
        self.backend.sql("""
            CREATE TABLE mart_test_added (code TEXT NOT NULL PRIMARY KEY, label TEXT, amount DOUBLE PRECISION, n BIGINT, day DATE);
            INSERT INTO mart_test_added VALUES ('005930', '삼성, "전자"', 1.5, 9007199254740993, '2024-02-29'), ('000660', NULL, NULL, -1, NULL),
                ('b', '', 1e-7, 0, '1999-12-31');""")
        self.server.wait_until(lambda: self.get("/v1/marts/mart_test_added").status == 200, "the new mart", 3)
        mart = self.data("/v1/marts/mart_test_added")
        self.assertEqual((mart["is_managed"], mart["generation"], mart["key"]), (False, None, ["code"]))
        types = {column["name"]: column["json_type"] for column in mart["columns"]}
        self.assertEqual(types, {"code": "string", "label": "string", "amount": "number", "n": "integer", "day": "string"})
        answer = self.assert_ok(self.get("/v1/marts/mart_test_added/rows"))
        self.assertEqual(answer.json["data"], [
            {"code": "000660", "label": None, "amount": None, "n": -1, "day": None},
            {"code": "005930", "label": '삼성, "전자"', "amount": 1.5, "n": 9007199254740993, "day": "2024-02-29"},
            {"code": "b", "label": "", "amount": 1e-7, "n": 0, "day": "1999-12-31"}])
        self.assertEqual([one["code"] for one in answer.json["meta"]["warnings"]], ["unmanaged_mart"])
        self.assertEqual(self.get("/v1/marts/mart_test_added/rows?select=code,label&format=csv").body.decode(),
                         'code,label\r\n000660,\r\n005930,"삼성, ""전자"""\r\nb,""\r\n')
        for order in ("", "&order=amount", "&order=label.desc", "&order=n.desc,day"):
            walked = self.walked(f"/v1/marts/mart_test_added/rows?limit=1{order}")
            self.assertEqual(sorted(row["code"] for row in walked), ["000660", "005930", "b"])
        self.assertEqual([row["code"] for row in self.data("/v1/marts/mart_test_added/rows?day=gte.2000-01-01")], ["005930"])
        tag = answer.header("ETag")
        self.assertEqual(self.get("/v1/marts/mart_test_added/rows", if_none_match=tag).status, 304)
        self.backend.sql("UPDATE mart_test_added SET n = 7 WHERE code = 'b';")
        self.assertEqual(self.get("/v1/marts/mart_test_added/rows", if_none_match=tag).status, 200)
        self.backend.sql("DROP TABLE mart_test_added;")
        self.server.wait_until(lambda: self.get("/v1/marts/mart_test_added").status == 404, "the mart to go", 3)
        self.assertEqual(self.get("/v1/marts/mart_test_added/rows").status, 404)

    def test_a_view_and_a_table_with_odd_names_are_served(self):
        self.backend.sql('CREATE TABLE "mart_test odd" ("a b" INTEGER, "select" TEXT, "quo""te" TEXT);'
                         'INSERT INTO "mart_test odd" VALUES (1, \'x\', \'y\'), (1, \'x\', \'z\'), (NULL, NULL, NULL);'
                         'CREATE VIEW mart_test_view AS SELECT "a b" AS n FROM "mart_test odd";')
        self.server.wait_until(lambda: self.get("/v1/marts/mart_test_view").status == 200, "the new view", 3)
        self.assertEqual(sorted(self.data("/v1/marts/mart_test_view/rows"), key=str), [{"n": 1}, {"n": 1}, {"n": None}])
        rows = self.walked("/v1/marts/mart_test%20odd/rows?limit=1")
        self.assertEqual(len(rows), 3)
        self.assertEqual(list(rows[0]), ["a b", "select", 'quo"te'])
        self.assertEqual(len(self.data("/v1/marts/mart_test%20odd/rows?a+b=eq.1&quo%22te=eq.z")), 1)
        self.backend.sql('DROP VIEW mart_test_view; DROP TABLE "mart_test odd";')


class SmallData(Case):
    """Values that the sample does not have, published from a small data set of our own."""

    with_sample = False
    TEXTS = ['plain', 'with "quotes"', "comma, semicolon; tab\there", "line\nbreak", "carriage\r\nreturn", "가나다 한글 😀",
             "", None, " leading and trailing ", "005930", "=1+1", "-1", "'", "\\", "null", "NULL", "ends with quote\"", ",", "\n"]
    DECIMALS = ["12345678901234567890123456789012345678", "0.1234567890123456789012345678901234567", "1234567890123456789.0123456789012345678",
                "-99999999999999999999999999999999999999", "0.1", "100", "-0.5", "0.0000000000000000000000000000000000001", "0",
                "9007199254740993", "1.10"]

    @classmethod
    def prepare(cls):
        instruments = [{"uid": "stock:T.1", "asset_class": "stock", "symbol": "005930", "name": "One", "name_local": "하나",
                        "market": "XKRX", "country": "KR", "currency": "KRW", "source": "test", "quote_unit": "price",
                        "price_basis": "raw", "is_active": "true", "is_survivor_biased": "false"}]
        bars = [{"uid": "stock:T.1", "date": f"2020-01-{i + 1:02}", "close": value, "adj_close": "1", "currency": "KRW",
                 "source": "test", "quality": "0", "known_at": f"2020-01-{i + 1:02}T06:30:00Z"}
                for i, value in enumerate(cls.DECIMALS)]
        news = [{"article_id": str(i + 1), "pub_date": "2020-01-01T00:00:00Z", "pub_day": "2020-01-01", "headline": f"H{i}",
                 "abstract": text, "source": "test"} for i, text in enumerate(cls.TEXTS)]
        cls.backend.load(Dataset.of(mart_instrument=instruments, mart_price_daily=bars, mart_news_article=news).folder)

    def test_text_survives_the_trip_through_csv(self):
        answer = self.assert_ok(self.get("/v1/marts/mart_news_article/rows?select=article_id,abstract&format=csv"))
        self.assertEqual([row[1] for row in answer.rows[1:]], [text if text is not None else "" for text in self.TEXTS])
        self.assertIn(b'\r\n7,""\r\n8,\r\n', answer.body)  # the empty string, then NULL

    def test_text_survives_the_trip_through_json(self):
        rows = self.data("/v1/marts/mart_news_article/rows?select=abstract")
        self.assertEqual([row["abstract"] for row in rows], self.TEXTS)

    def test_text_of_every_kind_can_be_paged_over(self):
        for order in ("abstract", "abstract.desc"):
            seen = self.walked(f"/v1/marts/mart_news_article/rows?select=article_id,abstract&order={order}&limit=1")
            self.assertEqual(sorted(row["article_id"] for row in seen), list(range(1, len(self.TEXTS) + 1)))
            texts = [row["abstract"] for row in seen if row["abstract"] is not None]
            self.assertEqual(texts, sorted(texts, reverse=order.endswith("desc")))

    def test_decimals_keep_all_their_digits(self):
        rows = json.loads(self.get("/v1/instruments/stock:T.1/prices").body, parse_float=str, parse_int=str)["data"]
        expected = ["1.1" if value == "1.10" else value for value in self.DECIMALS]
        self.assertEqual([row["close"] for row in rows], expected)
        table = self.get("/v1/instruments/stock:T.1/prices?select=close&format=csv").rows[1:]
        self.assertEqual([row[0] for row in table], expected)

    def test_decimals_are_compared_exactly(self):
        near = "12345678901234567890123456789012345677"
        self.assertEqual(len(self.data(f"/v1/marts/mart_price_daily/rows?close=gt.{near}")), 1)
        self.assertEqual(len(self.data(f"/v1/marts/mart_price_daily/rows?close=gt.{self.DECIMALS[0]}")), 0)
        self.assertEqual(len(self.data(f"/v1/marts/mart_price_daily/rows?close=eq.{self.DECIMALS[0]}")), 1)
        self.assertEqual(len(self.data("/v1/marts/mart_price_daily/rows?close=in.(0.10,1.1000)")), 2)

    def test_decimals_are_ordered_by_value_and_can_be_paged_over(self):
        for order in ("close", "close.desc"):
            seen = [row["date"] for row in self.walked(f"/v1/marts/mart_price_daily/rows?select=date&order={order}&limit=1")]
            by_value = sorted(range(len(self.DECIMALS)), key=lambda i: decimal.Decimal(self.DECIMALS[i]),
                              reverse=order.endswith("desc"))
            self.assertEqual(seen, [f"2020-01-{i + 1:02}" for i in by_value])

    def test_symbols_keep_their_leading_zeros(self):
        self.assertEqual(self.data("/v1/instruments/stock:T.1")["symbol"], "005930")
        self.assertEqual(self.get("/v1/instruments/stock:T.1?select=symbol&format=csv").body, b"symbol\r\n005930\r\n")


class EmptyStore(Case):
    """A database without any data."""

    with_sample = False

    def test_an_empty_store_answers_empty_lists(self):
        self.assertEqual(self.server.ops.get("/readyz").status, 200)
        document = self.assert_ok(self.get("/v1/marts")).json
        self.assertEqual(document["meta"], {"generation": 0, "oldest_generation": 0})
        for mart in document["data"]:
            with self.subTest(mart["name"]):
                page = self.assert_ok(self.get(mart["links"]["rows"])).json
                self.assertEqual((page["data"], page["links"]["next"]), ([], None))
        self.assertEqual(self.data("/v1/instruments"), [])
        self.assert_problem(self.get("/v1/instruments/stock:US.AAPL"), "unknown-instrument")
        answer = self.server.post("/v1/backtests", {"assets": [{"uid": "stock:US.AAPL"}]})
        self.assertIn("cmmc load", self.assert_problem(answer, "no-data")["detail"])


class ReadingOnSqlite(Reading, unittest.TestCase):
    backend_type = Sqlite


class ReadingOnPostgresql(Reading, unittest.TestCase):
    backend_type = Postgresql


class PublishingOnSqlite(Publishing, unittest.TestCase):
    backend_type = Sqlite

    def test_values_that_are_not_of_their_column_s_type_break_neither_document_nor_walk(self):
        # SQLite keeps whatever it is given, so a mart of somebody else's may hold text where numbers should be.
        self.added_mart("mart_test_loose", """
            CREATE TABLE mart_test_loose (k INTEGER NOT NULL PRIMARY KEY, i INTEGER, r REAL, d DECIMAL(9, 2), b BOOLEAN, day DATE, x BLOB);
            INSERT INTO mart_test_loose VALUES (1, 'abc1', 'r1', '1,2', 'maybe1', 'someday1', x'fffe31'), (2, '1,"z":2', 9e999, '1e5', 2, 20200101, x'41'),
                (3, 1.5, -9e999, 'NaN', -1, '2020-01-01', NULL), (4, NULL, NULL, NULL, NULL, NULL, 'text');""")
        answer = self.assert_ok(self.get("/v1/marts/mart_test_loose/rows"))
        with self.subTest("JSON"):
            self.assertEqual([sorted(row) for row in answer.json["data"]], [["b", "d", "day", "i", "k", "r", "x"]] * 4)
        with self.subTest("CSV"):
            self.assertEqual([row[0] for row in self.get("/v1/marts/mart_test_loose/rows?format=csv").rows[1:]], ["1", "2", "3", "4"])
        for order in ("i", "r", "r.desc", "d", "b", "b.desc", "day", "x"):
            with self.subTest(order=order):
                # The walk may be refused with a problem, but neither go round in circles nor end early.
                seen, target, status = [], f"/v1/marts/mart_test_loose/rows?select=k&order={order}&limit=1", 200
                while target and status == 200 and len(seen) < 6:
                    answer = self.get(target)
                    status = answer.status
                    if status == 200:
                        seen += [row["k"] for row in answer.json["data"]]
                        target = answer.json["links"]["next"]
                    else:
                        self.assertEqual(answer.header("Content-Type"), "application/problem+json")
                if status == 200:
                    self.assertEqual(sorted(seen), [1, 2, 3, 4])


class PublishingOnPostgresql(Publishing, unittest.TestCase):
    backend_type = Postgresql


class SmallDataOnSqlite(SmallData, unittest.TestCase):
    backend_type = Sqlite


class SmallDataOnPostgresql(SmallData, unittest.TestCase):
    backend_type = Postgresql


class EmptyStoreOnSqlite(EmptyStore, unittest.TestCase):
    backend_type = Sqlite


class EmptyStoreOnPostgresql(EmptyStore, unittest.TestCase):
    backend_type = Postgresql


class SameAnswers(unittest.TestCase):
    """Both databases give the same bytes."""

    def test_rows_have_the_same_bytes_on_both_databases(self):
        targets = ["/v1/marts/mart_price_daily/rows?uid=in.(bond:SIM.KTB10Y,stock:US.AAPL,index:IXIC)&order=close.desc&limit=3000",
                   "/v1/marts/mart_price_daily/rows?uid=eq.stock:US.AAPL&limit=1000", "/v1/marts/mart_price_daily/rows?uid=eq.stock:US.AAPL&select=close,date&order=close",
                   "/v1/marts/mart_fx_daily/rows?date=gte.2026-10-01&format=csv", "/v1/marts/mart_calendar/rows?market=eq.XKRX&last=90d",
                   "/v1/marts/mart_news_article/rows?order=section,headline.desc", "/v1/marts/mart_economic_indicator/rows?order=value&limit=2000",
                   "/v1/instruments?order=name_local.desc", "/v1/instruments?q=모의&format=csv", "/v1/instruments/coin:SIMBTCUSDT/prices?last=1y"]
        backends = [Sqlite(), Postgresql()]
        for backend in backends:  # all that tells the two loads of the sample apart
            backend.sql("UPDATE publication_mart SET published_at = '2026-11-02T00:14:03Z'")
        with backends[0].server() as first, backends[1].server() as second:
            for target in targets:
                with self.subTest(target):
                    answers = [server.get(quote_target(target)) for server in (first, second)]
                    self.assertEqual(answers[0].status, 200, answers[0])
                    self.assertEqual(answers[0].body, answers[1].body)
                    self.assertEqual(answers[0].header("ETag"), answers[1].header("ETag"))


def quote_target(target):
    return urllib.parse.quote(target, safe="/?&=:,().%+")


if __name__ == "__main__":
    unittest.main()
