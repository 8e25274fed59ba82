"""Processes that are killed at the n-th call that could leave something behind (die_at.c)."""

import functools
import os
import pathlib
import signal
import subprocess

from support.server import BIN, ROOT, environment, scratch_folder

@functools.cache
def library(name="die_at"):
    """A shared object to be preloaded, compiled once."""
    path = pathlib.Path(scratch_folder(name)) / f"{name}.so"
    subprocess.run([os.environ.get("CC", "cc"), "-O1", "-shared", "-fPIC", "-o", path, ROOT / "tests" / "support" / "preload" / f"{name}.c", "-ldl"], check=True)
    return path


def calls(*arguments, **settings):
    """How many such calls there are in a run that nobody kills; it must succeed."""
    count = pathlib.Path(scratch_folder("die")) / "count"
    done = _run(arguments, settings, DIE_COUNT=count)
    if done.returncode != 0:
        raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}")
    return int(count.read_text())


def killed(at, *arguments, **settings):
    """Runs it until its call number `at`. Whether it died there: a run may end before."""
    done = _run(arguments, settings, DIE_AT=at)
    if done.returncode not in (0, -signal.SIGKILL):
        raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.returncode != 0


def _run(arguments, settings, **die):
    env = {**environment(**settings), "LD_PRELOAD": str(library()), **{name: str(value) for name, value in die.items()}}
    return subprocess.run([str(BIN), *map(str, arguments)], capture_output=True, timeout=120, env=env, cwd=ROOT, check=False)
