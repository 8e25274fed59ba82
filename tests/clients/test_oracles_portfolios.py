"""The simulator beside bt, vectorbt and backtrader: the same prices and rules, session by session.

What is matched, and how far:

* bt: rebalanced at the close of the first session of a month, fractional positions, no costs; ours: monthly, `same_close`. bt
  sizes positions in a loop that ends within its own tolerance, so 1e-9.
* vectorbt: targets in per cent of the group's value at the same close, sales first; 1e-9. One asset bought once with fees too:
  both spend the whole cash on the purchase and its fee. With fees on several assets vectorbt lets the weights be off and pays from
  cash, where ours solves for the value after costs: not comparable.
* backtrader: decided at the first close of a month and filled at the next bar (cheat-on-open, bars whose open is their close), with
  commission; ours: monthly, `next_close`. The sizes come from a bisection of the value after costs in the test's own code;
  cash, positions and commissions are kept by backtrader. 1e-9.
"""

import json
import pathlib
import subprocess
import unittest

from support.dataset import sample_rows
from support.packages import python_packages
from support.server import run, sample_var_dir

PLAYER = pathlib.Path(__file__).with_name("oracles") / "portfolios.py"
TOLERANCE = 1e-9
WEIGHTS = {"stock:US.AAPL": 0.4, "stock:US.JPM": 0.3, "stock:US.KO": 0.2, "stock:US.XOM": 0.1}


def closes(uids, start, end):
    """Dates on which all of them have a price, and the prices."""
    lines = {uid: {} for uid in uids}
    for row in sample_rows("prices_us_stocks.csv.gz"):
        if row["uid"] in lines and start <= row["date"] <= end and row["adj_close"]:
            lines[row["uid"]][row["date"]] = float(row["adj_close"])
    dates = sorted(set.intersection(*(set(line) for line in lines.values())))
    assert all(len(line) == len(dates) for line in lines.values()), "a name has sessions of its own"
    return dates, {uid: [line[date] for date in dates] for uid, line in lines.items()}


class Portfolios(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.var_dir = sample_var_dir()

    def ours(self, weights, dates, rebalance, fill, rate=0.0):
        request = {"assets": [{"uid": uid, "weight": weight} for uid, weight in weights.items()], "start": dates[0], "end": dates[-1],
                   "capital": 1000000, "on_weight_sum": "cash", "rebalance": rebalance, "fill": fill, "costs": {"commission_bps": rate * 1e4},
                   "monkeys": {"count": 0}}
        done = run("backtest", stdin=json.dumps(request).encode(), var_dir=self.var_dir)
        self.assertEqual(done.returncode, 0, done.stderr)
        equity = json.loads(done.stdout)["data"]["equity"]
        self.assertEqual(equity["date"], dates)
        return [value / 1e6 for value in equity["equity"]]

    def theirs(self, requirements, engine, dates, prices, weights, rate=0.0, monthly=True):
        python = python_packages(*requirements)
        job = {"engine": engine, "dates": dates, "prices": prices, "weights": weights, "rate": rate, "monthly": monthly}
        done = subprocess.run([python, str(PLAYER)], input=json.dumps(job), capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        return json.loads(done.stdout)["equity"]

    def compare(self, ours, theirs, dates, first=0):
        self.assertEqual(len(ours), len(theirs))
        worst = max(range(first, len(ours)), key=lambda t: abs(ours[t] / theirs[t] - 1))
        self.assertLessEqual(abs(ours[worst] / theirs[worst] - 1), TOLERANCE, (dates[worst], ours[worst], theirs[worst]))
        self.assertGreater(max(ours) / min(ours), 1.2)  # a line that moves: not two constants

    def test_bt_rebalances_to_the_same_equity(self):
        dates, prices = closes(WEIGHTS, "2010-01-04", "2013-12-31")
        theirs = self.theirs(["bt==1.4.1"], "bt", dates, prices, WEIGHTS)
        self.compare(self.ours(WEIGHTS, dates, "monthly", "same_close"), theirs, dates)

    def test_vectorbt_rebalances_to_the_same_equity(self):
        dates, prices = closes(WEIGHTS, "2000-01-03", "2019-12-31")
        theirs = self.theirs(["vectorbt==1.2.0"], "vectorbt", dates, prices, WEIGHTS)
        self.compare(self.ours(WEIGHTS, dates, "monthly", "same_close"), theirs, dates)

    def test_vectorbt_pays_the_same_fee_for_one_purchase(self):
        one = {"stock:US.KO": 1.0}
        dates, prices = closes(one, "2010-01-04", "2015-12-31")
        theirs = self.theirs(["vectorbt==1.2.0"], "vectorbt", dates, prices, one, rate=0.002, monthly=False)
        ours = self.ours(one, dates, "never", "same_close", rate=0.002)
        self.assertEqual(ours[0], 1)  # ours starts with the capital, before any cost; theirs after the purchase
        self.compare(ours, theirs, dates, first=1)

    def test_backtrader_keeps_the_same_books_with_commission(self):
        dates, prices = closes(WEIGHTS, "2010-01-04", "2012-12-31")
        # A part stays in cash: backtrader refuses an order for want of the last 1e-16 of the money.
        weights = {uid: 0.95 * weight for uid, weight in WEIGHTS.items()}
        theirs = self.theirs(["backtrader==1.9.78.123", "pandas==2.2.3"], "backtrader", dates, prices, weights, rate=0.001)
        self.compare(self.ours(weights, dates, "monthly", "next_close", rate=0.001), theirs, dates)


if __name__ == "__main__":
    unittest.main()
