"""Prices in pages while data is published, and lists of instruments as long as they may be; on both databases."""

import datetime
import unittest

from support.backend import Postgresql, Sqlite
from support.dataset import Dataset
from support.problems import Assertions

MANY = 2001
LONG = ("stock:W.0000", "stock:W.0001")  # these two have a bar on each of DAYS, the others one bar
DAYS = 300
WIDE_CELLS = 500_000


def uid(i):
    return f"stock:W.{i:04}"


def dates():
    first = datetime.date(2020, 1, 1)
    return [str(first + datetime.timedelta(days=i)) for i in range(DAYS)]


def close(i, day, version):
    return 100 + i % 97 + day % 13 + 1000 * version


def dataset(version, n=MANY):
    bars, instruments = [], []
    for i in range(n):
        instruments.append({"uid": uid(i), "asset_class": "stock", "symbol": f"W{i}", "name": uid(i), "name_local": None,
                            "market": "24_7", "country": "US", "currency": "USD", "isin": None, "sector": None, "industry": None,
                            "source": "test", "source_symbol": None, "quote_unit": "price", "price_basis": "raw",
                            "is_active": "true", "delisted_on": None, "delisting_return": None, "is_survivor_biased": "false"})
        for day, date in enumerate(dates()):
            if i >= len(LONG) and day != i % DAYS:
                continue
            text = str(close(i, day, version))
            bars.append({"uid": uid(i), "date": date, "open": text, "high": text, "low": text, "close": text, "adj_close": text,
                         "volume": "10", "dividend": None, "split_ratio": None, "currency": "USD", "source": "test", "quality": "0",
                         "known_at": f"{date}T21:00:00Z"})
    fx = [{"base": "EUR", "quote": "USD", "date": "2020-01-02", "rate": str(1 + version), "is_cross": "false", "source": "test",
           "is_filled": "false", "known_at": "2020-01-02T15:00:00Z"}]
    return Dataset.of(mart_instrument=instruments, mart_price_daily=bars, mart_fx_daily=fx)


class Walks(Assertions):
    """Each publish changes every price."""

    def setUp(self):
        self.backend = self.backend_type(with_sample=False)
        self.backend.load(dataset(0, 10).folder)
        self.server = self.backend.server(refresh_ms=50).start()
        self.addCleanup(self.server.stop)

    def publish(self, version, **settings):
        before = self.generation()
        self.backend.load(dataset(version, 10).folder, **settings)
        self.server.wait_until(lambda: self.generation() > before, "the new generation")

    def generation(self):
        return self.server.data.get("/v1/marts").json["meta"]["generation"]

    def begun(self):
        """First pages of walks, and what reads the rows of one as (uid, date, close)."""
        def by_row(rows):
            return [(row["uid"], row["date"], row["close"]) for row in rows]

        def by_cell(rows):
            return [(one, row["date"], row[one]) for one in LONG for row in rows]

        long = f"/v1/prices?instruments={','.join(LONG)}"
        targets = {f"{long}&limit=97": by_row, f"{long}&limit=19&order=date.desc&interval=1w": by_row,
                   f"{long}&layout=wide&limit=41": by_cell, f"{long}&layout=wide&limit=41&order=date.desc": by_cell,
                   f"/v1/instruments/{LONG[0]}/prices?limit=41&adjust=all": by_row, "/v1/prices/latest?limit=3": by_row}
        walks = []
        for target, read in targets.items():
            page = self.assert_ok(self.server.data.get(target)).json
            self.assertIsNotNone(page["links"]["next"], target)
            walks.append({"target": target, "pages": [page], "read": read})
        return walks

    def go_on(self, walk):
        while walk["pages"][-1]["links"]["next"] is not None:
            walk["pages"].append(self.assert_ok(self.server.data.get(walk["pages"][-1]["links"]["next"])).json)
        return [row for page in walk["pages"] for row in walk["read"](page["data"])]

    def test_a_publish_in_mid_walk_is_not_seen_by_later_pages(self):
        whole = {walk["target"]: self.go_on(walk) for walk in self.begun()}
        walks = self.begun()
        self.publish(1)
        for walk in walks:
            with self.subTest(walk["target"]):
                rows = self.go_on(walk)
                self.assertEqual(sorted(rows), sorted(whole[walk["target"]]))
                self.assertEqual(len({page["meta"]["generation"] for page in walk["pages"]}), 1)
                self.assertTrue(all(price < 1000 for _, _, price in rows))
        for walk in self.begun():
            rows = self.go_on(walk)
            self.assertEqual(len(rows), len(whole[walk["target"]]))
            self.assertTrue(all(price > 1000 for _, _, price in rows), walk["target"])

    def test_a_walk_whose_generation_is_gone_is_410(self):
        walks = self.begun()
        generation = walks[0]["pages"][0]["meta"]["generation"]
        self.publish(1, generations_kept=1)
        self.publish(2, generations_kept=1)
        for walk in walks:
            with self.subTest(walk["target"]):
                self.assert_problem(self.server.data.get(walk["pages"][0]["links"]["next"]), "generation-retired", about="cursor",
                                    allowed=" to ")
                self.assert_problem(self.server.data.get(f"{walk['target']}&generation={generation}"), "generation-retired",
                                    about="generation")
        query = {"instruments": list(LONG), "generation": str(generation)}
        self.assert_problem(self.server.data.post("/v1/prices:query", query), "generation-retired", about="/generation")


class Lists(Assertions):
    """Many instruments, asked by a body."""

    @classmethod
    def setUpClass(cls):
        cls.backend = cls.backend_type(with_sample=False)
        cls.backend.load(dataset(0).folder)
        cls.server = cls.backend.server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def ask(self, query, target="/v1/prices:query", **headers):
        return self.server.data.post(target, query, **headers)

    def walk(self, query):
        """All rows: each page's next takes the same body again."""
        target, rows, pages = "/v1/prices:query", [], 0
        while target is not None:
            page = self.assert_ok(self.ask(query, target)).json
            rows += page["data"]
            target, pages = page["links"]["next"], pages + 1
        return rows, pages

    def test_a_list_that_is_too_long_for_an_address_walks_by_its_body(self):
        for n in (201, 2000):
            uids = [uid(i) for i in range(n)]
            wanted = [(one, date, close(i, day, 0)) for i, one in enumerate(uids) for day, date in enumerate(dates())
                      if i < len(LONG) or day == i % DAYS]
            answer = self.assert_ok(self.ask({"instruments": uids, "limit": 50}))
            self.assertIsNone(answer.header("Content-Location"))
            self.assertTrue(answer.json["links"]["next"].startswith("/v1/prices:query?"), answer)
            rows, pages = self.walk({"instruments": uids, "limit": 500, "fields": ["uid", "date", "close"]})
            self.assertEqual([(row["uid"], row["date"], row["close"]) for row in rows], wanted)
            self.assertEqual(pages, -(-len(wanted) // 500))

    def test_a_cursor_is_of_its_body(self):
        query = {"instruments": [uid(i) for i in range(201)], "limit": 50}
        following = self.assert_ok(self.ask(query)).json["links"]["next"]
        self.assert_problem(self.ask({**query, "limit": 51}, following), "cursor-mismatch", about="cursor")
        self.assert_problem(self.ask({**query, "instruments": query["instruments"][:-1]}, following), "cursor-mismatch",
                            about="cursor")

    def test_a_longer_list_is_refused(self):
        uids = [uid(i) for i in range(MANY)]
        self.assert_problem(self.ask({"instruments": uids}), "bad-value", about="/instruments", allowed="2000")
        self.assert_problem(self.server.data.get("/v1/prices?instruments=" + ",".join(uids[:201])), "bad-value",
                            about="instruments", allowed="200")

    def test_wide_pages_are_limited_by_their_cells(self):
        for n in (2, 201, 2000):
            uids = [uid(i) for i in range(n)]
            most = min(50_000, WIDE_CELLS // n)
            query = {"instruments": uids, "layout": "wide", "limit": most}
            self.assert_problem(self.ask({**query, "limit": most + 1}), "bad-value", about="/limit", allowed=str(most))
            rows, pages = self.walk(query)
            self.assertEqual(pages, -(-DAYS // most))
            self.assertEqual([row["date"] for row in rows], dates())
            for day, row in enumerate(rows):
                self.assertEqual(len(row), 1 + n)
                got = {one: price for one, price in row.items() if price is not None and one != "date"}
                self.assertEqual(got, {uid(i): close(i, day, 0) for i in range(n) if i < len(LONG) or day == i % DAYS})

    def test_conditions_are_for_reading_and_ignored_with_a_body(self):
        for n in (3, 201):
            query = {"instruments": [uid(i) for i in range(n)]}
            first = self.assert_ok(self.ask(query))
            for tag in (first.header("ETag"), "*"):
                again = self.assert_ok(self.ask(query, if_none_match=tag))
                self.assertEqual(again.json["data"], first.json["data"])
        address = self.ask({"instruments": [uid(0)]}).header("Content-Location")
        tag = self.assert_ok(self.server.data.get(address)).header("ETag")
        self.assertEqual(self.server.data.get(address, if_none_match=tag).status, 304)


class WalksOnSqlite(Walks, unittest.TestCase):
    backend_type = Sqlite


class WalksOnPostgresql(Walks, unittest.TestCase):
    backend_type = Postgresql


class ListsOnSqlite(Lists, unittest.TestCase):
    backend_type = Sqlite


class ListsOnPostgresql(Lists, unittest.TestCase):
    backend_type = Postgresql


if __name__ == "__main__":
    unittest.main()
