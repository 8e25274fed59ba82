"""The domain resources over HTTP, on both databases, against figures computed here from the rows that were loaded."""

import csv
import datetime
import io
import itertools
import json
import math
import statistics
import unittest
from decimal import Decimal

from support.backend import Postgresql, Sqlite
from support.dataset import Dataset, sample_rows
from support.problems import Assertions

UID = "stock:T.AAA"


def day(text):
    return datetime.date.fromisoformat(text)


def bar(uid, date, close, adj_close=None, **more):
    row = {"uid": uid, "date": date, "open": close, "high": close, "low": close, "close": close,
           "adj_close": adj_close if adj_close is not None else close, "volume": "10", "dividend": None, "split_ratio": None,
           "currency": "USD", "source": "test", "quality": "0", "known_at": f"{date}T21:00:00Z"}
    return {**row, **more}


def instrument(uid, **more):
    row = {"uid": uid, "asset_class": uid.split(":")[0], "symbol": uid.split(".")[-1], "name": uid, "name_local": None,
           "market": "XNYS", "country": "US", "currency": "USD", "isin": None, "sector": "Energy", "industry": None,
           "source": "test", "source_symbol": None, "quote_unit": "price", "price_basis": "raw", "is_active": "true",
           "delisted_on": None, "delisting_return": None, "is_survivor_biased": "false"}
    return {**row, **more}


def own_prices():
    """Weekdays of two years with gaps, a split, dividends, nulls and exact decimals; the second one starts later."""
    rows, date, i = [], day("2019-12-02"), 0
    while date <= day("2021-06-09"):  # a Wednesday: the last week, month, quarter and year are not over
        holiday = (date.month, date.day) in ((12, 25), (1, 1))
        if date.weekday() < 5 and not holiday:
            close = Decimal(100 + (i * 37) % 23) + Decimal(i % 7) / 8
            text = str(close)
            rows.append(bar(UID, str(date), text, str(close / 2), open=str(close - 1), high=str(close + 2),
                            low=str(close - Decimal("2.5")), volume=str(Decimal(i * 1000) + Decimal("0.125")),
                            dividend="0.30" if i % 60 == 5 else None, split_ratio="2" if i == 200 else None))
            if i % 41 == 0:
                rows[-1].update(open=None, high=None)
            if i % 97 == 13:
                rows[-1].update(close=None, volume=None)
            i += 1
        date += datetime.timedelta(days=1)
    for row in rows[30::2]:
        rows.append(bar("stock:T.BBB", row["date"], str(Decimal(50) + len(rows) % 11), currency="KRW"))
    return rows


def own_dataset():
    months = [(year, month) for year in (2018, 2019, 2020) for month in range(1, 13)]
    series = []
    for i, (year, month) in enumerate(months):
        if (year, month) == (2019, 5):
            continue  # a gap
        first = datetime.date(year, month, 1)
        last = (first + datetime.timedelta(days=31)).replace(day=1) - datetime.timedelta(days=1)
        for vintage, delta in ((20, 0), (50, Decimal("0.5"))):
            if (year, month) >= (2020, 11) and vintage == 50:
                continue  # not revised yet
            published = last + datetime.timedelta(days=vintage)
            series.append({"stat_code": "CPI", "country_code": "KOR", "frequency": "M", "period": f"{year}-{month:02}",
                           "vintage": str(published), "stat_name": "Prices", "unit": "index", "country_name": "Korea",
                           "period_start": str(first), "period_end": str(last), "value": str(100 + i + delta),
                           "is_latest_vintage": "true" if vintage == 50 or (year, month) >= (2020, 11) else "false",
                           "source": "test", "known_at": f"{published}T00:00:00Z"})
    for year in (2018, 2019):
        series.append({**series[0], "stat_code": "GDP", "frequency": "A", "period": str(year), "vintage": f"{year + 1}-03-01",
                       "period_start": f"{year}-01-01", "period_end": f"{year}-12-31", "value": "1.5"})
    series.append({**series[0], "stat_code": "GDP", "period": "2018-01"})
    fx = [{"base": "EUR", "quote": quote, "date": date, "rate": rate, "is_cross": "false", "source": "test", "is_filled": "false",
           "known_at": f"{date}T15:00:00Z"}
          for date, usd, krw in (("2020-01-10", "1.25", "1250"), ("2020-06-01", "1.1", "1300.5"))
          for quote, rate in (("USD", usd), ("KRW", krw))]
    return Dataset.of(mart_instrument=[instrument(UID), instrument("stock:T.BBB", currency="KRW", market="XKRX", country="KR"),
                                       instrument("stock:T.NONE")],
                      mart_price_daily=own_prices(), mart_fx_daily=fx, mart_economic_indicator=series)


def number(text):
    return None if text is None else Decimal(text)


def key_of(interval):
    return {"1d": lambda d: d, "1w": lambda d: d.isocalendar()[:2], "1mo": lambda d: (d.year, d.month),
            "1q": lambda d: (d.year, (d.month - 1) // 3), "1y": lambda d: d.year}[interval]


def gather(rows, interval):
    """Bars of an interval from rows, by the definition in docs/resources.md."""
    key = key_of(interval)
    for _, group in itertools.groupby(rows, key=lambda row: key(day(row["date"]))):
        group = list(group)
        values = {name: [number(row[name]) for row in group if row[name] is not None]
                  for name in ("open", "high", "low", "close", "adj_close", "volume", "dividend", "split_ratio")}
        yield {"date": group[-1]["date"], "open": values["open"][0] if values["open"] else None,
               "high": max(values["high"], default=None), "low": min(values["low"], default=None),
               "close": values["close"][-1] if values["close"] else None, "adj_close": values["adj_close"][-1],
               "volume": sum(values["volume"]) if values["volume"] else None,
               "dividend": sum(values["dividend"]) if values["dividend"] else None,
               "split_ratio": math.prod(values["split_ratio"]) if values["split_ratio"] else None, "sessions": len(group)}


class Case(Assertions):
    backend_type = None

    @classmethod
    def setUpClass(cls):
        cls.backend = cls.backend_type(cls.with_sample)
        if not cls.with_sample:
            cls.backend.load(own_dataset().folder)
        cls.server = cls.backend.server(refresh_ms=100).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def get(self, target, **headers):
        return self.server.data.get(target, **headers)

    def rows(self, target):
        answer = self.assert_ok(self.get(target))
        return json.loads(answer.body, parse_float=Decimal, parse_int=Decimal)["data"]

    def meta(self, target):
        return self.assert_ok(self.get(target)).json["meta"]

    def walk(self, target):
        seen = []
        while target:
            answer = self.assert_ok(self.get(target))
            document = json.loads(answer.body, parse_float=Decimal)
            seen += document["data"]
            target = document["links"]["next"]
        return seen

    def assert_close(self, got, wanted):
        if wanted is None or got is None:
            self.assertEqual(got, wanted)
        else:
            self.assertTrue(math.isclose(float(got), float(wanted), rel_tol=1e-9, abs_tol=1e-9), (got, wanted))


class Own(Case):
    """Our own data: everything that is rare in the sample."""

    with_sample = False

    def prices(self, uid=UID):
        return sorted((row for row in own_prices() if row["uid"] == uid), key=lambda row: row["date"])

    def test_longer_bars_are_those_of_whole_periods_exactly(self):
        for interval in ("1d", "1w", "1mo", "1q", "1y"):
            for start, end in (("2019-12-02", "2021-06-09"), ("2020-01-15", "2021-01-02"), ("2020-03-31", "2020-03-31")):
                wanted = [one for one in gather(self.prices(), interval) if start <= one["date"] <= end]
                got = self.rows(f"/v1/instruments/{UID}/prices?interval={interval}&from={start}&to={end}"
                                "&fields=date,open,high,low,close,adj_close,volume,dividend,split_ratio,sessions")
                with self.subTest(interval=interval, start=start):
                    self.assertEqual(got, wanted)

    def test_the_last_bar_says_when_its_period_is_not_over(self):
        for interval in ("1w", "1mo", "1q", "1y"):
            address = f"/v1/instruments/{UID}/prices?interval={interval}"
            self.assertTrue(self.meta(address)["partial_last"])
            self.assertFalse(self.meta(address + "&to=2020-12-31")["partial_last"])
        self.assertFalse(self.meta(f"/v1/instruments/{UID}/prices?interval=1d")["partial_last"])

    def test_splits_divide_earlier_prices_and_all_takes_the_adjusted_close(self):
        rows = self.prices()
        split = rows[200]["date"]
        for got, row in zip(self.rows(f"/v1/instruments/{UID}/prices?adjust=split&to=2020-12-31"), rows):
            divisor = 2 if row["date"] < split else 1
            for name in ("open", "high", "low", "close"):
                self.assert_close(got[name], None if row[name] is None else Decimal(row[name]) / divisor)
            self.assertEqual(got["adj_close"], number(row["adj_close"]))
        for got, row in zip(self.rows(f"/v1/instruments/{UID}/prices?adjust=all"), rows):
            self.assertEqual(got["close"], number(row["adj_close"]))
            whole = row["close"] is not None and row["high"] is not None
            self.assert_close(got["high"], Decimal(row["high"]) / 2 if whole else None)

    def test_currencies_convert_by_the_last_rate_not_after_the_date(self):
        rates = [("2020-01-10", Decimal("1250") / Decimal("1.25")), ("2020-06-01", Decimal("1300.5") / Decimal("1.1"))]
        answer = self.assert_ok(self.get(f"/v1/instruments/{UID}/prices?currency=KRW")).json
        for got, row in zip(answer["data"], self.prices()):
            known = [rate for date, rate in rates if date <= row["date"]]
            wanted = Decimal(row["close"]) * known[-1] if known and row["close"] else None
            self.assert_close(got["close"], wanted)
            self.assertEqual((got["currency"], got["volume"]), ("KRW", None if row["volume"] is None else float(row["volume"])))
        self.assertIn("no_exchange_rate", [one["code"] for one in answer["meta"]["warnings"]])
        self.assertEqual(answer["meta"]["fx"]["to"], "KRW")
        self.assertIsNone(self.meta(f"/v1/instruments/{UID}/prices?currency=USD")["fx"])
        self.assertEqual({row["close"] for row in self.rows(f"/v1/instruments/{UID}/prices?currency=CHF&limit=5")}, {None})

    def test_transforms_are_freds_and_know_what_came_before_the_window(self):
        bars = list(gather(self.prices(), "1mo"))
        close = {key_of("1mo")(day(one["date"])): float(one["close"]) for one in bars}
        for name, formula in (("chg", lambda x, p, y: x - p), ("ch1", lambda x, p, y: x - y), ("pch", lambda x, p, y: (x / p - 1) * 100),
                              ("pc1", lambda x, p, y: (x / y - 1) * 100), ("pca", lambda x, p, y: ((x / p) ** 12 - 1) * 100),
                              ("cch", lambda x, p, y: math.log(x / p) * 100), ("cca", lambda x, p, y: math.log(x / p) * 1200),
                              ("log", lambda x, p, y: math.log(x)), ("lin", lambda x, p, y: x)):
            rows = self.rows(f"/v1/instruments/{UID}/prices?interval=1mo&transform={name}&fields=date,close&from=2021-01-01")
            self.assertEqual([row["date"] for row in rows], [one["date"] for one in bars if one["date"] >= "2021-01-01"])
            for row in rows:
                year, month = key_of("1mo")(day(row["date"]))
                before = (year - 1, 12) if month == 1 else (year, month - 1)
                with self.subTest(transform=name, date=row["date"]):
                    self.assert_close(row["close"], formula(close[year, month], close[before], close[year - 1, month]))

    def test_many_instruments_page_through_long_and_wide_alike(self):
        rows = self.prices() + self.prices("stock:T.BBB")
        wanted = [(row["uid"], row["date"], number(row["close"])) for row in rows]
        address = f"/v1/prices?instruments={UID},stock:T.NONE,stock:T.BBB&fields=uid,date,close"
        for limit in (1000, 77):
            got = self.walk(f"{address}&limit={limit}")
            self.assertEqual([(row["uid"], row["date"], number(row["close"])) for row in got], wanted)
        down = self.walk(f"{address}&limit=101&order=date.desc")
        self.assertEqual([row["date"] for row in down if row["uid"] == UID],
                         [row["date"] for row in reversed(self.prices())])
        table = {(date, uid): close for uid, date, close in wanted}
        for order in ("asc", "desc"):
            wide = self.walk(f"/v1/prices?instruments={UID},stock:T.BBB&layout=wide&limit=50&order=date.{order}")
            dates = sorted({date for _, date, _ in wanted}, reverse=order == "desc")
            self.assertEqual([row["date"] for row in wide], dates)
            for row in wide:
                for uid in (UID, "stock:T.BBB"):
                    self.assertEqual(number(row[uid]), table.get((row["date"], uid)))

    def test_wide_rows_of_longer_bars_meet_by_their_period(self):
        wide = self.rows(f"/v1/prices?instruments={UID},stock:T.BBB&layout=wide&interval=1mo&field=adj_close")
        mine = {one["date"][:7]: one for one in gather(self.prices(), "1mo")}
        other = {one["date"][:7]: one for one in gather(self.prices("stock:T.BBB"), "1mo")}
        self.assertEqual([row["date"][:7] for row in wide], sorted(mine))
        for row in wide:
            month = row["date"][:7]
            self.assertEqual(row["date"], max(one["date"] for one in (mine[month], other.get(month)) if one))
            self.assertEqual(row["stock:T.BBB"], other[month]["adj_close"] if month in other else None)

    def test_a_body_asks_the_same_and_says_where(self):
        query = {"instruments": [UID, "stock:T.BBB"], "interval": "1w", "from": "2020-02-01", "fields": ["uid", "date", "close"], "limit": 5}
        posted = self.assert_ok(self.server.data.post("/v1/prices:query", query))
        address = posted.header("Content-Location")
        self.assertEqual(posted.json["data"], self.rows(address))
        self.assertEqual(posted.json["links"]["next"], self.get(address).json["links"]["next"])
        self.assertEqual(posted.header("ETag"), self.get(address).header("ETag"))
        again = self.assert_ok(self.server.data.post("/v1/prices:query", query))
        self.assertEqual((again.header("Content-Location"), again.json), (address, posted.json))
        self.assertEqual(posted.json["data"] + self.walk(posted.json["links"]["next"]), self.walk(address))
        self.assert_problem(self.server.data.post("/v1/prices:query", {**query, "interval": "1m"}), "bad-value", about="/interval",
                            value='"1m"', suggestion="1mo", allowed="1mo")
        self.assert_problem(self.server.data.post("/v1/prices:query", {**query, "instruments": [UID, "stock:T.BBC"]}), "unknown-instrument",
                            about="/instruments/1", value='"stock:T.BBC"', suggestion="stock:T.BBB")
        self.assert_problem(self.server.data.post("/v1/prices:query", {"instrument": []}), "unknown-field", suggestion="instruments")
        self.assert_problem(self.server.data.post("/v1/prices:query", b"{", ), "malformed-json")
        self.assert_problem(self.server.data.post("/v1/prices:query", {**query, "limit": "5"}), "wrong-type", about="/limit")

    def test_observations_are_known_as_of_a_day_and_aggregate_complete_periods(self):
        address = "/v1/indicators/CPI:KOR/observations"
        latest = {row["period"]: row["value"] for row in self.rows(address)}
        self.assertEqual((latest["2018-01"], latest["2020-12"]), (Decimal("100.5"), Decimal("135")))
        self.assertNotIn("2019-05", latest)
        known = {row["period"]: (row["value"], row["vintage"]) for row in self.rows(address + "?as_of=2018-03-15")}
        self.assertEqual(known, {"2018-01": (Decimal(100), "2018-02-20")})
        last = [row["period_end"] for row in self.rows(address + "?as_of=2018-03-22&last=1y")]
        self.assertTrue(last and all("2017-03-23" <= day <= "2018-03-22" for day in last), last)
        known = {row["period"]: row["value"] for row in self.rows(address + "?as_of=2018-03-22")}
        self.assertEqual(known, {"2018-01": Decimal("100.5"), "2018-02": Decimal(101)})
        both = self.rows(address + "?vintages=all&to=2018-02-28")
        self.assertEqual([(row["period"], row["value"]) for row in both],
                         [("2018-01", 100), ("2018-01", Decimal("100.5")), ("2018-02", 101), ("2018-02", Decimal("101.5"))])
        for name, reduce in (("avg", statistics.fmean), ("sum", sum), ("eop", lambda part: part[-1])):
            quarters = {row["period"]: row["value"] for row in self.rows(f"{address}?frequency=q&aggregation={name}")}
            self.assertNotIn("2019Q2", quarters)
            self.assertEqual(len(quarters), 11)
            self.assert_close(quarters["2018Q3"], reduce([latest[f"2018-{month:02}"] for month in (7, 8, 9)]))
        years = self.rows(address + "?frequency=a&aggregation=eop&transform=chg")
        self.assertEqual([row["period"] for row in years], ["2018", "2020"])  # 2019 has a gap
        self.assertEqual([row["value"] for row in years], [None, None])
        year_ago = {row["period"]: row["value"] for row in self.rows(address + "?transform=ch1&from=2019-12-01")}
        self.assertEqual((year_ago["2019-12"], year_ago["2020-05"]), (12, None))
        seen = self.walk(address + "?limit=7")
        self.assertEqual([row["period"] for row in seen], list(latest))

    def test_a_series_is_named_with_its_frequency_where_it_has_two(self):
        self.assert_problem(self.get("/v1/indicators/GDP:KOR"), "bad-value", about="id", allowed="GDP:KOR:A, GDP:KOR:M")
        self.assertEqual(self.rows("/v1/indicators/GDP:KOR:A")["periods"], 2)
        self.assert_problem(self.get("/v1/indicators/CPI:KOZ"), "not-found", about="id", suggestion="CPI:KOR")
        self.assert_problem(self.get("/v1/indicators/GDP:KOR:A/observations?frequency=m"), "bad-value", about="frequency", allowed="a")
        self.assertEqual([row["id"] for row in self.rows("/v1/indicators?frequency=M")], ["CPI:KOR:M", "GDP:KOR:M"])
        self.assertEqual([row["id"] for row in self.walk("/v1/indicators?q=p&limit=1")], ["CPI:KOR:M", "GDP:KOR:A", "GDP:KOR:M"])

    def test_a_known_instrument_without_prices_is_empty_and_not_missing(self):
        for target in ("prices", "prices?interval=1mo", "prices?from=1990-01-01&to=1990-01-02&adjust=all"):
            self.assertEqual(self.rows(f"/v1/instruments/stock:T.NONE/{target}"), [])
        self.assertEqual(self.rows("/v1/prices/latest?instruments=stock:T.NONE"), [])
        self.assertEqual({row["n"] for row in self.rows("/v1/instruments/stock:T.NONE/risk")}, {0})
        self.assertEqual(self.rows(f"/v1/instruments/stock:T.NONE/correlations?with={UID}")[0]["correlation"], None)

    def test_every_parameter_refuses_what_it_does_not_take(self):
        one = f"/v1/instruments/{UID}/prices?"
        many = f"/v1/prices?instruments={UID}&"
        for target, slug, about, suggestion in (
                (one + "interval=1mm", "bad-value", "interval", "1mo"), (one + "adjust=al", "bad-value", "adjust", "all"),
                (one + "currency=usd", "bad-value", "currency", None), (one + "transform=pct", "bad-value", "transform", "pch"),
                (one + "interval=1w&fields=clos", "unknown-column", "fields", "close"), (one + "fields=clos", "unknown-column", "fields", "close"), (one + "intervall=1w", "unknown-parameter", "intervall", "interval"),
                (one + "interval=1w&fields=date,date", "bad-value", "fields", None), (one + "interval=1w&limit=0", "bad-value", "limit", None),
                (one + "fields=date&select=date", "bad-value", "select", None), (one + "interval=1w&from=2020-02-30", "bad-value", "from", None),
                (many + "layout=wid", "bad-value", "layout", "wide"), (many + "field=close", "bad-value", "field", None),
                (many + "layout=wide&field=clos", "unknown-column", "field", "close"), (many + "order=close", "bad-value", "order", None),
                ("/v1/prices", "bad-value", "instruments", None), (f"/v1/prices?instruments={UID},{UID}", "bad-value", "instruments", None),
                ("/v1/prices?instruments=" + ",".join(f"a{i}" for i in range(201)), "bad-value", "instruments", None),
                (many + "cursor=MXwx", "bad-cursor", "cursor", None), ("/v1/prices/latest?asset_class=stok", "bad-value", "asset_class", "stock"),
                (f"/v1/instruments/{UID}/risk?window=2y", "bad-value", "window", "1y"),
                (f"/v1/instruments/{UID}/risk?benchmark=stock:T.BBX", "unknown-instrument", "benchmark", "stock:T.BBB"),
                (f"/v1/instruments/{UID}/risk?risk_free_rate=2", "bad-value", "risk_free_rate", None),
                (f"/v1/instruments/{UID}/correlations?with=stock:T.BBX", "unknown-instrument", "with", "stock:T.BBB"),
                (f"/v1/instruments/{UID}/correlations?with={UID}&top=3", "bad-value", "top", None),
                ("/v1/indicators/CPI:KOR/observations?aggregation=sum", "bad-value", "aggregation", None),
                ("/v1/indicators/CPI:KOR/observations?vintages=all&transform=chg", "bad-value", "vintages", None),
                ("/v1/indicators?frequency=m", "bad-value", "frequency", "M"), ("/v1/news/daily?last=1x", "bad-value", "last", None),
                ("/v1/news/keywords?top=0", "bad-value", "top", None)):
            with self.subTest(target):
                self.assert_problem(self.get(target), slug, about=about, suggestion=suggestion)

    def test_a_cursor_belongs_to_its_query(self):
        following = self.get(f"/v1/prices?instruments={UID}&limit=3").json["links"]["next"]
        self.assert_problem(self.get(following.replace("limit=3", "limit=4")), "cursor-mismatch", about="cursor")
        self.assert_problem(self.get(following[:-1] + ("A" if following[-1] != "A" else "B")), "bad-cursor", about="cursor")


class Sample(Case):
    """The sample data, for what its calendars, news and long series have."""

    with_sample = True

    def test_formats_hold_the_same_rows(self):
        address = "/v1/prices?instruments=index:SPX,stock:KRX.900010&interval=1q&last=2y"
        rows = self.rows(address)
        table = list(csv.DictReader(io.StringIO(self.get(address + "&format=csv").text, newline="")))
        lines = [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in self.get(address + "&format=ndjson").text.splitlines()]
        columns = json.loads(self.get(address + "&shape=columns").body, parse_float=Decimal, parse_int=Decimal)["data"]
        self.assertEqual(lines, rows)
        self.assertEqual([columns[name] for name in rows[0]], [[row[name] for row in rows] for name in rows[0]])
        self.assertEqual([number(row["close"]) for row in table], [row["close"] for row in rows])

    def test_validators_answer_304_and_differ_by_question(self):
        tags = set()
        targets = ("/v1/instruments/index:SPX/prices?interval=1y", "/v1/instruments/index:SPX/prices?interval=1y&adjust=all",
                   "/v1/prices/latest", "/v1/instruments/index:SPX/risk", "/v1/instruments/index:SPX/risk?window=1y",
                   "/v1/instruments/stock:US.AAPL/correlations?top=2", "/v1/indicators", "/v1/indicators/AAA:USA/observations?last=1y",
                   "/v1/news/daily", "/v1/news/keywords", "/v1/calendars", "/v1/calendars/XKRX?date=2020-01-24",
                   "/v1/calendars/XKRX/next-open?after=2020-01-24", "/v1/calendars/XKRX/next-open?after=2020-01-27")
        for target in targets:
            tag = self.assert_ok(self.get(target)).header("ETag")
            answer = self.get(target, if_none_match=tag)
            self.assertEqual((answer.status, answer.body), (304, b""), target)
            tags.add(tag)
        self.assertEqual(len(tags), len(targets))

    def test_the_latest_bars_are_the_last_two_of_each_instrument(self):
        rows = {}
        for path in ("prices_us_stocks.csv.gz", "prices_us_etfs.csv.gz", "prices_indices.csv.gz", "prices_commodities.csv.gz",
                     "prices_simulated.csv.gz"):
            for row in sample_rows(path):
                rows.setdefault(row["uid"], []).append(row)
        got = self.walk("/v1/prices/latest?limit=7")
        self.assertEqual([row["uid"] for row in got], sorted(rows))
        for row in got:
            before, last = sorted(rows[row["uid"]], key=lambda one: one["date"])[-2:]
            name = row["basis"]
            with self.subTest(row["uid"]):
                self.assertEqual((row["date"], row["previous_date"]), (last["date"], before["date"]))
                self.assertEqual(Decimal(row["change"]), Decimal(last[name]) - Decimal(before[name]))
                self.assert_close(row["change_pct"], (Decimal(last[name]) / Decimal(before[name]) - 1) * 100)

    def test_risk_and_correlation_follow_from_the_adjusted_closes(self):
        series = {}
        for row in sample_rows("prices_us_stocks.csv.gz"):
            series.setdefault(row["uid"], {})[row["date"]] = float(row["adj_close"])
        mine, other = series["stock:US.AAPL"], series["stock:US.MSFT"]
        last = max(mine)
        start = f"{int(last[:4]) - 1}{last[4:]}"
        values = [mine[date] for date in sorted(mine) if start <= date <= last]
        returns = [b / a - 1 for a, b in zip(values, values[1:])]
        row = self.rows("/v1/instruments/stock:US.AAPL/risk?window=1y&benchmark=stock:US.MSFT")[0]
        peak, worst = 0, 0
        for value in values:
            peak = max(peak, value)
            worst = min(worst, value / peak - 1)
        self.assertEqual((row["from"], row["to"], row["n"]), (min(d for d in mine if d >= start), last, len(returns)))
        self.assert_close(row["volatility"], statistics.stdev(returns) * math.sqrt(252))
        self.assert_close(row["downside_deviation"], math.sqrt(sum(min(r, 0) ** 2 for r in returns) / len(returns)) * math.sqrt(252))
        self.assert_close(row["max_drawdown"], worst)
        self.assert_close(row["sharpe"], statistics.fmean(returns) / statistics.stdev(returns) * math.sqrt(252))
        common = [date for date in sorted(set(mine) & set(other)) if start <= date <= last]
        simple = [[one[b] / one[a] - 1 for a, b in zip(common, common[1:])] for one in (mine, other)]
        self.assert_close(row["beta"], statistics.covariance(*simple) / statistics.variance(simple[1]))
        logs = [[math.log(one[b] / one[a]) for a, b in zip(common, common[1:])] for one in (mine, other)]
        got = self.rows("/v1/instruments/stock:US.AAPL/correlations?with=stock:US.MSFT&window=1y")[0]
        self.assertEqual(got["n"], len(logs[0]))
        self.assert_close(got["correlation"], statistics.correlation(*logs))
        best = self.rows("/v1/instruments/stock:US.AAPL/correlations?top=5")
        self.assertEqual(len(best), 5)
        self.assertEqual([row["correlation"] for row in best], sorted((row["correlation"] for row in best), reverse=True))

    def test_news_is_counted_and_found_by_words(self):
        rows = sample_rows("news_simulated.csv.gz")
        window = [row for row in rows if "2020-01-01" <= row["pub_day"] <= "2020-12-31"]
        counts = {}
        for row in window:
            counts[row["pub_day"], row["section"]] = counts.get((row["pub_day"], row["section"]), 0) + 1
        got = self.walk("/v1/news/daily?from=2020-01-01&to=2020-12-31&limit=13")
        self.assertEqual({(row["pub_day"], row["section"]): row["articles"] for row in got}, counts)
        self.assertEqual([row["pub_day"] for row in got], sorted((row["pub_day"] for row in got), reverse=True))
        words = {}
        for row in window:
            for word in {part.strip() for part in row["keywords"].split(";")} - {""}:
                words[word] = words.get(word, 0) + 1
        wanted = sorted(words.items(), key=lambda item: (-item[1], item[0].encode()))[:20]
        got = self.rows("/v1/news/keywords?from=2020-01-01&to=2020-12-31&top=20")
        self.assertEqual([(row["keyword"], row["articles"]) for row in got], wanted)
        found = self.walk("/v1/news?q=bank%20imaginary&section=Business&limit=10") + self.walk("/v1/news?q=BANK&limit=50")
        self.assertGreater(len(found), 5)
        for row in found:
            self.assertIn("bank", f"{row['headline']} {row['abstract']}".lower())
        listed = self.walk("/v1/news?section=Business&limit=40")
        self.assertEqual([row["pub_date"] for row in listed], sorted((row["pub_date"] for row in listed), reverse=True))
        self.assertEqual(len(listed), sum(row["section"] == "Business" for row in rows))
        article = rows[0]["article_id"]
        self.assertEqual(self.rows(f"/v1/news/{article}")["headline"], rows[0]["headline"])
        for unknown in ("1", "x", "9" * 30):
            self.assert_problem(self.get(f"/v1/news/{unknown}"), "not-found", about="article_id")

    def test_calendars_know_the_days_around_a_date(self):
        rows = [row for row in sample_rows("calendar.csv.gz") if row["market"] == "XNYS"]
        opened = [row["date"] for row in rows if row["is_open"] == "true"]
        market = next(row for row in self.rows("/v1/calendars") if row["market"] == "XNYS")
        self.assertEqual((market["first_date"], market["last_date"], market["days"], market["sessions"]),
                         (rows[0]["date"], rows[-1]["date"], len(rows), len(opened)))
        sessions = self.walk("/v1/calendars/XNYS/sessions?from=1999-12-01&to=2000-03-01&limit=20&select=date")
        self.assertEqual([row["date"] for row in sessions], [date for date in opened if "1999-12-01" <= date <= "2000-03-01"])
        for date in ("1999-12-31", "2001-09-12", "2022-12-31", "1989-06-01", "2000-01-01"):
            row = self.rows(f"/v1/calendars/XNYS/next-open?after={date}")
            self.assertEqual(row["next_open"], min((one for one in opened if one > date), default=None))
            self.assertEqual(row["previous_open"], max((one for one in opened if one < date), default=None))
            known = [one["is_open"] == "true" for one in rows if one["date"] == date]
            self.assertEqual(self.rows(f"/v1/calendars/XNYS?date={date}")["is_open"], known[0] if known else None)
        self.assertEqual(self.rows("/v1/calendars/XNYS/sessions?from=2000-01-01&to=2000-01-02"), [])
        for part in ("?date=2020-01-01", "/sessions", "/next-open?after=2020-01-01"):
            self.assert_problem(self.get("/v1/calendars/XNYSS" + part), "not-found", about="market", suggestion="XNYS", allowed="XKRX")
        self.assert_problem(self.get("/v1/calendars/XNYS/next-open"), "bad-value", about="after", allowed="required")

    def test_an_instrument_links_to_what_there_is_about_it(self):
        links = self.get("/v1/instruments/stock:US.AAPL").header("Link")
        for part in ("prices", "risk", "correlations"):
            self.assertIn(f'</v1/instruments/stock:US.AAPL/{part}>; rel="related"', links)
            self.assert_ok(self.get(f"/v1/instruments/stock:US.AAPL/{part}"))

    def test_the_catalogue_of_interfaces_leads_to_addresses_that_answer(self):
        answer = self.assert_ok(self.get("/.well-known/api-catalog"))
        self.assertEqual(answer.media_type, "application/linkset+json")
        for link in answer.json["linkset"]:
            for relation in set(link) - {"anchor"}:
                self.assert_ok(self.get(link[relation][0]["href"]))
        entry = self.get("/").header("Link")
        for relation in ("service-desc", "service-doc", "status", "api-catalog"):
            self.assertIn(f'rel="{relation}"', entry)


class OwnOnSqlite(Own, unittest.TestCase):
    backend_type = Sqlite


class OwnOnPostgresql(Own, unittest.TestCase):
    backend_type = Postgresql


class SampleOnSqlite(Sample, unittest.TestCase):
    backend_type = Sqlite


class SampleOnPostgresql(Sample, unittest.TestCase):
    backend_type = Postgresql


if __name__ == "__main__":
    unittest.main()
