"""The comparisons of whole tables, of latency under a mix of work, and of cost as data grows."""

import http.client
import json
import re
import resource
import statistics
import subprocess
import threading
import time

import proc
from figures import Row, significant
from parties import SESSIONS, Missing, need
from scenarios import HUNDRED_THOUSAND, MILLION, ROWS_TARGET, TEN_MILLION, Targets, symbol, uncached

GROWTH_MIB = 8


def children_cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(bench, words, **trees):
    """Runs a client to its end: its seconds, and the processor seconds of everybody; the client is "client"."""
    cpu = proc.Cpu(postgresql=bench.postgres_pid(), **trees)
    own, started = children_cpu_s(), time.perf_counter()
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300,
                          check=False)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise Missing(f"{words[0]} failed: {done.stderr[-300:]!r}")
    return seconds, dict(cpu.used(), client=children_cpu_s() - own)


def exported(bench, ours, target, path):
    """Fetches a target into a file by curl."""
    words = [need("curl", "curl"), "-sS", "--fail-with-body", "-o", path,
             f"http://127.0.0.1:{ours.port}{target}"]
    return timed(bench, words, ours=ours.pid)


def psql_to_file(bench, database, path, *commands):
    words = [need("psql", "postgresql-client"), "-X", "-q", "-A", "-t", "-o", path, bench.url_of(database)]
    for command in commands:
        words += ["-c", command]
    return timed(bench, words)


def whole(bench, options, name, target, peers):
    """A whole table of 1,000,000 rows: ours by curl beside peers, each (its name, goal, how), all into files. Returns
    (rows, our server)."""
    ours = bench.ours("ours", bench.database(MILLION), **uncached(bench))
    status, _, body = ours.get(target.replace("limit=all", "limit=all&uid=eq." + symbol(1)))
    if status != 200:
        raise Missing(f"ours answers {status} to {target}: {body[:200]!r}")
    mine, theirs = [], {peer: [] for peer, _, _ in peers}
    for _ in range(options.rounds):
        mine.append(exported(bench, ours, target, bench.folder / "ours.out"))
        for peer, _, how in peers:
            theirs[peer].append(how(bench.folder / "theirs.out"))

    def text(measured, *parts):
        return " + ".join(significant(statistics.median(used[part] for _, used in measured)) for part in parts)
    rows = []
    for peer, goal, _ in peers:
        row = Row(name, peer, goal).compare([seconds for seconds, _ in mine], [seconds for seconds, _ in theirs[peer]],
                                            "s", higher_is_better=False)
        row.cpu = f"{text(mine, 'ours', 'postgresql', 'client')} / {text(theirs[peer], 'client', 'postgresql')} s in all"
        rows.append(row)
    return rows, ours


def count_lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def csv(bench, options):
    """CSV of 1,000,000 rows into a file, beside psql's \\copy of the same view; ours is always in the order of the key,
    psql once as the table lies and once in that order."""
    def copy(order):
        query = f"SELECT * FROM mart_price_daily{order}"
        return lambda path: psql_to_file(bench, f"bench{MILLION}", "/dev/null",
                                         f"\\copy ({query}) TO '{path}' WITH (FORMAT csv, HEADER)")
    peers = [("psql \\copy", (">=", 0.8), copy("")),
             ("psql \\copy, ordered", None, copy(" ORDER BY uid, date"))]
    rows, ours = whole(bench, options, "CSV of 1,000,000 rows", f"{ROWS_TARGET}?limit=all&format=csv", peers)
    lines = [count_lines(bench.folder / name) for name in ("ours.out", "theirs.out")]
    if lines != [MILLION * SESSIONS + 1] * 2:
        raise Missing(f"lines written: ours {lines[0]}, psql {lines[1]}")
    bench.stop(ours)
    return rows


def json_all(bench, options):
    """The same rows as JSON into a file, beside PostgreSQL building them with json_agg."""
    def aggregate(path):
        return psql_to_file(bench, f"bench{MILLION}", path, "SELECT json_agg(p) FROM mart_price_daily p")
    rows, ours = whole(bench, options, "JSON of 1,000,000 rows", f"{ROWS_TARGET}?limit=all&format=json",
                       [("json_agg", (">=", 0.8), aggregate)])
    with open(bench.folder / "ours.out", "rb") as file:
        found = len(re.findall(rb'"uid":', file.read()))
    if found != MILLION * SESSIONS:
        raise Missing(f"our JSON has {found} rows")
    bench.stop(ours)
    return rows


def grow(bench, ours, words, seconds=None):
    """MiB that the peak of resident memory rises above what is resident before a client runs."""
    before = proc.status_kib(ours.pid, "VmRSS")
    proc.reset_peak(ours.pid)
    client = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, error = client.communicate(timeout=seconds)
        if client.returncode != 0:
            raise Missing(f"{words[0]} failed: {error[-300:]!r}")
    except subprocess.TimeoutExpired:
        client.kill()
        client.communicate()
    return (proc.status_kib(ours.pid, "VmHWM") - before) / 1024


def memory(bench, options):
    """Resident growth while whole tables are sent as CSV and as JSON, and to a reader of 1 MB/s."""
    found = []
    curl = [need("curl", "curl"), "-sS", "--fail-with-body", "-o", "/dev/null"]
    sizes = [(HUNDRED_THOUSAND, "100,000"), (MILLION, "1,000,000")]
    sizes += [] if options.quick else [(TEN_MILLION, "10,000,000")]
    for instruments, count in sizes:
        ours = bench.ours("ours", bench.database(instruments), **uncached(bench))
        ours.get(f"{ROWS_TARGET}?limit=1000")  # connections and buffers that every server has
        base = f"http://127.0.0.1:{ours.port}{ROWS_TARGET}?limit=all&format="
        kinds = [("csv", [], None, "")] + ([("json", [], None, "")] if instruments <= MILLION else [])
        if instruments == MILLION:
            seconds = 4 if options.quick else 10
            kinds += [("csv", ["--limit-rate", "1M"], seconds, f", first {seconds} s of a reader of 1 MB/s")]
        for kind, more, seconds, note in kinds:
            grown = grow(bench, ours, curl + more + [base + kind], seconds)
            row = Row(f"resident growth, {kind.upper()} of {count} rows{note}", "", ("<=", GROWTH_MIB))
            found.append(row.value(grown, f"{grown:.1f} MiB"))
        bench.stop(ours)
    return found


# ---- Latency while others work ----------------------------------------------------------------------------------------


class Repeated:
    """Does something again and again in threads until the block ends; counts how often. The first failure is kept."""

    def __init__(self, action, n_threads=1):
        self.count, self.failure, self.is_over = 0, None, threading.Event()
        self.threads = [threading.Thread(target=self._loop, args=(action, i), daemon=True) for i in range(n_threads)]

    def _loop(self, action, thread):
        turn = 0
        while not self.is_over.is_set() and self.failure is None:
            try:
                action(thread, turn)
            except Exception as error:  # pylint: disable=broad-except
                self.failure = error
            turn += 1
            self.count += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join(60)


def backtest(ours, thread, turn):
    """A backtest of twenty assets and 1,000 monkeys; the seed makes each a new one."""
    assets = [{"uid": symbol(number), "weight": 0.05} for number in range(1 + 20 * thread, 21 + 20 * thread)]
    request = {"assets": assets, "start": "2014-01-02", "end": "2022-12-28", "capital": 100000, "currency": "USD",
               "rebalance": "monthly", "costs": {"commission_bps": 5, "slippage_bps": 5},
               "monkeys": {"count": 1000, "seed": 1 + turn * 4 + thread}}
    connection = http.client.HTTPConnection("127.0.0.1", ours.port, timeout=60)
    connection.request("POST", "/v1/backtests", json.dumps(request), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status not in (200, 201):
        raise Missing(f"a backtest answered {answer.status}: {body[:300]!r}")


def latency(bench, options):
    """p99 at a constant 5,000 requests a second of mixed cached reads: alone, then beside exports and backtests that
    follow each other without a break, one export and four backtests at any time."""
    ours = bench.ours("ours", bench.database(MILLION))
    targets = Targets(bench, f"bench{MILLION}", n=120)
    pages = [f"{ROWS_TARGET}?uid=eq.{uid}&limit=50" for uid in targets.uids[:16]]
    mixed = []
    for i, one in enumerate(targets.one):
        mixed += [one, pages[i % 16]] if i % 4 == 0 else [one]
    mixed += ["/v1/marts", "/v1/marts/mart_price_daily", f"{ROWS_TARGET}?limit=1000"]
    bench.load(ours, mixed, 1, 8)  # everything is in the cache now
    seconds = 4 if options.quick else 15

    def measure(name, goal):
        result = bench.load(ours, mixed, seconds, 64, rate=5000, warm=0)
        if result["errors"] or set(result["statuses"]) != {"200"}:
            raise Missing(f"answers were {result['statuses']}, {result['errors']} errors")
        row = Row(name, "", goal)
        row.cpu = significant(result["cpu_us"]["party"]) + " µs"
        return row.value(result["p99_us"] / 1000, f"p50 {significant(result['p50_us'] / 1000)}, "
                         f"p99 {significant(result['p99_us'] / 1000)}, p99.9 {significant(result['p999_us'] / 1000)} "
                         f"ms at {significant(result['rate'], 4)}/s")

    alone = measure("5,000 req/s of cached reads, alone", None)
    target = f"{ROWS_TARGET}?limit=all&format=csv"
    with Repeated(lambda *_: exported(bench, ours, target, "/dev/null")) as exports:
        with Repeated(lambda thread, turn: backtest(ours, thread, turn), 4) as backtests:
            time.sleep(0.5)
            beside = measure("the same beside exports and backtests", ("<=", 5))
    for work in (exports, backtests):
        if work.failure is not None:
            raise work.failure
    beside.cpu = f"meanwhile {exports.count} exports of 1,000,000 rows and {backtests.count} backtests"
    bench.stop(ours)
    return [alone, beside]


# ---- Cost as data grows -----------------------------------------------------------------------------------------------


def page_targets(ours, pages):
    """The target of the first page of ten rows and of the last of `pages`, by following the cursors."""
    connection = http.client.HTTPConnection("127.0.0.1", ours.port, timeout=60)
    first = target = f"{ROWS_TARGET}?limit=10"
    for _ in range(pages - 1):
        connection.request("GET", target)
        answer = connection.getresponse()
        body = answer.read()
        link = re.search(r'<([^>]*)>\s*;\s*rel="?next"?', answer.getheader("Link", ""))
        if answer.status != 200 or link is None:
            raise Missing(f"the walk ends at {target} with {answer.status}: {body[:200]!r}")
        target = re.sub(r"^https?://[^/]*", "", link.group(1))
    connection.close()
    return first, target


def pages(bench, options):
    """The first and the 10,000th page of mart_price_daily at 10^5, 10^6 and 10^7 rows, no cache."""
    sizes = [(HUNDRED_THOUSAND, "10^5"), (MILLION, "10^6")] + ([] if options.quick else [(TEN_MILLION, "10^7")])
    n_pages = 1000 if options.quick else 10000
    parties = []
    for instruments, count in sizes:
        ours = bench.ours(f"rows{instruments}", bench.database(instruments), **uncached(bench))
        parties.append((ours, count, page_targets(ours, n_pages)))
    found = []
    for which, label in ((0, "first page"), (1, f"page {n_pages:,}")):
        results = {count: [] for _, count, _ in parties}
        for _ in range(options.rounds):
            for ours, count, both in parties:
                result = bench.load(ours, [both[which]], options.seconds, connections=1)
                if set(result["statuses"]) != {"200"} or result["errors"]:
                    raise Missing(f"answers were {result['statuses']}, {result['errors']} errors")
                results[count].append(result)
        smallest = parties[0][1]

        def cost(count):
            return [sum(result["cpu_us"].values()) for result in results[count]]
        for _, count, _ in parties[1:]:
            row = Row(f"{label} of 10 rows, {count} rows in all", f"the same at {smallest}", (">=", 0.8))
            row.compare([r["p50_us"] for r in results[count]], [r["p50_us"] for r in results[smallest]], "µs",
                        higher_is_better=False)
            row.cpu = (f"{significant(statistics.median(cost(count)))} / "
                       f"{significant(statistics.median(cost(smallest)))} µs, PostgreSQL included")
            found.append(row)
    for ours, _, _ in parties:
        bench.stop(ours)
    return found
