"""The server in bad company and on bad days: idle crowds, no descriptors left, clocks that jump, reloads under load, and what it measures."""

import datetime
import email.utils
import glob
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import subprocess
import time
import unittest

from support.backend import Postgresql, Sqlite
from support.dataset import Dataset
from support.postgres import sql
from support.problems import Assertions
from support.server import IS_SANITIZED, SLOW, Server, sample_var_dir
from test_lifecycle import end_load, start_load

ROWS = "/v1/marts/mart_price_daily/rows?uid=eq.stock:US.AAPL&limit=20"
SAMPLE_LINE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf|NaN)$')
FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


def read_metrics(text):
    """A strict reading of the text format 0.0.4: {sample with labels: value} and {family: type}; anything odd is an error."""
    assert text.endswith("\n") and "\r" not in text
    types, helps, samples, closed, family = {}, set(), {}, set(), None
    for line in text.splitlines():
        if found := re.fullmatch(r"# HELP (\S+) (.+)", line):
            assert found[1] not in helps, line
            helps.add(found[1])
            family = found[1]
        elif found := re.fullmatch(r"# TYPE (\S+) (counter|gauge|histogram)", line):
            assert found[1] not in types and found[1] == family, line
            types[found[1]] = found[2]
        else:
            found = SAMPLE_LINE.match(line)
            assert found, line
            base = re.sub(r"_(bucket|sum|count)$", "", found[1]) if types.get(family) == "histogram" else found[1]
            assert base == family, f"{line} stands below {family}"
            assert found[1] + (found[2] or "") not in samples, line
            samples[found[1] + (found[2] or "")] = float(found[3].replace("Inf", "inf"))
        closed.add(family)
    for name, kind in types.items():
        if kind != "histogram":
            continue
        series = {}
        for sample, value in samples.items():
            if sample.startswith(name + "_bucket{"):
                series.setdefault(re.sub(r',?le="[^"]*"', "", sample), []).append((float(re.search(r'le="([^"]*)"', sample)[1].replace("Inf", "inf")), value))
        for labels, buckets in series.items():
            counts = [count for _, count in sorted(buckets)]
            assert counts == sorted(counts) and max(bound for bound, _ in buckets) == float("inf"), labels
            total = labels.replace("_bucket", "_count").replace("{}", "")
            assert samples[total] == counts[-1], labels
    return samples, types


class Crowds(Assertions, unittest.TestCase):
    def test_ten_thousand_idle_connections_change_nothing_for_active_ones(self):
        n = 1000 if IS_SANITIZED else 10000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < n + 500:
            self.skipTest(f"no more than {hard} descriptors are allowed here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n + 500) if soft != resource.RLIM_INFINITY else soft, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

        def latencies(server):
            """Milliseconds of 300 kept answers over one connection, and of 50 over new ones."""
            times = []
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
                for _ in range(300):
                    started = time.perf_counter()
                    connection.sendall(f"GET {ROWS} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    self.assertTrue(connection.recv(1 << 20).startswith(b"HTTP/1.1 200 "))
                    times.append((time.perf_counter() - started) * 1000)
            for _ in range(50):
                self.assertEqual(server.get(ROWS).status, 200)
            return statistics.median(times)

        with Server(var_dir=sample_var_dir(), connection_limit=n + 200) as server:
            before, held = latencies(server), []
            try:
                for _ in range(n):
                    held.append(socket.create_connection(("127.0.0.1", server.port), timeout=30))
                server.wait_until(lambda: read_metrics(server.ops.get("/metrics").text)[0]['cmmc_connections{listener="data"}'] >= n,
                                  "all of them are connected", timeout=30)
                self.assertLess(latencies(server), before * 3 + 2 * SLOW)
            finally:
                for connection in held:
                    connection.close()
            server.wait_until(lambda: read_metrics(server.ops.get("/metrics").text)[0]['cmmc_connections{listener="data"}'] == 0, "all are gone",
                              timeout=30)

    def test_without_descriptors_it_waits_and_goes_on_when_there_are_some(self):
        with Server(var_dir=sample_var_dir()) as server:
            self.assert_ok(server.get(ROWS))
            pid = server.process.pid
            limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")) + 5, limits[1]))
            kept = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            kept.sendall(f"GET {ROWS} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            self.assertTrue(kept.recv(1 << 20).startswith(b"HTTP/1.1 200 "))
            crowd = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(60)]
            cpu = self.cpu_seconds(pid)
            time.sleep(1)
            self.assertLess(self.cpu_seconds(pid) - cpu, 0.7, "it does not spin while there is no room")
            kept.sendall(f"GET {ROWS} HTTP/1.1\r\nHost: x\r\n\r\n".encode())  # who is in is served
            self.assertTrue(kept.recv(1 << 20).startswith(b"HTTP/1.1 200 "))
            for connection in [*crowd, kept]:
                connection.close()
            server.wait_until(lambda: server.get("/v1/marts").status == 200, "it accepts again")
            # Whoever looked at the database meanwhile may have found no descriptor for it, and looks again soon.
            server.wait_until(lambda: server.ops.get("/readyz").status == 200, "it is ready again")
            self.assert_ok(server.get("/v1/instruments?limit=3"))

    @staticmethod
    def cpu_seconds(pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Measured(Assertions, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.backend = Postgresql()
        cls.server = cls.backend.server(refresh_ms=100).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_parts_of_the_time_add_up_to_no_more_than_the_whole(self):
        for target in (ROWS, ROWS, ROWS + "&select=date", ROWS + "&count=exact", "/v1/marts", "/v1/instruments?q=apple", "/v1/marts/mart_fx_daily/facets",
                       "/v1/marts/mart_price_daily/aggregate?group=date:month&metrics=avg:close&uid=eq.stock:US.AAPL", "/nowhere",
                       "/v1/marts/mart_price_daily/rows?limit=5000", "/v1/instruments/stock:US.AAPL/prices?interval=1mo", "/v1/news?q=market"):
            answer = self.server.get(target, x_request_id="asked")  # answers kept in the process say it to who asks
            timing = answer.header("Server-Timing")
            with self.subTest(target, timing=timing):
                parts = {name: float(value) for name, value in re.findall(r"([a-z0-9_-]+);dur=([0-9.]+)", timing)}
                total = parts.pop("total")
                self.assertIn("queue", parts)
                self.assertLessEqual(sum(parts.values()), total + 0.002 * len(parts))  # each is rounded to a microsecond
                self.assertRegex(timing, r'cache;desc="[a-z0-9-]+"')

    def test_readiness_as_json_and_without_some_checks(self):
        ops = self.server.ops
        answer = ops.get("/readyz", accept="application/json")
        self.assertEqual((answer.status, answer.media_type, answer.header("Vary")), (200, "application/json", "Accept"))
        self.assertEqual((answer.json["ready"], answer.json["detail"]), (True, None))
        self.assertEqual({check["name"]: (check["state"], check["detail"]) for check in answer.json["checks"]},
                         {"database": ("ok", None), "catalogue": ("ok", None)})
        left = ops.get("/readyz?exclude=database", accept="application/json").json["checks"]
        self.assertEqual([check["name"] for check in left], ["catalogue"])
        self.assertEqual(ops.get("/readyz?verbose&exclude=catalogue,database").text, "ok\n")
        self.assert_problem(ops.get("/readyz?exclude=databse"), "bad-value", about="exclude", allowed="database, catalogue")
        for accept in ("*/*", "text/plain", "application/*", "application/json;q=0"):
            self.assertEqual(ops.get("/readyz", accept=accept).media_type, "text/plain")

    def test_a_miss_says_how_long_postgresql_took(self):
        for target in ("/v1/marts/mart_fx_daily/rows?limit=7", "/v1/marts/mart_fx_daily/facets?by=quote", "/v1/instruments/stock:US.AAPL/prices?last=30d",
                       "/v1/marts/mart_fx_daily/rows?limit=all&format=csv"):
            timing = self.server.get(target).header("Server-Timing")
            with self.subTest(target, timing=timing):
                self.assertEqual(len(re.findall(r"\bpgwait;dur=[0-9.]+", timing)), 1)
                if "limit=all" not in target:  # the head of a stream may be sent before its first row is there
                    self.assertGreater(float(re.search(r"\bpg;dur=([0-9.]+)", timing)[1]), 0)
        self.assertNotIn("pg", self.server.get("/v1/marts").header("Server-Timing"))

    def test_openmetrics_for_those_who_name_it(self):
        trace = "0af7651916cd43dd8448eb211c80319c"
        self.assert_ok(self.server.get(ROWS + "&offset=11", traceparent=f"00-{trace}-b7ad6b7169203331-01"))
        self.assert_ok(self.server.get(ROWS + "&offset=12", traceparent="00-11111111111111111111111111111111-b7ad6b7169203331-00"))
        for accept, kind in (("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics-text"), (None, "text/plain"),
                             ("*/*", "text/plain"), ("text/plain;version=0.0.4, application/openmetrics-text;q=0.5", "text/plain"),
                             ("application/openmetrics-text;q=0", "text/plain")):
            answer = self.server.ops.get("/metrics", **({"accept": accept} if accept else {}))
            self.assertEqual((answer.status, answer.media_type, answer.header("Vary")), (200, kind, "Accept"), accept)
            self.assertEqual("# EOF" in answer.text, kind != "text/plain")
        self.server.wait_until(lambda: trace in self.server.ops.get("/metrics", accept="application/openmetrics-text").text, "the trace")
        text = self.server.ops.get("/metrics", accept="application/openmetrics-text").text
        line = self.assert_one(rf".*{trace}.*", text)
        self.assertRegex(line, r'^cmmc_http_request_duration_seconds_bucket{route="/v1/marts/{mart}/rows",cache="[a-z0-9]+",le="[0-9.]+"} [0-9]+ '
                               rf'# {{trace_id="{trace}"}} [0-9.e-]+ [0-9]+$')
        self.assertNotIn("1111111111111111", text)
        self.assertIn("# TYPE cmmc_http_requests counter\n", text)
        self.assertTrue(text.endswith("\n# EOF\n"))

    def test_metrics_parse_rise_and_hold_no_text_of_clients(self):
        before, types = read_metrics(self.server.ops.get("/metrics").text)
        for i in range(60):
            self.server.get(f"/canary-{i}?canary=1")
            self.server.get(f"/v1/marts/mart_canary{i}/rows")
            self.server.get(f"/v1/instruments/stock:canary.{i}")
            self.server.data.request("CANARY", "/v1/marts")
            self.server.get(f"{ROWS}&offset={i}")
        text = self.server.ops.get("/metrics").text
        after, _ = read_metrics(text)
        self.assertNotIn("canary", text.lower())
        for sample, value in before.items():
            family = sample.split("{")[0]
            family = family if family in types else re.sub(r"_(bucket|sum|count)$", "", family)
            if types[family] in ("counter", "histogram"):
                self.assertGreaterEqual(after[sample], value, sample)
        self.assertLess(len(after) - len(before), 400)
        promtool = shutil.which("promtool")
        if promtool is not None:
            done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
            complaints = [line for line in done.stderr.splitlines() if "error" in line.lower()]
            self.assertEqual((done.returncode in (0, 3), complaints), (True, []), done.stderr)  # 3: advice about names

    def test_a_page_that_nobody_reads_holds_no_database_connection(self):
        crowd = []
        for i in range(12):  # more than the pool has
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", self.server.port))
            connection.sendall(f"GET /v1/marts/mart_price_daily/rows?limit=40000&offset={i} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            crowd.append(connection)
        for connection in crowd:
            connection.settimeout(30 * SLOW)
            self.assertTrue(connection.recv(12).startswith(b"HTTP/1.1 "))
        in_use = 'cmmc_db_pool{state="in_use"}'
        self.server.wait_until(lambda: read_metrics(self.server.ops.get("/metrics").text)[0][in_use] == 0, "the connections are free")
        self.assert_ok(self.server.get(ROWS + "&select=date,volume,low"))
        for connection in crowd:
            connection.close()
        self.server.wait_until(lambda: read_metrics(self.server.ops.get("/metrics").text)[0]["cmmc_http_inflight"] == 0, "nothing in flight")

    def test_reloads_under_load_lose_no_request(self):
        url = self.backend.settings["database_url"]
        load = start_load(self.server.port)
        try:
            for i in range(20):
                sql(url, f"DROP VIEW IF EXISTS mart_comes_and_goes; CREATE VIEW mart_comes_and_goes AS SELECT {i} AS id, 'x'::text AS c{i}; NOTIFY cmmc_reload")
                if i % 5 == 0:
                    self.server.wait_until(lambda i=i: f'"c{i}"' in self.server.get("/v1/marts/mart_comes_and_goes").text, "the new shape")
        finally:
            end_load(load)
        for thread in load:
            self.assertGreater(thread.answered, 0)
            self.assertEqual(thread.lost, [])


class Due(Assertions):
    """max-age, where the next publish is known."""

    backend_type = None

    def test_max_age_never_passes_the_next_publish(self):
        backend = self.backend_type()
        with backend.server(refresh_ms=100) as server:
            target = "/v1/marts/mart_fx_daily/rows?limit=1"

            def max_age():
                return int(re.search(r"max-age=(\d+)", server.get(target).header("Cache-Control"))[1])

            self.assertEqual(max_age(), 60)
            for ahead in (30, 3600, -100):
                at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=ahead)
                text = at.strftime("%Y-%m-%dT%H:%M:%SZ")
                backend.sql(f"UPDATE mart_generation SET next_due_at = '{text}' WHERE mart = 'mart_fx_daily'"
                            + ("; NOTIFY mart_published" if backend.name == "postgresql" else ""))
                if ahead == 30:
                    server.wait_until(lambda: max_age() <= 30, "the time is known")
                    first = max_age()
                    time.sleep(1.1)
                    self.assertLess(max_age(), first)  # it runs down, also for what is kept
                elif ahead == 3600:
                    server.wait_until(lambda: max_age() == 60, "the time is far away")
                else:
                    server.wait_until(lambda: max_age() < 30, "it is overdue: any moment now")
            self.assert_ok(server.get(target))


class DueOnSqlite(Due, unittest.TestCase):
    backend_type = Sqlite


class DueOnPostgresql(Due, unittest.TestCase):
    backend_type = Postgresql


class Stale(Assertions, unittest.TestCase):
    def test_the_previous_answer_goes_on_when_the_new_one_cannot_be_made(self):
        """The version that was known is better than none, for a while, and every header says so."""
        backend = Postgresql()
        base, _, name = backend.settings["database_url"].rpartition("/")
        name = name.split("?")[0]
        target = "/v1/marts/mart_news_article/rows?limit=5&order=article_id"
        with backend.server(refresh_ms=100, db_acquire_ms=200, db_pool=4) as server:
            old = self.assert_ok(server.get(target))
            self.assertIsNone(old.header("Age"))
            dataset = Dataset.copy_of_mart("news_simulated.csv.gz")
            dataset.change("news_simulated.csv.gz", lambda text: text.replace("[Simulated]", "[New]"))
            generation = int(re.search(r"generation (\d+)", backend.load(dataset.folder))[1])
            server.wait_until(lambda: server.get("/v1/marts").json["meta"]["generation"] == generation, "the new generation")
            sql(base + "/postgres", f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false; "
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            try:
                answer = server.get(target)
                self.assertEqual((answer.status, answer.body), (200, old.body), answer)
                self.assertEqual(answer.header("Cache-Status"), "cmmc-l1; hit; detail=stale-if-error")
                self.assertEqual(answer.header("Cache-Control"), "public, max-age=1")
                self.assertLess(int(answer.header("Age")), 60)
                date = email.utils.parsedate_to_datetime(answer.header("Date"))
                self.assertLess(abs((date - datetime.datetime.now(datetime.timezone.utc)).total_seconds()), 5)
            finally:
                sql(base + "/postgres", f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
            server.wait_until(lambda: "[New]" in server.get(target).text, "the new answer", timeout=20)
            self.assertIsNone(server.get(target).header("Age"))


@unittest.skipIf(FAKETIME is None, "libfaketime is not installed")
@unittest.skipIf(IS_SANITIZED, "the sanitizers and libfaketime take the same functions")
class Clock(Assertions, unittest.TestCase):
    def test_a_clock_that_jumps_changes_nothing_but_dates(self):
        """Wall time jumps a day ahead and two back; durations, deadlines and quotas go by the steady clock."""
        file = pathlib.Path(sample_var_dir()) / "now"
        file.write_text("+0")
        names = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
        saved = {name: os.environ.get(name) for name in names}
        os.environ.update(names)
        try:
            server = Server(var_dir=file.parent, rate_anonymous=100000, refresh_ms=100).start()
        finally:
            for name, value in saved.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        with_load = start_load(server.port)
        try:
            tag = self.assert_ok(server.get(ROWS)).header("ETag")
            for offset in ("+1d", "-2d", "+0"):
                file.write_text(offset)
                shift = {"+1d": 86400, "-2d": -172800, "+0": 0}[offset]

                def shown():
                    return email.utils.parsedate_to_datetime(server.get("/v1/marts").header("Date")).timestamp()

                server.wait_until(lambda shift=shift: abs(shown() - time.time() - shift) < 5, "the date shows the jump")
                started = time.monotonic()
                answer = self.assert_ok(server.get(ROWS, x_request_id="asked"))
                self.assertEqual(answer.header("ETag"), tag)
                self.assertEqual(server.get(ROWS, if_none_match=tag).status, 304)
                self.assert_ok(server.get(f"{ROWS}&offset={len(offset) + shift % 7}"))
                self.assertLess(time.monotonic() - started, 3 * SLOW)
                self.assertEqual(server.ops.get("/readyz").status, 200)
                timing = answer.header("Server-Timing")
                self.assertLess(float(re.search(r"total;dur=([0-9.]+)", timing)[1]), 3000)
        finally:
            end_load(with_load)
            server.stop()
        for thread in with_load:
            self.assertEqual(thread.lost, [])


if __name__ == "__main__":
    unittest.main()
