"""/rest/v1 as @supabase/postgrest-js uses it: each query against the same rows computed here from the sample's files."""

import csv
import gzip
import io
import json
import pathlib
import unittest

from support import backend, packages
from support.server import SAMPLE

HERE = pathlib.Path(__file__).resolve().parent
WRITES = ("insert", "update", "delete")


def rows_of(name):
    data = (SAMPLE / name).read_bytes()
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


class PostgrestClient:
    """Run on each database by the classes below."""

    @classmethod
    def setUpClass(cls):
        folder = packages.node_packages("@supabase/postgrest-js@2.119.1")
        with cls.database().server() as server:
            cls.found = json.loads(packages.run_node(folder, HERE / "postgrest.js", f"http://127.0.0.1:{server.port}"))
        cls.usd = sorted((row for row in rows_of("fx_ecb.csv.gz") if (row["base"], row["quote"]) == ("EUR", "USD")),
                         key=lambda row: row["date"])
        cls.instruments = sorted(rows_of("instruments.csv"), key=lambda row: row["uid"])

    def data(self, name, status=200):
        got = self.found[name]
        self.assertIsNone(got["error"], (name, got))
        self.assertEqual(got["status"], status, (name, got))
        return got["data"]

    def error(self, name, status, code):
        got = self.found[name]
        self.assertEqual((got["status"], got["error"]["code"]), (status, code), (name, got))
        self.assertEqual(set(got["error"]) - {"name"}, {"code", "message", "details", "hint"}, name)
        return got["error"]

    def uids(self, keep, limit=None):
        return [row["uid"] for row in self.instruments if keep(row)][:limit]

    def test_rows_are_a_bare_array_with_every_column(self):
        rows = self.data("all_columns")
        self.assertEqual([row["date"] for row in rows], [row["date"] for row in self.usd[:3]])
        self.assertIn("known_at", rows[0])

    def test_columns_can_be_chosen_and_renamed(self):
        self.assertEqual(self.data("columns_and_alias"),
                         [{"day": row["date"], "rate": float(row["rate"])} for row in self.usd[:-3:-1]])

    def test_comparisons_are_joined_by_and(self):
        expected = [row["date"] for row in self.usd if "2020-01-01" <= row["date"] < "2020-01-10" and row["date"] != "2020-01-03"]
        self.assertTrue(expected)
        self.assertEqual([row["date"] for row in self.data("comparisons")], expected)

    def test_lists_with_commas_inside(self):
        self.assertEqual([row["uid"] for row in self.data("in_list")], ["stock:US.AAPL", "stock:US.JPM"])

    def test_nulls_are_found(self):
        self.assertEqual([row["uid"] for row in self.data("is_null")], self.uids(lambda row: row["sector"] == "", 3))

    def test_negation(self):
        self.assertEqual([row["uid"] for row in self.data("not")],
                         self.uids(lambda row: row["asset_class"] not in ("stock", "etf"), 5))

    def test_trees_of_or_and_and(self):
        self.assertEqual([row["uid"] for row in self.data("or")], self.uids(
            lambda row: row["uid"] == "stock:US.AAPL" or (row["asset_class"] == "index" and row["symbol"] == "SPX")))

    def test_patterns(self):
        self.assertEqual([row["uid"] for row in self.data("like")], self.uids(lambda row: row["uid"].startswith("stock:US.A")))
        self.assertEqual([row["uid"] for row in self.data("ilike")], ["stock:US.AAPL"])

    def test_shorthands(self):
        self.assertEqual(self.data("match"), self.data("filter"))

    def test_words_are_searched(self):
        rows = self.data("text_search")
        self.assertTrue(rows)
        for row in rows:
            self.assertIn("market", row["headline"].lower())

    def test_nulls_go_where_they_are_told(self):
        self.assertTrue(all(row["sector"] is None for row in self.data("nulls_first")))
        self.assertTrue(all(row["sector"] is not None for row in self.data("nulls_last")))

    def test_ranges_come_with_the_exact_count(self):
        self.assertEqual([row["date"] for row in self.data("range", 206)], [row["date"] for row in self.usd[10:20]])
        self.assertEqual(self.found["range"]["count"], len(self.usd))

    def test_counts_come_without_rows(self):
        self.assertEqual(self.found["count_only"]["count"], len(self.usd))
        total = len(rows_of("fx_ecb.csv.gz"))
        for name in ("count_estimated", "count_planned"):
            self.assertGreater(self.found[name]["count"], total * 0.2, name)

    def test_a_range_past_the_end_cannot_be_satisfied(self):
        self.error("past_the_end", 416, "PGRST103")

    def test_one_object_when_there_is_exactly_one(self):
        self.assertEqual(self.data("single"), {"uid": "stock:US.AAPL", "currency": "USD"})
        self.assertIsNone(self.data("maybe_single"))
        self.error("single_of_many", 406, "PGRST116")

    def test_csv(self):
        lines = self.data("csv").split("\n")
        self.assertEqual(lines[0].strip(), "date,rate")
        self.assertEqual(lines[1].strip().split(",")[0], self.usd[0]["date"])

    def test_errors_have_its_shape_and_codes(self):
        self.assertIn("mart_nowhere", self.error("unknown_table", 404, "PGRST205")["message"])
        self.assertIn("rate", self.error("unknown_column", 400, "42703")["hint"])
        self.error("unknown_operator", 400, "PGRST100")
        self.error("bad_value", 400, "22P02")

    def test_writing_is_refused(self):
        for name in WRITES:
            self.assertEqual(self.found[name]["status"], 405, (name, self.found[name]))

    def test_what_is_not_supported_says_so(self):
        self.assertIn("embed", self.error("embedding", 400, "PGRST100")["message"].lower())
        self.assertEqual(self.found["call"]["status"], 404)


class OnSqlite(PostgrestClient, unittest.TestCase):
    database = backend.Sqlite


class OnPostgresql(PostgrestClient, unittest.TestCase):
    database = backend.Postgresql


if __name__ == "__main__":
    unittest.main()
