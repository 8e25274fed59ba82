"""cmmc backtest --prices: the engine on a CSV file, without a server or a database."""

import gzip
import json
import pathlib
import unittest

from support.problems import Assertions
from support.server import run, scratch_folder

DATES = ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08"]
A, B = [10, 11, 12, 13, 15], [20, 20, 19, 21, 22]
WIDE = "date,etf:X.A,etf:X.B\n" + "".join(f"{day},{a},{b}\n" for day, a, b in zip(DATES, A, B))
LONG = "date,uid,close,currency\n" + "".join(f"{day},etf:X.A,{a},USD\n" for day, a in zip(DATES, A)) + \
    "".join(f"{day},etf:X.B,{b},USD\n" for day, b in zip(DATES, B))
REQUEST = {"assets": [{"uid": "etf:X.A", "weight": 0.5}, {"uid": "etf:X.B", "weight": 0.5}], "strategy": "buy_and_hold",
           "fill": "same_close", "capital": 1000, "monkeys": {"count": 10, "seed": 1}}


class PriceFile(Assertions, unittest.TestCase):
    def ask(self, text, request=None, *options, code=0, name="prices.csv"):
        folder = pathlib.Path(scratch_folder("prices"))
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        done = run("backtest", "--prices", folder / name, *options, stdin=json.dumps(request or REQUEST).encode(), var_dir=folder / "none")
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertFalse((folder / "none").exists(), "the database was touched")
        return done

    def test_both_layouts_and_gzip_give_the_same_figures(self):
        answers = [json.loads(self.ask(text, name=name).stdout) for text, name in [
            (WIDE, "w.csv"), (LONG, "l.csv"), (gzip.compress(LONG.encode()), "l.csv.gz"), (WIDE.replace("\n", "\r\n"), "crlf.csv")]]
        for one in answers:
            self.assertEqual(one["data"]["equity"]["date"], DATES)
            for equity, a, b in zip(one["data"]["equity"]["equity"], A, B):
                self.assertAlmostEqual(equity, 500 * a / 10 + 500 * b / 20, 9)
        first = answers[0]["data"]
        for one in answers[1:]:
            self.assertEqual({**one["data"], "id": 0, "passport": 0}, {**first, "id": 0, "passport": 0})
        # The id says which prices were used: the bytes behind gzip are those of the file beside it.
        self.assertEqual(answers[1]["data"]["id"], answers[2]["data"]["id"])
        self.assertEqual(len({one["data"]["id"] for one in answers}), 3)

    def test_a_name_may_begin_later_and_have_gaps(self):
        text = WIDE.replace("2020-01-02,10,20", "2020-01-02,10,").replace("2020-01-06,12,19", "2020-01-06,12,")
        data = json.loads(self.ask(text).stdout)["data"]
        self.assertEqual(data["equity"]["date"], DATES[1:])
        self.assertAlmostEqual(data["equity"]["equity"][1], 500 * 12 / 11 + 500, 9)

    def test_more_columns_give_raw_prices_their_actions_and_opens(self):
        text = "uid,date,open,close,dividend,split_ratio\nx:A,2020-01-02,,10,,\nx:A,2020-01-03,8,9,1,\nx:A,2020-01-06,5,4.95,0,2\n"
        request = {"assets": [{"uid": "x:A", "weight": 1}], "strategy": "buy_and_hold", "capital": 1000, "prices": "raw", "fill": "same_close",
                   "monkeys": {"count": 0}}
        for dividends, last in (("reinvest", 1100), ("cash", 1090), ("drop", 990)):
            data = json.loads(self.ask(text, {**request, "dividends": dividends}).stdout)["data"]
            self.assertAlmostEqual(data["equity"]["equity"][-1], last, 9, dividends)
        data = json.loads(self.ask(text, {**request, "fill": "next_open", "dividends": "drop"}).stdout)["data"]
        self.assertEqual((data["trades"]["columns"]["price"], data["accounts"]["open_fallbacks"]), ([8], 0))
        self.assertAlmostEqual(data["equity"]["equity"][-1], 1000 / 8 * 2 * 4.95, 9)
        # Quoted closes with actions are no adjusted prices; adj_close gives them.
        self.assertIn("adjusted", self.ask(text, {**request, "prices": "adjusted"}, code=1).stderr)
        both = "date,uid,close,adj_close,volume\n2020-01-02,x:A,10,5,\n2020-01-03,x:A,12,6,100\n"
        for prices, last in (("adjusted", 1200), ("raw", 1200)):
            data = json.loads(self.ask(both, {**request, "prices": prices}).stdout)["data"]
            self.assertAlmostEqual(data["equity"]["equity"][-1], last, 9)

    def test_currency_is_that_of_the_option_or_of_the_column(self):
        request = {**REQUEST, "currency": "EUR"}
        self.assertEqual(self.ask(WIDE, request, "--currency", "EUR").returncode, 0)
        done = self.ask(LONG, request, code=1)
        self.assertIn("USD", done.stderr)

    def test_a_bad_file_is_refused_with_its_line(self):
        for text, line, word in [
                ("date,uid,close\n2020-01-02,etf:X.A,10\n2020-01-03,etf:X.A,-1\n", 3, "above 0"),
                ("date,uid,close\n2020-01-02,etf:X.A,ten\n", 2, "above 0"), ("date,uid,close\n02.01.2020,etf:X.A,10\n", 2, "YYYY-MM-DD"),
                ("date,uid,close\n2020-01-03,etf:X.A,10\n2020-01-02,etf:X.A,10\n", 3, "rise"),
                ("date,uid,close\n2020-01-02,etf:X.A,10\n2020-01-02,etf:X.A,10\n", 3, "rise"),
                ("date,uid,close\n2020-01-02,,10\n", 2, "class:SYMBOL"), ("day,etf:X.A\n2020-01-02,1\n", 1, "header"),
                ("date,uid,price\n2020-01-02,etf:X.A,1\n", 1, "date,uid,close"), ("date,etf:X.A,etf:X.A\n2020-01-02,1,2\n", 1, "once"),
                ("date,uid,close\n2020-01-02,etf:X.A\n", 2, "fields"), ('date,etf:X.A\n2020-01-02,1\n"2020-01-03\n', 3, "quote"),
                ("date,uid,close,dividend\n2020-01-02,etf:X.A,1,-1\n", 2, "at least 0"), ("date,uid,close,open\n2020-01-02,etf:X.A,1,0\n", 2, "above 0"),
                ("date,uid,close,close\n2020-01-02,etf:X.A,1,1\n", 1, "split_ratio"), ("date,uid,open\n2020-01-02,etf:X.A,1\n", 1, "split_ratio"),
                ("date,uid,close,currency\n2020-01-02,etf:X.A,1,USD\n2020-01-03,etf:X.A,1,EUR\n", 3, "three capitals"),
                ("date,uid,close\n2020-01-02,etf:X.A,1e999\n", 2, "above 0"), (b"date,etf:X.A\n2020-01-02,\xff\n", 2, "UTF-8")]:
            with self.subTest(text):
                done = self.ask(text, code=1)
                self.assertIn(f"prices.csv:{line}: ", done.stderr)
                self.assertIn(word, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_what_is_missing_is_named(self):
        self.assertIn("is empty", self.ask("", code=1).stderr)
        self.assertIn("has no prices", self.ask("date,etf:X.A\n2020-01-02,\n", code=1).stderr)
        self.assertIn("etf:X.B", self.ask(WIDE.replace("etf:X.B", "etf:X.C"), code=1).stderr)
        done = run("backtest", "--prices", "/nowhere/at/all.csv", stdin=b"{}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/at/all.csv cannot be opened", done.stderr)
        self.assertEqual(run("backtest", "--prices").returncode, 2)


if __name__ == "__main__":
    unittest.main()
