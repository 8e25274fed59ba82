"""Processes that wait where another is to be before them, with clocks that stand (meet_at.c)."""

import pathlib
import subprocess
import time

from support.die_at import library
from support.server import BIN, ROOT, environment, scratch_folder


def run(*arguments, clock, **settings):
    """To its end, in one second."""
    return subprocess.run([str(BIN), *map(str, arguments)], capture_output=True, timeout=120, env=_environment(settings, clock), cwd=ROOT, text=True, check=False)


class Waiting:
    """Started, and waiting before it first locks a folder whose path ends so."""

    def __init__(self, ending, *arguments, clock, **settings):
        folder = pathlib.Path(scratch_folder("meet"))
        self.here, self.go = folder / "here", folder / "go"
        env = {**_environment(settings, clock), "MEET_AT": ending, "MEET_HERE": str(self.here), "MEET_GO": str(self.go)}
        self.process = subprocess.Popen([str(BIN), *map(str, arguments)], env=env, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        while not self.here.exists() and self.process.poll() is None:
            time.sleep(0.005)
        if self.process.poll() is not None:
            raise AssertionError("It ended before it came there.\n" + "".join(self.process.communicate()))
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def go_on(self):
        self.go.touch()
        out, said = self.process.communicate(timeout=120)
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, out, said)


def _environment(settings, clock):
    return {**environment(**settings), "LD_PRELOAD": str(library("meet_at")), "MEET_CLOCK_S": str(clock)}
