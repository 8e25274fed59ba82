"""
The whole pipeline on each of the three set-ups: files alone, PostgreSQL with a lake on S3 (Ceph), and a warehouse that takes what
Redshift takes (support/redshift) with the same lake. Some of the sample and every data set come, those from the replay server, twice and out of order; the
marts that readers see are the same, row for row.
"""

import decimal
import json
import os
import pathlib
import subprocess
import unittest

from replay import Replay, World
from support import postgres, s3
from support.ceph import ceph
from support.dataset import small_sample
from support.redshift import Redshift
from support.server import BIN, ROOT, SLOW, Server, environment, not_under_tsan, scratch_folder
from support.states import Bucket

setUpModule = not_under_tsan

ROLE = "arn:aws:iam::000000000000:role/loader"
# The later one first, and days of both; most data sets are asked for the earlier one alone.
WINDOWS = [("2024-12-09", "2024-12-20"), ("2024-12-02", "2024-12-13")]
# When a row was fetched or published is no part of what it says.
TIMES = {"known_at", "published_at", "fetched_at", "last_success_at", "next_due_at", "generation"}
TWICE = ("us_stock", "fx", "news", "coin")
# A day of payment for a dividend that the source tells, one that no source tells, units of another, and an instrument that nobody knows.
ACTIONS = """uid,date,kind,into_uid,pay_date,ratio,cash
stock:US.AAPL,2024-12-16,dividend,,2024-12-30,,
stock:KR.005930,2024-12-10,dividend,,,,361
stock:US.MSFT,2024-12-12,spin_off,stock:US.AAPL,,0.25,
stock:US.NONE,2024-12-12,rename,stock:US.MSFT,,,
stock:US.MSFT,2024-12-11,dividend,,,,7
"""
# One under a wrong key, and one that the source tells.
WITHDRAWN = """uid,date,kind,is_withdrawn
stock:US.MSFT,2024-12-11,dividend,true
stock:US.MSFT,2024-12-16,dividend,true
"""
LAST = "coin"  # with it, everything is modelled and published


def value(text):
    """A number as what it is, whatever its spelling; twelve digits of what was computed."""
    if isinstance(text, float):
        return format(text, ".10g")
    try:
        return format(decimal.Decimal(text).normalize(), "f") if isinstance(text, str) and text[:1] in "-0123456789" and ":" not in text else text
    except decimal.InvalidOperation:
        return text


class Setup:
    def __init__(self, replay, **settings):
        self.settings = {"var_dir": scratch_folder("var"), "source_base": f"*={replay.address}",
                         **{f"{name}_key": key for name, key in replay.world.keys.items() if name != "krx_web"}, **settings}
        self.more = {}

    def try_cmmc(self, *arguments):
        return subprocess.run([str(BIN), *arguments], env={**environment(**self.settings), **self.more}, cwd=ROOT, capture_output=True, text=True,
                              timeout=300 * SLOW, check=False)

    def cmmc(self, *arguments):
        done = self.try_cmmc(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def ingest(self, names):
        for first, last in WINDOWS:
            for name in names if first == WINDOWS[-1][0] else TWICE:
                stages = "bronze,silver,gold,publish" if name == LAST else "bronze,silver"
                self.cmmc("ingest", name, "--from", first, "--to", last, "--stages", stages)

    def tell(self, dataset, text):
        file = pathlib.Path(self.settings["var_dir"]) / "told.csv"
        file.write_text(text)
        self.cmmc("ingest", dataset, "--file", str(file), "--stages", "bronze,silver")

    def marts(self):
        """Every mart with its rows, as the server of this set-up gives them."""
        kept = {name: setting for name, setting in self.settings.items() if name in ("var_dir", "database_url")}
        with Server(**kept) as server:
            names = [one["name"] for one in server.get("/v1/marts").json["data"]]
            return {name: self.rows(server, name) for name in names}

    @staticmethod
    def rows(server, name):
        answer = server.get(f"/v1/marts/{name}/rows?format=ndjson&numbers=string&limit=50000")
        assert answer.status == 200, answer
        rows = [json.loads(line) for line in answer.text.splitlines()]
        return sorted(json.dumps({key: value(one) for key, one in row.items() if key not in TIMES}, sort_keys=True) for row in rows)


class ThreeSetups(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.replay = Replay(World(5)).__enter__()
        cls.addClassCleanup(cls.replay.__exit__)
        server = ceph()
        keys = s3.login(server.key, server.secret)
        cls.files = Setup(cls.replay)
        cls.postgresql = Setup(cls.replay, database_url=postgres.empty_database(), warehouse_url=postgres.empty_database(),
                               lake=f"s3://{s3.bucket(server)}/lake", s3_endpoint=server.endpoint)
        cls.cluster = Redshift(postgres.empty_database(), {ROLE: Bucket(server)})
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.lake = s3.bucket(server)
        cls.redshift = Setup(cls.replay, database_url=postgres.empty_database(), warehouse_url=cls.cluster.url.replace("postgresql://", "redshift://"),
                             lake=f"s3://{cls.lake}/lake", s3_endpoint=server.endpoint, redshift_role=ROLE)
        cls.store = Bucket(server)
        cls.postgresql.more = cls.redshift.more = keys
        names = [line.split()[0] for line in cls.files.cmmc("ingest", "--list").splitlines()]
        names = [name for name in names if name not in ("upload", LAST) and not name.startswith("table_")] + [LAST]
        sample, cls.before = small_sample().folder, {}
        for setup in (cls.files, cls.postgresql, cls.redshift):
            setup.cmmc("ingest", "--sample", str(sample))
            setup.tell("table_action", ACTIONS)
            setup.ingest(names)
            cls.before[setup] = setup.marts()["mart_corporate_action"]
            setup.tell("table_action", WITHDRAWN)
            setup.cmmc("ingest", "table_action", "--stages", "gold,publish")
        cls.expected = cls.files.marts()

    def assert_same(self, setup):
        marts = setup.marts()
        self.assertEqual(sorted(marts), sorted(self.expected))
        for name, rows in marts.items():
            with self.subTest(mart=name):
                self.assertEqual(len(rows), len(self.expected[name]))
                self.assertEqual(rows, self.expected[name])

    def test_files_alone_have_rows_in_the_marts(self):
        filled = {name for name, rows in self.expected.items() if rows}
        self.assertLessEqual({"mart_price_daily", "mart_instrument", "mart_fx_daily", "mart_economic_indicator", "mart_news_article", "mart_calendar",
                              "mart_price_panel", "mart_coin_daily", "mart_stock_daily", "mart_bond_daily"}, filled)
        self.assertTrue(any("SIM.CORP5Y" in row for row in self.expected["mart_instrument"]))
        actions = [(row["uid"], row["kind"], row["pay_date"], row["cash"], row["source"])
                   for row in map(json.loads, self.expected["mart_corporate_action"]) if row["pay_date"] or row["source"] == "upload"]
        self.assertEqual(sorted(actions), [("stock:KR.005930", "dividend", None, "361", "upload"), ("stock:US.AAPL", "dividend", "2024-12-30", "0.87", "yahoo"),
                                           ("stock:US.MSFT", "spin_off", None, None, "upload")])
        gone = [json.loads(row) for row in set(self.before[self.files]) - set(self.expected["mart_corporate_action"])]
        self.assertEqual(sorted((row["uid"], row["date"], row["kind"], row["source"]) for row in gone),
                         [("stock:US.MSFT", "2024-12-11", "dividend", "upload"), ("stock:US.MSFT", "2024-12-16", "dividend", "yahoo")])
        paid = next(row for row in map(json.loads, self.expected["mart_price_daily"]) if (row["uid"], row["date"]) == ("stock:KR.005930", "2024-12-10"))
        self.assertEqual(paid["dividend"], "361")

    def test_postgresql_and_s3_serve_the_same(self):
        self.assertEqual(self.before[self.postgresql], self.before[self.files])
        self.assert_same(self.postgresql)

    def test_redshift_serves_the_same(self):
        self.assertEqual(self.before[self.redshift], self.before[self.files])
        self.assert_same(self.redshift)
        copies = [sql for sql in self.cluster.statements if sql.startswith("COPY ")]
        self.assertGreater(len(copies), 10)
        for sql in copies:
            self.assertRegex(sql, rf"^COPY \w+ \([\w, ]+\) FROM 's3://{self.lake}/lake/silver/load/\w+/ymd=[\d-]+/\w+\.manifest' IAM_ROLE '{ROLE}' MANIFEST ")
        self.assertEqual(self.store.list(self.lake, "lake/silver/load/"), [], "objects of loads are left behind")

    def test_redshift_in_trouble_ends_where_it_would_have_ended(self):
        cluster = Redshift(postgres.empty_database(), {ROLE: self.store})
        cluster.__enter__()
        self.addCleanup(cluster.__exit__)
        setup = Setup(self.replay, **{**self.redshift.settings, "var_dir": scratch_folder("var"), "database_url": postgres.empty_database(),
                                      "warehouse_url": cluster.url.replace("postgresql://", "redshift://")})
        setup.more = self.redshift.more
        run = ("ingest", LAST, "--from", WINDOWS[1][0], "--to", WINDOWS[0][1])
        setup.cmmc(*run, "--stages", "bronze")
        setup.cmmc("ingest", "fx", *run[2:], "--stages", "silver")
        for trouble in (lambda: cluster.fail(r"^COPY stg_rows"), lambda: cluster.fail(r"^COMMIT"), lambda: cluster.cut_after(r"^INSERT INTO fact_price"),
                        lambda: cluster.cut_after(r"^COMMIT")):
            trouble()
            done = setup.try_cmmc(*run)
            self.assertIn(done.returncode, (1, 75), done.stdout + done.stderr)
            self.assertIn("cmmc: ", done.stderr)
            self.assertEqual((cluster.faults, cluster.cuts), ([], []), "the trouble did not come")
        setup.cmmc(*run)
        fetched = [row for row in self.expected["mart_coin_daily"] if "SIMBTC" not in row]
        self.assertEqual(setup.marts()["mart_coin_daily"], fetched)
        self.assertEqual(self.store.list(self.lake, "lake/silver/load/"), [])

    def test_redshift_without_a_role_or_a_lake_on_s3_is_a_wrong_setting(self):
        for changes, name in (({"redshift_role": ""}, "CMMC_REDSHIFT_ROLE"), ({"lake": scratch_folder("lake")}, "CMMC_LAKE")):
            setup = Setup(self.replay, **{**self.redshift.settings, **changes})
            done = setup.try_cmmc("ingest", LAST, "--stages", "silver")
            self.assertEqual(done.returncode, 78, done.stderr)
            self.assertIn(name, done.stderr)
        served = Setup(self.replay, **{**self.redshift.settings, "database_url": self.redshift.settings["warehouse_url"]})
        done = served.try_cmmc("migrate")
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("database_url", done.stderr)


REAL = ("CMMC_TEST_REDSHIFT_URL", "CMMC_TEST_REDSHIFT_LAKE", "CMMC_TEST_REDSHIFT_ROLE")


@unittest.skipUnless(all(os.environ.get(name) for name in REAL), f"a real cluster is named by {', '.join(REAL)}")
class RealCluster(unittest.TestCase):
    """
    The same against Amazon Redshift itself: an empty database (redshift://...), an empty prefix (s3://...) and a role that reads it;
    keys of AWS as the environment has them. Schemas and objects stay there for who wants to look.
    """

    def test_it_serves_the_same(self):
        with Replay(World(5)) as replay:
            files = Setup(replay)
            url, lake, role = (os.environ[name] for name in REAL)
            real = Setup(replay, database_url=postgres.empty_database(), warehouse_url=url, lake=lake, redshift_role=role)
            for setup in (files, real):
                setup.ingest(("us_stock", "fx", "news", "kr_stock", LAST))
            expected, found = files.marts(), real.marts()
            for name, rows in expected.items():
                with self.subTest(mart=name):
                    self.assertEqual(found[name], rows)


if __name__ == "__main__":
    unittest.main()
