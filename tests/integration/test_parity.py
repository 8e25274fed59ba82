"""Every request of docs/parity.md, sent to the real program."""

import json
import pathlib
import re
import unittest

from support.server import not_under_tsan, run, sample_var_dir

setUpModule = not_under_tsan

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIVERSE = ["stock:US.AAPL", "stock:US.JPM", "stock:US.KO", "stock:US.XOM"]
BASE = {"start": "2008-01-02", "end": "2011-12-30", "monkeys": {"count": 0}}
# The member of the answer that a member of the request asks for.
ANSWERS = {"inflation": "real", "withdrawals": "withdrawal_rates", "rolling": "rolling", "factors": "factors", "attribution": "attribution",
           "monte_carlo": "monte_carlo", "offset_luck": "offset_luck", "capacity": "capacity", "dividend_modes": "dividend_modes",
           "destination_modes": "destination_modes", "currency_modes": "currency_modes",
           "frontier": "frontier"}


def rows():
    text = (ROOT / "docs" / "parity.md").read_text(encoding="utf-8").split("## Not here")[0]
    return re.findall(r"^\| ([^|]+) \| ([A-Z ]*)\| `(\{.*\})` \|$", text, flags=re.M)


class Parity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.var_dir = sample_var_dir()

    def test_every_row_has_a_request(self):
        text = (ROOT / "docs" / "parity.md").read_text(encoding="utf-8").split("## Not here")[0]
        table = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| Feature")]
        self.assertEqual(len(table), len(rows()))
        self.assertGreater(len(table), 40)

    def test_every_request_is_answered_with_what_it_asks_for(self):
        for feature, _, snippet in rows():
            with self.subTest(feature):
                change = json.loads(snippet)
                request = {**BASE, **({} if "assets" in change else {"universe": UNIVERSE}), **change}
                done = run("backtest", stdin=json.dumps(request).encode(), var_dir=self.var_dir)
                self.assertEqual(done.returncode, 0, done.stderr)
                data = json.loads(done.stdout)["data"]
                self.assertGreater(data["equity"]["equity"][-1], 0)
                for asked, given in ANSWERS.items():
                    if asked in change:
                        self.assertIsNotNone(data[given], asked)
                if isinstance(change.get("strategy"), dict) and change["strategy"]["name"] != "buy_and_hold":
                    self.assertGreater(data["decisions"]["count"], 0)


if __name__ == "__main__":
    unittest.main()
