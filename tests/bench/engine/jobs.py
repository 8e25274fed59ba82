"""Backtests a second that a job gets through: sweeps whose items share a panel, and items that share none. Prints one table.

    python3 tests/bench/engine/jobs.py [--items 2000] [--rounds 3]

The program is CMMC_BIN, or build/cmmc; SQLite, the sample data, 2 threads of jobs; the best of the rounds.
From the request to the end of the job: expanding and costing the sweep, the runs, the rows in the database, and the study of overfitting.
"""

import argparse
import datetime
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests")]

from support.backend import Sqlite  # noqa: E402

PAIR = [{"uid": "stock:US.AAPL", "weight": 0.6}, {"uid": "stock:US.JPM", "weight": 0.4}]
SIX_YEARS = {"assets": PAIR, "start": "2013-01-02", "end": "2018-12-28", "rebalance": "monthly", "benchmark": "index:SPX"}


def commissions(n):
    return {"base": SIX_YEARS, "axes": [{"pointer": "/costs/commission_bps", "from": 0, "to": (n - 1) / 16, "step": 1 / 16}]}


def weights(n):
    return {"base": SIX_YEARS, "axes": [{"weights": {}}], "random": {"count": n, "seed": 7}}


def ten(n):
    symbols = ("AAPL", "JPM", "KO", "XOM", "JNJ", "WMT", "PG", "PEP", "MRK", "MSFT")
    body = weights(n)
    return {**body, "base": {**SIX_YEARS, "assets": [{"uid": f"stock:US.{symbol}"} for symbol in symbols]}}


def twenty(n):
    symbols = ("AAPL", "AMD", "BAC", "BBY", "CVX", "GE", "HD", "JNJ", "JPM", "KO", "LLY", "MRK", "MSFT", "PEP", "PFE", "PG", "RRC", "UNH", "WMT", "XOM")
    body = weights(n)
    return {**body, "base": {"assets": [{"uid": f"stock:US.{symbol}"} for symbol in symbols], "start": "1992-01-02", "end": "2021-12-31",
                             "costs": {"commission_bps": 5}}}


def starts(n):
    """Each item begins on a day of its own, or shares it with few: as many panels as days."""
    first = datetime.date(2012, 1, 3)
    days = [str(first + datetime.timedelta(days=i)) for i in range(min(n, 300))]
    return {"base": SIX_YEARS, "axes": [{"pointer": "/capital", "values": list(range(1000, 1000 + max(1, n // 300)))}, {"pointer": "/start", "values": days}]}


CASES = [("6 years x 2, commissions", commissions), ("6 years x 2, weights", weights), ("6 years x 10, weights", ten), ("30 years x 20, weights, costs", twenty),
         ("6-7 years x 2, start days", starts)]


def processor_s(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(server, body):
    cpu, begun = processor_s(server), time.monotonic()
    location = server.post("/v1/backtests:sweep", body, prefer="wait=30").header("Location")
    job = server.get(location).json["data"]
    if job["state"] != "succeeded" or job["result"]["failed"]:
        raise SystemExit(f"the job did not succeed within 30 s: {job}")
    return job["result"]["items"], time.monotonic() - begun, processor_s(server) - cpu


def jobs(n, rounds):
    server = Sqlite().server(job_threads=2, jobs_per_key=0, job_cells_per_key=0).start()
    rows = []
    try:
        for name, body in CASES:
            found = [measure(server, body(n)) for _ in range(rounds)]
            items = found[0][0]
            rows.append((name, items, items / min(took for _, took, _ in found), min(cpu for _, _, cpu in found) / items * 1e3))
    finally:
        server.stop()
    return rows


def table(n=2000, rounds=3):
    lines = ["| Sweep | Items | Items a second | Processor ms an item |", "| --- | --- | --- | --- |"]
    lines += [f"| {name} | {items} | {rate:.0f} | {cpu:.2f} |" for name, items, rate, cpu in jobs(n, rounds)]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(table(options.items, options.rounds))
