"""Rules of the simulator over HTTP: what each changes in the answer, and accounts that close."""

import unittest

from support.backend import Sqlite
from support.dataset import trades_of

BASE = {"assets": [{"uid": "stock:US.AAPL", "weight": 0.5}, {"uid": "stock:US.KO", "weight": 0.5}],
        "start": "2010-01-04", "end": "2014-12-31", "capital": 10000, "monkeys": {"count": 0}}


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Sqlite().server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def ask(self, **change):
        answer = self.server.post("/v1/backtests", {**BASE, **change})
        self.assertIn(answer.status, (200, 201), answer.text[:400])
        return answer.json

    def closed(self, answer):
        """The accounts, after the check that they come to the final wealth."""
        accounts = answer["data"]["accounts"]
        costs = answer["data"]["costs"]
        kinds = ("commission", "spread", "slippage", "tax", "fx_cost", "interest", "borrow", "liquidation", "expense")
        self.assertAlmostEqual(sum(costs[kind] for kind in kinds), accounts["costs"], delta=1e-9 * (1 + accounts["costs"]))
        total = (accounts["capital"] + accounts["contributed"] - accounts["withdrawn"] + accounts["gain"] +
                 accounts["cash_interest"] + accounts["shortfall"] - accounts["costs"])
        moved = accounts["capital"] + accounts["contributed"] + accounts["withdrawn"] + abs(accounts["gain"])
        self.assertLessEqual(abs(total - accounts["final"]), 1e-12 * moved)
        return accounts

    def test_bands_trade_less_often_than_the_calendar(self):
        monthly = self.closed(self.ask())
        bands = self.closed(self.ask(rebalance={"bands": {"relative": 0.2}}))
        self.assertGreater(bands["rebalances"]["count"], 0)
        self.assertLess(bands["rebalances"]["count"], monthly["rebalances"]["count"])

    def test_every_kind_of_cost_has_its_ledger(self):
        answer = self.ask(rebalance="monthly", currency="KRW", costs={
            "commission": {"percent": 0.1, "minimum": 1}, "sell_tax": [{"from": "2012-01-01", "percent": 0.3}],
            "slippage": {"model": "half_spread", "spread_bps": 10}, "fx_spread_bps": 20})
        self.closed(answer)
        for kind in ("commission", "spread", "tax", "fx_cost"):
            self.assertGreater(answer["data"]["costs"][kind], 0, kind)
        taxed = [row for row in trades_of(answer["data"]) if row["tax"] > 0]
        self.assertTrue(taxed and all(row["side"] == "sell" and row["date"] >= "2012" for row in taxed))

    def test_contributions_leave_the_time_weighted_return_and_have_a_rate_of_their_own(self):
        plain = self.ask(fill="same_close", rebalance="never")
        answer = self.ask(fill="same_close", rebalance="never", flows=[{"amount": 100, "every": "month"}])
        accounts = self.closed(answer)
        self.assertEqual(len(accounts["flows"]), 59)
        self.assertAlmostEqual(accounts["contributed"], 5900, delta=1e-9)
        self.assertAlmostEqual(answer["data"]["metrics"]["total_return"]["value"],
                               plain["data"]["metrics"]["total_return"]["value"], delta=1e-9)
        self.assertGreater(accounts["wealth"][-1], answer["data"]["equity"]["equity"][-1])
        self.assertTrue(-0.5 < accounts["xirr"] < 1)

    def test_withdrawals_exhaust_a_portfolio(self):
        answer = self.ask(flows=[{"amount": -1000, "every": "month"}])
        accounts = self.closed(answer)
        self.assertIsNotNone(accounts["exhausted_on"])
        self.assertEqual(accounts["final"], 0)
        self.assertIn("exhausted", [warning["code"] for warning in answer["meta"]["warnings"]])

    def test_leverage_borrows_and_pays_for_it(self):
        answer = self.ask(assets=[{"uid": "stock:US.AAPL", "weight": 1.5}, {"uid": "stock:US.KO", "weight": -0.3}],
                          leverage={"max_gross": 2}, financing={"debt_rate": 4, "borrow_fee": 1})
        self.closed(answer)
        self.assertGreater(answer["data"]["costs"]["interest"], 0)
        self.assertGreater(answer["data"]["costs"]["borrow"], 0)

    def test_borrow_fees_by_asset(self):
        body = {"assets": [{"uid": "stock:US.AAPL", "weight": 1.3}, {"uid": "stock:US.KO", "weight": -0.3}],
                "leverage": {"max_gross": 2}}
        common = self.ask(**body, financing={"borrow_fee": 2})
        own = self.ask(**body, financing={"borrow_fee": 9, "borrow_fees": {"stock:US.KO": 2}})
        self.closed(own)
        self.assertAlmostEqual(own["data"]["costs"]["borrow"], common["data"]["costs"]["borrow"], delta=1e-6)
        refused = self.server.post("/v1/backtests", {**BASE, "financing": {"borrow_fees": {"stock:US.NOTHING": 2}}})
        self.assertEqual(refused.status, 422)
        self.assertIn("/financing/borrow_fees/stock:US.NOTHING", refused.text)

    def test_portfolio_inside_a_portfolio_is_an_asset(self):
        answer = self.ask(assets=[{"portfolio": {"name": "core", "assets": BASE["assets"]}, "weight": 0.6},
                                  {"uid": "stock:US.XOM", "weight": 0.4}])
        self.closed(answer)
        self.assertEqual(answer["data"]["final_weights"][0]["uid"], "portfolio:core")
        self.assertEqual(self.server.post("/v1/backtests", answer["data"]["spec"]).json["data"]["id"], answer["data"]["id"])
        refused = self.server.post("/v1/backtests", {**BASE, "assets": [
            {"portfolio": {"name": "core", "assets": [{"uid": "stock:US.NOTHING"}]}}]})
        self.assertEqual(refused.status, 422)
        self.assertIn("/assets/0/portfolio/assets/0/uid", refused.text)

    def test_fills_at_the_open_say_when_there_was_none(self):
        close, opened = self.ask(), self.ask(fill="next_open")
        accounts = self.closed(opened)
        fell_back = accounts["open_fallbacks"]
        self.assertEqual(fell_back > 0, "open_missing" in [warning["code"] for warning in opened["meta"]["warnings"]])
        if fell_back == accounts["rebalances"]["count"] + 1:
            self.assertEqual(opened["data"]["equity"]["equity"], close["data"]["equity"]["equity"])
        else:
            self.assertNotEqual(opened["data"]["equity"]["equity"], close["data"]["equity"]["equity"])

    def test_flows_may_follow_an_index(self):
        flat = self.closed(self.ask(flows=[{"amount": 100, "every": "year"}]))
        linked = self.closed(self.ask(flows=[{"amount": 100, "every": "year", "linked_to": "index:SPX"}]))
        self.assertEqual(len(linked["flows"]), len(flat["flows"]))
        self.assertAlmostEqual(linked["flows"][0]["amount"], 100, delta=1e-9)
        self.assertGreater(linked["flows"][-1]["amount"], 110)


if __name__ == "__main__":
    unittest.main()
