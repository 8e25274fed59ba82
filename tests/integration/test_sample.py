"""
The sample as `make run` takes it in: from an empty folder through lake, facts and models to the marts. What is served then is what
`cmmc load` of the same files serves, row for row, and what is modelled besides; killed, repeated and continued by a source it ends
in the same tables.
"""

import csv
import datetime
import gzip

import json
import pathlib
import shutil
import sqlite3
import unittest

from replay import Replay, World
from support import die_at
from support.dataset import rewrite, small_sample
from support.server import IS_SANITIZED, SAMPLE, load, not_under_tsan, run, scratch_folder
from support.states import PostgresqlState, SqliteState

setUpModule = not_under_tsan

TOLD = ("mart_instrument", "mart_calendar", "mart_price_daily", "mart_economic_indicator", "mart_news_article")
MODELLED = ("mart_price_panel", "mart_return_period", "mart_asset_class_daily", "mart_stock_daily", "mart_etf_daily", "mart_coin_daily",
            "mart_commodity_daily", "mart_index_daily", "mart_bond_daily", "mart_risk", "mart_correlation", "mart_news_daily",
            "mart_news_keyword_daily", "mart_data_quality_daily")
DATASETS = {"mart_price_daily": "table_price", "mart_instrument": "table_instrument", "mart_calendar": "table_calendar",
            "mart_fx_daily": "table_rate", "mart_economic_indicator": "table_observation", "mart_news_article": "table_article"}
REQUESTS = ({"universe": ["stock:US.AAPL", "stock:US.JPM"], "strategy": "buy_and_hold"},
            {"universe": ["bond:SIM.CORP5Y"], "prices": "raw", "dividends": "cash", "currency": "KRW"},
            {"universe": ["stock:KRX.900060", "etf:KRX.910010", "coin:SIMBTCUSDT"], "currency": "USD", "strategy": "equal"})


def query(var_dir, sql, database="cmmc"):
    connection = sqlite3.connect(f"file:{pathlib.Path(var_dir) / database}.db?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def ingest(*arguments, code=0, **settings):
    done = run("ingest", *arguments, timeout=600, **settings)
    if done.returncode != code:
        raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def objects(var_dir, kind):
    return sorted((pathlib.Path(var_dir) / "lake" / "bronze" / "tables").glob(f"*/ymd=*/{kind}-*"))


class Whole(unittest.TestCase):
    """All of the sample, on files."""

    @classmethod
    def setUpClass(cls):
        cls.loaded, cls.piped = scratch_folder("loaded"), scratch_folder("piped")
        load(var_dir=cls.loaded)
        cls.said = ingest("--sample", "--if-empty", var_dir=cls.piped)
        cls.manifest = json.loads((SAMPLE / "manifest.json").read_text())["files"]

    def test_told_marts_are_those_of_load_row_for_row(self):
        for mart in TOLD:
            with self.subTest(mart=mart):
                self.assertEqual(query(self.piped, f"SELECT * FROM {mart} ORDER BY 1, 2, 3, 4, 5"),
                                 query(self.loaded, f"SELECT * FROM {mart} ORDER BY 1, 2, 3, 4, 5"))

    def test_rates_are_those_of_load_and_crosses_of_them(self):
        rates = query(self.loaded, "SELECT * FROM mart_fx_daily ORDER BY base, quote, date")
        self.assertEqual(query(self.piped, "SELECT * FROM mart_fx_daily WHERE NOT is_cross ORDER BY base, quote, date"), rates)
        euro = {(row[1], row[2]): float(row[3]) for row in rates}
        crosses = query(self.piped, "SELECT base, quote, date, rate, source FROM mart_fx_daily WHERE is_cross")
        self.assertEqual({(base, quote) for base, quote, *_ in crosses},
                         {(base, quote) for quote in ("KRW", "USD") for base in ("AUD", "CAD", "CHF", "CNY", "GBP", "JPY", "KRW", "USD") if base != quote})
        for base, quote, date, rate, source in crosses:
            self.assertEqual(source, "ecb")
            self.assertAlmostEqual(float(rate) * euro[base, date] / euro[quote, date], 1, places=12)

    def test_models_are_there(self):
        for mart in MODELLED:
            with self.subTest(mart=mart):
                self.assertGreater(query(self.piped, f"SELECT count(*) FROM {mart}")[0][0], 0)
        # The panel begins where prices do, in each series' adjusted closes.
        self.assertEqual(query(self.piped, "SELECT uid, min(date) FROM mart_price_panel GROUP BY uid"),
                         query(self.loaded, "SELECT uid, min(date) FROM mart_price_daily GROUP BY uid"))
        # A bond's price is the clean one, not that which reinvests its coupons.
        self.assertEqual(query(self.piped, "SELECT uid, date, clean_price FROM mart_bond_daily ORDER BY uid, date"),
                         query(self.loaded, "SELECT uid, date, close FROM mart_price_daily WHERE uid LIKE 'bond:%' ORDER BY uid, date"))

    def test_backtests_say_the_same(self):
        for request in REQUESTS:
            with self.subTest(universe=request["universe"]):
                answers = [run("backtest", stdin=json.dumps(request).encode(), var_dir=folder).stdout for folder in (self.loaded, self.piped)]
                self.assertEqual(answers[0], answers[1])
                self.assertIn("data", json.loads(answers[0]))

    def test_the_lake_holds_the_files_as_they_are(self):
        stored = sorted(path.read_bytes() for path in objects(self.piped, "raw"))
        self.assertEqual(stored, sorted((SAMPLE / file["path"]).read_bytes() for file in self.manifest))
        self.assertEqual(len(objects(self.piped, "rows")), len(DATASETS))
        done = run("lake", "verify", "bronze/tables", var_dir=self.piped)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_lake_is_compacted_like_any_other(self):
        folder = scratch_folder("lake")
        shutil.copytree(pathlib.Path(self.piped) / "lake", folder, dirs_exist_ok=True)
        done = run("lake", "compact", "bronze/tables", var_dir=scratch_folder("var"), lake=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        made = sorted(pathlib.Path(folder).glob("silver/tables/*/year=*/rows-*"))
        self.assertEqual(len(made), len(DATASETS))
        for path, source in zip(made, objects(self.piped, "rows")):
            self.assertEqual(sorted(gzip.decompress(path.read_bytes()).splitlines()), sorted(gzip.decompress(source.read_bytes()).splitlines()))

    def test_rows_in_the_lake_name_their_file_and_an_early_time(self):
        with gzip.open(next(path for path in objects(self.piped, "rows") if "tables/price/" in str(path)), "rt", encoding="utf-8", newline="") as file:
            rows = [row for row, _ in zip(csv.DictReader(file), range(5000))]
        self.assertEqual({row["fetched_at"] for row in rows}, {"2023-01-01T00:00:00Z"})
        self.assertEqual({row["source"] for row in rows}, {"simulated"})
        for key in {row["raw_key"] for row in rows}:
            self.assertEqual(run("lake", "stat", key, var_dir=self.piped).returncode, 0)

    def test_quality_and_lineage_tell_of_it(self):
        rows = {}
        for file in self.manifest:
            rows[DATASETS[file["mart"]]] = rows.get(DATASETS[file["mart"]], 0) + file["rows"]
        found = query(self.piped, "SELECT dataset, n_rows, n_rejected, n_duplicates, status FROM mart_data_quality_daily")
        self.assertEqual(sorted(found), sorted((name, n, 0, 0, "ok") for name, n in rows.items()))
        lineage = query(self.piped, "SELECT DISTINCT o.object_key FROM mart_price_daily p JOIN load_lineage o ON o.load_id = p.load_id", "warehouse")
        lake = pathlib.Path(self.piped) / "lake"
        self.assertEqual(sorted(key for key, in lineage), [str(path.relative_to(lake)) for path in objects(self.piped, "rows")])

    def test_a_second_time_changes_nothing(self):
        self.assertIn("sample publish: rows in 1", self.said)
        self.assertIn("nothing to do", ingest("--sample", "--if-empty", var_dir=self.piped))
        self.assertRegex(run("ingest", "--costs", var_dir=self.piped).stdout, "table_price")
        generation = query(self.piped, "SELECT max(generation) FROM publication")
        said = ingest("--sample", var_dir=self.piped)
        self.assertIn("objects written 0, unchanged 16,", said)
        self.assertEqual(query(self.piped, "SELECT max(generation) FROM publication"), generation)


class SmallTests:
    """Mixed into unittest.TestCase beside one of the two kinds of state."""

    state_type, n_points = None, 0

    @classmethod
    def setUpClass(cls):
        cls.sample = small_sample()
        cls.whole = cls.state_type(scratch_folder("var"))
        ingest("--sample", cls.sample.folder, **cls.whole.settings)

    @staticmethod
    def served(state):
        return {mart: state.rows("cmmc", mart) for mart in (*TOLD, "mart_fx_daily", *MODELLED)}

    def test_told_marts_are_those_of_load(self):
        other = self.state_type(scratch_folder("var"))
        load(self.sample.folder, **other.settings)
        for mart in TOLD:
            with self.subTest(mart=mart):
                self.assertEqual(self.whole.rows("cmmc", mart), other.rows("cmmc", mart))
                self.assertGreater(len(other.rows("cmmc", mart)), 3)

    @unittest.skipIf(IS_SANITIZED, "a sanitizer wants to be loaded first")
    def test_killed_anywhere_the_next_run_ends_the_same(self):
        expected = self.served(self.whole)
        arguments = ("ingest", "--sample", self.sample.folder)
        n_calls = die_at.calls(*arguments, **self.state_type(scratch_folder("var")).settings)
        for k in range(self.n_points):
            with self.subTest(point=k):
                state = self.state_type(scratch_folder("var"))
                die_at.killed(1 + n_calls * k // self.n_points, *arguments, **state.settings)
                ingest("--sample", self.sample.folder, **state.settings)
                self.assertEqual(self.served(state), expected)

    def test_a_source_goes_on_in_the_same_tables(self):
        state = self.whole.copy()
        universe = pathlib.Path(scratch_folder("universe"))
        (universe / "us_stock.csv").write_text("symbol,name,currency,yahoo\nAAPL,Apple of the source,USD,AAPL\n")
        first, last = datetime.date(2018, 12, 10), datetime.date(2019, 1, 11)
        with Replay(World(11)) as replay:
            ingest("us_stock", "--from", first, "--to", last, source_base=f"*={replay.address}", universe_dir=universe, **state.settings)
        prices = [row for row in state.rows("cmmc", "mart_price_daily") if "stock:US.AAPL" in row]
        before = [row for row in self.whole.rows("cmmc", "mart_price_daily") if "stock:US.AAPL" in row]
        told = [row for row in prices if "skfolio" in row]
        self.assertGreater(len(told), 50)
        self.assertLess(len(told), len(before))
        self.assertLessEqual(set(told), set(before))
        self.assertGreater(len([row for row in prices if "yahoo" in row]), 15)
        # It stays described as it was, and the days that were told stay as they were told; others follow.
        described = [row for row in state.rows("cmmc", "mart_instrument") if "stock:US.AAPL" in row]
        self.assertEqual(len(described), 1)
        self.assertIn("Apple Inc.", described[0])
        self.assertIn("skfolio", described[0])
        days, told_days = state.rows("cmmc", "mart_calendar"), self.whole.rows("cmmc", "mart_calendar")
        self.assertLessEqual(set(told_days), set(days))
        self.assertTrue(any("2019-01-02" in row and "XNYS" in row for row in days))
        # The sample once more: it is older than what the source said.
        again = self.served(state)
        ingest("--sample", self.sample.folder, **state.settings)
        self.assertEqual(self.served(state), again)


class OnFiles(SmallTests, unittest.TestCase):
    state_type, n_points = SqliteState, 12

    def test_a_damaged_file_is_refused_before_anything_is_stored(self):
        dataset = small_sample()
        (dataset.folder / "instruments.csv").write_text("uid\n")
        done = run("ingest", "--sample", dataset.folder, var_dir=(folder := scratch_folder("var")))
        self.assertEqual(done.returncode, 1)
        self.assertIn("instruments.csv", done.stderr)
        self.assertEqual(objects(folder, "raw"), [])

    def test_a_bad_row_goes_to_quarantine_and_is_told(self):
        dataset = small_sample()
        rows = dataset.read("prices_us_stocks.csv.gz")
        rows[3]["adj_close"] = "dear"
        rewrite(dataset, "prices_us_stocks.csv.gz", rows)
        dataset.save()
        folder = scratch_folder("var")
        ingest("--sample", dataset.folder, var_dir=folder)
        self.assertEqual(query(folder, "SELECT dataset, reason FROM quarantine", "warehouse"), [("table_price", "bad-number: adj_close")])
        self.assertEqual(query(folder, "SELECT n_rejected FROM mart_data_quality_daily WHERE dataset = 'table_price'"), [(1,)])

    def test_actions_of_a_folder_are_those_of_load(self):
        dataset = small_sample()
        uids = ["stock:US.AAPL", "stock:KRX.900060"]
        common = {"date": "2018-03-01", "pay_date": None, "ratio": None, "cash": None, "source": "mine"}
        dataset.write("actions.csv", [{**common, "uid": uids[0], "kind": "dividend", "into_uid": uids[0], "pay_date": "2018-03-20", "cash": "0.63"},
                                      {**common, "uid": uids[0], "kind": "split", "into_uid": uids[0], "ratio": "2"},
                                      {**common, "uid": uids[1], "kind": "merger", "into_uid": uids[0], "ratio": "0.5", "cash": "12.25"}])
        manifest = dataset.manifest
        manifest["files"].append({"path": "actions.csv", "mart": "mart_corporate_action"})
        dataset.save(manifest)
        loaded, piped = scratch_folder("loaded"), scratch_folder("piped")
        load(dataset.folder, var_dir=loaded)
        ingest("--sample", dataset.folder, var_dir=piped)
        found = query(piped, "SELECT * FROM mart_corporate_action ORDER BY uid, kind")
        self.assertEqual(len(found), 3)
        self.assertEqual(found, query(loaded, "SELECT * FROM mart_corporate_action ORDER BY uid, kind"))
        # Prices are told in full: what the actions say of them is not worked in once more.
        self.assertEqual(query(piped, "SELECT * FROM mart_price_daily ORDER BY uid, date"), query(loaded, "SELECT * FROM mart_price_daily ORDER BY uid, date"))

    def test_a_mart_that_is_no_table_is_refused_by_name(self):
        dataset = small_sample()
        manifest = dataset.manifest
        manifest["files"][0]["mart"] = "mart_risk"
        dataset.save(manifest)
        done = run("ingest", "--sample", dataset.folder, var_dir=scratch_folder("var"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("mart_risk", done.stderr)

    def test_own_lakes_are_left_alone_unless_it_is_asked_for(self):
        folder, lake = scratch_folder("var"), scratch_folder("lake")
        said = ingest("--sample", self.sample.folder, "--if-empty", var_dir=folder, lake=lake)
        self.assertIn("left out", said)
        self.assertEqual(list(pathlib.Path(lake).iterdir()), [])
        ingest("--sample", self.sample.folder, var_dir=folder, lake=lake)
        self.assertGreater(query(folder, "SELECT count(*) FROM mart_price_daily")[0][0], 100)

    def test_a_table_of_the_user_goes_the_same_way(self):
        folder = pathlib.Path(scratch_folder("var"))
        file = folder / "mine.csv"
        file.write_text("uid,date,asset_class,symbol,name,market,currency,quote_unit,price_basis,is_active,is_survivor_biased,delisted_on\n"
                        "stock:X.A,2020-01-06,stock,A,Alpha,XNYS,USD,price,raw,false,false,2020-01-06\n"
                        "stock:X.B,2020-01-06,stock,B,Beta,XNYS,USD,price,raw,perhaps,false,\n")
        said = ingest("table_instrument", "--file", file, "--json", "--stages", "bronze,silver", var_dir=folder)
        self.assertEqual(json.loads(said.splitlines()[0])["rejected"], 1)
        file.write_text("uid,date,close,adj_close,dividend,currency\n" + "".join(f"stock:X.A,2020-01-0{day},{10 + day},{9 + day},0.5,USD\n" for day in (2, 3, 6)))
        ingest("table_price", "--file", file, var_dir=folder)
        self.assertEqual(query(folder, "SELECT name, is_active, delisted_on FROM mart_instrument"), [("Alpha", 0, "2020-01-06")])
        self.assertEqual(query(folder, "SELECT close, adj_close, dividend, source FROM mart_price_daily ORDER BY date"),
                         [("12", "11", "0.5", "upload"), ("13", "12", "0.5", "upload"), ("16", "15", "0.5", "upload")])


class OnPostgresql(SmallTests, unittest.TestCase):
    state_type, n_points = PostgresqlState, 5


if __name__ == "__main__":
    unittest.main()
