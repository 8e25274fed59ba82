"""COPY table FROM 's3://...' as the Database Developer Guide describes it, for the options that it models.

Modelled: MANIFEST with mandatory entries, prefixes, CSV, GZIP, IGNOREHEADER, NULL AS, EMPTYASNULL, BLANKSASNULL, DATEFORMAT and
TIMEFORMAT 'auto', MAXERROR, NOLOAD, REGION, STATUPDATE, COMPUPDATE, IAM_ROLE; an empty field is an empty text without
EMPTYASNULL, and NULL in every other type. Anything else is refused. Rows that fail are in stl_load_errors, also after a rollback.
"""

import csv
import dataclasses
import gzip
import io
import json
import re
import xml.etree.ElementTree as ElementTree

from support.redshift.dialect import Refused
from support.redshift.wire import ServerError, quoted

STATEMENT = re.compile(r"^\s*copy\s+([\w.\"]+)\s*(?:\(([^)]*)\))?\s*from\s+'s3://([^/']+)/([^']*)'\s*(.*?)\s*;?\s*$", re.I | re.S)
ERRORS_TABLE = """CREATE TABLE IF NOT EXISTS stl_load_errors (starttime timestamp DEFAULT clock_timestamp(), filename text, line_number bigint,
colname text, type text, err_code int, err_reason text, raw_line text, raw_field_value text, tbl text)"""

_OPTION = re.compile(r"""\s*(?:
    (?P<role>(?:credentials|iam_role)\s+(?:'(?P<arn>[^']*)'|default))|(?P<manifest>manifest)|(?P<csv>(?:format\s+)?(?:as\s+)?csv(?:\s+quote\s+as\s+'"')?)|
    (?P<gzip>gzip)|ignoreheader\s+(?:as\s+)?(?P<header>\d+)|null\s+as\s+'(?P<null>[^']*)'|(?P<emptyasnull>emptyasnull)|
    (?P<blanksasnull>blanksasnull)|(?P<dates>(?:dateformat|timeformat)\s+(?:as\s+)?'auto')|maxerror\s+(?:as\s+)?(?P<maxerror>\d+)|
    (?P<noload>noload)|(?P<region>region\s+(?:as\s+)?'[^']+')|(?P<stats>(?:statupdate|compupdate)(?:\s+(?:on|off|true|false|preset))?)|
    (?P<acceptinvchars>acceptinvchars)
    )(?=\s|$)""", re.I | re.X)


@dataclasses.dataclass
class Copy:
    table: str
    columns: str
    bucket: str
    key: str
    options: dict


def parse(sql):
    """A Copy, or None for another statement."""
    found = STATEMENT.match(sql)
    if found is None:
        return None
    table, columns, bucket, key, rest = found.groups()
    options, at = {}, 0
    while at < len(rest):
        option = _OPTION.match(rest, at)
        if option is None:
            raise Refused(f"the stand-in does not model this part of COPY: {rest[at:at + 60].strip()}", "0A000")
        options.update({name: value for name, value in option.groupdict().items() if value is not None})
        at = option.end()
        while at < len(rest) and rest[at].isspace():
            at += 1
    if "csv" not in options:
        raise Refused("the stand-in models CSV alone", "0A000")
    if int(options.get("maxerror", 0)) > 100000:
        raise Refused("MAXERROR must be between 0 and 100000", "22023")
    return Copy(table, columns, bucket, key, options)


def _objects(copy, store):
    """(url, bytes) of every object that is to be loaded."""
    if "manifest" not in copy.options:
        keys = store.list(copy.bucket, copy.key)
        found = [(f"s3://{copy.bucket}/{key}", store.get(copy.bucket, key)[1]) for key in keys]
    else:
        status, body = store.get(copy.bucket, copy.key)
        if status != 200:
            raise Refused(f"S3ServiceException: the manifest s3://{copy.bucket}/{copy.key}, Status {status}, Error {_code(body)}", "XX000")
        found = []
        for entry in json.loads(body)["entries"]:
            bucket, key = entry["url"][len("s3://"):].split("/", 1)
            status, data = store.get(bucket, key)
            size = entry.get("meta", {}).get("content_length")
            if status != 200 and entry.get("mandatory"):
                raise Refused(f"The specified S3 key does not exist: mandatory url {entry['url']}, Status {status}", "XX000")
            if status == 200 and size is not None and size != len(data):
                raise Refused(f"{entry['url']} has {len(data)} bytes, not {size}", "XX000")
            if status == 200:
                found.append((entry["url"], data))
    if not found:
        raise Refused(f"The specified S3 prefix '{copy.key}' does not exist", "XX000")
    return found


def _code(body):
    try:
        return ElementTree.fromstring(body).findtext("Code", "")
    except ElementTree.ParseError:
        return ""


def _lines(copy, data):
    """(number, CSV record) of one object; a record may have several lines."""
    if "gzip" in copy.options:
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as problem:
            raise Refused(f"unexpected end of file or a bad header in gzip data: {problem}", "XX000") from problem
    text = data.decode("utf-8", "replace" if "acceptinvchars" in copy.options else "surrogateescape")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    skip, before = int(copy.options.get("header", 0)), 0
    for record in reader:
        if skip == 0:
            yield before + 1, record
        skip, before = max(0, skip - 1), reader.line_num


def _field(value, is_text, options):
    """One field for PostgreSQL's CSV, where an empty one without quotes is NULL."""
    null = options.get("null")
    if (null is not None and value == null) or (value == "" and (not is_text or "emptyasnull" in options)) or (
            value.strip() == "" and value != "" and is_text and "blanksasnull" in options):
        return ""
    return '"' + value.replace('"', '""') + '"'


class Loader:
    """Loads one COPY: rows are tried in a session beside, so that only good ones reach the caller's transaction."""

    def __init__(self, side, store):
        self.side, self.store = side, store

    def load(self, copy, definition):
        """CSV for COPY FROM STDIN of the good rows, how many they are, and their columns."""
        self.side.query(f"CREATE TEMP TABLE twin ({definition})")
        names = self._columns(copy)
        statement = f"COPY twin ({', '.join(name for name, _ in names)}) FROM STDIN WITH (FORMAT csv)"
        good, bad = [], []
        for url, data in _objects(copy, self.store):
            rows = [(line, self._record(record, names, copy, line)) for line, record in _lines(copy, data)]
            whole = [row for _, row in rows if isinstance(row, str)]
            try:
                if len(whole) != len(rows):
                    raise ServerError("22000", "a row has another number of columns")
                self.side.copy(statement, "".join(whole).encode("utf-8", "surrogateescape"))
                good += whole
            except ServerError:
                self._one_by_one(rows, url, statement, good, bad)
        self._report(copy, bad)
        if len(bad) > int(copy.options.get("maxerror", 0)):
            raise Refused(f"Load into table '{copy.table}' failed.  Check 'stl_load_errors' system table for details.", "XX000")
        if "noload" in copy.options:
            good = []
        return "".join(good).encode("utf-8", "surrogateescape"), len(good), [name for name, _ in names]

    def _columns(self, copy):
        kinds = dict(self.side.query(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = "
            "'pg_temp.twin'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"))
        names = [name.strip().strip('"') for name in copy.columns.split(",")] if copy.columns else list(kinds)
        missing = [name for name in names if name not in kinds]
        if missing:
            raise Refused(f"column \"{missing[0]}\" of relation \"{copy.table}\" does not exist", "42703")
        return [(name, kinds[name] == "text") for name in names]

    @staticmethod
    def _record(record, names, copy, line):
        if len(record) != len(names):
            return ("Extra column(s) found" if len(record) > len(names) else "Delimiter not found", ",".join(record))
        return ",".join(_field(value, is_text, copy.options) for value, (_, is_text) in zip(record, names)) + "\n"

    def _one_by_one(self, rows, url, statement, good, bad):
        for line, row in rows:
            if not isinstance(row, str):
                bad.append((url, line, *row))
                continue
            try:
                self.side.copy(statement, row.encode("utf-8", "surrogateescape"))
                good.append(row)
            except ServerError as problem:
                bad.append((url, line, str(problem)[:100], row[:1024]))

    def _report(self, copy, bad):
        for url, line, reason, raw in bad:
            clean = raw.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
            self.side.query("INSERT INTO stl_load_errors (filename, line_number, err_reason, raw_line, tbl) VALUES "
                            f"({quoted(url)}, {line}, {quoted(reason)}, {quoted(clean)}, {quoted(copy.table)})")
