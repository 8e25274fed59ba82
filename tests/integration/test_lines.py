"""CSV that PostgreSQL writes, beside what the server writes itself; numbers that are none; and a million rows."""

import csv
import io
import json
import pathlib
import socket
import time
import unittest

from support.backend import Postgresql
from support.every_type import DECIMALS, FLOATS, TEXTS, literal
from support.problems import Assertions
from support.server import IS_SANITIZED


def managed(name, columns):
    """SQL that makes an empty managed mart of generation 1, key k."""
    far = "9223372036854775807"
    names = ", ".join(["k", *(column.split()[0] for column in columns.split(", "))])
    return (f"CREATE TABLE gen_{name} (k BIGINT NOT NULL, {columns}, gen_from BIGINT NOT NULL DEFAULT 1, gen_to BIGINT NOT NULL DEFAULT {far}, "
            f"PRIMARY KEY (k, gen_from)); CREATE VIEW mart_{name} AS SELECT {names} FROM gen_{name} WHERE gen_to = {far};"
            f"INSERT INTO meta_mart VALUES ('mart_{name}', 'Test', 'Test', 'a row', 'k', NULL, 'gen_{name}');"
            f"INSERT INTO mart_generation (mart, generation, published_at, n_rows, schema_hash) VALUES ('mart_{name}', 1, now(), 1, '');"
            f"INSERT INTO publication_mart VALUES ('mart_{name}', 1, NULL, now());")


class LinesOfTheDatabase(Assertions, unittest.TestCase):
    N = 1000000
    columns = "t TEXT, d NUMERIC, f DOUBLE PRECISION, i BIGINT, b BOOLEAN, day DATE, at TIMESTAMPTZ, o JSONB, u UUID"

    @classmethod
    def setUpClass(cls):
        cls.backend = Postgresql(with_sample=True)
        texts = [*TEXTS, "\\.", "\\N", "NULL", " lead", "trail ", '""', '"\n"', "a\\,b"]
        rows = [(n, texts[n % len(texts)], DECIMALS[n % len(DECIMALS)], [*FLOATS, "1e15", "1e16", "1e21", "1e-7"][n % (len(FLOATS) + 4)],
                 [0, 9223372036854775807, None][n % 3], [True, False, None][n % 3], ["0001-01-01", "9999-12-31", "2024-02-29", None][n % 4],
                 ["2024-02-29T23:59:59Z", "2024-01-01T00:00:00.25Z", "0001-01-01T00:00:00+00", "9999-12-31T23:59:59.999Z", None][n % 5],
                 ['{"a": "x,\\"y"}', "[1, null]", None][n % 3], ["00000000-0000-4000-8000-000000000001", None][n % 2]) for n in range(120)]
        values = ", ".join("(" + ", ".join(literal(value) for value in row) + ")" for row in rows)
        names = "k, t, d, f, i, b, day, at, o, u"
        cls.backend.sql(
            managed("test_lines", cls.columns) + f"INSERT INTO gen_test_lines ({names}) VALUES {values};"
            + managed("test_gaps", "f DOUBLE PRECISION") + "INSERT INTO gen_test_gaps VALUES (1, 'NaN'), (2, 'Infinity'), (3, '-Infinity'), (4, 1.5);"
            + "CREATE TABLE mart_test_gaps_of_another (k BIGINT PRIMARY KEY, f DOUBLE PRECISION, d NUMERIC);"
              "INSERT INTO mart_test_gaps_of_another VALUES (1, 'NaN', 'NaN'), (2, 'Infinity', 1), (3, '-Infinity', 2), (4, 1.5, 3);"
            + managed("test_million", "name TEXT, day DATE, close NUMERIC, volume BIGINT, score DOUBLE PRECISION")
            + "INSERT INTO gen_test_million SELECT n, 'stock:US.B' || n % 400, DATE '2000-01-01' + n % 9000, n % 10007 + 0.5, n * 17, n / 7.0 "
              f"FROM generate_series(1, {cls.N}) n;")
        cls.server = cls.backend.server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def get(self, mart, query):
        return self.assert_ok(self.server.get(f"/v1/marts/{mart}/rows?{query}"))

    def test_every_type_is_spelled_alike_by_both(self):
        for columns in ("", "&select=t", "&select=at,b,t,f", "&select=d", "&select=u,o,day,i", "&select=f,k"):
            for options in ("", "&header=off", "&bom=on"):
                with self.subTest(columns + options):
                    page = self.get("mart_test_lines", f"format=csv&limit=max{columns}{options}")
                    stream = self.get("mart_test_lines", f"format=csv&limit=all{columns}{options}")
                    self.assertEqual(stream.body, page.body)
        records = list(csv.reader(io.StringIO(self.get("mart_test_lines", "format=csv&limit=all").text, newline="")))
        self.assertEqual(len(records), 121)
        self.assertEqual({len(record) for record in records}, {10})

    def test_what_json_has_no_number_for_is_null_and_said_so(self):
        # Of a mart of another tool the database gives NULL, so that it is sorted and filtered as one: the mart's own warning stands.
        for mart, code in (("mart_test_gaps", "not_finite"), ("mart_test_gaps_of_another", "unmanaged_mart")):
            for limit in ("limit=10", "limit=all"):
                with self.subTest(mart, limit=limit):
                    page = self.get(mart, f"{limit}&select=k,f").json
                    self.assertEqual([row["f"] for row in page["data"]], [None, None, None, 1.5])
                    self.assertIn(code, [one["code"] for one in page["meta"]["warnings"]])
                    table = self.get(mart, f"{limit}&select=k,f&format=csv")
                    self.assertEqual(table.body, b"k,f\r\n1,\r\n2,\r\n3,\r\n4,1.5\r\n")
                    lines = self.get(mart, f"{limit}&select=k,f&format=ndjson")
                    self.assertEqual([json.loads(line)["f"] for line in lines.text.splitlines()], [None, None, None, 1.5])
                    for answer in (table, lines):
                        self.assertIn(code, answer.header("Data-Warnings"))
                    columns = self.get(mart, f"{limit}&select=k,f&format=arrow")
                    self.assertIn(code, columns.header("Data-Warnings"))
        self.assertIsNone(self.get("mart_test_gaps_of_another", "k=eq.1&select=d").json["data"][0]["d"])

    def test_a_million_rows_take_no_more_memory_than_a_few(self):
        if IS_SANITIZED:
            self.skipTest("sanitizers keep memory of their own")
        folder = pathlib.Path(f"/proc/{self.server.process.pid}")

        def figure(name):
            return next(int(line.split()[1]) for line in (folder / "status").read_text().splitlines() if line.startswith(name))

        for form in ("csv", "csv&csv=safe", "ndjson", "json", "json&shape=arrays", "json&shape=bare", "arrow"):
            target = f"/v1/marts/mart_test_million/rows?format={form}&limit=all"
            self.get("mart_test_million", f"format={form}&limit=all&k=lte.20000")  # what is kept for good is there afterwards
            (folder / "clear_refs").write_text("5")
            before = figure("VmRSS")
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=120) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                total, pauses, tail = 0, 0, b""
                while chunk := connection.recv(1 << 18):
                    total += len(chunk)
                    tail = (tail + chunk)[-400:]
                    if total // (1 << 20) > pauses and pauses < 8:
                        pauses += 1
                        time.sleep(0.1)
            with self.subTest(form):
                self.assertIn(b"X-Row-Count: %d\r\n" % self.N, tail)
                self.assertGreater(total, 30 << 20)
                self.assertLess(figure("VmHWM") - before, 8 << 10)
