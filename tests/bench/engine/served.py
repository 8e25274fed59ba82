"""What POST /v1/backtests takes over loopback, 30 years x 10 assets, every request another one; served.sh says how."""

import argparse
import json
import pathlib
import re
import socket
import statistics
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).resolve().parents[2])]

from bench import machine, significant, table, verdict, write_page  # noqa: E402
from support.backend import Postgresql, Sqlite  # noqa: E402

TICKERS = "AAPL AMD BAC BBY CVX GE HD JNJ JPM KO".split()
WARM_UP, P50_MS, P99_MS = 20, 2, 5
TABLES = "metrics,drawdowns,monthly,costs,accounts,data_quality,monkeys,final_weights,passport"
SELECTS = {"every metric and table": "?select=" + TABLES, "the whole answer, each day and trade": ""}
STORES = {"behind the answer": {}, "before the answer": {"backtest_pending_bytes": 0}}


def request(i):
    """The i-th: its weights are its own, and its monkeys those of all others."""
    weights = [1 + (i * (k + 3) + k) % 97 for k in range(len(TICKERS))]
    weights[0] += i / 4096
    assets = [{"uid": f"stock:US.{name}", "weight": weight / sum(weights)} for name, weight in zip(TICKERS, weights)]
    return {"assets": assets, "start": "1992-01-02", "end": "2021-12-31", "rebalance": "monthly", "benchmark": "index:SPX",
            "costs": {"commission_bps": 5, "slippage_bps": 5}, "monkeys": {"count": 1000, "seed": 1}}


class Caller:
    """As little of a client as will do. The server ends the connection of every POST, so each has one of its own."""

    def __init__(self, port):
        self.port = port
        self.room = memoryview(bytearray(16 << 20))

    def post(self, target, body):
        """Returns milliseconds from connecting to the last byte, those of the server's steps, and the bytes of the body."""
        head = f"POST {target} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        message = head.encode() + body
        began = time.perf_counter()
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(message)
            text, start, length = self._read(connection)
        took = (time.perf_counter() - began) * 1e3
        if " 201 " not in text.partition("\r\n")[0]:
            raise SystemExit(f"expected 201: {text}\n{bytes(self.room[start:start + min(length, 500)])}")
        return took, {name: float(ms) for name, ms in re.findall(r"(load|engine|render);dur=([\d.]+)", text)}, length

    def _read(self, connection):
        """The head, where the body begins, and its length."""
        have, need, start, text, length = 0, None, 0, "", 0
        while need is None or have < need:
            n = connection.recv_into(self.room[have:])
            if n == 0:
                raise SystemExit(f"the server closed the connection after {have} of {need} bytes")
            have += n
            if need is None and (start := bytes(self.room[:have]).find(b"\r\n\r\n") + 4) > 3:
                text = bytes(self.room[:start]).decode("latin-1")
                length = int(re.search(r"(?i)content-length: (\d+)", text).group(1))
                need = start + length
        return text, start, length


def measure(backend, rounds, settings, suffix, first):
    with backend.server(**settings) as server:
        caller = Caller(server.port)
        found = [caller.post("/v1/backtests" + suffix, json.dumps(request(first + i)).encode()) for i in range(WARM_UP + rounds)]
        metrics = server.ops.get("/metrics").text
    direct = re.search(r'cmmc_backtest_stores_total\{outcome="direct"\} (\d+)', metrics)
    return found[WARM_UP:], int(direct.group(1)) if direct else 0


def row(backend, rounds, store, select, first):
    found, n_direct = measure(backend, rounds, STORES[store], SELECTS[select], first)
    times = sorted(took for took, _, _ in found)
    steps = [statistics.median(timing[name] for _, timing, _ in found) for name in ("load", "engine", "render")]
    p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
    goals = [verdict(p50, "<=", P50_MS), verdict(p99, "<=", P99_MS)] if store == "behind the answer" else ["", ""]
    return [backend.name, store, select, significant(statistics.median(length for _, _, length in found) / 1024), significant(p50),
            significant(p99), *map(significant, steps), significant(p50 - sum(steps)), n_direct, *goals]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--sqlite-only", action="store_true")
    parser.add_argument("--markdown", type=pathlib.Path)
    options = parser.parse_args()
    rows, about = [], machine()
    backends = [Sqlite()] + [Postgresql()] * (not options.sqlite_only)
    for backend in backends:
        for i, (store, select) in enumerate((store, select) for store in STORES for select in SELECTS):
            rows.append(row(backend, options.rounds, store, select, 10000 * i))
    out = about + "\n\n" + table(["Database", "Stored", "Asked for", "KiB", "p50, ms", "p99, ms", "Loading", "Engine", "Rendering",
                                  "All else", "Stored by the request", "Goal of p50, ms", "Goal of p99, ms"], rows)
    print(out)
    if options.markdown:
        flags = " ".join(["--rounds", str(options.rounds)] + ["--sqlite-only"] * options.sqlite_only)
        write_page(options.markdown, f"tests/bench/served.sh {flags}", out, "served")


if __name__ == "__main__":
    main()
