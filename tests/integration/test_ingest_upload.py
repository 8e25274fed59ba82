"""Rows of one's own by POST, in the place of a data set's providers: into the lake, and by a job to the marts."""

import unittest

from support.backend import Postgresql, Sqlite
from support.keys import bearer, make_key
from support.problems import Assertions

TABLE = "date,symbol,close,currency,name\r\n2024-12-02,AAPL,239.59,USD,\"Apple, Inc.\"\r\n2024-12-03,AAPL,242.65,USD,\"Apple, Inc.\"\r\n"


class UploadTests(Assertions):
    """Mixed into unittest.TestCase beside one of the two databases."""

    backend_type = None

    def setUp(self):
        self.backend = self.backend_type()
        self.admin = bearer(make_key("read,backtest,admin", **self.backend.settings))

    def upload(self, server, dataset, table, **headers):
        return server.post(f"/v1/admin/uploads/{dataset}", table.encode(), **{"Content-Type": "text/csv", **self.admin, **headers})

    def test_rows_reach_the_marts_by_the_job_that_is_named(self):
        with self.backend.server() as server:
            answer = self.upload(server, "us_stock", TABLE)
            self.assertEqual(answer.status, 201, answer)
            self.assertEqual(answer.json, {"dataset": "us_stock", "rows": 2, "rejected": 0, "objects": 3, "objects_skipped": 0, "note": None, "job": {
                "dataset": "us_stock", "from": "2024-12-02", "to": "2024-12-03", "stages": ["silver", "gold", "publish"]}})
            again = self.upload(server, "us_stock", TABLE).json
            self.assertEqual((again["rows"], again["objects_skipped"]), (2, 2))
            path = server.post("/v1/admin/jobs", answer.json["job"], **self.admin).header("Location")
            server.wait_until(lambda: server.get(path, **self.admin).json["data"]["state"] in ("succeeded", "failed"), "the job ends", timeout=60)
            self.assertEqual(server.get(path, **self.admin).json["data"]["state"], "succeeded", server.get(f"{path}/log", **self.admin).text)
            address = "/v1/instruments/stock:US.AAPL/prices?from=2024-12-01&to=2024-12-05"
            wanted = [("2024-12-02", 239.59), ("2024-12-03", 242.65)]
            server.wait_until(lambda: [(row["date"], float(row["close"])) for row in server.get(address).json.get("data", [])] == wanted,
                              "the prices are served")

    def test_rows_that_cannot_be_read_are_told_and_the_rest_is_kept(self):
        with self.backend.server() as server:
            answer = self.upload(server, "us_stock", TABLE + "2024-12-04,AAPL,much,USD,x\r\n").json
            self.assertEqual((answer["rows"], answer["rejected"], answer["note"]), (2, 1, "Rows are refused, the first for bad-number of close: much"))
            for end in ("\r\n", "\n\n", "  \r\n\r\n"):
                self.assertEqual((self.upload(server, "us_stock", TABLE + end).json["rows"], end), (2, end))
            header, *rows = TABLE.splitlines(keepends=True)
            problem = self.assert_problem(self.upload(server, "us_stock", header + "\r\n" + "".join(rows)), "bad-data")
            self.assertIn("Line 2: The line is empty", problem["detail"])
            nothing = self.upload(server, "us_stock", "date,symbol,close\r\nx,AAPL,1\r\n").json
            self.assertEqual((nothing["rows"], nothing["rejected"], nothing["job"]), (0, 1, None))

    def test_what_is_no_table_of_the_data_set_is_refused(self):
        with self.backend.server() as server:
            for table in ("", "date,symbol\r\n2024-12-02,AAPL\r\n", "date,symbol,close,closing\r\n2024-12-02,AAPL,1,1\r\n",
                          "date,symbol,close\r\n2024-12-02,AAPL\r\n", '"date'):
                with self.subTest(table=table):
                    self.assert_problem(self.upload(server, "us_stock", table), "bad-data")
            self.assert_problem(self.upload(server, "nothing", TABLE), "not-found", allowed="/v1/admin/job-types")
            self.assert_problem(self.upload(server, "us_stock", TABLE, **{"Content-Type": "application/json"}), "unsupported-media-type",
                                about="Content-Type", allowed="text/csv")
            self.assert_problem(server.post("/v1/admin/uploads/us_stock", TABLE.encode(), **{"Content-Type": "text/csv"}), "unauthorized")
            self.assert_problem(self.upload(server, "us_stock?x=1", TABLE), "unknown-parameter", about="x")


class OnSqlite(UploadTests, unittest.TestCase):
    backend_type = Sqlite


class OnPostgresql(UploadTests, unittest.TestCase):
    backend_type = Postgresql


if __name__ == "__main__":
    unittest.main()
