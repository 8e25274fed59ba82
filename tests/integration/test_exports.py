"""Whole marts as files: made once and by one maker, swept, and gone with their generation."""

import concurrent.futures
import os
import pathlib
import time
import unittest

from support.backend import Postgresql, Sqlite
from support.dataset import Dataset
from support.problems import Assertions


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
        dataset = Dataset.copy_of_sample()
        dataset.change("fx_ecb.csv.gz", lambda text: text + "".join(
            line.replace("2026-10-30", "2026-11-20") + "\n" for line in text.splitlines() if ",2026-10-30," in line))
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


if __name__ == "__main__":
    unittest.main()
