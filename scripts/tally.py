#!/usr/bin/env python3
"""Runs test programs, counts what they report and keeps the counts of every suite in one file.

    tally.py cmocka   SUITE PROGRAM...   run C test programs, several at a time
    tally.py unittest SUITE FOLDER       run the Python tests in FOLDER
    tally.py total [VARIANT]             sum up what was recorded; the last line is "N passed, N failed"

The build variant under test comes from CMMC_TEST_VARIANT. A later run of a suite on the same variant replaces the earlier
one. Reports of the sanitizers count as failures, whichever process wrote them and whatever the tests made of it.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
VARIANT = os.environ.get("CMMC_TEST_VARIANT", "release")
BUILD = pathlib.Path(os.environ.get("CMMC_TEST_BUILD", ROOT / "build"))
RESULTS = BUILD / "results.tsv"
REPORTS = BUILD / VARIANT / "sanitizer"
PROGRAM_TIMEOUT_S = 300
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1:suppressions=" + str(ROOT / "scripts" / "tsan.supp"),
}


class Counts:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def prepare_sanitizers():
    """Sends every sanitizer report to a file of its own below REPORTS."""
    shutil.rmtree(REPORTS, ignore_errors=True)
    if VARIANT not in ("asan", "tsan"):
        return
    REPORTS.mkdir(parents=True)
    for name, options in SANITIZER_OPTIONS.items():
        given = os.environ.get(name)
        os.environ[name] = f"log_path={REPORTS}/report:{options}" + (f":{given}" if given else "")


def sanitizer_reports(suite):
    """Prints and counts the reports written since prepare_sanitizers()."""
    reports = sorted(REPORTS.glob("report.*")) if REPORTS.is_dir() else []
    for report in reports:
        print(f"{suite}: sanitizer report {report.name}:")
        print(report.read_text(errors="replace"))
    return len(reports)


def record(suite, counts, seconds):
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    rows = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    rows = [row for row in rows if row.split("\t")[:2] != [VARIANT, suite]]
    rows.append(f"{VARIANT}\t{suite}\t{counts.passed}\t{counts.failed}\t{counts.skipped}\t{seconds:.1f}")
    RESULTS.write_text("\n".join(rows) + "\n")


def finish(suite, counts, started):
    seconds = time.monotonic() - started
    reports = sanitizer_reports(suite)
    counts.failed += reports
    record(suite, counts, seconds)
    noted = f", of which {reports} sanitizer reports" if reports else ""
    print(f"{suite} ({VARIANT}): {counts}{noted}, {seconds:.1f} s", flush=True)
    return 1 if counts.failed else 0


def count_cmocka(output, exit_code):
    """The counts of one program; what began but never reported, and an unexplained exit code, are failures."""
    def summed(pattern):
        return sum(int(number) for number in re.findall(pattern, output, re.MULTILINE))

    planned = summed(r"^\[=+\] (?:\S+: )?Running (\d+) test")
    counts = Counts(summed(r"^\[ *PASSED *\] (?:\S+: )?(\d+) test"),
                    summed(r"^\[ *FAILED *\] (?:\S+: )?(\d+) test"),
                    summed(r"^\[ *SKIPPED *\] (?:\S+: )?(\d+) test"))
    counts.failed += max(0, planned - counts.passed - counts.failed - counts.skipped)
    if counts.failed == 0 and (exit_code != 0 or planned == 0):
        counts.failed = 1
    return counts


def run_program(program):
    """Runs one test program in the repository's root with a scratch folder of its own as TMPDIR."""
    scratch = tempfile.mkdtemp(prefix="cmmc-test-")
    environment = dict(os.environ, TMPDIR=scratch, CMOCKA_MESSAGE_OUTPUT="STDOUT")
    process = subprocess.Popen([os.path.abspath(program)], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    note = ""
    try:
        output, _ = process.communicate(timeout=PROGRAM_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        note = f"killed after {PROGRAM_TIMEOUT_S} s\n"
    shutil.rmtree(scratch, ignore_errors=True)
    text = output.decode(errors="replace")
    if process.returncode < 0 and not note:
        note = f"died of {signal.Signals(-process.returncode).name}\n"
    return count_cmocka(text, process.returncode), text + note


def run_cmocka(suite, programs):
    prepare_sanitizers()
    started = time.monotonic()
    total = Counts()
    if not programs:
        print(f"{suite}: no programs yet")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for program, (counts, output) in zip(programs, pool.map(run_program, programs)):
            if counts.failed:
                print(output)
            print(f"  {pathlib.Path(program).name}: {counts}", flush=True)
            total.add(counts)
    return finish(suite, total, started)


class CountingResult(unittest.TextTestResult):
    """A result that also knows how many tests passed; unittest itself only counts those that began."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.passed += 1


def run_unittest(suite, folder):
    prepare_sanitizers()
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.dont_write_bytecode = True
    started = time.monotonic()
    counts = Counts()
    if list(pathlib.Path(folder).glob("test_*.py")):
        tests = unittest.TestLoader().discover(folder)
        runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=CountingResult)
        result = runner.run(tests)
        counts = Counts(result.passed,
                        len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses),
                        len(result.skipped))
        if counts.passed + counts.failed + counts.skipped == 0:
            print(f"{suite}: the files in {folder} hold no test")
            counts.failed = 1
    else:
        print(f"{suite}: no test_*.py in {folder} yet")
    return finish(suite, counts, started)


def total(variant=None):
    everything = Counts()
    rows = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    for row in rows:
        row_variant, suite, passed, failed, skipped, seconds = row.split("\t")
        if variant and row_variant != variant:
            continue
        counts = Counts(int(passed), int(failed), int(skipped))
        print(f"{row_variant:16} {suite:10} {counts}, {seconds} s")
        everything.add(counts)
    if everything.skipped:
        print(f"skipped, with the reasons above: {everything.skipped}")
    print(f"{everything.passed} passed, {everything.failed} failed")
    return 1 if everything.failed or not everything.passed else 0


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "cmocka":
        return run_cmocka(arguments[1], arguments[2:])
    if len(arguments) == 3 and arguments[0] == "unittest":
        return run_unittest(*arguments[1:])
    if len(arguments) in (1, 2) and arguments[0] == "total":
        return total(*arguments[1:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
