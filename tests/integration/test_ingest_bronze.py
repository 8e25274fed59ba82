"""cmmc ingest against a server that stands for the providers: what ends in the lake, whatever the windows, faults and kills."""

import datetime
import gzip
import hashlib
import json
import os
import pathlib
import pty
import random
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

from replay import Replay, World
from support import meet_at
from support.ingest_bench import Bench, d, wait_for_a_day
from support.server import BIN, IS_SANITIZED, ROOT, SLOW, environment, not_under_tsan, run, scratch_folder

setUpModule = not_under_tsan


class Bronze(unittest.TestCase):
    def setUp(self):
        self.replay = Replay(World(7)).__enter__()
        self.addCleanup(self.replay.__exit__)
        self.bench = Bench(self.replay)

    def bars(self, folder="coin_data", source=None):
        return [(day, row) for day, row in self.bench.rows(folder) if source in (None, row["source"])]

    # ---- What is written ---------------------------------------------------------------------------------------------

    def test_rows_lie_under_their_own_date_with_where_they_come_from(self):
        done = self.bench.ingest("us_stock", "2024-12-01", "2024-12-31")
        self.assertEqual(done.report["provider"], "yahoo")
        rows = self.bars("us_stock")
        self.assertEqual(len(rows), done.report["rows_out"] - len(self.bars("us_stock_action")))
        for day, row in rows:
            self.assertEqual(day, row["date"])
            bar = self.replay.world.bar(row["symbol"], d(day))
            self.assertAlmostEqual(float(row["close"]), bar["close"], 3)
            self.assertEqual(row["name"], {"AAPL": "Apple Inc.", "MSFT": "Micro, soft"}[row["symbol"]])
            raw = self.bench.lake.parent / row["raw_key"]
            self.assertIn(hashlib.sha256(raw.read_bytes()).hexdigest(), (raw.parent / f".{raw.name}.meta").read_text())
            self.assertEqual(raw.parent.name, "ymd=2024-12-31")
        self.assertEqual([(row["kind"], day) for day, row in self.bars("us_stock_action")], [("dividend", "2024-12-16")] * 2)
        days = {path.parent.name for path in self.bench.objects("us_stock")}
        self.assertEqual(len(days), len(self.bench.objects("us_stock")), "more than one object a day")

    def test_any_order_and_repetition_of_windows_says_the_same(self):
        for dataset, folder, seed in [("coin", "coin_data", 1), ("us_stock", "us_stock", 2), ("fx", "exchange_rate", 3),
                                      ("kr_stock", "kr_stock", 4), ("fred", "fred", 5)]:
            with self.subTest(dataset=dataset):
                chance, first, last = random.Random(seed), d("2024-10-01"), d("2024-12-31")
                whole, parts = Bench(self.replay), Bench(self.replay)
                whole.ingest(dataset, first, last)
                cuts = sorted(chance.sample(range(1, 90), 4))
                windows = [(first + datetime.timedelta(a), first + datetime.timedelta(b + chance.randrange(3)))
                           for a, b in zip([0, *cuts], [*cuts, 91])]
                windows += chance.sample(windows, 2)
                chance.shuffle(windows)
                for a, b in windows:
                    parts.ingest(dataset, a, min(b, last))
                self.assertEqual(whole.table(folder), parts.table(folder))
                before = whole.objects(folder)
                again = whole.ingest(dataset, first, last).report
                self.assertEqual(whole.objects(folder), before)
                self.assertEqual(again["objects_skipped"], len({path.parent for path in before}) + len(whole.objects(folder + "_action")))

    def test_revised_and_late_rows_make_objects_of_their_days_alone(self):
        world = self.replay.world
        world.hidden.add(("ETHUSDT", d("2024-12-05")))
        self.bench.ingest("coin", "2024-12-01", "2024-12-10")
        before = set(self.bench.objects("coin_data"))
        world.hidden.clear()
        world.revised["BTCUSDT", d("2024-12-03")] = 1.5
        self.bench.ingest("coin", "2024-12-01", "2024-12-10")
        new = set(self.bench.objects("coin_data")) - before
        self.assertEqual(sorted(path.parent.name for path in new), ["ymd=2024-12-03", "ymd=2024-12-05"])
        table = self.bench.table("coin_data")
        self.assertEqual(len(table), 30)
        self.assertAlmostEqual(float(table["2024-12-03", "BTCUSDT", "2024-12-03"][5]), world.bar("BTCUSDT", d("2024-12-03"))["close"], 3)

    def test_the_day_that_is_not_over_is_left_out(self):
        today = datetime.datetime.now(datetime.timezone.utc).date()
        self.bench.ingest("coin", today - datetime.timedelta(2), today)
        days = {day for day, _ in self.bars()}
        self.assertNotIn(str(datetime.datetime.now(datetime.timezone.utc).date()), days)
        self.assertIn(str(today - datetime.timedelta(2)), days)

    def test_symbols_that_are_gone_and_unknown_do_no_harm(self):
        self.replay.world.delisted["XMRUSDT"] = d("2024-12-03")
        self.replay.world.unknown.add("ETHUSDT")
        done = self.bench.ingest("coin", "2024-12-01", "2024-12-05")
        self.assertEqual(len(self.bench.table("coin_data")), 5 + 2)
        self.assertIn("known to no provider", done.report["note"])

    def test_every_data_set_arrives(self):
        listed = run("ingest", "--list", **self.bench.settings).stdout
        names = [line.split()[0] for line in listed.splitlines()]
        self.assertGreaterEqual(len(names), 19)
        for name in names:
            if name == "upload" or name.startswith("table_"):
                continue
            with self.subTest(dataset=name):
                report = self.bench.ingest(name, "2024-12-01", "2024-12-08").report
                self.assertGreater(report["rows_out"], 0)
                self.assertEqual(report["rejected"], 0)

    def test_a_file_of_the_user_takes_the_place_of_a_provider(self):
        path = self.bench.folder / "mine.csv"
        path.write_text("symbol,date,close\nAAPL,2020-01-02,75.09\nAAPL,2020-01-03,x\nMSFT,2020-01-02,\"1,160.62\"\n")
        done = run("ingest", "us_stock", "--file", path, "--stages", "bronze", "--json", **self.bench.settings)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual((report["rows_out"], report["rejected"], report["provider"]), (2, 1, "upload"))
        self.assertEqual(report["note"], "Rows are refused, the first for bad-number of close: x")
        self.assertEqual([(row["symbol"], row["close"], row["source"]) for _, row in self.bars("us_stock")],
                         [("AAPL", "75.09", "upload"), ("MSFT", "1160.62", "upload")])
        (rejects,) = (self.bench.lake / "us_stock" / "rejected").glob("ymd=*/rejects-*")
        self.assertIn("bad-number,close,x,bar,AAPL 2020-01-03,upload", gzip.decompress(rejects.read_bytes()).decode())
        path.write_text("symbol,date,closing\nAAPL,2020-01-02,75.09\n")
        done = run("ingest", "us_stock", "--file", path, "--stages", "bronze", **self.bench.settings)
        self.assertEqual(done.returncode, 1)
        self.assertIn("closing", done.stderr)
        self.assertEqual(self.replay.paths(), [])

    @unittest.skipIf(IS_SANITIZED, "a sanitizer wants to be loaded first")
    def test_what_is_told_later_in_the_same_second_is_told_later(self):
        """Whatever the clock does: it stands, and then goes back. By key the last fetched row wins, so each is later than those before."""
        path, told = self.bench.folder / "mine.csv", []
        for n, clock in enumerate((1733800000, 1733800000, 1733800000, 1733799990)):
            path.write_text(f"symbol,date,close\nindex:MINE,2024-12-02,{n + 1}\n")
            done = meet_at.run("ingest", "upload", "--file", path, "--stages", "bronze", clock=clock, **self.bench.settings)
            self.assertEqual(done.returncode, 0, done.stderr)
            told = sorted((row["fetched_at"], row["close"]) for _, row in self.bars("upload"))
            self.assertEqual([close for _, close in told], [str(i + 1) for i in range(n + 1)])
            self.assertEqual(len({at for at, _ in told}), n + 1)
        self.assertEqual([at for at, _ in told], [f"2024-12-10T03:06:4{i}Z" for i in range(4)])

    @unittest.skipIf(IS_SANITIZED, "a sanitizer wants to be loaded first")
    def test_two_servers_may_write_the_same_rows_in_the_same_second(self):
        """One has seen that a day is not there, and waits until another with another answer has written its rows."""
        lake = scratch_folder("lake")
        one, other = Bench(self.replay, lake=lake), Bench(self.replay, lake=lake)
        with meet_at.Waiting("/ymd=2024-12-02", "ingest", "coin", "--from", "2024-12-01", "--to", "2024-12-04", "--stages", "bronze", "--json",
                             clock=1733800000, **one.settings) as waiting:
            done = meet_at.run("ingest", "coin", "--from", "2024-12-01", "--to", "2024-12-03", "--stages", "bronze", clock=1733800000, **other.settings)
            self.assertEqual(done.returncode, 0, done.stderr)
            days = pathlib.Path(lake) / "bronze" / "coin_data"
            written = {path: path.read_bytes() for path in days.glob("ymd=2024-12-02/rows-*")}
            self.assertEqual(len(written), 1)
            done = waiting.go_on()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["objects_skipped"], 2)  # the 2nd and the 3rd
        self.assertEqual({path: path.read_bytes() for path in days.glob("ymd=2024-12-02/rows-*")}, written)
        self.assertEqual(len(list(days.glob("ymd=2024-12-04/rows-*"))), 1)

    def test_a_warehouse_that_is_away_is_to_be_tried_again_later(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # and listens to nothing
            address = f"postgresql://cmmc@127.0.0.1:{nobody.getsockname()[1]}/cmmc"
            done = run("ingest", "coin", "--stages", "silver", warehouse_url=address, **self.bench.settings)
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn("again:", done.stderr)

    def test_the_next_stage_makes_facts_of_them(self):
        done = self.bench.ingest("us_stock", "2024-12-01", "2024-12-31", "--stages", "bronze,silver")
        self.assertEqual(done.report["stage"], "silver")
        self.assertEqual(done.report["rows_in"], len(self.bars("us_stock")) + 2)
        self.assertEqual(done.report["rejected"], 0)
        done = self.bench.ingest("us_stock", "2024-12-01", "2024-12-31", "--stages", "silver")
        self.assertEqual((done.report["objects"], done.report["rows_in"]), (0, 0))

    def facts(self, bench, table):
        """A table of the warehouse without what a run leaves of its own: when, and by which load."""
        connection = sqlite3.connect(bench.folder / "var" / "warehouse.db")
        self.addCleanup(connection.close)
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] not in ("fetched_at", "load_id", "raw_key", "object_key")]
        return sorted(connection.execute(f"SELECT {', '.join(names)} FROM {table}"), key=repr)

    def test_facts_are_the_same_in_any_order_of_windows_and_loads(self):
        for dataset, tables, seed in [("us_stock", ["fact_price", "fact_action"], 8), ("news", ["fact_article"], 9)]:
            with self.subTest(dataset=dataset):
                chance, first, last = random.Random(seed), d("2024-11-01"), d("2024-12-31")
                whole, parts = Bench(self.replay), Bench(self.replay)
                whole.ingest(dataset, first, last, "--stages", "bronze,silver")
                windows = []
                for _ in range(5):
                    at = chance.randrange(61)
                    windows.append((first + datetime.timedelta(at), min(last, first + datetime.timedelta(at + chance.randrange(40)))))
                windows += [(first, d("2024-11-30")), (d("2024-11-20"), last)]
                chance.shuffle(windows)
                for a, b in windows:
                    parts.ingest(dataset, a, b, "--stages", chance.choice(["bronze", "bronze,silver", "silver,bronze"]))
                parts.ingest(dataset, first, last, "--stages", "silver")
                for table in tables:
                    self.assertGreater(len(self.facts(whole, table)), 0)
                    self.assertEqual(self.facts(whole, table), self.facts(parts, table))

    def test_a_file_of_the_user_goes_all_the_way_to_the_marts(self):
        path = self.bench.folder / "mine.csv"
        path.write_text("date,close,symbol,name,currency\n2024-12-02,10.5,index:MINE,My index,EUR\n2024-12-03,11,index:MINE,My index,EUR\n")
        done = run("ingest", "upload", "--file", path, **self.bench.settings)
        self.assertEqual(done.returncode, 0, done.stderr)
        with sqlite3.connect(self.bench.folder / "var" / "cmmc.db") as connection:
            closes = connection.execute("SELECT date, close FROM mart_price_daily WHERE uid = 'index:MINE' ORDER BY date").fetchall()
        self.assertEqual(len(closes), 2)
        path.write_text("date,close,symbol\n2024-12-04,12,MINE\n")  # which MINE?
        done = run("ingest", "upload", "--file", path, **self.bench.settings)
        self.assertEqual(done.returncode, 1)
        self.assertIn("contract", done.stderr)

    # ---- Faults ------------------------------------------------------------------------------------------------------

    def test_what_passes_is_tried_again(self):
        clean = Bench(self.replay)
        clean.ingest("coin", "2024-12-01", "2024-12-10")
        for kind, details in [("throttle", {"after": 1}), ("throttle", {"after": 2, "as_date": True}), ("truncate", {}), ("html", {}),
                              ("html", {"status": 503}), ("empty", {}), ("status", {"status": 500}), ("status", {"status": 418})]:
            with self.subTest(kind=kind, **details):
                self.replay.reset()
                # The second symbol: a first word that is a refusal means something else.
                self.replay.fault("ETHUSDT", kind, times=1, **details)
                bench = Bench(self.replay)
                report = bench.ingest("coin", "2024-12-01", "2024-12-10").report
                self.assertEqual(report["requests"], 4)
                self.assertEqual(bench.table("coin_data"), clean.table("coin_data"))
                if kind == "throttle":
                    times = [one["time"] for one in self.replay.seen if "ETHUSDT" in one["path"]]
                    self.assertGreaterEqual(times[1] - times[0], 0.9, "came back before it was asked to")

    def test_transfer_codings_and_types_are_no_faults(self):
        clean = Bench(self.replay)
        clean.ingest("coin", "2024-12-01", "2024-12-10")
        for kind in ("gzip", "chunked", "type"):
            with self.subTest(kind=kind):
                self.replay.fault("klines", kind, times=0)
                bench = Bench(self.replay)
                self.assertEqual(bench.ingest("coin", "2024-12-01", "2024-12-10").report["requests"], 3)
                self.assertEqual(bench.table("coin_data"), clean.table("coin_data"))
                self.replay.reset()

    def test_a_refusal_is_told_and_not_worked_around(self):
        self.replay.fault("klines", "status", times=0, status=451, type="application/json",
                          body='{"code":0,"msg":"Service unavailable from a restricted location"}')
        done = self.bench.ingest("coin", "2024-12-01", "2024-12-03", code=1)
        self.assertIn("blocked", done.stderr)
        self.assertIn("restricted location", done.stderr)
        self.assertIn("--file", done.stderr)
        self.assertEqual(len(self.replay.paths()), 1, "asked again after a refusal")

    def test_throttling_from_the_first_word_on_is_a_refusal(self):
        self.replay.fault("/chart/", "status", times=0, status=429, body="Too Many Requests")
        done = self.bench.ingest("us_stock", "2024-12-01", "2024-12-03", code=1)
        self.assertIn("yahoo: blocked: Too Many Requests", done.stderr)

    def test_the_next_provider_is_asked_and_named(self):
        self.replay.fault("/yahoo/", "status", times=0, status=403)
        done = self.bench.ingest("commodity", "2024-12-01", "2024-12-06")
        self.assertIn("fred is asked instead", done.report["note"])
        rows = self.bars("commodities")
        self.assertEqual({(row["symbol"], row["source"], row["open"]) for _, row in rows}, {("CL", "fred", "")})
        self.assertEqual(len(rows), 5)
        done = self.bench.ingest("fx", "2024-12-02", "2024-12-06")
        self.replay.reset()
        self.replay.fault("/frankfurter/", "html", times=0)
        self.replay.fault("/ecb/", "status", times=0, status=403)
        other = Bench(self.replay)
        other.ingest("fx", "2024-12-02", "2024-12-06")
        self.assertEqual({(row["base"], row["quote"], row["source"]) for _, row in other.rows("exchange_rate")},
                         {("EUR", "USD", "yahoo"), ("EUR", "KRW", "yahoo")})
        self.assertTrue(other.objects("exchange_rate/rejected", "raw"), "the page is not kept for whoever looks into it")

    def test_a_day_without_requests_left_ends_with_the_next_provider(self):
        wait_for_a_day()
        self.replay.fault("/datagokr_stock/", "quota", times=1)
        done = self.bench.ingest("kr_stock", "2024-12-02", "2024-12-03")
        self.assertIn("quota", done.report["note"])
        self.assertEqual({row["source"] for _, row in self.bars("kr_stock")}, {"krx_kospi", "krx_kosdaq"})
        self.replay.reset()
        self.bench.ingest("kr_stock", "2024-12-02", "2024-12-03")  # remembered: not asked once more today
        self.assertEqual(self.replay.paths("datagokr_stock"), [])

    def test_a_source_without_a_key_is_not_asked(self):
        bench = Bench(self.replay, datagokr_key="", krx_key="", fred_key="")
        done = bench.ingest("fred", "2024-12-01", "2024-12-03", code=1)
        self.assertIn("no key is set", done.stderr)
        self.assertEqual(self.replay.paths(), [])
        done = bench.ingest("kr_stock", "2024-12-02", "2024-12-03")
        self.assertEqual({row["source"] for _, row in bench.rows("kr_stock")}, {"yahoo"})
        self.assertIn("005930", {row["symbol"] for _, row in bench.rows("kr_stock")})

    def test_another_form_is_told_and_kept_apart(self):
        self.replay.fault("/chart/AAPL", "replace", old='"gmtoffset"', new='"offset"', times=0)
        done = self.bench.ingest("us_stock", "2024-12-01", "2024-12-06")
        self.assertIn("AAPL: changed", done.report["note"])
        self.assertEqual({row["symbol"] for _, row in self.bars("us_stock")}, {"MSFT"})
        self.assertEqual(len(self.bench.objects("us_stock/rejected", "raw")), 1)
        self.replay.reset()
        self.replay.fault("/chart/", "replace", old='"close"', new='"closing"', times=0)
        other = Bench(self.replay)
        self.assertEqual(other.ingest("us_stock", "2024-12-02", "2024-12-06").report["rows_out"], 0)

    def test_a_source_that_is_down_is_asked_again_by_the_next_run_for_what_is_missing(self):
        self.replay.fault("XMRUSDT", "status", times=0, status=502)
        done = self.bench.ingest("coin", "2024-12-01", "2024-12-05", code=75)
        self.assertIn("down", done.stderr)
        self.assertEqual(len(self.bench.table("coin_data")), 10, "what came is not there")
        self.replay.reset()
        self.bench.ingest("coin", "2024-12-01", "2024-12-05")
        self.assertEqual(len(self.replay.paths()), 1, self.replay.paths())
        self.assertEqual(len(self.bench.table("coin_data")), 15)

    def test_the_program_says_who_it_is(self):
        self.bench.ingest("coin", "2024-12-01", "2024-12-02")
        for one in self.replay.seen:
            self.assertRegex(one["agent"], r"^cmmc/[0-9.]+ .*ops@example\.org\)$")

    # ---- Keys --------------------------------------------------------------------------------------------------------

    def test_keys_are_nowhere(self):
        world, said = self.replay.world, b""
        for dataset in ("indicator_monthly", "fred", "news", "kr_etf", "kr_holiday"):
            done = self.bench.ingest(dataset, "2024-12-01", "2024-12-05")
            said += (done.stdout + done.stderr).encode()
        self.replay.fault("/datagokr_etf/", "status", times=0, status=403)
        done = self.bench.ingest("kr_etf", "2024-12-09", "2024-12-10")
        self.assertEqual(done.report["provider"], "krx_etf")
        self.replay.reset()
        for source, name in (("fred", "fred"), ("ecos", "ecos"), ("datagokr_etf", "datagokr")):  # providers that tell it back
            self.replay.fault(f"/{source}/", "status", times=0, status=400, body=f"bad key {world.keys[name]}")
            self.replay.fault(f"/{source}/", "body", times=0, body="{}")
        for dataset in ("indicator_monthly", "fred", "kr_etf"):
            done = run("ingest", dataset, "--from", "2024-11-01", "--to", "2024-11-05", **self.bench.settings)
            said += (done.stdout + done.stderr).encode()
        self.replay.reset()
        self.replay.fault("/fred/", "body", times=0, body=json.dumps({"echo": world.keys["fred"], "observations": []}))
        self.bench.ingest("fred", "2024-10-01", "2024-10-05")
        for path in (self.bench.folder / "var").rglob("*"):
            if path.is_file():
                said += path.name.encode() + path.read_bytes()
        self.assertGreater(len(said), 10000)
        for key in world.keys.values():
            for spelling in (key, key.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")):
                self.assertNotIn(spelling.encode(), said)
        self.assertIn(b"***", said)

    # ---- Kills -------------------------------------------------------------------------------------------------------

    def test_a_killed_run_goes_on_behind_its_last_answer(self):
        clean = Bench(self.replay)
        clean.ingest("coin", "2024-12-01", "2024-12-20")
        self.replay.reset()
        self.replay.fault("XMRUSDT", "slow", times=1)
        process = self.start("coin", "2024-12-01", "2024-12-20")
        self.wait_for(lambda: len(self.replay.paths()) == 3)
        other = run("ingest", "coin", "--from", "2024-12-01", "--to", "2024-12-20", "--stages", "bronze", **self.bench.settings)
        self.assertEqual(other.returncode, 75, other.stderr)
        self.assertIn("Another process", other.stderr)
        process.send_signal(signal.SIGKILL)
        process.wait(30 * SLOW)
        self.replay.released.set()
        self.assertEqual(self.bench.objects("coin_data"), [])
        self.replay.reset()
        self.bench.ingest("coin", "2024-12-01", "2024-12-20")
        self.assertEqual(["XMRUSDT" in path for path in self.replay.paths()], [True])
        self.assertEqual(self.bench.table("coin_data"), clean.table("coin_data"))
        self.assertEqual([path.name for path in (self.bench.folder / "var" / "ingest").iterdir() if ".spool" in path.name], [])

    def test_a_stopped_run_says_how_it_goes_on(self):
        self.replay.fault("XMRUSDT", "slow", times=1)
        process = self.start("coin", "2024-12-01", "2024-12-05")
        self.wait_for(lambda: len(self.replay.paths()) == 3)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60 * SLOW), 75)
        self.replay.released.set()
        self.replay.reset()
        self.bench.ingest("coin", "2024-12-01", "2024-12-05")
        self.assertEqual(len(self.replay.paths()), 1)

    def test_kills_at_any_moment_lose_and_double_nothing(self):
        clean = Bench(self.replay)
        clean.ingest("us_stock", "2023-01-01", "2024-12-20")
        chance = random.Random(3)
        for _ in range(6):
            process = self.start("us_stock", "2023-01-01", "2024-12-20")
            try:
                process.wait(chance.random() * 0.3 * SLOW)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(30 * SLOW)
        self.bench.ingest("us_stock", "2023-01-01", "2024-12-20")
        self.assertEqual(self.bench.table("us_stock"), clean.table("us_stock"))
        self.assertEqual(self.bench.table("us_stock_action"), clean.table("us_stock_action"))
        for day, row in self.bars("us_stock"):
            self.assertTrue((self.bench.lake.parent / row["raw_key"]).exists())

    def start(self, dataset, first, last):
        env = environment(**self.bench.settings)
        process = subprocess.Popen([str(BIN), "ingest", dataset, "--from", first, "--to", last, "--stages", "bronze"], env=env, cwd=ROOT,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def wait_for(self, condition):
        deadline = time.monotonic() + 60 * SLOW
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.replay.paths())
            time.sleep(0.01)

    # ---- Usage -------------------------------------------------------------------------------------------------------

    def test_a_terminal_gets_a_bar_and_a_pipe_gets_lines(self):
        command = [str(BIN), "ingest", "coin", "--from", "2024-12-01", "--to", "2024-12-02", "--stages", "bronze"]
        mine, its = pty.openpty()
        process = subprocess.Popen(command, env=environment(**self.bench.settings), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=its)
        os.close(its)
        shown = b""
        while True:
            try:
                piece = os.read(mine, 4096)
            except OSError:  # its end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(mine)
        self.assertEqual(process.wait(60 * SLOW), 0)
        self.assertIn(b"\r[" + b"#" * 30 + b"] 3/3 symbols, 3 requests", shown)
        self.assertTrue(shown.endswith(b"\r\x1b[K"), "the bar stays behind")
        self.assertNotIn("\r", self.bench.ingest("coin", "2024-12-03", "2024-12-04").stderr)

    def test_a_backfill_begins_where_the_data_set_does(self):
        done = run("ingest", "coin", "--backfill", "--to", "2018-01-05", "--stages", "bronze", "--json", **self.bench.settings)
        self.assertEqual(json.loads(done.stdout)["from"], "2018-01-01", done.stderr)
        self.assertEqual(len(self.bench.table("coin_data")), 15)

    def test_wrong_usage_and_wrong_addresses(self):
        for arguments, code, words in [
                (["nothing"], 2, "no data set"), (["coin", "--from", "2024-13-01"], 2, "2024-13-01"), ([], 2, ""),
                (["coin", "--from", "2024-12-02", "--to", "2024-12-01"], 2, "--from is after --to"), (["coin", "--stages", "tin"], 2, "tin"),
                (["upload", "--from", "2024-12-01"], 1, "--file"), (["--nothing"], 2, "--nothing")]:
            with self.subTest(arguments=arguments):
                done = run("ingest", *arguments, **self.bench.settings)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(words, done.stderr)
        for base in ("yahoo=http://example.org", "nobody=https://example.org", "yahoo=ftp://127.0.0.1"):
            done = run("ingest", "coin", **{**self.bench.settings, "source_base": base})
            self.assertEqual(done.returncode, 78, done.stderr)
        self.assertEqual(self.replay.paths(), [])

    def test_a_universe_that_is_wrong_names_its_line(self):
        path = self.bench.folder / "universe" / "coin.csv"
        for text, words in [("symbol,name\n", "symbol, name, currency"), ("symbol,name,currency,nobody\n", "nobody"),
                            ("symbol,name,currency,binance\nA,,,A\nA,,,A\n", "Line 3"), ("symbol,name,currency,binance\n,,,A\n", "Line 2")]:
            path.write_text(text)
            done = self.bench.ingest("coin", "2024-12-01", "2024-12-02", code=1)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
