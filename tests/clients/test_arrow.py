"""Rows as Apache Arrow, read by its own library, pyarrow: types, nulls, batches and the same values as the other formats."""

import decimal
import unittest

from support import arrow
from support.every_type import EveryType, OnPostgresql, OnSqlite


class Case(EveryType):
    @classmethod
    def setUpClass(cls):
        cls.reader = arrow.Reader()
        super().setUpClass()

    def read(self, query, mart="mart_test_types"):
        answer = self.get(query + "&format=arrow", mart)
        self.assertEqual(answer.header("Content-Type"), "application/vnd.apache.arrow.stream")
        return self.reader.read(answer.body)

    def check(self, found):
        self.assertEqual(found["types"], {"k": "int64", "t": "string", "d": "decimal128(38, 18)", "f": "double", "i": "int64", "b": "bool",
                                          "day": "date32[day]", "at": "timestamp[us, tz=UTC]"})
        for row, source, text in zip(found["rows"], self.rows, self.expected(), strict=True):
            for name in ("k", "t", "i", "b"):
                self.assertEqual(row[name], source[name], name)
            self.assertEqual(row["day"], source["day"])
            self.assertEqual(row["at"] and row["at"].replace(" ", "T").replace("+00:00", "Z"), source["at"])
            self.assertEqual(row["d"] and decimal.Decimal(row["d"]), source["d"] and decimal.Decimal(source["d"]))
            self.assertEqual(row["f"] and float(row["f"]), text["f"] and float(text["f"]))

    def test_arrow_holds_every_type_with_nulls(self):
        self.check(self.read("limit=1000"))
        self.check(self.read("limit=all"))

    def test_arrow_without_rows_has_its_schema(self):
        found = self.read("limit=10", "mart_test_none")
        self.assertEqual((found["rows"], found["types"]["d"]), ([], "decimal128(38, 18)"))

    def test_arrow_gives_numbers_as_text_on_demand(self):
        found = self.read("numbers=string")
        self.assertEqual({found["types"][name] for name in ("k", "d", "f", "i")}, {"string"})
        self.assertEqual([row["d"] for row in found["rows"]], [row["d"] for row in self.expected()])

    def test_many_rows_come_in_batches_and_are_those_of_csv(self):
        found = self.read("select=uid,date,close&limit=20000", "mart_price_daily")
        self.assertEqual(sum(found["batches"]), 20000)
        self.assertEqual(max(found["batches"]), 8192)
        records = self.get("select=uid,date,close&limit=20000&format=csv", "mart_price_daily").rows[1:]
        for row, record in zip(found["rows"], records, strict=True):
            self.assertEqual((row["uid"], row["date"], row["close"] and decimal.Decimal(row["close"])),
                             (record[0], record[1], decimal.Decimal(record[2]) if record[2] else None))

    def test_exports_of_all_formats_hold_the_same_rows(self):
        file = self.assert_ok(self.server.get("/v1/marts/mart_fx_daily/export/1.arrow"))
        found = self.reader.read(file.body, "file")
        records = self.get("limit=all&format=csv", "mart_fx_daily").rows[1:]
        self.assertEqual(len(found["rows"]), len(records))
        self.assertEqual([decimal.Decimal(row["rate"]) for row in found["rows"]], [decimal.Decimal(record[3]) for record in records])
        lines = self.assert_ok(self.server.get("/v1/marts/mart_fx_daily/export/1.ndjson.zst"))
        self.assertEqual(lines.body[:4], b"\x28\xb5\x2f\xfd")


class ArrowOnSqlite(OnSqlite, Case, unittest.TestCase):
    pass


class ArrowOnPostgresql(OnPostgresql, Case, unittest.TestCase):
    pass


if __name__ == "__main__":
    unittest.main()
