"""Prices of the simulated bonds, discounted from one simulated yield."""

from datetime import date

from tables import SIMULATED

YIELD_MEAN = 0.026
YIELD_START = 0.031
COUPON_DAYS = 182.5


def coupon_dates(spec):
    """Half-yearly dates after the issue, ending on the maturity."""
    dates, day = [], spec.matures
    while day > spec.issued:
        dates.append(day)
        month = day.month - 6
        day = date(day.year - (month < 1), month + 12 * (month < 1), day.day)
    return dates[::-1]


def clean_price(spec, dates, day, rate):
    """Value of the coming coupons and the redemption, less the accrued coupon, per 100 of par."""
    left = [when for when in dates if when > day]
    if not left:
        return 100.0
    half, step = spec.coupon / 2.0, 1.0 + rate / 2.0
    part = (left[0] - day).days / COUPON_DAYS
    value = 100.0
    for _ in left[1:]:
        value = (value + half) / step
    # Inside a coupon period interest is simple: a fractional power would need a logarithm.
    dirty = (value + half) / (1.0 + part * rate / 2.0)
    return dirty - half * (1.0 - min(1.0, part))


def yield_path(days, factor, stream):
    """A yield that is pulled to its mean and falls a little when shares do."""
    rate, path = YIELD_START, {}
    for day in days:
        rate += 0.002 * (YIELD_MEAN - rate) + 0.0003 * stream.shock() + 0.008 * factor[day]
        rate = max(0.001, rate)
        path[day] = rate
    return path


def bond_bars(spec, days, factor, make_stream):
    """Raw bars: clean prices in percent of par; a coupon stands in the dividend column of the
    first session on or after its date. A matured bond closes at par on its last day."""
    rates = yield_path(days, factor, make_stream("yield"))
    stream, dates, bars = make_stream(spec.uid), coupon_dates(spec), []
    pending = list(dates)
    previous = None
    for day in (day for day in days if spec.issued <= day <= spec.matures):
        due = [when for when in pending if when <= day]
        pending = [when for when in pending if when > day]
        close = round(clean_price(spec, dates, day, rates[day] + spec.spread), 3)
        opened = round((previous or close) + 0.03 * stream.normal(), 3)
        high = round(max(opened, close) + 0.05 * stream.uniform(), 3)
        low = round(min(opened, close) - 0.05 * stream.uniform(), 3)
        volume = int(spec.volume * (0.5 + stream.uniform())) // 10 * 10
        bars.append((day, {
            "open": f"{opened:.3f}", "high": f"{high:.3f}", "low": f"{low:.3f}",
            "close": f"{close:.3f}", "volume": str(volume), "quality": SIMULATED,
            "dividend": str(len(due) * spec.coupon / 2.0) if due else "0", "split_ratio": "1"}))
        previous = close
    return bars
