"""Every representation of rows: the same values in each, and streams that end rightly or are seen to fail."""

import base64
import concurrent.futures
import csv
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import unittest

from support import postgres
from support.backend import Postgresql, Sqlite
from support.dataset import Dataset
from support.every_type import EveryType, OnPostgresql, OnSqlite
from support.problems import Assertions
from support.server import IS_SANITIZED, scratch_folder

class Case(EveryType):
    def as_text(self, rows):
        return [{name: {True: "true", False: "false"}[value] if isinstance(value, bool) else value for name, value in row.items()}
                for row in rows]

    def load(self, body):
        return json.loads(body, parse_float=str, parse_int=str, parse_constant=self.fail)

    # ---- JSON ---------------------------------------------------------------------------------------------------

    def test_json_numbers_have_the_digits_of_the_database_in_every_shape(self):
        expected = self.expected()
        for limit in ("", "limit=all&"):
            rows = self.load(self.get(f"{limit}shape=rows").body)
            self.assertEqual(self.as_text(rows["data"]), expected)
            arrays = self.load(self.get(f"{limit}shape=arrays").body)
            names = arrays["meta"]["columns"]
            self.assertEqual(self.as_text([dict(zip(names, values, strict=True)) for values in arrays["data"]]), expected)
            bare = self.load(self.get(f"{limit}shape=bare").body)
            self.assertEqual(self.as_text(bare), expected)
        columns = self.load(self.get("shape=columns").body)["data"]
        self.assertEqual(self.as_text([dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]), expected)

    def test_numbers_may_come_as_strings_and_nulls_be_left_out(self):
        for query, parse in [("numbers=string", lambda body: json.loads(body)["data"]),
                             ("numbers=string&format=ndjson", lambda body: [json.loads(line) for line in body.split("\n")[:-1]])]:
            rows = parse(self.get(query).body.decode())
            self.assertEqual(self.as_text(rows), self.expected())
            dropped = parse(self.get(query + "&nulls=drop").body.decode())
            self.assertEqual(self.as_text(dropped), [{name: value for name, value in row.items() if value is not None}
                                                     for row in self.expected()])

    def test_control_characters_are_escaped(self):
        body = self.get("select=t").body
        self.assertIn(b"\\u0001\\u001f\\u007f control", body)
        self.assertEqual([byte for byte in body if byte < 0x20], [0x0a])

    # ---- NDJSON -------------------------------------------------------------------------------------------------

    def test_each_line_of_ndjson_parses_alone_and_the_end_record_is_asked_for(self):
        answer = self.get("format=ndjson")
        self.assertEqual(answer.header("Content-Type"), "application/x-ndjson")
        self.assertTrue(answer.body.endswith(b"}\n"))
        self.assertEqual(self.as_text([self.load(line) for line in answer.body.decode().split("\n")[:-1]]), self.expected())
        for limit in ("limit=5", "limit=all"):
            ended = self.get(f"{limit}&format=ndjson", accept="*/*", prefer="handling=strict, end-record")
            self.assertEqual(ended.header("Preference-Applied"), "end-record")
            self.assertIn("Prefer", ended.header("Vary"))
            lines = ended.body.decode().split("\n")[:-1]
            self.assertEqual(json.loads(lines[-1]), {"_end": {"rows": len(lines) - 1, "generation": 0}})

    # ---- CSV ----------------------------------------------------------------------------------------------------

    def test_csv_survives_the_round_trip(self):
        for limit in ("", "&limit=all"):
            answer = self.get(f"format=csv{limit}")
            self.assertTrue(answer.body.endswith(b"\r\n"))
            header, *records = csv.reader(io.StringIO(answer.text, newline=""))
            self.assertEqual(header, list(self.rows[0]))
            self.assertEqual(records, [[value or "" for value in row.values()] for row in self.expected()])
        body = self.get("format=csv&select=t").body
        self.assertIn('\r\n가나다 한글 😀\r\n""\r\n\r\n005930\r\n'.encode(), body)  # the empty text, then NULL

    def test_options_of_csv(self):
        plain = self.get("format=csv&select=k,t,d").body
        self.assertEqual(self.get("format=csv&select=k,t,d&bom=on").body, b"\xef\xbb\xbf" + plain)
        headless = self.get("format=csv&select=k,t,d&header=off")
        self.assertEqual(headless.body, plain.split(b"\r\n", 1)[1])
        self.assertEqual(headless.header("Content-Type"), "text/csv; charset=utf-8; header=absent")
        safe = list(csv.reader(io.StringIO(self.get("format=csv&select=k,t,d&csv=safe").text, newline="")))[1:]
        for row, source in zip(safe, self.expected(), strict=True):
            text = source["t"] or ""
            self.assertEqual(row[1], "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text else text)
            self.assertEqual(row[2], source["d"] or "")  # numbers keep their sign

    # ---- All formats --------------------------------------------------------------------------------------------

    def test_a_stream_has_the_bytes_of_the_page(self):
        for mart in ("mart_instrument", "mart_fx_daily", "mart_calendar", "mart_price_daily"):
            for form in ("csv", "ndjson", "csv&header=off&bom=on", "ndjson&numbers=string", "csv&csv=safe"):
                window = "&date=gte.2026-01-01" if mart in ("mart_fx_daily", "mart_price_daily") else ""
                page = self.get(f"limit=max&format={form}{window}", mart)
                self.assertIsNone(page.link("next"))
                stream = self.get(f"limit=all&format={form}{window}", mart)
                with self.subTest(mart, form=form):
                    self.assertEqual(stream.body, page.body)
                    self.assertEqual(stream.header("Content-Type"), page.header("Content-Type"))

    def test_unknown_words_of_the_options_are_400(self):
        for name in ("shape", "numbers", "nulls", "header", "bom", "csv", "buffer", "format"):
            problem = self.assert_problem(self.server.get(f"/v1/marts/mart_test_types/rows?{name}=nonsense"), "bad-value", about=name)
            self.assertIn(" or " if name != "format" else "ndjson", problem["errors"][0]["allowed"])
        self.assert_problem(self.server.get("/v1/marts/mart_test_types/rows?limit=all&shape=columns"), "bad-value", about="shape")
        self.assert_problem(self.server.get("/v1/marts/mart_test_types/rows?format=parquet"), "bad-value", about="format",
                            allowed="json, csv, ndjson, arrow")

    def test_tags_differ_by_format_and_shape_and_304_keeps_its_headers(self):
        base = "/v1/marts/mart_fx_daily/rows?limit=3"
        tags = {}
        for query in ("", "&shape=arrays", "&shape=columns", "&shape=bare", "&format=csv", "&format=csv&header=off", "&format=ndjson",
                      "&format=arrow", "&numbers=string"):
            answer = self.assert_ok(self.server.get(base + query))
            tags[answer.header("ETag")] = query
            again = self.server.get(base + query, if_none_match=answer.header("ETag"))
            self.assertEqual((again.status, again.body), (304, b""))
            for header in ("ETag", "Cache-Control", "Vary", "Content-Location"):
                self.assertEqual(again.header(header), answer.header(header))
            self.assertIn("Accept", answer.header("Vary"))
        self.assertEqual(len(tags), 9)
        page = self.server.get("/v1/marts/mart_fx_daily/rows?limit=3&format=csv")
        stream = self.server.get("/v1/marts/mart_fx_daily/rows?limit=all&format=csv")
        self.assertEqual(stream.header("Cache-Control"), page.header("Cache-Control"))
        again = self.server.get("/v1/marts/mart_fx_daily/rows?limit=all&format=csv", if_none_match=stream.header("ETag"))
        self.assertEqual(again.status, 304)
        self.assertEqual(again.header("Content-Location"), "/v1/marts/mart_fx_daily/rows?format=csv&generation=1&limit=all")

    def test_links_name_the_lasting_address(self):
        answer = self.assert_ok(self.server.get("/v1/marts/mart_fx_daily/rows?select=date,rate&limit=3&quote=eq.KRW"))
        canonical = answer.link("canonical")
        self.assertEqual(canonical, "/v1/marts/mart_fx_daily/rows?generation=1&limit=3&quote=eq.KRW&select=date,rate")
        self.assertEqual((answer.link("canonical"), answer.link("first")), (answer.json["links"]["canonical"], answer.json["links"]["first"]))
        self.assertEqual(answer.header("Content-Location"), canonical)
        self.assertEqual(answer.link("collection"), "/v1/marts/mart_fx_daily")
        pinned = self.assert_ok(self.server.get(canonical))
        self.assertIsNone(pinned.header("Content-Location"))  # it is what was asked for
        self.assertEqual(pinned.json["data"], answer.json["data"])
        self.assertIn("immutable", pinned.header("Cache-Control"))
        self.assertEqual(self.get(answer.link("first").split("?", 1)[1], "mart_fx_daily").json["data"], answer.json["data"])

    def test_one_row_names_the_list_that_it_is_of(self):
        row = self.get("limit=1", "mart_fx_daily").json["data"][0]
        one = self.assert_ok(self.server.get(f"/v1/marts/mart_fx_daily/rows/{row['base']},{row['quote']},{row['date']}"))
        self.assertEqual((one.link("collection"), one.json["links"]["collection"]), ("/v1/marts/mart_fx_daily/rows",) * 2)
        instrument = self.assert_ok(self.server.get("/v1/instruments/stock:US.AAPL"))
        self.assertEqual(instrument.link("collection"), "/v1/instruments")

    def test_meta_says_when_the_version_was_published(self):
        published = self.assert_ok(self.server.get("/v1/marts/mart_fx_daily")).json["data"]["published_at"]
        self.assertRegex(published, r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        for path in ("rows?limit=1", "values/quote", "facets?by=quote", "aggregate"):
            page = self.assert_ok(self.server.get(f"/v1/marts/mart_fx_daily/{path}"))
            self.assertEqual(page.json["meta"]["published_at"], published, path)
        self.assertIsNone(self.get("limit=1").json["meta"]["published_at"])

    # ---- Streams ------------------------------------------------------------------------------------------------

    def exchange(self, target, *headers):
        """The answer to a raw request: head, and body with its chunks still in it."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as connection:
            lines = "".join(f"{line}\r\n" for line in headers)
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n".encode())
            received = b""
            while chunk := connection.recv(1 << 20):
                received += chunk
        return received.split(b"\r\n\r\n", 1)

    def test_a_stream_ends_with_the_number_of_its_rows_in_a_trailer(self):
        total = len(self.get("select=uid&limit=all&format=ndjson", "mart_price_daily").body.splitlines())
        for form in ("csv", "ndjson", "json", "arrow"):
            head, body = self.exchange(f"/v1/marts/mart_price_daily/rows?limit=all&format={form}")
            with self.subTest(form):
                self.assertIn(b"\r\nTransfer-Encoding: chunked", head)
                self.assertRegex(head, rb"\r\nTrailer: [^\r]*X-Row-Count")
                self.assertRegex(body[-200:], rb"\r\n0\r\n(.*\r\n)*X-Row-Count: %d\r\n" % total)
                self.assertIn(b"Data-Warnings: simulated_data, survivorship", head + body[-200:])

    def test_a_stream_is_compressed_as_the_client_likes(self):
        plain = self.get("limit=all&format=csv", "mart_price_daily").body
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "out"
            done = subprocess.run(["curl", "-s", "--compressed", "-H", "Accept-Encoding: gzip", "-w", "%{http_code}", "-o", out,
                                   f"http://127.0.0.1:{self.server.port}/v1/marts/mart_price_daily/rows?limit=all&format=csv"],
                                  capture_output=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (0, b"200"))
            self.assertEqual(out.read_bytes(), plain)

    def test_head_of_a_stream_has_its_headers_and_no_body(self):
        target = "/v1/marts/mart_price_daily/rows?limit=all&format=csv"
        full, head = self.server.get(target), self.server.head(target)
        self.assertEqual((head.status, head.body), (200, b""))
        for name in ("ETag", "Content-Type", "Cache-Control", "Vary", "Content-Disposition"):
            self.assertEqual(head.header(name), full.header(name))

    def test_buffer_full_gives_a_length_or_413(self):
        answer = self.get("limit=all&buffer=full&format=csv", "mart_fx_daily")
        self.assertEqual(int(answer.header("Content-Length")), len(answer.body))
        self.assertEqual(answer.body, self.get("limit=all&format=csv", "mart_fx_daily").body)
        problem = self.assert_problem(self.server.get("/v1/marts/mart_price_daily/rows?limit=all&buffer=full"), "answer-too-large")
        self.assertIn("16777216", problem["errors"][0]["allowed"])

    # ---- Files --------------------------------------------------------------------------------------------------

    def test_an_export_is_the_stream_as_a_file_that_can_be_resumed(self):
        base = "/v1/marts/mart_fx_daily/export/"
        latest = self.server.get(base + "latest.csv.gz")
        self.assertEqual((latest.status, latest.header("Cache-Control")), (302, "no-cache"))
        self.assertEqual(latest.header("Location"), base + "1.csv.gz")
        whole = self.assert_ok(self.server.get(base + "1.csv.gz"))
        self.assertEqual(gzip.decompress(whole.body), self.get("limit=all&format=csv", "mart_fx_daily").body)
        self.assertEqual(int(whole.header("Content-Length")), len(whole.body))
        digest = base64.b64encode(hashlib.sha256(whole.body).digest()).decode()
        self.assertEqual(whole.header("Content-Digest"), f"sha-256=:{digest}:")
        self.assertIn("immutable", whole.header("Cache-Control"))
        size, tag = len(whole.body), whole.header("ETag")
        for asked, start, end in [("bytes=0-9", 0, 10), (f"bytes={size - 5}-", size - 5, size), ("bytes=-7", size - 7, size),
                                  (f"bytes=100-{size * 2}", 100, size), (f"bytes=-{size * 2}", 0, size)]:
            with self.subTest(asked):
                part = self.server.get(base + "1.csv.gz", range=asked, if_range=tag)
                self.assertEqual((part.status, part.body), (206, whole.body[start:end]))
                self.assertEqual(part.header("Content-Range"), f"bytes {start}-{end - 1}/{size}")
        for asked, if_range in [("bytes=0-9", '"other"'), ("bytes=0-1,3-4", tag), ("items=0-9", tag), ("bytes=5-2", tag), ("bytes=a-b", tag),
                                ("bytes=--5", tag), ("0-9", tag)]:
            with self.subTest(asked, if_range=if_range):
                self.assertEqual(self.server.get(base + "1.csv.gz", range=asked, if_range=if_range).body, whole.body)
        for asked in (f"bytes={size}-", "bytes=-0"):
            beyond = self.server.get(base + "1.csv.gz", range=asked)
            self.assert_problem(beyond, "range-not-satisfiable", about="Range")
            self.assertEqual(beyond.header("Content-Range"), f"bytes */{size}")
        self.assertEqual(self.server.get(base + "1.csv.gz", if_none_match=tag).status, 304)
        head = self.server.head(base + "1.csv.gz")
        self.assertEqual((head.status, head.body, head.header("ETag"), head.header("Content-Length")), (200, b"", tag, str(size)))
        for name in ("1.parquet", "1.csv", "0.csv.gz", "01.csv.gz", "99.csv.gz", "x.csv.gz", "..%2F1.csv.gz", "1.csv.gz%00", "latest", "-1.arrow"):
            self.assertIn(self.server.get(base + name).status, (400, 404), name)
        self.assertEqual(self.server.get("/v1/marts/mart_test_types/export/latest.csv.gz").status, 404)

    def test_a_range_of_rows_beyond_the_last_says_how_many_there_are(self):
        total = len(self.get("limit=max&format=ndjson", "mart_calendar").body.splitlines())
        beyond = self.server.get("/rest/v1/mart_calendar?offset=49000000", prefer="count=exact")
        self.assertEqual((beyond.status, beyond.header("Content-Range")), (416, f"*/{total}"))

    def test_memory_does_not_grow_with_the_rows_whatever_the_reader(self):
        if IS_SANITIZED:
            self.skipTest("sanitizers keep memory of their own")
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status")
        clear = pathlib.Path(f"/proc/{self.server.process.pid}/clear_refs")

        def figure(name):
            return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(name))

        for form in ("csv", "ndjson", "json", "arrow"):
            target = f"/v1/marts/mart_price_daily/rows?limit=all&format={form}"
            self.exchange(target)  # what is kept for good is there afterwards
            clear.write_text("5")
            before = figure("VmRSS")
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                total, pauses = 0, 0
                while chunk := connection.recv(1 << 16):
                    total += len(chunk)
                    if total // (1 << 20) > pauses and pauses < 5:
                        pauses += 1
                        time.sleep(0.1)
            with self.subTest(form):
                self.assertGreater(total, 10 << 20)
                self.assertLess(figure("VmHWM") - before, 8 << 10)


class Exports(Assertions):
    backend_type = None

    def setUp(self):
        self.backend = self.backend_type(with_sample=True)
        self.server = self.backend.server(refresh_ms=100, export_mib=1).start()
        self.addCleanup(self.server.stop)
        self.folder = pathlib.Path(self.backend.settings["var_dir"]) / "export"

    def export(self, name, mart="mart_fx_daily", **headers):
        return self.server.get(f"/v1/marts/{mart}/export/{name}", **headers)

    def names(self):
        return sorted(path.name for path in self.folder.iterdir() if path.suffix != ".digest")

    def test_files_of_a_retired_generation_go_and_it_is_410(self):
        self.assert_ok(self.export("1.csv.gz"))
        self.assert_ok(self.export("1.csv.gz", "mart_calendar"))
        self.assertEqual(self.names(), ["mart_calendar-g1.csv.gz", "mart_fx_daily-g1.csv.gz"])
        dataset = Dataset.copy_of_mart("fx_ecb.csv.gz")
        dataset.change("fx_ecb.csv.gz", lambda text: text + re.sub("2026-10-30", "2026-11-20", "".join(
            line + "\n" for line in text.splitlines() if ",2026-10-30," in line)))
        self.backend.load(dataset.folder, generations_kept=1)
        self.server.wait_until(lambda: self.names() == ["mart_calendar-g1.csv.gz"], "the file to go before anybody asks for it")
        self.assert_problem(self.export("1.csv.gz"), "generation-retired")
        self.assertEqual(self.export("latest.csv.gz").header("Location"), "/v1/marts/mart_fx_daily/export/2.csv.gz")
        self.assert_ok(self.export("2.csv.gz"))
        self.assert_ok(self.export("1.csv.gz", "mart_calendar"))  # that version is the newest still

    def test_the_oldest_files_make_room(self):
        first = self.assert_ok(self.export("1.csv.gz"))
        large = self.assert_ok(self.export("1.ndjson.zst", "mart_price_daily"))
        self.assertGreater(len(large.body), 1 << 20)
        self.assertEqual(self.names(), ["mart_price_daily-g1.ndjson.zst"])
        again = self.assert_ok(self.export("1.csv.gz"))
        self.assertEqual((again.body, again.header("ETag")), (first.body, first.header("ETag")))
        self.assertEqual(self.names(), ["mart_fx_daily-g1.csv.gz"])

    def test_a_file_says_what_to_know_before_trusting_it(self):
        for _ in range(2):  # when it is made, and when it lies there
            answer = self.assert_ok(self.export("1.csv.gz", "mart_price_daily"))
            self.assertEqual(answer.header("Data-Warnings"), "simulated_data, survivorship")
        self.assertIsNone(self.assert_ok(self.export("1.csv.gz")).header("Data-Warnings"))

    def test_one_maker_at_a_time(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: self.export("1.csv.gz", "mart_price_daily"), range(4)))
        made = [answer for answer in answers if answer.status == 200]
        self.assertEqual(len({(answer.header("ETag"), answer.body) for answer in made}), 1)
        for answer in answers:
            if answer.status != 200:
                self.assert_problem(answer, "busy")
                self.assertEqual(answer.header("Retry-After"), "2")
        self.assertEqual(self.names(), ["mart_price_daily-g1.csv.gz"])
        part = self.folder / "mart_fx_daily-g1.arrow.part"
        part.write_bytes(b"half")
        self.assert_problem(self.export("1.arrow"), "busy")
        os.utime(part, (time.time() - 1000,) * 2)  # its maker died
        self.assert_ok(self.export("1.arrow"))
        self.assertFalse(part.exists())


class ExportsOnSqlite(Exports, unittest.TestCase):
    backend_type = Sqlite


class ExportsOnPostgresql(Exports, unittest.TestCase):
    backend_type = Postgresql


class FormatsOnSqlite(OnSqlite, Case, unittest.TestCase):
    pass


class FormatsOnPostgresql(OnPostgresql, Case, unittest.TestCase):
    def test_what_is_no_number_is_null_in_json(self):
        """And in every other format, page and stream, so that no reader meets a word where a number should be."""
        self.backend.sql("CREATE TABLE mart_test_odd (k BIGINT PRIMARY KEY, f DOUBLE PRECISION, d NUMERIC); INSERT INTO mart_test_odd VALUES "
                         "(1, 'NaN', 'NaN'), (2, 'Infinity', 'Infinity'), (3, '-Infinity', '-Infinity'), (4, -0.0, 1.50), (5, 1e30, NULL); "
                         "NOTIFY cmmc_reload")
        self.server.wait_until(lambda: self.server.get("/v1/marts/mart_test_odd").status == 200, "the mart")
        wanted = [(1, None, None), (2, None, None), (3, None, None), (4, 0, 1.5), (5, 1e30, None)]
        for limit in ("limit=10", "limit=all"):
            rows = self.load(self.get(limit, "mart_test_odd").body)["data"]
            self.assertEqual([tuple(None if value is None else float(value) for value in row.values()) for row in rows], wanted)
            lines = self.get(limit + "&format=csv", "mart_test_odd").rows[1:]
            self.assertEqual([tuple(float(value) if value else None for value in line) for line in lines], wanted)
        found = self.load(self.get("f=is.null&select=k", "mart_test_odd").body)["data"]
        self.assertEqual([row["k"] for row in found], ["1", "2", "3"])

    def test_a_stream_whose_backend_is_killed_is_seen_to_fail(self):
        url = f"http://127.0.0.1:{self.server.port}/v1/marts/mart_price_daily/rows?limit=all&format=csv&numbers=string"
        target = pathlib.Path(scratch_folder(), "received")
        reader = subprocess.Popen(["curl", "-s", "-S", "--limit-rate", "1M", "-o", target, url], stderr=subprocess.PIPE)
        try:
            self.server.wait_until(lambda: target.exists() and target.stat().st_size > 0, "the first bytes")
            postgres.sql(self.backend.settings["database_url"],
                         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                         "AND datname = current_database() AND query ILIKE 'COPY%'")
            _, errors = reader.communicate(timeout=60)
        finally:
            reader.kill()
        self.assertEqual(reader.returncode, 18, errors)
        self.server.wait_until(lambda: 'cmmc_stream_aborted_total{reason="error"} 1' in self.server.ops.get("/metrics").text,
                               "the metric of the aborted stream")
        self.assert_ok(self.server.get("/v1/marts/mart_fx_daily/rows?limit=1"))
