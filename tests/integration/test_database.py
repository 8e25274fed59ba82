"""What clients see of PostgreSQL's troubles, and what PostgreSQL sees of theirs."""

import os
import socket
import threading
import time
import unittest

from support import backend, postgres
from support.problems import Assertions
from support.server import Server, scratch_folder
from test_replica import DATES, pg_sh, publish

SLOW_VIEW = "CREATE VIEW mart_slow AS SELECT 1 AS id FROM (SELECT pg_sleep(20)) s; CREATE VIEW mart_quick AS SELECT 1 AS id"
SLOW = "/v1/marts/mart_slow/rows"
ACTIVE = ("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cmmc' "
          "AND state = 'active' AND query LIKE '%mart_slow%'")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Queries(unittest.TestCase, Assertions):
    def setUp(self):
        self.backend = backend.Postgresql(with_sample=False)
        self.url = self.backend.settings["database_url"]

    def serve(self, **settings):
        server = self.backend.server(**settings)
        server.start()
        self.addCleanup(server.stop)
        postgres.sql(self.url, SLOW_VIEW + "; NOTIFY cmmc_reload")
        server.wait_until(lambda: server.data.get("/v1/marts/mart_slow").status == 200, "the slow mart", timeout=5)
        return server

    def active(self):
        return int(postgres.sql(self.url, ACTIVE))

    def ask(self, server, target=SLOW, **headers):
        """Asks on a thread; gives the list that its answer will be put in, and the thread."""
        answers = []
        thread = threading.Thread(target=lambda: answers.append(server.data.get(target, **headers)))
        thread.start()
        self.addCleanup(thread.join)
        server.wait_until(lambda: self.active() > 0, "the query on the server")
        return answers, thread

    def metric(self, server, sample):
        lines = [line for line in server.ops.get("/metrics").text.splitlines() if line.startswith(sample + " ")]
        return float(lines[0].split()[-1]) if lines else 0.0

    def test_a_client_that_leaves_frees_its_session_within_a_second(self):
        server = self.serve()
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(f"GET {SLOW} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            server.wait_until(lambda: self.active() == 1, "the query on the server")
        server.wait_until(lambda: self.active() == 0, "the session to be free", timeout=1)
        server.wait_until(lambda: self.metric(server, 'cmmc_pg_cancelled_total{reason="client_gone"}') == 1, "the count")
        self.assertEqual(server.data.get("/v1/marts/mart_quick/rows").status, 200)

    def test_a_query_over_its_time_is_cancelled_and_said_so(self):
        server = self.serve(db_statement_ms=300)
        answer = server.data.get(SLOW)
        self.assertIn(answer.status, (503, 504))
        self.assertIn("300 ms", answer.json["detail"])
        server.wait_until(lambda: self.active() == 0, "the session to be free", timeout=1)

    def test_a_session_killed_in_mid_query_is_a_retryable_503(self):
        server = self.serve()
        answers, thread = self.ask(server)
        postgres.sql(self.url, ACTIVE.replace("count(*)", "pg_terminate_backend(pid)"))
        thread.join(10)
        self.assertEqual(answers[0].status, 503)
        self.assertGreaterEqual(int(answers[0].header("Retry-After")), 1)
        self.assert_says_nothing_private(answers[0])
        self.assertEqual(server.data.get("/v1/marts/mart_quick/rows").status, 200)

    def test_a_full_pool_is_a_quick_503_and_no_loss_of_readiness(self):
        server = self.serve(db_pool=2, io_workers=4, db_acquire_ms=200, refresh_ms=100, db_statement_ms=3000)
        self.ask(server, SLOW)
        answers, thread = self.ask(server, SLOW + "?limit=2")
        server.wait_until(lambda: self.active() == 2, "both places taken")
        answer = server.data.get("/v1/marts/mart_quick/rows")
        self.assertEqual(answer.status, 503)
        self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
        time.sleep(0.5)  # some rounds of looking at the database find no connection, either
        self.assertEqual(server.ops.get("/readyz").status, 200)
        self.assertEqual(self.metric(server, 'cmmc_db_pool{state="in_use"}'), 2)
        thread.join(10)
        self.assertIn(answers[0].status, (503, 504))
        server.wait_until(lambda: server.data.get("/v1/marts/mart_quick/rows").status == 200, "a free place")

    def test_a_sampled_trace_is_in_the_statement(self):
        server = self.serve(db_statement_ms=2000)
        self.ask(server, SLOW, traceparent=TRACE)
        query = postgres.sql(self.url, ACTIVE.replace("count(*)", "query"))
        self.assertRegex(query, r"^/\*traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01'\*/ SELECT")

    def test_the_wait_for_a_connection_is_measured(self):
        server = self.serve()
        self.assertEqual(server.data.get("/v1/marts/mart_quick/rows").status, 200)
        self.assertGreaterEqual(self.metric(server, "cmmc_pg_wait_seconds_count"), 1)

    def test_a_lost_listener_comes_back_and_what_was_missed_is_looked_up(self):
        server = self.serve(refresh_ms=60000)  # by itself it would look after a minute
        listeners = "SELECT {} FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        server.wait_until(lambda: int(postgres.sql(self.url, listeners.format("count(*)"))) == 1, "the listener")
        postgres.sql(self.url, listeners.format("pg_terminate_backend(pid)") + "; CREATE VIEW mart_missed AS SELECT 1 AS id")
        server.wait_until(lambda: server.data.get("/v1/marts/mart_missed").status == 200, "the missed mart", timeout=20)
        publish(self.url, 1)
        server.wait_until(lambda: len(server.data.get("/v1/marts/mart_price_daily/rows").json.get("data", [])) == len(DATES),
                          "the publish", timeout=20)


class Outage(unittest.TestCase, Assertions):
    """A PostgreSQL of its own that is stopped and started again under the server."""

    def test_cached_answers_continue_misses_are_503_and_it_recovers_by_itself(self):
        folder = scratch_folder("pg")
        os.chmod(os.path.dirname(folder), 0o711)
        url = pg_sh("start", folder)
        self.addCleanup(pg_sh, "stop", folder)
        publish(url, 1)
        with Server(database_url=url, database_read_url=url, refresh_ms=100) as server:
            first = server.data.get("/v1/marts/mart_price_daily/rows")
            self.assertEqual(len(first.json["data"]), len(DATES))
            postgres.sql(url, "CHECKPOINT")  # the test's server commits without waiting for the disk
            pg_sh("kill", folder)
            server.wait_until(lambda: server.ops.get("/readyz").status == 503, "readiness to go")
            self.assertEqual(server.ops.get("/readyz?exclude=database").status, 200)
            with self.subTest("what is cached is served, and a validator needs nothing"):
                again = server.data.get("/v1/marts/mart_price_daily/rows")
                self.assertEqual((again.status, again.body), (200, first.body))
                tag = first.header("ETag")
                self.assertEqual(server.data.get("/v1/marts/mart_price_daily/rows", **{"If-None-Match": tag}).status, 304)
            with self.subTest("a miss is 503 with a time to come back"):
                for limit in range(1, 6):
                    answer = server.data.get(f"/v1/marts/mart_price_daily/rows?limit={limit}")
                    self.assertEqual(answer.status, 503)
                    self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
                    self.assert_says_nothing_private(answer)
                self.assertEqual(server.ops.get("/livez").status, 200)
            pg_sh("restart", folder)
            server.wait_until(lambda: server.ops.get("/readyz").status == 200, "readiness to come back", timeout=20)
            server.wait_until(lambda: server.data.get("/v1/marts/mart_price_daily/rows?limit=7").status == 200, "recovery")
            publish(url, 5)
            server.wait_until(lambda: server.data.get("/v1/marts/mart_price_daily/rows?limit=1").json["data"][0]["close"] == 5,
                              "a publish after the recovery")


if __name__ == "__main__":
    unittest.main()
