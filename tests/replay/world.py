"""
Prices, rates, statistics and articles of a made-up world: every value is a function of a seed, a name and a day, so that any
windows of the same series agree where they overlap, however they are cut, and nothing has to be kept.
"""

import datetime
import hashlib
import math

EPOCH = datetime.date(1970, 1, 1)
KEYS = {"ecos": "ECOSKEY0123456789", "fred": "fredkey0123456789abcdefghijklmnop", "nyt": "NytKeyNytKeyNytKey",
        "datagokr": "data+go/kr==KEY", "krx": "KRXAUTHKEY0123456789", "krx_web": "one-time-code-0123456789"}
STOCKS = ["005930", "000660", "035420", "005380", "051910", "068270", "105560"]
ETFS = ["069500", "102110", "114800", "229200"]


def days(first, last):
    """The dates from first to last, both inclusive."""
    return [first + datetime.timedelta(n) for n in range((last - first).days + 1)]


class World:
    def __init__(self, seed=1):
        self.seed = seed
        self.keys = dict(KEYS)
        self.revised = {}  # (name, date): factor of the prices, changed after the fact
        self.hidden = set()  # (name, date): rows that have not come yet
        self.unknown = set()  # names that the provider does not have
        self.delisted = {}  # name: first date without rows
        self.suspended = set()  # names of Korean stocks and funds that nobody may trade
        self.splits = {}  # (name, date): (numerator, denominator)

    def share(self, *parts):
        """A number in [0, 1) that depends on the seed and the parts alone."""
        text = "\x1f".join(map(str, (self.seed, *parts))).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest(), "big") / 2.0 ** 56

    def has(self, name, day):
        return (name, day) not in self.hidden and day < self.delisted.get(name, datetime.date.max)

    def is_open(self, name, day):
        """Coins trade every day; all else rests on weekends and New Year."""
        return name.endswith("USDT") or (day.weekday() < 5 and (day.month, day.day) != (1, 1))

    def close(self, name, day):
        number = (day - EPOCH).days
        level = 10 ** (1 + 2.5 * self.share(name, "level"))
        wave = 0.2 * math.sin(number / 150 + 6 * self.share(name, "phase"))
        noise = 0.02 * (self.share(name, number) - 0.5)
        return level * math.exp(0.0001 * (number - 18000) + wave + noise) * self.revised.get((name, day), 1)

    def bar(self, name, day):
        """Open, high, low, close and volume of a day, or None where there is none."""
        if not self.is_open(name, day) or not self.has(name, day):
            return None
        close = self.close(name, day)
        opening = close * (1 + 0.01 * (self.share(name, day, "open") - 0.5))
        return {"open": round(opening, 4), "high": round(max(opening, close) * (1 + 0.01 * self.share(name, day, "high")), 4),
                "low": round(min(opening, close) * (1 - 0.01 * self.share(name, day, "low")), 4), "close": round(close, 4),
                "volume": 1000 + int(1e6 * self.share(name, day, "volume"))}

    def bars(self, name, first, last):
        found = ((day, self.bar(name, day)) for day in days(first, last))
        return [(day, bar) for day, bar in found if bar is not None]

    def dividends(self, name, first, last):
        """One on the 15th of every third month, or the Monday after."""
        paid = []
        for day in days(first, last):
            is_first = day.day == 15 and day.weekday() < 5 or day.day in (16, 17) and day.weekday() == 0
            if is_first and day.month % 3 == 0 and self.has(name, day):
                paid.append((day, round(0.1 + self.share(name, day, "dividend"), 2)))
        return paid

    def articles(self, day):
        """Some of a day's articles; the second one has neither byline nor section."""
        made = []
        for i in range(2 + int(3 * self.share(day, "articles"))):
            name = f"nyt://article/{self.seed:08d}-0000-5000-8000-{(day - EPOCH).days:08d}{i:04d}"
            if not self.has(name, day):
                continue
            stamp = f"{day}T{8 + i:02d}:30:00" + ("+0000", "Z", ".000Z")[i % 3]
            made.append({
                "abstract": f"What happened on {day}, \"{i}\".", "web_url": f"https://www.nytimes.com/{day:%Y/%m/%d}/business/{i}.html",
                "headline": {"main": f"Day {day}, item {i}", "kicker": None}, "pub_date": stamp, "_id": name, "uri": name,
                "section_name": None if i == 1 else "Business Day", "byline": None if i == 1 else {"original": "By Jane Roe"},
                "keywords": [{"name": "subject", "value": "Interest Rates", "rank": 1}], "word_count": 100 * i})
        return made
