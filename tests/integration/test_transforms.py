"""
Observations by transform and frequency against an oracle that works on the calendar, not on numbers of periods: series
of every frequency with holes, through leap years and through weeks that lie in two years.
"""

import datetime
import math
import random
import statistics
import unittest

from support.backend import Postgresql, Sqlite
from support.dataset import Dataset
from support.problems import Assertions

SEED = 20261123
A_YEAR = {"D": 260, "W": 52, "M": 12, "Q": 4, "A": 1}
FIRST, LAST = datetime.date(2018, 12, 31), datetime.date(2021, 3, 12)  # a Monday; a Friday within a month
ONE_DAY = datetime.timedelta(days=1)


def following_month(date, months=1):
    return datetime.date(date.year + (date.month - 1 + months) // 12, (date.month - 1 + months) % 12 + 1, 1)


def periods(frequency):
    """(first, last) of each whole period of the stretch; weeks end on Friday, as the Federal Reserve's weekly series do."""
    if frequency in "DW":
        step = datetime.timedelta(days=1 if frequency == "D" else 7)
        last = FIRST if frequency == "D" else datetime.date(2019, 1, 4)
        while last <= LAST:
            if frequency == "W" or last.weekday() < 5:
                yield last - step + ONE_DAY, last
            last += step
        return
    months, start = 12 // A_YEAR[frequency], datetime.date(2008, 1, 1)
    while following_month(start, months) - ONE_DAY <= LAST:
        yield start, following_month(start, months) - ONE_DAY
        start = following_month(start, months)


def series(frequency):
    """Positive values; some periods have no row, some a row without a value."""
    random.seed(f"{SEED}{frequency}")
    for i, (first, last) in enumerate(periods(frequency)):
        fate = random.random()
        if fate < 0.08 and frequency != "A":
            continue
        value = None if fate < 0.12 and frequency != "A" else round(100 + i + random.uniform(-20, 20), 3)
        yield first, last, value


def row(frequency, first, last, value):
    return {"stat_code": "S", "country_code": "KOR", "frequency": frequency, "period": str(last), "vintage": str(last),
            "stat_name": "Series", "unit": "index", "country_name": "Korea", "period_start": str(first), "period_end": str(last),
            "value": None if value is None else str(value), "is_latest_vintage": "true", "source": "test",
            "known_at": f"{last}T00:00:00Z"}


def year_before(last, frequency):
    if frequency in "DW":
        return last - datetime.timedelta(days=364)
    return datetime.date(last.year - 1, last.month, 1)


def period_before(last, frequency, known):
    """What the period before is called in known; for days, the last one with a value."""
    if frequency == "D":
        return max((one for one, value in known.items() if one < last and value is not None), default=None)
    if frequency == "W":
        return last - datetime.timedelta(days=7)
    return following_month(datetime.date(last.year, last.month, 1), -12 // A_YEAR[frequency])


def transformed(observed, frequency, transform):
    """observed: {last: value}. Months and longer are known by the first day of their last month."""
    known = {last if frequency in "DW" else last.replace(day=1): value for last, value in observed.items()}
    n, result = A_YEAR[frequency], {}
    for last, x in observed.items():
        place = last if frequency in "DW" else last.replace(day=1)
        p, y = known.get(period_before(place, frequency, known)), known.get(year_before(last, frequency))
        needed = {"lin": x, "log": x, "ch1": y, "pc1": y}.get(transform, p)
        result[last] = None if x is None or needed is None else {
            "lin": lambda: x, "log": lambda: math.log(x), "chg": lambda: x - p, "ch1": lambda: x - y, "pch": lambda: (x / p - 1) * 100,
            "pc1": lambda: (x / y - 1) * 100, "pca": lambda: ((x / p) ** n - 1) * 100, "cch": lambda: math.log(x / p) * 100,
            "cca": lambda: math.log(x / p) * 100 * n}[transform]()
    return result


def aggregated(rows, source, target, how):
    """{last day: value} of the complete periods, by docs/resources.md."""
    groups = {}
    for _, last, value in rows:
        year, month = last.year, last.month
        size = 12 // A_YEAR[target]
        groups.setdefault(following_month(datetime.date(year, (month - 1) // size * size + 1, 1), size) - ONE_DAY, []).append(value)
    result, newest = {}, max(groups)
    for end, values in groups.items():
        values = [value for value in values if value is not None]
        whole = A_YEAR[source] // A_YEAR[target]
        if (len(values) < whole) if source in "MQ" else (not values or end == newest):
            continue
        result[end] = {"avg": statistics.fmean, "sum": math.fsum, "eop": lambda part: part[-1]}[how](values)
    return result


class Transforms(Assertions):
    @classmethod
    def setUpClass(cls):
        cls.series = {frequency: list(series(frequency)) for frequency in A_YEAR}
        cls.backend = cls.backend_type(with_sample=False)
        cls.backend.load(Dataset.of(mart_economic_indicator=[row(frequency, *one) for frequency, rows in cls.series.items()
                                                             for one in rows]).folder)
        cls.server = cls.backend.server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def observations(self, frequency, query):
        answer = self.assert_ok(self.server.data.get(f"/v1/indicators/S:KOR:{frequency}/observations?limit=50000&{query}"))
        return {datetime.date.fromisoformat(one["period_end"]): one["value"] for one in answer.json["data"]}

    def assert_same(self, got, wanted):
        self.assertEqual(list(got), list(wanted))
        for last, value in wanted.items():
            if value is None or got[last] is None:
                self.assertEqual(got[last], value, last)
            else:
                self.assertTrue(math.isclose(got[last], value, rel_tol=1e-9, abs_tol=1e-9), (last, got[last], value))

    def test_each_frequency_by_each_transform(self):
        for frequency, rows in self.series.items():
            observed = {last: value for _, last, value in rows}
            for transform in ("lin", "chg", "ch1", "pch", "pc1", "pca", "cch", "cca", "log"):
                wanted = transformed(observed, frequency, transform)
                with self.subTest(frequency=frequency, transform=transform):
                    self.assertGreater(sum(value is not None for value in wanted.values()), 0)
                    self.assert_same(self.observations(frequency, f"transform={transform}"), wanted)

    def test_each_frequency_into_each_longer_one(self):
        for source, target in ((a, b) for a in "DWMQ" for b in "MQA" if A_YEAR[b] < A_YEAR[a]):
            for how in ("avg", "sum", "eop"):
                wanted = aggregated(self.series[source], source, target, how)
                address = f"frequency={target.lower()}&aggregation={how}"
                with self.subTest(source=source, target=target, how=how):
                    self.assert_same(self.observations(source, address), wanted)
                    for transform in ("chg", "pc1", "cca"):
                        self.assert_same(self.observations(source, f"{address}&transform={transform}"),
                                         transformed(wanted, target, transform))

    def test_the_data_has_what_is_hard(self):
        days = {last for _, last, _ in self.series["D"]}
        weeks = [(first, last) for first, last, _ in self.series["W"]]
        self.assertTrue(any(first.year < last.year for first, last in weeks))
        self.assertTrue({year_before(day, "D") for day in days if (day.year, day.month) == (2020, 3)} & days)
        for frequency in "DWMQ":
            every = [last for _, last in periods(frequency)]
            seen = [last for _, last, _ in self.series[frequency]]
            self.assertTrue(set(every[1:-1]) - set(seen), f"no hole within {frequency}")


class OnSqlite(Transforms, unittest.TestCase):
    backend_type = Sqlite


class OnPostgresql(Transforms, unittest.TestCase):
    backend_type = Postgresql


if __name__ == "__main__":
    unittest.main()
