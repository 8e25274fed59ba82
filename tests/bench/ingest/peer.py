"""The same pipeline as people write it: pandas for the rows, psycopg for the tables. Also times COPY alone.

  peer.py direct HOW LAKE URL FIRST LAST rows objects of the days into mart tables; a line of JSON
  peer.py layers HOW LAKE WAREHOUSE_URL SERVING_URL FIRST LAST
                                         facts and marts into a warehouse first, and from there into the serving database
  peer.py copy LAKE URL FIRST LAST       the rows of the lake by COPY into one table without keys; a line of JSON
  peer.py marts FROM TO                  every row that the marts of FROM hold, by COPY into equal tables with their keys in TO

HOW tables are loaded and read: copy, or insert (INSERT in pages of 1,000 rows, and SELECT).
"""

import gzip
import hashlib
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
    rejected, bars = bars[~is_good], bars[is_good]
    bars = bars.sort_values(["symbol", "date", "fetched_at"]).drop_duplicates(["symbol", "date"], keep="last").reset_index(drop=True)
    jumps = bars.groupby("symbol")["close"].pct_change()
    quality["n_jumps"] = quality["date"].map(((jumps > 4) | (jumps < -0.8)).groupby(bars["date"]).sum())
    short = quality["n_rows"] < 0.5 * quality["expected_rows"]
    quality["status"] = numpy.where(short | (quality["n_jumps"] * 5 > quality["n_rows"]), "fail", "ok")
    if (quality["status"] == "fail").any():
        raise SystemExit("a day fails its checks")
    return bars, rejected, quality


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


def marts(bars, rates, fx, quality):
    """Table, key, what else is looked up by, and what makes its rows. What follows wants the measures of what comes before."""
    bars = measures(bars, fx)
    instruments = bars.groupby("symbol").agg(name=("name", "last"), market=("market", "last"), isin=("isin", "last"), currency=("currency", "last"),
                                             first_date=("date", "min"), last_date=("date", "max"), n_rows=("date", "count")).reset_index()
    return (
        ("peer_instrument", "symbol", (), lambda: instruments),
        ("peer_calendar", "date", (), lambda: calendar(bars)),
        ("peer_fx", "base, quote, date", ("date", "quote, date"), lambda: rates),
        ("peer_quality", "date", (), lambda: quality),
        ("peer_price", "symbol, date", ("date",), lambda: bars[["symbol", "date", "open", "high", "low", "close", "volume", "source", "fetched_at"]]),
        ("peer_stock", "symbol, date", ("date, market",), lambda: bars.drop(columns=["raw_key", "fetched_at", "isin"], errors="ignore")),
        ("peer_panel", "symbol, date", ("date",), lambda: panel(bars, fx)),
        ("peer_period", "symbol, period, period_end", ("period, period_end", "period_end"), lambda: periods(bars)),
        ("peer_class", "date, market", (), lambda: classes(bars)),
        ("peer_risk", "symbol, as_of, window_days, currency", ("as_of, window_days",), lambda: risks(bars, fx)))


def definition(frame):
    kinds = {"datetime64[ns]": "date", "int64": "bigint", "float64": "double precision", "bool": "boolean"}
    return ", ".join(f"{name} {kinds.get(str(kind), 'text')}" for name, kind in frame.dtypes.items())


def load_by_copy(connection, table, frame):
    """The fastest way there is: one text, one COPY."""
    text = io.StringIO()
    frame.to_csv(text, index=False, header=False)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN WITH (FORMAT csv)") as copy:
        copy.write(text.getvalue())


def insert_of(table, n_columns):
    return f"INSERT INTO {table} VALUES ({', '.join(['%s'] * n_columns)})"


def load_by_insert(connection, table, frame):
    """The usual way: parameters of an INSERT, a page of rows at a time (which psycopg sends in one go)."""
    values = frame.astype(object).where(frame.notna(), None)
    with connection.cursor() as cursor:
        for at in range(0, len(values), PAGE):
            cursor.executemany(insert_of(table, frame.shape[1]), list(values.iloc[at:at + PAGE].itertuples(index=False, name=None)))


def columns_of(connection, table):
    """The names of a table's columns by their kind: what is neither is a number."""
    described = connection.execute(f"SELECT * FROM {table} LIMIT 0").description
    return [[column.name for column in described if column.type_display == kind] for kind in ("date", "text")]


def read_by_copy(connection, table):
    dates, texts = columns_of(connection, table)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT WITH (FORMAT csv, HEADER)") as copy:
        text = io.BytesIO(b"".join(copy))
    return pandas.read_csv(text, dtype=dict.fromkeys(texts, str), parse_dates=dates)


def read_by_select(connection, table):
    dates, _ = columns_of(connection, table)
    cursor = connection.execute(f"SELECT * FROM {table}")
    frame = pandas.DataFrame.from_records(cursor.fetchall(), columns=[column.name for column in cursor.description])
    return frame.assign(**{name: pandas.to_datetime(frame[name]) for name in dates})


def pass_by_copy(source, target, table):
    """From server to server without a look at it."""
    with source.cursor() as out, target.cursor() as into, out.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as rows, \
            into.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
        for some in rows:
            copy.write(some)


def pass_by_insert(source, target, table):
    with source.cursor(name="rows") as out, target.cursor() as into:
        out.execute(f"SELECT * FROM {table}")
        while page := out.fetchmany(PAGE):
            into.executemany(insert_of(table, len(page[0])), page)


HOW = {"copy": (load_by_copy, read_by_copy, pass_by_copy), "insert": (load_by_insert, read_by_select, pass_by_insert)}


def run_direct(how, lake, url, first, last):
    load = HOW[how][0]
    start = time.monotonic()
    bars, rates = read(lake, first, last)
    n = len(bars) + len(rates)
    bars, _, quality = clean(bars)
    rates, fx = crosses(rates)
    sent = 0
    with psycopg.connect(url) as connection:
        for table, key, _, make in marts(bars, rates, fx, quality):
            frame = make()
            connection.execute(f"CREATE TABLE {table} ({definition(frame)}, PRIMARY KEY ({key}))")
            load(connection, table, frame)
            sent += len(frame)
    return {"rows": n, "sent_rows": sent, "total_s": time.monotonic() - start}


def finish_table(connection, table, key, indexes=()):
    """Keys and indexes after the rows: a fraction of what it costs to keep them up with each."""
    connection.execute(f"ALTER TABLE {table} ADD PRIMARY KEY ({key})")
    for columns in indexes:
        connection.execute(f"CREATE INDEX ON {table} ({columns})")


def store(connection, load, table, key, frame):
    """A table of the warehouse. Its rows say which load they are of."""
    frame = frame.assign(load_id=1)
    connection.execute(f"CREATE TABLE {table} ({definition(frame)})")
    load(connection, table, frame)
    finish_table(connection, table, key)
    return len(frame)


def silver(lake, url, first, last, load):
    """The lake's rows that hold together, what was refused, what was found, and which objects all of it is from."""
    bars, rates = read(lake, first, last)
    n = len(bars) + len(rates)
    paths = [path for folder in ("kr_stock", "exchange_rate") for path in objects(lake, folder, first, last)]
    loaded = pandas.DataFrame({"object": [str(path.relative_to(lake)) for path in paths], "sha256": [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]})
    bars, rejected, quality = clean(bars)
    described = ["name", "market", "isin", "currency"]
    with psycopg.connect(url) as connection:
        store(connection, load, "fact_price", "symbol, date", bars.drop(columns=[*described, "raw_key"]))
        store(connection, load, "fact_instrument", "symbol", bars.groupby("symbol")[described].last().reset_index())
        store(connection, load, "fact_fx_rate", "base, quote, date", rates)
        store(connection, load, "quarantine", "symbol, date, fetched_at", rejected)
        store(connection, load, "load_quality", "date", quality)
        store(connection, load, "load_object", "object", loaded)
    return n


def gold(url, load, read_back):
    """Marts of the facts, each with its key."""
    with psycopg.connect(url) as connection:
        prices, instruments, rates, quality = (read_back(connection, table).drop(columns="load_id")
                                               for table in ("fact_price", "fact_instrument", "fact_fx_rate", "load_quality"))
        bars = prices.sort_values(["symbol", "date"], ignore_index=True).join(instruments.set_index("symbol"), on="symbol")
        rates, fx = crosses(rates)
        made = marts(bars, rates, fx, quality)
        return sum(store(connection, load, table, key, make()) for table, key, _, make in made), [mart[:3] for mart in made]


def publish(url, serving_url, made, pass_on):
    """All marts at once, with the keys and indexes that the serving database has."""
    with psycopg.connect(url) as source, psycopg.connect(serving_url) as target:
        for table, key, indexes in made:
            described = source.execute(f"SELECT * FROM {table} LIMIT 0").description
            columns = ", ".join(f"{column.name} {column.type_display}" for column in described)
            target.execute(f"CREATE TABLE {table} ({columns})")
            pass_on(source, target, table)
            finish_table(target, table, key, indexes)


def run_layers(how, lake, url, serving_url, first, last):
    load, read_back, pass_on = HOW[how]
    times = [time.monotonic()]
    n = silver(lake, url, first, last, load)
    times.append(time.monotonic())
    sent, made = gold(url, load, read_back)
    times.append(time.monotonic())
    publish(url, serving_url, made, pass_on)
    times.append(time.monotonic())
    stages = {f"{stage}_s": after - before for stage, before, after in zip(("silver", "gold", "publish"), times, times[1:])}
    return {"rows": n, "sent_rows": sent, "total_s": times[-1] - times[0], **stages}


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
    result = {"direct": run_direct, "layers": run_layers, "copy": run_copy, "marts": run_marts}[sys.argv[1]](*sys.argv[2:])
    result["resident_kib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(result))
