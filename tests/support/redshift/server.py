"""The proxy itself: one thread for each connection, each with a session on the PostgreSQL behind."""

import re
import socket
import struct
import threading
import urllib.parse

from support.redshift.copy import ERRORS_TABLE, Loader, parse
from support.redshift.dialect import Refused, is_truncate, split, translate
from support.redshift.wire import Session, ServerError, error, frame, read_exactly, read_frame

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
FUNCTIONS = """
CREATE OR REPLACE FUNCTION pg_last_copy_count() RETURNS bigint LANGUAGE sql AS
    $$ SELECT coalesce(nullif(current_setting('standin.copy_count', true), ''), '0')::bigint $$;
CREATE OR REPLACE FUNCTION pg_last_copy_id() RETURNS int LANGUAGE sql AS
    $$ SELECT coalesce(nullif(current_setting('standin.copy_id', true), ''), '-1')::int $$;
CREATE OR REPLACE VIEW sys_load_error_detail AS SELECT tbl AS table_name, starttime AS start_time, filename AS file_name, line_number,
    colname AS column_name, type AS column_type, err_reason AS error_message, raw_line FROM stl_load_errors;
"""


class Redshift:
    """`with Redshift(url_of_a_database, stores={role: store}) as cluster:` and connect to cluster.url.

    A store has get(bucket, key) -> (status, bytes) and list(bucket, prefix) -> keys, and reads as that IAM role may.
    """

    def __init__(self, url, stores):
        self.behind = urllib.parse.urlsplit(url)
        self.stores = stores
        self.statements = []  # as they came
        self.faults = []  # [pattern, state, text]: the next statement that matches fails once
        self.cuts = []  # patterns: the connection is lost behind the next statement that matches
        self.copies = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.listener.getsockname()[1]
        self.url = self.behind._replace(netloc=f"{self.behind.username}@127.0.0.1:{self.port}").geturl()

    def __enter__(self):
        session = self.session()
        session.query(ERRORS_TABLE)
        session.query(FUNCTIONS)
        session.close()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def session(self):
        return Session(self.behind.hostname, self.behind.port, self.behind.username, self.behind.path.lstrip("/"))

    def fail(self, pattern, state="XX000", text="1023 DETAIL: Serializable isolation violation on table"):
        self.faults.append([re.compile(pattern, re.I | re.S), state, text])

    def cut_after(self, pattern):
        self.cuts.append(re.compile(pattern, re.I | re.S))

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            Connection(self, client).run()
        except (EOFError, OSError):
            pass
        finally:
            client.close()


class Connection:
    """One client. Simple and extended queries are checked alike; COPY is executed here."""

    def __init__(self, cluster, client):
        self.cluster, self.client = cluster, client
        self.behind = socket.create_connection((cluster.behind.hostname, cluster.behind.port))
        for one in (self.client, self.behind):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.status = b"I"
        self.copy = None  # of the extended protocol, parsed and not yet executed
        self.is_cut = False
        self.last = ""  # the statement that was parsed last

    def run(self):
        try:
            if self._start():
                while not self.is_cut:
                    self._message(*read_frame(self.client))
        finally:
            self.behind.close()

    def _start(self):
        while True:
            size = struct.unpack("!I", read_exactly(self.client, 4))[0]
            body = read_exactly(self.client, size - 4)
            code = struct.unpack("!I", body[:4])[0]
            if code in (SSL_REQUEST, GSS_REQUEST):
                self.client.sendall(b"N")
                continue
            self.behind.sendall(struct.pack("!I", size) + body)
            if code == CANCEL_REQUEST:
                return False
            self._until_ready()
            return True

    # -- answers ------------------------------------------------------------------------------------------------------

    def _until_ready(self, drop=()):
        """Passes on what PostgreSQL answers; returns whether it was an error."""
        failed = False
        while True:
            kind, body = read_frame(self.behind)
            if kind == b"S" and body.startswith(b"server_version\0"):
                body = b"server_version\x008.0.2\0"
            failed = failed or kind == b"E"
            if kind == b"Z":
                self.status = body
            if kind not in drop:
                self.client.sendall(frame(kind, body))
            if kind == b"Z":
                return failed

    def _silently(self, sql):
        self.behind.sendall(frame(b"Q", sql.encode() + b"\0"))
        kind = b""
        while kind != b"Z":
            kind, body = read_frame(self.behind)
        self.status = body

    def _refuse(self, problem):
        """An error as if the server had raised it: an open transaction is lost."""
        self.client.sendall(error(problem.state, str(problem)))
        if self.status == b"T":
            self._silently("DO $$ BEGIN RAISE EXCEPTION 'refused'; END $$")
        self.client.sendall(frame(b"Z", self.status))

    # -- questions ----------------------------------------------------------------------------------------------------

    def _message(self, kind, body):
        if kind == b"Q":
            self._simple(body[:-1].decode())
        elif kind == b"P":
            self._parse(body)
        elif self.copy is not None:
            self._copy_message(kind)
        else:
            self.behind.sendall(frame(kind, body))
            if kind == b"X":
                raise EOFError
            if kind == b"S" and self._cut(self.last):
                self._drain()
            elif kind == b"S":
                self._until_ready()

    def _note(self, sql):
        self.cluster.statements.append(sql)
        for fault in self.cluster.faults:
            if fault[0].search(sql):
                self.cluster.faults.remove(fault)
                raise Refused(fault[2], fault[1])

    def _cut(self, sql):
        for pattern in self.cluster.cuts:
            if pattern.search(sql):
                self.cluster.cuts.remove(pattern)
                self.is_cut = True
                return True
        return False

    def _simple(self, sql):
        parts = split(sql) or [""]
        try:
            for part in parts:
                self._note(part)
            copies = [parse(part) for part in parts]
            if len(parts) == 1 and copies[0] is not None:
                self._load(copies[0], is_simple=True)
                return
            if any(copies):
                raise Refused("the stand-in wants COPY alone in its query", "0A000")
            text = "; ".join(translate(part) for part in parts)
        except Refused as problem:
            self._refuse(problem)
            return
        self.behind.sendall(frame(b"Q", text.encode() + b"\0"))
        if self._cut(sql):
            self._drain()
            return
        failed = self._until_ready(drop=(b"Z",))
        if not failed and any(is_truncate(part) for part in parts) and self.status == b"T":
            self._silently("COMMIT")
        self.client.sendall(frame(b"Z", self.status))

    def _drain(self):
        while read_frame(self.behind)[0] != b"Z":
            pass

    def _parse(self, body):
        name, sql, rest = body.split(b"\0", 2)
        text = self.last = sql.decode()
        try:
            self._note(text)
            self.copy = parse(text)
            if self.copy is not None:
                self.client.sendall(frame(b"1"))
                return
            if is_truncate(text):
                raise Refused("the stand-in wants TRUNCATE as a simple query", "0A000")
            self.behind.sendall(frame(b"P", name + b"\0" + translate(text).encode() + b"\0" + rest))
        except Refused as problem:
            self.copy = None
            while read_frame(self.client)[0] != b"S":
                pass
            self._refuse(problem)

    def _copy_message(self, kind):
        answers = {b"B": b"2", b"D": b"n"}
        if kind in answers:
            self.client.sendall(frame(answers[kind]))
        elif kind == b"E":
            copy, self.copy = self.copy, None
            while read_frame(self.client)[0] != b"S":
                pass
            self._load(copy, is_simple=False)

    # -- COPY -----------------------------------------------------------------------------------------------------------

    def _store(self, copy):
        role = copy.options.get("arn", "default")
        if role not in self.cluster.stores:
            raise Refused(f"User arn:aws:redshift:cluster is not authorized to assume IAM Role {role}", "XX000")
        return self.cluster.stores[role]

    def _load(self, copy, is_simple):
        side = self.cluster.session()
        try:
            store = self._store(copy)
            data, n, names = Loader(side, store).load(copy, self._definition(copy))
        except Refused as problem:
            self._refuse(problem)
            return
        except ServerError as problem:
            self._refuse(Refused(str(problem), problem.state))
            return
        finally:
            side.close()
        self.cluster.copies += 1
        self._insert(copy, data, n, names)

    def _definition(self, copy):
        """Columns and checks of the table as this session sees it, also when it is temporary or not committed."""
        where = f"= to_regclass('{copy.table}')"
        columns = self._one_text(
            "SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END, "
            f"', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid {where} AND attnum > 0 AND NOT attisdropped")
        if columns is None:
            raise Refused(f"relation \"{copy.table}\" does not exist", "42P01")
        checks = self._one_text("SELECT string_agg(pg_get_constraintdef(oid), ', ') FROM pg_constraint "
                                f"WHERE contype = 'c' AND conrelid {where}")
        return columns + (", " + checks if checks else "")

    def _one_text(self, sql):
        self.behind.sendall(frame(b"Q", sql.encode() + b"\0"))
        value, kind = None, b""
        while kind != b"Z":
            kind, body = read_frame(self.behind)
            if kind == b"D" and struct.unpack("!i", body[2:6])[0] >= 0:
                value = body[6:].decode()
        self.status = body
        return value

    def _insert(self, copy, data, n, names):
        statement = f"COPY {copy.table} ({', '.join(names)}) FROM STDIN WITH (FORMAT csv)"
        self.behind.sendall(frame(b"Q", statement.encode() + b"\0"))
        kind, body = read_frame(self.behind)
        failed = kind != b"G"
        if failed:
            self.client.sendall(frame(kind, body))
        else:
            for at in range(0, len(data), 1 << 16):
                self.behind.sendall(frame(b"d", data[at:at + (1 << 16)]))
            self.behind.sendall(frame(b"c"))
        while kind != b"Z":
            kind, body = read_frame(self.behind)
            failed = failed or kind == b"E"
            if kind == b"E":
                self.client.sendall(frame(kind, body))
        self.status = body
        if not failed:
            self._silently(f"SELECT set_config('standin.copy_count', '{n}', false), set_config('standin.copy_id', '{self.cluster.copies}', false)")
            text = f"Load into table '{copy.table}' completed, {n} record(s) loaded successfully."
            self.client.sendall(error("00000", text, "INFO") + frame(b"C", b"COPY\0"))
        self.client.sendall(frame(b"Z", self.status))
