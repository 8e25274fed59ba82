"""Batches and sweeps of backtests as jobs: rows, results, events, cancels, limits, and what survives a killed server."""

import csv
import io
import json
import pathlib
import re
import socket
import time
import unittest

from support.backend import Postgresql, Sqlite
from support.dataset import Dataset
from support.keys import bearer, make_key
from support.problems import Assertions
from support.server import SLOW

BASE = {"assets": [{"uid": "stock:US.AAPL", "weight": 0.6}, {"uid": "stock:US.JPM", "weight": 0.4}],
        "start": "2012-01-03", "end": "2014-12-31", "rebalance": "monthly", "benchmark": "index:SPX", "monkeys": {"count": 5, "seed": 3}}
# One asset with a price a day: items that take about the same, long time.
LONG = {**BASE, "start": "1995-01-03", "end": "2019-12-31"}
# Every metric that a row has.
METRICS = re.findall(r"^ROW_METRIC\((\w+)\)$", (pathlib.Path(__file__).resolve().parents[2] / "store" / "backtest_row.def").read_text("utf-8"), re.M)


# So many of them that a job of them is still running when its first rows are seen.
MANY = 10000 // SLOW


def sweep(n, base=BASE, step=1):
    """n variants: the cost changes, so that every item is another backtest."""
    return {"base": base, "axes": [{"pointer": "/costs/commission_bps", "from": 0, "to": (n - 1) * step, "step": step}]}


class JobTests(Assertions):
    """Mixed into unittest.TestCase beside one of the two databases."""

    backend_type = None

    @classmethod
    def setUpClass(cls):
        cls.backend = cls.backend_type()
        cls.server = cls.backend.server(job_heartbeat_ms=100, job_lease_ms=1500, job_streams_per_key=3, jobs_per_key=0).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def make(self, kind, body, status=201, prefer="wait=30", server=None, **headers):
        answer = (server or self.server).post(f"/v1/backtests:{kind}", body, prefer=prefer, **headers)
        self.assertEqual(answer.status, status, answer)
        return answer

    def job(self, location, server=None):
        return self.assert_ok((server or self.server).get(location)).json["data"]

    def wait_for(self, location, states, server=None, timeout=60):
        deadline = time.monotonic() + timeout * SLOW
        while (job := self.job(location, server))["state"] not in states:
            self.assertLess(time.monotonic(), deadline, job)
            time.sleep(0.05)
        return job

    def rows(self, location, query="limit=all&format=ndjson", server=None):
        answer = self.assert_ok((server or self.server).get(f"{location}/rows?{query}"))
        return [json.loads(line) for line in answer.text.splitlines()]

    # -- what is computed ---------------------------------------------------------------------------------------------

    def test_rows_are_the_figures_of_single_backtests_bit_for_bit(self):
        location = self.make("sweep", {"base": BASE, "axes": [
            {"weights": {"step": 0.5}}, {"pointer": "/rebalance", "values": ["monthly", "never"]}]}).header("Location")
        rows = self.rows(location)
        self.assertEqual([(row["item"], row["assets_0_weight"], row["assets_1_weight"], row["rebalance"]) for row in rows],
                         [(0, 0, 1, "monthly"), (1, 0, 1, "never"), (2, 0.5, 0.5, "monthly"), (3, 0.5, 0.5, "never"),
                          (4, 1, 0, "monthly"), (5, 1, 0, "never")])
        for row in rows:
            request = {**BASE, "rebalance": row["rebalance"], "assets": [
                {"uid": one["uid"], "weight": row[f"assets_{i}_weight"]} for i, one in enumerate(BASE["assets"])]}
            single = self.server.post("/v1/backtests", request)
            self.assertIn(single.status, (200, 201))
            data = single.json["data"]
            self.assertEqual(row["id"], data["id"])
            self.assertEqual(row["final_equity"], data["equity"]["equity"][-1])
            for name in METRICS:
                self.assertEqual(row[name], data["metrics"][name]["value"], name)

    def test_items_of_every_kind_equal_their_single_runs(self):
        changes = [
            {"rebalance": {"every": "month", "bands": {"absolute": 0.02}, "when": "bands"}}, {"strategy": "inverse_volatility", "assets": [
                {"uid": one["uid"]} for one in BASE["assets"]]},
            {"flows": [{"amount": 100, "every": "month"}]}, {"shares": "whole", "capital": 5000}, {"currency": "KRW"}, {"fill": "same_close"},
            {"bootstrap": {"count": 20}, "verify": "prefix", "monte_carlo": {"count": 10}}, {"benchmark": None, "monkeys": {"count": 0}},
            {"assets": None, "universe": ["coin:SIMBTCUSDT", "stock:US.AAPL"], "start": "2018-01-02", "end": "2018-12-28"},
            {"costs": {"commission_bps": 10, "slippage_bps": 5}, "rebalance": "weekly"}, {"end": None, "start": None},
            {"metrics_profile": "quantstats", "risk_free_rate": 0.03}, {"metrics_profile": "empyrical"},
            {"financing": {"cash_rate": 0.03}, "on_weight_sum": "cash", "assets": [{"uid": "stock:US.AAPL", "weight": 0.5}]}]
        requests = [{**BASE, **change} for change in changes]
        rows = self.rows(self.make("batch", {"items": requests}).header("Location"))
        self.assertEqual(len(rows), len(requests))
        for request, row in zip(requests, rows):
            with self.subTest(request):
                single = self.server.post("/v1/backtests", request)
                if row["error"]:
                    self.assert_problem(single, row["error"])
                    self.assertEqual(single.json["detail"], row["detail"])
                    continue
                data = single.json["data"]
                self.assertEqual((row["id"], row["final_equity"]), (data["id"], data["equity"]["equity"][-1]))
                self.assertEqual({name: row[name] for name in METRICS}, {name: data["metrics"][name]["value"] for name in METRICS})
        self.assertLessEqual(sum(row["error"] is not None for row in rows), 1, [row["detail"] for row in rows])

    def test_items_that_share_panels_and_items_that_do_not_equal_their_single_runs(self):
        """Weights of zero, windows, currencies, fills and clocks in turns: more panels than are kept at a time, each wanted again."""
        base = {key: value for key, value in BASE.items() if key != "monkeys"}
        axes = [{"weights": {"step": 0.5}}, {"pointer": "/currency", "values": ["USD", "KRW"]},
                {"pointer": "/start", "values": ["2012-01-03", "2012-06-01"]}, {"pointer": "/fill", "values": ["next_close", "next_open"]},
                {"pointer": "/costs/commission_bps", "values": [0, 9]}]
        rows = self.rows(self.make("sweep", {"base": base, "axes": axes}).header("Location"))
        self.assertEqual(len(rows), 48)
        self.assertFalse([row["detail"] for row in rows if row["error"]])
        for row in rows:
            request = {**base, "currency": row["currency"], "start": row["start"], "fill": row["fill"],
                       "costs": {"commission_bps": row["costs_commission_bps"]},
                       "assets": [{"uid": one["uid"], "weight": row[f"assets_{i}_weight"]} for i, one in enumerate(BASE["assets"])]}
            data = self.server.post("/v1/backtests", request).json["data"]
            with self.subTest(request):
                self.assertEqual((row["id"], row["final_equity"]), (data["id"], data["equity"]["equity"][-1]))
                self.assertEqual({name: row[name] for name in METRICS}, {name: data["metrics"][name]["value"] for name in METRICS})

    def test_the_whole_answer_of_an_item_is_made_when_it_is_asked_for(self):
        request = {**BASE, "capital": 4711}
        location = self.make("batch", {"items": [request]}).header("Location")
        row = self.rows(location)[0]
        answer = self.assert_ok(self.server.get(f"/v1/backtests/{row['id']}"))
        again = self.server.post("/v1/backtests", request)
        self.assertEqual((again.status, again.body), (200, answer.body))
        other = {**BASE, "capital": 4712}
        row = self.rows(self.make("batch", {"items": [other]}).header("Location"))[0]
        equity = self.assert_ok(self.server.get(f"/v1/backtests/{row['id']}/equity?format=csv"))
        self.assertTrue(equity.text.startswith("date,equity,drawdown,benchmark\r\n2012-01-03,4712,0,4712"), equity.text[:80])

    def test_an_item_whose_data_is_replaced_is_gone(self):
        backend = self.backend_type()
        with backend.server() as server:
            answer = server.post("/v1/backtests:batch", {"items": [BASE]}, prefer="wait=30")
            row = self.rows(answer.header("Location"), server=server)[0]
            dataset = Dataset.copy_of_mart("instruments.csv")
            dataset.change("instruments.csv", lambda text: text.replace("Apple", "Apples", 1))
            backend.load(dataset.folder)
            server.wait_until(lambda: server.get("/v1/marts/mart_instrument").json["data"]["generation"] > 1, "the new generation")
            self.assert_problem(server.get(f"/v1/backtests/{row['id']}"), "generation-retired")
            self.assertEqual(self.rows(answer.header("Location"), server=server)[0]["id"], row["id"])

    def test_items_that_fail_are_rows_with_an_error(self):
        answer = self.make("batch", {"base": BASE, "items": [
            {}, {"/rebalance": "sometimes"}, {"/assets/0/uid": "stock:US.NONE"}, {"/start": "1980-01-02"}, {"/nothing/here": 1}]})
        job = answer.json["data"]
        self.assertEqual((job["state"], job["progress"]["done"], job["progress"]["failed"]), ("succeeded", 5, 4))
        self.assertEqual((job["result"]["succeeded"], job["result"]["failed"]), (1, 4))
        rows = self.rows(answer.header("Location"))
        self.assertEqual([row["error"] for row in rows], [None, "out-of-range", "unknown-asset", "outside-coverage", "unknown-field"])
        self.assertIn("stock:US.NONE", rows[2]["detail"])
        self.assertTrue(all(row["is_done"] and row["sharpe"] is None and row["id"] is None for row in rows[1:]))

    def test_a_sweep_reports_its_best_and_how_much_of_it_is_luck(self):
        answer = self.make("sweep", {"base": BASE, "metric": "cagr", "axes": [{"weights": {"step": 0.1}}]})
        rows, result = self.rows(answer.header("Location")), answer.json["data"]["result"]
        best = max(rows, key=lambda row: row["cagr"])
        self.assertEqual((result["best"]["item"], result["best"]["value"], result["best"]["id"]), (best["item"], best["cagr"], best["id"]))
        luck = result["overfitting"]
        self.assertEqual((luck["trials"], luck["columns"], luck["splits"]["n"]), (11, 11, 12870))
        self.assertEqual(luck["best_item"], max(rows, key=lambda row: row["sharpe"])["item"])
        self.assertTrue(0 < luck["expected_max_sharpe"] and 0 <= luck["splits"]["pbo"] <= 1 and 0 <= luck["deflated_sharpe"] <= 1)
        self.assertLessEqual(luck["deflated_sharpe"], luck["psr"])

    def test_a_sweep_of_all_weights_reports_the_frontier_out_of_sample_first(self):
        base = {**BASE, "bootstrap": {"count": 50}, "assets": [{**one, "weight": i} for i, one in enumerate(BASE["assets"])]}
        result = self.make("sweep", {"base": base, "axes": [{"weights": {"step": 0.5}}]}).json["data"]["result"]
        asked = {**BASE, "monkeys": {"count": 0}, "frontier": {}, "assets": [{**one, "weight": 0.5} for one in BASE["assets"]]}
        single = self.server.post("/v1/backtests", asked).json["data"]["frontier"]
        self.assertEqual(result["frontier"], single)
        self.assertEqual(result["frontier"]["uids"], [one["uid"] for one in base["assets"]])
        self.assertEqual({tuple(point) for point in result["frontier"]["points"]}, {("out_of_sample", "in_sample", "weights")})
        self.assertIsNone(result["frontier_reason"])
        other = self.make("sweep", sweep(2)).json["data"]["result"]
        self.assertEqual((other["frontier"], other["frontier_reason"]), (None, None))
        short = {"base": {**BASE, "end": "2012-02-01"}, "axes": [{"weights": {"step": 0.5}}]}
        result = self.make("sweep", short).json["data"]["result"]
        self.assertEqual((result["failed"], result["frontier"], result["frontier_reason"]), (0, None, "bad-spec"))

    def test_a_random_search_draws_the_same_points_for_the_same_seed(self):
        def points(seed):
            body = {"base": BASE, "random": {"count": 6, "seed": seed}, "axes": [
                {"weights": {}}, {"pointer": "/costs/slippage_bps", "from": 0, "to": 10}, {"pointer": "/rebalance", "values": ["weekly", "never"]}]}
            rows = self.rows(self.make("sweep", body).header("Location"))
            for row in rows:
                self.assertAlmostEqual(row["assets_0_weight"] + row["assets_1_weight"], 1, 9)
                self.assertTrue(0 <= row["costs_slippage_bps"] <= 10 and row["error"] is None, row)
            return [row["parameters"] for row in rows]
        first = points(1)
        self.assertEqual(first, points(1))
        self.assertNotEqual(first, points(2))
        self.assertEqual(len(set(first)), 6)

    def test_futures_are_drawn_as_a_job_and_are_those_of_the_answer(self):
        question = {"count": 200, "seed": 5, "years": 3}
        answer = self.make("montecarlo", {"base": {**BASE, "capital": 3333}, "monte_carlo": question})
        job, row = answer.json["data"], self.rows(answer.header("Location"))[0]
        whole = self.server.post("/v1/backtests", {**BASE, "capital": 3333, "monte_carlo": question})
        self.assertEqual((whole.status, whole.json["data"]["id"]), (200, row["id"]))
        self.assertEqual(job["result"]["monte_carlo"], whole.json["data"]["monte_carlo"])
        self.assertEqual(job["result"]["monte_carlo"]["count"], 200)
        self.assert_problem(self.server.post("/v1/backtests:montecarlo", {"base": BASE, "monte_carlo": {"count": -1}}), "out-of-range", about="/monte_carlo/count")

    # -- rows are a table -----------------------------------------------------------------------------------------------

    def test_rows_are_filtered_ordered_paged_and_exported(self):
        location = self.make("sweep", sweep(25)).header("Location")
        everything = self.rows(location)
        self.assertEqual(len(everything), 25)
        walked, target = [], f"{location}/rows?order=sharpe.desc&limit=10&select=item,sharpe"
        while target:
            page = self.assert_ok(self.server.get(target))
            walked += [row["item"] for row in page.json["data"]]
            target = page.link("next")
        self.assertEqual(walked, [row["item"] for row in sorted(everything, key=lambda row: (-row["sharpe"], row["item"]))])
        cheap = self.rows(location, "costs_commission_bps=lt.3&format=ndjson&select=item")
        self.assertEqual(cheap, [{"item": 0}, {"item": 1}, {"item": 2}])
        text = self.assert_ok(self.server.get(f"{location}/rows?format=csv&select=item,id&limit=all")).text
        self.assertEqual([row["id"] for row in csv.DictReader(io.StringIO(text))], [row["id"] for row in everything])
        arrow = self.assert_ok(self.server.get(f"{location}/rows?format=arrow&limit=all"))
        self.assertIn(b"assets" if b"assets" in arrow.body else b"costs_commission_bps", arrow.body)
        self.assert_problem(self.server.get(f"{location}/rows?shrape=gt.1"), "unknown-parameter")
        counted = self.assert_ok(self.server.get(f"{location}/rows?limit=1&count=exact"))
        self.assertEqual(counted.json["meta"]["count"], 25)

    def test_finished_backtests_are_listed_and_forgotten(self):
        request = {**BASE, "capital": 98765}
        made = self.server.post("/v1/backtests", request)
        identity = made.json["data"]["id"]
        listed = self.assert_ok(self.server.get(f"/v1/backtests?id=eq.{identity}")).json["data"]
        self.assertEqual(len(listed), 1)
        self.assertEqual((listed[0]["strategy"], listed[0]["currency"], listed[0]["start"], listed[0]["assets"]), ("fixed", "USD", "2012-01-03", 2))
        self.assertEqual(listed[0]["sharpe"], made.json["data"]["metrics"]["sharpe"]["value"])
        newest = self.assert_ok(self.server.get("/v1/backtests?limit=1&select=created_at")).json["data"][0]["created_at"]
        self.assertGreaterEqual(newest, listed[0]["created_at"])
        self.assertEqual(self.server.data.request("DELETE", f"/v1/backtests/{identity}").status, 204)
        self.assert_problem(self.server.get(f"/v1/backtests/{identity}"), "unknown-backtest")
        self.assert_problem(self.server.data.request("DELETE", f"/v1/backtests/{identity}"), "unknown-backtest")
        again = self.server.post("/v1/backtests", request)
        self.assertEqual((again.status, again.body), (201, made.body))

    # -- before the run ---------------------------------------------------------------------------------------------------

    def test_validation_answers_without_a_run(self):
        request = {**BASE, "capital": 5555, "start": None, "end": None}
        data = self.assert_ok(self.server.post("/v1/backtests:validate", request)).json
        plan = data["data"]
        self.assertEqual((plan["kind"], plan["is_stored"]), ("backtest", False))
        self.assertIn("survivorship", [one["code"] for one in data["meta"]["warnings"]])
        self.assertEqual([(one["uid"], one["role"]) for one in plan["instruments"]],
                         [("stock:US.AAPL", "asset"), ("stock:US.JPM", "asset"), ("index:SPX", "benchmark")])
        self.assertGreater(plan["estimate"]["cells"], 0)
        self.assertGreater(plan["estimate"]["predicted_ms"], 0)
        self.assertEqual(self.server.get(f"/v1/backtests/{plan['id']}").status, 404)
        made = self.server.post("/v1/backtests", plan["request"])
        self.assertEqual((made.status, made.json["data"]["id"]), (201, plan["id"]))
        self.assertEqual((made.json["data"]["equity"]["date"][0] >= plan["start"], len(made.json["data"]["equity"]["date"])), (True, plan["sessions"]))
        self.assertTrue(self.server.post("/v1/backtests:validate", request).json["data"]["is_stored"])
        grid = self.assert_ok(self.server.post("/v1/backtests:validate", sweep(40))).json["data"]
        self.assertEqual((grid["kind"], grid["grid"], grid["estimate"]["items"], grid["refused"]), ("sweep", 40, 40, 0))
        self.assert_problem(self.server.post("/v1/backtests:validate", {**BASE, "capital": -1}), "out-of-range")

    def test_the_estimate_counts_what_optimisers_and_searches_do_and_admission_goes_by_it(self):
        base = {"universe": ["stock:US.AAPL", "stock:US.JPM", "stock:US.KO"], "start": "2008-01-02", "end": "2014-12-31", "monkeys": {"count": 0}}
        grid = {"name": "walk_forward", "grid": {"strategy": "momentum", "axes": [{"pointer": "/lookback", "from": 21, "to": 210, "step": 21}]}}

        def cells(body):
            return self.assert_ok(self.server.post("/v1/backtests:validate", body)).json["data"]["estimate"]["cells"]

        bodies = [{**base, "strategy": strategy} for strategy in ("equal", "minimum_variance", grid)]
        plain, optimiser, search = map(cells, bodies)
        self.assertLess(plain, optimiser)
        self.assertLess(optimiser, search)
        self.assertLess(optimiser, cells({**bodies[1], "rebalance": "daily"}))
        items = cells({"items": bodies})
        self.assertEqual(items, plain + optimiser + search)
        with self.backend_type().server(job_cells_per_key=items - 1, backtest_cells_max=search - 1) as server:
            self.assert_problem(server.post("/v1/backtests:batch", {"items": bodies}), "too-large")
            self.assert_problem(server.post("/v1/backtests", bodies[2]), "too-large")
            self.make("batch", {"items": bodies[:2]}, server=server)

    def test_what_cannot_be_a_batch_is_refused_with_its_place(self):
        for kind, body, slug, pointer in [
                ("batch", {"items": []}, "out-of-range", "/items"), ("batch", {}, "wrong-type", "/items"),
                ("batch", {"items": [1]}, "wrong-type", "/items/0"), ("batch", {"base": BASE, "items": [{"rebalance": 1}]}, "unknown-field", "/items/0"),
                ("batch", {"items": [{**BASE, "capital": -1}]}, "out-of-range", "/capital"),
                ("batch", {"items": [BASE] * 10001}, "too-large", "/items"), ("batch", {"items": [BASE], "metric": "sharp"}, "out-of-range", "/metric"),
                ("sweep", {"axes": []}, "wrong-type", "/base"), ("sweep", {"base": BASE, "axes": []}, "out-of-range", "/axes"),
                ("sweep", {"base": BASE, "axes": [{"pointer": "/rebalance"}]}, "out-of-range", "/axes/0"),
                ("sweep", {"base": BASE, "axes": [{"pointer": "rebalance", "values": [1]}]}, "out-of-range", "/axes/0/pointer"),
                ("sweep", {"base": BASE, "axes": [{"weights": {"step": 0.3}}]}, "out-of-range", "/axes/0/weights/step"),
                ("sweep", {"base": BASE, "axes": [{"weights": {}}]}, "out-of-range", "/axes/0"),
                ("sweep", {"base": BASE, "axes": [{"pointer": "/a/b", "values": [1]}]}, "unknown-field", "/a"),
                ("sweep", {"base": BASE, "axes": [{"pointer": "/end", "values": ["2014-12-30"]}] * 2}, "bad-spec", "/axes/1"),
                ("sweep", {"base": BASE, "axes": [{"pointer": "/capital", "values": [n]} for n in (1000, 2000)]}, "bad-spec", "/axes/1"),
                ("sweep", {"base": BASE, "axes": [{"weights": {"step": 0.01}}, {"pointer": "/capital", "from": 1, "to": 1000, "step": 1}]},
                 "too-large", "/axes")]:
            with self.subTest(kind=kind, pointer=pointer, slug=slug):
                problem = self.assert_problem(self.server.post(f"/v1/backtests:{kind}", body), slug)
                self.assertEqual(problem["errors"][0]["pointer"], pointer)

    # -- the job ----------------------------------------------------------------------------------------------------------

    def test_who_does_not_wait_is_told_where_to_look(self):
        answer = self.make("sweep", sweep(30), 202, prefer="respond-async")
        self.assertEqual(answer.header("Preference-Applied"), "respond-async")
        self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
        job = self.wait_for(answer.header("Location"), ("succeeded",))
        self.assertEqual((job["progress"]["done"], job["attempt"]), (30, 1))
        self.assertEqual(self.server.get(answer.header("Location")).header("Retry-After"), None)
        self.assertIn("finished", self.assert_ok(self.server.get(answer.header("Location") + "/log")).text)
        listed = self.assert_ok(self.server.get("/v1/jobs?limit=100")).json["data"]
        self.assertIn(job["id"], [one["id"] for one in listed])
        self.assertEqual(self.server.data.request("DELETE", answer.header("Location")).status, 204)
        self.assert_problem(self.server.get(answer.header("Location")), "unknown-job")

    def test_an_idempotency_key_makes_one_job(self):
        key, body = '"8e03978e-40d5"', sweep(2)
        first = self.make("sweep", body, idempotency_key=key)
        again = self.make("sweep", body, idempotency_key=key)
        self.assertEqual(first.header("Location"), again.header("Location"))
        problem = self.assert_problem(self.server.post("/v1/backtests:sweep", sweep(3), idempotency_key=key), "idempotency-mismatch")
        self.assertEqual(problem["errors"][0]["header"], "Idempotency-Key")
        self.assert_problem(self.server.post("/v1/backtests:sweep", body, idempotency_key='""'), "bad-request")
        self.assertNotEqual(self.make("sweep", body, idempotency_key='"other"').header("Location"), first.header("Location"))
        self.assertEqual(self.server.data.request("DELETE", first.header("Location")).status, 204)
        self.assertNotEqual(self.make("sweep", body, idempotency_key=key).header("Location"), first.header("Location"))
        single = {"idempotency_key": '"single"'}
        self.assertEqual(self.server.post("/v1/backtests", {**BASE, "capital": 1234}, **single).status, 201)
        self.assertEqual(self.server.post("/v1/backtests", {**BASE, "capital": 1234}, **single).status, 200)
        self.assert_problem(self.server.post("/v1/backtests", {**BASE, "capital": 1235}, **single), "idempotency-mismatch")

    def test_a_running_job_is_cancelled_and_keeps_its_rows(self):
        location = self.make("sweep", sweep(MANY, LONG, 0.1), 202, prefer="respond-async").header("Location")
        self.server.wait_until(lambda: self.job(location)["progress"]["done"] > 0, "the first rows", timeout=60)
        self.assertEqual(self.server.data.request("DELETE", location).status, 202)
        started = time.monotonic()
        job = self.wait_for(location, ("cancelled",))
        self.assertLess(time.monotonic() - started, 10 * SLOW)
        done = len(self.rows(location, "is_done=is.true&limit=all&format=ndjson&select=item"))
        self.assertEqual(done, job["progress"]["done"])
        self.assertTrue(0 < done < MANY)
        self.assertIsNone(job["result"])

    def test_a_deadline_ends_a_job_as_failed(self):
        answer = self.make("sweep", {**sweep(10000, LONG, 0.1), "deadline_s": 1}, 202, prefer="respond-async")
        job = self.wait_for(answer.header("Location"), ("failed",))
        self.assertEqual((job["problem"]["code"], job["problem"]["status"]), ("L105", 504))

    # -- events -------------------------------------------------------------------------------------------------------------

    def listen(self, location, last_id=None):
        """A raw socket that has asked for the events."""
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=30 * SLOW)
        header = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        connection.sendall(f"GET {location}/events HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode())
        return connection

    @staticmethod
    def read_events(connection, until=b"event: end"):
        received = b""
        while until not in received or (until == b"event: end" and not received.endswith(b"\r\n0\r\n\r\n")):
            chunk = connection.recv(65536)
            if not chunk:
                break
            received += chunk
        return received

    def test_events_tell_progress_and_the_end_and_go_on_after_the_last_one_seen(self):
        location = self.make("sweep", sweep(60, LONG), 202, prefer="respond-async").header("Location")
        with self.listen(location) as connection:
            received = self.read_events(connection, b"event: progress")
            self.assertIn(b"Content-Type: text/event-stream", received)
            self.assertIn(b"retry: 2000", received)
        self.wait_for(location, ("succeeded",))
        whole = self.assert_ok(self.server.get(location + "/events")).text
        events = [dict(line.split(": ", 1) for line in block.splitlines()) for block in whole.split("\n\n") if block.startswith("id: ")]
        self.assertEqual([one["event"] for one in events], ["log", "log", "progress", "end"])
        end = json.loads(events[-1]["data"])
        self.assertEqual((end["state"], end["done"], end["fraction"]), ("succeeded", 60, 1))
        self.assertEqual(events[-1]["id"], "2.60")
        rest = self.server.get(location + "/events", last_event_id="1.60").text
        self.assertEqual([line for line in rest.splitlines() if line.startswith("event: ")], ["event: log", "event: progress", "event: end"])
        self.assertNotIn('"seq":1', rest)

    def test_a_silent_stream_is_kept_open_by_comments_and_costs_no_thread(self):
        self.backend.sql("INSERT INTO job (id, type, owner, state, request, priority, cost, n_items, n_done, n_failed, attempt, crashes, "
                         "cancel_requested, created_ms, n_log) VALUES ('silent', 'unknown', 0, 'queued', '{}', 1, 0, 1, 0, 0, 0, 0, "
                         f"{'FALSE' if self.backend.name == 'postgresql' else '0'}, 1, 0)")
        streams = [self.listen("/v1/jobs/silent") for _ in range(3)]
        try:
            self.assertIn(b": still here", self.read_events(streams[0], b": still here"))
            answer = self.server.get("/v1/jobs/silent/events")
            self.assert_problem(answer, "too-many-jobs")
            self.assertIn("3 streams", answer.json["errors"][0]["allowed"])
            self.assertEqual(self.server.get("/v1/marts/mart_fx_daily/rows?limit=all&format=ndjson&quote=eq.KRW").status, 200)
        finally:
            for one in streams:
                one.close()
        self.server.wait_until(lambda: "cmmc_job_streams 0" in self.server.ops.get("/metrics").text, "the streams are gone")
        with self.listen("/v1/jobs/silent") as connection:
            self.assertIn(b"event: progress", self.read_events(connection, b"event: progress"))
            self.assertEqual(self.server.data.request("DELETE", "/v1/jobs/silent").status, 202)
            self.assertIn(b'"state":"cancelled"', self.read_events(connection))

    # -- limits and owners ----------------------------------------------------------------------------------------------------

    def test_a_key_has_so_many_jobs_and_cells_and_sees_its_own(self):
        backend = self.backend_type()
        one, two = (make_key("read,backtest", **backend.settings) for _ in range(2))
        with backend.server(jobs_per_key=1, job_slots=0, job_cells_per_key=100000) as server:
            first = self.make("sweep", sweep(2), 202, "respond-async", server, **bearer(one))
            refused = server.post("/v1/backtests:sweep", sweep(2), **bearer(one))
            problem = self.assert_problem(refused, "too-many-jobs")
            self.assertIn("1 job at", problem["errors"][0]["allowed"])
            self.assertGreaterEqual(int(refused.header("Retry-After")), 1)
            self.assert_problem(server.post("/v1/backtests:sweep", sweep(50), **bearer(two)), "too-large")
            self.make("sweep", sweep(2), 202, "respond-async", server, **bearer(two))
            self.assert_problem(server.get(first.header("Location"), **bearer(two)), "unknown-job")
            self.assertEqual(server.get(first.header("Location"), **bearer(one)).status, 200)
            self.assertEqual(len(server.get("/v1/jobs", **bearer(one)).json["data"]), 1)
            self.assertEqual(server.get("/v1/jobs").json["data"], [])
            self.assertEqual(server.data.request("DELETE", first.header("Location"), headers={"Authorization": f"Bearer {one}"}).status, 202)
            self.make("sweep", sweep(2), 202, "respond-async", server, **bearer(one))

    # -- what survives ----------------------------------------------------------------------------------------------------------

    def test_a_killed_server_loses_no_job_and_no_item_is_done_twice(self):
        backend = self.backend_type()
        server = backend.server(job_lease_ms=600).start()
        n = MANY
        body = sweep(n, LONG, 0.1)
        location = self.make("sweep", body, 202, "respond-async", server).header("Location")
        for _ in range(3):
            before = self.job(location, server)["progress"]["done"]
            server.wait_until(lambda: self.job(location, server)["progress"]["done"] > before or before == n, "new rows", timeout=60)
            server.kill()
            server = backend.server(job_lease_ms=600).start()
        with server:
            job = self.wait_for(location, ("succeeded", "failed"), server, timeout=120)
            self.assertEqual((job["state"], job["progress"]["done"], job["progress"]["failed"]), ("succeeded", n, 0))
            self.assertGreater(job["attempt"], 1)
            rows = self.rows(location, server=server)
            self.assertEqual([row["item"] for row in rows], list(range(n)))
            self.assertLess(self.items_run(server), n)  # nothing that was done is run again
            if job["attempt"] == 4:  # each server had it once: none lost its lease for want of a processor
                self.assertEqual(self.items_run(server), n - self.done_at_last_claim(location, server))
            if self.backend.name == "sqlite":  # the same sweep in one go: the same rows and the same report
                other = self.make("sweep", body, 202, "respond-async", server).header("Location")
                self.assertEqual(self.wait_for(other, ("succeeded", "failed"), server, timeout=120)["result"], job["result"])
                same = [{**row, "job": None} for row in self.rows(other, server=server)]
                self.assertEqual(same, [{**row, "job": None} for row in rows])

    @staticmethod
    def items_run(server):
        lines = server.ops.get("/metrics").text.splitlines()
        return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith("cmmc_job_items_total{"))

    @staticmethod
    def done_at_last_claim(location, server):
        events = server.get(f"{location}/events").text
        return int(re.findall(r"attempt \d+: (\d+) of \d+ items are done", events)[-1])

    def test_a_study_of_an_older_version_is_made_again(self):
        backend = self.backend_type()
        server = backend.server(job_lease_ms=600).start()
        body = sweep(MANY, LONG, 0.1)
        location = self.make("sweep", body, 202, "respond-async", server).header("Location")
        server.wait_until(lambda: self.job(location, server)["progress"]["done"] > 0, "the first rows", timeout=60)
        server.kill()
        backend.sql("DELETE FROM backtest_study")
        with backend.server(job_lease_ms=600) as server:
            job = self.wait_for(location, ("succeeded", "failed"), server, timeout=120)
            self.assertEqual((job["state"], job["progress"]["done"]), ("succeeded", MANY))
            self.assertEqual(job["result"]["overfitting"]["columns"], MANY)
            self.assertEqual(self.items_run(server), MANY)

    def test_a_stopped_server_hands_its_job_back(self):
        backend = self.backend_type()
        server = backend.server().start()
        location = self.make("sweep", sweep(MANY, LONG, 0.1), 202, "respond-async", server).header("Location")
        server.wait_until(lambda: self.job(location, server)["progress"]["done"] > 0, "the first rows", timeout=60)
        server.stop()
        with backend.server() as server:
            job = self.wait_for(location, ("succeeded",), server)
            self.assertEqual(job["progress"]["done"], MANY)


class OnSqlite(JobTests, unittest.TestCase):
    backend_type = Sqlite


class OnPostgresql(JobTests, unittest.TestCase):
    backend_type = Postgresql

    def test_two_servers_share_the_queue_and_finish_what_one_of_them_leaves(self):
        backend = Postgresql()
        accepting = backend.server(job_slots=0).start()
        one, two = backend.server(job_lease_ms=600).start(), backend.server(job_lease_ms=600).start()
        try:
            locations = [self.make("sweep", sweep(40, {**LONG, "capital": 1000 + i}), 202, "respond-async", accepting).header("Location")
                         for i in range(6)]
            accepting.wait_until(lambda: any(self.job(at, accepting)["progress"]["done"] > 0 for at in locations), "work", timeout=60)
            one.kill()
            jobs = [self.wait_for(at, ("succeeded", "failed"), accepting, timeout=120) for at in locations]
            self.assertEqual([(job["state"], job["progress"]["done"], job["progress"]["failed"]) for job in jobs], [("succeeded", 40, 0)] * 6)
            self.assertTrue(two.events("job_ended"))
        finally:
            one.kill()
            two.stop()
            accepting.stop()


if __name__ == "__main__":
    unittest.main()
