"""Starts the real server on free ports with folders of its own, and checks that it leaves cleanly."""

import atexit
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from support import shared
from support.client import Client

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("CMMC_BIN") or ROOT / "build" / "cmmc")
SAMPLE = ROOT / "data" / "sample"
IS_SANITIZED = os.environ.get("CMMC_TEST_VARIANT") in ("asan", "tsan")
SLOW = 10 if IS_SANITIZED else 1  # how much longer things may take
SANITIZER_REPORT = re.compile(r"ERROR: (Address|Leak|Memory)Sanitizer|runtime error:|WARNING: ThreadSanitizer")

_scratch = None


def not_under_tsan():
    """The setUpModule of files that run commands only, each in a process of one thread: there is nothing for ThreadSanitizer to see."""
    if os.environ.get("CMMC_TEST_VARIANT") == "tsan":
        raise unittest.SkipTest("each of its processes is of one thread")


def scratch_folder(prefix="t"):
    """A new folder below one that is removed when the tests end."""
    global _scratch
    if _scratch is None:
        _scratch = tempfile.mkdtemp(prefix="cmmc-itest-")
        atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
    return tempfile.mkdtemp(prefix=prefix + "-", dir=_scratch)


def environment(var_dir=None, database_url=None, **settings):
    """The environment of a child: nothing of CMMC_* is inherited. Settings are spelled as in config.def."""
    result = {key: value for key, value in os.environ.items() if not key.startswith("CMMC_")}
    if var_dir is not None:
        result["CMMC_VAR_DIR"] = str(var_dir)
    if database_url is not None:
        result["CMMC_DATABASE_URL"] = database_url
    result.update({f"CMMC_{key.upper()}": str(value) for key, value in settings.items()})
    return result


def run(*arguments, stdin=b"", timeout=120, env=None, **settings):
    """Runs a subcommand to its end. The result has returncode, and stdout and stderr as text."""
    done = subprocess.run([str(BIN), *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout * SLOW,
                          env=env if env is not None else environment(**settings), cwd=ROOT)
    done.stdout, done.stderr = done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace")
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    assert done.returncode >= 0, f"{arguments} died of signal {-done.returncode}\n{done.stderr}"
    return done


def load(folder=SAMPLE, **settings):
    """cmmc load, which must succeed. Returns its output."""
    done = run("load", folder, **settings)
    if done.returncode != 0:
        raise AssertionError(f"cmmc load {folder} failed\n{done.stdout}{done.stderr}")
    return done.stdout


def sample_var_dir():
    """A copy of an embedded database that holds the sample data; loaded once per run."""
    def make():
        template = os.path.join(shared.folder(), "sample")
        shutil.rmtree(template, ignore_errors=True)  # of a load that failed
        load(var_dir=template)
        return template

    copy = scratch_folder("var")
    shutil.copytree(shared.once("sample-sqlite", make), copy, dirs_exist_ok=True)
    return copy


class Server:
    """A running `cmmc serve`. Use as a context manager, or start() and stop()."""

    def __init__(self, var_dir=None, database_url=None, **settings):
        self.var_dir = var_dir if var_dir is not None else scratch_folder("var")
        # On PostgreSQL the default is to let nobody in without a key; most tests are about something else.
        self.settings = {"port": 0, "ops_port": 0, "anonymous_read": "on", "anonymous_backtest": "on", "rate_anonymous": 0,
                         **settings}
        self.database_url = database_url
        self.process = None
        self.log = []
        self._started = threading.Event()
        self._announcement = None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill()

    def start(self, timeout=30):
        """Starts it unless it runs, so that `with server.start()` has one process and not two."""
        if self.process is not None:
            return self
        self._started.clear()
        env = environment(self.var_dir, self.database_url, **self.settings)
        self.process = subprocess.Popen([str(BIN), "serve"], env=env, cwd=ROOT, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        deadline = time.monotonic() + timeout * SLOW
        while not self._started.wait(0.02):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError("the server did not start\n" + self.stderr)
        self.port, self.ops_port = self._announcement["port"], self._announcement["ops_port"]
        self.data, self.ops = Client(self.port, timeout=30 * SLOW), Client(self.ops_port, timeout=30 * SLOW)
        try:
            self.wait_until(lambda: self.ops.get("/readyz").status == 200, "ready")
        except BaseException:
            self.kill()  # nobody else will
            raise
        return self

    def _read_log(self):
        for line in self.process.stderr:
            text = line.decode("utf-8", "replace")
            self.log.append(text)
            if not self._started.is_set() and '"server_started"' in text:
                self._announcement = json.loads(text)
                self._started.set()

    @property
    def stderr(self):
        return "".join(self.log)

    def _last_words(self):
        """The first report of a sanitizer, which thousands of lines may follow; else the end of the log."""
        report = SANITIZER_REPORT.search(self.stderr)
        return self.stderr[report.start():report.start() + 8000] if report else self.stderr[-8000:]

    def events(self, name):
        """The log lines of one event, parsed."""
        return [event for event in map(json.loads, list(self.log)) if event.get("event") == name]

    def wait_until(self, condition, what, timeout=10):
        """Looks until condition() holds; what it is goes into the failure."""
        deadline = time.monotonic() + timeout * SLOW
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout} s: {what}\n" + self.stderr[-4000:])
            time.sleep(0.02)

    def stop(self, timeout=30):
        """Asks the server to leave; it must do so with exit code 0 and without a sanitizer's report."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not stop within {timeout} s\n" + self.stderr[-4000:]) from None
        self._reader.join(5)
        process.stderr.close()
        if code != 0 or SANITIZER_REPORT.search(self.stderr):
            raise AssertionError(f"the server left with code {code}\n" + self._last_words())

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._reader.join(5)
            self.process.stderr.close()
            self.process = None

    # The client of the data listener, for short.
    def get(self, target, **headers):
        return self.data.get(target, **headers)

    def head(self, target, **headers):
        return self.data.head(target, **headers)

    def post(self, target, body, **headers):
        return self.data.post(target, body, **headers)
