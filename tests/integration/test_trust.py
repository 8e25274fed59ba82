"""What an answer says about its own trust: intervals, a look-ahead proof, drawn futures, the same bytes everywhere."""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import unittest

from support import schema
from support.backend import Sqlite
from support.problems import Assertions
from support.server import ROOT, environment, sample_var_dir

ASSETS = {"assets": [{"uid": "stock:US.AAPL", "weight": 0.6}, {"uid": "stock:US.JPM", "weight": 0.4}],
          "start": "2010-01-04", "end": "2016-12-30", "benchmark": "index:SPX",
          "costs": {"commission_bps": 5, "slippage_bps": 5}, "monkeys": {"count": 0}}
ALL = {**ASSETS, "offset_luck": True, "bootstrap": {"count": 300, "seed": 4}, "verify": "prefix",
       "monte_carlo": {"count": 400, "years": 10, "flow": {"amount": 100}, "goals": [15000, 1e9]}}
FIGURES = ["cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "terminal_wealth"]


class Trust(Assertions, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Sqlite().server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def answer(self, body):
        answer = self.server.post("/v1/backtests", body)
        self.assertIn(answer.status, (200, 201), answer)
        self.assertEqual(schema.answer_errors("POST", "/v1/backtests", answer), [])
        return answer.json

    def result(self, body):
        return self.answer(body)["data"]

    def test_what_was_not_asked_for_is_null_and_leaves_the_request_as_it_was(self):
        data = self.result(ASSETS)
        for name in ("bootstrap", "verify", "offset_luck", "monte_carlo"):
            self.assertIsNone(data[name])
            self.assertNotIn(name, data["spec"])

    def test_intervals_surround_the_figures_of_the_answer(self):
        data = self.result(ALL)
        bootstrap = data["bootstrap"]
        self.assertEqual((bootstrap["count"], bootstrap["seed"], bootstrap["level"]), (300, 4, 0.9))
        self.assertEqual(bootstrap["n_returns"], len(data["equity"]["date"]) - 1)
        self.assertAlmostEqual(bootstrap["mean_block"], bootstrap["n_returns"] ** (1 / 3), places=9)
        self.assertEqual(list(bootstrap["figures"]), FIGURES)
        for name in FIGURES[:-1]:
            figure = bootstrap["figures"][name]
            self.assertAlmostEqual(figure["estimate"], data["metrics"][name]["value"], places=9)
            low, high = figure["percentile"]
            self.assertTrue(low < high, figure)
            if name != "max_drawdown":  # whose replicates are deeper than the history more often than not
                self.assertTrue(low < figure["estimate"] < high, figure)
        benchmark = bootstrap["difference"]["cagr"]
        self.assertAlmostEqual(benchmark["estimate"], data["metrics"]["excess_return"]["value"], places=9)
        self.assertTrue(0 <= benchmark["share_above_zero"] <= 1)
        other = self.result({**ASSETS, "bootstrap": {"count": 300, "seed": 5, "mean_block": "politis_white", "level": 0.5}})
        self.assertNotEqual(other["bootstrap"]["figures"]["cagr"]["percentile"], bootstrap["figures"]["cagr"]["percentile"])
        self.assertGreater(other["bootstrap"]["figures"]["cagr"]["percentile"][0], bootstrap["figures"]["cagr"]["percentile"][0])

    def test_a_run_proves_that_it_did_not_look_ahead(self):
        data = self.result(ALL)
        proof = data["verify"]
        self.assertEqual((proof["kind"], proof["verdict"], len(proof["cuts"]), len(proof["not_proved"])), ("prefix", "holds", 10, 2))
        for cut in proof["cuts"]:
            self.assertEqual(cut["date"], data["equity"]["date"][cut["session"]])
            self.assertEqual(cut["points"], 2 * (cut["session"] + 1))
            self.assertEqual((cut["differ"], cut["first_differ"]), (0, None))
            self.assertGreater(cut["rows_changed"], 0)
        self.assertTrue(all(cut["later_changed"] > 0 for cut in proof["cuts"][:-1]))
        same_close = self.answer({**ASSETS, "fill": "same_close", "verify": {"cuts": 3, "seed": 9}})
        self.assertEqual(same_close["data"]["verify"]["verdict"], "holds")
        self.assertIn("same_close", " ".join(same_close["data"]["verify"]["not_proved"]))
        self.assertIn("same_close", [warning["code"] for warning in same_close["meta"]["warnings"]])

    def test_futures_have_their_length_their_flows_and_their_goals(self):
        future = self.result(ALL)["monte_carlo"]
        self.assertEqual((future["model"], future["count"], future["sessions"]), ("stationary_bootstrap", 400, 2520))
        spread = list(future["terminal_wealth"].values())[1:]
        self.assertEqual(spread, sorted(spread))
        self.assertGreater(spread[0], 100 * 120 / 2)
        self.assertEqual(future["goals"][1], {"amount": 1e9, "shortfall": 1})
        for model in ("block_bootstrap", "iid_bootstrap", "normal"):
            other = self.result({**ASSETS, "monte_carlo": {"model": model, "count": 200}})["monte_carlo"]
            self.assertEqual((other["model"], other["count"]), (model, 200))
            self.assertTrue(-1 <= other["max_drawdown"]["p01"] < other["max_drawdown"]["p99"] <= 0)

    def test_the_same_rule_on_other_days_of_the_month_makes_a_band(self):
        data = self.result(ALL)
        luck = data["offset_luck"]
        self.assertEqual([row["offset"] for row in luck["rows"]], list(range(21)))
        for name in ("cagr", "sharpe", "max_drawdown"):
            band = luck["statistics"][name]
            self.assertEqual((band["own"], band["n"]), (data["metrics"][name]["value"], 21))
            self.assertEqual([band["lowest"], band["highest"]], [f(row[name] for row in luck["rows"]) for f in (min, max)])
        self.assertEqual(luck["rows"][0]["terminal_wealth"], data["equity"]["equity"][-1])
        other = self.result({**ASSETS, "rebalance": {"every": "month", "offset": 7}})
        self.assertEqual(luck["rows"][7]["cagr"], other["metrics"]["cagr"]["value"])
        self.assertIsNone(self.result({**ASSETS, "rebalance": "never", "offset_luck": True})["offset_luck"])

    def test_the_passport_s_hash_can_be_worked_out_from_the_answer(self):
        for request in (ASSETS, {**ASSETS, "flows": [{"amount": 100, "every": "month"}]}):
            data = self.result(request)
            lines = [(name, metric["value"]) for name, metric in data["metrics"].items()]
            lines += [(f"{row['year']}-{month:02}", value) for row in data["monthly"] for month, value in enumerate(row["months"], 1)]
            accounts = data["accounts"]
            lines += [("equity", data["equity"]["equity"][-1]), ("wealth", accounts["final"]),
                      ("costs", accounts["costs"]), ("trades", data["trades"]["count"])]
            text = "".join(f"{name} null\n" if value is None else f"{name} {value:.11e}\n" for name, value in lines)
            self.assertEqual(hashlib.sha256(text.encode()).hexdigest(), data["passport"]["result_hash"])
            self.assertEqual(data["passport"]["input_hash"], data["id"])

    def test_a_run_too_short_to_draw_from_says_why(self):
        data = self.result({**ASSETS, "start": "2016-12-01", "end": "2016-12-15", "bootstrap": {}, "monte_carlo": {}})
        self.assertEqual((data["bootstrap"]["reason"], data["bootstrap"]["figures"]), ("too_short", None))
        self.assertEqual((data["monte_carlo"]["reason"], data["monte_carlo"]["count"]), ("too_short", 0))

    def test_an_impossible_wish_is_refused_with_its_place(self):
        for change, pointer in (({"verify": "suffix"}, "/verify"), ({"bootstrap": {"count": 10001}}, "/bootstrap/count"),
                                ({"monte_carlo": {"years": 0}}, "/monte_carlo/years")):
            self.assert_problem(self.server.post("/v1/backtests", {**ASSETS, **change}), "out-of-range", about=pointer)


class Crowds(unittest.TestCase):
    """Monkeys that an earlier request has left stand in for its own."""

    def test_an_answer_from_kept_monkeys_has_the_bytes_of_one_that_played_them(self):
        def request(weight):
            return {**ASSETS, "assets": [{"uid": "stock:US.AAPL", "weight": weight}, {"uid": "stock:US.JPM", "weight": 1 - weight}],
                    "universe": ["stock:US.AAPL", "stock:US.JPM", "stock:US.KO", "stock:US.XOM"], "monkeys": {"count": 3000, "seed": 8}}
        with Sqlite().server() as keeping, Sqlite().server(crowd_cache_bytes=0) as forgetful:
            for weight in (0.25, 0.5, 0.75):
                answer = keeping.post("/v1/backtests", request(weight))
                self.assertEqual(answer.body, forgetful.post("/v1/backtests", request(weight)).body)
                engine = float(re.search(r"engine;dur=([0-9.]+)", answer.header("Server-Timing")).group(1))
                if weight == 0.25:
                    played = engine
                else:
                    self.assertLess(engine, played / 2)


def binaries():
    """The program as gcc and as clang built it, when both are there and neither is older than its sources."""
    build = pathlib.Path(os.environ.get("CMMC_TEST_BUILD") or ROOT / "build")
    newest = max(path.stat().st_mtime for room in ("base", "backtest", "handlers", "store", "cli", "migrations")
                 for path in (ROOT / room).rglob("*") if path.is_file())
    for suffix in ("", "-werror"):
        found = [build / (name + suffix) / "cmmc" for name in ("release", "clang")]
        if all(path.is_file() and path.stat().st_mtime >= newest for path in found):
            return found
    return []


class Compilers(unittest.TestCase):
    """Nothing is built here: what stands beside each other is compared."""

    @unittest.skipUnless(binaries(), "build/release and build/clang are not both there, built from these sources")
    def test_both_compilers_and_repeated_runs_give_the_same_bytes(self):
        requests = [ALL, {**ALL, "monkeys": {"count": 200, "seed": 2}, "fill": "same_close", "currency": "KRW"}]
        for request in requests:
            answers = []
            for path in (*binaries(), binaries()[0]):
                done = subprocess.run([str(path), "backtest"], input=json.dumps(request).encode(), capture_output=True,
                                      timeout=120, cwd=ROOT, env=environment(var_dir=sample_var_dir()), check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                answers.append(done.stdout)
            self.assertEqual(answers[0], answers[1])
            self.assertEqual(answers[0], answers[2])


if __name__ == "__main__":
    unittest.main()
