"""Ingestion by jobs of the server, against a server that stands for the providers: stages, log, tries, takeover, metrics."""

import os
import pathlib
import signal
import threading
import time
import unittest

from replay import Replay, World
from support import postgres
from support.backend import Postgresql, Sqlite
from support.keys import bearer, make_key
from support.problems import Assertions
from support.server import SLOW, Server, scratch_folder

COIN = {"dataset": "coin", "from": "2024-12-01", "to": "2024-12-10"}
UNIVERSE = "symbol,name,currency,binance\nBTCUSDT,Bitcoin,USD,BTCUSDT\nETHUSDT,Ether,USD,ETHUSDT\nXMRUSDT,Monero,USD,XMRUSDT\n"
ENDED = ("succeeded", "failed", "cancelled")


class IngestJobTests(Assertions):
    """Mixed into unittest.TestCase beside one of the two databases. The warehouse is a file of its own in each test."""

    backend_type = None

    def setUp(self):
        self.replay = Replay(World(7)).__enter__()
        self.addCleanup(self.replay.__exit__)
        self.backend = self.backend_type()
        self.admin = bearer(make_key("read,backtest,admin", **self.backend.settings))
        universe = pathlib.Path(scratch_folder("universe"))
        (universe / "coin.csv").write_text(UNIVERSE)
        self.settings = {"source_base": f"*={self.replay.address}", "universe_dir": universe, "source_contact": "ops@example.org",
                         "job_lease_ms": 1000 * SLOW, **{f"{name}_key": key for name, key in self.replay.world.keys.items() if name != "krx_web"}}

    def server(self, **settings):
        return self.backend.server(**self.settings, **settings)

    def start_job(self, server, body):
        answer = server.post("/v1/admin/jobs", body, **self.admin)
        self.assertEqual(answer.status, 202, answer)
        return answer.header("Location")

    def job(self, server, path):
        return self.assert_ok(server.get(path, **self.admin)).json["data"]

    def ended(self, server, path, timeout=60):
        server.wait_until(lambda: self.job(server, path)["state"] in ENDED, f"{path} ends", timeout=timeout)
        return self.job(server, path)

    def served(self, server, uid):
        """The prices of the window, once the server has taken up the generation."""
        address = f"/v1/instruments/{uid}/prices?from={COIN['from']}&to={COIN['to']}&limit=20"
        server.wait_until(lambda: server.get(address).status == 200, f"{uid} is served")
        return self.assert_ok(server.get(address)).json["data"]

    def test_stages_run_in_order_and_each_tells_what_it_did(self):
        with self.server() as server:
            path = self.start_job(server, COIN)
            job = self.ended(server, path)
            log = server.get(f"{path}/log", **self.admin).text
            self.assertEqual(job["state"], "succeeded", log)
            self.assertEqual([(one["stage"], one["state"], one["attempts"]) for one in job["stages"]],
                             [(name, "succeeded", 1) for name in ("bronze", "silver", "gold", "publish")])
            bronze, silver = job["stages"][0]["report"], job["stages"][1]["report"]
            self.assertEqual((bronze["provider"], bronze["rows_out"], bronze["rejected"]), ("binance", 30, 0))
            self.assertEqual(silver["rows_in"], 30)
            self.assertGreaterEqual(silver["rows_copied"], 30)
            self.assertEqual((bronze["s3_puts"], bronze["rows_copied"]), (0, 0))
            self.assertEqual(job["progress"]["done"], 4)
            self.assertIn("bronze: done", log)
            served = self.served(server, "coin:BTCUSDT")
            world = self.replay.world
            self.assertEqual([row["date"] for row in served], [f"2024-12-{day:02}" for day in range(1, 11)])
            for row in served:
                self.assertAlmostEqual(float(row["close"]), world.bar("BTCUSDT", __import__("datetime").date.fromisoformat(row["date"]))["close"], 3)
            metrics = server.ops.get("/metrics").text
            self.assertIn('cmmc_ingest_rows_total{dataset="coin",stage="bronze",outcome="out"} 30', metrics)
            self.assertIn('cmmc_ingest_requests_total{dataset="coin",provider="binance"}', metrics)
            self.assertIn(f'cmmc_ingest_rows_copied_total{{dataset="coin",stage="silver"}} {silver["rows_copied"]}', metrics)
            self.assertIn('cmmc_ingest_s3_requests_total{dataset="coin",stage="bronze",class="put"} 0', metrics)

    def test_a_mart_is_overdue_until_its_job_has_published(self):
        with self.server() as server:
            headers = {"Authorization": self.admin["authorization"], "Content-Type": "application/json"}
            made = server.data.request("PUT", "/v1/admin/schedules/coin-yearly", b'{"dataset": "coin", "cron": "30 5 1 1 *"}', headers=headers)
            at = made.json["data"]["next_slot_at"]
            self.backend.sql("UPDATE mart_generation SET next_due_at = '2020-01-01T05:30:00Z' WHERE mart = 'mart_price_daily'")
            self.assertEqual(self.ended(server, self.start_job(server, {**COIN, "stages": ["bronze", "silver", "gold"]}))["state"], "succeeded")
            query = "SELECT count(*) FROM mart_generation WHERE mart = 'mart_price_daily' AND next_due_at ="
            self.assertEqual(self.backend.count(f"{query} '2020-01-01T05:30:00Z'"), 1)
            self.assertEqual(self.ended(server, self.start_job(server, {**COIN, "stages": ["publish"]}))["state"], "succeeded")
            self.assertEqual(self.backend.count(f"{query} '{at}'"), 1)

    def test_what_passes_is_tried_again_behind_the_stages_that_are_done(self):
        self.replay.fault("ETHUSDT", "status", times=0, status=503)
        with self.server(ingest_run_s=6) as server:
            path = self.start_job(server, COIN)
            server.wait_until(lambda: self.job(server, path)["tries"] >= 1, "a try has failed", timeout=60)
            waiting = self.job(server, path)
            self.assertIn(waiting["state"], ("queued", "running"))
            self.replay.reset()
            job = self.ended(server, path, timeout=120)
            self.assertEqual(job["state"], "succeeded", job)
            self.assertGreaterEqual(job["stages"][0]["attempts"], 2)

    def test_a_server_that_dies_within_a_stage_loses_nothing(self):
        self.replay.fault("ETHUSDT", "slow", times=1)
        first = self.server().start()
        self.addCleanup(first.kill)
        path = self.start_job(first, COIN)
        first.wait_until(lambda: any("ETHUSDT" in one["path"] for one in self.replay.seen), "the slow answer is asked for")
        with self.server() as other:
            first.kill()
            self.replay.released.set()
            job = self.ended(other, path, timeout=120)
            self.assertEqual(job["state"], "succeeded", job)
            self.assertEqual(job["stages"][0]["attempts"], 2)
            self.assertEqual(len(self.served(other, "coin:ETHUSDT")), 10)

    def test_a_cancelled_job_ends_within_its_stage(self):
        self.replay.fault("BTCUSDT", "slow", times=0)
        with self.server() as server:
            path = self.start_job(server, COIN)
            server.wait_until(lambda: self.replay.seen, "something is asked for")
            self.assertEqual(server.post(f"{path}/cancel", None, **self.admin).status, 202)
            self.assertEqual(self.ended(server, path)["state"], "cancelled")

    def test_a_source_that_refuses_is_told_and_not_asked_again(self):
        self.replay.fault("/", "status", times=0, status=451, body="not from here")
        with self.server() as server:
            path = self.start_job(server, {**COIN, "stages": ["bronze"]})
            job = self.ended(server, path)
            self.assertEqual(job["state"], "failed", job)
            self.assertEqual(job["problem"]["type"], "/docs/problems/source-refused")
            self.assertEqual(job["stages"][0]["state"], "failed")


class OnSqlite(IngestJobTests, unittest.TestCase):
    backend_type = Sqlite


class OnPostgresql(IngestJobTests, unittest.TestCase):
    backend_type = Postgresql

    def test_a_server_that_sleeps_through_its_lease_changes_nothing(self):
        """Stopped while a source is slow to answer, and woken when another has done the job: its late rows and words are nobody's."""
        shared = {"warehouse_url": postgres.empty_database(), "lake": scratch_folder("lake"), "job_slots": 1}
        self.replay.fault("ETHUSDT", "slow", times=1)
        first = self.server(**shared).start()
        self.addCleanup(first.kill)
        path = self.start_job(first, COIN)
        first.wait_until(lambda: any("ETHUSDT" in one["path"] for one in self.replay.seen), "the slow answer is asked for")
        os.kill(first.process.pid, signal.SIGSTOP)
        self.replay.released.set()
        with Server(database_url=self.backend.settings["database_url"], **self.settings, **shared) as other:  # of another machine
            job = self.ended(other, path, timeout=120)
            self.assertEqual((job["state"], job["attempt"]), ("succeeded", 2), job)
        os.kill(first.process.pid, signal.SIGCONT)
        # It has one slot: when it has done something else, it has let go of the job.
        again = self.ended(first, self.start_job(first, {**COIN, "from": "2024-12-05"}), timeout=120)
        self.assertEqual(again["state"], "succeeded", again)
        self.assertEqual(self.job(first, path), job)
        self.assertEqual(len(self.served(first, "coin:ETHUSDT")), 10)


if __name__ == "__main__":
    unittest.main()
