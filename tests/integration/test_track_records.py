"""Track records over HTTP and on the command line: the same bytes, the libraries' own figures, and what is refused."""

import json
import math
import os
import pathlib
import unittest

from support.server import Server, run, sample_var_dir, scratch_folder

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = pathlib.Path(os.environ.get("CMMC_CONFORMANCE") or ROOT.parent / "shared" / "conformance" / "cases.json")
RETURNS = [0.011, -0.021, 0.034, 0.008, -0.012, 0.027, 0.003, -0.004]
DATES = ["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30", "2020-05-31", "2020-06-30", "2020-07-31", "2020-08-31"]


def command(*arguments, body=None):
    return run("metrics", *arguments, stdin=(body or "").encode(), var_dir=scratch_folder())


def value(document, name):
    return document["data"]["metrics"][name]["value"]


class OnTheCommandLine(unittest.TestCase):
    def measure(self, request):
        done = command(body=json.dumps(request))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_figures_follow_from_their_formulas(self):
        document = self.measure({"returns": RETURNS, "period": "monthly"})
        mean = math.fsum(RETURNS) / 8
        deviation = math.sqrt(math.fsum((r - mean) ** 2 for r in RETURNS) / 7)
        self.assertAlmostEqual(value(document, "sharpe"), mean / deviation * math.sqrt(12), places=13)
        self.assertAlmostEqual(value(document, "total_return"), math.prod(1 + r for r in RETURNS) - 1, places=14)
        self.assertEqual(value(document, "consecutive_wins"), 2)
        self.assertEqual(document["data"]["metrics"]["best_month"]["reason"], "no_dates")
        self.assertIsNone(document["data"]["monthly"])
        self.assertGreater(len(document["data"]["metrics"]), 150)

    def test_a_table_and_a_document_give_the_same_answer(self):
        table = "date,return,benchmark_return\r\n" + "".join(f"{d},{r},{r / 2 + 0.001}\r\n" for d, r in zip(DATES, RETURNS))
        request = {"dates": DATES, "returns": RETURNS, "benchmark": {"returns": [r / 2 + 0.001 for r in RETURNS]}, "period": "monthly",
                   "profile": "pa", "risk_free_rate": 0.02, "aggregate": "quarterly", "select": ["SharpeRatio.annualized", "beta"]}
        done = command("--csv", "period=monthly", "profile=pa", "risk_free_rate=0.02", "aggregate=quarterly",
                       "select=SharpeRatio.annualized,beta", body=table)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), self.measure(request))
        self.assertEqual(value(self.measure(request), "beta"), 2)

    def test_prices_windows_flows_and_trades(self):
        prices = [100.0]
        for r in RETURNS:
            prices.append(prices[-1] * (1 + r))
        document = self.measure({"prices": prices, "dates": ["2019-12-31", *DATES], "period": "monthly",
                                 "rolling": {"window": 3, "metrics": ["return", "volatility"]}, "drawdowns": 1,
                                 "cash_flows": [{"date": "2020-01-01", "amount": -100}, {"date": "2021-01-01", "amount": 110}],
                                 "trades": [1.0, -0.5, 2.0, 0.3, -1.0, 1.5]})
        rolling = document["data"]["rolling"]
        self.assertEqual(rolling["date"], DATES[2:])
        self.assertAlmostEqual(rolling["return"][0], math.prod(1 + r for r in RETURNS[:3]) - 1, places=13)
        self.assertEqual(len(document["data"]["drawdowns"]), 1)
        self.assertEqual(document["data"]["monthly"][0]["year"], 2020)
        self.assertAlmostEqual(document["data"]["money_weighted"]["xirr"], 1.1 ** (365 / 366) - 1, places=13)
        self.assertAlmostEqual(document["data"]["trades"]["system_quality"], 1.1573605293226255, places=12)

    def test_a_factor_regression_names_its_lag(self):
        factor = [0.01, -0.02, 0.03, 0.01, -0.015, 0.02, 0.001, -0.002]
        fit = self.measure({"returns": [0.001 + 0.5 * f for f in factor], "factors": [{"name": "market", "returns": factor}],
                            "hac_lag": 2, "period": "monthly"})["data"]["regression"]
        self.assertEqual((fit["lag"], fit["n"]), (2, 8))
        self.assertAlmostEqual(fit["coefficients"][0]["value"], 0.001, places=14)
        self.assertAlmostEqual(fit["coefficients"][1]["value"], 0.5, places=12)
        self.assertEqual(fit["coefficients"][1]["name"], "market")

    def test_intervals_come_with_the_figures_they_surround(self):
        returns = [0.004 + 0.03 * math.sin(7 * t * t) for t in range(120)]
        benchmark = [r - 0.002 + 0.001 * math.cos(t) for t, r in enumerate(returns)]
        request = {"returns": returns, "benchmark": {"returns": benchmark}, "period": "monthly", "bootstrap": {"count": 400, "seed": 3}}
        document = self.measure(request)
        drawn = document["data"]["bootstrap"]
        self.assertEqual((drawn["count"], drawn["n_returns"], drawn["n_common"]), (400, 120, 120))
        for name in ("cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar"):
            figure = drawn["figures"][name]
            self.assertAlmostEqual(figure["estimate"], value(document, name), places=9)
            self.assertLess(figure["percentile"][0], figure["percentile"][1])
        self.assertAlmostEqual(drawn["difference"]["cagr"]["estimate"], value(document, "excess_return"), places=9)
        self.assertGreater(drawn["difference"]["cagr"]["percentile"][0], 0)  # steady, though the figures are not
        self.assertLess(drawn["figures"]["cagr"]["percentile"][0], 0)
        self.assertEqual(document, self.measure(request))
        self.assertIsNone(self.measure({"returns": returns})["data"]["bootstrap"])
        short = self.measure({"returns": RETURNS, "bootstrap": {}})["data"]["bootstrap"]
        self.assertEqual((short["reason"], short["count"], short["figures"]), ("too_short", 0, None))
        done = command(body=json.dumps({"returns": returns, "bootstrap": {"level": 2}}))
        self.assertEqual(done.returncode, 1)
        self.assertIn("/bootstrap/level", done.stderr)

    def test_tables_as_brokers_write_them_give_the_same_figures(self):
        plain = "date,return,benchmark_return\n2020-01-02,0.015,0.001\n2020-01-03,-0.002,0.0007\n2020-01-06,0.001,0\n2020-01-07,,\n2020-01-08,1e-3,0.01\n"
        first = json.loads(command("--csv", "missing=skip", body=plain).stdout)
        percent = "date,return,benchmark_return\n2020-01-02,1.5%,0.1%\n2020-01-03,-0.2 %,0.07%\n2020-01-06,0.1%,0%\n2020-01-07,,\n2020-01-08,0.1%,1%\n"
        for table in (plain.replace("\n", "\r\n"), plain + "\n\n", plain.replace("\n", "\r\n") + "  \r\n", plain + " \t", "\ufeff" + plain, plain.replace("date,return,benchmark_return", " Date,RETURN ,Benchmark_Return"), plain.replace(",", " , "), percent,
                      plain.replace("-02,", "-02T00:00:00,").replace("-03,", "-03 00:00:00.000,").replace("-06,", "-06T00:00:00Z,").replace("-07,", "-07T00:00:00+00:00,"),
                      "\n".join('"' + '","'.join(line.split(",")) + '"' if line and ",," not in line else line for line in plain.split("\n"))):
            with self.subTest(table):
                done = command("--csv", "missing=skip", body=table)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(json.loads(done.stdout), first)

    def test_another_unit_than_the_one_that_is_read_is_doubted(self):
        def codes(table, *options):
            done = command("--csv", *options, body=table)
            self.assertEqual(done.returncode, 0, done.stderr)
            return {w["code"] for w in json.loads(done.stdout)["meta"]["warnings"]} & {"periods_unlike_dates", "returns_in_percent"}
        months = "date,return\n" + "".join(f"2020-{m:02}-01,0.01\n" for m in range(1, 13))
        days = "date,return\n" + "".join(f"2020-01-{d:02},{r}\n" for d, r in ((2, 0.01), (3, 0.4), (6, -0.1), (7, 0.02), (8, 0.01), (9, 0.01)))
        self.assertEqual(codes(months), {"periods_unlike_dates"})
        self.assertEqual(codes(months, "period=daily"), {"periods_unlike_dates"})
        self.assertEqual(codes(months, "period=monthly"), set())
        self.assertEqual(codes(days), set())
        self.assertEqual(codes(days, "period=monthly"), {"periods_unlike_dates"})
        self.assertEqual(codes(days.replace("0.0", "1.")), {"returns_in_percent"})
        self.assertEqual(codes("price\n100\n1\n100\n1\n"), set())

    def test_what_cannot_be_read_is_refused_with_its_place(self):
        for request, allowed in (({"returns": [0.1], "prices": [1]}, "either returns or prices"), ({}, "returns or prices"),
                                 ({"returns": [0.1, None]}, "missing"), ({"prices": [1, -1]}, "at least 0"), ({"prices": [5]}, "two prices"),
                                 ({"returns": [0.1], "select": ["sharp"]}, "formulas.md"), ({"returns": [0.1, 0.2], "dates": ["2020-01-01"]}, "2"),
                                 ({"returns": [0.1, 0.2], "dates": ["2020-01-02", "2020-01-01"]}, "rise"),
                                 ({"returns": [0.1], "risk_free_rate": 0.1, "risk_free_per_period": 0}, "risk_free_rate"),
                                 ({"returns": [0.1], "benchmark": {"returns": [1, 2]}}, "each row")):
            with self.subTest(request):
                done = command(body=json.dumps(request))
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(allowed, done.stderr)
        for table, place in (("return\nx\n", "2"), ("return\n0.1\n\n0.2\n", "3"), ("date,return\n2020-01-02,1\n \r\n2020-01-03,1\n", "3"), ("price,return\n1,2\n", "1"), ("returns\n1\n", "1"), ("date,return\n2020-01-02,1\n2020-01-02,1\n", "3")):
            with self.subTest(table):
                done = command("--csv", body=table)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, rf"(?m)^  at: +line {place}\b")
        for table, place, word in (('date,price\n2020-01-02,"1,234.50"\n', "line 2 = 1,234.50", "nothing between thousands"), ("date;price\n2020-01-02;1,5\n", "line 1 =", "commas between fields"),
                                   ("date\tprice\n", "line 1 =", "commas between fields"), ("date,price\n02/01/2020,1\n", "line 2 = 02/01/2020", "YYYY-MM-DD"),
                                   ("date,price\n2020-01-02T16:00:00,1\n", "line 2 =", "YYYY-MM-DD"), ("date,price\n20200102,1\n", "line 2 =", "YYYY-MM-DD"),
                                   ("date,price\n2020-01-03,1\n2020-01-02,1\n", "line 3 = 2020-01-02", "oldest first"), ("date,price\n2020-01-03,1\n2020-01-03,1\n", "line 3 =", "each date once"),
                                   ("date,price\n2020-01-02,$100\n", "line 2 = $100", "as 1234.5"), ("date,price\n2020-01-02,5%\n", "line 2 = 5%", "as 1234.5"),
                                   ("return\n(0.5)\n", "line 2 = (0.5)", "as 1.5%"), ("return\n1.5 %%\n", "line 2 =", "as 1.5%"), ("return\n%\n", "line 2 = %", "as 1.5%"),
                                   ("return\n1e400%\n", "line 2 =", "as 1.5%"), ("Trade Date,price\n", "line 1 = Trade Date", "nearest: date"), ("date,Adj Close\n", "line 1 = Adj Close", "nearest: price"),
                                   ("Portfolio Value\n", "line 1 =", "nearest: price"), ("date,date\n", "line 1 = date", "twice"), ("factor:a,return\nx,1\n", "line 2 = x", "the a is no number")):
            with self.subTest(table):
                done = command("--csv", body=table)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(place, done.stderr)
                self.assertIn(word, done.stderr)
        done = command("--csv", "perod=daily", body="return\n0.1\n")
        self.assertIn("nearest: period", done.stderr)

    @unittest.skipUnless(CASES.exists(), "the conformance cases are not here")
    def test_conformance_cases_through_the_command_line(self):
        """Those of quantstats, whose short names are names here too; tests/unit/test_measure_conformance.c has them all."""
        document = json.loads(CASES.read_text(encoding="utf-8"))

        def series(reference):
            if not isinstance(reference, dict):
                return reference, None
            name = reference["dataset"]
            whole = document["datasets"].get(name)
            if whole is not None:
                return whole["values"], whole["dates"]
            name, column = name.split(".")
            return document["datasets"][name][column], document["datasets"][name].get("dates")

        checked = 0
        for case in document["cases"]:
            if case["group"] != "quantstats" or not isinstance(case["expected"], (int, float)):
                continue
            inputs = case["inputs"]
            returns, dates = series(inputs["returns"])
            request = {"returns": returns, "periods_per_year": inputs["periods"], "profile": "quantstats",
                       "risk_free_rate": inputs["rf"], "select": [case["metric"].split(".")[0]]}
            if dates is not None:
                request["dates"] = dates
            if inputs.get("benchmark"):
                request["benchmark"] = {"returns": series(inputs["benchmark"])[0]}
            with self.subTest(case["id"]):
                got = value(self.measure(request), request["select"][0])
                self.assertAlmostEqual(got, case["expected"], delta=abs(case["expected"]) * 1e-10)
            checked += 1
        self.assertGreater(checked, 0)

    def test_periods_that_are_not_whole_are_marked(self):
        record = {"dates": ["2024-01-30", "2024-01-31", "2024-02-29", "2024-03-27"], "returns": [0.01, 0.01, 0.01, 0.01]}
        periods = self.measure({**record, "aggregate": "monthly"})["data"]["periods"]
        self.assertEqual((periods["end"], periods["is_partial"]), (["2024-01-31", "2024-02-29", "2024-03-27"], [True, False, True]))
        prices = {"dates": ["2024-01-15", "2024-01-31", "2024-02-29", "2024-03-29"], "prices": [1, 2, 3, 4]}
        periods = self.measure({**prices, "aggregate": "monthly"})["data"]["periods"]
        self.assertEqual(periods["is_partial"], [True, False, False])
        coins = {"dates": ["2024-02-29", "2024-03-30"], "prices": [1, 2], "periods_per_year": 365}  # a Saturday, and Sunday the 31st is missing
        self.assertEqual(self.measure({**coins, "aggregate": "monthly"})["data"]["periods"]["is_partial"], [True])
        self.assertEqual(self.measure({**coins, "periods_per_year": 252, "aggregate": "monthly"})["data"]["periods"]["is_partial"], [False])


class OverHttp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(var_dir=sample_var_dir()).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_the_answer_is_that_of_the_command_line(self):
        request = {"returns": RETURNS, "dates": DATES, "period": "monthly", "rolling": {"window": 4}}
        answer = self.server.post("/v1/metrics", request)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.body.decode(), command(body=json.dumps(request)).stdout)
        self.assertEqual(answer.header("Cache-Control"), "no-store")

    def test_monkeys_stand_beside_the_record_of_one_of_their_instruments(self):
        universe = ["stock:US.AAPL", "stock:US.MSFT", "coin:SIMBTCUSDT"]
        bars = self.server.get("/v1/instruments/stock:US.AAPL/prices?from=2017-01-01&to=2018-12-31&limit=1000").json["data"]
        last = {bar["date"][:7]: bar for bar in bars}.values()  # of each month
        request = {"dates": [bar["date"] for bar in last], "prices": [bar["adj_close"] for bar in last], "period": "monthly",
                   "monkeys": {"universe": universe[:1], "names": 1, "count": 10}}
        answer = self.server.post("/v1/metrics", request)
        self.assertEqual(answer.status, 200, answer)
        alone = answer.json["data"]["monkeys"]
        self.assertEqual((alone["count"], alone["names_each"], alone["universe_size"]), (10, 1, 1))
        for name in ("cagr", "sharpe", "max_drawdown"):
            row = alone["statistics"][name]
            self.assertAlmostEqual(row["strategy"], value(answer.json, name), places=12)
            self.assertAlmostEqual(row["quantiles"]["p50"], row["strategy"], places=9)
        request["monkeys"] = {"universe": universe, "names": 2, "count": 200, "seed": 7}
        answer = self.server.post("/v1/metrics", request)
        row = answer.json["data"]["monkeys"]["statistics"]["cagr"]
        self.assertLess(row["quantiles"]["p05"], row["quantiles"]["p95"])
        done = run("metrics", stdin=json.dumps(request).encode(), var_dir=sample_var_dir())
        self.assertEqual(done.stdout, answer.body.decode(), done.stderr)

    def test_monkeys_without_a_ground_to_stand_on_are_refused(self):
        good = {"dates": DATES, "returns": RETURNS, "monkeys": {"universe": ["stock:US.AAPL"], "names": 1}}
        for pointer, change in (("/monkeys", {"dates": [], "returns": None, "trades": [1, 2]}), ("/monkeys/universe/0", {"monkeys": {"universe": ["stock:US.APPL"], "names": 1}}), ("/monkeys", {"dates": None}),
                                ("/monkeys/universe", {"dates": [d.replace("2020", "1950") for d in DATES[:1] + ["2020-02-28"] + DATES[2:]]})):
            with self.subTest(pointer):
                answer = self.server.post("/v1/metrics", {**good, **change})
                self.assertEqual((answer.status, answer.json["errors"][0]["pointer"]), (422, pointer))
        self.assertIsNone(self.server.post("/v1/metrics", {"returns": RETURNS}).json["data"]["monkeys"])

    def test_tables_have_their_options_in_the_query(self):
        table = b"price\n100\n110\n99\n"
        answer = self.server.post("/v1/metrics?profile=empyrical&select=max_drawdown&periods_per_year=12", table, content_type="text/csv")
        self.assertEqual(answer.status, 200, answer)
        self.assertAlmostEqual(value(answer.json, "max_drawdown"), -0.1, places=14)

    def test_refusals_have_their_status(self):
        for status, body, headers in ((422, {"returns": []}, {}), (422, {"returns": [0.1], "profil": "pa"}, {}), (400, b"{", {}),
                                      (415, b"x", {"content_type": "text/plain"}), (400, b"return\n0.1\n0.2,0.3\n", {"content_type": "text/csv"})):
            with self.subTest(status=status, body=body):
                self.assertEqual(self.server.post("/v1/metrics", body, **headers).status, status)
        self.assertEqual(self.server.get("/v1/metrics").status, 405)


if __name__ == "__main__":
    unittest.main()
