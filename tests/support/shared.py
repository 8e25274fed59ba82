"""
What the test files of one run share. Each file runs in a process of its own: the first that needs a thing makes it, the others wait
for it and take it. The runner (scripts/tally.py) names the folder of the run in CMMC_TEST_RUN and calls end() when all are done; a file
that is run without it is a run by itself.
"""

import atexit
import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

SCRIPTS = pathlib.Path(__file__).resolve().parent
SERVICES = ("pg", "ceph")  # what NAME.sh starts, and stops again, in the folder NAME of the run

_lock = threading.RLock()
_folder = None


def begin():
    """A new folder for a run. Whoever walks down to a folder below it may be another user: PostgreSQL is no root."""
    path = tempfile.mkdtemp(prefix="cmmc-run-")
    os.chmod(path, 0o711)
    return path


def end(path):
    for name in SERVICES:
        if os.path.isdir(os.path.join(path, name)):
            script(name, "stop", path)
    shutil.rmtree(path, ignore_errors=True)


def script(name, command, path, timeout=180):
    """Runs NAME.sh for the service of the run in path."""
    return subprocess.run(["bash", str(SCRIPTS / f"{name}.sh"), command, os.path.join(path, name)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, check=False)


def folder():
    global _folder
    with _lock:
        if _folder is None:
            _folder = os.environ.get("CMMC_TEST_RUN")
            if _folder is None:
                _folder = begin()
                atexit.register(end, _folder)
    return _folder


def once(name, make):
    """What make() returns, a text; called once in the run. A make() that fails is called again by the next who asks."""
    path = pathlib.Path(folder()) / f"{name}.text"
    with _lock, open(f"{path}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            text = make()
            path.write_text(text, encoding="utf-8")
        return path.read_text(encoding="utf-8")
