"""The two databases behind one interface: a suite is written once and runs on each by subclassing."""

import pathlib
import sqlite3

from support import postgres
from support.server import Server, load, run, sample_var_dir, scratch_folder


class Sqlite:
    """An embedded database in a folder of its own."""

    name = "sqlite"

    def __init__(self, with_sample=True):
        self.settings = {"var_dir": sample_var_dir() if with_sample else scratch_folder("var")}

    def sql(self, statements):
        connection = sqlite3.connect(pathlib.Path(self.settings["var_dir"]) / "cmmc.db", timeout=30)
        try:
            connection.executescript(statements)
        finally:
            connection.close()

    def count(self, query):
        """The one number that a query gives."""
        connection = sqlite3.connect(pathlib.Path(self.settings["var_dir"]) / "cmmc.db", timeout=30)
        try:
            return connection.execute(query).fetchone()[0]
        finally:
            connection.close()

    def server(self, **settings):
        return Server(**self.settings, **settings)

    def load(self, folder, **settings):
        return load(folder, **self.settings, **settings)

    def run(self, *arguments, **settings):
        return run(*arguments, **self.settings, **settings)


class Postgresql(Sqlite):
    """A database in the run's PostgreSQL."""

    name = "postgresql"

    def __init__(self, with_sample=True):
        url = postgres.sample_database() if with_sample else postgres.empty_database()
        self.settings = {"var_dir": scratch_folder("var"), "database_url": url}

    def sql(self, statements):
        postgres.sql(self.settings["database_url"], statements)

    def count(self, query):
        return int(postgres.sql(self.settings["database_url"], query))
