#!/usr/bin/env python3
"""Runs test programs, counts what they report and keeps the counts of every suite in one file.

    tally.py cmocka   SUITE PROGRAM...   run C test programs, several at a time
    tally.py unittest SUITE PATH...      run Python test files, or all in a folder, several at a time
    tally.py file FILE                   run one Python test file
    tally.py total [VARIANT]             sum up what was recorded; the last line is "N passed, N failed"

The build variant under test comes from CMMC_TEST_VARIANT. A later run of a suite on the same variant replaces the earlier
one. Reports of the sanitizers count as failures, whichever process wrote them and whatever the tests made of it.
"""

import concurrent.futures
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support import shared

VARIANT = os.environ.get("CMMC_TEST_VARIANT", "release")
BUILD = pathlib.Path(os.environ.get("CMMC_TEST_BUILD", ROOT / "build"))
RESULTS = BUILD / "results.tsv"
REPORTS = BUILD / VARIANT / "sanitizer"
PROGRAM_TIMEOUT_S = 300
N_SLOWEST = 15
CORES = os.cpu_count() or 1
# Started first, longest first: one that comes last would leave the other cores idle. Others follow by their size.
LONGEST = ("test_description.py", "test_ingest_setups.py", "test_oracles_portfolios.py", "test_ingest_jobs.py", "test_lake.py",
           "test_ingest_s3.py", "test_ingest_kills.py", "test_lake_compact.py", "test_ingest_sources.py", "test_gold",
           "test_strategy_properties", "test_batch", "test_backtest_invariants", "test_http_slow", "test_load")
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


def longest_first(files):
    """Files or programs in the order to start them in."""
    def rank(path):
        return (LONGEST.index(path.name) if path.name in LONGEST else len(LONGEST), -path.stat().st_size, path.name)

    return sorted(map(pathlib.Path, files), key=rank)


def record(suite, counts, seconds):
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    rows = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    rows = [row for row in rows if row.split("\t")[:2] != [VARIANT, suite]]
    rows.append(f"{VARIANT}\t{suite}\t{counts.passed}\t{counts.failed}\t{counts.skipped}\t{seconds:.1f}")
    RESULTS.write_text("\n".join(rows) + "\n")


def print_slowest(suite, times):
    """times: name and seconds of each file or program."""
    slowest = sorted(times, key=lambda one: -one[1])[:N_SLOWEST]
    if len(times) > N_SLOWEST:
        print(f"{suite}: slowest: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in slowest))


def finish(suite, counts, started, times):
    seconds = time.monotonic() - started
    print_slowest(suite, times)
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
    started = time.monotonic()
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
    return count_cmocka(text, process.returncode), text + note, time.monotonic() - started


def run_cmocka(suite, programs):
    prepare_sanitizers()
    started = time.monotonic()
    total = Counts()
    times = []
    if not programs:
        print(f"{suite}: no programs yet")
    programs = longest_first(programs)
    with concurrent.futures.ThreadPoolExecutor(CORES + 1) as pool:  # those of the network wait more than they compute
        for program, (counts, output, seconds) in zip(programs, pool.map(run_program, programs)):
            if counts.failed:
                print(output)
            name = program.name
            print(f"  {name}: {counts}, {seconds:.1f} s", flush=True)
            times.append((name, seconds))
            total.add(counts)
    return finish(suite, total, started, times)


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


COUNTS_LINE = "@counts"


def run_test_file(path):
    """Runs one Python test file in this process; the last line printed holds its counts and CPU time for run_unittest()."""
    os.chdir(ROOT)
    path = pathlib.Path(path).resolve()
    sys.path[:0] = [str(path.parent), str(ROOT)]
    sys.dont_write_bytecode = True
    tests = unittest.TestLoader().loadTestsFromName(path.stem)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=CountingResult).run(tests)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    print(COUNTS_LINE, result.passed, failed, len(result.skipped), f"{cpu:.1f}", flush=True)
    return 1 if failed else 0


def start_test_file(path):
    """Runs one Python test file in a process of its own. A file that ends without counts, or with none, has failed."""
    started = time.monotonic()
    done = subprocess.run([sys.executable, __file__, "file", str(path)], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = done.stdout.decode(errors="replace")
    found = re.search(rf"^{COUNTS_LINE} (\d+) (\d+) (\d+) ([\d.]+)$", output, re.MULTILINE)
    counts = Counts(*map(int, found.groups()[:3])) if found else Counts()
    if (done.returncode != 0 and counts.failed == 0) or counts.passed + counts.failed + counts.skipped == 0:
        counts.failed += 1
    return counts, output, time.monotonic() - started, found.group(4) if found else "?"


def run_unittest(suite, paths):
    """
    Every file in its own process, twice as many at a time as there are cores: they wait more than they compute. Servers of ours and
    ports are each file's own, PostgreSQL and Ceph are shared (tests/support/shared.py).
    """
    os.environ["CMMC_TEST_RUN"] = folder = shared.begin()
    try:
        return run_files(suite, paths)
    finally:
        shared.end(folder)


def run_files(suite, paths):
    prepare_sanitizers()
    started = time.monotonic()
    total_counts = Counts()
    times = []
    files = longest_first(file for path in map(pathlib.Path, paths)
                          for file in (path.glob("test_*.py") if path.is_dir() else [path]))
    if not files:
        print(f"{suite}: no test_*.py in {', '.join(paths)} yet")
    with concurrent.futures.ThreadPoolExecutor(2 * CORES) as pool:
        for file, (counts, output, seconds, cpu) in zip(files, pool.map(start_test_file, files)):
            if counts.failed or counts.skipped:
                print(output)
            print(f"  {file.name}: {counts}, {seconds:.1f} s, of CPU {cpu} s", flush=True)
            times.append((file.name, seconds))
            total_counts.add(counts)
    return finish(suite, total_counts, started, times)


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
    if len(arguments) >= 3 and arguments[0] == "unittest":
        return run_unittest(arguments[1], arguments[2:])
    if len(arguments) == 2 and arguments[0] == "file":
        return run_test_file(arguments[1])
    if len(arguments) in (1, 2) and arguments[0] == "total":
        return total(*arguments[1:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
