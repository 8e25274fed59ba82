"""A Redis that takes TLS only, reached as docs/operations.md says: by rediss://, or through stunnel by the very lines of that page."""

import itertools
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import time
import unittest

from support.problems import Assertions
from support.redis import Proxy, Redis, free_port
from support.server import ROOT, SLOW, Server, environment, run, sample_var_dir, scratch_folder
from test_tls import make_certificate

HAS_TLS = (os.environ.get("CMMC_TEST_VARIANT") == "hiredis1"
           or subprocess.run(["pkg-config", "--exists", "hiredis_ssl"], check=False).returncode == 0)
OFFSETS = itertools.count(1)
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


class Issuer:
    """A certificate authority of the test's own."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.cert = folder / f"{name}.crt"
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                      "-out", f"{name}.crt")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder)

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", days=2):
        """A certificate for these names and its key, as paths; days below zero: one that has expired."""
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n", "utf-8")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.crt", "-CAkey", f"{self.name}.key", "-CAcreateserial",
                      "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.crt")
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"


def without_verification():
    """How the test itself looks into a Redis whose certificate is wrong on purpose."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def tls_only(cert, key, *options):
    return Redis("--tls-cert-file", str(cert), "--tls-key-file", str(key), "--tls-auth-clients", "no", *options, tls=without_verification())


@unittest.skipIf(HAS_TLS, "this hiredis has TLS")
class WithoutTls(unittest.TestCase):
    def test_the_address_is_refused_at_start(self):
        done = run("serve", env=environment(scratch_folder("var"), port=0, ops_port=0, redis_url="rediss://localhost"))
        self.assertNotEqual(done.returncode, 0)
        for part in ("redis_url", "hiredis 1.0", "stunnel", "docs/operations.md"):
            self.assertIn(part, done.stderr)


@unittest.skipUnless(HAS_TLS, "this hiredis has no TLS")
class ByAddress(Assertions, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(scratch_folder("rediss"))
        cls.issuer = Issuer(cls.folder, "issuer")
        cls.cert, cls.key = cls.issuer.issue("redis")
        cls.redis = tls_only(cls.cert, cls.key)
        cls.addClassCleanup(cls.redis.stop)
        cls.var_dir = sample_var_dir()
        with Server(var_dir=cls.var_dir) as alone:
            cls.expected = alone.get(ROWS)

    def server(self, url=None, **settings):
        return Server(var_dir=self.var_dir, **{"redis_url": url or self.redis.url, "redis_ms": 1000, "redis_tls_ca_file": self.issuer.cert,
                                               **settings})

    def assert_answered(self, server, status, target=ROWS, **headers):
        """The answer is what it is without Redis, and Cache-Status says what Redis did for it."""
        answer = self.assert_ok(server.get(target, **headers))
        self.assertIn(f"cmmc-redis; {status}", answer.header("Cache-Status"))
        if target == ROWS:
            self.assertEqual((answer.body, answer.header("ETag")), (self.expected.body, self.expected.header("ETag")))
        return answer

    def assert_shared(self, url, **settings):
        """What one server has made, another finds."""
        with self.server(url, **settings) as first:
            self.assert_answered(first, "fwd=miss; stored")
        with self.server(url, **settings) as second:
            self.assert_answered(second, "hit")

    def assert_not_spoken_to(self, redis, reason, url=None, **settings):
        """Answers are as without Redis, it has heard no command, and readiness tells why."""
        with self.server(url or redis.url, **settings) as server:
            self.assert_answered(server, "fwd=bypass")
            server.wait_until(lambda: reason in server.ops.get("/readyz?verbose").text, reason)
            self.assertEqual(server.ops.get("/readyz").status, 200)
        self.assertEqual(set(redis.calls()) & {"get", "set", "subscribe", "auth", "select", "hgetall"}, set())

    def test_servers_share_answers(self):
        large = "/v1/marts/mart_price_daily/rows?limit=1000"
        self.redis.command("FLUSHALL")
        with self.server() as first, self.server() as second:
            for server in (first, second):
                server.wait_until(lambda server=server: "[+]redis" in server.ops.get("/readyz?verbose").text.replace(" ", ""), "the channel")
            self.assert_answered(first, "fwd=miss; stored")
            self.assert_answered(second, "hit")
            made = self.assert_answered(first, "fwd=miss; stored", large)
            self.assertGreater(max(self.redis.command("STRLEN", name) for name in self.redis.values()), 3 * 16384)  # several records of TLS
            self.assertEqual(self.assert_answered(second, "hit", large).body, made.body)
            # A worker reads this one, the thread that reads many at a time the ones above.
            part = self.assert_answered(first, "fwd=miss; stored", ROWS + "&select=date")
            found = self.assert_answered(second, "hit", ROWS + "&select=date", Prefer="count=none")
            self.assertEqual(found.json["data"], part.json["data"])

    def test_a_name_or_an_address_may_be_verified(self):
        for host in ("localhost", "127.0.0.1"):
            with self.subTest(host):
                self.redis.command("FLUSHALL")
                self.assert_shared(f"rediss://{host}:{self.redis.port}/3")

    def test_a_password_and_a_database(self):
        with tls_only(self.cert, self.key, "--requirepass", "p@ss:word") as redis:
            self.assert_shared(f"rediss://:p@ss:word@localhost:{redis.port}/2")

    def test_a_redis_that_is_not_the_one_is_not_spoken_to(self):
        stranger = Issuer(self.folder, "stranger")
        for name, issuer, names, days, reason in (
                ("issued-by-another", stranger, "DNS:localhost", 2, "unable to get local issuer certificate"),
                ("for-another", self.issuer, "DNS:another.name", 2, "hostname mismatch"),
                ("expired", self.issuer, "DNS:localhost", -1, "certificate has expired")):
            with self.subTest(name), tls_only(*issuer.issue(name, names, days)) as redis:
                self.assert_not_spoken_to(redis, reason, f"rediss://:secret@localhost:{redis.port}/1")
        with self.subTest("an address"), tls_only(*self.issuer.issue("named", "DNS:localhost")) as redis:
            self.assert_not_spoken_to(redis, "IP address mismatch", f"rediss://127.0.0.1:{redis.port}")
        with self.subTest("the system's issuers"):
            self.redis.command("CONFIG", "RESETSTAT")
            self.assert_not_spoken_to(self.redis, "unable to get local issuer certificate", redis_tls_ca_file="")

    def test_plain_and_silent_ports_are_not_spoken_to(self):
        with Redis() as plain:
            self.assert_not_spoken_to(plain, "no TLS", f"rediss://localhost:{plain.port}")
        with Proxy(self.redis.port) as proxy:
            proxy.is_silent = True
            with self.server(f"rediss://localhost:{proxy.port}", redis_ms=20 * SLOW) as server:
                self.assert_answered(server, "fwd=bypass")
                server.wait_until(lambda: "no TLS in time" in server.ops.get("/readyz?verbose").text, "the reason")

    def is_stored(self, server):
        status = self.assert_ok(server.get(f"{ROWS}&offset={next(OFFSETS)}")).header("Cache-Status")
        return "cmmc-redis; fwd=miss; stored" in status

    def test_it_comes_back_after_a_cut(self):
        with Proxy(self.redis.port) as proxy, self.server(f"rediss://localhost:{proxy.port}") as server:
            self.assertTrue(self.is_stored(server))
            proxy.cut()
            server.wait_until(lambda: self.is_stored(server), "a new connection")

    def test_it_comes_back_after_a_restart(self):
        with tls_only(self.cert, self.key) as redis, self.server(redis.url) as server:
            self.assertTrue(self.is_stored(server))
            redis.stop()
            self.assertFalse(self.is_stored(server))
            redis.start()
            server.wait_until(lambda: self.is_stored(server), "a new connection", timeout=60)
            server.wait_until(lambda: "[+]redis" in server.ops.get("/readyz?verbose").text.replace(" ", ""), "the channel", timeout=60)

    def test_a_redis_that_asks_for_a_certificate_gets_one(self):
        cert, key = self.issuer.issue("client", "DNS:client")
        context = without_verification()
        context.load_cert_chain(cert, key)
        with Redis("--tls-cert-file", str(self.cert), "--tls-key-file", str(self.key), "--tls-ca-cert-file", str(self.issuer.cert),
                   "--tls-auth-clients", "yes", tls=context) as redis:
            self.assert_shared(redis.url, redis_tls_cert_file=cert, redis_tls_key_file=key)
            redis.command("FLUSHALL")
            with self.server(redis.url) as server:
                self.assert_answered(server, "fwd=bypass")
                self.assertEqual(redis.values(), [])

    def test_files_that_cannot_be_used_are_refused_at_start(self):
        cert, key = self.issuer.issue("own")
        _, other_key = self.issuer.issue("other")
        text = self.folder / "text"
        text.write_text("no certificate\n")
        for about, what, settings in (
                ("redis_tls_ca_file", "no certificates", {"redis_tls_ca_file": text}),
                ("redis_tls_ca_file", "no certificates", {"redis_tls_ca_file": self.folder / "none"}),
                ("redis_tls_key_file", "is empty", {"redis_tls_cert_file": cert}),
                ("redis_tls_cert_file", "is empty", {"redis_tls_key_file": key}),
                ("redis_tls_cert_file", "no certificate that can be read", {"redis_tls_cert_file": text, "redis_tls_key_file": key}),
                ("redis_tls_key_file", "no key that can be read", {"redis_tls_cert_file": cert, "redis_tls_key_file": other_key})):
            with self.subTest(settings):
                done = run("serve", env=environment(scratch_folder("var"), port=0, ops_port=0, redis_url=self.redis.url, **settings))
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(about, done.stderr)
                self.assertIn(what, done.stderr)


class PlainAddress(unittest.TestCase):
    def test_files_for_tls_are_refused_beside_an_address_without_it(self):
        for setting in ("redis_tls_ca_file", "redis_tls_cert_file", "redis_tls_key_file"):
            with self.subTest(setting):
                done = run("serve", env=environment(scratch_folder("var"), port=0, ops_port=0, redis_url="redis://localhost", **{setting: "/x"}))
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(f"{setting} is for TLS, which redis_url does not ask for.", done.stderr)


if __name__ == "__main__":
    unittest.main()
