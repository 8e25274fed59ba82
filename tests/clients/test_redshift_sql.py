"""The warehouse's SQL as Redshift would take it: parsed by a parser of that dialect, and run through the stand-in, unchanged."""

import json
import os
import subprocess
import unittest

from support import packages, postgres
from support.redshift import Redshift
from support.redshift.dialect import split

REQUIREMENTS = ("sqlglot==25.34.1",)
PARSE = """
import json, sys, sqlglot
from sqlglot import expressions
failed, commands, tables = [], [], {}
for sql in json.load(sys.stdin):
    try:
        tree = sqlglot.parse_one(sql, read="redshift", error_level=sqlglot.ErrorLevel.RAISE)
    except sqlglot.errors.SqlglotError as problem:
        failed.append([sql[:200], str(problem)[:200]])
        continue
    if isinstance(tree, expressions.Command):
        commands.append(tree.name.split()[0].upper())
    if isinstance(tree, expressions.Create) and tree.kind == "TABLE":
        tables[tree.this.this.name] = [type(p).__name__ for p in (tree.args.get("properties") or expressions.Properties(expressions=[])).expressions]
json.dump({"failed": failed, "commands": sorted(set(commands)), "tables": tables}, sys.stdout)
"""


def statements(dialect="redshift"):
    text = subprocess.run([os.environ["CMMC_BIN"], "migrate", "--warehouse", dialect], check=True, capture_output=True, text=True).stdout
    return [sql.strip() for sql in _split(text) if sql.strip()]


def _split(text):
    """Statements; what stands between $$ holds none."""
    parts = text.split("$$")
    whole = "".join(part if i % 2 == 0 else "$$" + part.replace(";", "\0") + "$$" for i, part in enumerate(parts))
    return [part.replace("\0", ";") for part in split(whole)]


class Parsed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        python = packages.python_packages(*REQUIREMENTS)
        done = subprocess.run([python, "-c", PARSE], input=json.dumps(statements()), check=True, capture_output=True, text=True)
        cls.found = json.loads(done.stdout)

    def test_every_statement_is_redshift(self):
        self.assertEqual(self.found["failed"], [])
        self.assertLessEqual(set(self.found["commands"]), {"SET", "ANALYZE"})

    def test_facts_are_spread_by_their_instrument_and_sorted_by_day(self):
        for table in ("fact_price", "fact_price_measure", "mart_price_panel"):
            self.assertEqual(self.found["tables"][table], ["DistKeyProperty", "SortKeyProperty"], table)
        self.assertEqual(self.found["tables"]["dim_instrument"], ["DistStyleProperty"])

    def test_nothing_leans_on_what_redshift_lacks(self):
        for sql in statements():
            for word in ("ON CONFLICT", "RETURNING", "CREATE INDEX", "COLLATE", "SERIAL", "{{"):
                self.assertNotIn(word, sql)


    def test_another_dialect_is_refused_with_those_that_there_are(self):
        done = subprocess.run([os.environ["CMMC_BIN"], "migrate", "--warehouse", "oracle"], capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("sqlite, postgresql or redshift", done.stderr)


class Run(unittest.TestCase):
    def test_tables_and_models_run_through_the_stand_in(self):
        with Redshift(postgres.empty_database(), {}) as cluster:
            postgres.sql(cluster.url, "CREATE SCHEMA silver; CREATE SCHEMA gold; CREATE SCHEMA staging")
            text = "SET search_path TO silver, gold, staging;\n" + "".join(sql + ";\n" for sql in statements())
            postgres.sql(cluster.url, text)
            self.assertIn("mart_news_keyword_daily", " ".join(cluster.statements))


if __name__ == "__main__":
    unittest.main()
