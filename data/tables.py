"""Column lists of the sample's marts and the one way their rows become bytes.

The loader finds columns by the header row, so the lists below are the contract between this
folder and `cmmc load`. Every byte written here depends on the rows alone: no clock, no file
name, no compressor header that changes from run to run.
"""

import csv
import gzip
import hashlib
import io
import json

COLUMNS = {
    "mart_instrument": (
        "uid asset_class symbol name name_local market country currency isin sector industry source"
        " source_symbol quote_unit price_basis is_active delisted_on delisting_return"
        " is_survivor_biased coupon_rate coupons_per_year maturity_date day_count").split(),
    "mart_price_daily": (
        "uid date open high low close adj_close volume dividend split_ratio currency source quality"
        " known_at").split(),
    "mart_fx_daily": "base quote date rate is_cross source is_filled known_at".split(),
    "mart_economic_indicator": (
        "stat_code country_code frequency period vintage stat_name unit country_name period_start"
        " period_end value is_latest_vintage source known_at").split(),
    "mart_calendar": (
        "market date is_open is_half_day prev_open next_open is_week_end is_month_end"
        " is_quarter_end is_year_end close_at source").split(),
    "mart_news_article": (
        "article_id pub_date pub_day section headline abstract byline web_url word_count keywords"
        " source").split(),
}

KEYS = {
    "mart_instrument": ("uid",),
    "mart_price_daily": ("uid", "date"),
    "mart_fx_daily": ("base", "quote", "date"),
    "mart_economic_indicator": ("stat_code", "country_code", "frequency", "period", "vintage"),
    "mart_calendar": ("market", "date"),
    "mart_news_article": ("article_id",),
}

# Bits of mart_price_daily.quality.
ADJUSTED_ONLY = 1
SIMULATED = 2
HALTED = 4
SUSPICIOUS_JUMP = 8
SURVIVOR_BIASED = 16


def flag(value):
    """Booleans are spelled out, so that a reader never has to guess between 0 and empty."""
    return "true" if value else "false"


def key_of(mart, row):
    """The row's key; article ids are compared as numbers, everything else as text."""
    if mart == "mart_news_article":
        return (int(row["article_id"]),)
    return tuple(row[name] for name in KEYS[mart])


def to_csv(mart, rows):
    """Rows (dicts; a missing column is NULL) as RFC 4180 text in key order."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS[mart], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: key_of(mart, row)))
    return out.getvalue().encode("utf-8")


def compress(content):
    """gzip without a name and without a time, so equal content gives equal bytes."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as stream:
        stream.write(content)
    return out.getvalue()


def stored_form(path, content):
    """The bytes as they lie on disk under this file name."""
    return compress(content) if path.endswith(".gz") else content


def plain_form(path, stored):
    """The CSV text of a stored file."""
    return gzip.decompress(stored) if path.endswith(".gz") else stored


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def manifest_text(entries):
    """The manifest the loader reads first: files in load order with their checksums."""
    manifest = {"format": 1, "name": "sample", "files": entries}
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
