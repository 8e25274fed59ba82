"""Jobs of ingestion and their schedules as administrators see them: made, refused, linked, tried again, paused."""

import datetime
import json
import threading
import time
import unittest

from support.backend import Postgresql, Sqlite
from support.keys import bearer, make_key
from support.problems import Assertions

MS_PER_DAY = 86400000
COIN = {"dataset": "coin", "from": "2026-01-05", "to": "2026-01-06"}


class AdminJobTests(Assertions):
    """Mixed into unittest.TestCase beside one of the two databases. No job runs here: they wait."""

    backend_type = None

    @classmethod
    def setUpClass(cls):
        cls.backend = cls.backend_type()
        cls.admin = bearer(make_key("read,backtest,admin", **cls.backend.settings))
        cls.reader = bearer(make_key("read,backtest", **cls.backend.settings))
        cls.server = cls.backend.server(job_slots=0).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def post(self, path, body=None, headers=None, **named):
        return self.server.post(path, body, **(headers or self.admin), **named)

    def ask(self, method, path, body=None):
        headers = {"Authorization": self.admin["authorization"]} if "authorization" in self.admin else {
            name.replace("_", "-"): value for name, value in self.admin.items()}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self.server.data.request(method, path, None if body is None else json.dumps(body).encode(), headers=headers)

    def assert_field(self, body, slug, pointer, path="/v1/admin/jobs"):
        problem = self.assert_problem(self.post(path, body), slug)
        self.assertEqual(problem["errors"][0]["pointer"], pointer)
        self.assertTrue(problem["errors"][0]["allowed"])

    # -- jobs -----------------------------------------------------------------------------------------------------------

    def test_a_job_waits_with_its_request_made_whole(self):
        answer = self.post("/v1/admin/jobs", COIN)
        self.assertEqual(answer.status, 202, answer)
        job = answer.json["data"]
        self.assertEqual(answer.header("Location"), f"/v1/jobs/{job['id']}")
        self.assertEqual(job["request"], {"type": "ingest", **COIN, "stages": ["bronze", "silver", "gold", "publish"], "force": False})
        self.assertEqual((job["type"], job["state"], job["stages"], job["progress"]["items"]), ("ingest", "queued", [], 4))
        self.assertEqual(answer.json["links"]["rows"], None)
        self.assert_problem(self.server.get(f"{answer.header('Location')}/rows", **self.admin), "not-found")
        listed = self.assert_ok(self.server.get("/v1/jobs?type=eq.ingest", **self.admin)).json["data"]
        self.assertIn(job["id"], [one["id"] for one in listed])

    def test_the_same_data_set_and_window_is_one_job_at_a_time(self):
        body = {**COIN, "from": "2026-01-02"}
        first = self.post("/v1/admin/jobs", body)
        self.assertEqual(first.status, 202, first)
        refused = self.post("/v1/admin/jobs", {**body, "stages": ["bronze"]})
        problem = self.assert_problem(refused, "job-exists")
        self.assertIn(first.json["data"]["id"], problem["detail"])
        self.assertIn(first.header("Location"), problem["errors"][0]["allowed"])
        self.assert_problem(self.post(f"{first.header('Location')}/retry"), "job-exists")
        self.assertEqual(self.post(f"{first.header('Location')}/cancel").status, 202)
        again = self.post(f"{first.header('Location')}/retry")
        self.assertEqual(again.status, 202, again)
        self.assertNotEqual(again.json["data"]["id"], first.json["data"]["id"])
        self.assertEqual(again.json["data"]["request"], first.json["data"]["request"])

    def test_posts_that_race_make_one_job(self):
        body, answers = {**COIN, "from": "2025-12-01"}, []
        threads = [threading.Thread(target=lambda: answers.append(self.post("/v1/admin/jobs", body))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answer.status for answer in answers), [202] + [409] * 7)

    def test_an_idempotency_key_makes_a_retry_the_same_job(self):
        body = {**COIN, "from": "2026-01-01"}
        one, two = (self.post("/v1/admin/jobs", body, idempotency_key='"again"') for _ in range(2))
        self.assertEqual((one.status, two.status), (202, 202))
        self.assertEqual(one.json["data"]["id"], two.json["data"]["id"])
        self.assert_problem(self.post("/v1/admin/jobs", {**body, "force": True}, idempotency_key='"again"'), "idempotency-mismatch")

    def test_without_a_window_it_is_the_days_that_are_asked_for_again(self):
        types = self.assert_ok(self.server.get("/v1/admin/job-types", **self.admin)).json["data"]
        sets = {one["name"]: one for one in types[0]["datasets"]}
        answer = self.post("/v1/admin/jobs", {"dataset": "fx"})
        request = answer.json["data"]["request"]
        days = datetime.date.fromisoformat(request["to"]) - datetime.date.fromisoformat(request["from"])
        self.assertEqual(days.days, sets["fx"]["refetch_days"])
        self.assertGreaterEqual(len(sets["coin"]["providers"]), 1)

    def test_what_cannot_be_asked_for_is_refused_by_name(self):
        self.assert_field({"dataset": "coins"}, "out-of-range", "/dataset")
        self.assert_field({}, "wrong-type", "/dataset")
        self.assert_field({**COIN, "form": "2026-01-05"}, "unknown-field", "/form")
        self.assert_field({**COIN, "from": "2026-01-07"}, "out-of-range", "/from")
        self.assert_field({**COIN, "to": "2199-01-01"}, "out-of-range", "/to")
        self.assert_field({**COIN, "to": "yesterday"}, "out-of-range", "/to")
        self.assert_field({**COIN, "stages": ["bronz"]}, "out-of-range", "/stages/0")
        self.assert_field({**COIN, "stages": []}, "out-of-range", "/stages")
        self.assert_field({**COIN, "type": "backtest"}, "out-of-range", "/type")
        self.assert_problem(self.post("/v1/jobs/none/retry"), "unknown-job")

    def test_administrators_alone(self):
        for answer in (self.post("/v1/admin/jobs", COIN, headers=self.reader), self.server.get("/v1/admin/job-types", **self.reader),
                       self.server.get("/v1/admin/schedules", **self.reader)):
            self.assert_problem(answer, "forbidden")
        self.assert_problem(self.server.post("/v1/admin/jobs", COIN), "unauthorized")

    # -- schedules --------------------------------------------------------------------------------------------------------

    def test_a_schedule_is_made_changed_paused_and_removed(self):
        path = "/v1/admin/schedules/coin-daily"
        made = self.ask("PUT", path, {"dataset": "coin", "cron": "30 0 * * *", "from_days": 3, "to_days": 1})
        self.assertEqual(made.status, 201, made)
        schedule = made.json["data"]
        self.assertEqual((schedule["dataset"], schedule["from_days"], schedule["to_days"], schedule["catch_up"], schedule["is_paused"]),
                         ("coin", 3, 1, "latest", False))
        self.assertTrue(schedule["next_slot_at"].endswith("T00:30:00Z"), schedule)
        changed = self.ask("PUT", path, {"dataset": "coin", "cron": "@hourly", "from_days": 3, "stages": ["bronze"], "catch_up": "all"})
        self.assertEqual((changed.status, changed.json["data"]["cron"], changed.json["data"]["stages"]), (200, "@hourly", ["bronze"]))
        paused = self.post(f"{path}/pause")
        self.assertEqual((paused.json["data"]["is_paused"], paused.json["data"]["next_slot_at"]), (True, None))
        self.assertIsNotNone(self.post(f"{path}/resume").json["data"]["next_slot_at"])
        self.assertIn("coin-daily", [one["name"] for one in self.server.get("/v1/admin/schedules", **self.admin).json["data"]])
        self.assertEqual(self.ask("DELETE", path).status, 204)
        self.assert_problem(self.ask("DELETE", path), "unknown-schedule")
        self.assert_problem(self.post(f"{path}/pause"), "unknown-schedule")

    def test_a_due_schedule_makes_one_job_for_each_slot(self):
        path = "/v1/admin/schedules/fx-often"
        self.ask("PUT", path, {"dataset": "fx", "cron": "* * * * *", "from_days": 40, "to_days": 20, "catch_up": "all"})
        self.backend.sql("UPDATE job_schedule SET slot_ms = slot_ms - 60000 WHERE name = 'fx-often'")

        def made():
            rows = self.server.get("/v1/jobs?type=eq.ingest&limit=100", **self.admin).json["data"]
            return [row for row in rows if row["id"].startswith("fx-often-")]

        self.server.wait_until(made, "a job of the schedule", timeout=60)
        self.ask("DELETE", path)

    def test_data_sets_without_a_schedule_get_their_own_times_where_that_is_set(self):
        backend = self.backend_type()
        admin = bearer(make_key("admin", **backend.settings))
        now = int(time.time() * 1000)
        backend.sql(f"INSERT INTO job_slot VALUES ('gone', {now - 29 * MS_PER_DAY}, NULL), ('gone', {now - 31 * MS_PER_DAY}, NULL)")
        with backend.server(job_slots=0, schedules="default") as server:
            sets = server.get("/v1/admin/job-types", **admin).json["data"][0]["datasets"]
            expected = {one["name"]: one["cron"] for one in sets if one["cron"] is not None}
            server.wait_until(lambda: len(server.get("/v1/admin/schedules", **admin).json["data"]) == len(expected), "the schedules", timeout=60)
            found = server.get("/v1/admin/schedules", **admin).json["data"]
            self.assertEqual({one["name"]: one["cron"] for one in found}, expected)
            # Which times were seen to is kept as long as the jobs are.
            server.wait_until(lambda: backend.count("SELECT count(*) FROM job_slot WHERE schedule = 'gone'") == 1, "the old slot is forgotten", timeout=60)
            self.assertEqual(backend.count(f"SELECT count(*) FROM job_slot WHERE slot_ms < {now - 30 * MS_PER_DAY}"), 0)

    def test_schedules_tell_when_the_next_publish_of_a_mart_is_due(self):
        def due(at):
            same = "IS NULL" if at is None else f"= '{at}'"
            return self.backend.count(f"SELECT count(*) FROM mart_generation WHERE mart = 'mart_news_article' AND next_due_at {same}")

        def put(name, cron, **more):
            return self.ask("PUT", f"/v1/admin/schedules/{name}", {"dataset": "news", "cron": cron, **more}).json["data"]["next_slot_at"]

        self.assertEqual(due(None), 1)
        yearly = put("news-yearly", "30 5 1 1 *")
        self.assertEqual(due(yearly), 1)
        daily = put("news-daily", "30 5 * * *")
        self.assertEqual(due(daily), 1)
        put("news-kept", "@hourly", stages=["bronze"])  # which publishes nothing
        self.assertEqual(due(daily), 1)
        self.assertEqual(self.backend.count("SELECT count(*) FROM mart_generation WHERE mart = 'mart_economic_indicator' AND next_due_at IS NOT NULL"), 0)
        self.post("/v1/admin/schedules/news-daily/pause")
        self.assertEqual(due(yearly), 1)
        for name in ("yearly", "daily", "kept"):
            self.ask("DELETE", f"/v1/admin/schedules/news-{name}")
        self.assertEqual(due(None), 1)

    def test_what_is_no_schedule_is_refused_by_name(self):
        def refused(body, slug, pointer):
            problem = self.assert_problem(self.ask("PUT", "/v1/admin/schedules/x", body), slug)
            self.assertEqual(problem["errors"][0]["pointer"], pointer)
        good = {"dataset": "coin", "cron": "@daily"}
        refused({**good, "cron": "61 * * * *"}, "out-of-range", "/cron")
        refused({**good, "cron": "0 0 30 2 *"}, "out-of-range", "/cron")
        refused({**good, "dataset": "stone"}, "out-of-range", "/dataset")
        refused({**good, "from_days": 1, "to_days": 2}, "out-of-range", "/from_days")
        refused({**good, "catch_up": "some"}, "out-of-range", "/catch_up")
        refused({**good, "paused": True}, "unknown-field", "/paused")
        problem = self.assert_problem(self.ask("PUT", "/v1/admin/schedules/Not%20a%20name", good), "bad-value")
        self.assertEqual(problem["errors"][0]["parameter"], "name")


class OnSqlite(AdminJobTests, unittest.TestCase):
    backend_type = Sqlite


class OnPostgresql(AdminJobTests, unittest.TestCase):
    backend_type = Postgresql


if __name__ == "__main__":
    unittest.main()
