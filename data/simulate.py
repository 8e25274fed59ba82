"""The seeded generator of the simulated prices.

Only additions, multiplications, divisions and square roots are used, which every machine rounds
alike; logarithms and exponentials are avoided because their last digit differs between C
libraries. Every asset draws from a stream seeded by its own uid, so adding one leaves the others
as they are.
"""

import math
import random
from datetime import timedelta
from decimal import Decimal, localcontext

import sessions
from sim_assets import BONDS, COINS, SHARES
from sim_bonds import bond_bars
from tables import HALTED, SIMULATED

SEED = "catch-me-my-capital sample 1"
ADJUSTED_DIGITS = 12
MARKET_VOLATILITY = 0.0098
NARROW_LIMIT_UNTIL = "2015-06-15"


class Stream:
    """Random numbers of one named stream."""

    def __init__(self, name):
        self._random = random.Random(f"{SEED}:{name}")

    def uniform(self):
        return self._random.random()

    def normal(self):
        """Twelve uniforms less six: variance one, and no logarithm."""
        total = 0.0
        for _ in range(12):
            total += self._random.random()
        return total - 6.0

    def shock(self):
        """A normal with fatter tails: one day in twenty-five is two and a half times as wild."""
        wild = 2.5 if self.uniform() < 0.04 else 0.9
        return wild * self.normal()


def market_factor(days):
    """The return that all simulated assets share, with volatility that comes in clusters."""
    stream, variance, factor = Stream("market"), MARKET_VOLATILITY ** 2, {}
    for day in days:
        shock = math.sqrt(variance) * stream.shock()
        factor[day] = shock
        variance = 0.05 * MARKET_VOLATILITY ** 2 + 0.87 * variance + 0.08 * shock * shock
    return factor


def clip(value, limit):
    return max(-limit, min(limit, value))


def whole(value, step=1):
    """Nearest multiple of a step, at least one step."""
    return max(step, int(value / step + 0.5) * step)


def dividend_days(days, per_year):
    """Ex-dates: the last session but one of the year, or of each quarter."""
    period = sessions.year_of if per_year == 1 else sessions.quarter_of
    ends = sessions.period_ends(days, period)
    return {before for before, last in zip(days, days[1:]) if last in ends}


def share_return(spec, stream, day, factor):
    """One day's return before corporate actions, inside the exchange's daily price limit."""
    drift = spec.drift
    if spec.decline_from and day >= spec.decline_from:
        drift = -0.0075
    limit = 0.149 if day.isoformat() < NARROW_LIMIT_UNTIL else 0.298
    return clip(drift + spec.beta * factor[day] + spec.noise * stream.shock(), limit)


def bar(stream, start, close, spread, round_price):
    """Open, high and low around a day that went from `start` to `close`."""
    opened = round_price(start * (1.0 + 0.4 * spread * stream.normal()))
    high = round_price(max(opened, close) * (1.0 + 0.5 * spread * stream.uniform()))
    low = round_price(min(opened, close) * (1.0 - 0.5 * spread * stream.uniform()))
    return opened, max(high, opened, close), min(low, opened, close)


def halted_bar(price):
    """During a halt the exchange repeats the last price and nothing trades."""
    return {"open": str(price), "high": str(price), "low": str(price), "close": str(price),
            "volume": "0", "quality": SIMULATED | HALTED}


def traded_bar(spec, stream, start, close, day_return):
    opened, high, low = bar(stream, start, close, spec.noise + 0.006, whole)
    busy = spec.volume * (0.5 + stream.uniform()) * (1.0 + 15.0 * abs(day_return))
    return {"open": str(opened), "high": str(high), "low": str(low), "close": str(close),
            "volume": str(whole(busy, 10)), "quality": SIMULATED}


def is_halted(spec, day):
    return bool(spec.halt) and spec.halt[0] <= day <= spec.halt[1]


def share_bars(spec, all_days, factor):
    """Raw bars of a share. A split or a dividend moves the start of its ex-date, never the past."""
    last = spec.delisted_on or sessions.SIM_LAST
    ex_dates = dividend_days(all_days, spec.dividends_per_year) if spec.dividend_yield else set()
    stream, close, bars = Stream(spec.uid), spec.price, []
    for day in (day for day in all_days if spec.listed <= day <= last):
        if is_halted(spec, day):
            bars.append((day, halted_bar(close)))
            continue
        split, dividend = spec.splits.get(day, "1"), 0
        if day in ex_dates:
            dividend = whole(close * spec.dividend_yield / spec.dividends_per_year, 5)
        start = (close - dividend) / float(split)
        day_return = share_return(spec, stream, day, factor)
        close = whole(start * (1.0 + day_return))
        fields = traded_bar(spec, stream, start, close, day_return)
        bars.append((day, {**fields, "dividend": str(dividend), "split_ratio": split}))
    return bars


def coin_bars(spec, factor):
    """Raw bars of a coin for every day; on days without a stock session only its noise moves it."""
    def cents(value):
        return max(0.01, int(value * 100.0 + 0.5) / 100.0)

    stream, close, bars = Stream(spec.uid), spec.price, []
    for day in sessions.days_between(spec.listed, sessions.SIM_LAST):
        move = spec.drift + spec.beta * factor.get(day, 0.0) + spec.noise * stream.shock()
        start, close = close, cents(close * (1.0 + clip(move, 0.4)))
        opened, high, low = bar(stream, start, close, 0.3 * spec.noise, cents)
        volume = spec.volume * (0.5 + stream.uniform()) * (1.0 + 10.0 * abs(move))
        bars.append((day, {"open": f"{opened:.2f}", "high": f"{high:.2f}", "low": f"{low:.2f}",
                           "close": f"{close:.2f}", "volume": f"{volume:.1f}",
                           "quality": SIMULATED}))
    return bars


def plain_decimal(value):
    """A decimal with twelve digits at most and without an exponent."""
    with localcontext() as context:
        context.prec = ADJUSTED_DIGITS
        text = format(+value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def adjusted_closes(bars):
    """Adjusted closes from the last row back: an ex-date scales all earlier rows by
    close / (close + dividend), which reinvests the cash at that close, and by 1 / split_ratio."""
    with localcontext() as context:
        context.prec = 50
        factor, adjusted = Decimal(1), []
        for _, fields in reversed(bars):
            close = Decimal(fields["close"])
            # Without a later ex-date the two columns hold the same text.
            adjusted.append(fields["close"] if factor == 1 else plain_decimal(close * factor))
            dividend = Decimal(fields.get("dividend") or 0)
            factor *= close / (close + dividend) / Decimal(fields.get("split_ratio") or 1)
        return adjusted[::-1]


def price_rows(uid, currency, bars, known_at):
    """Bars as rows of the price mart. An asset without distributions says so with zero and one."""
    return [{"dividend": "0", "split_ratio": "1", "uid": uid, "date": day.isoformat(),
             "adj_close": adjusted, "currency": currency, "source": "simulated",
             "known_at": known_at(day), **fields}
            for (day, fields), adjusted in zip(bars, adjusted_closes(bars))]


def simulated_rows():
    """All simulated prices."""
    # A week beyond the span shows which session is its last, and so the last ex-date before it.
    days = sessions.xkrx_sessions(last=sessions.SIM_LAST + timedelta(days=7))
    factor, rows = market_factor(days), []
    for spec in SHARES:
        rows += price_rows(spec.uid, "KRW", share_bars(spec, days, factor), sessions.xkrx_close)
    inside = [day for day in days if day <= sessions.SIM_LAST]
    for spec in BONDS:
        bars = bond_bars(spec, inside, factor, Stream)
        rows += price_rows(spec.uid, "KRW", bars, sessions.xkrx_close)
    for spec in COINS:
        rows += price_rows(spec.uid, "USD", coin_bars(spec, factor), sessions.coin_close)
    return rows
