"""The stand-in for Redshift (tests/support/redshift): what it loads, refuses and does differently from PostgreSQL."""

import gzip
import json
import unittest

from support import postgres
from support.redshift import Redshift

ROLE = "arn:aws:iam::000000000000:role/loader"


class Objects:
    """A store that lies in memory; tests of ingestion give the stand-in a real S3 server."""

    def __init__(self):
        self.kept = {}

    def put(self, key, data):
        self.kept["lake", key] = data if isinstance(data, bytes) else data.encode()

    def manifest(self, key, *keys, mandatory=True):
        self.put(key, json.dumps({"entries": [{"url": f"s3://lake/{one}", "mandatory": mandatory} for one in keys]}))

    def get(self, bucket, key):
        found = self.kept.get((bucket, key))
        return (404, b"<Error><Code>NoSuchKey</Code></Error>") if found is None else (200, found)

    def list(self, bucket, prefix):
        return sorted(key for where, key in self.kept if where == bucket and key.startswith(prefix))


class StandIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.objects = Objects()
        cls.cluster = Redshift(postgres.empty_database(), {ROLE: cls.objects})
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)

    def sql(self, text):
        """Statements one after the other in one session, as psql sends them."""
        return postgres.sql(self.cluster.url, text).strip()

    def refused(self, text):
        with self.assertRaises(AssertionError) as caught:
            self.sql(text)
        return str(caught.exception)

    def copy(self, table, key, options="CSV"):
        return f"COPY {table} FROM 's3://lake/{key}' IAM_ROLE '{ROLE}' {options};"

    def test_a_manifest_of_packed_objects_is_loaded_and_counted(self):
        self.objects.put("m/a.csv.gz", gzip.compress(b"n,t\n1,one\n2,\"two\nlines\"\n"))
        self.objects.put("m/b.csv.gz", gzip.compress(b"n,t\n3,\n"))
        self.objects.manifest("m/all", "m/a.csv.gz", "m/b.csv.gz")
        found = self.sql("CREATE TABLE loaded (n BIGINT, t VARCHAR(20)) DISTKEY(n) SORTKEY(n);"
                         + self.copy("loaded", "m/all", "CSV GZIP MANIFEST IGNOREHEADER 1 EMPTYASNULL REGION 'us-east-1'")
                         + "SELECT pg_last_copy_count(); SELECT COUNT(*), COUNT(t), SUM(n) FROM loaded;")
        self.assertEqual(found, "3\n3|2|6")

    def test_an_empty_field_is_an_empty_text_unless_asked(self):
        self.objects.put("e.csv", "1,\n,x\n")
        self.assertEqual(self.sql("CREATE TABLE empties (n INT, t VARCHAR(5));" + self.copy("empties", "e.csv")
                                  + "SELECT COUNT(n), COUNT(t) FROM empties;"), "1|2")

    def test_a_bad_row_fails_the_load_and_stays_to_be_read_after_the_rollback(self):
        self.objects.put("bad.csv", "1,a\nx,b\n3,c\n")
        self.sql("CREATE TABLE strict_one (n INT, t VARCHAR(5));")
        self.assertIn("stl_load_errors", self.refused("BEGIN; DELETE FROM strict_one;" + self.copy("strict_one", "bad.csv") + "COMMIT;"))
        self.assertEqual(self.sql("SELECT line_number, raw_line FROM stl_load_errors WHERE tbl = 'strict_one'"), "2|\"x\",\"b\"")
        self.assertEqual(self.sql(self.copy("strict_one", "bad.csv", "CSV MAXERROR 1") + "SELECT COUNT(*) FROM strict_one"), "2")

    def test_a_failed_load_loses_the_whole_transaction(self):
        self.objects.put("bad2.csv", "x\n")
        self.sql("CREATE TABLE kept (n INT); INSERT INTO kept VALUES (1), (2), (3);")
        self.refused("BEGIN; DELETE FROM kept;" + self.copy("kept", "bad2.csv") + "COMMIT;")
        self.assertEqual(self.sql("SELECT COUNT(*) FROM kept"), "3")

    def test_a_stage_of_the_same_transaction_is_loaded(self):
        self.objects.put("s.csv", "7\n8\n")
        self.assertEqual(self.sql("CREATE TABLE target (n INT); BEGIN; CREATE TEMP TABLE stage (LIKE target);" + self.copy("stage", "s.csv")
                                  + "DELETE FROM target USING stage WHERE target.n = stage.n; INSERT INTO target SELECT n FROM stage; COMMIT;"
                                  "SELECT SUM(n) FROM target"), "15")

    def test_text_counts_bytes_and_is_short_by_default(self):
        self.sql("CREATE TABLE words (t VARCHAR, u VARCHAR(6));")
        self.refused("INSERT INTO words (t) VALUES (repeat('x', 257));")
        self.refused("INSERT INTO words (u) VALUES ('한국어');")  # nine bytes
        self.sql("INSERT INTO words VALUES (repeat('x', 256), '한국');")

    def test_keys_are_not_enforced(self):
        self.assertEqual(self.sql("CREATE TABLE keyed (n INT PRIMARY KEY, m INT UNIQUE, FOREIGN KEY (m) REFERENCES keyed (n));"
                                  "INSERT INTO keyed VALUES (1, 1); INSERT INTO keyed VALUES (1, 1); SELECT COUNT(*) FROM keyed"), "2")

    def test_truncate_commits(self):
        self.sql("CREATE TABLE cut (n INT); INSERT INTO cut VALUES (1);")
        self.sql("BEGIN; TRUNCATE cut; ROLLBACK;")
        self.assertEqual(self.sql("SELECT COUNT(*) FROM cut"), "0")

    def test_what_a_cluster_lacks_is_refused(self):
        self.sql("CREATE TABLE plain (n INT, t VARCHAR(10));")
        for text in ("INSERT INTO plain VALUES (1, 'a') ON CONFLICT DO NOTHING", "DELETE FROM plain RETURNING n", "CREATE INDEX i ON plain (n)",
                     "CREATE TABLE s (n SERIAL)", "CREATE TABLE j (n JSONB)", "SELECT ARRAY[1]", "SELECT DISTINCT ON (n) * FROM plain",
                     "SELECT COUNT(*) FILTER (WHERE n > 1) FROM plain", "LISTEN x", "CREATE TABLE d (n DECIMAL(40, 2))",
                     "CREATE TABLE w (t VARCHAR(70000))", "COPY plain FROM STDIN", "SELECT n FROM plain FOR UPDATE"):
            with self.subTest(text):
                self.refused(text + ";")
        self.assertEqual(self.sql("SELECT 'ON CONFLICT [1] returning'"), "ON CONFLICT [1] returning")

    def test_copies_that_a_cluster_would_not_take_are_refused(self):
        self.objects.put("ok.csv", "1\n")
        self.objects.manifest("lost", "no/such.csv")
        self.objects.manifest("maybe", "ok.csv", "no/such.csv", mandatory=False)
        self.sql("CREATE TABLE one (n INT);")
        self.assertIn("not authorized", self.refused("COPY one FROM 's3://lake/ok.csv' IAM_ROLE 'arn:other' CSV;"))
        self.assertIn("does not model", self.refused(self.copy("one", "ok.csv", "CSV FILLRECORD")))
        self.assertIn("mandatory", self.refused(self.copy("one", "lost", "CSV MANIFEST")))
        self.assertIn("does not exist", self.refused(self.copy("one", "nothing/")))
        self.assertIn("does not exist", self.refused(self.copy("none", "ok.csv")))
        self.assertEqual(self.sql(self.copy("one", "maybe", "CSV MANIFEST") + "SELECT COUNT(*) FROM one"), "1")

    def test_faults_are_injected_once(self):
        self.sql("CREATE TABLE faulty (n INT);")
        self.cluster.fail("insert into faulty")
        self.assertIn("1023", self.refused("INSERT INTO faulty VALUES (1);"))
        self.sql("INSERT INTO faulty VALUES (1);")
        self.cluster.cut_after("insert into faulty")
        self.refused("INSERT INTO faulty VALUES (2);")  # the answer is lost, the row is there
        self.assertEqual(self.sql("SELECT COUNT(*) FROM faulty"), "2")

    def test_it_says_that_it_is_an_old_postgresql(self):
        self.assertEqual(self.sql("\\echo :SERVER_VERSION_NAME"), "8.0.2")


if __name__ == "__main__":
    unittest.main()
