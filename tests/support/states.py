"""What a set-up holds after ingestion, as rows to be compared with those of another or of another time."""

import csv
import gzip
import pathlib
import shutil
import sqlite3

from support import postgres
from support.server import scratch_folder

# Rows are compared but for when and in which load they came.
TIMES = {"known_at", "published_at", "fetched_at", "loaded_at", "finished_at", "load_id", "changed_at", "raw_key", "gen_from", "gen_to"}


class SqliteState:
    """Serving database and warehouse as files of var_dir."""

    def __init__(self, var_dir):
        self.settings = {"var_dir": var_dir}

    def copy(self):
        folder = scratch_folder("var")
        shutil.copytree(self.settings["var_dir"], folder, dirs_exist_ok=True)
        return type(self)(folder)

    def rows(self, database, table):
        connection = sqlite3.connect(pathlib.Path(self.settings["var_dir"]) / f"{database}.db")
        try:
            cursor = connection.execute(f"SELECT * FROM {table}")
            kept = [i for i, column in enumerate(cursor.description) if column[0] not in TIMES]
            return sorted(repr([row[i] for i in kept]) for row in cursor)
        finally:
            connection.close()

    def lake(self, folder):
        """The newest row of each key of the lake, as anyone would read it."""
        found = {}
        for path in sorted((pathlib.Path(self.settings["var_dir"]) / "lake" / "bronze").glob(f"{folder}*/ymd=*/rows-*.csv.gz")):
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    key = path.parent.parent.name, row["date"], row["symbol"], row.get("kind")
                    if found.get(key, {"fetched_at": ""})["fetched_at"] <= row["fetched_at"]:
                        found[key] = row
        return {key: {name: value for name, value in row.items() if name not in TIMES} for key, row in found.items()}


class PostgresqlState(SqliteState):
    """Both in databases of a PostgreSQL; the lake stays in var_dir."""

    def __init__(self, var_dir, serving=None, warehouse=None):
        self.settings = {"var_dir": var_dir, "database_url": serving or postgres.empty_database(), "warehouse_url": warehouse or postgres.empty_database()}

    def copy(self):
        folder = scratch_folder("var")
        shutil.copytree(self.settings["var_dir"], folder, dirs_exist_ok=True)
        return type(self)(folder, postgres.copy_database(self.settings["database_url"]), postgres.copy_database(self.settings["warehouse_url"]))

    def rows(self, database, table):
        url = self.settings["database_url" if database == "cmmc" else "warehouse_url"]
        path = "" if database == "cmmc" else "SET search_path = gold, silver, staging, public;"
        dropped = " ".join(f"- '{name}'" for name in sorted(TIMES))
        return sorted(postgres.sql(url, f"{path} SELECT to_jsonb(t) {dropped} FROM {table} t").splitlines())
