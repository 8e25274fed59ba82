"""The query language over HTTP: every question is asked of both databases, which must give the same bytes."""

import collections
import datetime
import decimal
import functools
import json
import random
import re
import unittest
import urllib.parse

from support.backend import Postgresql, Sqlite
from support.dataset import sample_rows
from support.problems import ROOT, Assertions

SEED = 20261122
D = decimal.Decimal


def quoted(target):
    return urllib.parse.quote(target, safe="/?&=:,().%+*")


@functools.lru_cache(maxsize=None)
def instruments():
    return sample_rows("instruments.csv")


@functools.lru_cache(maxsize=None)
def fx():
    return sample_rows("fx_ecb.csv.gz")


@functools.lru_cache(maxsize=None)
def news():
    return sample_rows("news_simulated.csv.gz")


def folded(text):
    return "".join(c.lower() if c.isascii() else c for c in text)


def words(text):
    return set(re.findall(r"[0-9a-z\u0080-\U0010ffff]+", re.sub("[·“”‘’…–—]", " ", folded(text))))


class Both(Assertions, unittest.TestCase):
    """A server on each database."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.backends = [Sqlite(), Postgresql()]
        for backend in cls.backends:  # all that tells the two loads of the sample apart
            backend.sql("UPDATE publication_mart SET published_at = '2026-11-02T00:14:03Z'")
        cls.prepare()
        cls.servers = [backend.server(**cls.settings).start() for backend in cls.backends]

    @classmethod
    def prepare(cls):
        """Before the servers start."""

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.stop()

    def ask(self, target, **headers):
        """One answer, the same from both but for what names the request."""
        answers = [server.get(quoted(target), **headers) for server in self.servers]
        self.assertEqual(answers[0].status, answers[1].status, answers)
        if answers[0].status == 200:
            self.assertEqual(answers[0].body, answers[1].body, target)
        return answers[0]

    def page(self, target, **headers):
        return self.assert_ok(self.ask(target, **headers)).json

    def data(self, target):
        return self.page(target)["data"]


class Filters(Both):
    def test_every_operator_finds_what_the_sample_says(self):
        cases = [
            ("asset_class=eq.fx", lambda r: r["asset_class"] == "fx"),
            ("asset_class=not.eq.fx", lambda r: r["asset_class"] != "fx"),
            ("asset_class=not.in.(fx,stock)", lambda r: r["asset_class"] not in ("fx", "stock")),
            ("market=not.eq.XKRX", lambda r: r["market"] not in ("", "XKRX")),
            ("market=isdistinct.XKRX", lambda r: r["market"] != "XKRX"),
            ("market=not.isdistinct.XKRX", lambda r: r["market"] == "XKRX"),
            ("market=is.null", lambda r: r["market"] == ""),
            ("market=not.is.null", lambda r: r["market"] != ""),
            ("symbol=not.gt.M", lambda r: r["symbol"] <= "M"),
            ("name=like.A*", lambda r: r["name"].startswith("A")),
            ("name=like.%25a%25", lambda r: "a" in r["name"]),
            ("name=not.like.*a*", lambda r: "a" not in r["name"]),
            ("name=ilike.*INC*", lambda r: "inc" in folded(r["name"])),
            ("symbol=like.__", lambda r: len(r["symbol"]) == 2),
            ("name=fts.inc", lambda r: "inc" in words(r["name"])),
            ("name=fts.Inc%20app*", lambda r: "inc" in words(r["name"]) and any(w.startswith("app") for w in words(r["name"]))),
            ("name=not.fts.inc", lambda r: "inc" not in words(r["name"])),
            ("is_active=is.true", lambda r: r["is_active"] == "true"),
            ("is_active=not.is.true", lambda r: r["is_active"] != "true"),
            ("or=(asset_class.eq.fx,market.eq.XKRX)", lambda r: r["asset_class"] == "fx" or r["market"] == "XKRX"),
            ("not.or=(asset_class.eq.fx,asset_class.eq.stock)", lambda r: r["asset_class"] not in ("fx", "stock")),
            ("and=(asset_class.eq.stock,or(currency.eq.USD,symbol.like.0*),not.and(market.eq.XNAS,symbol.like.A*))",
             lambda r: r["asset_class"] == "stock" and (r["currency"] == "USD" or r["symbol"].startswith("0"))
             and not (r["market"] == "XNAS" and r["symbol"].startswith("A"))),
            ('or=(name.eq."Apple, Inc.",symbol.in.(AAPL,"MSFT"),uid.eq."fx:USDKRW")',
             lambda r: r["name"] == "Apple, Inc." or r["symbol"] in ("AAPL", "MSFT") or r["uid"] == "fx:USDKRW"),
        ]
        for query, is_found in cases:
            with self.subTest(query):
                got = {row["uid"] for row in self.data(f"/v1/marts/mart_instrument/rows?select=uid&limit=max&{query}")}
                # Which of the optional columns are NULL is as the file has them: empty.
                self.assertEqual(got, {row["uid"] for row in instruments() if is_found(row)})

    def test_words_are_found_in_headlines_of_any_script(self):
        common = collections.Counter(word for row in news() for word in words(row["headline"]))
        word = max((word for word in common if not word.isascii()), key=common.get, default=common.most_common(1)[0][0])
        found = sum(1 for row in news() if word in words(row["headline"]))
        start = word[:-1] if len(word) > 2 else word
        beginnings = sum(1 for row in news() if any(one.startswith(start) for one in words(row["headline"])))
        for query, n in ((f"fts.{word}", found), (f"fts.{start}*", beginnings), (f"fts.{word}%20{word}", found)):
            page = self.page(f"/v1/marts/mart_news_article/rows?headline={query}&limit=1&count=exact")
            self.assertEqual((page["meta"]["count"], page["meta"]["count_quality"]), (n, "exact"), query)

    def test_equal_queries_have_equal_rows(self):
        equal = [("or=(symbol.eq.A,symbol.eq.B)", "or=(symbol.eq.B,symbol.eq.A,symbol.eq.B)"),
                 ("and=(symbol.eq.A,name.eq.B)", "name=eq.B&symbol=eq.A"),
                 ("not.or=(symbol.gt.A)", "symbol=lte.A"), ("symbol=in.(A)", "symbol=eq.A"),
                 ("name=like.a**b", "name=like.a%25b"), ("name=fts.b%20A", "name=fts.a,b"),
                 ("order=uid.asc.nullslast", "order=uid")]
        for one, other in equal:
            with self.subTest(one):
                self.assertEqual(self.data(f"/v1/marts/mart_instrument/rows?{one}"),
                                 self.data(f"/v1/marts/mart_instrument/rows?{other}"))

    def test_what_cannot_be_meant_is_refused_with_what_is_allowed(self):
        deep = "or=(and(or(and(or(uid.eq.a)))))"
        many = "or=(" + ",".join(["uid.eq.a"] * 33) + ")"
        cases = [
            ("name=lik.a", "bad-filter", "name", "like"), ("name=not.ilik.a", "bad-filter", "name", "ilike"),
            ("name=like.a\\", "bad-filter", "name", None), ("name=like." + "*a" * 17, "bad-filter", "name", None),
            ("name=fts.", "bad-filter", "name", None), ("name=fts." + "a%20" * 17, "bad-filter", "name", None),
            ("is_active=like.t", "bad-filter", "is_active", None), ("n_rows=fts.1", "bad-filter", "n_rows", None),
            ("market=is.unknown", "bad-filter", "market", None), (deep, "bad-filter", "or", None),
            (many, "bad-filter", "or", None), ("or=uid.eq.a", "bad-filter", "or", None),
            ("or=(uid.eq.a", "bad-filter", "or", None), ("or=(uid.eq.a)x", "bad-filter", "or", None),
            ("or=()", "bad-filter", "or", None), ("or=(ui.eq.a)", "unknown-column", "or", "uid"),
            ('or=(uid.eq."a)', "bad-filter", "or", None), ("or=(uid.in.(a,b)", "bad-filter", "or", None),
            ("select=u%20x:uid", "bad-value", "select", None), ("select=1u:uid", "bad-value", "select", None),
            ("select=a:uid,a:name", "bad-value", "select", None), ("select=a:ui", "unknown-column", "select", "uid"),
            ("order=uid.desc.nullslst", "bad-value", "order", "nullslast"), ("order=uid,uid.desc", "bad-value", "order", None),
            ("offset=10001", "bad-value", "offset", None), ("offset=-1", "bad-value", "offset", None),
            ("count=all", "bad-value", "count", None), ("coutn=exact", "unknown-parameter", "coutn", "count"),
            ("limit=1&limit=2", "repeated-parameter", "limit", None), ("oder=uid", "unknown-parameter", "oder", "order"),
        ]
        for query, slug, about, suggestion in cases:
            with self.subTest(query):
                self.assert_problem(self.ask(f"/v1/marts/mart_instrument/rows?{query}"), slug, about=about,
                                    suggestion=suggestion)

    def test_limits_at_their_edges(self):
        total = len(fx())
        for limit, n in (("1", 1), ("50000", min(total, 50000)), ("max", min(total, 50000))):
            self.assertEqual(len(self.data(f"/v1/marts/mart_fx_daily/rows?select=rate&limit={limit}")), n)
        for limit in ("0", "50001", "-1", "ten", "1.5", "", "1e3", "99999999999999999999", "MAX"):
            with self.subTest(limit):
                self.assert_problem(self.ask(f"/v1/marts/mart_fx_daily/rows?limit={limit}"), "bad-value", about="limit")

    def test_metacharacters_are_only_ever_values(self):
        spice = ["'", '"', "\\", "'; DROP TABLE gen_instrument; --", "$1", "%", "_", "*", "/*", "--", "(", ")", "),(", ",",
                 ".", "{}", "[a-z]", "?", "NULL", "null", "\u0130", "가", "😀", "' OR '1'='1", "a" * 900, "%s%n", "E'\\x27'"]
        for text in spice:
            value = urllib.parse.quote(text, safe="")
            in_quotes = urllib.parse.quote('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"', safe="")
            for op in ("eq", "neq", "gt", "gte", "lt", "lte", "isdistinct", "like", "ilike", "fts", "not.like", "not.fts"):
                with self.subTest(text=text, op=op):
                    answer = self.ask(f"/v1/marts/mart_instrument/rows?select=uid&limit=3&name={op}.{value}")
                    self.assertIn(answer.status, (200, 400))
                    joined = self.ask(f"/v1/marts/mart_instrument/rows?select=uid&limit=3&or=(name.{op}.{in_quotes},uid.is.null)")
                    self.assertEqual(joined.status, answer.status)
                    if answer.status == 200:
                        self.assertEqual(joined.json["data"], answer.json["data"])
            for name in ("select", "order", "or", "and", "name", "count", "offset", "group"):
                self.assertIn(self.ask(f"/v1/marts/mart_instrument/rows?{name}={value}").status, (200, 400))
        self.assertEqual(self.page("/v1/marts/mart_instrument/rows?count=exact&limit=1")["meta"]["count"], len(instruments()))


class Pages(Both):
    """A mart with NULLs and ties in every column, and a key."""

    @classmethod
    def prepare(cls):
        source = random.Random(SEED)
        rows = []
        for key in range(157):
            pick = lambda *values: source.choice(values)
            rows.append((key, pick("NULL", "'a'", "'B'", "'b'", "'가'"), pick("NULL", "-1", "0", "7", "9007199254740993"),
                         pick("NULL", "'1.50'", "'-20'", "'100.000000000000000001'"), pick("NULL", "'2020-02-29'", "'1999-12-31'"),
                         pick("NULL", "TRUE", "FALSE")))
        values = ",".join("(" + ",".join(map(str, row)) + ")" for row in rows)
        types = {"sqlite": "t TEXT, i BIGINT, d DECIMAL_TEXT, day DATE_TEXT, b BOOLEAN",
                 "postgresql": "t TEXT, i BIGINT, d NUMERIC, day DATE, b BOOLEAN"}
        for backend in cls.backends:
            backend.sql(f"DROP TABLE IF EXISTS mart_maze; CREATE TABLE mart_maze (k BIGINT PRIMARY KEY, {types[backend.name]}); "
                        f"INSERT INTO mart_maze VALUES {values};")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        for backend in cls.backends:
            backend.sql("DROP TABLE mart_maze;")

    def test_random_walks_in_both_directions_give_the_whole(self):
        source = random.Random(SEED)
        for _ in range(12):
            columns = source.sample(["t", "i", "d", "day", "b", "k"], source.randint(1, 4))
            order = ",".join(column + source.choice(["", ".asc", ".desc"]) + source.choice(["", ".nullsfirst", ".nullslast"])
                             for column in columns)
            select = ",".join(["k"] + [f"x_{column}:{column}" for column in source.sample(["t", "i", "d"], 2)])
            limit = source.randint(5, 60)
            with self.subTest(order=order, limit=limit):
                base = f"/v1/marts/mart_maze/rows?select={select}&order={order}"
                whole = self.data(f"{base}&limit=max")
                self.assertEqual(sorted(row["k"] for row in whole), list(range(157)))
                for server in self.servers:
                    self.walk(server, f"{base}&limit={limit}", whole, limit)

    def walk(self, server, target, whole, limit):
        forward, page = [], None
        while target:
            page = self.assert_ok(server.get(quoted(target) if "cursor" not in target else target)).json
            forward += page["data"]
            target = page["links"]["next"]
        self.assertEqual(forward, whole)
        backward = page["data"]
        while page["links"]["prev"]:
            answer = self.assert_ok(server.get(page["links"]["prev"]))
            page = answer.json
            self.assertEqual(answer.link("prev"), page["links"]["prev"])
            self.assertIsNotNone(page["links"]["next"])
            backward = page["data"] + backward
        self.assertEqual(backward, whole)
        self.assertEqual(page["data"], whole[:len(page["data"])])
        again = self.assert_ok(server.get(page["links"]["next"])).json["data"]
        self.assertEqual(again, whole[len(page["data"]):len(page["data"]) + limit])

    def test_an_offset_leaves_out_rows_and_goes_on_by_cursor(self):
        whole = self.data("/v1/marts/mart_maze/rows?limit=max")
        page = self.page("/v1/marts/mart_maze/rows?limit=10&offset=33")
        self.assertEqual(page["data"], whole[33:43])
        self.assertEqual(self.assert_ok(self.servers[0].get(page["links"]["next"])).json["data"], whole[43:53])
        self.assertEqual(self.assert_ok(self.servers[0].get(page["links"]["prev"])).json["data"], whole[23:33])
        self.assertEqual(self.data("/v1/marts/mart_maze/rows?offset=10000"), [])
        cursor = urllib.parse.parse_qs(urllib.parse.urlsplit(page["links"]["next"]).query)["cursor"][0]
        self.assert_problem(self.ask(f"/v1/marts/mart_maze/rows?limit=10&offset=3&cursor={cursor}"), "bad-value", about="offset")

    def test_a_cursor_of_either_direction_belongs_to_its_query(self):
        page = self.page("/v1/marts/mart_maze/rows?limit=10&offset=20&i=not.is.null")
        for link in (page["links"]["next"], page["links"]["prev"]):
            for server in self.servers:
                self.assert_problem(server.get(link.replace("i=not.is.null", "i=is.null")), "cursor-mismatch", about="cursor")
                self.assert_problem(server.get(link[:-1] + ("A" if link[-1] != "A" else "B")), "bad-cursor", about="cursor")


class Counts(Both):
    def test_count_says_how_good_it_is(self):
        won = sum(1 for row in fx() if row["quote"] == "KRW")
        base = "/v1/marts/mart_fx_daily/rows?limit=1"
        for suffix, expected in (("", (None, "none")), ("&count=none", (None, "none")), ("&count=exact", (len(fx()), "exact")),
                                 ("&count=estimated", (len(fx()), "exact")), ("&quote=eq.KRW&count=exact", (won, "exact"))):
            with self.subTest(suffix):
                meta = self.page(base + suffix)["meta"]
                self.assertEqual((meta["count"], meta["count_quality"]), expected)
        lite, postgres = [server.get(base + "&quote=eq.KRW&count=estimated").json["meta"] for server in self.servers]
        self.assertEqual((lite["count"], lite["count_quality"]), (won, "exact"))
        self.assertEqual(postgres["count_quality"], "estimated")
        self.assertGreater(postgres["count"], won / 10)
        self.assertLess(postgres["count"], won * 10)

    def test_prefer_counts_where_no_parameter_does(self):
        target = "/v1/marts/mart_fx_daily/rows?limit=1&quote=eq.KRW"
        for handling in ("strict", "lenient"):  # ADR 22: what is misspelt is never left out
            refused = self.ask(target + "&uidd=eq.x", Prefer=f"handling={handling}")
            self.assertEqual(refused.status, 400, refused)
            self.assertIsNone(refused.header("Preference-Applied"))
        answer = self.assert_ok(self.ask(target, Prefer="handling=lenient, count=exact"))
        self.assertEqual(answer.json["meta"]["count_quality"], "exact")
        self.assertEqual(answer.header("Preference-Applied"), "count=exact")
        self.assertIn("Prefer", answer.header("Vary"))
        plain = self.assert_ok(self.ask(target))
        self.assertEqual(plain.json["meta"]["count_quality"], "none")
        self.assertNotEqual(plain.header("ETag"), answer.header("ETag"))
        both = self.assert_ok(self.ask(target + "&count=none", Prefer="count=exact"))
        self.assertEqual(both.json["meta"]["count_quality"], "none")


def first_day(text, period):
    day = datetime.date.fromisoformat(text)
    if period == "week":
        return (day - datetime.timedelta(days=day.weekday())).isoformat()
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[period]
    return f"{day.year:04}-{month:02}-01"


def plain(number):
    text = format(number.normalize(), "f")
    return "0" if text == "-0" else text


class Groups(Both):
    def exact(self, target):
        answer = self.assert_ok(self.ask(target))
        return json.loads(answer.body, parse_float=str, parse_int=str)["data"]

    def test_metrics_are_exact_on_both(self):
        groups = collections.defaultdict(list)
        for row in fx():
            groups[row["quote"]].append(D(row["rate"]))
        expected = []
        with decimal.localcontext() as context:
            context.prec = 80
            for quote in sorted(groups):
                values = groups[quote]
                average = (sum(values) / len(values)).quantize(D("1e-12"), rounding=decimal.ROUND_HALF_UP)
                expected.append({"quote": quote, "count": str(len(values)), "count_distinct_rate": str(len(set(values))),
                                 "min_rate": plain(min(values)), "max_rate": plain(max(values)), "sum_rate": plain(sum(values)),
                                 "avg_rate": plain(average)})
        got = self.exact("/v1/marts/mart_fx_daily/aggregate?group=quote"
                         "&metrics=count:*,count_distinct:rate,min:rate,max:rate,sum:rate,avg:rate")
        self.assertEqual(got, expected)

    def test_dates_are_grouped_by_period(self):
        for period in ("week", "month", "quarter", "year"):
            with self.subTest(period):
                expected = collections.Counter(first_day(row["date"], period) for row in fx() if row["quote"] == "KRW")
                got = self.data(f"/v1/marts/mart_fx_daily/aggregate?group=date:{period}&quote=eq.KRW&limit=50000")
                self.assertEqual({row[f"date_{period}"]: row["count"] for row in got}, dict(expected))
                self.assertEqual([row[f"date_{period}"] for row in got], sorted(expected))
        got = self.data("/v1/marts/mart_price_daily/aggregate?group=known_at:day&metrics=count:*&limit=5")
        self.assertTrue(all(re.fullmatch(r"\d{4}-\d\d-\d\d", row["known_at_day"]) for row in got))

    def test_order_limit_and_refusals_of_aggregate(self):
        page = self.page("/v1/marts/mart_fx_daily/aggregate?group=quote&metrics=max:rate&order=max_rate.desc,quote&limit=3")
        best = {}
        for row in fx():
            best[row["quote"]] = max(D(row["rate"]), best.get(row["quote"], D(-1)))
        self.assertEqual([row["quote"] for row in page["data"]], sorted(best, key=lambda quote: (-best[quote], quote))[:3])
        self.assertTrue(page["meta"]["truncated"])
        for query, slug, about, suggestion in (
                ("metrics=av:rate", "bad-value", "metrics", "avg"), ("metrics=avg:quote", "bad-value", "metrics", None),
                ("metrics=avg:rat", "unknown-column", "metrics", "rate"), ("group=quot", "unknown-column", "group", "quote"),
                ("group=quote:month", "bad-value", "group", None), ("group=date:mnth", "bad-value", "group", None),
                ("group=quote&order=max_rate", "bad-value", "order", None), ("group=quote,quote", "bad-value", "group", None),
                ("metrics=avg:rate,avg:rate", "bad-value", "metrics", None), ("limit=0", "bad-value", "limit", None),
                ("grup=quote", "unknown-parameter", "grup", "group"), ("metrics=pg_sleep:rate", "bad-value", "metrics", None)):
            with self.subTest(query):
                self.assert_problem(self.ask(f"/v1/marts/mart_fx_daily/aggregate?{query}"), slug, about=about, suggestion=suggestion)

    def test_values_are_distinct_sorted_and_begin_as_asked(self):
        uids = sorted(row["uid"] for row in instruments())
        for target, expected in (("mart_instrument/values/uid?limit=50000", uids),
                                 ("mart_instrument/values/uid?prefix=stock:US.A", [u for u in uids if u.startswith("stock:US.A")]),
                                 ("mart_instrument/values/currency", sorted({row["currency"] for row in instruments()})),
                                 ("mart_instrument/values/market", sorted({row["market"] for row in instruments()} - {""})),
                                 ("mart_instrument/values/uid?prefix=%25", []), ("mart_instrument/values/uid?prefix=_", []),
                                 ("mart_fx_daily/values/base", sorted({row["base"] for row in fx()})),
                                 ("mart_fx_daily/values/quote?base=eq.EUR", sorted({r["quote"] for r in fx() if r["base"] == "EUR"}))):
            with self.subTest(target):
                page = self.page(f"/v1/marts/{target}")
                self.assertEqual([next(iter(row.values())) for row in page["data"]], expected)
                self.assertFalse(page["meta"]["truncated"])
        page = self.page("/v1/marts/mart_instrument/values/uid?limit=2")
        self.assertEqual(([row["uid"] for row in page["data"]], page["meta"]["truncated"]), (uids[:2], True))
        csv = self.assert_ok(self.ask("/v1/marts/mart_instrument/values/currency?format=csv"))
        self.assertEqual(csv.rows[0], ["currency"])
        self.assert_problem(self.ask("/v1/marts/mart_instrument/values/curency"), "unknown-column", suggestion="currency")
        self.assert_problem(self.ask("/v1/marts/mart_instrument/values/n_rows?prefix=1"), "bad-value", about="prefix")

    def test_facets_count_the_most_frequent_values(self):
        page = self.page("/v1/marts/mart_instrument/facets?by=asset_class,market&top=3&is_active=is.true")
        expected = []
        for column in ("asset_class", "market"):
            counts = collections.Counter(row[column] for row in instruments() if row["is_active"] == "true")
            nulls_last = lambda item: (-item[1], item[0] == "", item[0])
            expected += [{"column": column, "value": value or None, "count": n}
                         for value, n in sorted(counts.items(), key=nulls_last)[:3]]
        self.assertEqual(page["data"], expected)
        self.assertEqual(page["meta"]["timed_out"], [])
        for query, about in (("by=market,market", "by"), ("by=market&top=0", "top"), ("by=market&top=1001", "top")):
            self.assert_problem(self.ask(f"/v1/marts/mart_instrument/facets?{query}"), "bad-value", about=about)
        self.assert_problem(self.ask("/v1/marts/mart_instrument/facets?by=markt"), "unknown-column", about="by", suggestion="market")


class Rows(Both):
    def test_a_row_is_found_by_its_key(self):
        row = fx()[len(fx()) // 2]
        page = self.page(f"/v1/marts/mart_fx_daily/rows/{row['base']},{row['quote']},{row['date']}?select=rate,d:date")
        self.assertEqual(set(page["data"]), {"rate", "d"})
        self.assertEqual(page["data"]["d"], row["date"])
        self.assertEqual(self.data("/v1/marts/mart_instrument/rows/stock%3AUS.AAPL")["symbol"], "AAPL")

    def test_a_missing_row_names_the_nearest(self):
        uids = sorted(row["uid"] for row in instruments())
        after = next(uid for uid in uids if uid > "stock:US.AAPK")
        self.assert_problem(self.ask("/v1/marts/mart_instrument/rows/stock:US.AAPK"), "not-found", about="key", suggestion=after)
        problem = self.assert_problem(self.ask("/v1/marts/mart_instrument/rows/~"), "not-found", about="key")
        self.assertNotIn("suggestion", problem["errors"][0])  # the last one there is, and nothing like it
        before = max(uids)
        self.assert_problem(self.ask(f"/v1/marts/mart_instrument/rows/{before}z"), "not-found", about="key", suggestion=before)
        dates = sorted(row["date"] for row in fx() if (row["base"], row["quote"]) == ("EUR", "KRW"))
        self.assert_problem(self.ask("/v1/marts/mart_fx_daily/rows/EUR,KRW,2199-01-01"), "not-found", about="key",
                            suggestion=f"EUR,KRW,{dates[-1]}")

    def test_a_key_has_all_its_parts(self):
        for key in ("EUR", "EUR,KRW", "EUR,KRW,2020-01-02,x", "EUR%2CKRW%2C2020-01-02"):
            self.assert_problem(self.ask(f"/v1/marts/mart_fx_daily/rows/{key}"), "bad-value", about="key", allowed="base,quote,date")
        self.assert_problem(self.ask("/v1/marts/mart_fx_daily/rows/EUR,KRW,2020-02-30"), "bad-value", about="date")
        self.assert_problem(self.ask("/v1/marts/mart_none/rows/1"), "unknown-mart")

    def test_a_row_follows_the_schema_of_its_mart(self):
        for mart in ("mart_price_daily", "mart_instrument", "mart_calendar", "mart_fx_daily"):
            answer = self.servers[0].get(f"/v1/marts/{mart}/schema")
            self.assertEqual((answer.status, answer.header("Content-Type")), (200, "application/schema+json"))
            self.assertEqual(self.servers[0].get(f"/v1/marts/{mart}/schema", **{"If-None-Match": answer.header("ETag")}).status, 304)
            schema = answer.json
            types = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
            for row in self.data(f"/v1/marts/{mart}/rows?limit=200"):
                self.assertEqual(list(row), schema["required"])
                for name, value in row.items():
                    allowed = schema["properties"][name]["type"]
                    allowed = [allowed] if isinstance(allowed, str) else allowed
                    self.assertTrue(any(isinstance(value, types[one]) for one in allowed), (name, value, allowed))


class Document(Both):
    def test_every_command_of_the_query_page_answers(self):
        text = (ROOT / "docs" / "query.md").read_text()
        targets = re.findall(r"^curl -sg 'localhost:8080([^']+)'$", text, re.MULTILINE)
        self.assertGreater(len(targets), 9)
        for target in targets:
            with self.subTest(target):
                data = self.page(target) if target.endswith("/schema") else self.data(target)
                self.assertTrue(data)


class Bounds(Both):
    settings = {"scan_rows_max": 1000, "facet_ms": 1, "refresh_ms": 100}

    def test_a_query_that_no_index_serves_is_refused_on_a_large_mart(self):
        for query in ("close=gt.100", "or=(uid.eq.a,close.gt.1)", "order=close.desc", "source=neq.x", "uid=like.*a*"):
            with self.subTest(query):
                self.assert_problem(self.ask(f"/v1/marts/mart_price_daily/rows?{query}"), "too-large", allowed="uid")
        for resource in ("aggregate", "aggregate?group=uid", "facets", "facets?by=source&close=gt.1"):
            with self.subTest(resource):
                self.assert_problem(self.ask(f"/v1/marts/mart_price_daily/{resource}"), "too-large", about="filters", allowed="uid")
        for resource in ("aggregate?uid=eq.stock:US.AAPL", "facets?by=source&uid=eq.stock:US.AAPL", "values/uid"):
            self.assert_ok(self.servers[0].get(f"/v1/marts/mart_price_daily/{resource}"))
        for query in ("", "uid=eq.stock:US.AAPL&close=gt.100", "uid=eq.stock:US.AAPL&order=close.desc", "order=date.desc",
                      "date=gte.2026-10-01&close=gt.1"):
            with self.subTest(query):
                self.assert_ok(self.ask(f"/v1/marts/mart_price_daily/rows?limit=3&{query}"))
        self.assert_ok(self.ask("/v1/marts/mart_instrument/rows?name=like.*a*&limit=3"))

    def test_a_mart_of_another_tool_is_as_large_as_postgresql_believes(self):
        server, backend = self.servers[1], self.backends[1]
        backend.sql("CREATE TABLE mart_foreign (k BIGINT PRIMARY KEY, v BIGINT); INSERT INTO mart_foreign "
                    "SELECT i, i % 7 FROM generate_series(1, 5000) i")
        server.wait_until(lambda: server.get("/v1/marts/mart_foreign").status == 200, "the mart")
        backend.sql("ANALYZE mart_foreign")
        server.wait_until(lambda: server.get("/v1/marts/mart_foreign/rows?v=eq.3&limit=1").status == 422, "its size")
        problem = self.assert_problem(server.get("/v1/marts/mart_foreign/rows?v=eq.3&limit=1"), "too-large", about="filters", allowed="k")
        self.assertIn("about 5000 rows", problem["detail"])
        self.assert_ok(server.get("/v1/marts/mart_foreign/rows?k=lt.9&v=eq.3"))

    def test_facets_name_the_columns_that_took_too_long(self):
        for server in self.servers:
            answer = self.assert_ok(server.get("/v1/marts/mart_price_daily/facets?by=close,volume&date=gte.1900-01-01"))
            self.assertEqual(answer.json["meta"]["timed_out"], ["close", "volume"])
            self.assertEqual(answer.json["data"], [])
            self.assertEqual(answer.header("Cache-Control"), "no-store")
            again = self.assert_ok(server.get("/v1/marts/mart_price_daily/facets?by=close,volume&date=gte.1900-01-01"))
            self.assertNotIn("hit", again.header("Cache-Status"))


if __name__ == "__main__":
    unittest.main()
