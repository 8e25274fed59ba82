"""Finished backtests are stored behind their answers: what waits is served, kept within bounds, and not lost at a shutdown."""

import concurrent.futures
import os
import pathlib
import sqlite3
import subprocess
import threading
import unittest

from support import postgres
from support.backend import Postgresql, Sqlite
from support.problems import Assertions
from support.server import Server, load, scratch_folder
from test_replica import pg_sh

SMALL = {"assets": [{"uid": "stock:US.AAPL", "weight": 0.6}, {"uid": "stock:US.JPM", "weight": 0.4}],
         "start": "2015-01-02", "end": "2016-12-30", "monkeys": {"count": 0}}


def asking(capital):
    return {**SMALL, "capital": capital}


def metric(server, sample):
    lines = [line for line in server.ops.get("/metrics").text.splitlines() if line.startswith(sample + " ")]
    return float(lines[0].split()[-1]) if lines else 0.0


class SqliteLock:
    """Nobody else writes while this is entered; everybody reads."""

    def __init__(self, backend):
        self.connection = sqlite3.connect(pathlib.Path(backend.settings["var_dir"]) / "cmmc.db", isolation_level=None,
                                          check_same_thread=False)

    def __enter__(self):
        self.connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_):
        self.connection.execute("ROLLBACK")
        self.connection.close()

    def end_waiting_sessions(self):
        """Who waited in a killed process is gone with it."""


class PostgresqlLock:
    """Nobody writes backtests while this is entered; everybody reads."""

    def __init__(self, backend):
        self.url = backend.settings["database_url"]
        self.psql = subprocess.Popen([postgres._psql(), "-X", "-q", "-A", "-t", self.url],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        self.psql.stdin.write("BEGIN; LOCK TABLE backtest_result IN SHARE MODE; SELECT 'locked';\n")
        self.psql.stdin.flush()
        assert self.psql.stdout.readline().strip() == "locked"

    def __exit__(self, *_):
        self.psql.communicate("ROLLBACK;\n", timeout=30)

    def end_waiting_sessions(self):
        """A session that waits for the lock does not see that its client was killed: it would still commit its row."""
        postgres.sql(self.url, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                               "WHERE datname = current_database() AND wait_event_type = 'Lock'")


class Waiting(unittest.TestCase, Assertions):
    backend_type = Sqlite
    lock_type = SqliteLock

    def setUp(self):
        self.backend = self.backend_type()

    def serve(self, **settings):
        server = self.backend.server(**settings).start()
        self.addCleanup(server.kill)
        return server

    def n_stored(self):
        if self.backend_type is Postgresql:
            return int(postgres.sql(self.backend.settings["database_url"], "SELECT COUNT(*) FROM backtest_result"))
        with sqlite3.connect(pathlib.Path(self.backend.settings["var_dir"]) / "cmmc.db", timeout=30) as connection:
            return connection.execute("SELECT COUNT(*) FROM backtest_result").fetchone()[0]

    def test_what_waits_is_served_from_memory_and_stored_afterwards(self):
        server = self.serve()
        before = self.n_stored()
        with self.lock_type(self.backend):
            first = server.post("/v1/backtests", asking(1000))
            self.assertEqual(first.status, 201, first)
            location = first.header("Location")
            again = server.post("/v1/backtests", asking(1000))
            self.assertEqual((again.status, again.body), (200, first.body))
            self.assertEqual(self.assert_ok(server.get(location)).body, first.body)
            rows = self.assert_ok(server.get(location + "/equity")).json["data"]
            self.assertEqual([row["equity"] for row in rows], first.json["data"]["equity"]["equity"])
            cut = self.assert_ok(server.get(location + "?select=metrics")).json["data"]
            self.assertEqual(cut["metrics"], first.json["data"]["metrics"])
            self.assertEqual(self.n_stored(), before)
            self.assertEqual(metric(server, "cmmc_backtests_pending"), 1)
            server.wait_until(lambda: 0 < metric(server, "cmmc_backtests_pending_bytes") < len(first.body) / 2, "compressed")
            again = server.post("/v1/backtests", asking(1000))
            self.assertEqual((again.status, again.body), (200, first.body))
            self.assertEqual(self.assert_ok(server.get(location)).body, first.body)
            self.assertEqual(self.n_stored(), before)
        server.wait_until(lambda: metric(server, "cmmc_backtests_pending") == 0, "all stored")
        self.assertEqual(self.n_stored(), before + 1)
        self.assertEqual(metric(server, 'cmmc_backtest_stores_total{outcome="behind"}'), 1)
        with self.backend.server() as other:
            self.assertEqual(self.assert_ok(other.get(location)).body, first.body)
        self.assertEqual(self.assert_ok(server.get(location)).body, first.body)

    def test_what_was_answered_in_parts_is_found_whole(self):
        server = self.serve()
        before = self.n_stored()
        with self.lock_type(self.backend):
            parts = server.post("/v1/backtests?select=metrics.cagr,costs", asking(1500))
            self.assertEqual(parts.status, 201, parts)
            self.assertEqual(list(parts.json["data"]), ["id", "metrics", "costs"])
            location = parts.header("Location")
            whole = self.assert_ok(server.get(location))
            again = server.post("/v1/backtests", asking(1500))
            self.assertEqual((again.status, again.body), (200, whole.body))
            cut = server.post("/v1/backtests?select=metrics.cagr,costs", asking(1500))
            self.assertEqual((cut.status, cut.body), (200, parts.body))
            self.assertEqual(self.n_stored(), before)
        server.wait_until(lambda: metric(server, "cmmc_backtests_pending") == 0, "all stored")
        self.assertEqual(self.n_stored(), before + 1)
        self.assertEqual(self.assert_ok(server.get(location)).body, whole.body)
        self.assertEqual(self.assert_ok(server.get(location + "?select=metrics.cagr,costs")).body, parts.body)
        with self.backend.server(backtest_pending_bytes=0) as direct:
            asked = direct.post("/v1/backtests?select=metrics.cagr,costs", {**asking(1500), "capital": 1501})
            self.assertEqual(asked.status, 201, asked)
            self.assertEqual(self.n_stored(), before + 2)

    def test_parts_of_many_at_once_are_found_whole_right_after_their_answers(self):
        server = self.serve()
        before = self.n_stored()

        def ask(capital):
            made = server.post("/v1/backtests?select=metrics", asking(capital))
            read = server.get(made.header("Location"))
            again = server.post("/v1/backtests", asking(capital))
            return made.status, read.status, again.status, read.body == again.body, read.json["data"]["metrics"] == made.json["data"]["metrics"]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(ask, range(2500, 2530))), {(201, 200, 200, True, True)})
        server.stop()
        self.assertEqual(self.n_stored(), before + 30)

    def test_a_part_that_no_answer_has_is_refused_before_the_run(self):
        server = self.serve()
        before = self.n_stored()
        self.assert_problem(server.post("/v1/backtests?select=id,metrisc", asking(1600)), "unknown-column", about="select", suggestion="metrics")
        self.assertEqual(metric(server, "cmmc_backtests_pending"), 0)
        self.assertEqual(self.n_stored(), before)

    def test_many_at_once_are_found_right_after_their_answers_and_all_stored_at_the_end(self):
        server = self.serve()
        before = self.n_stored()

        def ask(capital):
            made = server.post("/v1/backtests", asking(capital))
            read = server.get(made.header("Location"))
            again = server.post("/v1/backtests", asking(capital))
            return made.status, read.status, again.status, made.body == read.body == again.body

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(ask, range(2000, 2040))), {(201, 200, 200, True)})
        listed = self.assert_ok(server.get("/v1/backtests?select=id&limit=100")).json["data"]
        self.assertEqual(len(listed), before + 40)
        server.stop()
        self.assertEqual(self.n_stored(), before + 40)

    def test_a_shutdown_stores_what_waits(self):
        server = self.serve()
        before = self.n_stored()
        with self.lock_type(self.backend):
            for capital in range(3000, 3010):
                self.assertEqual(server.post("/v1/backtests", asking(capital)).status, 201)
            ending = threading.Thread(target=server.stop)
            ending.start()
            ending.join(0.3)
        ending.join()
        self.assertEqual(self.n_stored(), before + 10)

    def test_a_full_list_stores_before_it_answers(self):
        server = self.serve(backtest_pending_bytes=1000)
        before = self.n_stored()
        for capital in range(4000, 4003):
            made = server.post("/v1/backtests", asking(capital))
            self.assertEqual(made.status, 201)
            before += 1
            self.assertEqual(self.n_stored(), before)
        self.assertEqual(metric(server, 'cmmc_backtest_stores_total{outcome="direct"}'), 3)

    def test_a_server_that_is_killed_loses_copies_and_no_answer(self):
        server = self.serve()
        lock = self.lock_type(self.backend)
        with lock:
            first = server.post("/v1/backtests", asking(5000))
            server.kill()
            lock.end_waiting_sessions()
        with self.backend.server() as other:
            self.assert_problem(other.get(first.header("Location")), "unknown-backtest")
            again = other.post("/v1/backtests", asking(5000))
            self.assertEqual((again.status, again.body), (201, first.body))

    def test_what_is_deleted_right_after_its_answer_is_gone(self):
        server = self.serve()
        before = self.n_stored()
        for capital in range(6000, 6010):
            location = server.post("/v1/backtests", asking(capital)).header("Location")
            self.assertEqual(server.data.request("DELETE", location).status, 204)
            self.assert_problem(server.get(location), "unknown-backtest")
            self.assertEqual(server.data.request("DELETE", location).status, 404)
        server.stop()
        self.assertEqual(self.n_stored(), before)


class WaitingOnPostgresql(Waiting):
    backend_type = Postgresql
    lock_type = PostgresqlLock


class Outage(unittest.TestCase, Assertions):
    """A PostgreSQL of its own that is killed under the server."""

    def test_backtests_on_prices_in_memory_are_answered_and_stored_when_the_database_is_back(self):
        folder = scratch_folder("pg")
        os.chmod(os.path.dirname(folder), 0o711)
        url = pg_sh("start", folder)
        self.addCleanup(pg_sh, "stop", folder)
        load(database_url=url)
        with Server(database_url=url, refresh_ms=100) as server:
            self.assertEqual(server.post("/v1/backtests", asking(1000)).status, 201)
            server.wait_until(lambda: metric(server, "cmmc_backtests_pending") == 0, "the first one stored")
            postgres.sql(url, "CHECKPOINT")  # the test's server commits without waiting for the disk
            pg_sh("kill", folder)
            server.wait_until(lambda: server.ops.get("/readyz").status == 503, "readiness to go")
            made = server.post("/v1/backtests", asking(1001))
            self.assertEqual(made.status, 201, made)
            again = server.post("/v1/backtests", asking(1001))
            self.assertEqual((again.status, again.body), (200, made.body))
            self.assertEqual(self.assert_ok(server.get(made.header("Location"))).body, made.body)
            unread = server.post("/v1/backtests", {**SMALL, "assets": [{"uid": "stock:US.KO", "weight": 1}]})
            self.assertEqual(unread.status, 503)
            self.assert_says_nothing_private(unread)
            self.assertEqual(metric(server, "cmmc_backtests_pending"), 1)
            pg_sh("restart", folder)
            server.wait_until(lambda: metric(server, "cmmc_backtests_pending") == 0, "all stored", timeout=20)
            self.assertEqual(metric(server, 'cmmc_backtest_stores_total{outcome="failed"}'), 0)
            with Server(database_url=url) as other:
                self.assertEqual(self.assert_ok(other.get(made.header("Location"))).body, made.body)


if __name__ == "__main__":
    unittest.main()
