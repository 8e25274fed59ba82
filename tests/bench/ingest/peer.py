"""The same pipeline as people write it: pandas for the rows, psycopg for the tables. Also times COPY alone.

  peer.py pandas LAKE URL FIRST LAST     rows objects of the days into mart tables by COPY; a line of JSON
  peer.py insert LAKE URL FIRST LAST     the same by INSERT, in pages of 1,000 rows
  peer.py copy LAKE URL FIRST LAST       the rows of the lake by COPY into one table without keys; a line of JSON
  peer.py marts FROM TO                  every row that the marts of FROM hold, by COPY into equal tables with their keys in TO
"""

import gzip
import io
import json
import pathlib
import resource
import sys
import time

import numpy
import pandas
import psycopg

MARTS = ("gen_price_daily", "gen_price_panel", "gen_return_period", "gen_stock_daily", "gen_asset_class_daily", "gen_risk",
         "gen_fx_daily", "gen_calendar", "gen_instrument", "gen_data_quality_daily")
PAGE = 1000  # rows


def objects(lake, folder, first, last):
    for partition in sorted((pathlib.Path(lake) / "bronze" / folder).glob("ymd=*")):
        if first <= partition.name[4:] <= last:
            yield from sorted(partition.glob("rows-*.csv.gz"))


def read(lake, first, last):
    bars = pandas.concat([pandas.read_csv(path, dtype={"symbol": str}, parse_dates=["date"]) for path in objects(lake, "kr_stock", first, last)])
    rates = pandas.concat([pandas.read_csv(path, parse_dates=["date"]) for path in objects(lake, "exchange_rate", first, last)])
    return bars, rates.sort_values("fetched_at").drop_duplicates(["base", "quote", "date"], keep="last")


def clean(bars):
    """Rows that hold together, the newest of each key; and what was found, day by day."""
    prices = bars[["open", "high", "low", "close"]]
    is_good = (prices > 0).all(axis=1) & (bars["high"] >= prices.max(axis=1)) & (bars["low"] <= prices.min(axis=1)) & (bars["volume"] >= 0)
    quality = bars.assign(n_rejected=~is_good, n_nulls=bars[["open", "high", "low", "close", "volume", "value_traded", "market_cap", "shares"]].isna().sum(axis=1),
                          n_duplicates=bars.duplicated(["symbol", "date"])).groupby("date").agg(
        n_rows=("symbol", "count"), n_rejected=("n_rejected", "sum"), n_nulls=("n_nulls", "sum"), n_duplicates=("n_duplicates", "sum")).reset_index()
    quality["expected_rows"] = quality["n_rows"].shift().rolling(10, min_periods=1).max()
    bars = bars[is_good].sort_values(["symbol", "date", "fetched_at"]).drop_duplicates(["symbol", "date"], keep="last").reset_index(drop=True)
    jumps = bars.groupby("symbol")["close"].pct_change()
    quality["n_jumps"] = quality["date"].map(((jumps > 4) | (jumps < -0.8)).groupby(bars["date"]).sum())
    short = quality["n_rows"] < 0.5 * quality["expected_rows"]
    quality["status"] = numpy.where(short | (quality["n_jumps"] * 5 > quality["n_rows"]), "fail", "ok")
    return bars, quality


def crosses(rates):
    """What a euro, a won and a dollar cost in each other."""
    wide = rates.pivot(index="date", columns="quote", values="rate")
    both = pandas.concat([rates[["base", "quote", "date", "rate", "source"]],
                          pandas.DataFrame({"base": "KRW", "quote": "USD", "date": wide.index, "rate": (wide["USD"] / wide["KRW"]).values, "source": "cross"}),
                          pandas.DataFrame({"base": "USD", "quote": "KRW", "date": wide.index, "rate": (wide["KRW"] / wide["USD"]).values, "source": "cross"})])
    return both, (wide["USD"] / wide["KRW"]).rename("fx_usd")


def measures(bars, fx):
    by = bars.groupby("symbol", sort=False)
    bars["ret_1d"] = by["close"].pct_change()
    bars["ret_5d"] = by["close"].pct_change(5)
    bars["ret_20d"] = by["close"].pct_change(20)
    for n in (5, 20, 60, 120):
        bars[f"ma_{n}"] = by["close"].rolling(n).mean().reset_index(level=0, drop=True)
    bars["vol_20d"] = by["ret_1d"].rolling(20).std().reset_index(level=0, drop=True) * numpy.sqrt(252)
    bars["high_52w"] = by["close"].rolling(252, min_periods=1).max().reset_index(level=0, drop=True)
    bars["low_52w"] = by["close"].rolling(252, min_periods=1).min().reset_index(level=0, drop=True)
    before = by["close"].shift()
    year = bars["date"].dt.year
    last = before.where(year != by["date"].shift().dt.year)
    bars["ret_ytd"] = bars["close"] / last.groupby(bars["symbol"]).ffill() - 1
    bars["fx_usd"] = bars["date"].map(fx)
    return bars


def panel(bars, fx):
    wide = bars.pivot(index="date", columns="symbol", values="close")
    days = pandas.bdate_range(wide.index[0], wide.index[-1])
    filled = wide.reindex(days).ffill(limit=5)
    long = filled.stack().rename("adj_close").reset_index()
    long.columns = ["date", "symbol", "adj_close"]
    own = wide.stack().index
    long["is_trading_day"] = pandas.MultiIndex.from_frame(long[["date", "symbol"]]).isin(own)
    long = long.sort_values(["symbol", "date"])
    long["fx_to_usd"] = long["date"].map(fx.reindex(days).ffill(limit=7))
    long["adj_close_usd"] = long["adj_close"] * long["fx_to_usd"]
    long["ret_1d"] = long.groupby("symbol")["adj_close"].pct_change()
    long["log_ret_1d"] = numpy.log1p(long["ret_1d"])
    return long


def periods(bars):
    parts = []
    for code, frequency in (("W", "W-SUN"), ("M", "M"), ("Q", "Q"), ("Y", "Y")):
        end = bars["date"].dt.to_period(frequency).dt.end_time.dt.normalize()
        part = bars.assign(period_end=end)
        part["fall"] = part["close"] / part.groupby(["symbol", "period_end"])["close"].cummax() - 1
        part = part.groupby(["symbol", "period_end"]).agg(
            first_date=("date", "min"), last_date=("date", "max"), open=("open", "first"), high=("high", "max"), low=("low", "min"),
            close=("close", "last"), vol=("ret_1d", "std"), max_dd=("fall", "min"), volume=("volume", "sum"), n_days=("date", "count")).reset_index()
        part["ret"] = part.groupby("symbol")["close"].pct_change()
        part.insert(1, "period", code)
        parts.append(part)
    return pandas.concat(parts)


def classes(bars):
    weighted = bars.assign(cap=bars["market_cap"].where(bars["ret_1d"].notna()), up=bars["ret_1d"] > 0, down=bars["ret_1d"] < 0, flat=bars["ret_1d"] == 0)
    weighted["weighted"] = weighted["ret_1d"] * weighted["cap"]
    sums = weighted.groupby(["date", "market"]).agg(
        n_instruments=("symbol", "count"), n_up=("up", "sum"), n_down=("down", "sum"), n_flat=("flat", "sum"), ret_mean=("ret_1d", "mean"),
        ret_median=("ret_1d", "median"), weighted=("weighted", "sum"), cap=("cap", "sum"), value_traded=("value_traded", "sum")).reset_index()
    sums["ret_cap_weighted"] = sums["weighted"] / sums["cap"]
    return sums.drop(columns=["weighted", "cap"])


def risk_of(values, as_of, window, currency):
    """All stocks at once: a column each."""
    returns = values.pct_change(fill_method=None).iloc[1:]
    n = returns.count()
    days = (values.index[-1] - values.index[0]).days
    peak = values.cummax()
    fall = (values / peak - 1).min()
    day = pandas.DataFrame(numpy.broadcast_to((values.index - values.index[0]).days.to_numpy(float)[:, None], values.shape), values.index, values.columns)
    tail = returns.quantile(0.05)
    yearly = (values.iloc[-1] / values.iloc[0]) ** (365.25 / days) - 1
    spread = returns.std() * numpy.sqrt(252)
    below = numpy.sqrt((returns.clip(upper=0) ** 2).sum() / n) * numpy.sqrt(252)
    return pandas.DataFrame({
        "as_of": as_of, "window_days": window, "currency": currency, "n_obs": n, "ann_return": yearly, "ann_vol": spread,
        "sharpe": returns.mean() * 252 / spread, "sortino": returns.mean() * 252 / below, "calmar": yearly / -fall, "max_dd": fall,
        "max_dd_days": (day - day.where(values == peak).ffill()).max(), "var_95": -tail, "cvar_95": -returns[returns <= tail].mean(),
        "skew": returns.skew(), "kurt": returns.kurt()})[n >= 20]


def risks(bars, fx):
    wide = bars.pivot(index="date", columns="symbol", values="close")
    parts = []
    for currency, values in (("KRW", wide), ("USD", wide.mul(fx.reindex(wide.index).ffill(limit=7), axis=0))):
        for as_of in pandas.date_range(wide.index[0], wide.index[-1] + pandas.offsets.MonthEnd(0), freq="ME"):
            for window in (90, 365):
                rows = values.loc[as_of - pandas.Timedelta(days=window):as_of]
                if len(rows) > 20:
                    parts.append(risk_of(rows, as_of, window, currency))
    return pandas.concat(parts).rename_axis("symbol").reset_index()


def calendar(bars):
    own = pandas.Index(bars["date"].unique()).sort_values()
    days = pandas.date_range(own[0] - pandas.offsets.YearBegin(), own[-1] + pandas.offsets.YearEnd())
    frame = pandas.DataFrame({"date": days})
    frame["is_open"] = frame["date"].isin(own) | ((frame["date"].dt.weekday < 5) & ((frame["date"] < own[0]) | (frame["date"] > own[-1])))
    frame["prev_open"] = frame["date"].where(frame["is_open"]).ffill().shift()
    frame["next_open"] = frame["date"].where(frame["is_open"]).bfill().shift(-1)
    return frame


def make_table(connection, table, frame, key):
    kinds = {"datetime64[ns]": "date", "int64": "bigint", "float64": "double precision", "bool": "boolean"}
    columns = ", ".join(f"{name} {kinds.get(str(kind), 'text')}" for name, kind in frame.dtypes.items())
    connection.execute(f"CREATE TABLE {table} ({columns}, PRIMARY KEY ({key}))")


def load_by_copy(connection, table, frame):
    """The fastest way there is: one text, one COPY."""
    text = io.StringIO()
    frame.to_csv(text, index=False, header=False)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN WITH (FORMAT csv)") as copy:
        copy.write(text.getvalue())


def load_by_insert(connection, table, frame):
    """The usual way: parameters of an INSERT, a page of rows at a time (which psycopg sends in one go)."""
    insert = f"INSERT INTO {table} VALUES ({', '.join(['%s'] * frame.shape[1])})"
    values = frame.astype(object).where(frame.notna(), None)
    with connection.cursor() as cursor:
        for at in range(0, len(values), PAGE):
            cursor.executemany(insert, list(values.iloc[at:at + PAGE].itertuples(index=False, name=None)))


def run_pandas(lake, url, first, last, load=load_by_copy):
    start = time.monotonic()
    bars, rates = read(lake, first, last)
    n = len(bars) + len(rates)
    bars, quality = clean(bars)
    if (quality["status"] == "fail").any():
        raise SystemExit("a day fails its checks")
    rates, fx = crosses(rates)
    bars = measures(bars, fx)
    instruments = bars.groupby("symbol").agg(name=("name", "last"), market=("market", "last"), isin=("isin", "last"), currency=("currency", "last"),
                                             first_date=("date", "min"), last_date=("date", "max"), n_rows=("date", "count")).reset_index()
    tables = (
        ("peer_instrument", "symbol", lambda: instruments),
        ("peer_calendar", "date", lambda: calendar(bars)),
        ("peer_fx", "base, quote, date", lambda: rates),
        ("peer_quality", "date", lambda: quality),
        ("peer_price", "symbol, date", lambda: bars[["symbol", "date", "open", "high", "low", "close", "volume", "source", "fetched_at"]]),
        ("peer_stock", "symbol, date", lambda: bars.drop(columns=["raw_key", "fetched_at", "isin"])),
        ("peer_panel", "symbol, date", lambda: panel(bars, fx)),
        ("peer_period", "symbol, period, period_end", lambda: periods(bars)),
        ("peer_class", "date, market", lambda: classes(bars)),
        ("peer_risk", "symbol, as_of, window_days, currency", lambda: risks(bars, fx)))
    sent = 0
    with psycopg.connect(url) as connection:
        for table, key, make in tables:
            frame = make()
            make_table(connection, table, frame, key)
            load(connection, table, frame)
            sent += len(frame)
    return {"rows": n, "sent_rows": sent, "total_s": time.monotonic() - start}


def run_insert(lake, url, first, last):
    return run_pandas(lake, url, first, last, load_by_insert)


def run_copy(lake, url, first, last):
    texts = [gzip.decompress(path.read_bytes()) for path in objects(lake, "kr_stock", first, last)]
    names = texts[0].split(b"\n", 1)[0].decode().split(",")
    rows = sum(text.count(b"\n") - 1 for text in texts)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE copied (" + ", ".join(
            f"{name} {'date' if name == 'date' else 'numeric' if 3 <= i + 1 <= 13 else 'text'}" for i, name in enumerate(names)) + ")")
        start = time.monotonic()
        with connection.cursor() as cursor, cursor.copy("COPY copied FROM STDIN WITH (FORMAT csv)") as copy:
            for text in texts:
                copy.write(text.split(b"\n", 1)[1])
        connection.commit()
        return {"rows": rows, "total_s": time.monotonic() - start}


def run_marts(url, other):
    total, rows = 0.0, 0
    with psycopg.connect(url) as source, psycopg.connect(other) as target:
        for table in MARTS:
            with source.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as copy:
                data = b"".join(copy)
            start = time.monotonic()
            with target.cursor() as cursor:
                cursor.execute(f"TRUNCATE {table}")
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(data)
                rows += cursor.rowcount
            target.commit()
            total += time.monotonic() - start
    return {"rows": rows, "total_s": total}


if __name__ == "__main__":
    result = {"pandas": run_pandas, "insert": run_insert, "copy": run_copy, "marts": run_marts}[sys.argv[1]](*sys.argv[2:])
    result["resident_kib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(result))
