"""The same pipeline as people write it: pandas for the rows, psycopg for the tables. Also times COPY alone.

  peer.py pandas LAKE URL FIRST LAST     rows objects of the days into mart tables; a line of JSON
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


def objects(lake, folder, first, last):
    for partition in sorted((pathlib.Path(lake) / "bronze" / folder).glob("ymd=*")):
        if first <= partition.name[4:] <= last:
            yield from sorted(partition.glob("rows-*.csv.gz"))


def read(lake, first, last):
    bars = pandas.concat([pandas.read_csv(path, dtype={"symbol": str}, parse_dates=["date"]) for path in objects(lake, "kr_stock", first, last)])
    bars = bars.sort_values(["symbol", "date", "fetched_at"]).drop_duplicates(["symbol", "date"], keep="last")
    rates = pandas.concat([pandas.read_csv(path, parse_dates=["date"]) for path in objects(lake, "exchange_rate", first, last)])
    rates = rates.pivot(index="date", columns="quote", values="rate")
    return bars.reset_index(drop=True), (rates["USD"] / rates["KRW"]).rename("fx_usd")


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


def panel(bars):
    wide = bars.pivot(index="date", columns="symbol", values="close")
    days = pandas.bdate_range(wide.index[0], wide.index[-1])
    filled = wide.reindex(days).ffill(limit=5)
    long = filled.stack().rename("adj_close").reset_index()
    long.columns = ["date", "symbol", "adj_close"]
    own = wide.stack().index
    long["is_trading_day"] = pandas.MultiIndex.from_frame(long[["date", "symbol"]]).isin(own)
    long = long.sort_values(["symbol", "date"])
    long["ret_1d"] = long.groupby("symbol")["adj_close"].pct_change()
    long["log_ret_1d"] = numpy.log1p(long["ret_1d"])
    return long


def periods(bars):
    parts = []
    for code, frequency in (("W", "W-SUN"), ("M", "M"), ("Q", "Q"), ("Y", "Y")):
        end = bars["date"].dt.to_period(frequency).dt.end_time.dt.normalize()
        part = bars.assign(period_end=end).groupby(["symbol", "period_end"]).agg(
            first_date=("date", "min"), last_date=("date", "max"), open=("open", "first"), high=("high", "max"), low=("low", "min"),
            close=("close", "last"), vol=("ret_1d", "std"), volume=("volume", "sum"), n_days=("date", "count")).reset_index()
        part["ret"] = part.groupby("symbol")["close"].pct_change()
        part.insert(1, "period", code)
        parts.append(part)
    return pandas.concat(parts)


def classes(bars):
    return bars.groupby("date").agg(n_instruments=("symbol", "count"), ret_mean=("ret_1d", "mean"), ret_median=("ret_1d", "median"),
                                    value_traded=("value_traded", "sum")).reset_index()


def write(connection, table, frame, key):
    kinds = {"datetime64[ns]": "date", "int64": "bigint", "float64": "double precision", "bool": "boolean"}
    columns = ", ".join(f"{name} {kinds.get(str(kind), 'text')}" for name, kind in frame.dtypes.items())
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} ({columns}, PRIMARY KEY ({key}))")
        text = io.StringIO()
        frame.to_csv(text, index=False, header=False)
        with cursor.copy(f"COPY {table} FROM STDIN WITH (FORMAT csv)") as copy:
            copy.write(text.getvalue())
    return len(frame)


def run_pandas(lake, url, first, last):
    start = time.monotonic()
    bars, fx = read(lake, first, last)
    bars = measures(bars, fx)
    n = len(bars)
    with psycopg.connect(url) as connection:
        sent = write(connection, "peer_price", bars[["symbol", "date", "open", "high", "low", "close", "volume", "source", "fetched_at"]], "symbol, date")
        sent += write(connection, "peer_stock", bars.drop(columns=["raw_key", "fetched_at", "isin"]), "symbol, date")
        sent += write(connection, "peer_panel", panel(bars), "symbol, date")
        sent += write(connection, "peer_period", periods(bars), "symbol, period, period_end")
        sent += write(connection, "peer_class", classes(bars), "date")
    return {"rows": n, "sent_rows": sent, "total_s": time.monotonic() - start}


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
    result = {"pandas": run_pandas, "copy": run_copy, "marts": run_marts}[sys.argv[1]](*sys.argv[2:])
    result["resident_kib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(result))
