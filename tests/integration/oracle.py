#!/usr/bin/env python3
"""A second opinion on backtests: the rules of docs/formulas.md, simulated plainly in Python.

Written from the definitions and sharing nothing with the engine: dates are datetime.date, prices are
looked up by bisection per day, trade sizes are found by bisection on the value left after costs, and
sums use math.fsum. It covers fixed, equal and buy-and-hold weights, calendar rebalancing, both fills,
proportional costs, several currencies, stale and suspended assets, delistings, and a benchmark.

    python3 oracle.py request.json data/sample          prints dates, equity, metrics and costs as JSON
    oracle.run(request, sample_dir)                     the same as a dict
"""
import bisect
import csv
import datetime
import gzip
import io
import json
import math
import pathlib
import sys

Z_05 = -1.6448536269514722
ROUNDING = 1e-14  # smaller trades and differences of returns are rounding


# ---- Reading the sample data -----------------------------------------------------------------------------


def read_rows(sample_dir, mart):
    """Every row of every file that the manifest lists for mart, as dicts."""
    folder = pathlib.Path(sample_dir)
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["files"]:
        if entry["mart"] != mart:
            continue
        raw = (folder / entry["path"]).read_bytes()
        if entry["path"].endswith(".gz"):
            raw = gzip.decompress(raw)
        yield from csv.DictReader(io.StringIO(raw.decode("utf-8")))


def instant(text):
    """Seconds since 1970 of an ISO 8601 UTC time."""
    text = text.strip().replace("Z", "+00:00").replace(" ", "T")
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment.timestamp()


class Series:
    """Dated values with the moment each became known."""

    def __init__(self, rows):
        rows = sorted(rows)
        self.dates = [row[0] for row in rows]
        self.values = [row[1] for row in rows]
        self.known = [row[2] for row in rows]

    def as_of(self, day, moment):
        """(date, value) of the last row dated and known in time, or None."""
        at = bisect.bisect_right(self.dates, day) - 1
        while at >= 0 and self.known[at] > moment:
            at -= 1
        return (self.dates[at], self.values[at]) if at >= 0 else None


class Market:
    """Prices of the wanted instruments and the EUR rates, from the sample files."""

    def __init__(self, sample_dir, wanted):
        self.currency, self.delisted, self.delisting_return, self.always_open = {}, {}, {}, {}
        for row in read_rows(sample_dir, "mart_instrument"):
            uid = row["uid"]
            if uid not in wanted:
                continue
            self.currency[uid] = row["currency"]
            self.always_open[uid] = row.get("market", "") == "24_7"
            if row.get("delisted_on"):
                last = datetime.date.fromisoformat(row["delisted_on"])
                self.delisted[uid] = last + datetime.timedelta(days=1)
                self.delisting_return[uid] = float(row.get("delisting_return") or 0)
        bars = {uid: [] for uid in wanted}
        for row in read_rows(sample_dir, "mart_price_daily"):
            uid = row["uid"]
            is_halted = int(row["quality"] or 0) & 4  # a print of a day on which nobody could trade
            if uid not in wanted or row["adj_close"] == "" or is_halted:
                continue
            day = datetime.date.fromisoformat(row["date"])
            if uid in self.delisted and day > self.delisted[uid]:
                continue
            bars[uid].append((day, float(row["adj_close"]), instant(row["known_at"])))
            self.currency.setdefault(uid, row["currency"])
        missing = sorted(uid for uid, rows in bars.items() if not rows)
        if missing:
            raise KeyError("no prices for " + ", ".join(missing))
        self.price = {uid: Series(rows) for uid, rows in bars.items()}
        self.sample_dir = sample_dir
        self.rates = None

    def load_rates(self):
        if self.rates is None:
            found = {}
            for row in read_rows(self.sample_dir, "mart_fx_daily"):
                if row["base"] == "EUR":
                    found.setdefault(row["quote"], []).append(
                        (datetime.date.fromisoformat(row["date"]), float(row["rate"]), instant(row["known_at"]))
                    )
            self.rates = {quote: Series(rows) for quote, rows in found.items()}
        return self.rates

    def eur_rate(self, currency, day, moment):
        """Units of currency for one EUR."""
        return 1.0 if currency == "EUR" else self.load_rates()[currency].as_of(day, moment)[1]

    def first_day(self, uid, target):
        """The first day on which uid has a price and can be converted into target."""
        first = self.price[uid].dates[0]
        if self.currency[uid] != target:
            legs = {self.currency[uid], target} - {"EUR"}
            first = max([first] + [self.load_rates()[leg].dates[0] for leg in legs])
        return first

    def rate(self, source, target, day, moment):
        """Units of target for one unit of source, through EUR."""
        if source == target:
            return 1.0
        return self.eur_rate(target, day, moment) / self.eur_rate(source, day, moment)


# ---- The request -----------------------------------------------------------------------------------------


class Plan:
    """A request with its defaults filled in."""

    def __init__(self, request):
        assets = request.get("assets") or [{"uid": uid} for uid in request["universe"]]
        self.uids = [asset["uid"] for asset in assets]
        given = [asset.get("weight") for asset in assets]
        if given[0] is None:
            self.weight = {uid: 1.0 / len(self.uids) for uid in self.uids}
            self.invested = 1.0
        else:
            total = math.fsum(given)
            keeps_cash = request.get("on_weight_sum") == "cash" and total < 1 - 1e-6
            scale = 1.0 if keeps_cash else total
            self.weight = {uid: weight / scale for uid, weight in zip(self.uids, given)}
            self.invested = total if keeps_cash else 1.0
        self.held = [uid for uid in self.uids if self.weight[uid] > 0]
        self.capital = float(request.get("capital", 10000))
        self.currency = request.get("currency", "USD")
        buy_and_hold = request.get("strategy") == "buy_and_hold"
        self.rebalance = "never" if buy_and_hold else request.get("rebalance", "monthly")
        costs = request.get("costs") or {}
        self.commission = costs.get("commission_bps", 0) / 10000
        self.slippage = costs.get("slippage_bps", 0) / 10000
        self.lag = 0 if request.get("fill") == "same_close" else 1
        self.max_stale = request.get("max_stale", 5)
        self.rf = request.get("risk_free_rate", 0)
        self.benchmark = request.get("benchmark")
        self.start = request.get("start")
        self.end = request.get("end")


def period_of(day, rebalance):
    """A key that changes when a new rebalancing period begins."""
    return {
        "never": lambda: 0,
        "daily": lambda: day,
        "weekly": lambda: day.isocalendar()[:2],
        "monthly": lambda: (day.year, day.month),
        "quarterly": lambda: (day.year, (day.month - 1) // 3),
        "yearly": lambda: day.year,
    }[rebalance]()


# ---- The simulation --------------------------------------------------------------------------------------


def value_after_costs(budget, pairs, rate):
    """The V in [0, budget] with V + rate * sum |weight V - value| = budget, by bisection."""
    if rate == 0:
        return budget
    low, high = 0.0, budget
    for _ in range(300):
        middle = (low + high) / 2
        spent = middle + rate * math.fsum(abs(weight * middle - value) for weight, value in pairs)
        if spent > budget:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def build_clock(plan, market):
    """[(day, moment)]: the held assets' own days and when the last of their bars of that day was known."""
    first = max(market.first_day(uid, plan.currency) for uid in plan.held)
    listed = [market.price[uid].dates[-1] for uid in plan.held if uid not in market.delisted]
    last = min(listed) if listed else max(market.delisted[uid] for uid in plan.held)
    start = datetime.date.fromisoformat(plan.start) if plan.start else first
    end = datetime.date.fromisoformat(plan.end) if plan.end else last
    moments = {}
    for uid in plan.held:
        series = market.price[uid]
        for day, known in zip(series.dates, series.known):
            if start <= day <= end:
                moments[day] = max(moments.get(day, known), known)
    newest = max(moments)
    for uid in plan.held:
        gone = market.delisted.get(uid)
        if gone is not None and newest < gone <= end:
            midnight = datetime.datetime.combine(gone, datetime.time(), datetime.timezone.utc)
            moments[gone] = midnight.timestamp() + 86399
    return sorted(moments.items())


class Portfolio:
    """Cash, units and the ledger of one run."""

    def __init__(self, plan, market):
        self.plan, self.market = plan, market
        self.cash = plan.capital
        self.units = {uid: 0.0 for uid in plan.held}
        self.gone = set()
        self.idle = {uid: 0 for uid in plan.held}
        self.commission = self.slippage = self.turnover = 0.0
        self.rebalances = 0
        self.invested = False

    def observe(self, day, moment):
        """Prices in the run's currency, and which assets trade, at this session."""
        self.price, self.open = {}, {}
        for uid in self.plan.held:
            dated, value = self.market.price[uid].as_of(day, moment)
            self.price[uid] = value * self.market.rate(
                self.market.currency[uid], self.plan.currency, day, moment
            )
            self.open[uid] = dated == day
            self.idle[uid] = 0 if dated == day else self.idle[uid] + 1

    def pay_out_delisted(self, day):
        for uid in self.plan.held:
            if uid in self.market.delisted and uid not in self.gone and day >= self.market.delisted[uid]:
                self.gone.add(uid)
                proceeds = self.units[uid] * self.price[uid] * (1 + self.market.delisting_return[uid])
                self.cash += proceeds
                self.units[uid] = 0.0

    def try_to_fill(self):
        """Moves to the targets if everything that must trade does; says whether it did."""
        here = [uid for uid in self.plan.held if uid not in self.gone]
        frozen = [uid for uid in here if self.idle[uid] > self.plan.max_stale]
        active = [uid for uid in here if uid not in frozen]
        if not active or not all(self.open[uid] for uid in active):
            return False
        worth = {uid: self.units[uid] * self.price[uid] for uid in here}
        budget = self.cash + math.fsum(worth[uid] for uid in active)
        before = budget + math.fsum(worth[uid] for uid in frozen)
        if budget <= 0:
            self.left = before
            return True
        whole = math.fsum(self.plan.weight[uid] for uid in active)
        target = {uid: self.plan.weight[uid] * self.plan.invested / whole for uid in active}
        rate = self.plan.commission + self.plan.slippage
        after = value_after_costs(budget, [(target[uid], worth[uid]) for uid in active], rate)
        changes = {uid: target[uid] * after - worth[uid] for uid in active}
        changes = {uid: change for uid, change in changes.items() if abs(change) > ROUNDING * after}
        traded = math.fsum(abs(change) for change in changes.values())
        for uid in changes:
            self.units[uid] = target[uid] * after / self.price[uid]
        self.cash = after * (1 - self.plan.invested)
        self.left = after + math.fsum(worth[uid] for uid in frozen)
        self.commission += self.plan.commission * traded
        self.slippage += self.plan.slippage * traded
        if self.invested:
            self.turnover += traded / 2 / before
            self.rebalances += 1
        self.invested = True
        return True

    def worth(self):
        return self.cash + math.fsum(self.units[uid] * self.price[uid] for uid in self.plan.held)


def simulate(plan, market, clock):
    """The equity line and the portfolio it leaves."""
    book = Portfolio(plan, market)
    equity = []
    decided_at = None
    for t, (day, moment) in enumerate(clock):
        book.observe(day, moment)
        book.pay_out_delisted(day)
        is_due = t == 0 or period_of(day, plan.rebalance) != period_of(clock[t - 1][0], plan.rebalance)
        if plan.lag == 0 and is_due:
            decided_at = t
        filled = decided_at is not None and book.try_to_fill()
        if filled:
            decided_at = None
        if plan.lag == 1 and is_due:
            decided_at = t
        equity.append(book.left if filled else book.worth())
    equity[0] = plan.capital
    return equity, book


# ---- The metrics -----------------------------------------------------------------------------------------


def anniversary(day, years):
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def years_between(first, last):
    """Whole years by anniversary, then the rest as a share of the year that contains it."""
    whole = last.year - first.year
    if anniversary(first, whole) > last:
        whole -= 1
    here, following = anniversary(first, whole), anniversary(first, whole + 1)
    return whole + (last - here).days / (following - here).days


def quantile(values, share):
    """Type 7: linear between order statistics."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * share
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def mean(values):
    return math.fsum(values) / len(values)


def deviation(values):
    centre = mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))


def drawdowns(equity):
    peak, line = equity[0], []
    for value in equity:
        peak = max(peak, value)
        line.append(value / peak - 1)
    return line


def until_ruin(path):
    """The path up to and including the first value that is not above 0."""
    for t, value in enumerate(path):
        if value <= 0:
            return path[: t + 1]
    return path


def own_metrics(dates, equity, per_year, rf):
    """Metrics of one value path; a ratio without a denominator is None."""
    equity = until_ruin(equity)
    dates = dates[: len(equity)]
    r = [b / a - 1 for a, b in zip(equity, equity[1:])]
    n = len(r)
    rate = (1 + rf) ** (1 / per_year) - 1
    x = [value - rate for value in r]
    down = drawdowns(equity)[1:]
    growth = equity[-1] / equity[0]
    cagr = growth ** (1 / years_between(dates[0], dates[-1])) - 1
    varies = max(r) - min(r) > 4 * sys.float_info.epsilon * max(abs(value) for value in r)
    sd = deviation(r) if varies else 0.0
    shortfall = math.sqrt(math.fsum(min(value, 0) ** 2 for value in x) / n)
    losses = math.fsum(-value for value in r if value < 0)
    gains = math.fsum(value for value in r if value > 0)
    tail = quantile(r, 0.05)
    ulcer = math.sqrt(math.fsum(value * value for value in down) / n)
    out = {
        "total_return": growth - 1,
        "cagr": cagr,
        "cagr_periods": growth ** (per_year / n) - 1,
        "annual_mean": mean(r) * per_year,
        "volatility": sd * math.sqrt(per_year),
        "downside_deviation": shortfall * math.sqrt(per_year),
        "sharpe": mean(x) / sd * math.sqrt(per_year) if sd else None,
        "sortino": mean(x) * per_year / (shortfall * math.sqrt(per_year)) if shortfall else None,
        "max_drawdown": min(down + [0.0]),
        "calmar": cagr / -min(down) if min(down) < 0 else None,
        "ulcer_index": ulcer,
        "ulcer_performance_index": (cagr - rf) / ulcer if ulcer else None,
        "pain_index": math.fsum(-value for value in down) / n,
        "underwater_share": sum(1 for value in down if value < 0) / n,
        "var_95": tail,
        "cvar_95": mean([value for value in r if value <= tail]),
        "var_95_normal": mean(r) + Z_05 * sd,
        "best_day": max(r),
        "worst_day": min(r),
        "positive_days": sum(1 for value in r if value > 0) / n,
        "profit_factor": gains / losses if losses else None,
    }
    if varies and n >= 4:
        centre = mean(r)
        m2, m3, m4 = (math.fsum((value - centre) ** k for value in r) / n for k in (2, 3, 4))
        out["skewness"] = m3 / m2**1.5 * math.sqrt(n * (n - 1)) / (n - 2)
        out["kurtosis_excess"] = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (m4 / m2**2 - 3) + 6)
    return out


def sessions_since(price_day, day, sessions, always_open):
    """Age of a price: the sessions after its date, up to day; before the first one, days of trade stand for them."""
    age = bisect.bisect_right(sessions, day) - bisect.bisect_right(sessions, price_day)
    for n in range(1, min((sessions[0] - price_day).days, 200)):
        age += always_open or (price_day + datetime.timedelta(n)).weekday() < 5
    return age


def benchmark_metrics(plan, market, clock, equity, per_year):
    """Metrics over the sessions at which the benchmark has a price that is not too old."""
    series, line, common, days = market.price[plan.benchmark], [], [], []
    sessions = [day for day, _ in clock]
    for t, (day, moment) in enumerate(clock):
        row = series.as_of(day, moment)
        if row and sessions_since(row[0], day, sessions, market.always_open[plan.benchmark]) <= plan.max_stale:
            source = market.currency[plan.benchmark]
            line.append(row[1] * market.rate(source, plan.currency, day, moment))
            common.append(equity[t])
            days.append(day)
    common = until_ruin(common)
    line, days = line[: len(common)], days[: len(common)]
    if len(days) < 3:
        return {}
    r = [b / a - 1 for a, b in zip(common, common[1:])]
    q = [b / a - 1 for a, b in zip(line, line[1:])]
    rate = (1 + plan.rf) ** (1 / per_year) - 1
    mr, mq = mean(r), mean(q)
    covariance = math.fsum((a - mr) * (b - mq) for a, b in zip(r, q)) / (len(r) - 1)
    beta = covariance / deviation(q) ** 2
    active = [a - b if abs(a - b) > ROUNDING else 0.0 for a, b in zip(r, q)]
    years = years_between(days[0], days[-1])
    own, other = ((path[-1] / path[0]) ** (1 / years) - 1 for path in (common, line))
    return {
        "beta": beta,
        "alpha": ((mr - rate) - beta * (mq - rate)) * per_year,
        "correlation": covariance / (deviation(r) * deviation(q)),
        "tracking_error": deviation(active) * math.sqrt(per_year),
        "information_ratio": mean(active) / deviation(active) * math.sqrt(per_year) if any(active) else None,
        "treynor": (own - plan.rf) / beta,
        "batting_average": sum(1 for value in active if value > 0) / len(active),
        "excess_return": own - other,
    }


def run(request, sample_dir):
    """Simulates request on the sample data: {"date", "equity", "drawdown", "metrics", "costs", ...}."""
    plan = Plan(request)
    wanted = set(plan.uids) | ({plan.benchmark} if plan.benchmark else set())
    market = Market(sample_dir, wanted)
    clock = build_clock(plan, market)
    equity, book = simulate(plan, market, clock)
    dates = [day for day, _ in clock]
    per_year = 365 if any(market.always_open.get(uid) for uid in plan.held) else 252
    metrics = own_metrics(dates, equity, per_year, plan.rf)
    metrics["turnover_annual"] = book.turnover / years_between(dates[0], dates[-1])
    metrics["n_rebalances"] = book.rebalances
    if plan.benchmark:
        metrics.update(benchmark_metrics(plan, market, clock, equity, per_year))
    return {
        "date": [day.isoformat() for day in dates],
        "equity": equity,
        "drawdown": drawdowns(equity),
        "metrics": metrics,
        "costs": {"commission": book.commission, "slippage": book.slippage},
        "periods_per_year": per_year,
    }


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    request = json.loads(pathlib.Path(sys.argv[1]).read_text())
    json.dump(run(request, sys.argv[2]), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
