"""Frames of the PostgreSQL protocol, version 3, and one session that the stand-in opens for itself."""

import socket
import struct


def read_exactly(sock, n):
    parts = []
    while n > 0:
        part = sock.recv(n)
        if not part:
            raise EOFError("the connection ended")
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


def read_frame(sock):
    head = read_exactly(sock, 5)
    return head[:1], read_exactly(sock, struct.unpack("!I", head[1:])[0] - 4)


def frame(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def error(state, text, severity="ERROR"):
    fields = {b"S": severity, b"V": severity, b"C": state, b"M": text}
    return frame(b"E" if severity == "ERROR" else b"N",
                 b"".join(name + value.encode() + b"\0" for name, value in fields.items()) + b"\0")


def error_text(body):
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    return fields.get(b"C", "XX000"), fields.get(b"M", "")


class ServerError(Exception):
    def __init__(self, state, text):
        super().__init__(text)
        self.state = state


class Session:
    """A plain session on the PostgreSQL behind: trust authentication, simple queries, COPY FROM STDIN."""

    def __init__(self, host, port, user, database):
        self.sock = socket.create_connection((host, port))
        body = struct.pack("!I", 196608) + b"".join(part.encode() + b"\0" for part in ("user", user, "database", database)) + b"\0"
        self.sock.sendall(struct.pack("!I", len(body) + 4) + body)
        self._until_ready()

    def close(self):
        try:
            self.sock.sendall(frame(b"X"))
        finally:
            self.sock.close()

    def _until_ready(self):
        rows, failure = [], None
        while True:
            kind, body = read_frame(self.sock)
            if kind == b"D":
                n, at, row = struct.unpack("!H", body[:2])[0], 2, []
                for _ in range(n):
                    size = struct.unpack("!i", body[at:at + 4])[0]
                    at += 4
                    row.append(None if size < 0 else body[at:at + size].decode())
                    at += max(size, 0)
                rows.append(row)
            elif kind == b"E":
                failure = ServerError(*error_text(body))
            elif kind == b"Z":
                if failure is not None:
                    raise failure
                return rows

    def query(self, sql):
        self.sock.sendall(frame(b"Q", sql.encode() + b"\0"))
        return self._until_ready()

    def copy(self, sql, data):
        """COPY ... FROM STDIN of these bytes."""
        self.sock.sendall(frame(b"Q", sql.encode() + b"\0"))
        kind, body = read_frame(self.sock)
        if kind != b"G":
            while kind != b"Z":
                if kind == b"E":
                    failure = ServerError(*error_text(body))
                kind, body = read_frame(self.sock)
            raise failure
        for at in range(0, len(data), 1 << 16):
            self.sock.sendall(frame(b"d", data[at:at + (1 << 16)]))
        self.sock.sendall(frame(b"c"))
        self._until_ready()


def quoted(text):
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"
