"""The rows of a year's days as one object, in a folder and on S3, and both read by an engine of others (DuckDB)."""

import csv
import gzip
import io
import json
import pathlib
import random
import re
import subprocess
import tempfile
import unittest

from support import packages
from support.ceph import ceph
from support.server import BIN, ROOT, not_under_tsan, run, scratch_folder
from support.swift import swift
from test_lake import DONE, FAILED, Bucket, Folder

setUpModule = not_under_tsan

COLUMNS = re.findall(r'^COLUMN\(BAR, \w+, "(\w+)"', (ROOT / "ingest/shapes.def").read_text(), re.M)
TRAILERS = ["source", "fetched_at", "raw_key"]
HEADER = ",".join(COLUMNS + TRAILERS) + "\r\n"


def field(text):
    return text if text is None or not any(c in text for c in ',"\r\n') else '"' + text.replace('"', '""') + '"'


def rows_object(rows):
    """rows: tuples (symbol, date, name, close, fetched_at)."""
    lines = []
    for symbol, date, name, close, fetched in sorted(rows):
        cells = {"symbol": symbol, "date": date, "name": name, "close": close, "source": "test", "fetched_at": fetched, "raw_key": "raw"}
        lines.append(",".join(field(cells.get(column) or "") for column in COLUMNS + TRAILERS) + "\r\n")
    return gzip.compress((HEADER + "".join(lines)).encode(), mtime=0)


def key_of(date, stamp, number=0, folder="coin_data"):
    return f"bronze/{folder}/ymd={date}/rows-{stamp}-{number:016x}.csv.gz"


def newest(rows):
    """What is left of rows: of a key the one fetched last."""
    found = {}
    for row in sorted(rows, key=lambda row: row[4]):
        found[row[0], row[1]] = row
    return sorted(found.values(), key=lambda row: (row[1], row[0]))


class Compaction:
    def lake(self, *arguments):
        return run("lake", *arguments, env=self.place.environment)

    def compact(self, *arguments, summary=None):
        done = self.lake("compact", *arguments)
        self.assertEqual(done.returncode, DONE, done.stderr)
        if summary is not None:
            self.assertEqual(done.stderr, summary + "\n")
        return [line.split()[1] for line in done.stdout.splitlines()]

    def read(self, key):
        done = subprocess.run([str(BIN), "lake", "cat", key], capture_output=True, env=self.place.environment, check=True)
        table = list(csv.DictReader(io.StringIO(gzip.decompress(done.stdout).decode())))
        return [(row["symbol"], row["date"], row["name"], row["close"], row["fetched_at"]) for row in table]

    def test_a_year_of_days_becomes_one_object_of_the_newest_rows(self):
        draw = random.Random(7)
        rows = []
        for day in range(1, 29):
            for fetch in range(draw.choice((1, 1, 1, 2, 3))):
                fetched = f"2024-03-{day:02}T00:0{fetch}:00Z"
                some = [(f"S{i:02}", f"2024-02-{day:02}", 'a "b", c\nd' if i == 3 else "", str(draw.randrange(100)), fetched)
                        for i in range(20) if draw.random() < 0.8]
                self.place.put(key_of(f"2024-02-{day:02}", fetched.replace("-", "").replace(":", "")), rows_object(some))
                rows += some
        (key,) = self.compact()
        self.assertRegex(key, r"^silver/coin_data/year=2024/rows-20240328T000\d00Z-[0-9a-f]{16}\.csv\.gz$")
        self.assertEqual(self.read(key), newest(rows))
        self.assertEqual(self.lake("verify").returncode, DONE)
        self.compact(summary="1 year; 0 objects written with 0 rows of 0, 0 removed")
        late = [("S01", "2024-02-01", "late", "1", "2024-04-01T00:00:00Z")]
        self.place.put(key_of("2024-02-01", "20240401T000000Z"), rows_object(late))
        (later,) = self.compact()
        self.assertEqual(self.read(later), newest(rows + late))
        self.assertEqual([line.split()[1] for line in self.lake("ls", "silver/").stdout.splitlines()], [later])

    def test_years_and_data_sets_are_chosen(self):
        for folder in ("coin_data", "fred", "industry_code/krx_codes"):
            for year in (2022, 2023, 2024):
                self.place.put(key_of(f"{year}-06-01", f"{year}0602T000000Z", folder=folder),
                               rows_object([("A", f"{year}-06-01", "", "1", f"{year}-06-02T00:00:00Z")]))
        self.place.put("bronze/fred/ymd=2022-01-01/raw-20220102T000000Z-0123456789abcdef.json", b"{}")
        self.place.put("bronze/fred/rejected/ymd=2022-01-01/rejects-20220102T000000Z-0123456789abcdef.csv.gz", b"")
        self.assertEqual([key.split("/rows")[0] for key in self.compact("--from", "2023-12-31", "--to", "2024-01-01", "bronze/fred")],
                         ["silver/fred/year=2023", "silver/fred/year=2024"])
        self.assertEqual(len(self.compact(summary="9 years; 7 objects written with 7 rows of 7, 0 removed")), 7)
        done = self.lake("compact", "bronze/fred/ymd=2023")
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertIn("Whole years are compacted", done.stderr)

    def test_objects_that_are_no_rows_stop_it_and_are_named(self):
        bad = key_of("2024-02-02", "20240301T000000Z")
        self.place.put(key_of("2024-02-01", "20240301T000000Z"), rows_object([("A", "2024-02-01", "", "1", "2024-03-01T00:00:00Z")]))
        self.place.put(bad, gzip.compress(b"symbol,date\nA,2024-02-02\n"))
        done = self.lake("compact")
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertIn("other columns than those before", done.stderr)
        self.assertIn(bad, done.stderr)
        self.assertEqual(self.lake("ls", "silver").stdout, "")

    def test_several_may_compact_at_once(self):
        rows = [(f"S{i:03}", "2024-02-01", "", str(i), "2024-03-01T00:00:00Z") for i in range(300)]
        self.place.put(key_of("2024-02-01", "20240301T000000Z"), rows_object(rows))
        commands = [subprocess.Popen([str(BIN), "lake", "compact"], env=self.place.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    for _ in range(4)]
        for process in commands:
            _, problems = process.communicate(timeout=120)
            self.assertEqual(process.returncode, DONE, problems)
        (key,) = [line.split()[1] for line in self.lake("ls", "silver/").stdout.splitlines()]
        self.assertEqual(self.read(key), rows)

    def test_duckdb_reads_days_and_years_by_partition(self):
        python = packages.python_packages("duckdb==1.1.3")
        rows = []
        for month in range(1, 13):
            day = [(f"S{i}", f"2023-{month:02}-15", "", f"{i}.5", f"2023-{month:02}-16T00:00:00Z") for i in range(50)]
            self.place.put(key_of(f"2023-{month:02}-15", f"2023{month:02}16T000000Z"), rows_object(day))
            rows += day
        self.compact()
        script = """
import duckdb, json, sys
def ask(sql):
    return [[str(cell) for cell in row] for row in duckdb.sql(sql).fetchall()]
def rows(pattern):
    return f"read_csv('{sys.argv[1]}/{pattern}', hive_partitioning = true, all_varchar = false)"
print(json.dumps([
    ask(f"SELECT count(*), sum(close), min(ymd), max(ymd) FROM {rows('bronze/coin_data/*/rows-*.csv.gz')}"),
    ask(f"SELECT count(*), min(date) FROM {rows('bronze/coin_data/*/rows-*.csv.gz')} WHERE ymd = DATE '2023-07-15'"),
    ask(f"SELECT year, count(*), sum(close), count(DISTINCT symbol) FROM {rows('silver/coin_data/*/rows-*.csv.gz')} GROUP BY year"),
]))
"""
        done = subprocess.run([python, "-c", script, str(self.fetch())], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        total = str(sum(float(row[3]) for row in rows))
        self.assertEqual(json.loads(done.stdout), [[["600", total, "2023-01-15", "2023-12-15"]], [["50", "2023-07-15"]],
                                                   [["2023", "600", total, "50"]]])


class InFolder(Compaction, unittest.TestCase):
    def setUp(self):
        self.place = Folder()

    def fetch(self):
        return self.place.folder


class OnCeph(Compaction, unittest.TestCase):
    @staticmethod
    def get_server():
        return ceph()

    def setUp(self):
        self.place = Bucket(self.get_server())

    def fetch(self):
        """The bucket as botocore sees it, in a folder."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=scratch_folder()))
        for item in self.place.client.list_objects_v2(Bucket=self.place.bucket)["Contents"]:
            path = folder / item["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.place.client.get_object(Bucket=self.place.bucket, Key=item["Key"])["Body"].read())
        return folder / "a" / "b=c"


class OnSwift(OnCeph):
    @staticmethod
    def get_server():
        return swift()


if __name__ == "__main__":
    unittest.main()
