#!/usr/bin/env python3
"""Checks the committed sample in data/sample/ as its readers rely on it.

Nothing here uses the code that wrote the files: formats, keys and the adjustment of prices are
computed a second time. Run: python3 -m unittest discover -s tests/data
"""

import csv
import gzip
import hashlib
import io
import json
import pathlib
import re
import unittest
from collections import defaultdict
from datetime import date
from functools import lru_cache

SAMPLE = pathlib.Path(__file__).resolve().parents[2] / "data" / "sample"
SIZE_LIMIT = 4_000_000
ADJUSTED_ONLY, SIMULATED, HALTED, JUMP, SURVIVOR = 1, 2, 4, 8, 16

KEYS = {
    "mart_instrument": ("uid",),
    "mart_price_daily": ("uid", "date"),
    "mart_fx_daily": ("base", "quote", "date"),
    "mart_economic_indicator": ("stat_code", "country_code", "frequency", "period", "vintage"),
    "mart_calendar": ("market", "date"),
    "mart_news_article": ("article_id",),
}

DECIMAL = re.compile(r"-?\d+(\.\d+)?")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
WHOLE = re.compile(r"\d+")
FLAG = re.compile(r"true|false")


def is_date(text):
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def matches(pattern):
    return lambda text: pattern.fullmatch(text) is not None


def one_of(*choices):
    return lambda text: text in choices


def is_text(text):
    return text == text.strip() and text != ""


def is_bigint(text):
    return WHOLE.fullmatch(text) is not None and int(text) < 2 ** 63


# Column: (check, may it be empty). The order is the order of the columns in the file.
TYPES = {
    "mart_instrument": {
        "uid": (matches(re.compile(r"[a-z]+:[A-Z0-9.]+")), False),
        "asset_class": (one_of("stock", "bond", "etf", "fx", "coin", "commodity", "index"), False),
        "symbol": (is_text, False), "name": (is_text, False), "name_local": (is_text, True),
        "market": (one_of("XNYS", "XNYM", "XKRX", "24_7"), False),
        "country": (matches(re.compile("[A-Z]{2}")), True),
        "currency": (matches(re.compile("[A-Z]{3}")), False),
        "isin": (matches(re.compile("[A-Z]{2}[A-Z0-9]{9}[0-9]")), True),
        "sector": (is_text, True), "industry": (is_text, True), "source": (is_text, False),
        "source_symbol": (is_text, False),
        "quote_unit": (one_of("price", "pct_of_par", "points", "rate"), False),
        "price_basis": (one_of("adjusted", "raw", "price"), False),
        "is_active": (matches(FLAG), False), "delisted_on": (is_date, True),
        "delisting_return": (matches(DECIMAL), True), "is_survivor_biased": (matches(FLAG), False),
        "coupon_rate": (matches(DECIMAL), True), "coupons_per_year": (matches(WHOLE), True),
        "maturity_date": (is_date, True), "day_count": (one_of("act_act_icma", "30_360"), True),
    },
    "mart_price_daily": {
        "uid": (is_text, False), "date": (is_date, False), "open": (matches(DECIMAL), True),
        "high": (matches(DECIMAL), True), "low": (matches(DECIMAL), True),
        "close": (matches(DECIMAL), True), "adj_close": (matches(DECIMAL), False),
        "volume": (matches(DECIMAL), True), "dividend": (matches(DECIMAL), True),
        "split_ratio": (matches(DECIMAL), True),
        "currency": (matches(re.compile("[A-Z]{3}")), False), "source": (is_text, False),
        "quality": (matches(WHOLE), False), "known_at": (matches(STAMP), False),
    },
    "mart_fx_daily": {
        "base": (one_of("EUR"), False), "quote": (matches(re.compile("[A-Z]{3}")), False),
        "date": (is_date, False), "rate": (matches(DECIMAL), False),
        "is_cross": (one_of("false"), False), "source": (one_of("ecb"), False),
        "is_filled": (one_of("false"), False), "known_at": (matches(STAMP), False),
    },
    "mart_economic_indicator": {
        "stat_code": (is_text, False), "country_code": (matches(re.compile("[A-Z]{3}")), False),
        "frequency": (one_of("D", "M", "Q", "A"), False),
        "period": (matches(re.compile(r"\d{4}-\d\d")), False), "vintage": (is_date, False),
        "stat_name": (is_text, False), "unit": (is_text, False), "country_name": (is_text, False),
        "period_start": (is_date, False), "period_end": (is_date, False),
        "value": (matches(DECIMAL), False), "is_latest_vintage": (matches(FLAG), False),
        "source": (is_text, False), "known_at": (matches(STAMP), False),
    },
    "mart_calendar": {
        "market": (one_of("XNYS", "XNYM", "XKRX", "24_7", "ECB"), False), "date": (is_date, False),
        "is_open": (matches(FLAG), False), "is_half_day": (matches(FLAG), False),
        "prev_open": (is_date, True), "next_open": (is_date, True),
        "is_week_end": (matches(FLAG), False), "is_month_end": (matches(FLAG), False),
        "is_quarter_end": (matches(FLAG), False), "is_year_end": (matches(FLAG), False),
        "close_at": (matches(STAMP), True), "source": (one_of("derived", "simulated"), False),
    },
    "mart_news_article": {
        "article_id": (is_bigint, False), "pub_date": (matches(STAMP), False),
        "pub_day": (is_date, False), "section": (is_text, False), "headline": (is_text, False),
        "abstract": (is_text, False), "byline": (is_text, True), "web_url": (is_text, False),
        "word_count": (matches(WHOLE), False), "keywords": (is_text, False),
        "source": (one_of("simulated"), False),
    },
}


@lru_cache(maxsize=None)
def manifest():
    return json.loads((SAMPLE / "manifest.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=None)
def rows_of_file(path):
    content = (SAMPLE / path).read_bytes()
    text = (gzip.decompress(content) if path.endswith(".gz") else content).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@lru_cache(maxsize=None)
def rows_of(mart):
    return [row for entry in manifest()["files"] if entry["mart"] == mart
            for row in rows_of_file(entry["path"])]


@lru_cache(maxsize=None)
def prices():
    series = defaultdict(list)
    for row in rows_of("mart_price_daily"):
        series[row["uid"]].append(row)
    return series


@lru_cache(maxsize=None)
def instruments():
    return {row["uid"]: row for row in rows_of("mart_instrument")}


@lru_cache(maxsize=None)
def calendar(market):
    return {row["date"]: row for row in rows_of("mart_calendar") if row["market"] == market}


def open_days(market):
    return [day for day, row in calendar(market).items() if row["is_open"] == "true"]


def key_of(mart, row):
    if mart == "mart_news_article":
        return (int(row["article_id"]),)
    return tuple(row[name] for name in KEYS[mart])


def is_simulated(row):
    return row["source"] == "simulated"


class Files(unittest.TestCase):
    def test_the_manifest_names_every_file_once_with_its_checksum(self):
        self.assertEqual((manifest()["format"], manifest()["name"]), (1, "sample"))
        named = [entry["path"] for entry in manifest()["files"]]
        self.assertEqual(len(named), len(set(named)))
        pages = {"manifest.json", "PROVENANCE.md", "LICENSES.txt"}
        self.assertEqual(set(named) | pages, {path.name for path in SAMPLE.iterdir()})
        for entry in manifest()["files"]:
            stored = (SAMPLE / entry["path"]).read_bytes()
            self.assertEqual(hashlib.sha256(stored).hexdigest(), entry["sha256"], entry["path"])

    def test_the_instruments_are_loaded_first(self):
        self.assertEqual(manifest()["files"][0]["mart"], "mart_instrument")

    def test_the_sample_is_small(self):
        total = sum(path.stat().st_size for path in SAMPLE.iterdir())
        self.assertLessEqual(total, SIZE_LIMIT)

    def test_gzip_headers_hold_neither_name_nor_time(self):
        for path in SAMPLE.glob("*.gz"):
            header = path.read_bytes()[:10]
            self.assertEqual(header[3], 0, path.name)
            self.assertEqual(header[4:8], bytes(4), path.name)

    def test_the_provenance_page_quotes_every_checksum(self):
        page = (SAMPLE / "PROVENANCE.md").read_text(encoding="utf-8")
        self.assertNotIn("{{", page)
        for entry in manifest()["files"]:
            self.assertIn(entry["sha256"], page)


class Rows(unittest.TestCase):
    def test_row_counts_equal_the_manifest(self):
        for entry in manifest()["files"]:
            self.assertEqual(len(rows_of_file(entry["path"])), entry["rows"], entry["path"])

    def test_headers_are_the_agreed_columns_in_order(self):
        for entry in manifest()["files"]:
            header = list(rows_of_file(entry["path"])[0])
            self.assertEqual(header, list(TYPES[entry["mart"]]), entry["path"])

    def test_every_value_has_its_type(self):
        for mart, types in TYPES.items():
            for name, (check, may_be_empty) in types.items():
                for text in {row[name] for row in rows_of(mart)}:
                    good = may_be_empty if text == "" else check(text)
                    self.assertTrue(good, f"{mart}.{name}: {text!r}")

    def test_keys_are_sorted_and_unique(self):
        for entry in manifest()["files"]:
            keys = [key_of(entry["mart"], row) for row in rows_of_file(entry["path"])]
            self.assertTrue(all(a < b for a, b in zip(keys, keys[1:])), entry["path"])
        for mart in TYPES:
            keys = {key_of(mart, row) for row in rows_of(mart)}
            self.assertEqual(len(keys), len(rows_of(mart)), mart)


class Simulation(unittest.TestCase):
    def test_a_simulated_instrument_says_so_in_every_row(self):
        for uid, series in prices().items():
            expected = is_simulated(instruments()[uid])
            self.assertEqual({is_simulated(row) for row in series}, {expected}, uid)
            marks = {bool(int(row["quality"]) & SIMULATED) for row in series}
            self.assertEqual(marks, {expected}, uid)
            if expected:
                self.assertTrue(instruments()[uid]["name"].startswith("SIM "), uid)

    def test_only_us_stocks_funds_levels_rates_and_indicators_are_real(self):
        real = {uid for uid, row in instruments().items() if not is_simulated(row)}
        for uid in real:
            self.assertRegex(uid, r"^(stock:US|etf:US)\.|^(index|commodity):")
        self.assertEqual(sum(uid.startswith("stock:US.") for uid in real), 20)

    def test_every_article_names_itself_as_simulated(self):
        for row in rows_of("mart_news_article"):
            self.assertRegex(row["headline"], r"(?i)simulated|모의")
            self.assertTrue(row["web_url"].startswith("https://example.com/"))
            self.assertEqual(row["pub_date"][:10], row["pub_day"])

    def test_headlines_hold_what_breaks_careless_readers(self):
        headlines = [row["headline"] for row in rows_of("mart_news_article")]
        for needle in (",", '"', "모의"):
            self.assertTrue(any(needle in text for text in headlines), needle)
        for start in ("=", "-"):
            self.assertTrue(any(text.startswith(start) for text in headlines), start)

    def test_the_korean_calendar_is_marked_as_simulated(self):
        self.assertEqual({row["source"] for row in calendar("XKRX").values()}, {"simulated"})

    def test_splits_dividends_halt_delisting_and_round_the_clock_assets_are_there(self):
        korean = {uid: rows for uid, rows in prices().items() if uid.startswith("stock:KRX.")}
        self.assertEqual(len(korean), 8)
        self.assertTrue(any(uid.startswith("stock:KRX.0") for uid in korean))
        ratios = {float(row["split_ratio"]) for rows in korean.values() for row in rows}
        self.assertTrue(any(ratio > 1 for ratio in ratios) and any(ratio < 1 for ratio in ratios))
        paid = [row for rows in korean.values() for row in rows if float(row["dividend"]) > 0]
        self.assertGreater(len(paid), 50)
        self.assertEqual(sum(uid.startswith("etf:KRX.") for uid in prices()), 2)
        self.assertEqual(sum(uid.startswith("bond:SIM.") for uid in prices()), 2)
        coins = [uid for uid in prices() if uid.startswith("coin:")]
        self.assertEqual(len(coins), 2)
        for uid in coins:
            self.assertEqual({date.fromisoformat(row["date"]).weekday() for row in prices()[uid]},
                             set(range(7)))

    def test_the_halt_lasts_weeks_without_volume_or_move(self):
        halted = [row for rows in prices().values() for row in rows
                  if int(row["quality"]) & HALTED]
        self.assertGreaterEqual(len(halted), 15)
        self.assertEqual(len({row["close"] for row in halted}), 1)
        for row in halted:
            self.assertEqual(row["volume"], "0")
            self.assertEqual({row["open"], row["high"], row["low"]}, {row["close"]})

    def test_the_delisted_share_ends_on_its_last_day_with_a_loss(self):
        gone = {uid: row for uid, row in instruments().items() if row["is_active"] == "false"}
        self.assertEqual(instruments()["stock:KRX.900060"]["delisting_return"], "-0.30")
        self.assertIn("stock:KRX.900060", gone)
        for uid, row in gone.items():
            self.assertEqual(prices()[uid][-1]["date"], row["delisted_on"], uid)
        for uid, row in instruments().items():
            self.assertEqual(row["is_active"] == "true", row["delisted_on"] == "", uid)
            self.assertEqual(row["delisted_on"] == "", row["delisting_return"] == "", uid)


class Prices(unittest.TestCase):
    def test_every_instrument_has_prices_in_its_currency(self):
        self.assertEqual(set(prices()), set(instruments()))
        for uid, series in prices().items():
            self.assertEqual({row["currency"] for row in series}, {instruments()[uid]["currency"]})

    def test_prices_are_positive_and_inside_their_range(self):
        for row in rows_of("mart_price_daily"):
            self.assertGreater(float(row["adj_close"]), 0)
            given = [name for name in ("open", "high", "low") if row[name]]
            self.assertIn(len(given), (0, 3))
            if given:
                low, high = float(row["low"]), float(row["high"])
                for name in ("open", "close"):
                    self.assertTrue(low <= float(row[name]) <= high, row)
                self.assertGreater(low, 0)

    def test_columns_follow_the_price_basis(self):
        for uid, series in prices().items():
            basis = instruments()[uid]["price_basis"]
            for row in series:
                if basis == "adjusted":
                    self.assertEqual(row["close"] + row["dividend"] + row["split_ratio"], "")
                    self.assertTrue(int(row["quality"]) & ADJUSTED_ONLY)
                elif basis == "price":
                    self.assertEqual(row["close"], row["adj_close"])
                else:
                    self.assertTrue(row["close"] and row["dividend"] and row["split_ratio"])

    def test_adjusted_closes_follow_from_raw_closes_and_actions(self):
        for uid, series in prices().items():
            if instruments()[uid]["price_basis"] != "raw":
                continue
            self.assertEqual(float(series[-1]["adj_close"]), float(series[-1]["close"]), uid)
            for before, after in zip(series, series[1:]):
                # What one share bought at the close before is worth now, dividend included.
                grown = ((float(after["close"]) + float(after["dividend"]))
                         * float(after["split_ratio"]) / float(before["close"]))
                adjusted = float(after["adj_close"]) / float(before["adj_close"])
                self.assertLess(abs(adjusted / grown - 1), 1e-9, (uid, after["date"]))

    def test_large_moves_of_real_series_are_flagged(self):
        for uid, series in prices().items():
            if is_simulated(instruments()[uid]):
                continue
            for before, after in zip(series, series[1:]):
                move = abs(float(after["adj_close"]) / float(before["adj_close"]) - 1)
                self.assertEqual(move > 0.5, bool(int(after["quality"]) & JUMP), (uid, after))

    def test_universes_chosen_with_hindsight_are_flagged(self):
        for uid, series in prices().items():
            biased = instruments()[uid]["is_survivor_biased"] == "true"
            self.assertEqual(biased, uid.startswith(("stock:US.", "etf:US.")), uid)
            self.assertEqual({bool(int(row["quality"]) & SURVIVOR) for row in series}, {biased})

    def test_the_index_covers_the_readme_example(self):
        days = {row["date"] for row in prices()["index:SPX"]}
        expected = {day for day in open_days("XNYS") if "2000-01-03" <= day <= "2019-12-31"}
        self.assertEqual(expected - days, set())


class Calendars(unittest.TestCase):
    MARKETS = ("24_7", "ECB", "XKRX", "XNYM", "XNYS")

    def test_every_day_of_a_span_has_a_row(self):
        for market in self.MARKETS:
            days = [date.fromisoformat(day) for day in calendar(market)]
            self.assertEqual((days[-1] - days[0]).days + 1, len(days), market)

    def test_neighbours_are_the_nearest_open_days(self):
        for market in self.MARKETS:
            previous = None
            for day, row in calendar(market).items():
                self.assertTrue(row["prev_open"] < day)
                self.assertTrue(row["next_open"] == "" or row["next_open"] > day)
                if previous:
                    self.assertEqual(row["prev_open"], previous, (market, day))
                if row["is_open"] == "true":
                    previous = day
            following = None
            for day, row in reversed(calendar(market).items()):
                if following:
                    self.assertEqual(row["next_open"], following, (market, day))
                if row["is_open"] == "true":
                    following = day

    def test_period_ends_are_the_last_open_days(self):
        periods = {"is_week_end": lambda day: day.isocalendar()[:2],
                   "is_month_end": lambda day: (day.year, day.month),
                   "is_quarter_end": lambda day: (day.year, (day.month - 1) // 3),
                   "is_year_end": lambda day: day.year}
        for market in self.MARKETS:
            for day, row in calendar(market).items():
                if row["is_open"] == "false":
                    self.assertEqual({row[name] for name in periods}, {"false"})
                elif row["next_open"]:
                    here, there = date.fromisoformat(day), date.fromisoformat(row["next_open"])
                    for name, period in periods.items():
                        self.assertEqual(row[name] == "true", period(here) != period(there),
                                         (market, day, name))

    def test_only_open_days_have_a_close(self):
        for row in rows_of("mart_calendar"):
            self.assertEqual(row["is_open"] == "true", row["close_at"] != "")
            self.assertFalse(row["is_half_day"] == "true" and row["is_open"] == "false")
            if row["close_at"]:
                self.assertGreater(row["close_at"], row["date"])

    def test_known_closing_hours(self):
        for market, day, close in (("XNYS", "2001-09-10", "2001-09-10T20:00:00Z"),
                                   ("XNYS", "2022-11-25", "2022-11-25T18:00:00Z"),
                                   ("XNYS", "2020-01-02", "2020-01-02T21:00:00Z"),
                                   ("XKRX", "2020-01-02", "2020-01-02T06:30:00Z"),
                                   ("ECB", "2020-07-01", "2020-07-01T14:00:00Z"),
                                   ("24_7", "2020-01-02", "2020-01-03T00:00:00Z")):
            self.assertEqual(calendar(market)[day]["close_at"], close)
        self.assertEqual(calendar("XNYS")["2001-09-11"]["is_open"], "false")

    def test_prices_exist_on_sessions_only_and_are_known_at_the_close_or_later(self):
        for uid, series in prices().items():
            sessions = calendar(instruments()[uid]["market"])
            for row in series:
                session = sessions[row["date"]]
                self.assertEqual(session["is_open"], "true", (uid, row["date"]))
                self.assertGreaterEqual(row["known_at"], session["close_at"])

    def test_series_have_no_holes_on_sessions(self):
        for uid, series in prices().items():
            first, last = series[0]["date"], series[-1]["date"]
            expected = [day for day in open_days(instruments()[uid]["market"])
                        if first <= day <= last]
            self.assertEqual([row["date"] for row in series], expected, uid)


class Rates(unittest.TestCase):
    def test_rates_are_dated_by_the_banks_calendar(self):
        sessions = calendar("ECB")
        for row in rows_of("mart_fx_daily"):
            self.assertEqual(sessions[row["date"]]["close_at"], row["known_at"])
            self.assertGreater(float(row["rate"]), 0)

    def test_won_and_dollar_have_a_rate_on_every_session(self):
        for quote in ("KRW", "USD"):
            days = [row["date"] for row in rows_of("mart_fx_daily") if row["quote"] == quote]
            self.assertEqual(days, open_days("ECB"), quote)


class Indicators(unittest.TestCase):
    def test_a_value_is_known_after_its_period_on_its_vintage_day(self):
        for row in rows_of("mart_economic_indicator"):
            self.assertGreater(row["known_at"][:10], row["period_end"])
            self.assertEqual(row["known_at"][:10], row["vintage"])
            self.assertEqual(row["period_start"], row["period"] + "-01")

    def test_months_follow_each_other(self):
        series = defaultdict(list)
        for row in rows_of("mart_economic_indicator"):
            year, month = row["period"].split("-")
            series[row["stat_code"]].append(int(year) * 12 + int(month))
        self.assertEqual(set(series), {"AAA", "BAA", "CPILFESL", "FF_HML", "FF_MKT_RF", "FF_RF",
                                       "FF_SMB"})
        for code, months in series.items():
            self.assertEqual(months, list(range(months[0], months[-1] + 1)), code)


if __name__ == "__main__":
    unittest.main()
