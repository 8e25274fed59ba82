"""Where PostgreSQL's seconds go: what pg_stat_statements counted, by the table that a statement is about."""

import csv
import re
import subprocess

SQL = ("COPY (SELECT d.datname, s.total_exec_time / 1000, s.query FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
       "WHERE d.datname LIKE '_\\_%') TO STDOUT (FORMAT csv)")
SERVERS = {"w": "warehouse", "s": "serving"}
KINDS = ("rows", "indexes", "statistics", "reading")
# What a statement does, and the table that it does it to; the first that fits.
PATTERNS = ((r'COPY "?(\w+)"? ?\(.* FROM STDIN', "rows"), (r'INSERT INTO "?(\w+)', "rows"), (r'UPDATE "?(\w+)', "rows"), (r'DELETE FROM "?(\w+)', "rows"),
            (r'CREATE (?:UNIQUE )?INDEX \w+ ON "?(?:\w+\.)?(\w+)', "indexes"), (r'ALTER TABLE "?(\w+)"? (?:ADD|DROP) CONSTRAINT', "indexes"),
            (r'ANALYZE "?(\w+)', "statistics"), (r'COPY \(SELECT.* FROM "?(\w+)', "reading"), (r'SELECT.*? FROM "?(\w+)', "reading"))
LEAST_S = 0.05


def read(url):
    """Rows of database, seconds and statement."""
    done = subprocess.run(["psql", "-qAt", url, "-c", SQL], check=True, capture_output=True, text=True)
    return [(SERVERS[name[0]], float(seconds), " ".join(query.split())) for name, seconds, query in csv.reader(done.stdout.splitlines(True))]


def kind_of(statement):
    for pattern, kind in PATTERNS:
        found = re.match(pattern, statement)
        if found:
            return found.group(1), kind
    return "others", "reading"


def table(found):
    """A table of Markdown: the seconds of each table of each server, the most first; those of little are summed up."""
    sums = {}
    for server, seconds, statement in found:
        about, kind = kind_of(statement)
        row = sums.setdefault((server, about), dict.fromkeys(KINDS, 0.0))
        row[kind] += seconds
    few = {key: row for key, row in sums.items() if sum(row.values()) < LEAST_S}
    for server, name in few:
        row = sums.setdefault((server, "the rest"), dict.fromkeys(KINDS, 0.0))
        for kind, seconds in sums.pop((server, name)).items():
            row[kind] += seconds
    lines = ["| | " + " | ".join(KINDS) + " | all, s |", "|---" * (len(KINDS) + 2) + "|"]
    for (server, about), row in sorted(sums.items(), key=lambda one: (-list(SERVERS.values()).index(one[0][0]), -sum(one[1].values()))):
        cells = [f"{row[kind]:.2f}" if row[kind] >= 0.005 else "" for kind in KINDS]
        lines.append(f"| {server}, `{about}` | " + " | ".join(cells) + f" | {sum(row.values()):.2f} |")
    return "\n".join(lines)
