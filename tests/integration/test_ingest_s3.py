"""
cmmc ingest with its lake on a real S3 server (Ceph): the same rows and facts as in a folder, whatever happens on the way. All
requests pass a proxy that signs them once more with botocore.
"""

import os
import pathlib
import random
import sqlite3
import subprocess
import tempfile
import time
import unittest
import unittest.mock

from replay import Replay, World
from support import s3
from support.ceph import ceph
from support.ingest_bench import Bench
from support.s3_proxy import FaultProxy
from support.server import BIN, SLOW, environment, not_under_tsan, run, scratch_folder

setUpModule = not_under_tsan

SETS = (("us_stock", "us_stock", "2024-12-01", "2024-12-20"), ("fx", "exchange_rate", "2024-12-01", "2024-12-20"),
        ("news", "news", "2024-12-01", "2024-12-03"))


class OnS3(Bench):
    """A bench whose lake is in a bucket, read by botocore."""

    def __init__(self, replay, server, through, bucket=None):
        self.server, self.bucket = server, bucket or s3.bucket(server)
        super().__init__(replay, lake=f"s3://{self.bucket}/of/tests", s3_endpoint=through.endpoint)

    def items(self):
        client, after = s3.client(self.server), {}
        while True:
            page = client.list_objects_v2(Bucket=self.bucket, **after)
            yield from (item["Key"] for item in page.get("Contents", []))
            if not page["IsTruncated"]:
                return
            after = {"ContinuationToken": page["NextContinuationToken"]}

    @property
    def lake(self):
        """A copy of what is there now."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=scratch_folder()))
        for key in self.items():
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.client(self.server).get_object(Bucket=self.bucket, Key=key)["Body"].read())
        return folder / "of" / "tests" / "bronze"


class IngestionOnS3(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ceph()
        cls.proxy = FaultProxy(cls.server)
        cls.addClassCleanup(cls.proxy.stop)

    def setUp(self):
        self.replay = Replay(World(7)).__enter__()
        self.addCleanup(self.replay.__exit__)
        keys = unittest.mock.patch.dict(os.environ, s3.login(self.server.key, self.server.secret))
        keys.start()
        self.addCleanup(keys.stop)
        self.proxy.forget()
        self.addCleanup(lambda: self.assertEqual(self.proxy.complaints, []))

    def bench(self, bucket=None):
        return OnS3(self.replay, self.server, self.proxy, bucket)

    def facts(self, bench):
        """Facts without what a run leaves of its own."""
        connection = sqlite3.connect(bench.folder / "var" / "warehouse.db")
        self.addCleanup(connection.close)
        found = {}
        for table in ("fact_price", "fact_action", "fact_fx_rate", "fact_article"):
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] not in ("fetched_at", "load_id")]
            found[table] = sorted(connection.execute(f"SELECT {', '.join(names)} FROM {table}"), key=repr)
        return found

    def verify(self, bench):
        done = run("lake", "verify", **bench.settings)
        self.assertRegex(done.stdout, r"^[1-9]\d* objects, \d+ bytes, 0 bad\n$", done.stderr)

    def test_rows_and_facts_are_those_of_a_lake_in_a_folder(self):
        in_folder, on_s3 = Bench(self.replay), self.bench()
        for dataset, folder, first, last in SETS:
            for bench in (in_folder, on_s3):
                bench.ingest(dataset, first, last, "--stages", "bronze,silver")
            table = in_folder.table(folder)
            self.assertGreater(len(table), 0)
            self.assertEqual(on_s3.table(folder), table)
        self.assertEqual(self.facts(on_s3), self.facts(in_folder))
        self.verify(on_s3)
        before = list(on_s3.items())
        again = on_s3.ingest(*SETS[0][:1], *SETS[0][2:]).report
        self.assertGreater(again["objects_skipped"], 0)
        self.assertEqual([key for key in on_s3.items() if "/rows-" in key], [key for key in before if "/rows-" in key])

    def test_answers_are_kept_with_their_address_without_secrets(self):
        bench = self.bench()
        bench.ingest("news", "2024-12-01", "2024-12-03")
        raw = [key for key in bench.items() if "/raw-" in key]
        self.assertGreater(len(raw), 0)
        for key in raw:
            meta = s3.client(self.server).head_object(Bucket=bench.bucket, Key=key)["Metadata"]
            self.assertEqual(meta["http-status"], "200")
            self.assertRegex(meta["sha256"], "^[0-9a-f]{64}$")
            self.assertRegex(meta["fetched-at"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertTrue(meta["source-url"].startswith("http"), meta)
            for secret in self.replay.world.keys.values():
                self.assertNotIn(secret, str(meta))

    def test_trouble_on_the_way_changes_nothing(self):
        want, bench, chance = Bench(self.replay), self.bench(), random.Random(3)
        for dataset, folder, first, last in SETS:
            want.ingest(dataset, first, last)
            self.proxy.forget()
            for how in ({"kind": "answer"}, {"kind": "lost"}, {"kind": "spoil"}, {"kind": "answer", "status": 500, "code": "InternalError"}):
                self.proxy.fail(method="PUT", has=chance.choice(("rows-", "raw-")), **how)
            self.proxy.fail("cut", method="GET", after=40)
            bench.ingest(dataset, first, last)
            self.assertEqual(bench.table(folder), want.table(folder))
        self.verify(bench)

    def test_requests_and_bytes_are_counted_as_the_server_sees_them(self):
        bench = self.bench()
        dataset, folder, first, last = SETS[0]
        for stages in ("bronze", "silver"):
            self.proxy.forget()
            self.proxy.fail(method="PUT" if stages == "bronze" else "GET", kind="answer")  # what is repeated costs, too
            report = bench.ingest(dataset, first, last, "--stages", stages).report
            seen = self.proxy.seen
            lists = sum("list-type" in one.query for one in seen)
            self.assertEqual(report["s3_puts"], sum(one.method in ("PUT", "POST") for one in seen))
            self.assertEqual(report["s3_lists"], lists)
            self.assertEqual(report["s3_gets"], sum(one.method in ("GET", "HEAD") for one in seen) - lists)
            self.assertGreater(report["s3_bytes"], sum(len(one.body) for one in seen))
            self.assertEqual(report["rows_copied"] > 0, stages == "silver")
        book = run("ingest", "--costs", **bench.settings).stdout.splitlines()
        self.assertEqual(book[0].split(), "month dataset requests bytes S3 PUT S3 LIST S3 GET S3 bytes copied".split())
        lines = [line.split(",") for line in (bench.folder / "var" / "ingest" / "costs.csv").read_text().splitlines()]
        self.assertEqual([line[1:3] + line[5:6] for line in lines], [[dataset, "bronze", "ok"], [dataset, "silver", "ok"]])
        self.assertEqual([int(part) for part in book[1].split()[2:]],
                         [sum(int(line[column]) for line in lines) for column in (7, 8, 12, 13, 14, 15, 16)])

    def test_a_run_that_is_killed_goes_on(self):
        want, bench = Bench(self.replay), self.bench()
        dataset, folder, first, last = SETS[0]
        want.ingest(dataset, first, last)
        for after in (1, 4, 9):
            self.proxy.forget()
            with subprocess.Popen([str(BIN), "ingest", dataset, "--from", first, "--to", last, "--stages", "bronze"], env=environment(**bench.settings),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                deadline = time.monotonic() + 60 * SLOW
                while sum(seen.method == "PUT" for seen in self.proxy.seen) < after and process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.001)
                process.kill()
        bench.ingest(dataset, first, last)
        self.assertEqual(bench.table(folder), want.table(folder))
        self.verify(bench)

    def test_two_servers_may_fetch_the_same_days_at_once(self):
        dataset, folder, first, last = SETS[0]
        one = self.bench()
        other = self.bench(one.bucket)
        commands = [subprocess.Popen([str(BIN), "ingest", dataset, "--from", first, "--to", last, "--stages", "bronze"], env=environment(**bench.settings),
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE) for bench in (one, other)]
        for process in commands:
            _, problems = process.communicate(timeout=120 * SLOW)
            self.assertEqual(process.returncode, 0, problems)
        want = Bench(self.replay)
        want.ingest(dataset, first, last)
        self.assertEqual(one.table(folder), want.table(folder))
        self.verify(one)


if __name__ == "__main__":
    unittest.main()
