"""Backtests over HTTP and on the command line: numbers, identity of answers, and what is refused."""

import concurrent.futures
import csv
import datetime
import functools
import gzip
import http.client
import io
import itertools
import json
import math
import socket
import time
import unittest

import oracle
from support.backend import Postgresql, Sqlite
from support.client import Response
from support.dataset import Dataset, sample_rows, trades_of
from support.problems import Assertions
from support.server import SAMPLE, SLOW, run, sample_var_dir, scratch_folder

# The request of README.md.
README = {"assets": [{"uid": "stock:US.AAPL", "weight": 0.6}, {"uid": "stock:US.JPM", "weight": 0.4}],
          "start": "2000-01-03", "end": "2019-12-31", "capital": 100000, "currency": "USD", "rebalance": "monthly",
          "costs": {"commission_bps": 5, "slippage_bps": 5}, "benchmark": "index:SPX", "monkeys": {"count": 1000, "seed": 1}}
FOUR = {"assets": [{"uid": "stock:US.AAPL", "weight": 0.4}, {"uid": "stock:US.JPM", "weight": 0.3},
                   {"uid": "stock:US.KO", "weight": 0.2}, {"uid": "stock:US.XOM", "weight": 0.1}],
        "start": "2000-01-03", "end": "2019-12-31", "capital": 10000, "rebalance": "monthly",
        "costs": {"commission_bps": 5, "slippage_bps": 5}, "benchmark": "index:SPX", "monkeys": {"count": 0}}
SMALL = {"assets": [{"uid": "stock:US.AAPL", "weight": 0.6}, {"uid": "stock:US.JPM", "weight": 0.4}],
         "start": "2015-01-02", "end": "2016-12-30", "monkeys": {"count": 0}}
TOLERANCE = 1e-9


def near(a, b, tolerance=TOLERANCE):
    return a == b or abs(a - b) <= tolerance * max(abs(a), abs(b))


def without(request, *names):
    return {name: value for name, value in request.items() if name not in names}


@functools.lru_cache(maxsize=None)
def closes():
    """uid -> [(date, adjusted close, known at)], oldest first."""
    result = {}
    for path in ("prices_us_stocks.csv.gz", "prices_us_etfs.csv.gz", "prices_indices.csv.gz", "prices_commodities.csv.gz",
                 "prices_simulated.csv.gz"):
        for row in sample_rows(path):
            if row["adj_close"]:
                result.setdefault(row["uid"], []).append((row["date"], float(row["adj_close"]), row["known_at"]))
    return result


@functools.lru_cache(maxsize=None)
def euro_rates():
    result = {}
    for row in sample_rows("fx_ecb.csv.gz"):
        result.setdefault(row["quote"], []).append((row["date"], float(row["rate"]), row["known_at"]))
    return result


def rate_as_known(currency, base, date, known_at):
    """Units of base for one of currency, from the last EUR rates that could be known at an instant of a date."""
    def per_euro(one):
        return 1.0 if one == "EUR" else [rate for day, rate, known in euro_rates()[one] if day <= date and known <= known_at][-1]
    return per_euro(base) / per_euro(currency)


class Case(Assertions, unittest.TestCase):
    backend_type = Sqlite
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.backend = cls.backend_type()
        cls.server = cls.backend.server(**cls.settings).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def post(self, body, **headers):
        return self.server.post("/v1/backtests", body, **headers)

    def answer(self, body):
        answer = self.post(body)
        self.assertIn(answer.status, (200, 201), answer)
        return answer.json

    def result(self, body):
        return self.answer(body)["data"]

    def warnings(self, body):
        return {warning["code"]: warning["uids"] for warning in self.answer(body)["meta"]["warnings"]}

    def assert_line(self, given, expected, what):
        self.assertEqual(len(given), len(expected), what)
        for i, (a, b) in enumerate(zip(given, expected)):
            self.assertTrue(near(a, b), (what, i, a, b))


class Identity(Case):
    """One question has one id and one answer."""

    def test_the_first_answer_is_201_and_every_later_one_200_with_the_same_bytes(self):
        request = {**README, "capital": 100001}
        first, second = self.post(request), self.post(request)
        self.assertEqual((first.status, second.status), (201, 200))
        self.assertEqual(first.body, second.body)
        location = first.header("Location")
        self.assertEqual(location, "/v1/backtests/" + first.json["data"]["id"])
        self.assertEqual(second.header("Location"), location)
        self.assertEqual(second.header("ETag"), first.header("ETag"))
        self.assertIn("engine;dur=", first.header("Server-Timing"))
        stored = self.assert_ok(self.server.get(location))
        self.assertEqual(stored.body, first.body)
        self.assertEqual(stored.header("ETag"), first.header("ETag"))
        self.assertIn("immutable", stored.header("Cache-Control"))

    def test_a_stored_answer_is_found_again_by_another_server_on_the_same_database(self):
        first = self.post({**SMALL, "capital": 100002})
        with self.backend.server() as other:
            self.assertEqual(other.get(first.header("Location")).body, first.body)
            again = other.post("/v1/backtests", {**SMALL, "capital": 100002})
            self.assertEqual((again.status, again.body), (200, first.body))

    def test_prefer_return_minimal_gives_303_without_a_body(self):
        request = {**SMALL, "capital": 100003}
        for _ in range(2):
            answer = self.post(request, prefer="respond-async, return=minimal")
            self.assertEqual((answer.status, answer.body, answer.header("Preference-Applied")), (303, b"", "return=minimal"))
            self.assert_ok(self.server.get(answer.header("Location")))

    def test_stored_answers_are_conditional_and_have_heads(self):
        location = self.post(SMALL).header("Location")
        for target in (location, location + "/equity", location + "/equity?format=csv"):
            with self.subTest(target):
                answer, head = self.assert_ok(self.server.get(target)), self.server.head(target)
                self.assertEqual((head.status, head.body, head.header("Content-Length")), (200, b"", str(len(answer.body))))
                self.assertEqual(self.server.get(target, if_none_match=answer.header("ETag")).status, 304)
                for _ in range(2):
                    packed = self.assert_ok(self.server.get(target, accept_encoding="gzip"))
                    self.assertEqual((packed.header("Content-Encoding"), gzip.decompress(packed.body)), ("gzip", answer.body))
                    self.assertNotEqual(packed.header("ETag"), answer.header("ETag"))
                self.assertEqual(self.server.get(target, accept_encoding="gzip", if_none_match=packed.header("ETag")).status, 304)
        tags = {self.server.get(location + end).header("ETag") for end in ("", "/equity", "/equity?format=csv")}
        self.assertEqual(len(tags), 3)

    def test_a_tag_of_an_unknown_backtest_is_not_304(self):
        for end in ("", "/equity"):
            answer = self.server.get("/v1/backtests/" + "0" * 64 + end, if_none_match="*")
            self.assert_problem(answer, "unknown-backtest", about="id")

    def test_an_unknown_or_malformed_id_is_404(self):
        location = self.post(SMALL).header("Location")
        for identifier in ("0" * 64, "x", location.rsplit("/", 1)[-1][:-1], location.rsplit("/", 1)[-1].upper(), "0" * 65):
            for end in ("", "/equity", "/equity?format=csv"):
                self.assert_problem(self.server.get(f"/v1/backtests/{identifier}{end}"), "unknown-backtest", about="id",
                                    allowed="64 hexadecimal digits")

    def test_spelling_does_not_change_the_id(self):
        request = {**SMALL, "capital": 10000, "currency": "USD", "strategy": "fixed", "rebalance": "monthly", "fill": "next_close",
                   "costs": {"commission_bps": 0, "slippage_bps": 0}, "max_stale": 5, "risk_free_rate": 0, "on_weight_sum": "reject"}
        expected = self.post(SMALL)
        spellings = [json.dumps(request), json.dumps(request, indent=3), json.dumps(dict(reversed(request.items()))),
                     json.dumps({**SMALL, "capital": 1e4}), json.dumps({**SMALL, "capital": None, "benchmark": None, "fill": None}),
                     json.dumps({**SMALL, "risk_free_rate": -0.0}), json.dumps(SMALL).replace("AAPL", "\\u0041APL"),
                     json.dumps({**SMALL, "monkeys": {"count": 0, "seed": 99}})]
        for text in spellings:
            with self.subTest(text):
                answer = self.post(text.encode())
                self.assertEqual((answer.status, answer.body), (200, expected.body))

    def test_open_dates_give_the_same_answer_as_the_dates_they_stand_for(self):
        request = {"universe": ["stock:US.AAPL", "index:IXIC"], "monkeys": {"count": 0}}
        answer = self.post(request)
        self.assertEqual((answer.json["data"]["spec"]["start"], answer.json["data"]["spec"]["end"]), ("1999-01-04", "2018-12-31"))
        explicit = self.post({**request, "start": "1999-01-04", "end": "2018-12-31"})
        self.assertEqual(explicit.body, answer.body)

    def test_every_field_that_matters_changes_the_id(self):
        changes = [{"capital": 10001}, {"start": "2015-01-05"}, {"end": "2016-12-29"}, {"rebalance": "weekly"}, {"fill": "same_close"},
                   {"benchmark": "index:SPX"}, {"risk_free_rate": 0.01}, {"costs": {"commission_bps": 1}}, {"costs": {"slippage_bps": 1}},
                   {"currency": "KRW"}, {"strategy": "buy_and_hold"}, {"max_stale": 6}, {"monkeys": {"count": 5}},
                   {"monkeys": {"count": 5, "seed": 2}}, {"monkeys": {"count": 5, "universe": ["stock:US.AAPL", "stock:US.JPM", "stock:US.KO"]}},
                   {"assets": list(reversed(SMALL["assets"]))}]
        ids = [self.result({**SMALL, **change})["id"] for change in [{}] + changes]
        self.assertEqual(len(set(ids)), len(ids))

    def test_twenty_equal_requests_at_once_get_one_answer(self):
        request = {**README, "capital": 100020}
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(self.post, itertools.repeat(request, 20)))
        self.assertEqual({answer.status for answer in answers} - {200, 201}, set(), answers[0])
        self.assertEqual(len({answer.header("Location") for answer in answers}), 1)
        self.assertEqual(len({answer.body for answer in answers}), 1)

    def test_select_keeps_parts_of_the_answer_in_their_own_bytes(self):
        answer = self.post(SMALL)
        location, whole = answer.header("Location"), answer.json
        for select, parts in (("metrics", ["id", "metrics"]), ("costs,spec", ["id", "spec", "costs"]), ("id", ["id"])):
            cut = self.assert_ok(self.server.get(f"{location}?select={select}"))
            self.assertEqual(cut.json, {"data": {part: whole["data"][part] for part in parts}, "meta": whole["meta"]})
            self.assertEqual(list(cut.json["data"]), parts)
            self.assertEqual(self.server.post(f"/v1/backtests?select={select}", SMALL).body, cut.body)
            self.assertNotEqual(cut.header("ETag"), answer.header("ETag"))
            self.assertEqual(self.server.get(f"{location}?select={select}", if_none_match=cut.header("ETag")).status, 304)
        inner = self.assert_ok(self.server.get(f"{location}?select=metrics.sharpe,costs.commission,metrics.cagr,drawdowns")).json["data"]
        self.assertEqual(list(inner), ["id", "metrics", "drawdowns", "costs"])
        self.assertEqual(inner["metrics"], {name: whole["data"]["metrics"][name] for name in ("cagr", "sharpe")})
        self.assertEqual(inner["costs"], {"commission": whole["data"]["costs"]["commission"]})
        self.assert_problem(self.server.get(location + "?select=metrics.sharp"), "unknown-column", about="select", suggestion="sharpe")
        self.assert_problem(self.server.get(location + "?select=drawdowns.depth"), "unknown-column", about="select")
        self.assert_problem(self.server.get(location + "?select=metrisc"), "unknown-column", about="select", suggestion="metrics", allowed="equity")
        self.assert_problem(self.server.post("/v1/backtests?select=metrisc", SMALL), "unknown-column", about="select")

    def test_equity_comes_as_json_and_csv_with_the_values_of_the_answer(self):
        answer = self.post({**SMALL, "benchmark": "index:IXIC", "end": "2019-01-31"})
        equity, location = answer.json["data"]["equity"], answer.header("Location")
        rows = self.assert_ok(self.server.get(location + "/equity")).json
        warnings = answer.json["meta"]["warnings"]
        self.assertTrue(warnings)
        self.assertEqual(rows["meta"], {"backtest": answer.json["data"]["id"], "returned": len(equity["date"]), "warnings": warnings})
        for name in ("date", "equity", "drawdown", "benchmark"):
            self.assertEqual([row[name] for row in rows["data"]], equity[name])
        table = self.assert_ok(self.server.get(location + "/equity", accept="text/csv"))
        self.assertEqual(table.header("Data-Warnings"), ", ".join(warning["code"] for warning in warnings))
        self.assertEqual(table.rows[0], ["date", "equity", "drawdown", "benchmark"])
        self.assertEqual([[row[0]] + [None if field == "" else float(field) for field in row[1:]] for row in table.rows[1:]],
                         [[row["date"], row["equity"], row["drawdown"], row["benchmark"]] for row in rows["data"]])
        self.assertTrue(table.body.endswith(b"\r\n"))
        lines = self.assert_ok(self.server.get(location + "/equity?format=ndjson"))
        self.assertEqual(lines.media_type, "application/x-ndjson")
        self.assertEqual([json.loads(line) for line in lines.text.splitlines()], rows["data"])
        self.assertEqual(lines.header("Data-Warnings"), table.header("Data-Warnings"))
        columns = self.assert_ok(self.server.get(location + "/equity?format=arrow"))
        self.assertEqual((columns.media_type, columns.body[:4]), ("application/vnd.apache.arrow.stream", b"\xff" * 4))
        self.assertEqual(len({answer.header("ETag") for answer in (table, lines, columns)}), 3)
        self.assertIn("immutable", lines.header("Cache-Control"))
        self.assert_problem(self.server.get(location + "/equity", accept="image/png"), "not-acceptable", allowed="text/csv")
        self.assert_problem(self.server.get(location + "?format=csv"), "bad-value", about="format", allowed="json")


class Numbers(Case):
    """The engine against calculations that share nothing with it but the definitions."""

    def compare_with_oracle(self, request, at_least=10):
        given, expected = self.result(request), oracle.run(request, str(SAMPLE))
        self.assertEqual(given["equity"]["date"], expected["date"])
        self.assert_line(given["equity"]["equity"], expected["equity"], "equity")
        known = {name: value for name, value in expected["metrics"].items() if value is not None}
        self.assertGreaterEqual(len(known), at_least)
        for name, value in known.items():
            self.assertTrue(near(given["metrics"][name]["value"], value), (name, given["metrics"][name], value))
        for name, value in expected["costs"].items():
            self.assertTrue(near(given["costs"][name], value), (name, given["costs"], value))

    def test_four_real_stocks_rebalanced_monthly_agree_with_an_independent_calculation(self):
        self.compare_with_oracle(FOUR)

    def test_other_rules_agree_with_the_independent_calculation(self):
        for change in [{"rebalance": "quarterly"}, {"rebalance": "weekly", "costs": {"commission_bps": 25, "slippage_bps": 0}},
                       {"rebalance": "daily", "start": "2010-01-04", "end": "2012-12-31"}, {"rebalance": "yearly"}, {"rebalance": "never"},
                       {"costs": None}, {"fill": "same_close"}, {"risk_free_rate": 0.03}, {"capital": 123456.78}]:
            with self.subTest(change):
                self.compare_with_oracle({**FOUR, **change})

    def test_money_of_other_currencies_agrees_with_the_independent_calculation(self):
        for currency in ("KRW", "EUR", "JPY"):
            with self.subTest(currency):
                self.compare_with_oracle({**FOUR, "currency": currency, "start": "2005-01-03", "end": "2012-12-31"})

    def test_one_asset_held_in_another_currency_is_its_price_times_the_rate_as_known(self):
        for uid, own, base in (("stock:US.AAPL", "USD", "KRW"), ("stock:US.AAPL", "USD", "EUR"), ("stock:US.AAPL", "USD", "JPY"),
                               ("stock:KRX.900010", "KRW", "USD"), ("stock:KRX.900010", "KRW", "EUR")):
            with self.subTest(uid=uid, base=base):
                equity = self.result({"universe": [uid], "strategy": "buy_and_hold", "start": "2018-03-02", "end": "2018-06-29",
                                      "currency": base, "capital": 1000, "monkeys": {"count": 0}})["equity"]
                bars = [bar for bar in closes()[uid] if "2018-03-02" <= bar[0] <= "2018-06-29"]
                worth = [price * rate_as_known(own, base, date, known) for date, price, known in bars]
                self.assertEqual(equity["date"], [date for date, _, _ in bars])
                # Decided on the first day, bought at the second day's close.
                self.assert_line(equity["equity"], [1000, 1000] + [1000 * value / worth[1] for value in worth[2:]], uid)

    def test_the_past_does_not_depend_on_the_future(self):
        assets = [{"uid": "stock:US.AAPL", "weight": 0.5}, {"uid": "stock:KRX.900010", "weight": 0.3}, {"uid": "coin:SIMBTCUSDT", "weight": 0.2}]
        for rebalance in ("weekly", "monthly", "quarterly", "yearly"):
            request = {"assets": assets, "start": "2016-01-04", "rebalance": rebalance, "currency": "EUR", "benchmark": "index:SPX",
                       "costs": {"commission_bps": 10}, "monkeys": {"count": 0}}
            whole = self.result({**request, "end": "2018-12-28"})["equity"]
            for end in ("2016-03-31", "2017-01-02", "2018-01-31"):
                part = self.result({**request, "end": end})["equity"]
                n = len(part["date"])
                for name in ("date", "equity", "drawdown", "benchmark"):
                    self.assertEqual(part[name], whole[name][:n], (rebalance, end, name))

    def test_a_coin_trades_every_day_and_is_annualised_over_365(self):
        result = self.result({"universe": ["coin:SIMBTCUSDT"], "start": "2018-01-01", "end": "2018-12-31", "monkeys": {"count": 0}})
        self.assertEqual((result["passport"]["periods_per_year"], result["passport"]["sessions"]), (365, 365))
        mixed = self.result({"universe": ["coin:SIMBTCUSDT", "stock:US.AAPL"], "start": "2018-01-02", "end": "2018-12-31", "monkeys": {"count": 0}})
        self.assertEqual((mixed["passport"]["periods_per_year"], mixed["passport"]["sessions"]), (365, 364))
        stocks = self.result(SMALL)
        self.assertEqual(stocks["passport"]["periods_per_year"], 252)

    def test_the_parts_of_an_answer_agree_with_each_other(self):
        result = self.result(FOUR)
        equity, capital = result["equity"]["equity"], FOUR["capital"]
        returns = [after / before - 1 for before, after in zip(equity, equity[1:])]
        peaks = list(itertools.accumulate(equity, max))
        self.assert_line(result["equity"]["drawdown"], [value / peak - 1 for value, peak in zip(equity, peaks)], "drawdown")
        metrics = {name: one["value"] for name, one in result["metrics"].items()}
        mean = math.fsum(returns) / len(returns)
        deviation = math.sqrt(math.fsum((one - mean) ** 2 for one in returns) / (len(returns) - 1))
        for name, expected in [("total_return", equity[-1] / capital - 1), ("max_drawdown", min(result["equity"]["drawdown"])),
                               ("volatility", deviation * math.sqrt(252)), ("annual_mean", mean * 252), ("sharpe", mean / deviation * math.sqrt(252)),
                               ("best_day", max(returns)), ("worst_day", min(returns)),
                               ("positive_days", sum(one > 0 for one in returns) / len(returns)),
                               ("n_rebalances", len({trade["date"] for trade in trades_of(result) if trade["reason"] == "rebalance"}))]:
            self.assertTrue(near(metrics[name], expected), (name, metrics[name], expected))
        costs, trades = result["costs"], trades_of(result)
        self.assertFalse(result["trades"]["truncated"])
        self.assertEqual(result["trades"]["count"], len(trades))
        self.assertTrue(near(costs["commission"], math.fsum(trade["commission"] for trade in trades)))
        self.assertTrue(near(costs["total"], costs["commission"] + costs["slippage"]))
        self.assertEqual(costs["net_terminal"], equity[-1])
        self.assertTrue(near(costs["drag"], costs["gross_terminal"] - costs["net_terminal"]))
        self.assertGreater(costs["drag"], 0)
        for trade in trades:
            self.assertTrue(near(trade["value"], trade["quantity"] * trade["price"] * trade["fx"]), trade)
            self.assertTrue(near(trade["commission"], trade["value"] * 5e-4), trade)
        weights = result["final_weights"]
        self.assertEqual([one["uid"] for one in weights], [one["uid"] for one in FOUR["assets"]] + ["cash"])
        self.assertTrue(near(math.fsum(one["weight"] for one in weights), 1))
        self.assertTrue(near(math.fsum(one["value"] for one in weights), equity[-1]))
        compounded = math.prod(1 + month for year in result["monthly"] for month in year["months"] if month is not None)
        self.assertTrue(near(compounded, equity[-1] / capital))
        self.assertTrue(near(math.prod(1 + year["total"] for year in result["monthly"]), equity[-1] / capital))
        deepest = result["drawdowns"][0]
        self.assertEqual(deepest["depth"], metrics["max_drawdown"])
        self.assertEqual(result["equity"]["date"][result["equity"]["drawdown"].index(deepest["depth"])], deepest["trough"])

    def test_prices_of_trades_are_those_of_the_sample(self):
        prices = {uid: {date: price for date, price, _ in closes()[uid]} for uid in (one["uid"] for one in FOUR["assets"])}
        for trade in trades_of(self.result(FOUR)):
            self.assertEqual((trade["price"], trade["fx"], trade["currency"]), (prices[trade["uid"]][trade["date"]], 1, "USD"))

    def test_costs_and_capital_scale_as_they_should(self):
        base, double = self.result(FOUR), self.result({**FOUR, "capital": 20000})
        self.assert_line(double["equity"]["equity"], [2 * value for value in base["equity"]["equity"]], "capital")
        free = self.result({**FOUR, "costs": {}})
        self.assertTrue(near(free["equity"]["equity"][-1], base["costs"]["gross_terminal"]))
        self.assertEqual(free["costs"]["total"], 0)

    def test_monkeys_are_drawn_by_their_seed_and_ranked(self):
        universe = [f"stock:US.{symbol}" for symbol in ("AAPL", "AMD", "BAC", "GE", "JPM", "KO", "PG", "XOM")]
        request = {**SMALL, "monkeys": {"count": 200, "seed": 7, "universe": universe}}
        report = self.result(request)["monkeys"]
        self.assertEqual((report["count"], report["seed"], report["names_each"], report["universe_size"]), (200, 7, 2, 8))
        for name, row in report["statistics"].items():
            with self.subTest(name):
                quantiles = list(row["quantiles"].values())
                self.assertEqual(quantiles, sorted(quantiles))
                self.assertEqual(row["n"], 200)
                self.assertTrue(1 / 201 <= row["p_value"] <= 1 and 0 <= row["percentile"] <= 1, row)
                self.assertLessEqual(abs(row["percentile"] + row["p_value"] - 1), 0.02)
        other = self.result({**request, "monkeys": {**request["monkeys"], "seed": 8}})["monkeys"]
        self.assertNotEqual(other["statistics"], report["statistics"])
        result = self.result(request)
        self.assertEqual(report["statistics"]["cagr"]["strategy"], result["metrics"]["cagr"]["value"])
        self.assertEqual(report["statistics"]["terminal_wealth"]["strategy"], result["equity"]["equity"][-1])

    def test_a_monkey_with_the_strategy_s_only_choice_ties_with_it(self):
        request = {"universe": ["stock:US.AAPL"], "start": "2015-01-02", "end": "2015-12-31", "monkeys": {"count": 10}}
        for row in self.result(request)["monkeys"]["statistics"].values():
            self.assertEqual((row["percentile"], row["p_value"]), (0.5, 1))

    def test_a_benchmark_that_closes_later_is_used_as_far_as_it_is_known(self):
        # New York closes after Korea: of the same day, its last known price is that of the day before. That is one session old,
        # not older than max_stale; the VIX is published 15 minutes after the stocks' close.
        for uid, currency, benchmark in (("stock:KRX.900010", "KRW", "index:SPX"), ("stock:US.AAPL", "USD", "index:VIX")):
            with self.subTest(benchmark):
                result = self.result({"universe": [uid], "start": "2015-01-05", "end": "2016-12-29", "currency": currency,
                                      "benchmark": benchmark, "monkeys": {"count": 0}})
                line = result["equity"]["benchmark"]
                self.assertIsNotNone(line)
                self.assertGreater(sum(value is not None for value in line), 0.9 * len(line))
                self.assertIsNotNone(result["metrics"]["beta"]["value"])

    def test_what_is_undefined_is_null_with_a_reason(self):
        metrics = self.result(SMALL)["metrics"]
        for name in ("beta", "alpha", "tracking_error", "information_ratio", "up_capture"):
            self.assertEqual((metrics[name]["value"], metrics[name]["reason"]), (None, "no_benchmark"))
        short = self.result({**SMALL, "start": "2015-01-02", "end": "2015-01-06"})["metrics"]
        undefined = {name: one["reason"] for name, one in short.items() if one["value"] is None}
        self.assertIn("too_short", undefined.values())
        for one in short.values():
            self.assertTrue(one["value"] is None or math.isfinite(one["value"]))

    def test_a_benchmark_has_metrics_of_its_own(self):
        request = {**SMALL, "benchmark": "stock:US.AAPL"}
        alone = self.result({"universe": ["stock:US.AAPL"], "strategy": "buy_and_hold", "fill": "same_close", "monkeys": {"count": 0},
                             "start": SMALL["start"], "end": SMALL["end"]})
        result = self.result(request)
        for name in ("total_return", "volatility", "max_drawdown", "sharpe"):
            self.assertTrue(near(result["metrics"][name]["benchmark"], alone["metrics"][name]["value"]), name)
        self.assert_line(result["equity"]["benchmark"], alone["equity"]["equity"], "benchmark")

    def test_a_delisted_holding_becomes_cash_with_its_last_return(self):
        uid = "stock:KRX.900060"
        result = self.result({"universe": [uid], "strategy": "buy_and_hold", "start": "2018-01-02", "currency": "KRW", "monkeys": {"count": 0}})
        bars = [bar for bar in closes()[uid] if bar[0] >= "2018-01-02"]
        units = 10000 / bars[1][1]
        self.assertEqual(result["equity"]["date"][-2:], ["2018-09-14", "2018-09-15"])
        self.assertTrue(near(result["equity"]["equity"][-2], units * bars[-1][1]))
        self.assertTrue(near(result["equity"]["equity"][-1], units * bars[-1][1] * 0.7))
        trade = trades_of(result)[-1]
        self.assertEqual((trade["reason"], trade["side"], trade["uid"]), ("delisting", "sell", uid))
        self.assertTrue(near(result["costs"]["delisting_gain"], -0.3 * units * bars[-1][1]))
        coverage = {one["uid"]: one for one in result["passport"]["coverage"]}
        self.assertEqual(coverage[uid]["last_used"], "2018-09-14")
        self.assertIsNotNone(coverage[uid]["delisted_on"])
        self.assertEqual(result["final_weights"][-1]["weight"], 1)

    def test_money_from_a_delisting_goes_to_the_others_at_the_next_rebalance(self):
        result = self.result({"universe": ["stock:KRX.900060", "stock:KRX.900010"], "strategy": "equal", "rebalance": "monthly", "currency": "KRW",
                              "start": "2018-08-01", "end": "2018-12-28", "monkeys": {"count": 0}})
        weights = {one["uid"]: one["weight"] for one in result["final_weights"]}
        self.assertEqual(weights["stock:KRX.900060"], 0)
        self.assertTrue(near(weights["stock:KRX.900010"], 1))
        self.assertTrue(all(trade["uid"] != "stock:KRX.900060" for trade in trades_of(result) if trade["date"] > "2018-09-17"))

    def test_a_bond_repaid_at_par_is_delisted_without_loss(self):
        result = self.result({"universe": ["bond:SIM.CORP5Y"], "strategy": "buy_and_hold", "start": "2018-01-02", "currency": "KRW",
                              "monkeys": {"count": 0}})
        self.assertEqual(result["equity"]["equity"][-1], result["equity"]["equity"][-2])
        self.assertEqual(result["costs"]["delisting_gain"], 0)

    def test_a_bond_of_the_sample_accrues_pays_its_coupons_and_is_redeemed_at_par(self):
        result = self.result({"universe": ["bond:SIM.CORP5Y"], "strategy": "buy_and_hold", "start": "2018-01-02", "currency": "KRW",
                              "prices": "raw", "dividends": "cash", "monkeys": {"count": 0}})
        bought = trades_of(result)[0]
        self.assertEqual(bought["date"], "2018-01-03")
        clean = float(next(row["close"] for row in sample_rows("prices_simulated.csv.gz") if row["uid"] == "bond:SIM.CORP5Y" and row["date"] == "2018-01-03"))
        days = [datetime.date(2017, 9, 11), datetime.date(2018, 1, 3), datetime.date(2018, 3, 11)]
        full = clean + 2.1 * (days[1] - days[0]).days / (days[2] - days[0]).days
        self.assertTrue(near(bought["price"], full), (bought["price"], full))
        self.assertTrue(near(result["equity"]["equity"][-1], 10000 / full * (100 + 4 * 2.1)))
        self.assertEqual(result["data_quality"][0]["actions"], {"coupon": 4})

    def test_a_halted_stock_keeps_its_last_price_and_cannot_be_traded(self):
        request = {"universe": ["stock:KRX.900030", "stock:KRX.900010"], "start": "2015-02-02", "end": "2015-04-30",
                   "currency": "KRW", "rebalance": "daily", "monkeys": {"count": 0}}
        answer = self.post(request).json
        halted = next(row for row in answer["data"]["passport"]["coverage"] if row["uid"] == "stock:KRX.900030")
        self.assertEqual((halted["stale_sessions"], halted["suspended_sessions"]), (30, 25))
        self.assertIn("suspended", [warning["code"] for warning in answer["meta"]["warnings"]])
        traded = [row["date"] for row in trades_of(answer["data"]) if row["uid"] == "stock:KRX.900030"]
        self.assertEqual([date for date in traded if "2015-03-02" <= date <= "2015-04-10"], [])
        self.assertTrue(any(date > "2015-04-10" for date in traded))
        self.compare_with_oracle(request)

    def test_a_closed_market_delays_a_rebalance_and_long_silence_is_suspension(self):
        request = {"universe": ["coin:SIMBTCUSDT", "stock:US.AAPL"], "strategy": "equal", "rebalance": "daily", "start": "2018-01-02",
                   "end": "2018-03-30", "monkeys": {"count": 0}}
        open_days = {date for date, _, _ in closes()["stock:US.AAPL"]}
        trades = trades_of(self.result(request))
        self.assertTrue(trades and all(trade["date"] in open_days for trade in trades))
        self.assertNotIn("suspended", self.warnings(request))
        self.assertEqual(self.warnings({**request, "max_stale": 1})["suspended"], ["stock:US.AAPL"])

    def test_weights_that_do_not_add_up_follow_on_weight_sum(self):
        half = [{"uid": "stock:US.AAPL", "weight": 0.3}, {"uid": "stock:US.JPM", "weight": 0.2}]
        normal = self.result({**SMALL, "assets": half, "on_weight_sum": "normalize"})
        self.assertEqual(normal["equity"], self.result(SMALL)["equity"])
        cash = self.result({**SMALL, "assets": half, "on_weight_sum": "cash"})
        self.assertEqual(cash["final_weights"][-1]["target_weight"], 0.5)
        self.assertIn("cash_residual", self.warnings({**SMALL, "assets": half, "on_weight_sum": "cash"}))
        more = [{"uid": "stock:US.AAPL", "weight": 3}, {"uid": "stock:US.JPM", "weight": 2}]
        self.assertEqual(self.result({**SMALL, "assets": more, "on_weight_sum": "normalize"})["equity"], normal["equity"])


class Warnings(Case):
    def test_what_a_reader_must_know_is_said_and_names_whom_it_concerns(self):
        for request, code, uids in [
                ({"universe": ["coin:SIMBTCUSDT"], "start": "2018-01-01", "end": "2019-06-30"}, "simulated_data", ["coin:SIMBTCUSDT"]),
                (SMALL, "survivorship", ["stock:US.AAPL", "stock:US.JPM"]), (SMALL, "adjusted_prices", ["stock:US.AAPL", "stock:US.JPM"]),
                ({**SMALL, "benchmark": "index:SPX"}, "benchmark_price_index", ["index:SPX"]), ({**SMALL, "fill": "same_close"}, "same_close", []),
                ({**SMALL, "end": "2015-06-30"}, "annualised_from_short_window", []),
                ({**SMALL, "monkeys": {"count": 5, "universe": ["stock:US.AAPL"]}}, "universe_too_small", []),
                ({**SMALL, "monkeys": {"count": 5, "universe": ["stock:US.AAPL", "stock:US.JPM", "bond:SIM.CORP5Y", "index:VIX", "coin:SIMETHUSDT"]}},
                 # The coin begins later; the VIX is known 15 minutes after the stocks' close, when nobody can buy at it.
                 "universe_excluded", ["coin:SIMETHUSDT", "index:VIX"]),
                ({**SMALL, "benchmark": "index:IXIC", "end": "2019-06-28"}, "benchmark_ends_early", ["index:IXIC"]),
                ({**SMALL, "benchmark": "etf:US.MTUM", "start": "2013-06-03"}, "benchmark_starts_late", ["etf:US.MTUM"]),
                ({**SMALL, "benchmark": "index:IXIC", "start": "2019-06-03", "end": "2020-12-31"}, "benchmark_unusable", ["index:IXIC"]),
                ({"universe": ["stock:KRX.900060"], "start": "2018-01-02", "currency": "KRW"}, "delisted", ["stock:KRX.900060"])]:
            with self.subTest(code=code, request=request):
                found = self.warnings({"monkeys": {"count": 0}, **request})
                self.assertIn(code, found)
                self.assertEqual(sorted(found[code]), sorted(uids))

    def test_a_plain_index_has_no_warning_of_origin(self):
        found = self.warnings({"universe": ["index:SPX"], "start": "2010-01-04", "end": "2012-12-31", "monkeys": {"count": 0}})
        self.assertEqual(set(found) & {"simulated_data", "survivorship", "adjusted_prices"}, set())


def replaced(change):
    return {**SMALL, **change}


# (what it is, body, problem, where, part of what is allowed)
REFUSED = [
    ("unknown symbol", replaced({"assets": [{"uid": "stock:US.APPL", "weight": 1}]}), "unknown-asset", "/assets/0/uid", "/v1/instruments"),
    ("unknown symbol, second", replaced({"assets": [{"uid": "stock:US.AAPL", "weight": 0.5}, {"uid": "stock:US.JMP", "weight": 0.5}]}), "unknown-asset", "/assets/1/uid", "/v1/instruments"),
    ("unknown benchmark", replaced({"benchmark": "index:SPY"}), "unknown-asset", "/benchmark", "/v1/instruments"),
    ("unknown name in the universe", {"universe": ["stock:US.AAPL", "stock:US.NONE"]}, "unknown-asset", "/universe/1", "/v1/instruments"),
    ("unknown name in the monkeys' universe", replaced({"monkeys": {"count": 5, "universe": ["stock:US.AAPL", "stock:US.NONE"]}}), "unknown-asset", "/monkeys/universe/1", "/v1/instruments"),
    ("weights below 1", replaced({"assets": [{"uid": "stock:US.AAPL", "weight": 0.5}, {"uid": "stock:US.JPM", "weight": 0.4}]}), "bad-weights", "/assets", "add up to 1"),
    ("weights above 1", replaced({"assets": [{"uid": "stock:US.AAPL", "weight": 0.7}, {"uid": "stock:US.JPM", "weight": 0.4}]}), "bad-weights", "/assets", "normalize"),
    ("weights just off 1", replaced({"assets": [{"uid": "stock:US.AAPL", "weight": 0.600002}, {"uid": "stock:US.JPM", "weight": 0.4}]}), "bad-weights", "/assets", "1e-6"),
    ("weights above 1 with cash", replaced({"on_weight_sum": "cash", "assets": [{"uid": "stock:US.AAPL", "weight": 1.5}]}), "bad-weights", "/assets", "sum below 1"),
    ("weights of 0", replaced({"assets": [{"uid": "stock:US.AAPL", "weight": 0}]}), "bad-weights", "/assets", "above 0"),
    ("a weight left out", replaced({"assets": [{"uid": "stock:US.AAPL", "weight": 1}, {"uid": "stock:US.JPM"}]}), "bad-weights", "/assets/1", "for every asset"),
    ("a negative weight", replaced({"assets": [{"uid": "stock:US.AAPL", "weight": -0.5}, {"uid": "stock:US.JPM", "weight": 1.5}]}), "out-of-range", "/assets/0/weight", "from 0"),
    ("a weight as text", replaced({"assets": [{"uid": "stock:US.AAPL", "weight": "1"}]}), "wrong-type", "/assets/0/weight", "number"),
    ("fixed without weights", {"universe": ["stock:US.AAPL"], "strategy": "fixed"}, "bad-weights", "/assets", "weight"),
    ("equal with weights", replaced({"strategy": "equal"}), "bad-weights", "/assets/0/weight", "without weights"),
    ("no assets", replaced({"assets": []}), "out-of-range", "/assets", "1 to 500"),
    ("an empty universe", {"universe": []}, "out-of-range", "/universe", "1 to 500"),
    ("an empty universe of monkeys", replaced({"monkeys": {"universe": []}}), "out-of-range", "/monkeys/universe", "1 to 500"),
    ("neither assets nor universe", {}, "wrong-type", "/assets", "array"),
    ("501 assets", {"universe": [f"stock:US.X{i}" for i in range(501)]}, "out-of-range", "/universe", "1 to 500"),
    ("the same asset twice", replaced({"assets": [{"uid": "stock:US.AAPL", "weight": 0.5}] * 2}), "bad-spec", "/assets/1/uid", "once"),
    ("the same name twice", {"universe": ["stock:US.AAPL", "stock:US.AAPL"]}, "bad-spec", "/universe/1", "once"),
    ("both universes", {"universe": ["stock:US.AAPL"], "monkeys": {"universe": ["stock:US.AAPL"]}}, "bad-spec", "/monkeys/universe", "either"),
    ("a symbol without a class", replaced({"assets": [{"uid": "AAPL", "weight": 1}]}), "wrong-type", "/assets/0/uid", "class:SYMBOL"),
    ("a uid with a quote", replaced({"assets": [{"uid": "stock:US.AAPL' OR '1'='1", "weight": 1}]}), "wrong-type", "/assets/0/uid", "class:SYMBOL"),
    ("a uid of 65 bytes", replaced({"assets": [{"uid": "stock:" + "A" * 59, "weight": 1}]}), "out-of-range", "/assets/0/uid", "1 to 64"),
    ("an empty uid", replaced({"assets": [{"uid": "", "weight": 1}]}), "out-of-range", "/assets/0/uid", "1 to 64"),
    ("a uid as number", replaced({"assets": [{"uid": 5930, "weight": 1}]}), "wrong-type", "/assets/0/uid", "string"),
    ("an asset as text", replaced({"assets": ["stock:US.AAPL"]}), "wrong-type", "/assets/0", "object"),
    ("assets as object", replaced({"assets": {"uid": "stock:US.AAPL"}}), "wrong-type", "/assets", "array"),
    ("a start before the data", replaced({"start": "1989-12-29"}), "outside-coverage", "/start", "1990-01-02"),
    ("an end after the data", replaced({"end": "2023-01-03"}), "outside-coverage", "/end", "2022-12-28"),
    ("a start after a delisting", {"universe": ["stock:KRX.900060"], "start": "2019-01-02", "end": "2019-12-30", "currency": "KRW"}, "outside-coverage", "/start", "2018-09-14"),
    ("assets without common dates", {"universe": ["commodity:WTI", "index:VIX"], "start": "1986-01-02", "end": "1990-01-02"}, "outside-coverage", "/start", "2014-01-03"),
    ("an end before the start", replaced({"start": "2016-01-04", "end": "2015-01-02"}), "bad-spec", "/end", "after 2016-01-04"),
    ("more than 60 years", replaced({"start": "1950-01-02", "end": "2015-01-02"}), "out-of-range", "/end", "60 years"),
    ("a single day", replaced({"start": "2015-01-05", "end": "2015-01-05"}), "no-data", None, None),
    ("a weekend", replaced({"start": "2015-01-03", "end": "2015-01-04"}), "no-data", None, None),
    ("the 30th of February", replaced({"start": "2015-02-30"}), "out-of-range", "/start", "YYYY-MM-DD"),
    ("a date without zeros", replaced({"start": "2015-1-2"}), "out-of-range", "/start", "YYYY-MM-DD"),
    ("a date with a time", replaced({"end": "2016-12-30T00:00:00Z"}), "out-of-range", "/end", "YYYY-MM-DD"),
    ("an empty date", replaced({"start": ""}), "out-of-range", "/start", "YYYY-MM-DD"),
    ("a date as number", replaced({"start": 20150102}), "wrong-type", "/start", "YYYY-MM-DD"),
    ("no capital", replaced({"capital": 0}), "out-of-range", "/capital", "0.01"),
    ("negative capital", replaced({"capital": -1}), "out-of-range", "/capital", "0.01"),
    ("too much capital", replaced({"capital": 1.1e15}), "out-of-range", "/capital", "1e+15"),
    ("capital as text", replaced({"capital": "10000"}), "wrong-type", "/capital", "number"),
    ("capital as boolean", replaced({"capital": True}), "wrong-type", "/capital", "number"),
    ("capital as list", replaced({"capital": [1]}), "wrong-type", "/capital", "number"),
    ("a currency in small letters", replaced({"currency": "usd"}), "wrong-type", "/currency", "ISO 4217"),
    ("a currency of two letters", replaced({"currency": "US"}), "wrong-type", "/currency", "three upper-case letters"),
    ("a currency without rates", replaced({"currency": "XXX"}), "bad-spec", "/currency", "mart_fx_daily"),
    ("costs as number", replaced({"costs": 5}), "wrong-type", "/costs", "an object of commission_bps, slippage_bps"),
    ("monkeys as number", replaced({"monkeys": 1000}), "wrong-type", "/monkeys", "an object of count, seed, universe"),
    ("days between rebalances as number", replaced({"rebalance": 30}), "wrong-type", "/rebalance", "or an object of every"),
    ("a fill as number", replaced({"fill": 1}), "wrong-type", "/fill", "next_close, same_close"),
    ("the last of many fields", replaced({"hac": 1}), "unknown-field", "/hac", "factors, hac_lag"),
    ("the last of many names", {**replaced({"strategy": "forward"}), "assets": [{"uid": "stock:US.AAPL"}]}, "out-of-range", "/strategy", "weight_table, walk_forward"),
    ("prices of consumers without a class", replaced({"inflation": "CPILFESL"}), "wrong-type", "/inflation", "indicator:CPILFESL:USA:M"),
    ("a negative commission", replaced({"costs": {"commission_bps": -1}}), "out-of-range", "/costs/commission_bps", "0 to 1000"),
    ("slippage of 1001", replaced({"costs": {"slippage_bps": 1001}}), "out-of-range", "/costs/slippage_bps", "0 to 1000"),
    ("an unknown strategy", replaced({"strategy": "equall"}), "out-of-range", "/strategy", "fixed, equal, buy_and_hold"),
    ("an unknown rebalance", replaced({"rebalance": "montly"}), "out-of-range", "/rebalance", "monthly"),
    ("buy and hold that rebalances", replaced({"strategy": "buy_and_hold", "rebalance": "monthly"}), "bad-spec", "/rebalance", "never"),
    ("an unknown fill", replaced({"fill": "open"}), "out-of-range", "/fill", "next_close"),
    ("a fraction of a session", replaced({"max_stale": 1.5}), "wrong-type", "/max_stale", "integer"),
    ("too long a silence", replaced({"max_stale": 61}), "out-of-range", "/max_stale", "0 to 60"),
    ("a rate of 200 %", replaced({"risk_free_rate": 2}), "out-of-range", "/risk_free_rate", "to 1"),
    ("monkeys as number", replaced({"monkeys": 1000}), "wrong-type", "/monkeys", "object"),
    ("too many monkeys", replaced({"monkeys": {"count": 100001}}), "out-of-range", "/monkeys/count", "0 to 100000"),
    ("half a monkey", replaced({"monkeys": {"count": 0.5}}), "wrong-type", "/monkeys/count", "integer"),
    ("a negative seed", replaced({"monkeys": {"seed": -1}}), "out-of-range", "/monkeys/seed", "0 to"),
    ("a seed of 54 bits", replaced({"monkeys": {"seed": 1 << 53}}), "out-of-range", "/monkeys/seed", str((1 << 53) - 1)),
    ("an unknown field", replaced({"wieghts": [1]}), "unknown-field", "/wieghts", "assets"),
    ("an unknown field of an asset", replaced({"assets": [{"uid": "stock:US.AAPL", "wieght": 1}]}), "unknown-field", "/assets/0/wieght", "uid, weight"),
    ("an unknown field of the costs", replaced({"costs": {"comission_bps": 1}}), "unknown-field", "/costs/comission_bps", "commission_bps"),
    ("an unknown field with a slash", replaced({"a/b~c": 1}), "unknown-field", "/a~1b~0c", "assets"),
    ("a body of null", None, "wrong-type", "", "object"),
    ("a body of a list", [SMALL], "wrong-type", "", "object"),
    ("a body of text", "backtest", "wrong-type", "", "object"),
]

# (what it is, body in bytes, part of the detail)
MALFORMED = [
    ("NaN", b'{"capital": NaN}', "line 1"), ("Infinity", b'{"capital": Infinity}', "line 1"), ("-Infinity", b'{"capital": -Infinity}', "line 1"),
    ("1e400", b'{"capital": 1e400}', "line 1"), ("-1e400", b'{"capital": -1e400}', "line 1"), ("a huge integer", b'{"capital": 99999999999999999999}', "line 1"),
    ("a duplicate key", b'{"capital": 1, "capital": 2}', "duplicate"), ("a duplicate key deep inside", b'{"costs": {"slippage_bps": 1, "slippage_bps": 1}}', "duplicate"),
    ("a duplicate key by escape", b'{"capital": 1, "c\\u0061pital": 2}', "duplicate"),
    ("invalid UTF-8", b'{"currency": "\xff\xfe\xfd"}', "decode"), ("overlong UTF-8", b'{"currency": "\xc0\xaf"}', "decode"),
    ("a surrogate in UTF-8", b'{"currency": "\xed\xa0\x80"}', "decode"), ("a cut character", b'{"currency": "\xe3\x81"}', "decode"),
    ("a lone surrogate", b'{"currency": "\\ud800"}', "line 1"), ("a NUL", b'{"currency": "U\\u0000D"}', "line 1"), ("a raw NUL", b'{"capital": 1}\x00', "line 1"),
    ("a control character", b'{"currency": "U\nD"}', "line 1"), ("a byte order mark", b"\xef\xbb\xbf{}", "line 1"),
    ("UTF-16", '{"capital": 1}'.encode("utf-16"), ""), ("an open object", b'{"assets": [', "line 1"), ("a comma too many", b'{"capital": 1,}', "line 1"),
    ("text after the value", b'{} {}', "line 1"), ("single quotes", b"{'capital': 1}", "line 1"), ("a comment", b'{/* */}', "line 1"), ("a plus sign", b'{"capital": +1}', "line 1"),
    ("leading zeros", b'{"capital": 01}', "line 1"), ("a hexadecimal number", b'{"capital": 0x10}', "line 1"), ("no body", b"", "empty"), ("white space", b"  \n ", ""),
    ("10,000 levels of lists", b'{"assets":' + b"[" * 10000 + b"]" * 10000 + b"}", "deep"), ("10,000 open lists", b"[" * 10000, "deep"),
    ("10,000 levels of objects", b'{"a":' * 10000 + b"1" + b"}" * 10000, "deep"), ("33 levels", b"[" * 33 + b"]" * 33, "deep"),
]


class Refused(Case):
    """Every row is a 4xx problem that names the field and what is allowed, soon."""

    settings = {"backtest_cells_max": 50_000_000}

    def timed(self, ask):
        started = time.monotonic()
        answer = ask()
        self.assertLess(time.monotonic() - started, 5 * SLOW)
        return answer

    def test_an_impossible_request_names_the_field_and_what_is_allowed(self):
        for what, body, slug, pointer, allowed in REFUSED:
            with self.subTest(what):
                problem = self.assert_problem(self.timed(lambda body=body: self.post(body)), slug, about=pointer, allowed=allowed)
                self.assertTrue(problem["errors"] and problem["errors"][0].get("allowed"), problem)

    def test_a_near_miss_comes_with_the_right_name(self):
        for body, suggestion in [(replaced({"assets": [{"uid": "stock:US.APPL", "weight": 1}]}), "stock:US.AAPL"), (replaced({"benchmark": "index:SPY"}), "index:SPX"),
                                 (replaced({"strategy": "equall"}), "equal"), (replaced({"rebalance": "montly"}), "monthly"), (replaced({"captial": 5}), "capital"),
                                 (replaced({"assets": [{"uid": "stock:US.AAPL", "wieght": 1}]}), "weight"), (replaced({"fill": "same-close"}), "same_close"),
                                 (replaced({"on_weight_sum": "normalise"}), "normalize"), (replaced({"monkeys": {"cuont": 5}}), "count")]:
            with self.subTest(suggestion):
                self.assertEqual(self.post(body).json["errors"][0].get("suggestion"), suggestion)

    def test_a_body_that_is_no_json_is_400_and_says_where(self):
        for what, body, detail in MALFORMED:
            with self.subTest(what):
                problem = self.assert_problem(self.timed(lambda body=body: self.post(body)), "malformed-json")
                self.assertIn(detail, problem["detail"].lower())

    def test_a_body_cut_at_any_byte_is_refused(self):
        body = json.dumps(SMALL).encode()
        for n in range(0, len(body), 3):
            self.assert_problem(self.post(body[:n]), "malformed-json")

    def send_large(self, head, chunks):
        """Sends a body of many chunks; the answer may come before the end of it."""
        started = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10 * SLOW) as connection:
            try:
                connection.sendall(head)
                for chunk in chunks:
                    connection.sendall(chunk)
            except (BrokenPipeError, ConnectionResetError):
                pass
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            result = Response(answer.status, answer.getheaders(), answer.read())
        self.assertLess(time.monotonic() - started, 5 * SLOW)
        return result

    def test_a_body_of_10_mb_is_413_with_and_without_a_length(self):
        line = b"POST /v1/backtests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        block = b" " * 65536
        length = self.send_large(line + b"Content-Length: 10485760\r\n\r\n", [block] * 160)
        self.assert_problem(length, "body-too-large", allowed="1048576")
        chunked = self.send_large(line + b"Transfer-Encoding: chunked\r\n\r\n", [b"10000\r\n" + block + b"\r\n"] * 160 + [b"0\r\n\r\n"])
        self.assert_problem(chunked, "body-too-large", allowed="1048576")

    def test_a_body_of_exactly_1_mib_is_read_and_one_byte_more_is_not(self):
        body = json.dumps(SMALL).encode()
        self.assertIn(self.post(body + b" " * ((1 << 20) - len(body))).status, (200, 201))
        self.assert_problem(self.post(body + b" " * ((1 << 20) - len(body) + 1)), "body-too-large")

    def test_only_json_is_taken(self):
        body = json.dumps(SMALL).encode()
        for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", "json", "multipart/form-data; boundary=x", "text/json"):
            answer = self.post(body, content_type=media_type)
            self.assert_problem(answer, "unsupported-media-type", about="Content-Type", allowed="application/json")
        for media_type in ("application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8"):
            self.assertIn(self.post(body, content_type=media_type).status, (200, 201))
        self.assertIn(self.server.data.request("POST", "/v1/backtests", body).status, (200, 201))

    def test_an_answer_that_is_not_wanted_is_406_and_a_parameter_400(self):
        self.assert_problem(self.post(SMALL, accept="text/csv"), "not-acceptable", allowed="application/json")
        self.assert_problem(self.server.post("/v1/backtests?wait=5", SMALL), "unknown-parameter", about="wait")

    def test_more_work_than_is_allowed_is_refused_at_once(self):
        answer = self.timed(lambda: self.post({**README, "monkeys": {"count": 10000}}))
        problem = self.assert_problem(answer, "too-large")
        self.assertTrue(problem["errors"] and problem["errors"][0].get("allowed"), problem)
        self.assertIn("50000000", json.dumps(problem))

    def test_the_next_request_is_served_after_all_that(self):
        self.assertIn(self.post(SMALL).status, (200, 201))


class SameBytes(Assertions, unittest.TestCase):
    """The answer depends on the request and the data, not on where it was made."""

    REQUESTS = [README, FOUR, {**SMALL, "currency": "KRW", "benchmark": "index:VIX", "monkeys": {"count": 50, "seed": 3}},
                {"universe": ["coin:SIMBTCUSDT", "stock:KRX.900060", "bond:SIM.KTB10Y", "etf:US.MTUM"], "strategy": "equal", "rebalance": "weekly",
                 "start": "2016-01-04", "end": "2019-12-30", "currency": "EUR", "costs": {"commission_bps": 3, "slippage_bps": 1}, "benchmark": "index:SPX",
                 "monkeys": {"count": 100, "seed": 9}}]

    def answers(self, backend, **settings):
        with backend.server(**settings) as server:
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                answers = list(pool.map(lambda request: server.post("/v1/backtests", request), self.REQUESTS))
        for answer in answers:
            self.assertEqual(answer.status, 201, answer)
        return [answer.body for answer in answers]

    def test_both_databases_and_1_and_4_workers_give_the_same_bytes(self):
        expected = self.answers(Sqlite(), cpu_workers=1, io_workers=1)
        self.assertEqual(self.answers(Sqlite(), cpu_workers=4, io_workers=4), expected)
        self.assertEqual(self.answers(Postgresql(), cpu_workers=1, io_workers=1), expected)
        self.assertEqual(self.answers(Postgresql(), cpu_workers=4, io_workers=4), expected)

    def test_the_command_line_gives_the_same_bytes_as_http(self):
        for backend in (Sqlite(), Postgresql()):
            with self.subTest(backend.name), backend.server() as server:
                for request in self.REQUESTS[2:]:
                    body = json.dumps(request).encode()
                    over_http = server.post("/v1/backtests", request)
                    done = backend.run("backtest", stdin=body)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertEqual(done.stdout.encode(), over_http.body)

    def test_the_command_line_computes_what_http_then_finds(self):
        var_dir = sample_var_dir()
        path = scratch_folder() + "/request.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(SMALL, file)
        computed = run("backtest", path, var_dir=var_dir)
        self.assertEqual(computed.returncode, 0, computed.stderr)
        again = run("backtest", "-", stdin=json.dumps(SMALL).encode(), var_dir=var_dir)
        self.assertEqual(again.stdout, computed.stdout)
        other = run("backtest", stdin=json.dumps(SMALL).encode(), var_dir=sample_var_dir())
        self.assertEqual(other.stdout, computed.stdout)

    def test_the_command_line_refuses_with_place_and_what_is_allowed(self):
        done = run("backtest", stdin=json.dumps(replaced({"assets": [{"uid": "stock:US.APPL", "weight": 1}]})).encode(), var_dir=sample_var_dir())
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        for word in ("/assets/0/uid", "stock:US.APPL", "nearest: stock:US.AAPL", "allowed:"):
            self.assertIn(word, done.stderr)


class AfterPublishing(Case):
    """New data gives new ids; old answers stay what they were."""

    def test_new_prices_give_a_new_answer_and_the_old_one_stays(self):
        first = self.post(SMALL)
        dataset = Dataset.copy_of_sample()

        def raise_one_price(text):
            header, *records = csv.reader(io.StringIO(text, newline=""))
            price, uid, date = header.index("adj_close"), header.index("uid"), header.index("date")
            out = io.StringIO(newline="")
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(header)
            for record in records:
                if (record[uid], record[date]) == ("stock:US.AAPL", "2015-06-01"):
                    record[price] = "31.5"
                writer.writerow(record)
            return out.getvalue()

        dataset.change("prices_us_stocks.csv.gz", raise_one_price)
        self.backend.load(dataset.folder)
        self.server.wait_until(lambda: self.server.get("/v1/marts").json["meta"]["generation"] == 2, "the new generation")
        second = self.post(SMALL)
        self.assertEqual(second.status, 201)
        self.assertNotEqual(second.json["data"]["id"], first.json["data"]["id"])
        changed = [date for date, a, b in zip(first.json["data"]["equity"]["date"], first.json["data"]["equity"]["equity"],
                                              second.json["data"]["equity"]["equity"]) if a != b]
        self.assertEqual(changed[0], "2015-06-01")
        self.assertEqual(self.server.get(first.header("Location")).body, first.body)

    def test_the_passport_names_the_generations_of_what_was_read(self):
        generations = {mart["name"]: mart["generation"] for mart in self.server.get("/v1/marts").json["data"]}
        passport = self.result({**SMALL, "currency": "KRW", "capital": 5})["passport"]
        self.assertTrue({"mart_instrument", "mart_price_daily", "mart_fx_daily"} <= set(passport["data"]), passport)
        for mart, generation in passport["data"].items():
            self.assertEqual(generation, generations[mart])
        self.assertEqual(datetime.date.fromisoformat(passport["clock"]["first"]), datetime.date(2015, 1, 2))


class OnPostgresql(Identity):
    """What depends on how answers are stored, once more."""

    backend_type = Postgresql


if __name__ == "__main__":
    unittest.main()
