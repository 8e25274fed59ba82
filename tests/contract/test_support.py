"""What tests share: a folder of packages that two programs want at once is made once, and the other waits for it."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
GIVE_UP_S = 120

# Asks for the folder of argv[1], which is made by a line in the log and by what the gate lets through.
PROGRAM = """
import pathlib, sys
from support import packages
folder, log, gate = map(pathlib.Path, sys.argv[1:])
print(packages._make(folder, [["sh", "-c", f"echo made >>{log}; cat {gate} >content"]], "key") / "content")
"""


def is_waiting(process):
    """For a lock of a file that another holds; so says the kernel's list of locks."""
    waiting = (line.split() for line in pathlib.Path("/proc/locks").read_text(encoding="utf-8").splitlines() if " -> " in line)
    return any(str(process.pid) in words for words in waiting)


class Packages(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder, self.log, self.gate = (pathlib.Path(place.name) / name for name in ("packages", "log", "gate"))
        self.log.touch()
        os.mkfifo(self.gate)

    def ask(self):
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, self.folder, self.log, self.gate], stdout=subprocess.PIPE,
                                   text=True, env={**os.environ, "PYTHONPATH": str(TESTS)})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        return process

    def n_made(self):
        return len(self.log.read_text(encoding="utf-8").splitlines())

    def wait_until(self, condition):
        until = time.monotonic() + GIVE_UP_S
        while not condition():
            self.assertLess(time.monotonic(), until, "gave up waiting")
            time.sleep(0.01)

    def test_of_two_programs_one_makes_a_folder_and_the_other_takes_it(self):
        first = self.ask()
        self.wait_until(lambda: self.n_made() == 1)
        second = self.ask()
        self.wait_until(lambda: is_waiting(second) or self.n_made() > 1)
        self.assertEqual(self.n_made(), 1)
        self.gate.write_text("whole", encoding="utf-8")
        for process in (first, second):
            said = process.communicate(timeout=GIVE_UP_S)[0]
            self.assertEqual((process.returncode, pathlib.Path(said.strip()).read_text(encoding="utf-8")), (0, "whole"))
        self.assertEqual(self.n_made(), 1)


if __name__ == "__main__":
    unittest.main()
