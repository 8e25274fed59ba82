"""Strategies over the real program: what a decision knew and did, and what refuses a request."""

import itertools
import json
import statistics
import unittest

from support.server import run, sample_var_dir

UNIVERSE = ["stock:US.AAPL", "stock:US.JPM", "stock:US.KO", "stock:US.XOM"]
BASE = {"universe": UNIVERSE, "start": "2008-01-02", "end": "2011-12-30", "benchmark": "stock:US.WMT", "monkeys": {"count": 0}}
STRATEGIES = [{"name": "inverse_volatility", "lag": 2}, "equal_risk_contribution", "minimum_variance", "maximum_sharpe",
              "minimum_cvar", {"name": "minimum_cdar", "confidence": 0.9}, "minimum_evar", {"name": "minimum_edar", "lag": 1},
              {"name": "black_litterman", "views": [{"assets": {"stock:US.AAPL": 1, "stock:US.KO": -1}, "return": 0.05}]},
              {"name": "adaptive_allocation", "top": 2}, "mean_variance", "maximum_diversification", {"name": "target_return", "least_return": 0.01},
              {"name": "maximum_return", "most_volatility": 0.25}, "minimum_tracking_error", {"name": "maximum_information_ratio", "lag": 1},
              {"name": "maximum_omega", "acceptable_return": 0.01}, "maximum_sortino",
              "hierarchical_risk_parity", "hierarchical_equal_risk_contribution",
              {"name": "nested_clustered_optimization", "clusters": 2, "objective": "maximum_sharpe"},
              "moving_average_timing", {"name": "momentum", "lookback": 126, "lag": 21, "top": 2},
              {"name": "dual_momentum", "safe": "stock:US.KO"}, {"name": "target_volatility", "base": "equal"},
              {"name": "walk_forward", "train": 252, "test": 63, "candidates": ["equal", {"name": "momentum", "top": 1}]}]


class Strategies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.var_dir = sample_var_dir()

    def answer(self, request):
        done = run("backtest", stdin=json.dumps(request).encode(), var_dir=self.var_dir)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["data"]

    def test_no_decision_knows_more_than_its_own_close_and_none_is_filled_before_the_next(self):
        for strategy in STRATEGIES:
            with self.subTest(strategy):
                data = self.answer({**BASE, "strategy": strategy})
                decisions = data["decisions"]
                self.assertEqual(decisions["uids"], UNIVERSE)
                self.assertEqual((decisions["count"], decisions["truncated"]), (48, False))
                for row in decisions["rows"]:
                    self.assertLess(row["known_from"], row["known_at"])
                    self.assertLessEqual(row["known_at"], row["decided_at"])
                    self.assertTrue(row["acted_at"] is None or row["acted_at"] > row["decided_at"], row)
                    self.assertAlmostEqual(sum(row["weights"]), row["invested"], 9)
                last = [row for row in decisions["rows"] if row["acted_at"]][-1]
                *held, cash = data["final_weights"]
                self.assertEqual([row["target_weight"] for row in held], last["weights"])
                self.assertAlmostEqual(cash["target_weight"], 1 - last["invested"], 12)

    def test_a_lag_moves_the_window_back(self):
        rows = [self.answer({**BASE, "strategy": {"name": "momentum", "lookback": 126, "lag": lag}})["decisions"]["rows"]
                for lag in (0, 1)]
        for now, before in zip(*rows, strict=True):
            self.assertEqual(now["known_at"], now["decided_at"])
            self.assertLess(before["known_at"], before["decided_at"])

    def test_an_economic_series_is_known_when_it_was_published(self):
        strategy = {"name": "indicator_timing", "indicator": "indicator:CPILFESL:USA:M", "threshold": 217, "when": "below", "safe": "stock:US.KO"}
        data = self.answer({**BASE, "strategy": strategy})
        rows = data["decisions"]["rows"]
        for row in rows:
            self.assertEqual(row["known_from"], row["known_at"])
            self.assertLessEqual(row["known_at"], row["decided_at"])
            self.assertIn(row["weights"], ([1 / 3, 1 / 3, 0, 1 / 3], [0, 0, 1, 0]))
        self.assertEqual([row["weights"][2] for row in (rows[0], rows[-1])], [0, 1])
        self.assertEqual(data["spec"]["strategy"]["indicator"], strategy["indicator"])

    def test_weights_of_the_request_make_no_decisions(self):
        self.assertIsNone(self.answer({**BASE, "strategy": "equal"})["decisions"])

    def test_a_walk_forward_lists_its_fits_and_trials(self):
        walk = self.answer({**BASE, "strategy": STRATEGIES[-1]})["walk_forward"]
        self.assertEqual(walk["count"], len(walk["fits"]))
        for fit in walk["fits"]:
            self.assertEqual(fit["in_sample"], max(fit["scores"]))
            self.assertEqual(fit["scores"][fit["chosen"]], fit["in_sample"])
            self.assertLess(fit["train_from"], fit["fitted_at"])
        self.assertEqual(walk["trials"]["count"], 2)
        self.assertIsNone(self.answer({**BASE, "strategy": "momentum"})["walk_forward"])

    def test_a_grid_of_candidates_is_its_points_written_out(self):
        inner = {"name": "momentum", "top": 1}
        search = {"name": "walk_forward", "train": 252, "test": 63}
        axes = [{"pointer": "/lookback", "from": 63, "to": 189, "step": 63}, {"pointer": "/top", "values": [1, 2]}]
        grid = self.answer({**BASE, "strategy": {**search, "grid": {"strategy": inner, "axes": axes}}})
        points = [{**inner, "lookback": lookback, "top": top} for lookback in (63, 126, 189) for top in (1, 2)]
        self.assertEqual(grid, self.answer({**BASE, "strategy": {**search, "candidates": points}}))
        self.assertEqual(grid["walk_forward"]["trials"]["count"], 6)
        self.assertEqual({len(fit["scores"]) for fit in grid["walk_forward"]["fits"]}, {6})

    def test_a_target_volatility_says_what_it_came_to(self):
        strategy = {"name": "target_volatility", "base": "equal", "target": 0.12}
        data = self.answer({**BASE, "strategy": strategy, "costs": {"commission_bps": 5}})
        told, equity = data["target_volatility"], data["equity"]
        first = next(row for row in data["decisions"]["rows"] if row["note"] is None)
        self.assertEqual((told["target"], told["since"]), (0.12, first["acted_at"]))
        rows = list(zip(equity["date"], equity["equity"], strict=True))
        returns = [(date, value / before - 1) for (_, before), (date, value) in itertools.pairwise(rows) if date > told["since"]]

        def check(line, chosen):
            self.assertEqual(line["returns"], len(chosen))
            self.assertAlmostEqual(line["realised"], statistics.stdev(chosen) * 252 ** 0.5, 9)
            self.assertAlmostEqual(line["ratio"], line["realised"] / 0.12, 12)

        check(told, [value for _, value in returns])
        self.assertEqual([line["year"] for line in told["years"]], [2008, 2009, 2010, 2011])
        for line in told["years"]:
            check(line, [value for date, value in returns if date.startswith(str(line["year"]))])
        self.assertTrue(0.5 < told["ratio"] < 1.5, told)
        self.assertIsNone(self.answer({**BASE, "strategy": "momentum"})["target_volatility"])
        told = self.answer({**BASE, "strategy": {"name": "maximum_return", "most_volatility": 0.3}})["target_volatility"]
        self.assertEqual(told["target"], 0.3)
        self.assertAlmostEqual(told["ratio"], told["realised"] / 0.3, 12)

    def test_a_frontier_is_told_out_of_sample_first(self):
        frontier = self.answer({**BASE, "frontier": {"points": 5, "in_sample": 0.5}})["frontier"]
        self.assertEqual(frontier["uids"], UNIVERSE)
        self.assertEqual(len(frontier["points"]), 5)
        for point in frontier["points"]:
            self.assertEqual(list(point), ["out_of_sample", "in_sample", "weights"])
            self.assertAlmostEqual(sum(point["weights"]), 1, 9)
        means = [point["in_sample"]["mean"] for point in frontier["points"]]
        self.assertEqual(means, sorted(means))

    def test_contributions_buy_the_targets_of_any_strategy(self):
        data = self.answer({**BASE, "strategy": "equal_risk_contribution", "flows": [{"amount": 500, "every": "month"}]})
        self.assertGreater(data["decisions"]["count"], 40)

    def test_limits_that_cannot_be_met_are_refused_by_name(self):
        request = {**BASE, "strategy": {"name": "minimum_variance", "constraints": {"max_weight": 0.2}}}
        done = run("backtest", stdin=json.dumps(request).encode(), var_dir=self.var_dir)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("/strategy/constraints/max_weight", done.stderr)


if __name__ == "__main__":
    unittest.main()
