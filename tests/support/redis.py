"""A real Redis on a free port or socket, in a folder of its own, and what stands between it and a server in tests."""

import os
import shutil
import socket
import subprocess
import threading
import time

from support.server import SLOW, scratch_folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Redis:
    """
    Debian's redis-tools carries the server as redis-check-rdb, which is a server by its other name.
    tls: an ssl.SSLContext to reach it by; its port then takes TLS only, for which options name the files.
    """

    def __init__(self, *options, port=None, tls=None):
        self.folder = scratch_folder("redis")
        self.port = port or free_port()
        self.options = options
        self.tls = tls
        self.process = None
        self.start()

    @property
    def url(self):
        return f"rediss://localhost:{self.port}/0" if self.tls else f"redis://127.0.0.1:{self.port}/0"

    def _connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        try:
            return self.tls.wrap_socket(connection) if self.tls else connection
        except OSError:
            connection.close()
            raise

    def start(self):
        program = os.path.join(self.folder, "redis-server")
        if not os.path.islink(program):
            os.symlink(shutil.which("redis-check-rdb") or shutil.which("redis-server"), program)
        self.process = subprocess.Popen(
            [program, *(["--port", "0", "--tls-port"] if self.tls else ["--port"]), str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", self.folder,
             "--unixsocket", os.path.join(self.folder, "socket"), *self.options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 15 * SLOW
        while time.monotonic() < deadline:
            try:
                with self._connect() as connection:
                    connection.sendall(b"*1\r\n$4\r\nPING\r\n")
                    if connection.recv(100):  # also when it wants a password first
                        return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError("Redis did not start")

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def command(self, *words):
        """One command over a connection of its own. Texts that are no UTF-8 come as bytes."""
        with self._connect() as connection:
            parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
            connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
            return _reply(connection.makefile("rb"))

    def calls(self):
        """Commands by name and how often each was run."""
        lines = self.command("INFO", "commandstats").splitlines()
        return {line[8:].split(":")[0]: int(line.split("calls=")[1].split(",")[0]) for line in lines if line.startswith("cmdstat_")}

    def values(self):
        """Names of the kept answers."""
        return [name for name in self.command("KEYS", "cmmc:v*") if not name.endswith(":lease")]


def _reply(stream):
    line = stream.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    if kind == b"+":
        return rest.decode()
    if kind == b"-":
        raise AssertionError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"*":
        return [_reply(stream) for _ in range(int(rest))]
    if int(rest) < 0:
        return None
    data = stream.read(int(rest) + 2)[:-2]
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


class Proxy:
    """Passes bytes on to a port. delay_s holds back what the other side says; reply replaces it; is_silent drops it."""

    def __init__(self, port):
        self.target = port
        self.delay_s = 0
        self.reply = None
        self.is_silent = False
        self._open = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self._open += [near, far]
            threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source, sink, is_reply):
        try:
            while data := source.recv(65536):
                if is_reply:
                    time.sleep(self.delay_s)
                    data = self.reply or data
                    if self.is_silent:
                        continue
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Every connection that is open now ends."""
        connections, self._open = self._open, []
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._listener.close()
        self.cut()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
