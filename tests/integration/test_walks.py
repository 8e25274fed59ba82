"""Ten thousand walks through pages while a new generation is published: each sees the generation it began in, whole."""

import http.client
import itertools
import json
import threading
import unittest

from support import backend
from support.dataset import Dataset
from support.server import IS_SANITIZED

WALKS = 500 if IS_SANITIZED else 10_000
THREADS = 8
ROWS = 120
LIMITS = (25, 30, 40, 50)
ORDERS = ("uid", "uid.desc", "sector", "sector.desc", "sector.desc.nullslast,name", "name.desc")


def instruments(mark, n):
    """Rows that all differ between two publishes: the mark is in every name."""
    return [{"uid": f"stock:T.{i:04}", "asset_class": "stock", "symbol": f"{i:04}", "name": f"{mark} {i * 37 % n:04}",
             "currency": "USD", "sector": None if i % 5 == 0 else f"s{i % 7}", "source": "test", "quote_unit": "price",
             "price_basis": "raw", "is_active": "true", "is_survivor_biased": "false"} for i in range(n)]


class Walker:
    """One keep-alive connection that walks its share, one page of every walk after the other."""

    def __init__(self, port, walks):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.walks, self.failures = walks, []

    def get(self, target):
        self.connection.request("GET", target)
        answer = self.connection.getresponse()
        body = answer.read()
        return answer.status, body

    def first_pages(self):
        for walk in self.walks:
            self.step(walk, f"/v1/marts/mart_instrument/rows?select=uid,name&order={walk['order']}&limit={walk['limit']}")

    def step(self, walk, target):
        status, body = self.get(target)
        if status != 200:
            self.failures.append((status, target, body[:300]))
            walk["next"] = None
            return
        page = json.loads(body)
        walk["generations"].add(page["meta"]["generation"])
        walk["rows"].extend((row["uid"], row["name"]) for row in page["data"])
        walk["next"] = page["links"]["next"]

    def next_pages(self):
        """One more page of every walk that has one; whether there was any."""
        pending = [walk for walk in self.walks if walk["next"]]
        for walk in pending:
            self.step(walk, walk["next"])
        return bool(pending)

    def finish(self):
        while self.next_pages():
            pass
        self.connection.close()


def in_parallel(calls):
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Walks:
    """Run on each database by the classes below."""

    def test_a_publish_in_the_middle_breaks_none(self):
        database = self.database(with_sample=False)
        database.load(Dataset.of(mart_instrument=instruments("old", ROWS)).folder)
        fresh = Dataset.of(mart_instrument=instruments("new", ROWS - 20)).folder
        kinds = itertools.cycle(itertools.product(ORDERS, LIMITS))
        walks = [{"order": order, "limit": limit, "rows": [], "generations": set(), "next": None}
                 for order, limit in itertools.islice(kinds, WALKS)]
        with database.server(refresh_ms=50) as server:
            walkers = [Walker(server.port, walks[i::THREADS]) for i in range(THREADS)]
            in_parallel([walker.first_pages for walker in walkers])
            publisher = threading.Thread(target=database.load, args=(fresh,))
            publisher.start()
            in_parallel([walker.next_pages for walker in walkers])  # while it is published
            publisher.join()
            server.wait_until(lambda: server.get("/v1/marts/mart_instrument/rows?limit=1").json["meta"]["generation"] > 1, "the new generation")
            under_way = sum(walk["next"] is not None for walk in walks)
            in_parallel([walker.finish for walker in walkers])  # after it
            late = server.get("/v1/marts/mart_instrument/rows?select=uid,name&limit=1000").json
        self.assertEqual([failure for walker in walkers for failure in walker.failures], [])
        self.assertEqual(under_way, WALKS)  # every walk has a page before, one meanwhile and one after
        expected = {(row["uid"], row["name"]) for row in instruments("old", ROWS)}
        for walk in walks:
            self.assertEqual(len(walk["generations"]), 1, walk["order"])
            self.assertEqual(len(walk["rows"]), ROWS, walk["order"])
            self.assertEqual(set(walk["rows"]), expected, walk["order"])
        self.assertEqual(sum(row["name"].startswith("new") for row in late["data"]), ROWS - 20)


class OnSqlite(Walks, unittest.TestCase):
    database = backend.Sqlite


class OnPostgresql(Walks, unittest.TestCase):
    database = backend.Postgresql


if __name__ == "__main__":
    unittest.main()
