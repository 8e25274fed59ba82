"""cmmc backtest --prices: the engine on a CSV file, without a server or a database."""

import gzip
import json
import pathlib
import unittest

from support.problems import Assertions
from support.server import not_under_tsan, run, scratch_folder

setUpModule = not_under_tsan

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

    def test_empty_lines_at_the_end_are_no_rows(self):
        plain = json.loads(self.ask(WIDE).stdout)["data"]["metrics"]
        for end in ("\n", "\r\n\r\n", "  \t\r\n", "   "):
            self.assertEqual(json.loads(self.ask(WIDE + end).stdout)["data"]["metrics"], plain, repr(end))
        lines = WIDE.splitlines(keepends=True)
        done = self.ask("".join(lines[:2]) + " \r\n" + "".join(lines[2:]), code=1)
        self.assertIn("prices.csv:3: The line is empty", done.stderr)

    def test_what_is_missing_is_named(self):
        self.assertIn("is empty", self.ask("", code=1).stderr)
        self.assertIn("has no prices", self.ask("date,etf:X.A\n2020-01-02,\n", code=1).stderr)
        self.assertIn("etf:X.B", self.ask(WIDE.replace("etf:X.B", "etf:X.C"), code=1).stderr)
        self.assertIn("nearest: etf:X.B\n", self.ask(LONG, request={**REQUEST, "assets": [{"uid": "stock:X.B", "weight": 1}]}, code=1).stderr)
        done = run("backtest", "--prices", "/nowhere/at/all.csv", stdin=b"{}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/at/all.csv cannot be opened", done.stderr)
        self.assertEqual(run("backtest", "--prices").returncode, 2)

    def test_series_go_with_prices(self):
        done = run("backtest", "--series", "series.csv", stdin=b"{}")
        self.assertEqual((done.returncode, done.stderr), (2, "cmmc backtest: --series goes with --prices; see `cmmc backtest --help`\n"))


class SeriesFile(Assertions, unittest.TestCase):
    ask = PriceFile.ask
    HEADER = "id,date,value,known_at\n"
    BILL = "BILL:USA:D"

    def on_series(self, rows, request, code=0, name="series.csv"):
        folder = pathlib.Path(scratch_folder("series"))
        text = rows if isinstance(rows, bytes) else (self.HEADER + rows).encode()
        (folder / name).write_bytes(text)
        done = self.ask(WIDE, {**REQUEST, "monkeys": {"count": 0}, **request}, "--series", folder / name, code=code)
        return done if code else json.loads(done.stdout)["data"]

    def rate(self, rows, **other):
        request = {"risk_free_rate": {"indicator": f"indicator:{self.BILL}", "per": "year"}}
        return self.on_series(rows, request, **other)["passport"]["risk_free_rate"]

    def test_a_value_is_known_after_its_day_or_from_its_instant(self):
        first = f"{self.BILL},2019-12-31,2,2020-01-01\n"
        for known_at, mean in (("2020-01-06", (3 * 2 + 2 * 5) / 5), ("2020-01-06T20:00:00Z", (2 * 2 + 3 * 5) / 5), ("2020-01-08", 2)):
            self.assertAlmostEqual(self.rate(first + f"{self.BILL},2020-01-03,5,{known_at}\n"), mean / 100, 12)

    def test_rows_come_in_any_order_and_layout(self):
        rows = [f"{self.BILL},2019-11-30,9,2019-12-05", f"{self.BILL},2019-12-31,2,2020-01-01", f"{self.BILL},2020-01-03,5,2020-01-06", "CPI:USA:M,2019-12-31,7,2020-01-02",
                # Of an earlier period, revised when a later one is out: nothing. The latest revised: from the next session on.
                f"{self.BILL},2019-12-31,8,2020-01-07T01:00:00Z", f"{self.BILL},2020-01-03,4,2020-01-07"]
        for lines in (rows, rows[::-1]):
            for text, name in (("\n".join(lines) + "\n", "a.csv"), ("\r\n".join(lines), "b.csv"), (gzip.compress((self.HEADER + "\n".join(lines)).encode()), "c.csv.gz"),
                               (("known_at,value,date,id\n" + "\n".join(",".join(line.split(",")[::-1]) for line in lines)).encode(), "d.csv"),
                               ("\n".join(lines).replace(self.BILL, f"indicator:{self.BILL}"), "e.csv")):
                self.assertAlmostEqual(self.rate(text, name=name), (3 * 2 + 5 + 4) / 500, 12, name)

    def test_the_id_says_which_series_were_read(self):
        rows = f"{self.BILL},2019-12-31,2,2020-01-01\n"
        request = {"risk_free_rate": {"indicator": f"indicator:{self.BILL}", "per": "year"}}
        one, two = self.on_series(rows, request), self.on_series(rows + "X:Y:M,2019-12-31,1,2020-01-01\n", request)
        self.assertNotEqual(one["id"], two["id"])
        self.assertEqual([name.partition(":")[0] for name in one["passport"]["data"]], ["file", "series"])
        self.assertEqual(self.on_series(rows, {})["id"], json.loads(self.ask(WIDE, {**REQUEST, "monkeys": {"count": 0}}).stdout)["data"]["id"])

    def test_a_bond_is_made_of_yields_of_the_file(self):
        uid = "yield:Y1:USA:D:1Y:1:USD"
        rows = "".join(f"Y1:USA:D,{day},{percent},{day}T12:00:00Z\n" for day, percent in zip(DATES, (5, 5, 4, 4, 6)))
        data = self.on_series(rows, {"assets": [{"uid": uid}]})
        value, before = 1000, None
        for i, (day, percent) in enumerate(zip(DATES, (5, 5, 4, 4, 6))):
            now, days = percent / 100, 3 if day == "2020-01-06" else 1
            if i > 0:
                change, duration, convexity = now - before, 1 / (1 + before), 2 / (1 + before) ** 2
                value *= 1 + before * days / 365 - duration * change + convexity * change ** 2 / 2
            self.assertAlmostEqual(data["equity"]["equity"][i], value, 9)
            before = now

    def test_a_strategy_follows_a_series_of_the_file(self):
        strategy = {"name": "indicator_timing", "indicator": f"indicator:{self.BILL}", "threshold": 3, "when": "above"}
        request = {"assets": [{"uid": "etf:X.A"}], "strategy": strategy, "rebalance": "daily"}
        data = self.on_series(f"{self.BILL},2019-12-31,2,2020-01-01\n{self.BILL},2020-01-03,4,2020-01-03\n", request)
        self.assertEqual(data["equity"]["equity"], [1000, 1000, 1000, 1000 / 12 * 13, 1000 / 12 * 15])

    def test_a_bad_series_is_refused_with_its_line(self):
        good = f"{self.BILL},2019-12-31,2,2020-01-01\n"
        for rows, line, word in [
                (good + f"{self.BILL},31.12.2019,2,2020-01-01\n", 3, "YYYY-MM-DD"), (good + f"{self.BILL},2019-12-31,,2020-01-02\n", 3, "finite number"),
                (good + f'{self.BILL},2019-12-31,"1,234",2020-01-02\n', 3, "finite number"), (good + f"{self.BILL},2019-12-31,2%,2020-01-02\n", 3, "finite number"),
                (good + f"{self.BILL},2019-12-31,2,\n", 3, "day of publication"), (good + f"{self.BILL},2019-12-31,2,soon\n", 3, "day of publication"),
                (good + f"{self.BILL},2020-01-31,2,2020-01-30\n", 3, "not before the row's date"), (good + good, 3, "once for each known_at"),
                ("BILL,2019-12-31,2,2020-01-01\n", 2, "CODE:COUNTRY:FREQUENCY"), (",2019-12-31,2,2020-01-01\n", 2, "CODE:COUNTRY:FREQUENCY"),
                (b"id,date,value\n" + b"A:B:M,2020-01-01,1\n", 1, "known_at"), (b"id,date,value,known_at,unit\nA:B:M,2020-01-01,1,2020-01-01,x\n", 1, "known_at")]:
            with self.subTest(rows):
                done = self.on_series(rows, {}, code=1)
                self.assertIn(f"series.csv:{line}: ", done.stderr)
                self.assertIn(word, done.stderr)
        self.assertIn("has no values", self.on_series("", {}, code=1).stderr)

    def test_a_series_that_is_not_there_is_named_with_the_nearest(self):
        done = self.on_series(f"{self.BILL},2019-12-31,2,2020-01-01\n", {"inflation": "indicator:BIL:USA:D"}, code=1)
        self.assertIn('no economic series "indicator:BIL:USA:D" in the file of series', done.stderr)
        self.assertIn(f"nearest: indicator:{self.BILL}", done.stderr)
        done = self.ask(WIDE, {**REQUEST, "assets": [{"uid": "yield:Y1:USA:D:1Y:1:USD"}]}, code=1)
        self.assertIn('no economic series "Y1:USA:D"', done.stderr)
        self.assertIn("--series", done.stderr)


if __name__ == "__main__":
    unittest.main()
