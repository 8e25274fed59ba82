"""The figures of a first run, each printed by name: start times, one backtest, memory, lines.

Everything runs in a temporary folder on free ports. The peer of the engine is tests/integration/oracle.py, the
independent calculation of the same equity in Python, on the same request: the ratio is what can be compared between
machines, the milliseconds cannot.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CMMC_BIN", ROOT / "build/cmmc"))
sys.path.insert(0, str(ROOT / "tests/integration"))

README_REQUEST = {
    "assets": [{"uid": "stock:US.AAPL", "weight": 0.6}, {"uid": "stock:US.JPM", "weight": 0.4}],
    "start": "2000-01-03", "end": "2019-12-31", "capital": 100000, "currency": "USD", "rebalance": "monthly",
    "costs": {"commission_bps": 5, "slippage_bps": 5}, "benchmark": "index:SPX",
    "monkeys": {"count": 1000, "seed": 1}}
ROUNDS = 9


def environment(folder):
    env = {key: value for key, value in os.environ.items() if not key.startswith("CMMC_")}
    return dict(env, CMMC_VAR_DIR=folder, CMMC_PORT="0", CMMC_OPS_PORT="0", CMMC_LOG_LEVEL="info")


def post(port, request):
    """Returns (status, Server-Timing, milliseconds)."""
    body = json.dumps(request).encode()
    started = time.perf_counter()
    call = urllib.request.Request(f"http://127.0.0.1:{port}/v1/backtests", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=60) as answer:
        answer.read()
        return answer.status, answer.headers.get("Server-Timing", ""), (time.perf_counter() - started) * 1e3


def start(folder):
    """Starts a server and asks until it answers. Returns (process, port, seconds to the first answer)."""
    started = time.perf_counter()
    process = subprocess.Popen([BIN, "serve"], env=environment(folder), stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        event = json.loads(line)
        if event["event"] == "server_started":
            break
    with urllib.request.urlopen(f"http://127.0.0.1:{event['port']}/v1/instruments?limit=1", timeout=10) as answer:
        json.load(answer)
    return process, event["port"], time.perf_counter() - started


def resident_mib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


def timing(header, name):
    found = re.search(name + r";dur=([\d.]+)", header)
    return float(found.group(1)) if found else float("nan")


def backtest_figures(port, say):
    """New runs differ in the seed only, so that none of them is found stored."""
    engine, http, load, render = [], [], [], []
    for seed in range(1, ROUNDS + 1):
        request = dict(README_REQUEST, monkeys={"count": 1000, "seed": seed})
        status, header, milliseconds = post(port, request)
        assert status == 201, status
        http.append(milliseconds)
        engine.append(timing(header, "engine"))
        load.append(timing(header, "load"))
        render.append(timing(header, "render"))
    stored = [post(port, README_REQUEST)[2] for _ in range(ROUNDS)]
    alone = []
    for capital in range(1, ROUNDS + 1):
        request = dict(README_REQUEST, capital=1000 + capital, monkeys={"count": 0})
        alone.append(timing(post(port, request)[1], "engine"))
    say("README backtest, engine, 1,000 monkeys", f"{statistics.median(engine):.2f} ms")
    say("README backtest, engine, no monkeys", f"{statistics.median(alone):.2f} ms")
    say("README backtest, loading prices", f"{statistics.median(load):.2f} ms")
    say("README backtest, writing JSON", f"{statistics.median(render):.2f} ms")
    say("README backtest over HTTP, new", f"{statistics.median(http):.2f} ms")
    say("README backtest over HTTP, stored", f"{statistics.median(stored):.2f} ms")
    return statistics.median(alone)


def oracle_milliseconds():
    import oracle
    started = time.perf_counter()
    oracle.run(README_REQUEST, str(ROOT / "data/sample"))
    return (time.perf_counter() - started) * 1e3


def count_lines(*patterns):
    return sum(len(path.read_bytes().splitlines()) for pattern in patterns for path in ROOT.glob(pattern))


def main():
    def say(name, value):
        print(f"{name:45} {value}")

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        subprocess.run([BIN, "ingest", "--sample", "--if-empty"], env=environment(folder), check=True, stdout=subprocess.DEVNULL)
        loaded = time.perf_counter() - started
        process, port, answered = start(folder)
        say("cold start, empty folder to first answer", f"{loaded + answered:.2f} s (of it the sample's pipeline {loaded:.2f} s)")
        say("resident memory after the first answer", f"{resident_mib(process):.1f} MiB")
        alone = backtest_figures(port, say)
        say("resident memory after the backtests", f"{resident_mib(process):.1f} MiB")
        process.terminate()
        process.wait(30)
        warm = []
        for _ in range(5):
            process, _, seconds = start(folder)
            warm.append(seconds)
            process.terminate()
            process.wait(30)
        say("warm start to first answer, median of 5", f"{statistics.median(warm):.3f} s")
    peer = oracle_milliseconds()
    say("the same in Python (oracle.py), once", f"{peer:.0f} ms")
    say("ratio oracle / engine without monkeys", f"{peer / alone:.0f}")
    program = count_lines("base/*.[ch]", "backtest/*.[ch]", "store/*.[ch]", "ingest/**/*.[ch]", "server/*.[ch]",
                          "handlers/*.[ch]", "cli/*.[ch]", "*/*.def", "migrations/**/*.sql")
    tests = count_lines("tests/**/*.[ch]", "tests/**/*.py", "tests/**/*.sh")
    say("lines of the program (C, tables, SQL)", f"{program}")
    say("lines of tests", f"{tests}")


if __name__ == "__main__":
    main()
