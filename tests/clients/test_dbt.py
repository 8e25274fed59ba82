"""Marts that dbt builds, by the real dbt-core and dbt-postgres, beside a server that runs meanwhile and is never restarted."""

import csv
import io
import os
import pathlib
import subprocess
import unittest
import urllib.parse

from support import backend, packages, postgres
from support.server import scratch_folder

REQUIREMENTS = ("dbt-core==1.9.11", "dbt-postgres==1.9.1")
DAYS = 120
SYMBOLS = ("AAA", "BBB", "CCC")

FILES = {
    "dbt_project.yml": """
name: desk
version: "1.0"
config-version: 2
profile: desk
model-paths: [models]
seed-paths: [seeds]
models:
  desk:
    +persist_docs: {relation: true, columns: true}
""",
    "models/mart_spread.sql": """
{{ config(materialized="table") }}
select symbol::text as symbol, day::date as day, (high - low)::numeric(12, 4) as spread,
       nullif(remark, '')::text as remark
from {{ ref("quote") }}
""",
    "models/mart_spread_mean.sql": """
{{ config(materialized="view") }}
select symbol, avg(spread) as mean_spread, count(*) as n_days from {{ ref("mart_spread") }} group by symbol
""",
    "models/schema.yml": """
version: 2
models:
  - name: mart_spread
    description: Daily range of each symbol, made by the desk.
    config:
      contract: {enforced: true}
    constraints:
      - type: primary_key
        columns: [symbol, day]
    columns:
      - name: symbol
        description: What is quoted
        data_type: text
        constraints: [{type: not_null}]
        data_tests: [not_null]
      - name: day
        description: Trading day
        data_type: date
        constraints: [{type: not_null}]
        data_tests: [not_null]
      - name: spread
        description: High less low
        data_type: numeric(12, 4)
        data_tests: [not_null]
      - name: remark
        data_type: text
  - name: mart_spread_mean
    description: Mean range of each symbol.
    columns:
      - name: symbol
        data_tests: [unique, not_null]
""",
}


class Project:
    """A dbt project against one database."""

    def __init__(self, url):
        python = packages.python_packages(*REQUIREMENTS)
        self.dbt = str(pathlib.Path(python).parent / "dbt")
        self.folder = pathlib.Path(scratch_folder("dbt"))
        parts = urllib.parse.urlsplit(url)
        profile = (f"desk:\n  target: t\n  outputs:\n    t: {{type: postgres, host: {parts.hostname}, port: {parts.port}, "
                   f"user: {parts.username}, password: none, dbname: {parts.path[1:]}, schema: public, threads: 2}}\n")
        for path, text in {**FILES, "profiles.yml": profile}.items():
            self.write(path, text)

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def change(self, path, old, new):
        text = (self.folder / path).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new))

    def seed(self, factor):
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["symbol", "day", "high", "low", "remark"])
        for s, symbol in enumerate(SYMBOLS):
            for day in range(DAYS):
                month, date = divmod(day, 28)
                writer.writerow([symbol, f"2024-{month + 1:02}-{date + 1:02}", f"{10 + s + factor * 0.25:.2f}", 10 + s,
                                 'a "quoted", remark' if day == 0 else ""])
        self.write("seeds/quote.csv", out.getvalue())

    def run(self, *arguments):
        environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
        done = subprocess.run([self.dbt, *arguments, "--project-dir", ".", "--profiles-dir", "."], cwd=self.folder,
                              env=environment, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise AssertionError(f"dbt {' '.join(arguments)} failed\n{done.stdout[-4000:]}\n{done.stderr[-1000:]}")
        return done.stdout


class MartsOfDbt(unittest.TestCase):
    """One story, in order: built, served, changed, dropped."""

    @classmethod
    def setUpClass(cls):
        cls.backend = backend.Postgresql(with_sample=False)
        cls.url = cls.backend.settings["database_url"]
        cls.project = Project(cls.url)
        cls.server = cls.backend.server(refresh_ms=60000).start()  # the clock alone would be too late
        cls.addClassCleanup(cls.server.stop)

    def rows(self, target):
        answer = self.server.data.get(target)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json["data"]

    def reload(self):
        postgres.sql(self.url, "NOTIFY cmmc_reload")

    def wait_for(self, condition, what):
        self.server.wait_until(condition, what, timeout=5)

    def marts(self):
        return {mart["name"]: mart for mart in self.server.data.get("/v1/marts").json["data"]}

    def walk(self, target):
        found = []
        while target:
            body = self.server.data.get(target).json
            found += body["data"]
            target = body["links"].get("next")
        return found

    def test_a_model_is_built_served_changed_and_dropped_without_a_restart(self):
        self.assertEqual(self.server.data.get("/v1/marts/mart_spread/rows").status, 404)
        self.project.seed(factor=1)
        self.project.run("build")
        self.reload()
        self.wait_for(lambda: {"mart_spread", "mart_spread_mean"} <= set(self.marts()), "dbt's models in the catalogue")
        with self.subTest("descriptions, types and constraints are in the catalogue"):
            mart = self.server.data.get("/v1/marts/mart_spread").json["data"]
            self.assertEqual(mart["description"], "Daily range of each symbol, made by the desk.")
            self.assertFalse(mart["is_managed"])
            columns = {column["name"]: column for column in mart["columns"]}
            self.assertEqual(columns["spread"]["description"], "High less low")
            self.assertEqual(columns["spread"]["json_type"], "number")
            self.assertEqual([columns[name]["is_key"] for name in ("symbol", "day", "spread")], [True, True, False])
            self.assertEqual([columns[name]["is_nullable"] for name in ("symbol", "day", "remark")], [False, False, True])
            self.assertEqual(self.marts()["mart_spread_mean"]["description"], "Mean range of each symbol.")
        with self.subTest("rows are filtered, ordered and exact"):
            self.assertEqual(self.rows("/v1/marts/mart_spread/rows?symbol=eq.BBB&day=lte.2024-01-02"),
                             [{"symbol": "BBB", "day": "2024-01-01", "spread": 0.25, "remark": 'a "quoted", remark'},
                              {"symbol": "BBB", "day": "2024-01-02", "spread": 0.25, "remark": None}])
            self.assertIn('"spread":0.25,', self.server.data.get("/v1/marts/mart_spread/rows?limit=1").text.replace(" ", ""))
            self.assertEqual(self.rows("/v1/marts/mart_spread_mean/rows?order=symbol.desc&limit=1"),
                             [{"symbol": "CCC", "mean_spread": 0.25, "n_days": DAYS}])
        with self.subTest("pages have every row once"):
            seen = [(row["symbol"], row["day"]) for row in self.walk("/v1/marts/mart_spread/rows?limit=50")]
            self.assertEqual(len(seen), DAYS * len(SYMBOLS))
            self.assertEqual(seen, sorted(set(seen)))
        with self.subTest("rows are counted"):
            body = self.server.data.get("/v1/marts/mart_spread/rows?symbol=eq.AAA&count=exact&limit=1").json
            self.assertEqual(body["meta"]["count"], DAYS)
        with self.subTest("CSV"):
            answer = self.server.data.get("/v1/marts/mart_spread/rows?format=csv&day=eq.2024-01-01")
            self.assertEqual(answer.text, 'symbol,day,spread,remark\r\n' + "".join(
                f'{symbol},2024-01-01,0.25,"a ""quoted"", remark"\r\n' for symbol in SYMBOLS))
        self.change_and_drop()

    def change_and_drop(self):
        self.project.seed(factor=2)
        self.project.change("models/mart_spread.sql", " as remark", " as remark, ((high + low) / 2)::numeric as middle")
        self.project.change("models/schema.yml", "      - name: remark\n        data_type: text\n",
                            "      - name: remark\n        data_type: text\n"
                            "      - name: middle\n        description: Half way\n        data_type: numeric\n")
        self.project.run("build", "--full-refresh")
        with self.subTest("changed data are served at once, even before the catalogue knows the new column"):
            self.assertEqual(self.rows("/v1/marts/mart_spread/rows?symbol=eq.AAA&limit=1")[0]["spread"], 0.5)
        self.reload()
        with self.subTest("the new column is served"):
            self.wait_for(lambda: "middle" in self.rows("/v1/marts/mart_spread/rows?limit=1")[0], "the new column")
            self.assertEqual(self.rows("/v1/marts/mart_spread/rows?symbol=eq.AAA&limit=1&select=middle"), [{"middle": 10.25}])
        with self.subTest("a changed description alone is noticed"):
            self.project.change("models/schema.yml", "made by the desk", "by the desk")
            self.project.run("run")
            self.reload()
            self.wait_for(lambda: self.marts()["mart_spread"]["description"] == "Daily range of each symbol, by the desk.",
                          "the new description")
        with self.subTest("a dropped mart is gone"):
            postgres.sql(self.url, "DROP TABLE mart_spread CASCADE; NOTIFY cmmc_reload")
            self.wait_for(lambda: not {"mart_spread", "mart_spread_mean"} & set(self.marts()), "dropped marts to go")
            self.assertEqual(self.server.data.get("/v1/marts/mart_spread/rows").status, 404)
            self.assertEqual(self.server.data.get("/v1/marts/mart_spread_mean").status, 404)


if __name__ == "__main__":
    unittest.main()
