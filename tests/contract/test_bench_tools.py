"""The benchmarks' own arithmetic, and their load generator against servers that misbehave on purpose."""

import contextlib
import json
import math
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVE = ROOT / "tests" / "bench" / "serve"
sys.path.insert(0, str(SERVE))

import bench  # noqa: E402
import figures  # noqa: E402


class Figures(unittest.TestCase):
    def test_ratio_is_taken_round_by_round(self):
        # The second round was disturbed for both alike: a ratio of medians would not be 2.
        self.assertEqual(figures.ratios([100, 10, 80], [50, 5, 40]), [2, 2, 2])

    def test_ratio_needs_as_many_rounds_of_both(self):
        for ours, theirs in (([1, 2], [1]), ([], [])):
            with self.assertRaises(ValueError):
                figures.ratios(ours, theirs)

    def test_nothing_of_the_peer_is_an_infinite_ratio(self):
        self.assertEqual(figures.ratios([1], [0]), [math.inf])

    def test_spread_is_lowest_median_highest(self):
        self.assertEqual(figures.spread([3, 1, 2, 10]), (1, 2.5, 10))

    def test_numbers_have_three_digits_and_no_exponent(self):
        for value, text in ((12345.6, "12,346"), (1234567, "1,234,567"), (15.549, "15.5"), (0.01234, "0.0123"),
                            (0, "0"), (None, "-"), (math.nan, "-")):
            self.assertEqual(figures.significant(value), text)

    def test_less_time_is_a_higher_ratio(self):
        row = figures.Row("csv", "psql", (">=", 0.8)).compare([2.0], [1.0], "s", higher_is_better=False)
        self.assertEqual((row.middle, row.verdict()), (0.5, ">= 0.8: **missed**"))

    def test_goal_at_its_bound_is_met(self):
        self.assertTrue(figures.is_met(0.8, (">=", 0.8)))
        self.assertTrue(figures.is_met(8, ("<=", 8)))
        self.assertFalse(figures.is_met(8.1, ("<=", 8)))
        self.assertIsNone(figures.is_met(1, None))

    def test_table_has_a_cell_for_every_heading(self):
        row = figures.Row("a | b", "peer").compare([1], [2], "req/s")
        lines = figures.table([row]).splitlines()
        self.assertEqual([len(re.split(r"(?<!\\)\|", line)) for line in lines], [len(figures.HEADINGS) + 2] * 3)


class Documents(unittest.TestCase):
    def test_run_sh_names_every_scenario(self):
        text = (SERVE / "run.sh").read_text("utf-8")
        named = re.search(r"Scenarios: ([a-z0-9 -]+);", text).group(1).split()
        self.assertEqual(named, list(bench.SCENARIOS))

    def test_a_run_replaces_only_what_is_between_the_marks(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder, "page.md")
            page.write_text("above\n<!-- run -->\nold\n<!-- end of run -->\nbelow\n", "utf-8")
            bench.write_page(page, "run.sh --quick", "NEW")
            text = page.read_text("utf-8")
        self.assertRegex(text, r"(?s)^above\n<!-- run -->\n.*run\.sh --quick.*NEW.*<!-- end of run -->\nbelow\n$")
        self.assertNotIn("old", text)


class Load(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.program = pathlib.Path(cls.folder.name, "loadgen")
        subprocess.run(["cc", "-std=c17", "-O2", "-D_GNU_SOURCE", "-o", cls.program, SERVE / "loadgen.c"], check=True)
        cls.targets = pathlib.Path(cls.folder.name, "targets")
        cls.targets.write_text("/a\n/b\n", "utf-8")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def load(self, answer, *words):
        """Runs loadgen against a server that calls answer(n) for the bytes of its n-th answer."""
        listener = socket.create_server(("127.0.0.1", 0))
        count, lock = [0], threading.Lock()

        def serve(connection):
            with connection:
                with contextlib.suppress(ConnectionError):
                    while connection.recv(65536):
                        with lock:
                            count[0] += 1
                            n = count[0]
                        for piece in answer(n):
                            connection.sendall(piece)

        def accept():
            while True:
                try:
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
                except OSError:
                    return
        threading.Thread(target=accept, daemon=True).start()
        try:
            done = subprocess.run([self.program, *words, str(listener.getsockname()[1]), self.targets], check=True,
                                  capture_output=True, text=True, timeout=30)
        finally:
            listener.close()
        return json.loads(done.stdout)

    def test_answers_in_pieces_and_in_chunks_are_counted_once(self):
        def answer(n):
            if n % 2:
                return [b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\n\r\nhe", b"llo"]
            return [b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", b"lo\r\n0\r\nX: y\r\n",
                    b"\r\n"]
        result = self.load(answer, "-c", "1", "-d", "0.5", "-w", "0")
        self.assertEqual(result["errors"], 0)
        self.assertLessEqual(abs(result["statuses"]["200"] - result["statuses"]["404"]), 1)
        self.assertEqual(sum(result["statuses"].values()), result["requests"])

    def test_bytes_after_an_answer_are_an_error(self):
        result = self.load(lambda n: [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"], "-c", "1", "-d", "0.3", "-w",
                           "0")
        self.assertGreater(result["errors"], 0)
        self.assertEqual(result["requests"], 0)

    def test_a_stall_counts_for_every_request_that_was_due_in_it(self):
        """One pause of 300 ms at 200 requests a second: sixty of them waited for it, not the one that met it."""
        def answer(n):
            if n == 50:
                time.sleep(0.3)
            return [b"HTTP/1.1 304 Not Modified\r\n\r\n"]
        result = self.load(answer, "-c", "1", "-d", "1", "-w", "0", "-r", "200")
        self.assertEqual(result["statuses"].keys(), {"304"})
        self.assertGreater(result["max_us"], 290e3)
        self.assertGreater(result["p99_us"], 250e3)


if __name__ == "__main__":
    unittest.main()
