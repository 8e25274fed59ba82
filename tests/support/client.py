"""A small HTTP client that shows what was on the wire: no redirects, no decoding, no retries."""

import csv
import http.client
import io
import json
import re
import socket

from support.problems import bad_english, values_as_sent


class Response:
    """One answer. Header names are matched without regard to case; repeated headers are joined by ", "."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name, default=None):
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else default

    @property
    def media_type(self):
        return (self.header("Content-Type") or "").split(";")[0].strip()

    def link(self, relation):
        """The address that the Link header gives for a relation (RFC 8288), or None."""
        found = re.findall(r'<([^>]*)>; rel="([^"]*)"', self.header("Link", ""))
        return dict((name, address) for address, name in found).get(relation)

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def rows(self):
        """The records of a CSV answer, header line included."""
        return list(csv.reader(io.StringIO(self.text, newline="")))

    def __repr__(self):
        return f"<{self.status} {self.header('Content-Type')} {self.body[:600]!r}>"


class Client:
    """
    Talks to one listener. Every request has a connection of its own unless keep() is used. Of every answer that any test
    meets, errors[].value must be what was sent and its sentences must count in good English.
    """

    def __init__(self, port, host="127.0.0.1", timeout=30):
        self.host, self.port, self.timeout = host, port, timeout

    def request(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            answer = Response(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()
        if answer.media_type == "application/problem+json" and method != "HEAD":
            wrong = values_as_sent(target, headers or {}, body, answer.json)
            assert wrong is None, f"{method} {target} {body!r:.300}: not as it was sent: {wrong}"
        assert method == "HEAD" or bad_english(answer) is None, bad_english(answer)
        return answer

    def get(self, target, **headers):
        """Keyword arguments are headers: get("/v1/marts", if_none_match=tag)."""
        return self.request("GET", target, headers=_spell(headers))

    def head(self, target, **headers):
        return self.request("HEAD", target, headers=_spell(headers))

    def options(self, target, **headers):
        return self.request("OPTIONS", target, headers=_spell(headers))

    def post(self, target, body, **headers):
        """body is sent as it is when it is bytes, else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", target, data, {"Content-Type": "application/json", **_spell(headers)})

    def raw(self, data, timeout=10):
        """Sends bytes, closes the sending side and returns everything that comes back."""
        with socket.create_connection((self.host, self.port), timeout=timeout) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        return received


def _spell(headers):
    return {name.replace("_", "-").title(): value for name, value in headers.items()}
