"""From rows objects to published marts: rows a second, memory, and what one more day costs. See run.sh."""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
sys.path[:0] = [str(ROOT / "tests")]
import statements  # noqa: E402
from support.packages import python_packages  # noqa: E402

REQUIREMENTS = ("pandas==2.2.3", "numpy==1.26.4", "psycopg[binary]==3.2.3")
FIRST = datetime.date(2016, 1, 4)
SERVER = ("-c shared_buffers=1GB -c max_wal_size=8GB -c work_mem=64MB -c maintenance_work_mem=256MB -c synchronous_commit=off "
          "-c checkpoint_timeout=30min")
COUNTING = " -c shared_preload_libraries=pg_stat_statements"
PEERS = {"copy": ("pandas, loaded by COPY", "pandas with a warehouse, loaded by COPY"),
         "insert": ("pandas, loaded by INSERT", "pandas with a warehouse, loaded by INSERT")}
SHORT = 320  # sessions: more than the models look back
DAYS = 5  # that are timed behind each history, after one that warms up


def call(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, **more).stdout


def session(n):
    """The n-th weekday from FIRST, from 0."""
    return FIRST + datetime.timedelta(days=n // 5 * 7 + n % 5)


def number(day):
    return (day - datetime.date(1970, 1, 1)).days


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, pathlib.Path(folder)
        self.driver = ROOT / "build" / "release" / "tests" / "bench" / "ingest" / "driver"
        call("make", "-C", ROOT, self.driver.relative_to(ROOT))
        self.lake = self.folder / "lake"
        settings = SERVER + COUNTING * options.statements
        self.url = call(ROOT / "tests/support/pg.sh", "start", self.folder / "pg", env={**os.environ, "PG_SH_OPTIONS": settings}).strip()
        self.base = self.url.rsplit("/", 1)[0]

    def database(self, name):
        call("psql", self.url, "-c", f"CREATE DATABASE {name}")
        return f"{self.base}/{name}"

    def stages(self, name, first, last):
        """Runs the stages for the sessions first to last, inclusive."""
        return json.loads(call(self.driver, "run", self.lake, f"{self.base}/w_{name}", f"{self.base}/s_{name}", number(session(first)), number(session(last))))

    def pair(self, name):
        self.database("w_" + name)
        self.database("s_" + name)

    def settle(self):
        """What the server does by itself in the minutes after a load, and would do beside the days."""
        for name in ("w_long", "s_long", "w_short", "s_short"):
            call("psql", "-q", f"{self.base}/{name}", "-c", "VACUUM ANALYZE")

    def days(self):
        """The same days of the same stocks behind both histories, in turns, so that whatever else runs slows both; the median of each."""
        n, totals = self.options.sessions, {"long": [], "short": []}
        self.pair("short")
        self.stages("short", max(0, n - SHORT), n - 1)
        self.settle()
        for day in range(n, n + 1 + DAYS):
            for name, figures in totals.items():
                figures.append(self.stages(name, day, day))
        middle = {name: sorted(figures[1:], key=lambda one: one["total_s"])[DAYS // 2] for name, figures in totals.items()}
        return {"a day after all": middle["long"], "a day after a short history": middle["short"]}

    def peer(self, *arguments):
        python = python_packages(*REQUIREMENTS)
        return json.loads(call(python, HERE / "peer.py", *arguments))

    def lake_of(self, stocks):
        """pandas holds everything at once, and INSERT takes its time: they may be given fewer stocks, a lake of their own."""
        lake = self.lake if stocks == self.options.stocks else self.folder / f"lake_of_{stocks}"
        if not lake.exists():
            call(self.driver, "make", lake, number(FIRST), self.options.sessions, stocks)
        return lake

    def pandas(self, how, stocks, span):
        lake, (direct, layers) = self.lake_of(stocks), PEERS[how]
        return {direct: self.peer("direct", how, lake, self.database("marts_" + how), *span),
                layers: self.peer("layers", how, lake, self.database("w_" + how), self.database("s_" + how), *span)}

    def peers(self):
        span = session(0).isoformat(), session(self.options.sessions - 1).isoformat()
        figures = {"copy of the rows": self.peer("copy", self.lake, self.database("copied"), *span)}
        self.database("marts")
        call("bash", "-c", f"pg_dump --schema-only {self.base}/s_long | psql -q {self.base}/marts")
        figures["copy of the marts"] = self.peer("marts", f"{self.base}/s_long", f"{self.base}/marts")
        for how, stocks in self.options.given.items():
            if stocks > 0:
                figures |= self.pandas(how, stocks, span)
        return figures

    def run(self):
        n, figures = self.options.sessions, {}
        call(self.driver, "make", self.lake, number(FIRST), n + 1 + DAYS, self.options.stocks)
        self.pair("long")
        if self.options.statements:
            call("psql", self.url, "-c", "CREATE EXTENSION pg_stat_statements")
        figures["pipeline"] = self.stages("long", 0, n - 1)
        if self.options.statements:
            return figures | {"statements": statements.read(self.url)}
        if not self.options.no_peer:
            figures |= self.peers()
        return figures | self.days()

    def stop(self):
        subprocess.run([str(ROOT / "tests/support/pg.sh"), "stop", str(self.folder / "pg")], check=False, capture_output=True)


def ratios(figures):
    ours = figures["pipeline"]
    rate, sent = ours["rows"] / ours["total_s"], ours["sent_rows"] / ours["total_s"]
    rows = [("rows of the lake a second", f"{rate:,.0f}", ""), ("rows published a second", f"{sent:,.0f}", ""),
            ("resident memory, MiB", f"{ours['resident_kib'] / 1024:.0f}", "<= 256"),
            ("a day, long beside short history", f"{figures['a day after all']['total_s'] / figures['a day after a short history']['total_s']:.2f}", "<= 1.2")]
    peers = [(name, rate, goal) for names in PEERS.values() for name, goal in zip(names, ("", ">= 5"))]
    for name, own, goal in [("copy of the rows", rate, ">= 0.5"), ("copy of the marts", sent, ">= 0.5"), *peers]:
        if name in figures:
            peer = figures[name]
            rows.append((f"beside {name}", f"{own / (peer['rows'] / peer['total_s']):.2f}", goal))
    return rows


def size(options):
    return (f"{options.stocks:,} stocks, {options.sessions:,} sessions, {os.cpu_count()} processors; "
            f"load when it began and ended: {options.load}, {os.getloadavg()[0]:.1f}.")


def stages_of(name, figures):
    return f"{name}: silver {figures['silver_s']:.2f} s, gold {figures['gold_s']:.2f} s, publish {figures['publish_s']:.2f} s."


def markdown(options, figures):
    fewer = "".join(f" {name[0].upper()}{name[1:]}: {options.given[how]} of the stocks." for how, names in PEERS.items() for name in names
                    if name in figures and options.given[how] < options.stocks)
    lines = [size(options) + fewer, "", "| | rows | sent | seconds | MiB |", "|---|---|---|---|---|"]
    for name, f in figures.items():
        lines.append(f"| {name} | {f['rows']:,} | {f.get('sent_rows', f['rows']):,} | {f['total_s']:.2f} | {f['resident_kib'] / 1024:.0f} |")
    staged = [name for name in ("pipeline", *(layers for _, layers in PEERS.values())) if name in figures]
    for name in staged:
        lines += ["", stages_of(name[0].upper() + name[1:], figures[name])]
    lines += ["", "| | figure | goal |", "|---|---|---|"]
    lines += [f"| {name} | {figure} | {goal} |" for name, figure, goal in ratios(figures)]
    return "\n".join(lines)


def write_page(path, mark, out):
    """Puts what was printed between the marks of the page, and leaves its prose alone."""
    text = path.read_text("utf-8")
    head, begin, rest = text.partition(f"<!-- {mark} -->\n")
    _, end, tail = rest.partition(f"<!-- end of {mark} -->")
    if not begin or not end:
        raise SystemExit(f"{path} has no marks <!-- {mark} --> and <!-- end of {mark} -->")
    words = ["tests/bench/ingest/run.sh", *sys.argv[1:]]
    at = words.index("--markdown")
    command = " ".join(words[:at] + words[at + 2:])
    path.write_text(f"{head}{begin}\nPrinted on {datetime.date.today().isoformat()} by `{command}`:\n\n{out}\n\n{end}{tail}", "utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stocks", type=int, default=300)
    parser.add_argument("--sessions", type=int, default=600)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--pandas-stocks", type=int, help="fewer for pandas, which holds all in memory; 0: none")
    parser.add_argument("--insert-stocks", type=int, default=300, help="at most, for INSERT takes its time; 0: none")
    parser.add_argument("--statements", action="store_true", help="only the pipeline, and where PostgreSQL's seconds go")
    parser.add_argument("--markdown", type=pathlib.Path, help="the page whose marks take the tables")
    parser.add_argument("--mark", help="which marks; by default \"run\" or \"statements\"")
    options = parser.parse_args()
    copied = options.stocks if options.pandas_stocks is None else min(options.pandas_stocks, options.stocks)
    options.given = {"copy": copied, "insert": min(options.insert_stocks, copied)}
    options.load = f"{os.getloadavg()[0]:.1f}"
    folder = tempfile.mkdtemp(prefix="cmmc-bench-ingest.")
    os.chmod(folder, 0o755)
    bench = Bench(options, folder)
    try:
        figures = bench.run()
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if options.statements:
        text = "\n\n".join([size(options), stages_of("Pipeline", figures["pipeline"]), statements.table(figures["statements"])])
    else:
        text = markdown(options, figures)
    print(text)
    if options.markdown:
        write_page(options.markdown, options.mark or ("statements" if options.statements else "run"), text)


if __name__ == "__main__":
    main()
