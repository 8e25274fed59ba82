"""Factor regressions and dated risk-free rates of a backtest, against least squares and Newey and West written out here."""

import math
import unittest

from support.backend import Postgresql, Sqlite
from support.problems import Assertions

REQUEST = {"assets": [{"uid": "stock:US.AAPL", "weight": 0.6}, {"uid": "stock:US.KO", "weight": 0.4}], "start": "2014-01-10",
           "end": "2016-12-30", "benchmark": "index:SPX", "monkeys": {"count": 0}}
MONTHLY = {"indicator": "indicator:FF_RF:USA:M", "per": "month"}
CPI = "indicator:CPILFESL:USA:M"
DATES = ["2015-01-30", "2015-02-27", "2015-03-31"]
FACTORS = [{"name": "market", "uid": "index:SPX"}, {"name": "style", "uid": "etf:US.VLUE", "minus": "etf:US.MTUM"}]


def solve(matrix, right):
    """Gauss-Jordan with pivoting; the inverse of matrix times right, a matrix."""
    n = len(matrix)
    rows = [list(a) + list(b) for a, b in zip(matrix, right)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [v / rows[i][i] for v in rows[i]]
        for k in range(n):
            if k != i:
                rows[k] = [v - rows[k][i] * w for v, w in zip(rows[k], rows[i])]
    return [row[n:] for row in rows]


def product(a, b):
    return [[math.fsum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def newey_west(y, factors, lag):
    """Coefficients, ordinary and HAC errors, R squared."""
    x = [[1.0, *row] for row in zip(*factors)]
    k = len(x[0])
    xx = product(list(zip(*x)), x)
    inverse = solve(xx, [[float(i == j) for j in range(k)] for i in range(k)])
    beta = [row[0] for row in product(inverse, product(list(zip(*x)), [[v] for v in y]))]
    e = [v - math.fsum(b * w for b, w in zip(beta, row)) for v, row in zip(y, x)]
    sse, mean = math.fsum(v * v for v in e), math.fsum(y) / len(y)
    ordinary = [math.sqrt(sse / (len(y) - k) * inverse[i][i]) for i in range(k)]
    meat = [[0.0] * k for _ in range(k)]
    for j in range(lag + 1):
        weight = 1 - j / (lag + 1)
        for t in range(j, len(y)):
            for a in range(k):
                for b in range(k):
                    part = weight * e[t] * e[t - j] * x[t][a] * x[t - j][b]
                    meat[a][b] += part
                    if j > 0:
                        meat[b][a] += part
    cover = product(product(inverse, meat), inverse)
    hac = [math.sqrt(cover[i][i]) for i in range(k)]
    return beta, ordinary, hac, 1 - sse / math.fsum((v - mean) ** 2 for v in y)


class Factors(unittest.TestCase, Assertions):
    @classmethod
    def setUpClass(cls):
        cls.server = Sqlite().server().start()
        cls.addClassCleanup(cls.server.kill)

    def ask(self, **changes):
        answer = self.server.post("/v1/backtests", {**REQUEST, **changes})
        self.assertIn(answer.status, (200, 201), answer)  # another test may have asked the same
        return answer.json["data"]

    def prices(self, uid):
        rows = self.assert_ok(self.server.get(f"/v1/marts/mart_price_daily/rows?uid=eq.{uid}&date=gte.2013-12-01&date=lte.2017-01-01"
                                              "&select=date,adj_close&limit=1000")).json["data"]
        return {row["date"]: float(row["adj_close"]) for row in rows}

    def rates(self):
        """FF_RF as it was known: each day's annual fraction."""
        rows = self.assert_ok(self.server.get("/v1/marts/mart_economic_indicator/rows?stat_code=eq.FF_RF&frequency=eq.M&period_start=gte.2013-01-01&limit=1000"
                                              "&select=known_at,value,period_end&order=known_at.asc")).json["data"]
        return [(row["known_at"], (1 + float(row["value"]) / 100) ** 12 - 1) for row in rows if row["value"] is not None]

    def known(self, rates, date):
        return [rate for at, rate in rates if at <= date + "T20:00:00Z"][-1]

    def expected(self, data, rate_of):
        dates, equity = data["equity"]["date"], data["equity"]["equity"]
        index, value, momentum = (self.prices(uid) for uid in ("index:SPX", "etf:US.VLUE", "etf:US.MTUM"))
        y, market, style = [], [], []
        for t in range(1, len(dates)):
            a, b = dates[t - 1], dates[t]
            rf = (1 + rate_of(a)) ** (1 / 252) - 1
            y.append(equity[t] / equity[t - 1] - 1 - rf)
            market.append(index[b] / index[a] - 1 - rf)
            style.append(value[b] / value[a] - momentum[b] / momentum[a])
        return y, [market, style]

    def check(self, data, rate_of):
        found = data["factors"]
        y, factors = self.expected(data, rate_of)
        self.assertEqual((found["n"], found["first"], found["last"]), (len(y), data["equity"]["date"][0], data["equity"]["date"][-1]))
        beta, ordinary, hac, r_squared = newey_west(y, factors, found["lag"])
        self.assertEqual([c["name"] for c in found["coefficients"]], ["alpha", "market", "style"])
        for i, c in enumerate(found["coefficients"]):
            for key, wanted in (("value", beta[i]), ("se", ordinary[i]), ("hac_se", hac[i]), ("t", beta[i] / ordinary[i]),
                                ("hac_t", beta[i] / hac[i])):
                self.assertLess(abs(c[key] - wanted), 1e-9 * max(abs(wanted), 1e-3), (c["name"], key))
            self.assertAlmostEqual(c["hac_p"], math.erfc(abs(c["hac_t"]) / math.sqrt(2)), 12)
            self.assertAlmostEqual(c["p"], math.erfc(abs(c["t"]) / math.sqrt(2)), 2)  # hundreds of degrees: near the normal
        self.assertAlmostEqual(found["r_squared"], r_squared, 10)
        self.assertAlmostEqual(found["coefficients"][0]["annual"], beta[0] * 252, 12)

    def test_a_regression_is_that_of_the_textbook(self):
        data = self.ask(factors=FACTORS)
        self.assertEqual(data["factors"]["lag"], math.floor(4 * (data["factors"]["n"] / 100) ** (2 / 9)))
        self.check(data, lambda _: 0)
        self.check(self.ask(factors=FACTORS, hac_lag=12, risk_free_rate=0.02), lambda _: 0.02)

    def test_a_dated_rate_is_what_was_known_at_the_start_of_each_return(self):
        rates = self.rates()
        data = self.ask(factors=FACTORS, risk_free_rate=MONTHLY)
        self.check(data, lambda date: self.known(rates, date))
        dates, equity = data["equity"]["date"], data["equity"]["equity"]
        excess = [equity[t] / equity[t - 1] - (1 + self.known(rates, dates[t - 1])) ** (1 / 252) for t in range(1, len(dates))]
        mean = math.fsum(excess) / len(excess)
        sd = math.sqrt(math.fsum((v - mean) ** 2 for v in excess) / (len(excess) - 1))
        self.assertAlmostEqual(data["metrics"]["sharpe"]["value"], mean / sd * math.sqrt(252), 9)
        self.assertAlmostEqual(data["passport"]["risk_free_rate"], math.fsum(self.known(rates, d) for d in dates) / len(dates), 12)
        self.assertEqual(data["spec"]["risk_free_rate"], MONTHLY)
        again = self.server.post("/v1/backtests", data["spec"])
        self.assertEqual((again.status, again.json["data"]["id"]), (200, data["id"]))

    def test_real_terms_are_by_the_prices_known_at_each_session(self):
        data = self.ask(inflation=CPI, withdrawals={"years": 2})
        rows = self.assert_ok(self.server.get("/v1/marts/mart_economic_indicator/rows?stat_code=eq.CPILFESL&frequency=eq.M&period_start=gte.2013-01-01"
                                              "&limit=1000&select=known_at,value,period_end&order=known_at.asc")).json["data"]
        known = [(row["known_at"], row["period_end"], float(row["value"])) for row in rows if row["value"] is not None]

        def level(date):
            return max((end, at, value) for at, end, value in known if at <= date + "T20:00:00Z")[-1]

        real, dates = data["real"], data["equity"]["date"]
        for t, date in enumerate(dates):
            self.assertAlmostEqual(real["level"][t], level(date) / level(dates[0]), 12)
            self.assertAlmostEqual(real["equity"][t] * real["level"][t], data["equity"]["equity"][t], 7)
        self.assertGreater(real["inflation_annual"], 0.005)
        self.assertAlmostEqual((1 + real["metrics"]["cagr"]["value"]) * (1 + real["inflation_annual"]), 1 + data["metrics"]["cagr"]["value"], 12)
        rates = data["withdrawal_rates"]
        self.assertEqual((rates["is_real"], rates["years"], rates["start"][0]), (True, 2, dates[0]))
        self.assertEqual(rates["safe"]["worst"], min(rates["safe"]["rate"]))
        worth = 1
        places = [next(t for t, date in enumerate(dates) if date >= day) for day in ("2014-01-10", "2015-01-10", "2016-01-10")]
        for a, b in zip(places, places[1:]):
            worth = (worth - rates["safe"]["rate"][0]) * real["equity"][b] / real["equity"][a]
        self.assertAlmostEqual(worth, 0, 12)
        again = self.server.post("/v1/backtests", data["spec"])
        self.assertEqual((again.status, again.json["data"]["id"]), (200, data["id"]))
        plain = self.ask()
        self.assertIsNone(plain["real"])
        self.assertIsNone(plain["withdrawal_rates"])
        for key in ("equity", "metrics", "trades"):
            self.assertEqual(plain[key], data[key])
        self.assertFalse(self.ask(withdrawals={"years": 2})["withdrawal_rates"]["is_real"])
        for change, pointer in (({"inflation": "indicator:NOPE:USA:M"}, "/inflation"), ({"inflation": "CPI"}, "/inflation"),
                                ({"withdrawals": {"years": 61}}, "/withdrawals/years")):
            answer = self.server.post("/v1/backtests", {**REQUEST, **change})
            self.assertEqual(answer.status, 422, answer)
            self.assertEqual(answer.json["errors"][0]["pointer"], pointer)

    def test_monkeys_and_intervals_have_the_dated_rate(self):
        """What they say of the history itself is the metric: excess returns session by session."""
        trust = {"monkeys": {"count": 50}, "bootstrap": {"count": 50}}
        dated, plain = self.ask(risk_free_rate=MONTHLY, **trust), self.ask(**trust)
        for data in (dated, plain):
            for name in ("sharpe", "sortino", "volatility", "cagr"):
                self.assertAlmostEqual(data["bootstrap"]["figures"][name]["estimate"], data["metrics"][name]["value"], 9, name)
            self.assertAlmostEqual(data["monkeys"]["statistics"]["sharpe"]["strategy"], data["metrics"]["sharpe"]["value"], 9)
        self.assertLess(dated["metrics"]["sharpe"]["value"], plain["metrics"]["sharpe"]["value"])
        quantiles = [data["monkeys"]["statistics"]["sharpe"]["quantiles"]["p50"] for data in (dated, plain)]
        self.assertLess(*quantiles)
        self.assertEqual(*[data["monkeys"]["statistics"]["cagr"]["quantiles"]["p50"] for data in (dated, plain)])

    def test_a_walk_forward_scores_what_is_left_over_the_dated_rate(self):
        """With one candidate the window out of sample is the run's own path, but for the days around its edges."""
        strategy = {"name": "walk_forward", "train": 60, "test": 2520, "candidates": ["equal"]}
        assets = [{"uid": asset["uid"]} for asset in REQUEST["assets"]]
        scores = []
        for rate in (MONTHLY, 0):
            data = self.ask(assets=assets, strategy=strategy, fill="same_close", costs={}, risk_free_rate=rate)
            fit = data["walk_forward"]["fits"][0]
            self.assertAlmostEqual(fit["out_of_sample"], data["metrics"]["sharpe"]["value"], 9)
            scores.append(fit["out_of_sample"])
        self.assertLess(scores[0], scores[1])

    def test_the_benchmark_has_the_same_saver_beside_it(self):
        plain, dated = self.ask(), self.ask(risk_free_rate=MONTHLY)
        self.assertLess(dated["metrics"]["sharpe"]["benchmark"], plain["metrics"]["sharpe"]["benchmark"])
        self.assertEqual(dated["metrics"]["total_return"], plain["metrics"]["total_return"])
        same = self.ask(factors=[{"uid": "index:SPX"}], risk_free_rate=MONTHLY)
        self.assertAlmostEqual(same["factors"]["coefficients"][1]["value"], same["metrics"]["beta"]["value"], 9)
        self.assertAlmostEqual(same["factors"]["coefficients"][0]["annual"], same["metrics"]["alpha"]["value"], 9)

    def test_what_cannot_be_is_said_to_be_so(self):
        twice = self.ask(factors=[{"uid": "index:SPX"}, {"name": "again", "uid": "index:SPX"}])["factors"]
        self.assertEqual((twice["reason"], "coefficients" in twice), ("zero_variance", False))
        for changes, code, pointer in (
                ({"factors": []}, "out-of-range", "/factors"),
                ({"factors": [{"name": "x"}]}, "wrong-type", "/factors/0/uid"),
                ({"factors": [{"uid": "index:NOPE"}]}, "unknown-asset", "/factors/0/uid"),
                ({"factors": [{"uid": "index:SPX", "minus": "index:NOPE"}]}, "unknown-asset", "/factors/0/minus"),
                ({"factors": [{"uid": "index:SPX", "minus": "index:SPX"}]}, "bad-spec", "/factors/0/minus"),
                ({"factors": [{"uid": "index:SPX"}] * 2}, "bad-spec", "/factors/1"),
                ({"factors": [{"uid": "index:SPX", "lag": 1}]}, "unknown-field", "/factors/0/lag"),
                ({"hac_lag": 3}, "bad-spec", "/hac_lag"),
                ({"risk_free_rate": "x"}, "wrong-type", "/risk_free_rate"),
                ({"risk_free_rate": {"indicator": "indicator:NOPE:USA:M", "per": "month"}}, "unknown-asset", "/risk_free_rate/indicator"),
                ({"risk_free_rate": {"indicator": "indicator:FF_RF:USA:M"}}, "wrong-type", "/risk_free_rate/per"),
                ({"risk_free_rate": {**MONTHLY, "per": "day"}}, "out-of-range", "/risk_free_rate/per"),
                ({"risk_free_rate": {"indicator": "indicator:CPILFESL:USA:M", "per": "year"}}, "bad-data", "/risk_free_rate/indicator")):
            with self.subTest(changes=changes):
                problem = self.assert_problem(self.server.post("/v1/backtests", {**REQUEST, **changes}), code)
                self.assertEqual(problem["errors"][0]["pointer"], pointer)


class OfATrackRecord(unittest.TestCase, Assertions):
    """POST /v1/metrics: factors by uid and with dates of their own, against the same regression on returns given row by row."""

    @classmethod
    def setUpClass(cls):
        cls.server = Sqlite().server().start()
        cls.addClassCleanup(cls.server.kill)
        cls.levels = {uid: cls.prices_of(uid) for uid in ("index:SPX", "etf:US.VLUE", "etf:US.MTUM", "stock:US.KO")}
        cls.days = sorted(set.intersection(*(set(level) for level in cls.levels.values())))

    @classmethod
    def prices_of(cls, uid):
        rows = cls.server.get(f"/v1/marts/mart_price_daily/rows?uid=eq.{uid}&date=gte.2013-12-01&date=lte.2016-12-30"
                              "&select=date,adj_close&limit=2000").json["data"]
        return {row["date"]: float(row["adj_close"]) for row in rows}

    def fit(self, **request):
        answer = self.assert_ok(self.server.post("/v1/metrics", {"select": ["cagr"], **request}))
        return answer.json["data"]["regression"]

    def returns(self, uid, days, first=None):
        level = [self.levels[uid][day] for day in ([first] if first else []) + days]
        return [b / a - 1 for a, b in zip(level, level[1:])]

    def assert_same_fit(self, found, wanted, places=9):
        self.assertEqual((found["n"], found["lag"]), (wanted["n"], wanted["lag"]))
        for a, b in zip(found["coefficients"], wanted["coefficients"]):
            for key in ("value", "se", "t", "p", "hac_se", "hac_t", "hac_p"):
                self.assertAlmostEqual(a[key] / (b[key] or 1), b[key] and 1, places, (a["name"], key))

    def test_instruments_stand_for_their_returns(self):
        first, days = self.days[0], self.days[1:]
        record = {"dates": days, "start": first, "returns": self.returns("stock:US.KO", days, first), "risk_free_rate": 0.01}
        rf = 1.01 ** (1 / 252) - 1
        style = [a - b for a, b in zip(self.returns("etf:US.VLUE", days, first), self.returns("etf:US.MTUM", days, first))]
        market = [r - rf for r in self.returns("index:SPX", days, first)]
        wanted = self.fit(**record, factors=[{"name": "index:SPX", "returns": market}, {"name": "style", "returns": style}])
        found = self.fit(**record, factors=[{"uid": "index:SPX"}, {"uid": "etf:US.VLUE", "minus": "etf:US.MTUM", "name": "style"}])
        self.assert_same_fit(found, wanted)
        self.assertEqual([c["name"] for c in found["coefficients"]], ["alpha", "index:SPX", "style"])
        prices = self.fit(dates=self.days, prices=[self.levels["stock:US.KO"][day] for day in self.days], risk_free_rate=0.01,
                          factors=[{"uid": "index:SPX"}, {"uid": "etf:US.VLUE", "minus": "etf:US.MTUM", "name": "style"}])
        self.assert_same_fit(prices, wanted)

    def test_monthly_rows_meet_daily_tables(self):
        ends = [a for a, b in zip(self.days, self.days[1:]) if a[:7] != b[:7]]
        record = {"dates": ends[1:], "start": ends[0], "returns": self.returns("stock:US.KO", ends[1:], ends[0]), "period": "monthly"}
        wanted = self.fit(**record, factors=[{"name": "m", "returns": self.returns("index:SPX", ends[1:], ends[0])}])
        daily = {"name": "m", "dates": self.days}
        self.assert_same_fit(self.fit(**record, factors=[{**daily, "prices": [self.levels["index:SPX"][d] for d in self.days]}]), wanted)
        of_returns = [{"name": "m", "dates": self.days[1:], "returns": self.returns("index:SPX", self.days)}]
        self.assert_same_fit(self.fit(**record, factors=of_returns), wanted)
        short = [{"name": "m", "dates": self.days[:200], "prices": [self.levels["index:SPX"][d] for d in self.days[:200]]}]
        self.assertEqual(self.fit(**record, factors=short)["n"], sum(1 for e in ends[1:] if e <= self.days[199]))

    def test_the_currency_of_the_record_counts(self):
        record = {"dates": self.days, "prices": [self.levels["stock:US.KO"][day] for day in self.days]}
        betas = [self.fit(**record, currency=currency, factors=[{"uid": "index:SPX"}])["coefficients"][1]["value"] for currency in ("USD", "EUR")]
        self.assertNotAlmostEqual(*betas, 3)

    def test_what_cannot_be_is_refused_with_its_place(self):
        record = {"dates": DATES, "returns": [0.01, -0.02, 0.03]}
        for factor, code, pointer in (
                ({"uid": "index:NOPE"}, "unknown-asset", "/factors/0/uid"),
                ({"uid": "index:SPX", "minus": "index:NOPE"}, "unknown-asset", "/factors/0/minus"),
                ({"uid": "index:SPX", "minus": "index:SPX"}, "bad-spec", "/factors/0/minus"),
                ({"uid": "index:SPX", "returns": [0, 0, 0]}, "unknown-field", "/factors/0/returns"),
                ({"name": "t", "dates": DATES, "returns": [0.1, -1, 0]}, "out-of-range", "/factors/0/returns/1"),
                ({"name": "t", "dates": DATES, "prices": [0.1, 0, 1]}, "out-of-range", "/factors/0/prices/1"),
                ({"name": "t", "dates": DATES, "prices": [1, 1]}, "bad-spec", "/factors/0/prices"),
                ({"name": "t", "dates": DATES[::-1], "prices": [1, 1, 1]}, "bad-spec", "/factors/0/dates/1"),
                ({"dates": DATES, "prices": [1, 1, 1]}, "wrong-type", "/factors/0/name")):
            with self.subTest(factor=factor):
                problem = self.assert_problem(self.server.post("/v1/metrics", {**record, "factors": [factor]}), code)
                self.assertEqual(problem["errors"][0]["pointer"], pointer)
        undated = self.server.post("/v1/metrics", {"returns": [0.01, -0.02, 0.03], "factors": [{"uid": "index:SPX"}]})
        self.assertEqual(self.assert_problem(undated, "bad-spec")["errors"][0]["pointer"], "/factors/0")


class OnPostgresql(unittest.TestCase):
    def test_both_databases_give_the_same_bytes(self):
        request = {**REQUEST, "factors": FACTORS, "risk_free_rate": MONTHLY}
        bodies = []
        for backend in (Sqlite, Postgresql):
            with backend().server() as server:
                bodies.append(server.post("/v1/backtests", request).body)
        self.assertEqual(bodies[0], bodies[1])


if __name__ == "__main__":
    unittest.main()
