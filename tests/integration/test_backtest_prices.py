"""Backtests on raw prices with corporate actions, and on other clocks, over HTTP and against the sample's rows."""

import datetime
import functools
import itertools
import unittest

from support.backend import Sqlite
from support.dataset import Dataset, sample_rows
from support.problems import Assertions

# A share with a split, one with quarterly dividends, one with a halt and a split, one that is delisted.
SHARES = ("stock:KRX.000910", "stock:KRX.900040", "stock:KRX.900030", "stock:KRX.900060")


@functools.lru_cache(maxsize=None)
def bars(uid):
    """The rows of an instrument that are no halt, oldest first."""
    return [row for row in sample_rows("prices_simulated.csv.gz") if row["uid"] == uid and not int(row["quality"]) & 4]


def held(uid, **changes):
    return {"assets": [{"uid": uid}], "strategy": "buy_and_hold", "currency": "KRW", "monkeys": {"count": 0}, **changes}


def growth(uid, first, last, dividends):
    """Value on the date last of one share bought on first, by the rules of docs/formulas.md, in plain arithmetic."""
    shares, before = 1.0, None
    for row in bars(uid):
        close, paid, split = float(row["close"]), float(row["dividend"]), float(row["split_ratio"])
        if row["date"] > last:
            break
        if row["date"] > first:
            shares *= split
            if dividends == "reinvest":
                shares *= 1 + paid / close
            elif dividends == "reinvest_previous_close":
                shares *= before / (before - paid * split)
        elif row["date"] == first:
            start = close
        before = close
    return shares * before / start


class Prices(Assertions, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Sqlite().server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def result(self, body):
        answer = self.server.post("/v1/backtests", body)
        self.assertIn(answer.status, (200, 201), answer)
        return answer.json["data"]

    def equity(self, body):
        table = self.result(body)["equity"]
        return dict(zip(table["date"], table["equity"]))

    def test_a_bond_of_which_only_yields_exist_is_worked_out_of_what_was_published(self):
        """In plain arithmetic over the publications of the sample; items of a batch and of a sweep have the same figures."""
        uid, other = "yield:AAA:USA:M:20Y:2:USD", "yield:BAA:USA:M:20Y:2:USD"
        published = sorted((row["known_at"][:10], float(row["value"]) / 100) for row in sample_rows("economic_indicators.csv.gz")
                           if (row["stat_code"], row["frequency"]) == ("AAA", "M"))
        start, end = datetime.date(2005, 3, 1), datetime.date(2008, 12, 31)
        days = [start + datetime.timedelta(n) for n in range((end - start).days + 1)]
        days = [day for day in days if day.weekday() < 5]
        yields = [[value for at, value in published if at <= day.isoformat()][-1] for day in days]
        value = 1.0
        for day, after, before, now in zip(days[1:], days[2:], yields[1:], yields[2:], strict=False):
            worth = [(before / 2 + (k == 40)) / (1 + before / 2) ** k for k in range(1, 41)]
            duration = sum(k / 2 * w for k, w in enumerate(worth, 1)) / (1 + before / 2)
            convexity = sum(k * (k + 1) / 4 * w for k, w in enumerate(worth, 1)) / (1 + before / 2) ** 2
            change = now - before
            value *= 1 + before * (after - day).days / 365 - duration * change + convexity * change * change / 2
        request = {"assets": [{"uid": uid}], "benchmark": other, "start": str(start), "end": str(end), "strategy": "buy_and_hold", "capital": 1000,
                   "monkeys": {"count": 5}}
        answer = self.server.post("/v1/backtests", request)
        self.assertIn(answer.status, (200, 201), answer)
        data = answer.json["data"]
        self.assertEqual(data["equity"]["date"], [day.isoformat() for day in days])
        self.assertAlmostEqual(data["equity"]["equity"][-1], 1000 * value, delta=1e-8)
        self.assertEqual(data["passport"]["coverage"][0]["flags"], ["synthetic"])
        self.assertIn("mart_economic_indicator", data["passport"]["data"])
        warning = next(w for w in answer.json["meta"]["warnings"] if w["code"] == "synthetic_prices")
        self.assertEqual(warning["uids"], [uid, other])
        for kind, body in (("batch", {"items": [request]}),
                           ("sweep", {"base": request, "axes": [{"pointer": "/assets/0/uid", "values": [other, uid]}]})):
            made = self.server.post(f"/v1/backtests:{kind}", body, prefer="wait=30")
            self.assertIn(made.status, (200, 201), made)
            rows = self.server.get(f"{made.header('Location')}/rows?limit=all").json["data"]
            self.assertIn((data["id"], data["equity"]["equity"][-1]), [(row["id"], row["final_equity"]) for row in rows])

    def test_a_bond_of_yields_that_cannot_be_is_refused_with_its_place(self):
        for uid, problem, word in (("yield:AAA:USA:M:20Y:2", "wrong-type", "no currency"), ("yield:AAA:USA:M:0Y:2:USD", "wrong-type", "maturity"),
                                   ("yield:NONE:USA:M:20Y:2:USD", "unknown-asset", "economic series"),
                                   ("yield:CPILFESL:USA:M:20Y:2:USD", "bad-data", "per cent")):
            with self.subTest(uid):
                answer = self.server.post("/v1/backtests", {"assets": [{"uid": "stock:US.KO"}, {"uid": uid}], "monkeys": {"count": 0}})
                self.assert_problem(answer, problem, about="/assets/1/uid")
                self.assertIn(word, answer.json["detail"])
                self.assertEqual(answer.json["errors"][0]["value"].strip('"'), uid)

    def test_an_economic_series_that_is_not_there_is_named_as_it_was_written(self):
        """Which part of a bond's uid is unknown, and the series whose code is the same or nearest."""
        for uid, series, nearest in (("yield:AAA:US:M:20Y:2:USD", "AAA:US:M", "yield:AAA:USA:M:20Y:2:USD"),
                                     ("yield:AAA:USA:D:7Y:1:EUR", "AAA:USA:D", "yield:AAA:USA:M:7Y:1:EUR"),
                                     ("yield:NONE:USA:M:20Y:2:USD", "NONE:USA:M", None)):
            with self.subTest(uid):
                answer = self.server.post("/v1/backtests", {"assets": [{"uid": "stock:US.KO"}], "benchmark": uid, "monkeys": {"count": 0}})
                self.assert_problem(answer, "unknown-asset", about="/benchmark")
                self.assertIn(f'"{series}"', answer.json["detail"])
                self.assertNotIn("indicator:", answer.text)
                self.assertEqual(answer.json["errors"][0].get("suggestion"), nearest)
        answer = self.server.post("/v1/backtests", {"assets": [{"uid": "stock:US.KO"}], "inflation": "indicator:CPILFES:USA:M"})
        self.assert_problem(answer, "unknown-asset", about="/inflation", suggestion="indicator:CPILFESL:USA:M")

    def test_raw_prices_with_reinvested_dividends_are_the_adjusted_prices(self):
        for uid in SHARES:
            with self.subTest(uid):
                raw, adjusted = self.equity(held(uid, prices="raw")), self.equity(held(uid))
                self.assertEqual(list(raw), list(adjusted))
                self.assertGreater(len(raw), 2000)
                for date, value in raw.items():
                    self.assertAlmostEqual(value / adjusted[date], 1, delta=1e-9, msg=date)

    def test_each_way_of_treating_dividends_is_the_arithmetic_of_its_rule(self):
        uid, (first, second, last) = SHARES[1], ("2012-01-02", "2012-01-03", "2019-12-30")
        seen = set()
        for dividends in ("reinvest", "reinvest_previous_close", "drop"):
            with self.subTest(dividends):
                line = self.equity(held(uid, start=first, end=last, prices="raw", dividends=dividends))
                expected = growth(uid, second, last, dividends)
                self.assertAlmostEqual(line[last] / line[second] / expected, 1, delta=1e-12)
                seen.add(round(expected, 6))
        self.assertEqual(len(seen), 3)

    def test_an_asset_that_has_only_adjusted_prices_is_not_mixed_in(self):
        body = {"assets": [{"uid": SHARES[0]}, {"uid": "stock:US.AAPL"}], "prices": "raw", "monkeys": {"count": 0}}
        answer = self.server.post("/v1/backtests", body)
        self.assert_problem(answer, "bad-spec", about="/prices", allowed="adjusted")
        self.assertIn("stock:US.AAPL has no raw prices", answer.json["detail"])

    def test_dividends_beside_adjusted_prices_are_refused(self):
        answer = self.server.post("/v1/backtests", held(SHARES[0], dividends="drop"))
        self.assert_problem(answer, "bad-spec", about="/dividends", allowed="raw")

    def test_the_seoul_clock_sees_new_york_a_day_later(self):
        request = {"assets": [{"uid": "stock:US.AAPL"}], "start": "2015-01-05", "end": "2015-12-30", "currency": "USD",
                   "rebalance": "never", "monkeys": {"count": 0}}
        plain = self.equity(request)
        based = self.equity({**request, "clock": {"base": "stock:KRX.900020"}})
        label = self.equity({**request, "clock": {"base": "stock:KRX.900020"}, "session_alignment": "same_label"})
        sessions = {row["date"] for row in bars("stock:KRX.900020")}
        self.assertEqual(set(based), {date for date in sessions if request["start"] <= date <= request["end"]})
        dates = sorted(set(based) & set(plain))[5:]
        for before, date in zip(dates, dates[1:]):
            if (datetime.date.fromisoformat(date) - datetime.date.fromisoformat(before)).days == 1:
                self.assertAlmostEqual(based[date] / based[dates[0]], self.last(plain, before) / self.last(plain, dates[0], -1), delta=1e-9)
                self.assertAlmostEqual(label[date] / label[dates[0]], plain[date] / plain[dates[0]], delta=1e-9)

    @staticmethod
    def last(line, date, offset=0):
        """The value at the last date up to the given one, or so many before it."""
        return line[[day for day in line if day <= date][offset - 1 if offset else -1]]

    def test_a_flow_follows_consumer_prices_as_they_were_published(self):
        body = {"assets": [{"uid": "stock:US.KO"}], "start": "2001-01-02", "end": "2004-12-31", "monkeys": {"count": 0}, "flows": [
            {"amount": 100, "every": "month", "linked_to": "indicator:CPILFESL:USA:M"}]}
        answer = self.server.post("/v1/backtests", body)
        self.assertIn(answer.status, (200, 201), answer)
        self.assertIn("mart_economic_indicator", answer.json["data"]["passport"]["data"])
        published = sorted((row["known_at"], float(row["value"])) for row in sample_rows("economic_indicators.csv.gz")
                           if row["stat_code"] == "CPILFESL")
        flows = answer.json["data"]["accounts"]["flows"]
        self.assertGreater(len(flows), 40)
        levels = [[value for known, value in published if known <= flow["date"] + "T20:00:00Z"][-1] for flow in flows]
        for flow, level in zip(flows, levels):
            self.assertAlmostEqual(flow["amount"], 100 * level / levels[0], delta=1e-9)
        self.assertGreater(flows[-1]["amount"], 105)
        body["flows"][0]["linked_to"] = "indicator:NONE:USA:M"
        self.assert_problem(self.server.post("/v1/backtests", body), "unknown-asset", about="/flows/0/linked_to", allowed="/v1/indicators")
        body["flows"][0]["linked_to"] = "index:NONE"
        self.assert_problem(self.server.post("/v1/backtests", body), "unknown-asset", about="/flows/0/linked_to")

    def test_series_are_read_once_for_all_backtests(self):
        def book():
            lines = (line.split(" ") for line in self.server.ops.get("/metrics").text.splitlines())
            return {name[len("cmmc_price_book_"):]: float(value) for name, value in (line for line in lines if len(line) == 2)
                    if name.startswith("cmmc_price_book_") and not name.startswith("cmmc_price_book_evictions")}
        request = {"universe": ["stock:US.PEP", "stock:US.MRK", "stock:KRX.900050"], "start": "2015-01-05", "end": "2016-12-29"}
        self.result(request)
        before = book()
        self.result({**request, "capital": 20000})
        after = book()
        self.assertEqual(after['requests_total{outcome="hit"}'] - before['requests_total{outcome="hit"}'], 5)  # and two rates
        self.assertEqual({**after, 'requests_total{outcome="hit"}': 0}, {**before, 'requests_total{outcome="hit"}': 0})
        self.assertGreater(after["bytes"], 3 * 3000 * 20)

    def test_backtests_of_the_same_assets_and_window_share_a_panel(self):
        def shelf(server):
            lines = (line.split(" ") for line in server.ops.get("/metrics").text.splitlines())
            return {name[len("cmmc_panel_cache_"):]: float(value) for name, value in (line for line in lines if len(line) == 2)
                    if name.startswith("cmmc_panel_cache_")}
        def request(weight, **more):
            return {"assets": [{"uid": "stock:US.AAPL", "weight": weight}, {"uid": "stock:KRX.900050", "weight": 1 - weight}],
                    "start": "2015-01-05", "end": "2016-12-29", "monkeys": {"count": 0}, "benchmark": "etf:KRX.910010", **more}
        requests = [request(0.5), request(0.25), request(0.25, rebalance="weekly"), request(0.25, max_stale=2), request(0.75, currency="KRW")]
        with Sqlite().server() as sharing, Sqlite().server(panel_cache_mib=0) as alone:
            for one in requests:
                self.assertEqual(sharing.post("/v1/backtests", one).body, self.assert_ok(alone.post("/v1/backtests", one), 201).body)
            found = shelf(sharing)
            self.assertEqual((found['requests_total{outcome="hit"}'], found['requests_total{outcome="miss"}'], found["panels"]), (2, 3, 3))
            self.assertGreater(found["bytes"], 3 * 2 * 400 * 9)
            self.assertEqual(shelf(alone).get("panels", 0), 0)

    def test_the_quality_of_each_series_and_its_actions_are_in_the_answer(self):
        request = {"universe": ["stock:KRX.000910", "stock:KRX.900040", "stock:KRX.900030"], "prices": "raw", "currency": "KRW",
                   "benchmark": "etf:KRX.910010", "monkeys": {"count": 0}}
        answer = self.server.post("/v1/backtests", request).json
        quality = {one["uid"]: one for one in answer["data"]["data_quality"]}
        clock = answer["data"]["passport"]["clock"]
        self.assertEqual([one["role"] for one in quality.values()], ["held", "held", "held", "benchmark"])
        for uid, one in quality.items():
            rows = bars(uid)
            self.assertEqual((one["checked_against"], one["first"], one["last"]), ("calendar", rows[0]["date"], rows[-1]["date"]))
            self.assertEqual((one["counts"], one["findings"]), ({}, []), uid)  # not even the halt of 900030
            inside = [row for row in rows if clock["first"] < row["date"] <= clock["last"]]
            actions = {"split": sum(row["split_ratio"] != "1" for row in inside), "dividend": sum(row["dividend"] != "0" for row in inside)}
            self.assertEqual(one.get("actions", {}), {kind: n for kind, n in actions.items() if n and one["role"] == "held"}, uid)
        self.assertNotIn("data_quality", [warning["code"] for warning in answer["meta"]["warnings"]])

    def test_what_is_doubtful_is_dated_and_warned_of(self):
        answer = self.server.post("/v1/backtests", {"assets": [{"uid": "stock:US.RRC"}], "start": "1990-01-02", "end": "1995-12-29",
                                                    "monkeys": {"count": 0}}).json
        one = answer["data"]["data_quality"][0]
        prices = [(row["date"], row["adj_close"]) for row in sample_rows("prices_us_stocks.csv.gz")
                  if row["uid"] == "stock:US.RRC" and row["date"] <= "1995-12-29"]
        runs = [list(group) for _, group in itertools.groupby(prices, key=lambda row: row[1])]
        expected = [{"kind": "stale_run", "from": run[0][0], "to": run[-1][0], "size": len(run)} for run in runs if len(run) > 5]
        self.assertGreater(len(expected), 0)
        self.assertEqual(one["findings"], expected[:20])
        self.assertEqual(one["counts"], {"stale_run": len(expected), "jump": 1})  # 1990-04-10
        warning = next(warning for warning in answer["meta"]["warnings"] if warning["code"] == "data_quality")
        self.assertEqual(warning["uids"], ["stock:US.RRC"])

    def test_an_unknown_base_is_named(self):
        answer = self.server.post("/v1/backtests", held(SHARES[0], clock={"base": "stock:KRX.00910"}))
        self.assert_problem(answer, "unknown-asset", about="/clock/base")


class Bonds(Assertions, unittest.TestCase):
    """A bond with terms, from its rows in the marts to its redemption."""

    FIRST, MATURITY = datetime.date(2020, 2, 3), datetime.date(2021, 1, 11)

    @classmethod
    def setUpClass(cls):
        backend = Sqlite(with_sample=False)
        backend.load(cls.dataset().folder)
        cls.server = backend.server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    @classmethod
    def dataset(cls):
        def instrument(uid, **terms):
            return {"uid": uid, "asset_class": uid.split(":")[0], "symbol": uid.split(":")[1], "name": uid, "market": "24_7",
                    "currency": "USD", "source": "test", "quote_unit": "price", "price_basis": "raw", "is_active": "true",
                    "delisted_on": None, "delisting_return": None, "is_survivor_biased": "false", "coupon_rate": None,
                    "coupons_per_year": None, "maturity_date": None, "day_count": None, **terms}

        def bar(uid, date, close):
            return {"uid": uid, "date": str(date), "close": str(close), "adj_close": str(close), "dividend": None, "split_ratio": None,
                    "currency": "USD", "source": "test", "quality": "0", "known_at": f"{date}T21:00:00Z"}
        days = [cls.FIRST + datetime.timedelta(days=i) for i in range(400)]
        days = [day for day in days if day.weekday() < 5]
        terms = {"coupon_rate": "0.06", "coupons_per_year": "2", "maturity_date": str(cls.MATURITY), "day_count": "act_act_icma",
                 "is_active": "false", "delisted_on": str(cls.MATURITY), "delisting_return": "0"}
        bars = [bar("bond:T.A", day, 100 if day == cls.MATURITY else 99) for day in days if day <= cls.MATURITY]
        paying = [{**bar("stock:T.D", day, 10), "dividend": "1" if str(day) in ("2020-03-02", "2020-06-01") else None} for day in days]
        return Dataset.of(mart_instrument=[instrument("bond:T.A", **terms), instrument("bond:T.B", **{**terms, "day_count": "act_365"}),
                                           instrument("stock:T.C"), instrument("stock:T.D"), instrument("stock:T.E"),
                                           instrument("stock:T.F"), instrument("stock:T.G")],
                          mart_price_daily=bars + [{**one, "uid": "bond:T.B"} for one in bars] + [bar("stock:T.C", day, 10) for day in days] + paying +
                          [bar("stock:T.E", day, 20) for day in days if str(day) < "2020-06-01"] +
                          [bar("stock:T.F", day, 20 if str(day) < "2020-06-01" else 15) for day in days] +
                          [bar("stock:T.G", day, 10 if str(day) < "2020-07-01" else 11) for day in days if str(day) >= "2020-06-01"],
                          mart_corporate_action=[{"uid": "stock:T.D", "date": "2020-03-02", "kind": "dividend", "into_uid": "stock:T.D",
                                                  "pay_date": "2020-03-21", "ratio": None, "cash": None, "source": "test"},
                                                 {"uid": "stock:T.E", "date": "2020-06-01", "kind": "merger", "into_uid": "stock:T.C",
                                                  "pay_date": None, "ratio": "2", "cash": "5", "source": "test"},
                                                 {"uid": "stock:T.F", "date": "2020-06-01", "kind": "spin_off", "into_uid": "stock:T.G",
                                                  "pay_date": None, "ratio": "0.5", "cash": None, "source": "test"}],
                          mart_fx_daily=[{"base": "EUR", "quote": "USD", "date": "2020-01-02", "rate": "1.1", "is_cross": "false",
                                          "source": "test", "is_filled": "false", "known_at": "2020-01-02T15:00:00Z"}])

    def test_a_bond_pays_its_coupons_and_is_redeemed_at_par(self):
        request = {"assets": [{"uid": "bond:T.A", "weight": 1}, {"uid": "stock:T.C", "weight": 0}], "start": "2020-02-03",
                   "end": "2021-02-10", "rebalance": "never", "monkeys": {"count": 0}, "prices": "raw", "capital": 1000,
                   "clock": "daily_24_7", "fill": "next_close"}
        paid_until = (datetime.date(2020, 2, 4) - datetime.date(2020, 1, 11)).days
        units = 1000 / (99 + 3 * paid_until / (datetime.date(2020, 7, 11) - datetime.date(2020, 1, 11)).days)
        for dividends, final in (("cash", 106), ("drop", 100)):
            answer = self.server.post("/v1/backtests", {**request, "dividends": dividends})
            self.assertIn(answer.status, (200, 201), answer)
            data = answer.json["data"]
            self.assertAlmostEqual(data["equity"]["equity"][-1], units * final, delta=1e-8)
            self.assertEqual(data["data_quality"][0]["actions"], {"coupon": 2})

    def test_a_dividend_is_a_receivable_until_it_is_paid(self):
        """100 shares: 100 is owed from Monday, 2 March, and paid on Monday the 23rd, the session after Saturday the 21st; of
        the second dividend nobody knows when it is paid."""
        request = {"assets": [{"uid": "stock:T.D"}], "start": "2020-02-03", "end": "2020-12-31", "rebalance": "never", "capital": 1000,
                   "monkeys": {"count": 0}, "prices": "raw", "dividends": "cash", "pay_on": "pay", "fill": "same_close"}
        answer = self.server.post("/v1/backtests", request)
        self.assertIn(answer.status, (200, 201), answer)
        data = answer.json["data"]
        owed = dict(zip(data["equity"]["date"], data["accounts"]["receivables"]))
        self.assertEqual({day for day, amount in owed.items() if amount}, {day for day in owed if "2020-03-02" <= day < "2020-03-23"})
        self.assertAlmostEqual(owed["2020-03-02"], 100, delta=1e-9)
        self.assertAlmostEqual(data["equity"]["equity"][-1], 1200, delta=1e-9)
        warning = next(w for w in answer.json["meta"]["warnings"] if w["code"] == "pay_date_missing")
        self.assertIn("1 dividend ", warning["detail"])
        self.assertEqual([row["uid"] for row in data["final_weights"]], ["stock:T.D", "cash", "receivables"])
        answer = self.server.post("/v1/backtests", {**request, "dividends": "reinvest"})
        self.assert_problem(answer, "bad-spec", about="/pay_on", allowed="cash")

    def test_a_share_that_is_merged_goes_on_as_the_other(self):
        """50 at 20 become 100 at 10, and 250 in cash; the answer says so, and reads a series nobody asked for."""
        request = {"assets": [{"uid": "stock:T.E"}], "start": "2020-02-03", "end": "2020-12-31", "rebalance": "never", "capital": 1000,
                   "monkeys": {"count": 0}, "prices": "raw", "dividends": "cash", "fill": "same_close"}
        answer = self.server.post("/v1/backtests", request)
        self.assertIn(answer.status, (200, 201), answer)
        data = answer.json["data"]
        self.assertAlmostEqual(data["equity"]["equity"][-1], 1250, delta=1e-9)
        self.assertAlmostEqual(data["accounts"]["dividends"], 250, delta=1e-9)
        self.assertEqual(data["data_quality"][0]["actions"], {"split": 1, "dividend": 1})
        warning = next(w for w in answer.json["meta"]["warnings"] if w["code"] == "shares_changed")
        self.assertIn("stock:T.E 2020-06-01 merger stock:T.C", warning["detail"])
        self.assertIn("mart_corporate_action", data["passport"]["data"])

    def test_shares_received_are_sold_or_kept(self):
        """50 at 20; 25 of G come with its first price and are worth 250, and later 275. A rebalance sells them."""
        request = {"assets": [{"uid": "stock:T.F"}], "start": "2020-02-03", "end": "2020-12-31", "rebalance": "never", "capital": 1000,
                   "monkeys": {"count": 5}, "prices": "raw", "dividends": "cash", "fill": "same_close", "attribution": True}
        sold = self.server.post("/v1/backtests", request).json["data"]
        self.assertAlmostEqual(sold["equity"]["equity"][-1], 1000, delta=1e-9)
        self.assertNotIn("spin_offs", sold["spec"])
        kept = self.server.post("/v1/backtests", {**request, "spin_offs": "keep"}).json["data"]
        self.assertAlmostEqual(kept["equity"]["equity"][-1], 1025, delta=1e-9)
        self.assertEqual(kept["spec"]["spin_offs"], "keep")
        trades = kept["trades"]["columns"]
        self.assertEqual((trades["uid"][1], trades["reason"][1], trades["date"][1]), ("stock:T.G", "spin_off", "2020-06-01"))
        self.assertAlmostEqual(trades["quantity"][1], 25, delta=1e-9)
        self.assertEqual([row["uid"] for row in kept["final_weights"]], ["stock:T.F", "stock:T.G", "cash"])
        self.assertAlmostEqual(kept["final_weights"][1]["weight"], 275 / 1025, delta=1e-12)
        self.assertEqual([row["role"] for row in kept["passport"]["coverage"]], ["held", "received"])
        assets = kept["attribution"]["assets"]
        self.assertEqual([row["uid"] for row in assets], ["stock:T.F", "stock:T.G"])
        self.assertAlmostEqual(assets[1]["contribution"], 0.025, delta=1e-9)
        self.assertAlmostEqual(kept["monkeys"]["statistics"]["terminal_wealth"]["percentile"], 0.5)
        monthly = self.server.post("/v1/backtests", {**request, "spin_offs": "keep", "rebalance": "monthly",
                                                     "costs": {"commission_bps": 100}}).json["data"]
        sales = [row for row in zip(*(monthly["trades"]["columns"][key] for key in ("uid", "side", "reason", "commission")))
                 if row[0] == "stock:T.G" and row[2] == "rebalance"]
        self.assertEqual(len(sales), 1)
        self.assertGreater(sales[0][3], 0)
        answer = self.server.post("/v1/backtests", {**request, "prices": "adjusted", "dividends": "reinvest", "spin_offs": "keep"})
        self.assert_problem(answer, "bad-spec", about="/spin_offs", allowed="raw")

    def test_money_that_is_paid_may_stay_in_its_currency(self):
        """Dividends of 100 dollars each, twice, in a run in euros: at one rate throughout both ways are worth the same."""
        request = {"assets": [{"uid": "stock:T.D"}], "start": "2020-02-03", "end": "2020-12-31", "rebalance": "never", "capital": 1000,
                   "currency": "EUR", "monkeys": {"count": 0}, "prices": "raw", "dividends": "cash", "fill": "same_close"}
        base = self.server.post("/v1/backtests", request).json["data"]
        answer = self.server.post("/v1/backtests", {**request, "cash_currency": "local"})
        self.assertIn(answer.status, (200, 201), answer)
        local = answer.json["data"]
        self.assertAlmostEqual(local["equity"]["equity"][-1], base["equity"]["equity"][-1], delta=1e-9)
        self.assertEqual([row["uid"] for row in local["final_weights"]], ["stock:T.D", "cash:USD", "cash"])
        self.assertEqual([row["uid"] for row in base["final_weights"]], ["stock:T.D", "cash"])
        trades = local["trades"]["columns"]
        self.assertEqual(trades["reason"], ["initial", "income", "income"])
        self.assertEqual(trades["currency"][1], "USD")
        self.assertEqual([row["role"] for row in local["passport"]["coverage"]], ["held", "money"])
        answer = self.server.post("/v1/backtests", {**request, "dividends": "reinvest", "cash_currency": "local"})
        self.assert_problem(answer, "bad-spec", about="/cash_currency", allowed="cash")

    def test_terms_that_are_not_known_are_named(self):
        body = {"assets": [{"uid": "bond:T.B"}], "prices": "raw", "monkeys": {"count": 0}}
        answer = self.server.post("/v1/backtests", body)
        self.assertEqual(answer.status, 422, answer)
        self.assertIn("act_365", answer.json["detail"])


if __name__ == "__main__":
    unittest.main()
