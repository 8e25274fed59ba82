"""
Servers killed at any write, sync, rename or send while a job is made, claimed, run or called by a schedule. Another server takes
over without help, and the end is that of a server that nobody killed. docs/operations.md names the points (K0 to K19).
"""

import contextlib
import datetime
import http.client
import itertools
import os
import pathlib
import time
import unittest
import unittest.mock

from replay import Replay, World
from support import die_at
from support.backend import Postgresql, Sqlite
from support.ingest_bench import wait_for_a_day
from support.keys import bearer, make_key
from support.problems import Assertions
from support.server import IS_SANITIZED, SLOW, Server, run, scratch_folder
from support.states import PostgresqlState, SqliteState

COIN = {"dataset": "coin", "from": "2024-12-02", "to": "2024-12-06"}
UNIVERSE = "symbol,name,currency,binance\nBTCUSDT,Bitcoin,USD,BTCUSDT\nETHUSDT,Ether,USD,ETHUSDT\n"
TABLES = {"cmmc": ("mart_instrument", "mart_price_daily", "mart_price_panel", "mart_coin_daily"),
          "warehouse": ("fact_price", "fact_instrument", "dim_instrument", "fact_price_measure")}
LOST = (OSError, http.client.HTTPException)


def started(server, **die):
    """Started so that it is killed by die_at.c; None when that came before it was ready."""
    env = {"LD_PRELOAD": str(die_at.library()), **{name: str(value) for name, value in die.items()}}
    with unittest.mock.patch.dict(os.environ, env), contextlib.suppress(AssertionError, *LOST):
        return server.start()
    server.kill()
    return None


class Kills(Assertions):
    """Mixed into unittest.TestCase beside one of the two databases."""

    backend_type, state_type, n_points = None, None, 0

    def jobs(self, server, admin):
        return self.assert_ok(server.get("/v1/jobs?type=eq.ingest&limit=100", **admin)).json["data"]

    def test_a_post_that_is_killed_anywhere_makes_one_job(self):
        """K0, K1: at its first call, its second ... until the answer has come. Whoever asks again with the same key has one job."""
        backend = self.backend_type(with_sample=False)
        admin = bearer(make_key("admin", **backend.settings))
        folder = pathlib.Path(scratch_folder("armed"))
        for at in itertools.count(1):
            day = str(datetime.date(2024, 1, 1) + datetime.timedelta(at))
            ask = {"body": {**COIN, "from": day, "to": day}, "idempotency_key": f'"post-{at}"', **admin}
            armed = folder / str(at)
            server = started(backend.server(job_slots=0), DIE_AT=at, DIE_ARMED=armed)
            armed.touch()
            answer = None
            with contextlib.suppress(*LOST):
                answer = server.post("/v1/admin/jobs", **ask)
            server.kill()
            with backend.server(job_slots=0) as other:
                again = other.post("/v1/admin/jobs", **ask)
                self.assertEqual(again.status, 202, again)
                self.assertEqual(len(self.jobs(other, admin)), at)
            if answer is not None:
                self.assertEqual(answer.json["data"]["id"], again.json["data"]["id"])
                break
        self.assertGreater(at, 3)

    def test_a_server_that_is_killed_anywhere_in_a_job_is_followed_by_another(self):
        """K2 to K17: from its start over the claim and every stage to the job's last row."""
        with Replay(World(13)) as replay:
            universe = pathlib.Path(scratch_folder("universe"))
            (universe / "coin.csv").write_text(UNIVERSE)
            settings = {"source_base": f"*={replay.address}", "universe_dir": universe, "job_lease_ms": 800 * SLOW}
            before = self.state_type(scratch_folder("var"))
            done = run("ingest", "coin", "--from", "2024-11-28", "--to", "2024-12-03", **settings, **before.settings)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.admin = bearer(make_key("admin", **before.settings))
            with Server(**before.settings, **settings, job_slots=0) as server:
                self.path = self.assert_accepted(server.post("/v1/admin/jobs", COIN, **self.admin))
            after, count = before.copy(), pathlib.Path(scratch_folder("die")) / "count"
            server = started(Server(**after.settings, **settings), DIE_COUNT=count)
            self.assertTrue(self.runs_until_done(server), server.stderr[-4000:])
            server.stop()
            expected = self.tables(after)
            n_calls = int(count.read_text())
            for at in die_at.points(self.id(), n_calls, self.n_points):
                with self.subTest(call=at):
                    state = before.copy()
                    # Answers to those who wait are calls, too: what is long behind the job may not be reached.
                    self.assertTrue(self.runs_until_killed(Server(**state.settings, **settings), at) or at > n_calls // 2)
                    with Server(**state.settings, **settings) as server:
                        server.wait_until(lambda s=server: self.state_of(s) in ("succeeded", "failed"), "another server ends the job", timeout=120)
                        self.assertEqual(self.state_of(server), "succeeded", server.get(f"{self.path}/log", **self.admin).text)
                        self.assertEqual(len(self.jobs(server, self.admin)), 1)
                    self.assertEqual(self.tables(state), expected)

    def assert_accepted(self, answer):
        self.assertEqual(answer.status, 202, answer)
        return answer.header("Location")

    def state_of(self, server):
        return server.get(self.path, **self.admin).json["data"]["state"]

    def runs_until_killed(self, server, at):
        """Whether it was killed; it may have ended its job before."""
        is_done = started(server, DIE_AT=at) is not None and self.runs_until_done(server)
        server.kill()
        return not is_done

    def runs_until_done(self, server):
        """Whether the job has succeeded; False when the server is dead. Seldom asked: answers are calls, too."""
        while server.process.poll() is None:
            time.sleep(0.3)
            with contextlib.suppress(*LOST):
                if self.state_of(server) == "succeeded":
                    return True
        return False

    @staticmethod
    def tables(state):
        return {table: state.rows(database, table) for database, names in TABLES.items() for table in names}

    def test_a_scheduler_that_is_killed_anywhere_makes_its_slot_once(self):
        """K18, K19: the slot was due while no server ran."""
        wait_for_a_day()
        backend = self.due()
        count = pathlib.Path(scratch_folder("die")) / "count"
        server = started(backend.server(job_slots=0), DIE_COUNT=count)
        server.wait_until(lambda: self.jobs(server, self.admin), "the job of the slot", timeout=60)
        server.stop()
        for at in die_at.points(self.id(), int(count.read_text()), self.n_points):
            with self.subTest(call=at):
                backend = self.due()
                server = backend.server(job_slots=0)
                if started(server, DIE_AT=at) is not None:
                    with contextlib.suppress(*LOST):
                        while server.process.poll() is None and not self.jobs(server, self.admin):
                            pass
                    server.kill()
                with backend.server(job_slots=0) as other:
                    other.wait_until(lambda s=other: self.jobs(s, self.admin), "the job of the slot", timeout=60)
                    self.assertEqual(len(self.jobs(other, self.admin)), 1)

    def due(self):
        """A database with a schedule whose slot of this midnight nobody has seen to."""
        backend = self.backend_type(with_sample=False)
        self.admin = bearer(make_key("admin", **backend.settings))
        with backend.server(job_slots=0) as server:
            answer = server.data.request("PUT", "/v1/admin/schedules/daily", b'{"dataset": "coin", "cron": "0 0 * * *", "from_days": 3, "to_days": 1}',
                                         headers={"Content-Type": "application/json", "Authorization": self.admin["authorization"]})
            self.assertIn(answer.status, (200, 201), answer)
        backend.sql("UPDATE job_schedule SET slot_ms = slot_ms - 86400000")
        return backend


@unittest.skipIf(IS_SANITIZED, "a sanitizer wants to be loaded first")
class OnSqlite(Kills, unittest.TestCase):
    backend_type, state_type, n_points = Sqlite, SqliteState, 8


@unittest.skipIf(IS_SANITIZED, "a sanitizer wants to be loaded first")
class OnPostgresql(Kills, unittest.TestCase):
    backend_type, state_type, n_points = Postgresql, PostgresqlState, 4


if __name__ == "__main__":
    unittest.main()
