"""Runs driver.c and the peers on the same portfolios and prints the tables of docs/benchmarks-engine.md; run.sh says how."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/bench/serve")]

import figures  # noqa: E402
import jobs  # noqa: E402
from support.packages import python_packages  # noqa: E402

DRIVER = ROOT / "build/release/tests/bench/engine/driver"
PEERS = pathlib.Path(__file__).with_name("peers.py")
REQUIREMENTS = {"bt": ["bt==1.4.1"], "bt 1.2": ["bt==1.2.0", "pandas==1.5.3", "numpy<2"], "backtrader": ["backtrader==1.9.78.123", "pandas==2.2.3", "quantstats==0.0.81"],
                "vectorbt": ["vectorbt==1.2.0"]}
BESIDE = {"bt": "bt 1.4.1, its statistics", "bt 1.2": "bt 1.2.0 with pandas 1.5.3, its statistics", "backtrader": "backtrader 1.9.78 + quantstats 0.0.81, 18 metrics", "vectorbt": "vectorbt 1.2.0, 8 portfolios in one call, warm, 11 metrics"}


def driver(*arguments):
    done = subprocess.run([str(DRIVER), *map(str, arguments)], capture_output=True, text=True, check=True, timeout=600)
    return json.loads(done.stdout)


def prices(folder, assets, years):
    path = pathlib.Path(folder) / f"prices-{assets}-{years}.csv"
    with path.open("w", encoding="utf-8") as file:
        subprocess.run([str(DRIVER), "prices", str(assets), str(years)], stdout=file, check=True, timeout=600)
    return path


def table(headings, rows):
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [headings, ["---"] * len(headings), *cells])


def verdict(value, sign, bound):
    return f"{sign} {bound:g}: " + ("met" if figures.is_met(value, (sign, bound)) else "**missed**")


def significant(value):
    return figures.significant(value)


def singles(rounds):
    rows = []
    for kind, assets, years, bound in (("single", 1, 30, None), ("single", 10, 1, None), ("single", 10, 10, None), ("single", 10, 30, None),
                                       ("single", 50, 30, None), ("single", 500, 30, None), ("shared", 10, 30, 0.5), ("shared", 50, 30, None),
                                       ("shared", 500, 30, 5)):
        found = driver(kind, assets, years, rounds if assets < 500 else max(3, rounds // 8), 0)
        cells = assets * years * 252
        size = f"{years} years x {assets}" + (", panel kept" if kind == "shared" else "")
        rows.append([size, significant(found["engine_s"] * 1e3), significant(found["best_s"] * 1e3),
                     significant(found["best_s"] / cells * 1e9), significant(found["best_render_s"] * 1e3), significant(found["arena_kib"] / 1024),
                     "" if bound is None else verdict(found["best_s"] * 1e3, "<=", bound)])
    return table(["One backtest", "Engine, median ms", "Engine, best ms", "ns per asset-day", "Rendering, best ms", "Memory of the run, MiB", "Goal, ms"], rows)


SIMULATED = (1, 10, 50, 200, 500)
LASTING = (1, 10, 30)


def flatness(rounds):
    """
    The simulation alone by number of assets and length. What one more asset-day, one more day and one rebalance cost stands
    below, so that a cost of each run, day or rebalance is not taken for one of each asset-day.
    """
    found = {}
    for years, rule in [(years, "monthly") for years in LASTING] + [(LASTING[-1], "never")]:
        for assets in SIMULATED:
            found[years, rule, assets] = driver("simulation", assets, years, max(20, rounds * 30 // years // max(1, assets // 50)), rule)

    def ns(years, rule, assets):
        return found[years, rule, assets]["best_s"] * 1e9

    def row(title, figure):
        return [title, *(figure(assets) for assets in SIMULATED)]

    def per_asset_day(years, rule):
        return lambda n: significant(ns(years, rule, n) / found[years, rule, n]["sessions"] / n)

    def per_more(n):
        at = SIMULATED.index(n)
        if at == 0:
            return ""
        less = SIMULATED[at - 1]
        return significant((ns(last, "never", n) - ns(last, "never", less)) / found[last, "never", n]["sessions"] / (n - less))

    last = LASTING[-1]
    rows = [row(f"{years} year{'s' if years > 1 else ''}, monthly", per_asset_day(years, "monthly")) for years in LASTING]
    rows.append(row(f"{last} years, never rebalanced", per_asset_day(last, "never")))
    rows.append(row("the same, one more asset-day than the column to the left", per_more))
    for years, less in zip(LASTING[1:], LASTING):
        rows.append(row(f"one more asset-day from {less} to {years} years, monthly", lambda n, years=years, less=less: significant(
            (ns(years, "monthly", n) - ns(less, "monthly", n)) / (found[years, "monthly", n]["sessions"] - found[less, "monthly", n]["sessions"]) / n)))
    rows.append(row("one rebalance", lambda n: significant(
        (ns(last, "monthly", n) - ns(last, "never", n)) / (found[last, "monthly", n]["rebalances"] - found[last, "never", n]["rebalances"]))))
    rows.append(row("one rebalance, by asset", lambda n: significant(
        (ns(last, "monthly", n) - ns(last, "never", n)) / (found[last, "monthly", n]["rebalances"] - found[last, "never", n]["rebalances"]) / n)))
    return table(["Simulation alone, panel kept, ns"] + [f"{n} asset{'s' if n > 1 else ''}" for n in SIMULATED], rows)


CALENDAR = ((10, "calendar", None), (50, "calendar", 20000), (50, "equity", 60000))
OTHERS = ((10, "bands", 15000), (50, "bands", 8000), (10, "flows", 15000), (50, "flows", 8000), (10, "bands+flows", 15000), (50, "bands+flows", 8000))


def batches(count, threads, roof, kinds):
    rows = []
    for assets, kind, bound in kinds:
        n = count if kind in ("calendar", "equity") else max(64, count // 8)
        found = driver("batch", assets, 30, n, threads, 5, kind)
        rate = found["best_per_cpu_s"] * threads
        flops = found["best_per_cpu_s"] * 2 * assets * 30 * 252
        ceiling = roof["flops_per_s"] * threads / (2 * assets * 30 * 252)
        what = "equity lines alone, calendar" if kind == "equity" else kind
        rows.append([f"{assets} assets, {what}", significant(found["per_s"]), significant(found["per_cpu_s"]), significant(found["best_per_cpu_s"]),
                     significant(rate * assets * 30 * 252 / 1e9), f"{100 * flops / roof['flops_per_s']:.0f} %", significant(ceiling),
                     significant(found["peak_kib"] / 1024), "" if bound is None else verdict(rate, ">=", bound)])
    return table(["30 years, 12 metrics each", "Per second on the clock", "Per second of one core, median", "best", "Asset-days/s of all cores, 10^9",
                  "Of the FMA peak", f"Ceiling of {threads} cores, per second", "Peak memory, MiB", f"Goal, per second of {threads} cores"], rows)


def ours(name, assets, years):
    """Rows of (what, found, bound) of ours that stand beside the peer. Prices are loaded on both sides."""
    batch = ("one of a batch, 12 metrics", {"best_s": 1 / driver("batch", assets, years, 512, 1, 5, "calendar")["best_per_cpu_s"]})
    if name == "vectorbt":
        return [(*batch, 100)]
    rows = [("one run, every metric and table", driver("shared", assets, years, 40, 0), 10000), (*batch, None)]
    if name.startswith("bt"):
        rows.insert(0, ("one run, what bt reports of a run and no more", driver("figures", assets, years, 400), 10000))
    return rows


def compare(name, found, theirs, note):
    """Notes how far the answers of both sides are apart: fills differ by a session, so do the figures a little."""
    if abs(theirs["terminal"] / found.get("terminal", theirs["terminal"]) - 1) > 0.02:
        note(f"{name} ends {abs(theirs['terminal'] / found['terminal'] - 1):.1%} away from ours: not the same portfolio")
    both = {figure: (own, theirs["figures"].get(figure)) for figure, own in found.get("figures", {}).items()}
    apart = {figure: abs(own - other) / max(abs(own), abs(other), 1e-3) for figure, (own, other) in both.items() if own is not None and other is not None}
    if apart:
        ranked = sorted(apart, key=apart.get)
        note(f"{name}: {len(apart)} figures of both sides; the median is {apart[ranked[len(ranked) // 2]]:.2%} apart, the farthest, {ranked[-1]}, "
             f"{apart[ranked[-1]]:.1%} ({both[ranked[-1]][0]:.4g} and {both[ranked[-1]][1]:.4g})")


def beside(folder, quick, note):
    rows = []
    sizes = {"bt": (10, 1 if quick else 30), "bt 1.2": (10, 1 if quick else 30), "backtrader": (10, 1 if quick else 30),
             "vectorbt": (50 if not quick else 10, 5)}
    for name, (assets, years) in sizes.items():
        try:
            python = python_packages(*REQUIREMENTS[name])
        except unittest.SkipTest as why:
            note(f"{name} is left out: {why}")
            continue
        path = prices(folder, assets, years)
        done = subprocess.run([python, str(PEERS), name.split()[0], str(path)], capture_output=True, text=True, check=False, timeout=1800)
        if done.returncode != 0:
            note(f"{name} failed: {done.stderr.strip()[-300:]}")
            continue
        theirs = json.loads(done.stdout)
        each = theirs["seconds"] / theirs["portfolios"]
        for what, found, bound in ours(name, assets, years):
            seconds = found["best_s"]
            compare(name, found, theirs, note)
            rows.append([BESIDE[name], f"{years} years x {assets}", what, significant(seconds * 1e3), significant(each * 1e3),
                         significant(each / seconds), "" if bound is None else verdict(each / seconds, ">=", bound)])
    return table(["Beside", "Size", "Ours", "Ours, ms", "Theirs, ms", "Ratio", "Goal"], rows)


def trust(rounds):
    found = driver("trust", 50, 30, rounds)
    rows = [[what, significant(found[key] * 1e3 / cores), verdict(found[key] * 1e3 / cores, "<=", bound)] for what, key, cores, bound in (
        ("1,000 monkeys, beyond the run without them", "monkeys_s", 1, 60), ("the same from memory", "kept_s", 1, 0.1),
        ("10,000 futures of 30 years, two cores", "montecarlo_s", 2, 250), ("12,870 splits of 1,000 trials", "splits_s", 1, 500))]
    rows.append(["1,000 paired replicates of 7 figures", significant(found["bootstrap_s"] * 1e3), ""])
    return table(["30 years x 50", "Best, ms of a core", "Goal, ms"], rows)


def strategies(rounds):
    """A decision of each strategy; names share a factor, as shares do."""
    rows = []
    for assets in (50, 500):
        done = subprocess.run([str(DRIVER), "strategies", str(assets), "8", str(rounds), "common"], capture_output=True, text=True, check=True,
                              timeout=600)
        for found in map(json.loads, done.stdout.splitlines()):
            share = found["share_of_roofline"]
            rows.append([found["strategy"], assets, significant(found["ms"]), significant(found["best_ms"]), f"{100 * share:.0f} %" if share else ""])
    return table(["One decision, look-back 1,260", "Assets", "Median ms", "Best ms", "Of the FMA peak, covariance alone"], rows)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}; load when it began {os.getloadavg()[0]:.1f}"


def write_page(path, command, out, mark="run"):
    text = path.read_text("utf-8")
    head, begin, rest = text.partition(f"<!-- {mark} -->\n")
    _, end, tail = rest.partition(f"<!-- end of {mark} -->")
    if not begin or not end:
        raise SystemExit(f"{path} has no marks <!-- {mark} --> and <!-- end of {mark} -->")
    path.write_text(f"{head}{begin}\nPrinted on {datetime.date.today().isoformat()} by `{command}`:\n\n{out}\n\n{end}{tail}", "utf-8")


def ceilings(roof):
    return (f"Ceilings of one core, measured in the same run: {significant(roof['flops_per_s'] / 1e9)} GFLOP/s fused, "
            f"{significant(roof['bytes_per_s'] / 1e9)} GB/s from memory. Kernels: {roof['kernels']}.")


def main():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__.partition(";")[0] + ".")
    parser.add_argument("--quick", action="store_true", help="a quarter of the rounds and portfolios, half of the sweep's items, one year beside bt and backtrader")
    parser.add_argument("--no-peers", action="store_true", help="without the rows beside bt, backtrader and vectorbt, which the Python package index has")
    parser.add_argument("--floors", action="store_true", help="only the simulation and the batches of a calendar, beside their floors")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="PAGE", help="write the tables into PAGE, too, between its marks <!-- run --> or, with --floors, <!-- floors -->")
    options = parser.parse_args()
    subprocess.run(["make", "-s", "build", str(DRIVER.relative_to(ROOT))], cwd=ROOT, check=True)
    notes, parts = [], [machine()]
    roof = driver("roofline")
    parts.append(ceilings(roof))
    if options.floors:
        parts += [flatness(20 if options.quick else 80), batches(256 if options.quick else 1024, 2, roof, CALENDAR)]
        print("\n\n".join(parts))
        if options.markdown:
            write_page(options.markdown, "tests/bench/engine/run.sh --floors" + " --quick" * options.quick, "\n\n".join(parts), "floors")
        return 0
    parts.append(singles(20 if options.quick else 80))
    parts.append(flatness(20 if options.quick else 80))
    parts.append(batches(256 if options.quick else 1024, 2, roof, CALENDAR + OTHERS))
    parts.append(trust(2 if options.quick else 7))
    parts.append(strategies(5 if options.quick else 15))
    parts.append(jobs.table(1000 if options.quick else 2000, 2 if options.quick else 3))
    if not options.no_peers:
        with tempfile.TemporaryDirectory(prefix="cmmc-bench-") as folder:
            parts.append(beside(folder, options.quick, notes.append))
    parts += [f"Note: {note}" for note in notes]
    out = "\n\n".join(parts)
    print(out)
    if options.markdown:
        flags = " ".join(["--quick"] * options.quick + ["--no-peers"] * options.no_peers)
        write_page(options.markdown, f"tests/bench/engine/run.sh {flags}".strip(), out)
    return 1 if any("failed" in note for note in notes) else 0


if __name__ == "__main__":
    sys.exit(main())
