"""
Corporate actions that come as a table of the user go through lake, facts and models to mart_corporate_action, and a backtest on raw
prices follows them: each payment once, on its day of payment, and shares into those that they become.
"""

import datetime
import pathlib
import unittest

from support.backend import Postgresql, Sqlite
from support.keys import bearer, make_key
from support.problems import Assertions
from support.server import scratch_folder

FIRST, LAST, MERGED = datetime.date(2020, 1, 6), datetime.date(2020, 1, 31), datetime.date(2020, 1, 22)
DAYS = [day for day in (FIRST + datetime.timedelta(i) for i in range((LAST - FIRST).days + 1)) if day.weekday() < 5]
PRICES = {"stock:T.PAYS": 10, "stock:T.OLD": 20, "stock:T.NEW": 10, "stock:T.PARENT": 10}
# The day of payment is a Saturday; the ex-date of the second dividend is one, too. Columns in an order of their own.
ACTIONS = ("pay_date,kind,uid,date,into_uid,ratio,cash\r\n"
           "2020-01-11,dividend,stock:T.PAYS,2020-01-08,,,1\r\n"
           ",dividend,stock:T.PAYS,2020-01-18,,,0.5\r\n"
           ",merger,stock:T.OLD,2020-01-22,stock:T.NEW,2,5\r\n"
           ",spin_off,stock:T.PARENT,2020-01-15,stock:T.NEW,0.1,\r\n")
REQUEST = {"start": "2020-01-07", "end": "2020-01-30", "rebalance": "never", "capital": 1000, "monkeys": {"count": 0}, "prices": "raw",
           "currency": "USD"}


def table(header, rows):
    return "\r\n".join([header, *rows, ""])


class ActionTests(Assertions):
    """Mixed into unittest.TestCase beside one of the two databases."""

    backend_type = None

    @classmethod
    def setUpClass(cls):
        backend = cls.backend_type(with_sample=False)
        cls.ingest(backend, "table_rate", table("base,quote,date,rate", [f"EUR,USD,{FIRST},1.25", f"EUR,USD,{LAST},1.25"]))
        cls.ingest(backend, "table_action", ACTIONS, "--stages", "bronze,silver")  # which wait for the instruments that they name
        cls.ingest(backend, "upload", table("symbol,date,close,currency", [f"{uid},{day},{price},USD" for uid, price in PRICES.items() for day in DAYS
                                                                          if uid != "stock:T.OLD" or day < MERGED]))
        cls.admin = bearer(make_key("read,backtest,admin", **backend.settings))
        cls.server = backend.server().start()
        cls.addClassCleanup(cls.server.stop)

    @staticmethod
    def ingest(backend, dataset, text, *arguments):
        file = pathlib.Path(scratch_folder("table")) / "table.csv"
        file.write_text(text, newline="")
        done = backend.run("ingest", dataset, "--file", file, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr

    def upload(self, dataset, text):
        """Through the lake to the marts, by the job that the answer names."""
        answer = self.server.post(f"/v1/admin/uploads/{dataset}", text.encode(), **{"Content-Type": "text/csv", **self.admin})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(answer.json["rejected"], 0, answer)
        path = self.server.post("/v1/admin/jobs", answer.json["job"], **self.admin).header("Location")
        self.server.wait_until(lambda: self.server.get(path, **self.admin).json["data"]["state"] in ("succeeded", "failed"), "the job ends", timeout=60)
        self.assertEqual(self.server.get(path, **self.admin).json["data"]["state"], "succeeded", self.server.get(f"{path}/log", **self.admin).text)

    def actions(self, wanted):
        """What is served of them, once it is as wanted."""
        address = "/v1/marts/mart_corporate_action/rows?order=uid,date&select=uid,date,kind,pay_date,cash"
        self.server.wait_until(lambda: len(self.server.get(address).json.get("data", [])) == wanted, "the actions are served")
        return self.assert_ok(self.server.get(address)).json["data"]

    def backtest(self, uid, **changes):
        answer = self.server.post("/v1/backtests", {**REQUEST, "assets": [{"uid": uid}], **changes})
        self.assertIn(answer.status, (200, 201), answer)
        return answer.json

    def test_a_backtest_follows_what_a_table_tells(self):
        self.assertEqual([(row["uid"], row["date"], row["kind"], row["pay_date"], row["cash"]) for row in self.actions(4)],
                         [("stock:T.OLD", "2020-01-22", "merger", None, 5), ("stock:T.PARENT", "2020-01-15", "spin_off", None, None),
                          ("stock:T.PAYS", "2020-01-08", "dividend", "2020-01-11", 1), ("stock:T.PAYS", "2020-01-18", "dividend", None, 0.5)])

        # 100 shares: 100 is owed from the ex-date to the session after the day of payment; 50 comes on the Monday after the second ex-date.
        paid = self.backtest("stock:T.PAYS", dividends="cash", pay_on="pay", fill="same_close")
        equity, owed = ({day: value for day, value in zip(paid["data"]["equity"]["date"], column)}
                        for column in (paid["data"]["equity"]["equity"], paid["data"]["accounts"]["receivables"]))
        self.assertEqual({day for day, amount in owed.items() if amount}, {day for day in owed if "2020-01-08" <= day < "2020-01-13"})
        for day, wanted in (("2020-01-07", 1000), ("2020-01-08", 1100), ("2020-01-17", 1100), ("2020-01-20", 1150), ("2020-01-30", 1150)):
            self.assertAlmostEqual(equity[day], wanted, delta=1e-9, msg=day)
        self.assertEqual(paid["data"]["data_quality"][0]["actions"], {"dividend": 2})
        self.assertIn("mart_corporate_action", paid["data"]["passport"]["data"])

        # 50 at 20 become 100 at 10 and 250 in cash; the tenth of a share that is spun off is worth 1 beside the 10.
        merged = self.backtest("stock:T.OLD", dividends="cash", fill="same_close")
        self.assertAlmostEqual(merged["data"]["equity"]["equity"][-1], 1250, delta=1e-9)
        warning = next(one for one in merged["meta"]["warnings"] if one["code"] == "shares_changed")
        self.assertIn("stock:T.OLD 2020-01-22 merger stock:T.NEW", warning["detail"])
        parent = self.backtest("stock:T.PARENT", dividends="cash", fill="same_close")
        self.assertAlmostEqual(parent["data"]["equity"]["equity"][-1], 1100, delta=1e-9)

        # Adjusted closes know of the payments as well: 10 / (9 / 10 * 9.5 / 10) of the first close. Told again, nothing changes.
        adjusted = self.backtest("stock:T.PAYS", prices="adjusted", fill="same_close")
        self.assertAlmostEqual(adjusted["data"]["equity"]["equity"][-1], 1000 / (0.9 * 0.95), delta=1e-6)
        self.upload("table_action", ACTIONS.replace("\r\n,dividend,", "\r\n2020-01-24,dividend,"))
        self.server.wait_until(lambda: self.actions(4)[3]["pay_date"] == "2020-01-24", "the day of payment is served")
        again = self.backtest("stock:T.PAYS", dividends="cash", pay_on="pay", fill="same_close")
        self.assertAlmostEqual(again["data"]["equity"]["equity"][-1], 1150, delta=1e-9)
        self.assertNotIn("pay_date_missing", [one["code"] for one in again["meta"]["warnings"]])

    def test_what_was_told_under_a_wrong_key_is_taken_back(self):
        told = "uid,date,kind,cash\r\nstock:T.NEW,2020-01-14,dividend,1\r\n"
        self.upload("table_action", told)
        served = "/v1/marts/mart_corporate_action/rows?uid=eq.stock:T.NEW&select=date,cash"
        prices = "/v1/marts/mart_price_daily/rows?uid=eq.stock:T.NEW&date=eq.2020-01-13&select=adj_close"
        self.server.wait_until(lambda: self.server.get(served).json["data"] == [{"date": "2020-01-14", "cash": 1}], "the wrong one is served")
        self.assertEqual(self.server.get(prices).json["data"], [{"adj_close": 9}])
        self.upload("table_action", "uid,date,kind,is_withdrawn\r\nstock:T.NEW,2020-01-14,dividend,true\r\n")
        self.server.wait_until(lambda: self.server.get(served).json["data"] == [], "the wrong one is gone")
        self.assertEqual(self.server.get(prices).json["data"], [{"adj_close": 10}])
        self.assertEqual(self.server.get("/v1/marts/mart_corporate_action/rows?uid=eq.stock:T.PAYS&select=kind").json["data"], [{"kind": "dividend"}] * 2)

    def test_rows_that_cannot_be_are_kept_apart_and_told(self):
        answer = self.server.post("/v1/admin/uploads/table_action", b"uid,date,kind,pay_date\r\nstock:T.X,2020-03-02,dividend,soon\r\n",
                                  **{"Content-Type": "text/csv", **self.admin})
        self.assertEqual((answer.json["rows"], answer.json["rejected"], answer.json["note"]),
                         (0, 1, "Rows are refused, the first for bad-date of pay_date: soon"))
        answer = self.server.post("/v1/admin/uploads/table_action", b"uid,date,amount\r\n", **{"Content-Type": "text/csv", **self.admin})
        self.assert_problem(answer, "bad-data")


class OnSqlite(ActionTests, unittest.TestCase):
    backend_type = Sqlite


class OnPostgresql(ActionTests, unittest.TestCase):
    backend_type = Postgresql


if __name__ == "__main__":
    unittest.main()
