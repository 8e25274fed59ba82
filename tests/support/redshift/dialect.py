"""What SQL means to Redshift where PostgreSQL differs: refused, or rewritten so that PostgreSQL behaves the same.

Facts are from the Amazon Redshift Database Developer Guide: "Unsupported PostgreSQL features", "CREATE TABLE",
"Character types" (VARCHAR counts bytes, TEXT is VARCHAR(256)), "TRUNCATE" (commits), "Unsupported PostgreSQL data types".
"""

import re


class Refused(Exception):
    """SQL that a cluster would not take: an SQLSTATE and a sentence."""

    def __init__(self, text, state="42601"):
        super().__init__(text)
        self.state = state


_LITERAL = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.S)

# Words in a statement outside of literals and comments, and why they are refused.
_REFUSED = [(re.compile(pattern, re.I), why) for pattern, why in [
    (r"\bon\s+conflict\b", "ON CONFLICT"), (r"\breturning\b", "RETURNING"), (r"\bcreate\s+(unique\s+)?index\b", "indexes"),
    (r"\b(big|small)?serial\b", "SERIAL"), (r"\bjsonb?\b", "JSON types"), (r"\buuid\b", "UUID"), (r"\bbytea\b", "BYTEA"),
    (r"\bcreate\s+(trigger|domain|type|extension|sequence|rule)\b", "triggers, types, extensions and sequences"),
    (r"\b(un)?listen\b", "LISTEN"), (r"\bnotify\b", "NOTIFY"), (r"\bdistinct\s+on\b", "DISTINCT ON"),
    (r"\bfilter\s*\(\s*where\b", "FILTER"), (r"\blateral\b", "LATERAL"), (r"\bgenerate_series\b", "generate_series beside tables"),
    (r"\bfor\s+(no\s+key\s+)?(update|share)\b", "row locks"), (r"\bskip\s+locked\b", "SKIP LOCKED"), (r"\[", "arrays"),
    (r"\bcollate\s+\"?c\"?\b", "COLLATE \"C\""), (r"\bpg_advisory\w*", "advisory locks"), (r"\bsavepoint\b", "savepoints"),
    (r"\bpartition\s+by\s+range\b", "declarative partitions"), (r"\bstring_agg\b", "string_agg (LISTAGG)"),
    (r"\bcreate\s+unlogged\b", "unlogged tables"), (r"\bnow\s*\(\s*\)", "now() beside tables (GETDATE)"),
    (r"\bclock_timestamp\b", "clock_timestamp (GETDATE)"), (r"\bcopy\b.*\bfrom\s+stdin\b", "COPY FROM STDIN"),
    (r"\bmake_(date|interval|timestamp)\b", "make_date and its like"), (r"\btablesample\b", "TABLESAMPLE"),
    (r"\bif\s+not\s+exists\b(?=.*\badd\s+column\b)", "ADD COLUMN IF NOT EXISTS")]]

_CREATE = re.compile(r"^\s*create\s+(temp\s+|temporary\s+)?table\s+(if\s+not\s+exists\s+)?([\w.\"]+)\s*\(", re.I)
_PHYSICAL = re.compile(r"\b(?:diststyle\s+\w+|distkey\b(?:\s*\([^)]*\))?|(?:compound\s+|interleaved\s+)?sortkey\b(?:\s*\([^)]*\))?|"
                       r"backup\s+(?:yes|no)\b|encode\s+\w+)", re.I)
_KEY = re.compile(r"^\s*(constraint\s+\w+\s+)?(primary\s+key|unique|foreign\s+key)\b", re.I)
_COLUMN_KEY = re.compile(r"\s+(primary\s+key|unique|references\s+[\w.]+(\s*\([^)]*\))?)", re.I)
_TEXT = re.compile(r"^(\s*\"?(\w+)\"?\s+)(?:(?:character\s+varying|varchar|nvarchar)(?:\s*\(\s*(\d+|max)\s*\))?|text)(?![\w(])", re.I)
_DECIMAL = re.compile(r"\b(?:numeric|decimal)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)", re.I)


def bare(sql):
    """The statement with literals emptied and comments gone; as long as before, so that places agree."""
    def blank(match):
        text = match.group(0)
        return text[0] + " " * (len(text) - 2) + text[-1] if text[0] in "'\"" else " " * len(text)
    return _LITERAL.sub(blank, sql)


def split(sql):
    """Statements of a script, and where each begins."""
    plain, start, parts = bare(sql), 0, []
    for at in [i for i, c in enumerate(plain) if c == ";"] + [len(sql)]:
        if plain[start:at].strip():
            parts.append(sql[start:at])
        start = at + 1
    return parts


def _members(body):
    """The parts between the commas of the outermost parentheses."""
    depth, start, parts = 0, 0, []
    plain = bare(body)
    for i, c in enumerate(plain):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(body[start:i])
            start = i + 1
    return parts + [body[start:]]


def _column(member):
    text = _PHYSICAL.sub("", member)
    text = _COLUMN_KEY.sub("", text)
    for precision, scale in _DECIMAL.findall(text):
        if int(precision) > 38 or int(scale or 0) > 37:
            raise Refused(f"DECIMAL precision {precision} must be between 1 and 38", "22023")
    found = _TEXT.match(text)
    if found is None:
        return text
    size = {None: 256, "max": 65535}.get(found.group(3) and found.group(3).lower(), found.group(3))
    size = int(size)
    if not 1 <= size <= 65535:
        raise Refused(f"length for type character varying cannot exceed 65535: {size}", "22023")
    name = found.group(2)
    return f"{found.group(1)}text{text[found.end():]} CHECK (octet_length({name}) <= {size})"


def _create_table(sql):
    found = _CREATE.match(bare(sql))
    if found is None:
        return sql
    plain, depth, at = bare(sql), 1, found.end()
    while depth > 0 and at < len(plain):
        depth += (plain[at] == "(") - (plain[at] == ")")
        at += 1
    members = [member for member in _members(sql[found.end():at - 1])]
    if any(re.match(r"\s*like\s", member, re.I) for member in members):
        return sql[:at].replace("(", "(", 1)[:-1].rstrip() + " INCLUDING DEFAULTS INCLUDING CONSTRAINTS)" + _PHYSICAL.sub("", sql[at:])
    columns = [_column(member) for member in members if not _KEY.match(member)]
    return sql[:found.end()] + ",".join(columns) + ")" + _PHYSICAL.sub("", sql[at:])


def check(sql):
    """Raises Refused for what Redshift does not have."""
    plain = bare(sql)
    for pattern, why in _REFUSED:
        if pattern.search(plain):
            raise Refused(f"Redshift has no {why}: {' '.join(sql.split())[:100]}", "0A000")


def translate(sql):
    """What PostgreSQL is sent instead of one statement."""
    check(sql)
    plain = bare(sql)
    if re.match(r"\s*(vacuum|analyze)\b", plain, re.I):
        return "SELECT 1 WHERE false"
    if re.match(r"\s*lock\s+(?!table)", plain, re.I):
        sql = re.sub(r"(?i)^\s*lock\s+", "LOCK TABLE ", sql, count=1)
    sql = re.sub(r"(?i)\b(getdate\s*\(\s*\)|sysdate)", "clock_timestamp()::timestamp", sql)
    return _create_table(sql)


def is_truncate(sql):
    return re.match(r"\s*truncate\b", bare(sql), re.I) is not None
