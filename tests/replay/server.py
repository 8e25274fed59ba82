"""
A server of HTTP/1.1 on a free port of this machine: the first name of the path is the source, the rest what the source is asked.
Faults are queued by a part of the path; each spoils as many answers as it says, then the world is whole again.
From another process: POST /_control with {"fault": {"match": ..., "kind": ...}}, {"revise": [name, date, factor]},
{"hide": [name, date]}, {"show": [name, date]} or {"reset": true}; GET /_control tells the requests seen so far.
"""

import datetime
import email.utils
import gzip
import http.server
import json
import threading
import time
import urllib.parse

from replay import bodies
from replay.world import World

PAGE = "<!doctype html><html><body>Will be right back</body></html>"


class Answer:
    def __init__(self, status, body, kind="application/json; charset=utf-8"):
        self.status, self.kind, self.headers = status, kind, {}
        self.body = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()
        self.is_chunked, self.cut, self.wait = False, None, None


def spoil(answer, fault):
    """The answer as a fault leaves it; fault is a dictionary with a kind and what the kind needs."""
    kind = fault["kind"]
    if kind == "status":
        answer.status, answer.body = fault.get("status", 500), str(fault.get("body", "")).encode()
        answer.kind = fault.get("type", "text/plain")
    elif kind == "throttle":
        after = fault.get("after", 1)
        answer.status, answer.body, answer.kind = 429, b"Too Many Requests", "text/plain"
        answer.headers["Retry-After"] = email.utils.formatdate(time.time() + after, usegmt=True) if fault.get("as_date") else str(after)
    elif kind == "quota":
        answer.status, answer.kind = 200, "application/xml"
        answer.body = bodies.portal_error("LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR", 22).encode()
    elif kind == "html":
        answer.status, answer.body, answer.kind = fault.get("status", 200), PAGE.encode(), "text/html; charset=utf-8"
    elif kind == "type":
        answer.kind = fault.get("type", "application/octet-stream")
    elif kind == "empty":
        answer.body = b""
    elif kind == "replace":  # a schema that drifts: text for text
        answer.body = answer.body.replace(fault["old"].encode(), fault["new"].encode())
    elif kind == "body":
        answer.status, answer.body = fault.get("status", 200), fault["body"].encode()
    elif kind == "gzip":
        answer.body = gzip.compress(answer.body, mtime=0)
        answer.headers["Content-Encoding"] = "gzip"
        answer.is_chunked, answer.kind = fault.get("is_chunked", False), fault.get("type", answer.kind)
    elif kind == "chunked":
        answer.is_chunked = True
    elif kind == "redirect":
        answer.status, answer.body, answer.headers["Location"] = fault.get("status", 302), b"", fault["to"]
    elif kind == "truncate":  # the length that was announced never comes
        answer.cut = len(answer.body) // 2
    elif kind == "slow":
        answer.wait = threading.Event() if fault.get("seconds") is None else fault["seconds"]
    else:
        raise ValueError(f"no fault is called {kind}")
    return answer


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer_to(b"")

    def do_POST(self):
        self.answer_to(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def answer_to(self, body):
        replay = self.server.replay
        parts = urllib.parse.urlsplit(self.path)
        source, _, rest = parts.path.lstrip("/").partition("/")
        if source == "_control":
            return self.send(Answer(200, replay.control(json.loads(body)) if body else replay.seen))
        ask = bodies.Ask("/" + rest, dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
                         dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)), self.headers)
        fault = replay.note(source, self.path, self.headers)
        try:
            answer = Answer(*bodies.answer(replay.world, source, ask))
        except Exception as error:  # whatever the source asked for is wrong: the test sees it
            answer = Answer(400, {"message": f"replay: {error!r}"})
        return self.send(spoil(answer, fault) if fault else answer)

    def send(self, answer):
        if answer.wait is not None:
            self.server.replay.released.wait(answer.wait if not isinstance(answer.wait, threading.Event) else 120)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(answer.body), 1000):
                piece = answer.body[at:at + 1000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body if answer.cut is None else answer.body[:answer.cut])
        self.close_connection = self.close_connection or answer.cut is not None


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    replay = None

    def handle_error(self, *_):  # a client that was killed
        pass


class Replay:
    def __init__(self, world=None, port=0):
        self.world = world or World()
        self.seen = []  # {"source", "path", "agent", "time"} of each request
        self.faults = []
        self.released = threading.Event()
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.replay = self
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def fault(self, match, kind, times=1, **details):
        """The next times answers whose path has match in it are spoilt; times 0: all of them, until reset."""
        with self.lock:
            self.faults.append({"match": match, "kind": kind, "times": times, **details})

    def reset(self):
        with self.lock:
            self.faults, self.seen[:] = [], []

    def note(self, source, path, headers):
        with self.lock:
            self.seen.append({"source": source, "path": path, "agent": headers.get("User-Agent"), "time": time.monotonic()})
            for fault in self.faults:
                if fault["match"] not in path:
                    continue
                if fault["times"] == 1:
                    self.faults.remove(fault)
                fault["times"] -= fault["times"] > 0
                return fault
        return None

    def paths(self, source=None):
        return [one["path"] for one in self.seen if source in (None, one["source"])]

    def control(self, order):
        date = datetime.date.fromisoformat
        if "fault" in order:
            self.fault(**order["fault"])
        if "revise" in order:
            name, day, factor = order["revise"]
            self.world.revised[name, date(day)] = factor
        if "hide" in order:
            self.world.hidden.add((order["hide"][0], date(order["hide"][1])))
        if "show" in order:
            self.world.hidden.discard((order["show"][0], date(order["show"][1])))
        if order.get("reset"):
            self.reset()
        return {"ok": True}
