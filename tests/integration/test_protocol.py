"""HTTP as the real server speaks it, byte by byte: what docs and clients may rely on, and what stays refused.

The library underneath trusts what it cannot parse. Each row here pins what comes out of the whole server, so that a
new version of the library shows itself.
"""

import json
import os
import re
import socket
import threading
import time
import unittest

from support.server import SLOW, Server, sample_var_dir

SECOND = b"GET /v1/marts HTTP/1.1\r\nHost: x\r\n\r\n"


def converse(port, data, timeout=10, keep_sending=True):
    """Sends data and reads until the server closes. (bytes received, seconds it took, whether it closed)"""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=timeout * SLOW) as connection:
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            assert keep_sending
        received, closed = b"", False
        try:
            while chunk := connection.recv(65536):
                received += chunk
            closed = True
        except ConnectionResetError:
            closed = True
        except socket.timeout:
            pass
    return received, time.monotonic() - started, closed


def status_lines(received):
    return re.findall(rb"^HTTP/1\.[01] (\d{3}) ", received, re.M)


def get(target, *headers, method="GET", version="HTTP/1.1", host="x"):
    lines = [f"{method} {target} {version}"] + ([f"Host: {host}"] if host is not None else []) + list(headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Framing(unittest.TestCase):
    """Whatever is wrong with a head: one answer at most, the connection ends, nothing smuggled is run."""

    REFUSED = {
        "length and chunked": (b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        "two lengths": (b"Content-Length: 0\r\nContent-Length: 36\r\n\r\n", 400),
        "two codings": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 400),
        "space before colon": (b"Content-Length : 36\r\n\r\n", 400),
        "tab before colon": (b"Content-Length\t: 36\r\n\r\n", 400),
        "folded length": (b"Content-Length:\r\n 36\r\n\r\n", 400),
        "look-alike name": (b"Content-Length2: 36\r\n\r\n", 400),
        "NUL in a header": (b"A: b\0c\r\nContent-Length: 36\r\n\r\n", None),
        "bare CR in a header": (b"A: b\rContent-Length: 36\r\n\r\n", None),
        "bare LF": (b"A: b\nContent-Length: 0\n\n", None),
        "unknown coding": (b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
        "gzip coding": (b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    }

    @classmethod
    def setUpClass(cls):
        cls.server = Server(var_dir=sample_var_dir(), header_timeout_ms=1000, body_timeout_ms=1000, idle_timeout_s=4).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_smuggled_requests_are_never_run(self):
        for name, (head, wanted) in self.REFUSED.items():
            with self.subTest(name):
                received, _, closed = converse(self.server.port, b"POST /v1/backtests HTTP/1.1\r\nHost: x\r\n" + head + SECOND)
                statuses = status_lines(received)
                self.assertTrue(closed, received)
                self.assertLessEqual(len(statuses), 1, received)
                self.assertNotIn(b"200", statuses, received)
                if wanted is not None:
                    self.assertEqual(statuses, [str(wanted).encode()], received)
                    self.assertIn(b"application/problem+json", received)

    def test_host_is_sent_exactly_once(self):
        for data in (get("/", host=None), get("/", "Host: y"), get("/", host=""), get("/", host="a b"), get("/", host="a/b")):
            received, _, closed = converse(self.server.port, data + SECOND)
            self.assertEqual((status_lines(received), closed), ([b"400"], True), data)
        received, _, _ = converse(self.server.port, get("/", host=None, version="HTTP/1.0"))
        self.assertEqual(status_lines(received), [b"200"])

    def test_lengths_that_the_library_refuses_run_nothing(self):
        for value in ("-1", "+5", "5,5", "9" * 30, ""):
            received, _, closed = converse(self.server.port, get("/v1/backtests", f"Content-Length: {value}", method="POST") + SECOND)
            self.assertTrue(closed)
            self.assertTrue({b"400", b"413"} >= set(status_lines(received)), received)

    def test_a_body_ends_the_connection(self):
        received, _, closed = converse(self.server.port, get("/v1/marts", "Content-Length: 4") + b"body" + SECOND)
        self.assertEqual((status_lines(received), closed), ([b"200"], True))

    def test_pipelined_requests_are_answered_in_order(self):
        targets = ["/v1/marts", "/v1/instruments?limit=1", "/nowhere", "/v1/marts/mart_price_daily"] * 5
        data = b"".join(get(target) for target in targets[:-1]) + get(targets[-1], "Connection: close")
        received, _, closed = converse(self.server.port, data)
        self.assertTrue(closed)
        self.assertEqual(status_lines(received), [b"200", b"200", b"404", b"200"] * 5)

    def test_a_request_may_come_byte_by_byte(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10 * SLOW) as connection:
            for byte in get("/v1/marts", "Connection: close"):
                connection.sendall(bytes([byte]))
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        self.assertEqual(status_lines(received), [b"200"])

    def test_drips_are_cut_at_absolute_deadlines(self):
        for head in (b"GET /v1/marts HTTP/1.1\r\nHost: x\r\nA: ",
                     b"POST /v1/backtests HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as connection:
                connection.sendall(head)
                started = time.monotonic()
                try:
                    while time.monotonic() - started < 20 * SLOW:
                        connection.sendall(b"a")
                        time.sleep(0.05)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assertLess(time.monotonic() - started, 4 * SLOW)

    def test_garbage_closes_within_the_timeout(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(100), b"\0" * 50, b"hello\r\n\r\n", b"GET"):
            _, took, closed = converse(self.server.port, data, timeout=8)
            self.assertTrue(closed, data)
            self.assertLess(took, 6 * SLOW)


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(var_dir=sample_var_dir()).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def answer(self, data):
        received, _, closed = converse(self.server.port, data)
        self.assertTrue(closed, received)
        self.assertEqual(len(status_lines(received)), 1, received)
        head, _, body = received.partition(b"\r\n\r\n")
        return int(status_lines(received)[0]), head.decode("latin-1"), body

    def assert_problem(self, data, status, code):
        got, head, body = self.answer(data)
        self.assertEqual(got, status, body)
        self.assertIn("Content-Type: application/problem+json", head)
        problem = json.loads(body)
        self.assertEqual(problem["code"], code)
        self.assertEqual(problem["status"], status)
        self.assertEqual(set(problem), {"type", "title", "status", "detail", "code", "instance", "errors", "request_id",
                                        "trace_id", "retryable"})
        return problem

    def test_methods_and_versions(self):
        close = "Connection: close"
        for method in ("CONNECT", "get", "PROPFIND"):
            self.assert_problem(get("/v1/marts", close, method=method), 501, "Q116")
        for method in ("DELETE", "TRACE", "QUERY"):
            self.assert_problem(get("/v1/marts", close, method=method), 405, "Q114")
        self.assert_problem(get("/v1/marts", close, version="HTTP/1.2"), 505, "Q117")
        self.assertEqual(self.answer(get("/v1/marts", close, version="HTTP/2.0"))[0], 505)
        status, head, body = self.answer(get("/v1/marts", close, method="OPTIONS"))
        self.assertEqual((status, body), (204, b""))
        self.assertIn("Allow: GET, HEAD, OPTIONS", head)
        self.assertEqual(self.answer(get("*", close, method="OPTIONS"))[0], 204)

    def test_head_has_the_headers_of_get(self):
        _, head, body = self.answer(get("/v1/marts", "Connection: close", method="HEAD"))
        _, full, text = self.answer(get("/v1/marts", "Connection: close"))
        self.assertEqual(body, b"")
        self.assertIn(f"Content-Length: {len(text)}", head)
        names = [[line.split(":")[0] for line in part.split("\r\n")[1:]] for part in (head, full)]
        self.assertEqual(sorted(names[0]), sorted(names[1]))

    def test_forms_of_the_target(self):
        close = "Connection: close"
        self.assertEqual(self.answer(get("http://x/v1/marts", close))[0], 200)
        for target in ("x:80", "*", "http://u@x/v1/marts", "v1/marts", "//v1/marts", "/v1/../v1/marts", "/v1/%2e%2e/marts",
                       "/v1%2Fmarts", "/v1/marts/%00", "/v1/marts/%zz", "/v1/marts/\xff", "/v1/./marts", "/v1/marts#a"):
            self.assert_problem(get(target, close), 400, "Q100")

    def test_limits_of_the_head(self):
        close = "Connection: close"
        self.assert_problem(get("/v1/marts?" + "a" * 9000, close), 414, "L101")
        self.assert_problem(get("/v1/marts", close, *[f"X-{i}: y" for i in range(70)]), 431, "L102")
        self.assert_problem(get("/v1/marts", close, "X: " + "y" * 20000), 431, "L102")
        for n in (500, 1000, 4000, 20000):  # an answer or a close, never silence
            _, took, closed = converse(self.server.port, get("/v1/marts?" + "&".join(["a"] * n), close))
            self.assertTrue(closed)
            self.assertLess(took, 3 * SLOW)

    def test_sizes_of_the_head_and_what_becomes_of_each(self):
        """Pinned: what is served, what is refused as a problem, and nothing that is left waiting."""
        close = "Connection: close"
        for kib, wanted in ((7, {400}), (8, {414}), (16, {414}), (64, {414, 431, None})):  # 400: an unknown parameter
            self.assertIn(self.fate(get("/v1/marts?" + "a" * (kib * 1024), close)), wanted, f"target of {kib} KiB")
        for kib, wanted in ((8, {200}), (64, {431, None})):
            self.assertIn(self.fate(get("/v1/marts", close, "X: " + "y" * (kib * 1024))), wanted, f"header of {kib} KiB")
            lines = [f"X-{i}: " + "y" * 1000 for i in range(kib)]
            self.assertIn(self.fate(get("/v1/marts", close, *lines)), wanted, f"{kib} headers of 1 KiB")
        for n, wanted in ((50, {200}), (100, {431}), (1000, {431, None})):
            self.assertIn(self.fate(get("/v1/marts", close, *[f"X-{i}: y" for i in range(n)])), wanted, f"{n} headers")

    def fate(self, data):
        """The status of the only answer, or None for a close without one; 3 s are silence."""
        received, took, closed = converse(self.server.port, data)
        self.assertTrue(closed)
        self.assertLess(took, 3 * SLOW)
        statuses = status_lines(received)
        self.assertLessEqual(len(statuses), 1)
        return int(statuses[0]) if statuses else None

    def test_other_protocols_are_not_spoken(self):
        """An upgrade is not taken: the answer is HTTP/1.1. The preface of HTTP/2 is 505 and the end."""
        upgrade = get("/v1/marts", "Connection: Upgrade, HTTP2-Settings, close", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
        status, head, _ = self.answer(upgrade)
        self.assertEqual(status, 200)
        self.assertNotIn("upgrade:", head.lower())
        self.assertEqual(self.fate(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"), 505)
        self.assertEqual(self.answer(get("/v1/marts", "Connection: Upgrade, close", "Upgrade: websocket"))[0], 200)

    def test_expectations(self):
        self.assert_problem(get("/v1/backtests", "Expect: 100-continue", "Content-Length: 99999999", method="POST"), 413, "L100")
        self.assert_problem(get("/v1/marts", "Expect: a-miracle", "Connection: close"), 417, "Q115")
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10 * SLOW) as connection:
            connection.sendall(get("/v1/backtests", "Expect: 100-continue", "Content-Length: 2",
                                   "Content-Type: application/json", method="POST"))
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 100 "))
            connection.sendall(b"{}")
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 422 "))

    def test_a_large_refused_body_does_not_hide_the_error(self):
        body = b"x" * (8 << 20)
        status, _, _ = self.answer(get("/v1/backtests", f"Content-Length: {len(body)}", method="POST") + body)
        self.assertEqual(status, 413)

    def test_http_10(self):
        status, head, _ = self.answer(get("/v1/marts", version="HTTP/1.0"))
        self.assertEqual(status, 200)
        self.assertNotIn("chunked", head)
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10 * SLOW) as connection:
            for _ in range(2):
                connection.sendall(get("/", "Connection: Keep-Alive", version="HTTP/1.0"))
                self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200 "))

    def test_half_closed_clients_get_their_answer(self):
        for target in ("/v1/marts", "/v1/instruments?limit=1"):
            self.assertEqual(status_lines(self.server.data.raw(get(target))), [b"200"])

    def test_a_trace_is_joined_or_started(self):
        trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
        answer = self.server.get("/v1/marts/none", traceparent=f"00-{trace_id}-00f067aa0ba902b7-01")
        self.assertEqual(answer.json["trace_id"], trace_id)
        self.assertRegex(answer.header("Server-Timing"), f'traceparent;desc="00-{trace_id}-(?!00f067aa0ba902b7)[0-9a-f]{{16}}-01"')
        self.server.wait_until(lambda: any(e["trace_id"] == trace_id for e in self.server.events("request")), "logged")
        for wrong in (f"00-{trace_id}", f"00-{trace_id.upper()}-00f067aa0ba902b7-01"):
            own = self.server.get("/v1/marts/none", traceparent=wrong).json["trace_id"]
            self.assertRegex(own, "^[0-9a-f]{32}$")
            self.assertNotEqual(own.lower(), trace_id)

    def test_request_ids(self):
        answer = self.server.get("/v1/marts", x_request_id="abc-123")
        self.assertEqual(answer.header("X-Request-Id"), "abc-123")
        answer = self.server.get("/v1/marts", x_request_id="no good")
        self.assertRegex(answer.header("X-Request-Id"), r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.server.wait_until(lambda: any(e["client_request_id"] == "abc-123" for e in self.server.events("request")), "logged")

    def test_the_log_holds_one_clean_line_per_request_and_no_secret(self):
        marker = "canary-7f3a"
        self.server.get(f"/v1/marts?api_key={marker}")
        self.server.get("/v1/marts", user_agent="a\tb\"c")
        self.server.wait_until(lambda: any("api_key=***" in e["target"] for e in self.server.events("request")), "logged")
        self.assertNotIn(marker, self.server.stderr)
        for event in self.server.events("request"):
            self.assertLessEqual({"id", "method", "route", "target", "status", "bytes", "duration_ms", "outcome"}, set(event))

    def test_cors(self):
        answer = self.server.data.options("/v1/backtests", origin="http://a.example", access_control_request_method="POST")
        self.assertEqual(answer.status, 204)
        self.assertEqual(answer.header("Access-Control-Allow-Origin"), "*")
        self.assertIn("POST", answer.header("Access-Control-Allow-Methods"))
        self.assertIn("Content-Type", answer.header("Access-Control-Allow-Headers"))

    def test_metrics_have_no_client_text_in_their_labels(self):
        for i in range(50):
            self.server.get(f"/random/{i}")
        text = self.server.ops.get("/metrics").text
        self.assertNotIn("random", text)
        self.assertIn('cmmc_http_requests_total{route="unmatched",method="GET",status="404"}', text)


def count_sockets(server):
    """Open sockets of the server's process; database files come and go by rules of their own."""
    folder, n = f"/proc/{server.process.pid}/fd", 0
    for name in os.listdir(folder):
        try:
            n += os.readlink(f"{folder}/{name}").startswith("socket:")
        except FileNotFoundError:
            pass
    return n


class Limits(unittest.TestCase):
    def test_connections_beyond_the_limit_wait_and_the_ops_port_answers(self):
        with Server(var_dir=sample_var_dir(), connection_limit=64, http_threads=2) as server:
            held = []
            try:
                for _ in range(80):
                    held.append(socket.create_connection(("127.0.0.1", server.port), timeout=5))
                connections = re.compile(r'cmmc_connections\{listener="data"\} (\d+)\n')
                server.wait_until(lambda: int(connections.search(server.ops.get("/metrics").text)[1]) >= 60, "the limit is reached")
                self.assertEqual(server.ops.get("/livez").status, 200)
                self.assertLess(int(connections.search(server.ops.get("/metrics").text)[1]), 70)
            finally:
                for connection in held:
                    connection.close()
            server.wait_until(lambda: 'cmmc_connections{listener="data"} 0\n' in server.ops.get("/metrics").text, "closed")
            self.assertEqual(server.get("/v1/marts").status, 200)

    def test_thousands_of_idle_connections_do_not_slow_active_ones(self):
        with Server(var_dir=sample_var_dir()) as server:
            held = []
            try:
                for _ in range(2000):
                    held.append(socket.create_connection(("127.0.0.1", server.port), timeout=5))
                times = []
                for _ in range(100):
                    started = time.monotonic()
                    self.assertEqual(server.get("/v1/marts").status, 200)
                    times.append(time.monotonic() - started)
                self.assertLess(sorted(times)[95], 0.05 * SLOW)
            finally:
                for connection in held:
                    connection.close()

    def test_clients_that_vanish_leave_nothing_behind(self):
        with Server(var_dir=sample_var_dir()) as server:
            self.assertEqual(server.get("/v1/instruments?limit=1").status, 200)
            server.wait_until(lambda: count_sockets(server) == 2, "only the listeners")

            def vanish():
                for i in range(30):
                    connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
                    connection.sendall(get("/v1/marts/mart_price_daily/rows?limit=5000") if i % 2 else b"GET /v1/ma")
                    connection.close()

            threads = [threading.Thread(target=vanish) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            server.wait_until(lambda: count_sockets(server) == 2, "descriptors are given back")
            server.wait_until(lambda: "\ncmmc_http_inflight 0\n" in server.ops.get("/metrics").text, "nothing in flight")


if __name__ == "__main__":
    unittest.main()
