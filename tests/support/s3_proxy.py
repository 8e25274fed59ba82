"""
Between a client of S3 and a real server: looks at every request as strictly as AWS does and Ceph does not, and makes trouble when
told to.

Every request is signed once more by botocore over the bytes that came, and the signatures compared; host and all x-amz-* have to be
signed, paths escaped as S3 escapes them, hashes and checksums those of the body. What is wrong is in `complaints`, which a test
expects to be empty.
"""

import base64
import hashlib
import http.client
import http.server
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{0}</Code><Message>made up</Message></Error>'


class Seen:
    """One request as it came, and the status of its answer; None when it got none."""

    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body, self.status = method, target, headers, body, None
        self.path, _, self.query = target.partition("?")

    def __repr__(self):
        return f"{self.method} {self.target} -> {self.status}"


class Fault:
    """Trouble for the next requests that it fits: kind is answer, lost, reset, cut, corrupt, drip, inside or spoil."""

    def __init__(self, kind, method=None, has="", times=1, status=503, code="SlowDown", after=0, headers=()):
        self.kind, self.method, self.has, self.times = kind, method, has, times
        self.status, self.code, self.after, self.headers = status, code, after, dict(headers)

    def fits(self, seen):
        return self.times > 0 and self.method in (None, seen.method) and self.has in seen.target


def complaints_about(seen, secret):
    """What AWS would refuse of a request, as a list of texts."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.utils import percent_encode_sequence

    wrong = []
    sent = {name.lower(): value for name, value in seen.headers.items()}
    parts = dict(part.strip().partition("=")[::2] for part in sent.get("authorization", "").partition(" ")[2].split(","))
    signed = parts.get("SignedHeaders", "").split(";")
    access, day, region, service = (parts.get("Credential", "") + "////").split("/")[:4]
    if "host" not in signed:
        wrong.append("host is not signed")
    wrong += [f"{name} is not signed" for name in sent if name.startswith("x-amz-") and name not in signed]
    digest = hashlib.sha256(seen.body).digest()
    if sent.get("x-amz-content-sha256") != digest.hex():
        wrong.append("x-amz-content-sha256 is not that of the body")
    if sent.get("x-amz-checksum-sha256", base64.b64encode(digest).decode()) != base64.b64encode(digest).decode():
        wrong.append("x-amz-checksum-sha256 is not that of the body")
    if seen.method == "POST" and "uploadId" in seen.query and seen.body.count(b"<ChecksumSHA256>") != seen.body.count(b"<Part>"):
        wrong.append("the end of an upload in parts has no checksums")
    if seen.path != urllib.parse.quote(urllib.parse.unquote(seen.path), safe="/~"):
        wrong.append(f"the path is not escaped as S3 does: {seen.path}")
    pairs = urllib.parse.parse_qsl(seen.query, keep_blank_values=True)
    if seen.query and sorted(seen.query.split("&")) != sorted(percent_encode_sequence(pairs).split("&")):
        wrong.append(f"the query is not escaped as S3 does: {seen.query}")
    request = AWSRequest(method=seen.method, url=f"http://{sent['host']}{seen.target}", data=seen.body,
                         headers={name: sent.get(name, "") for name in signed})
    request.context["timestamp"] = sent.get("x-amz-date", "")
    auth = S3SigV4Auth(Credentials(access, secret), service, region)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    if auth.signature(text, request) != parts.get("Signature"):
        wrong.append("the signature is not botocore's")
    if not sent.get("x-amz-date", "").startswith(day):
        wrong.append("the scope's day is not the request's")
    return wrong


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Clients may be killed, and may not like the certificate."""
        if not isinstance(sys.exc_info()[1], (BrokenPipeError, ConnectionResetError, ssl.SSLError)):
            super().handle_error(request, client_address)


class FaultProxy:
    def __init__(self, server, tls=None):
        """tls: an ssl.SSLContext that it is reached by."""
        self.host, self.port = urllib.parse.urlsplit(server.endpoint).netloc.split(":")
        self.secret = server.secret
        self.seen, self.complaints, self.faults = [], [], []
        self.lock = threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                proxy.handle(self)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def fail(self, kind, **how):
        with self.lock:
            self.faults.append(Fault(kind, **how))

    def forget(self):
        with self.lock:
            self.seen, self.faults = [], []

    def _note(self, seen):
        wrong = complaints_about(seen, self.secret)
        with self.lock:
            self.seen.append(seen)
            self.complaints += [f"{seen.method} {seen.target}: {text}" for text in wrong]
            fault = next((fault for fault in self.faults if fault.fits(seen)), None)
            if fault is not None:
                fault.times -= 1
        return fault

    def handle(self, handler):
        length = int(handler.headers.get("Content-Length", 0))
        body = handler.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError
        seen = Seen(handler.command, handler.path, handler.headers, body)
        fault = self._note(seen)
        if fault is not None and fault.kind == "answer":
            self._answer(handler, seen, fault.status, fault.headers, ERROR.format(fault.code).encode())
            return
        if fault is not None and fault.kind == "spoil":  # on its way to the server, which has to notice
            seen.body = bytes([seen.body[0] ^ 1]) + seen.body[1:]
            fault = None
        status, headers, answer = self._forward(seen)
        if 200 <= status < 300 and "partNumber" in seen.query:  # as AWS does, and wants to hear again at the end
            headers["x-amz-checksum-sha256"] = seen.headers.get("x-amz-checksum-sha256", "")
        if fault is None:
            self._answer(handler, seen, status, headers, answer)
        elif fault.kind == "inside":
            self._answer(handler, seen, 200, headers, ERROR.format(fault.code).encode())
        else:
            self._trouble(handler, seen, fault, status, headers, answer)

    def _forward(self, seen):
        """As it came, Host and all: the signature covers them."""
        server = http.client.HTTPConnection(self.host, int(self.port), timeout=60)
        server.putrequest(seen.method, seen.target, skip_host=True, skip_accept_encoding=True)
        for name, value in seen.headers.items():
            if name.lower() != "expect":
                server.putheader(name, value)
        server.endheaders(seen.body)
        answer = server.getresponse()
        result = answer.status, dict(answer.getheaders()), answer.read()
        server.close()
        return result

    @staticmethod
    def _head(handler, seen, status, headers, length):
        handler.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                handler.send_header(name, value)
        length = headers.get("Content-Length", length) if seen.method == "HEAD" else length
        handler.send_header("Content-Length", str(length))
        handler.end_headers()

    def _answer(self, handler, seen, status, headers, body):
        seen.status = status
        self._head(handler, seen, status, headers, len(body))
        if seen.method != "HEAD":
            handler.wfile.write(body)

    def _trouble(self, handler, seen, fault, status, headers, body):
        handler.close_connection = True
        if fault.kind == "lost":  # done, and nobody hears of it
            self._reset(handler)
            return
        seen.status = status
        self._head(handler, seen, status, headers, len(body))
        if fault.kind == "corrupt":
            handler.wfile.write(body[:fault.after] + bytes([body[fault.after] ^ 1]) + body[fault.after + 1:])
        elif fault.kind == "drip":
            for at in range(0, len(body), 64):
                handler.wfile.write(body[at:at + 64])
                time.sleep(0.002)
        else:
            handler.wfile.write(body[:fault.after])
            handler.wfile.flush()
            if fault.kind == "reset":
                time.sleep(0.05)  # lets the bytes through, which a reset would throw away
                self._reset(handler)

    @staticmethod
    def _reset(handler):
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.rfile.close()
        handler.connection.close()
        handler.wfile = handler.rfile = _Nothing()


class _Nothing:
    """In place of the files of a connection that is gone."""

    closed = True

    def readline(self, *_):
        return b""

    def flush(self):
        pass

    def close(self):
        pass
