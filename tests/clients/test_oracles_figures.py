"""Metrics beside empyrical, quantstats and ffn on one equity line of ours, each metric where its definition is the same.

The conventions that differ are rows of the profiles; here only rows of the native profile are compared whose convention
(docs/formulas.md) is the library's own: risk-free rate 0, 252 sessions, type-7 quantiles. Sums run in another order there, so 1e-9.
"""

import json
import pathlib
import subprocess
import unittest

from support.packages import python_packages
from support.server import run, sample_var_dir

FIGURES = pathlib.Path(__file__).with_name("oracles") / "figures.py"
TOLERANCE = 1e-9
REQUEST = {"assets": [{"uid": "stock:US.AAPL", "weight": 0.3}, {"uid": "stock:US.JPM", "weight": 0.3}, {"uid": "stock:US.KO", "weight": 0.4}],
           "start": "2000-01-03", "end": "2019-12-31", "rebalance": "quarterly", "costs": {"commission_bps": 5},
           "benchmark": "stock:US.XOM", "monkeys": {"count": 0}}


class Figures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.python = python_packages("empyrical-reloaded==0.5.12", "quantstats==0.0.81", "ffn==1.1.2")
        done = run("backtest", stdin=json.dumps(REQUEST).encode(), var_dir=sample_var_dir())
        assert done.returncode == 0, done.stderr
        cls.data = json.loads(done.stdout)["data"]
        equity = cls.data["equity"]
        job = {"dates": equity["date"], "equity": equity["equity"], "benchmark": equity["benchmark"]}
        theirs = subprocess.run([cls.python, str(FIGURES)], input=json.dumps(job), capture_output=True, text=True, timeout=300, check=False)
        assert theirs.returncode == 0, theirs.stderr[-3000:]
        cls.theirs = json.loads(theirs.stdout)

    def check(self, library, at_least):
        rows = self.theirs[library]
        self.assertGreaterEqual(len(rows), at_least)
        for name, value in rows.items():
            with self.subTest(library=library, metric=name):
                ours = self.data["metrics"][name]["value"]
                self.assertLessEqual(abs(ours - value), TOLERANCE * max(abs(value), 1e-3), (ours, value))

    def test_empyrical_has_the_same_figures(self):
        self.check("empyrical", 13)

    def test_quantstats_has_the_same_figures(self):
        self.check("quantstats", 15)

    def test_ffn_has_the_same_figures(self):
        self.check("ffn", 10)


if __name__ == "__main__":
    unittest.main()
