"""Fills the provenance page: its numbers come from the rows, its words from the template."""

import pathlib

from tables import COLUMNS

TEMPLATE = pathlib.Path(__file__).resolve().parent / "provenance_template.md"
# What one series is called and what dates it, for the table of spans.
SERIES = {
    "mart_price_daily": ("uid", "date"),
    "mart_fx_daily": ("quote", "date"),
    "mart_economic_indicator": ("stat_code", "period"),
    "mart_calendar": ("market", "date"),
    "mart_news_article": ("section", "pub_day"),
}


def file_lines(entries):
    return [f"| `{entry['path']}` | {entry['mart']} | {entry['rows']} | `{entry['sha256']}` |"
            for entry in entries]


def spans(mart, rows):
    """First date, last date and row count of every series of a file."""
    name, when = SERIES[mart]
    found = {}
    for row in rows:
        first, last, count = found.get(row[name], (row[when], row[when], 0))
        found[row[name]] = (min(first, row[when]), max(last, row[when]), count + 1)
    return found


def span_lines(entries, tables):
    return [f"| `{entry['path']}` | {name} | {first} | {last} | {count} |"
            for entry in entries if entry["mart"] in SERIES
            for name, (first, last, count) in sorted(
                spans(entry["mart"], tables[entry["path"]]).items())]


def column_lines(entries):
    marts = list(dict.fromkeys(entry["mart"] for entry in entries))
    return [f"- `{mart}`: {', '.join(COLUMNS[mart])}" for mart in marts]


def provenance_text(entries, tables):
    text = TEMPLATE.read_text(encoding="utf-8")
    text = text.replace("{{files}}", "\n".join(file_lines(entries)))
    text = text.replace("{{spans}}", "\n".join(span_lines(entries, tables)))
    text = text.replace("{{columns}}", "\n".join(column_lines(entries)))
    return text.encode("utf-8")
