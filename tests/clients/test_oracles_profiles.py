"""The profiles of quantstats, empyrical and ffn beside those libraries, by their own names, on random series and on those that
have no spread, no loss, no gain or a single return.

Where a library answers and the engine has a reason instead, the reason is one of docs/formulas.md, section 6, and listed here: 8.7e16
for the Sharpe ratio of a constant series, 0 for its skewness.
"""

import datetime
import json
import math
import pathlib
import random
import subprocess
import unittest

from support.packages import python_packages
from support.server import run

ORACLE = pathlib.Path(__file__).with_name("oracles") / "profiles.py"
TOLERANCE = 1e-9
SHORTER = ("three_year", "five_year", "ten_year")  # ffn gives what there is this name when it is less
REASONS = {"zero_variance", "no_variation", "no_losses", "no_upside", "no_nonzero", "too_short"}


def days(n, monthly):
    day, found = datetime.date(2011, 11, 30), []
    while len(found) <= n:
        if (day + datetime.timedelta(days=1)).day == 1 if monthly else day.weekday() < 5:
            found.append(day.isoformat())
        day += datetime.timedelta(days=1)
    return found


def walk(seed, n, deviation=0.01, tail=False):
    """Returns with some autocorrelation; with a tail, some ten times as large."""
    rng, before, found = random.Random(seed), 0.0, []
    for _ in range(n):
        before = 0.2 * before + rng.gauss(0.0004, deviation) * (10 if tail and rng.random() < 0.02 else 1)
        found.append(before)
    return found


def series():
    cases = {f"walk_{n}": (walk(n, n), walk(n + 1, n), 252) for n in (9, 60, 300, 1500)}
    cases |= {f"tail_{seed}": (walk(seed, 500, tail=True), walk(seed + 50, 500), 252) for seed in (1, 2, 3)}
    own = walk(8, 132, 0.03)
    cases["monthly"] = (own, [0.6 * x + y for x, y in zip(own, walk(9, 132, 0.02))], 12)
    cases["rising"] = ([abs(x) for x in walk(10, 30)], walk(11, 30), 252)
    cases["falling"] = ([-abs(x) for x in walk(12, 30)], walk(13, 30), 252)
    cases["idle"] = ([0.0 if i % 3 == 0 else x for i, x in enumerate(walk(14, 90))], walk(15, 90), 252)
    cases["constant"] = ([0.01] * 10, walk(16, 10), 252)
    cases["one"] = ([0.01], [0.02], 252)
    return gaps() | {name: {"dates": days(len(r), periods == 12), "returns": r, "benchmark": b, "periods": periods} for name, (r, b, periods) in cases.items()}


def gaps():
    """Rows without a rate, a return or the benchmark's, over several new years."""
    found = {}
    for seed, n, monthly in ((20, 800, False), (21, 120, True)):
        rng = random.Random(seed)
        lines = {"returns": walk(seed, n), "benchmark": walk(seed + 5, n), "risk_free": [rng.uniform(0, 2e-3) for _ in range(n)]}
        holes = {name: [None if 5 < i < n - 5 and rng.random() < 0.1 else x for i, x in enumerate(line)] for name, line in lines.items()}
        found[f"gaps_{n}"] = {"dates": days(n, monthly), "periods": 12 if monthly else 252, **holes}
    return found


class Profiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        python = python_packages("empyrical-reloaded==0.5.12", "quantstats==0.0.81", "ffn==1.1.2")
        cls.series = series()
        done = subprocess.run([python, str(ORACLE)], input=json.dumps(cls.series), capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        cls.theirs = json.loads(done.stdout)

    def ours(self, library, job, names):
        library = "empyrical" if library == "gaps" else library
        body = {"profile": library, "periods_per_year": job["periods"], "select": names}
        if library == "ffn":
            body["prices"] = [100.0]
            for r in job["returns"]:
                body["prices"].append(body["prices"][-1] * (1 + r))
            body["dates"] = job["dates"]
        else:
            body |= {"returns": job["returns"], "benchmark": {"returns": job["benchmark"]}}
        if "risk_free" in job:
            body["risk_free_per_period"] = job["risk_free"]
        done = run("metrics", stdin=json.dumps(body).encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["data"]["metrics"]

    def check(self, library, at_least, not_here=()):
        n = 0
        for name, job in self.series.items():
            if name not in self.theirs[library]:
                continue
            theirs = {row: value for row, value in self.theirs[library][name].items() if row not in not_here}
            if not theirs:
                continue
            ours = self.ours(library, job, list(theirs))
            for row, value in theirs.items():
                with self.subTest(library=library, series=name, metric=row):
                    mine = ours[row]["value"]
                    if mine is None:
                        self.assertIn(row if row in SHORTER else name, ("constant", "one", "falling", *SHORTER))
                        self.assertIn(ours[row]["reason"], REASONS)
                        continue
                    self.assertTrue(math.isclose(mine, value, rel_tol=TOLERANCE, abs_tol=TOLERANCE * 1e-3), (mine, value))
                    n += 1
        self.assertGreater(n, at_least)

    def test_quantstats(self):
        self.check("quantstats", 500)

    def test_empyrical(self):
        self.check("empyrical", 280)

    def test_empyrical_with_gaps(self):
        self.check("gaps", 20)

    def test_empyrical_periods(self):
        for name, job in self.series.items():
            for aggregate, theirs in self.theirs["periods"][name].items():
                body = {"profile": "empyrical", "periods_per_year": job["periods"], "returns": job["returns"], "dates": job["dates"][1:],
                        "start": job["dates"][0], "aggregate": aggregate}
                done = run("metrics", stdin=json.dumps(body).encode())
                self.assertEqual(done.returncode, 0, done.stderr)
                ours = json.loads(done.stdout)["data"]["periods"]["return"]
                with self.subTest(series=name, aggregate=aggregate):
                    self.assertEqual(len(ours), len(theirs))
                    for mine, value in zip(ours, theirs):
                        self.assertTrue(math.isclose(mine, value, rel_tol=TOLERANCE, abs_tol=TOLERANCE), (mine, value))

    def test_ffn(self):
        self.check("ffn", 150)


if __name__ == "__main__":
    unittest.main()
