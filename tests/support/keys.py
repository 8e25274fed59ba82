"""Keys for the servers of the tests, made by the command line as an operator would."""

import base64
import itertools

from support.server import run

_names = itertools.count(1)
EVERYTHING = "read,backtest,admin"


def make_key(scopes=EVERYTHING, name=None, expires=None, rate=None, **settings):
    """The text of a new key. settings name the store: backend.settings, or var_dir=..., database_url=..."""
    options = ["--name", name or f"key-{next(_names)}", "--scopes", scopes]
    if expires is not None:
        options += ["--expires", expires]
    if rate is not None:
        options += ["--rate", rate]
    done = run("keys", "create", *options, **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def bearer(key):
    """As keyword arguments of a client's request."""
    return {"authorization": f"Bearer {key}"}


def basic(key, user="somebody"):
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()}
