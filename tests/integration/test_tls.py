"""TLS on the data listener, with a certificate made for the test; and what is said when it cannot be used."""

import http.client
import pathlib
import socket
import ssl
import subprocess
import unittest
import warnings

from support.server import Server, environment, run, sample_var_dir, scratch_folder


def make_certificate(folder, name="server"):
    """A self-signed certificate for localhost and its key, as paths."""
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
                   check=True, capture_output=True)
    return cert, key


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(scratch_folder("tls"))
        cls.cert, cls.key = make_certificate(cls.folder)
        cls.server = Server(var_dir=sample_var_dir(), tls_cert_file=cls.cert, tls_key_file=cls.key,
                            header_timeout_ms=1000).start()
        cls.context = ssl.create_default_context(cafile=str(cls.cert))

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def get(self, connection, path, **headers):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()

    def test_many_requests_go_over_one_verified_connection(self):
        connection = http.client.HTTPSConnection("localhost", self.server.port, context=self.context, timeout=20)
        for path in ("/v1/marts", "/v1/marts/mart_price_daily/rows?limit=2000", "/v1/marts/nothing/rows", "/v1/marts"):
            answer, body = self.get(connection, path)
            self.assertEqual(answer.status, 404 if "nothing" in path else 200)
            self.assertEqual(len(body), int(answer.headers["Content-Length"]))
        answer, body = self.get(connection, "/v1/marts")
        again, empty = self.get(connection, "/v1/marts", **{"If-None-Match": answer.headers["ETag"]})
        self.assertEqual((again.status, empty), (304, b""))
        connection.close()

    def test_curl_verifies_and_reads(self):
        done = subprocess.run(["curl", "-sS", "--cacert", str(self.cert), "-o", "/dev/null", "-w", "%{http_code}",
                               f"https://localhost:{self.server.port}/v1/marts"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, "200"), done.stderr)

    def test_old_protocols_are_refused(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as plain:
            with self.assertRaises(ssl.SSLError):
                context.wrap_socket(plain)

    def test_plain_http_on_the_port_is_ended_and_ops_stays_plain(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                said = plain.recv(4096)
            except ConnectionResetError:
                said = b""
            self.assertFalse(said.startswith(b"HTTP"))
        self.assertEqual(self.server.ops.get("/livez").status, 200)

    def test_client_that_never_finishes_the_handshake_is_cut(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as plain:
            plain.sendall(b"\x16\x03\x01\x02\x00\x01")
            self.assertEqual(plain.recv(4096), b"")


class WrongFiles(unittest.TestCase):
    def refused(self, **settings):
        done = run("serve", env=environment(scratch_folder("var"), port=0, ops_port=0, **settings))
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_the_message_names_the_setting_and_what_is_wrong(self):
        folder = pathlib.Path(scratch_folder("tls"))
        cert, key = make_certificate(folder)
        _, other_key = make_certificate(folder, "other")
        text = folder / "text"
        text.write_text("no certificate\n")
        self.assertIn("tls_key_file is empty", self.refused(tls_cert_file=cert))
        self.assertIn("tls_cert_file is empty", self.refused(tls_key_file=key))
        self.assertIn("No such file", self.refused(tls_cert_file=folder / "none", tls_key_file=key))
        self.assertIn("is not PEM", self.refused(tls_cert_file=cert, tls_key_file=text))
        self.assertIn("cannot be used", self.refused(tls_cert_file=cert, tls_key_file=other_key))
