"""
Processes that are killed at the n-th call that could leave something behind (die_at.c).

DIE_POINTS=A..B  every n from A to B, or all; absent: a sample drawn by DIE_SEED, which is printed
DIE_LOG=FILE     each n that held is a line of this file, and those that stand in it are not tried again
"""

import functools
import os
import pathlib
import random
import re
import signal
import subprocess
import sys

from support.server import BIN, ROOT, environment, scratch_folder


@functools.cache
def library(name="die_at"):
    """A shared object to be preloaded, compiled once."""
    path = pathlib.Path(scratch_folder(name)) / f"{name}.so"
    subprocess.run([os.environ.get("CC", "cc"), "-O1", "-shared", "-fPIC", "-o", path, ROOT / "tests" / "support" / "preload" / f"{name}.c", "-ldl"], check=True)
    return path


def points(name, n_calls, n_points):
    """The numbers of calls to die at, of n_calls: one at random out of each of n_points equal parts, or what DIE_POINTS asks for."""
    asked = os.environ.get("DIE_POINTS")
    if asked is None:
        seed = int(os.environ.get("DIE_SEED", random.randrange(10**9)))
        print(f"{name}: DIE_SEED={seed}, {n_points} of {n_calls} points", file=sys.stderr)
        chance, step = random.Random(seed), n_calls / n_points
        return sorted({1 + int(step * (i + chance.random())) for i in range(n_points)})
    span = re.fullmatch(r"(\d+)\.\.(\d+)", f"1..{n_calls}" if asked == "all" else asked)
    if span is None:
        raise ValueError(f"DIE_POINTS={asked}: A..B or all")
    known = _held(name)
    chosen = [n for n in range(int(span[1]), min(int(span[2]), n_calls) + 1) if n not in known]
    print(f"{name}: {len(chosen)} of {n_calls} points, {len(known)} held before", file=sys.stderr)
    return chosen


def holds(name, at):
    """Whoever looked at all that point `at` leaves, and found nothing wrong, says so."""
    log = os.environ.get("DIE_LOG")
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{name} {at}\n")


def _held(name):
    log = pathlib.Path(os.environ.get("DIE_LOG", os.devnull))
    lines = log.read_text(encoding="utf-8").split("\n") if log.exists() else []
    return {int(at) for line_name, at in (line.rsplit(" ", 1) for line in lines if line) if line_name == name}


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
