"""Settings and metrics of the binary against docs/configuration.md and docs/metrics.md, in both directions."""

import concurrent.futures
import json
import re
import socket
import unittest

from replay import Replay
from support.keys import bearer, make_key
from support.problems import ROOT
from support.server import Server, environment, run, sample_var_dir

REQUEST = {"assets": [{"uid": "stock:US.AAPL", "weight": 1}], "start": "2016-01-04", "end": "2016-06-30",
           "monkeys": {"count": 0}}
BUSY = {**REQUEST, "start": "2000-01-03", "monkeys": {"count": 1000}}


class Configuration(unittest.TestCase):
    def setUp(self):
        self.document = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    def test_the_document_is_what_the_program_prints(self):
        done = run("config", "--markdown", env=environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(done.stdout, self.document)

    def test_documented_settings_are_those_of_the_program(self):
        settings = json.loads(run("config", "--json", env=environment()).stdout)["settings"]
        rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", self.document, re.MULTILINE)
        self.assertEqual(rows, [(one["key"], one["environment"]) for one in settings])

    def test_every_setting_says_what_it_means_and_takes_its_own_default(self):
        settings = json.loads(run("config", "--json", env=environment()).stdout)["settings"]
        for one in settings:
            with self.subTest(one["key"]):
                self.assertTrue(one["help"].endswith("."), one)
                again = run("config", "--json", env={**environment(), one["environment"]: one["default"]})
                self.assertEqual(again.returncode, 0, again.stderr)


class Metrics(unittest.TestCase):
    """docs/metrics.md has a table row `| name | type | labels | unit | help |` for every metric."""

    @classmethod
    def setUpClass(cls):
        document = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
        cells = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", document, re.MULTILINE)
        cls.documented = {name: {"type": kind, "labels": re.findall(r"`(\w+)`", labels), "unit": unit.strip(),
                                 "help": text.strip()} for name, kind, labels, unit, text in cells}
        var_dir = sample_var_dir()
        admin = bearer(make_key("admin", var_dir=var_dir))
        with Replay() as replay, Server(var_dir=var_dir, header_timeout_ms=100, cpu_workers=1, queue_cpu=1, rate_failures=1,
                                        source_base=f"*={replay.address}", datagokr_key=replay.world.keys["datagokr"]) as server:
            # Something of everything, so that every family has a sample: reads, backtests, a client that is too slow, more
            # backtests than the queue takes, and a source with a quota.
            server.get("/v1/marts")
            assert [server.get("/v1/me", authorization="Bearer none").status for _ in range(2)] == [401, 429]
            server.get("/v1/instruments/stock:US.AAPL/prices?limit=1")
            server.post("/v1/backtests", REQUEST)
            server.post("/v1/backtests:batch", {"items": [REQUEST]}, prefer="wait=30")
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda capital: server.post("/v1/backtests", {**BUSY, "capital": capital}).status, range(1, 9)))
            assert 503 in answers, answers
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as slow:
                slow.sendall(b"GET / HTTP/1.1\r\nHost:")
                slow.recv(1)
            job = {"dataset": "kr_etf", "from": "2024-12-02", "to": "2024-12-02", "stages": ["bronze"]}
            assert server.post("/v1/admin/jobs", job, **admin).status == 202
            server.wait_until(lambda: "cmmc_ingest_quota_left{" in server.ops.get("/metrics").text, "the source was asked")
            server.wait_until(lambda: "cmmc_connections_cut_total{" in server.ops.get("/metrics").text, "the cut is counted")
            cls.exposed = server.ops.get("/metrics").text
        cls.families = {name: {"type": kind} for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", cls.exposed, re.MULTILINE)}
        for name, text in re.findall(r"^# HELP (\S+) (.*)$", cls.exposed, re.MULTILINE):
            cls.families[name]["help"] = text

    def samples(self):
        for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? \S+$", self.exposed, re.MULTILINE):
            yield name, re.findall(r'(\w+)="', labels or "")

    def test_documented_metrics_are_those_exposed(self):
        self.assertEqual(set(self.documented), set(self.families))

    def test_documented_metrics_are_the_rows_of_the_table(self):
        rows = re.findall(r'^METRIC\((\w+), (\w+), "([^"]*)", "([^"]*)", "([^"]*)"\)$',
                          (ROOT / "server" / "metrics.def").read_text(encoding="utf-8"), re.MULTILINE)
        table = {name if name.startswith("process_") else "cmmc_" + name:
                 {"type": kind.lower(), "labels": [one for one in labels.split(",") if one], "unit": unit, "help": text}
                 for name, kind, labels, unit, text in rows}
        self.assertEqual(self.documented, table)

    def test_types_and_help_are_those_exposed(self):
        for name, family in self.families.items():
            with self.subTest(name):
                self.assertEqual((family["type"], family["help"]),
                                 (self.documented[name]["type"], self.documented[name]["help"]))

    def test_every_sample_belongs_to_a_family_and_has_its_labels(self):
        for name, labels in self.samples():
            with self.subTest(name):
                family = name if name in self.families else re.sub(r"_(bucket|sum|count)$", "", name)
                self.assertIn(family, self.families)
                self.assertEqual([one for one in labels if one != "le"], self.documented[family]["labels"])

    def test_no_sample_appears_twice(self):
        series = [line.rsplit(" ", 1)[0] for line in self.exposed.splitlines() if line and not line.startswith("#")]
        self.assertEqual(len(series), len(set(series)))

    def test_routes_in_labels_are_templates(self):
        templates = {route["path"] for route in json.loads(run("routes", "--json", env=environment()).stdout)}
        for route in set(re.findall(r'route="([^"]*)"', self.exposed)):
            with self.subTest(route):
                self.assertTrue(route in templates or re.fullmatch(r"[a-z_()-]*", route), route)


if __name__ == "__main__":
    unittest.main()
