"""A throw-away PostgreSQL (pg.sh) shared by one test run, with a database of its own for whoever asks."""

import atexit
import contextlib
import glob
import itertools
import os
import shutil
import subprocess
import threading
import urllib.parse

from support.server import ROOT, load, scratch_folder

_lock = threading.Lock()
_cluster = None
_template = None
_names = itertools.count(1)


class Cluster:
    """The server process. Binaries that are missing make the tests fail: a PostgreSQL is part of what they need."""

    def __init__(self):
        # The server may run as another user, who must be able to walk down to its folder.
        self.folder = scratch_folder("pg")
        os.chmod(os.path.dirname(self.folder), 0o711)
        self.url = self._script("start").strip()
        atexit.register(self._script, "stop")

    def _script(self, command):
        done = subprocess.run(["bash", str(ROOT / "tests" / "support" / "pg.sh"), command, self.folder],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=90, check=False)
        if done.returncode != 0:
            raise AssertionError(f"pg.sh {command} failed with {done.returncode}\n{done.stderr}")
        return done.stdout

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


def cluster():
    global _cluster
    with _lock:
        if _cluster is None:
            _cluster = Cluster()
    return _cluster


def empty_database():
    """The URL of a new, empty database."""
    server = cluster()
    name = f"t{next(_names)}"
    sql(server.url, f"CREATE DATABASE {name}")
    return server.url_of(name)


def sample_database():
    """The URL of a new database that holds the sample data; loaded once per run and copied from then on."""
    global _template
    server = cluster()
    with _lock:
        if _template is None:
            sql(server.url, "DROP DATABASE IF EXISTS template_sample")  # of a load that failed
            sql(server.url, "CREATE DATABASE template_sample")
            load(var_dir=scratch_folder("var"), database_url=server.url_of("template_sample"))
            _template = "template_sample"
    name = f"t{next(_names)}"
    sql(server.url, f"CREATE DATABASE {name} TEMPLATE {_template}")
    return server.url_of(name)


def copy_database(url):
    """The URL of a new database with what is in this one, which nobody may be connected to."""
    server = cluster()
    name = f"t{next(_names)}"
    sql(server.url, f"CREATE DATABASE {name} TEMPLATE {urllib.parse.urlsplit(url).path[1:]}")
    return server.url_of(name)
