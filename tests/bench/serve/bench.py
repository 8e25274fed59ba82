"""Runs the comparisons of reading beside their peers and prints one Markdown table; run.sh says how."""

import argparse
import datetime
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time
import traceback

import bulk
import scenarios
from figures import table
from parties import BIN, ROOT, Bench, Missing

SCENARIOS = {"hit": scenarios.hit, "304": scenarios.not_modified, "redis-row": scenarios.redis_row,
             "redis-page": scenarios.redis_page, "row": scenarios.one_row, "page": scenarios.page_1000,
             "csv": bulk.csv, "json": bulk.json_all, "memory": bulk.memory, "latency": bulk.latency,
             "pages": bulk.pages}


def first_line(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "not found"


def machine():
    """What the figures depend on, one line each."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "?")
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [f"{os.cpu_count()} cores ({model}), {memory_gib:.0f} GiB of memory, Linux {platform.release()}",
            f"{first_line(os.environ.get('CC', 'cc'), '--version')}; {first_line('psql', '--version')}",
            first_line(str(BIN), "version")]


def main():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], help="which; all without any")
    parser.add_argument("--quick", action="store_true", help="short rounds, smaller tables: a look, not a figure")
    parser.add_argument("--rounds", type=int, help="rounds of each party")
    parser.add_argument("--seconds", type=float, help="length of one round")
    parser.add_argument("--data", help="folder of a PostgreSQL that is kept for the next run")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the result there, as docs/benchmarks.md is")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 2)
    build = ROOT / "build" / "bench"
    if os.environ.get("CMMC_TEST_BUILD"):
        build = pathlib.Path(os.environ["CMMC_TEST_BUILD"]) / "bench"
    build.mkdir(parents=True, exist_ok=True)
    lines, notes, rows, started, load = machine(), [], [], time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="cmmc-bench-") as folder:
        os.chmod(folder, 0o755)
        bench = Bench(folder, build, options.data)
        bench.note = lambda text: (notes.append(text), print(f"-- {text}", file=sys.stderr, flush=True))
        try:
            for name in options.scenario or SCENARIOS:
                began, kept = time.monotonic(), list(bench.parties)
                try:
                    found = SCENARIOS[name](bench, options)
                    rows += found
                    for row in found:
                        print(" | ".join(row.cells()), file=sys.stderr)
                except Missing as missing:
                    bench.note(f"{name}: not measured: {missing}")
                except Exception as error:  # pylint: disable=broad-except
                    traceback.print_exc()
                    bench.note(f"{name}: failed: {error!r}")
                for party in [party for party in bench.parties if party not in kept and party.name != "redis"]:
                    bench.stop(party)
                print(f"-- {name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        finally:
            bench.close()
    words = [*(["--quick"] if options.quick else []), *options.scenario]
    command = " ".join(["tests/bench/serve/run.sh", *words])
    out = "\n".join([*(f"- {line}" for line in lines),
                     f"- load average {load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end",
                     f"- {options.rounds} rounds of {options.seconds:g} s; {time.monotonic() - started:.0f} s in all",
                     "", table(rows), *(["", *(f"- {note}" for note in notes)] if notes else [])])
    print(out)
    if options.markdown:
        write_page(options.markdown, command, out)
    return 1 if any("not measured" in note or "failed" in note for note in notes) else 0


def write_page(path, command, out):
    """Puts the run between the marks of the page, and leaves its prose alone."""
    text = path.read_text("utf-8")
    head, begin, rest = text.partition("<!-- run -->\n")
    _, end, tail = rest.partition("<!-- end of run -->")
    if not begin or not end:
        raise SystemExit(f"{path} has no marks <!-- run --> and <!-- end of run -->")
    day = datetime.date.today().isoformat()
    path.write_text(f"{head}{begin}\nPrinted on {day} by `{command}`:\n\n{out}\n\n{end}{tail}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
