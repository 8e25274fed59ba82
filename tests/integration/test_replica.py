"""Marts read from a streaming replica that lags, is promoted, stops and comes back; and by a role that only reads."""

import os
import subprocess
import unittest

from support import postgres
from support.dataset import Dataset
from support.server import ROOT, Server, load, run, scratch_folder

BAR = {"uid": "stock:XX.A", "date": "2024-01-02", "close": "1", "adj_close": "1", "currency": "USD", "source": "test",
       "quality": "0", "known_at": "2024-01-02T22:00:00Z"}
PAGE = 'FROM "gen_price_daily"'  # what the statement of a page says, and no statement of the catalogue
LOG_STATEMENTS = "-c log_statement=all"
DATES = [f"2024-01-{day:02}" for day in range(2, 30)]


def pg_sh(*arguments, options=""):
    done = subprocess.run(["bash", str(ROOT / "tests" / "support" / "pg.sh"), *arguments], capture_output=True, text=True,
                          timeout=120, check=False, env={**os.environ, "PG_SH_OPTIONS": options})
    if done.returncode != 0:
        raise AssertionError(f"pg.sh {' '.join(arguments)}\n{done.stderr}")
    return done.stdout.strip()


def pages_logged(folder):
    """How many statements that read a page are in the log of the PostgreSQL in folder, which has to log statements."""
    with open(os.path.join(folder, "data", "server.log"), encoding="utf-8", errors="replace") as log:
        return sum(PAGE in line for line in log)


def publish(url, close):
    load(Dataset.of(mart_price_daily=[{**BAR, "date": date, "close": close} for date in DATES]).folder,
         database_url=url, var_dir=scratch_folder("var"))


class Reading(unittest.TestCase):
    """Every read is a query of its own: a cache may not answer for the database."""

    def fresh(self, server):
        self.asked = getattr(self, "asked", 0) + 1
        answer = server.data.get(f"/v1/marts/mart_price_daily/rows?close=lt.{1000000 + self.asked}")
        self.assertEqual(answer.status, 200, answer.text)
        return answer

    def assert_serves(self, server, close):
        rows = self.fresh(server).json["data"]
        self.assertEqual([(row["date"], row["close"]) for row in rows], [(date, close) for date in DATES])

    def wait_for(self, server, close):
        server.wait_until(lambda: self.fresh(server).json["data"][0]["close"] == close, f"a close of {close}")


class Replica(Reading):
    @classmethod
    def setUpClass(cls):
        cls.primary, cls.copy = scratch_folder("primary"), scratch_folder("replica")
        os.chmod(os.path.dirname(cls.primary), 0o711)
        cls.primary_url = pg_sh("start", cls.primary, options=LOG_STATEMENTS)
        cls.addClassCleanup(pg_sh, "stop", cls.primary)
        publish(cls.primary_url, 1)
        cls.replica_url = pg_sh("replica", cls.copy, cls.primary, options=LOG_STATEMENTS)
        cls.addClassCleanup(pg_sh, "stop", cls.copy)

    def assert_reads(self, server, close, times):
        """Reads so many pages; gives how many each of the two was asked for: primary, replica."""
        before = pages_logged(self.primary), pages_logged(self.copy)
        for _ in range(times):
            self.assert_serves(server, close)
        return pages_logged(self.primary) - before[0], pages_logged(self.copy) - before[1]

    def caught_up(self):
        newest = "SELECT coalesce(max(generation), 0) FROM publication"
        return postgres.sql(self.primary_url, newest) == postgres.sql(self.replica_url, newest)

    def test_a_replica_serves_what_it_has_and_the_primary_the_rest(self):
        with Server(database_url=self.primary_url, database_read_url=self.replica_url, refresh_ms=100) as server:
            server.wait_until(self.caught_up, "the replica's first catch-up")
            with self.subTest("the replica is read"):
                self.assertEqual(self.assert_reads(server, 1, times=2), (0, 2))
            with self.subTest("a replica that lags is not asked for what it has not got"):
                postgres.sql(self.replica_url, "SELECT pg_wal_replay_pause()")
                publish(self.primary_url, 2)
                self.wait_for(server, 2)
                self.assertEqual(self.assert_reads(server, 2, times=5)[0], 5)
            with self.subTest("an older generation is still served"):
                old = server.data.get("/v1/marts/mart_price_daily/rows?generation=1&limit=1")
                self.assertEqual(old.json["data"][0]["close"], 1)
            with self.subTest("while it catches up, no page mixes two generations"):
                postgres.sql(self.replica_url, "SELECT pg_wal_replay_resume()")
                for _ in range(20):
                    self.assert_serves(server, 2)
            with self.subTest("a stopped replica is done without"):
                pg_sh("kill", self.copy)
                for _ in range(5):
                    self.assert_serves(server, 2)
                self.assertEqual(server.ops.get("/readyz").status, 200)
            with self.subTest("it is read again when it is back"):
                pg_sh("restart", self.copy, options=LOG_STATEMENTS)
                server.wait_until(lambda: self.assert_reads(server, 2, times=1)[1] > 0, "reads on the replica")
            with self.subTest("a promoted replica, which follows nobody any more, answers for what it has only"):
                postgres.sql(self.replica_url, "SELECT pg_promote()")
                self.assert_serves(server, 2)
                publish(self.primary_url, 3)
                self.wait_for(server, 3)
                for _ in range(5):
                    self.assert_serves(server, 3)


class Reader(Reading):
    """database_read_url with the primary's own address and another role."""

    @classmethod
    def setUpClass(cls):
        cls.url = postgres.empty_database()
        publish(cls.url, 1)
        cls.role = "reader_" + cls.url.rsplit("/", 1)[1]
        postgres.sql(cls.url, f'CREATE ROLE "{cls.role}" LOGIN; ALTER ROLE "{cls.role}" SET log_statement = \'all\'')
        cls.reader_url = cls.url.replace("//postgres@", f"//{cls.role}@")

    def grant(self, role):
        return run("migrate", "--reader", role, database_url=self.url, var_dir=scratch_folder("var"))

    def refused(self, statement):
        with self.assertRaisesRegex(AssertionError, "permission denied|read-only"):
            postgres.sql(self.reader_url, statement)

    def test_a_role_that_only_reads_serves_marts_and_sees_nothing_else(self):
        with Server(database_url=self.url, database_read_url=self.reader_url) as server:
            with self.subTest("without the grants the primary answers"):
                self.assert_serves(server, 1)
            done = self.grant(self.role)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(self.role, done.stdout)
            self.assertEqual(self.grant(self.role).returncode, 0)
            with self.subTest("with them the reader does"):
                before = pages_logged(postgres.cluster().folder)
                self.assert_serves(server, 1)
                self.assertGreater(pages_logged(postgres.cluster().folder), before)
        with self.subTest("marts can be read and nothing be written"):
            self.assertEqual(postgres.sql(self.reader_url, "SELECT count(*) FROM mart_price_daily").strip(), str(len(DATES)))
            self.refused("DELETE FROM gen_price_daily")
            self.refused("INSERT INTO publication VALUES (99, now(), 0, 0, 0)")
        with self.subTest("what is not a mart is hidden"):
            self.refused("SELECT * FROM backtest_result")
            self.refused("SELECT * FROM api_key")

    def test_a_role_that_is_not_there_is_refused(self):
        done = self.grant("nobody_of_that_name")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nobody_of_that_name", done.stderr)


if __name__ == "__main__":
    unittest.main()
