"""A throw-away PostgreSQL (pg.sh) shared by one test run, with a database of its own for whoever asks."""

import contextlib
import functools
import glob
import itertools
import os
import shutil
import subprocess
import urllib.parse

from support import shared
from support.server import load, scratch_folder

TEMPLATE = "template_sample"

_names = itertools.count(1)


class Cluster:
    """The run's server. Binaries that are missing make the tests fail: a PostgreSQL is part of what they need."""

    def __init__(self):
        self.folder = os.path.join(shared.folder(), "pg")
        self.url = shared.once("pg", self._start)

    @staticmethod
    def _start():
        done = shared.script("pg", "start", shared.folder())
        if done.returncode != 0:
            raise AssertionError(f"pg.sh start failed with {done.returncode}\n{done.stderr}")
        return done.stdout.strip()

    def url_of(self, database):
        return urllib.parse.urlsplit(self.url)._replace(path="/" + database).geturl()


def _psql():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"))
    return found[-1] if found else shutil.which("psql")


def sql(url, statements):
    """Runs SQL by psql; returns what a query prints, one row a line, fields separated by '|'."""
    done = subprocess.run([_psql(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url], input=statements, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f"psql: {done.stderr}\n{statements}")
    return done.stdout


@contextlib.contextmanager
def hold(url, statement):
    """Runs a statement in a transaction that stays open for the block, and is then rolled back."""
    with subprocess.Popen([_psql(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
        session.stdin.write(f"BEGIN; {statement};\n\\echo held\n")
        session.stdin.flush()
        if session.stdout.readline() != "held\n":
            raise AssertionError(f"psql: {statement}")
        yield


@functools.cache
def cluster():
    return Cluster()


def _create(template="template1"):
    server = cluster()
    name = f"t{os.getpid()}_{next(_names)}"
    sql(server.url, f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.url_of(name)


def empty_database():
    """The URL of a new, empty database."""
    return _create()


def sample_database():
    """The URL of a new database that holds the sample data; loaded once per run and copied from then on."""
    def make():
        server = cluster()
        sql(server.url, f"DROP DATABASE IF EXISTS {TEMPLATE}")  # of a load that failed
        sql(server.url, f"CREATE DATABASE {TEMPLATE}")
        load(var_dir=scratch_folder("var"), database_url=server.url_of(TEMPLATE))
        return TEMPLATE

    return _create(shared.once("sample-postgresql", make))


def copy_database(url):
    """The URL of a new database with what is in this one, which nobody may be connected to."""
    return _create(urllib.parse.urlsplit(url).path[1:])


def drop_database(url):
    """Whoever is still connected loses it."""
    sql(cluster().url, f"DROP DATABASE {urllib.parse.urlsplit(url).path[1:]} WITH (FORCE)")
