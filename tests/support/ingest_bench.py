"""A lake that is filled from a replay server by cmmc ingest, and what is in it."""

import csv
import datetime
import gzip
import json
import pathlib
import time

from support.server import run, scratch_folder

KEYS = {"coin_data": 2, "us_stock": 2, "us_stock_action": 3, "exchange_rate": 3, "kr_stock": 2, "news": 1, "fred": 6, "commodities": 2,
        "index_data": 2, "kr_etf": 2, "bonds": 2, "monthly_indicators": 6, "msci_index": 2, "kr_market_holiday": 2,
        "industry_code/krx_codes": 2, "industry_code/gics_codes": 4, "bonds_meta": 3}
UNIVERSES = {"coin": "symbol,name,currency,binance\nBTCUSDT,Bitcoin,USD,BTCUSDT\nETHUSDT,Ether,USD,ETHUSDT\nXMRUSDT,Monero,USD,XMRUSDT\n",
             "us_stock": "symbol,name,currency,yahoo\nAAPL,Apple Inc.,USD,AAPL\nMSFT,\"Micro, soft\",USD,MSFT\n",
             "commodity": "symbol,name,currency,yahoo,fred\nCL,WTI crude oil,USD,CL=F,DCOILWTICO/D\nGC,Gold,USD,GC=F,\n",
             "fx": "symbol,name,currency,frankfurter,yahoo\nEURUSD,US dollar,USD,USD,EURUSD=X\nEURKRW,Korean won,KRW,KRW,EURKRW=X\n",
             "fred": "symbol,name,currency,fred\nDGS10,10 years,,DGS10/D\nGDPC1,GDP,,GDPC1/Q\n"}


def d(text):
    return datetime.date.fromisoformat(text)


def wait_for_a_day():
    """Lets midnight (UTC) pass where it is near: quotas are counted by day."""
    while (now := datetime.datetime.now(datetime.timezone.utc)).hour == 23 and now.minute >= 58:
        time.sleep(1)


class Bench:
    """A folder with a lake and universes of a few symbols, and the settings to ask a replay server."""

    def __init__(self, replay, **settings):
        self.replay, self.folder = replay, pathlib.Path(scratch_folder("ingest"))
        (self.folder / "universe").mkdir()
        for name, text in UNIVERSES.items():
            (self.folder / "universe" / f"{name}.csv").write_text(text)
        self.settings = {"var_dir": self.folder / "var", "source_base": f"*={replay.address}", "universe_dir": self.folder / "universe",
                         "source_contact": "ops@example.org", **{f"{name}_key": key for name, key in replay.world.keys.items() if name != "krx_web"},
                         **settings}

    @property
    def lake(self):
        return self.folder / "var" / "lake" / "bronze"

    def ingest(self, dataset, first, last, *more, code=0):
        done = run("ingest", dataset, "--from", first, "--to", last, "--json", *(more if "--stages" in more else ("--stages", "bronze", *more)), **self.settings)
        if done.returncode != code:
            raise AssertionError(f"ended with {done.returncode}, not {code}\n{done.stdout}{done.stderr}\n{self.replay.paths()[-5:]}")
        done.report = json.loads(done.stdout.splitlines()[-1]) if done.stdout else None
        return done

    def objects(self, folder, kind="rows"):
        return sorted((self.lake / folder).glob(f"ymd=*/{kind}-*"))

    def rows(self, folder):
        """Every row of the objects in the order of their names, with its partition."""
        for path in self.objects(folder):
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    yield path.parent.name[4:], row

    def table(self, folder):
        """What the lake says: the newest row of each key, without where it comes from."""
        found = {}
        for day, row in self.rows(folder):
            key = (day, *list(row.values())[:KEYS[folder]])
            if key not in found or found[key][0] <= row["fetched_at"]:
                found[key] = row["fetched_at"], tuple(value for name, value in row.items() if name not in ("source", "fetched_at", "raw_key"))
        return {key: value for key, (_, value) in found.items()}
