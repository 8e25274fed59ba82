"""A Redis that takes TLS only, reached as docs/operations.md says: through stunnel, by the very lines of that page."""

import pathlib
import re
import shutil
import socket
import subprocess
import time
import unittest

from support.problems import Assertions
from support.redis import Redis, free_port
from support.server import ROOT, SLOW, Server, sample_var_dir, scratch_folder
from test_tls import make_certificate

ROWS = "/v1/marts/mart_price_daily/rows?uid=eq.stock:US.AAPL&limit=40"


def documented_lines():
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    return re.search(r"```\n(\[redis\]\n.*?)```", page, re.S)[1]


class Stunnel:
    """stunnel in the foreground, in a folder of its own."""

    def __init__(self, redis_port, ca_file, host="localhost"):
        self.folder = pathlib.Path(scratch_folder("stunnel"))
        self.port = free_port()
        lines = documented_lines()
        for there, here in (("127.0.0.1:6390", f"127.0.0.1:{self.port}"), ("redis.internal:6380", f"127.0.0.1:{redis_port}"),
                            ("/etc/ssl/certs/ca-certificates.crt", str(ca_file)), ("checkHost = redis.internal", f"checkHost = {host}")):
            assert lines.count(there) == 1, (there, lines)
            lines = lines.replace(there, here)
        config = self.folder / "stunnel.conf"
        config.write_text(f"foreground = yes\npid =\nsyslog = no\noutput = {self.folder}/log\n{lines}", "utf-8")
        self.process = subprocess.Popen([shutil.which("stunnel4") or shutil.which("stunnel"), str(config)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    @property
    def log(self):
        return (self.folder / "log").read_text("utf-8", "replace")

    def __enter__(self):
        deadline = time.monotonic() + 10 * SLOW
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    raise AssertionError("stunnel did not start\n" + self.log) from None
                time.sleep(0.02)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class RedisByTls(Assertions, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(scratch_folder("redis-tls"))
        cls.cert, cls.key = make_certificate(cls.folder)
        cls.tls_port = free_port()
        cls.redis = Redis("--tls-port", str(cls.tls_port), "--tls-cert-file", str(cls.cert), "--tls-key-file", str(cls.key),
                          "--tls-ca-cert-file", str(cls.cert), "--tls-auth-clients", "no")
        cls.addClassCleanup(cls.redis.stop)

    def server(self, port, var_dir):
        return Server(var_dir=var_dir, redis_url=f"redis://127.0.0.1:{port}/0", redis_ms=1000)

    def test_servers_share_answers_through_it(self):
        var_dir = sample_var_dir()
        with Stunnel(self.tls_port, self.cert) as tunnel:
            with self.server(tunnel.port, var_dir) as first:
                made = self.assert_ok(first.get(ROWS))
                self.assertIn("cmmc-redis; fwd=miss; stored", made.header("Cache-Status"))
            with self.server(tunnel.port, var_dir) as second:
                found = self.assert_ok(second.get(ROWS))
                self.assertIn("cmmc-redis; hit", found.header("Cache-Status"))
                self.assertEqual(found.body, made.body)
                second.wait_until(lambda: re.search(r"\[\+\] ?redis", second.ops.get("/readyz?verbose").text), "the channel is open")
            self.assertIn("Certificate accepted at depth=0: CN=localhost", tunnel.log)

    def test_without_it_that_redis_is_of_no_use(self):
        with self.server(self.tls_port, sample_var_dir()) as server:
            answer = self.assert_ok(server.get(ROWS))
            self.assertIn("cmmc-redis; fwd=bypass", answer.header("Cache-Status"))

    def test_a_redis_that_is_not_the_one_is_not_spoken_to(self):
        stranger, _ = make_certificate(self.folder, "stranger")
        for ca_file, host in ((stranger, "localhost"), (self.cert, "another.name")):
            with self.subTest(host=host), Stunnel(self.tls_port, ca_file, host) as tunnel, self.server(tunnel.port, sample_var_dir()) as server:
                before = len(self.redis.values())
                answer = self.assert_ok(server.get(ROWS + "&select=date"))
                self.assertIn("cmmc-redis; fwd=bypass", answer.header("Cache-Status"))
                self.assertEqual(len(self.redis.values()), before)
                self.assertIn("certificate", tunnel.log.lower())


if __name__ == "__main__":
    unittest.main()
