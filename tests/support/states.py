"""What a set-up holds after ingestion, as rows to be compared with those of another or of another time."""

import csv
import fnmatch
import gzip
import pathlib
import shutil
import sqlite3

from support import postgres, s3
from support.ceph import ceph
from support.redshift import Redshift
from support.server import scratch_folder

# Rows are compared but for when and in which load they came.
TIMES = {"known_at", "published_at", "fetched_at", "loaded_at", "finished_at", "load_id", "changed_at", "raw_key", "gen_from", "gen_to"}


class SqliteState:
    """Serving database and warehouse as files of var_dir."""

    def __init__(self, var_dir):
        self.settings = {"var_dir": var_dir}

    def copy(self):
        folder = scratch_folder("var")
        shutil.copytree(self.settings["var_dir"], folder, dirs_exist_ok=True)
        return type(self)(folder)

    def drop(self):
        shutil.rmtree(self.settings["var_dir"])

    def rows(self, database, table):
        connection = sqlite3.connect(pathlib.Path(self.settings["var_dir"]) / f"{database}.db")
        try:
            cursor = connection.execute(f"SELECT * FROM {table}")
            kept = [i for i, column in enumerate(cursor.description) if column[0] not in TIMES]
            return sorted(repr([row[i] for i in kept]) for row in cursor)
        finally:
            connection.close()

    def objects(self, folder):
        """Name and bytes of each object of rows, in order."""
        paths = sorted((pathlib.Path(self.settings["var_dir"]) / "lake" / "bronze").glob(f"{folder}*/ymd=*/rows-*.csv.gz"))
        return [(path, path.read_bytes()) for path in paths]

    def lake(self, folder):
        """The newest row of each key of the lake, as anyone would read it."""
        found = {}
        for path, packed in self.objects(folder):
            for row in csv.DictReader(gzip.decompress(packed).decode().splitlines(keepends=True)):
                key = pathlib.PurePath(path).parent.parent.name, row["date"], row["symbol"], row.get("kind")
                if found.get(key, {"fetched_at": ""})["fetched_at"] <= row["fetched_at"]:
                    found[key] = row
        return {key: {name: value for name, value in row.items() if name not in TIMES} for key, row in found.items()}


class PostgresqlState(SqliteState):
    """Both in databases of a PostgreSQL; the lake stays in var_dir."""

    def __init__(self, var_dir, serving=None, warehouse=None):
        self.settings = {"var_dir": var_dir, "database_url": serving or postgres.empty_database(), "warehouse_url": warehouse or postgres.empty_database()}

    def copy(self):
        folder = scratch_folder("var")
        shutil.copytree(self.settings["var_dir"], folder, dirs_exist_ok=True)
        return type(self)(folder, postgres.copy_database(self.settings["database_url"]), postgres.copy_database(self.settings["warehouse_url"]))

    def drop(self):
        super().drop()
        postgres.drop_database(self.settings["database_url"])
        postgres.drop_database(self.settings["warehouse_url"])

    def rows(self, database, table):
        url = self.settings["database_url" if database == "cmmc" else "warehouse_url"]
        path = "" if database == "cmmc" else "SET search_path = gold, silver, staging, public;"
        dropped = " ".join(f"- '{name}'" for name in sorted(TIMES))
        return sorted(postgres.sql(url, f"{path} SELECT to_jsonb(t) {dropped} FROM {table} t").splitlines())


class S3State(SqliteState):
    """Files, with the lake in a bucket of Ceph; whoever uses it has s3.login in the environment."""

    def __init__(self, var_dir, bucket=None):
        self.bucket = bucket or s3.bucket(ceph())
        self.settings = {"var_dir": var_dir, "lake": f"s3://{self.bucket}/lake", "s3_endpoint": ceph().endpoint}

    def keys(self):
        pages = s3.client(ceph()).get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return sorted(one["Key"] for page in pages for one in page.get("Contents", []))

    def copy_lake(self):
        bucket = s3.bucket(ceph())
        for key in self.keys():
            s3.client(ceph()).copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": self.bucket, "Key": key})
        return bucket

    def copy(self):
        folder = scratch_folder("var")
        shutil.copytree(self.settings["var_dir"], folder, dirs_exist_ok=True)
        return type(self)(folder, self.copy_lake())

    def drop(self):
        super().drop()
        s3.drop_bucket(ceph(), self.bucket)

    def objects(self, folder):
        keys = [key for key in self.keys() if fnmatch.fnmatch(key, f"lake/bronze/{folder}*/ymd=*/rows-*.csv.gz")]
        return [(key, s3.client(ceph()).get_object(Bucket=self.bucket, Key=key)["Body"].read()) for key in keys]


class Bucket:
    """How the stand-in for Redshift reads objects: from the real S3 server, with its own login."""

    def __init__(self, server):
        self.client = s3.client(server)

    def get(self, bucket, key):
        try:
            return 200, self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return 404, b"<Error><Code>NoSuchKey</Code></Error>"

    def list(self, bucket, prefix):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return sorted(one["Key"] for page in pages for one in page.get("Contents", []))


class RedshiftState(S3State):
    """The lake in a bucket, the warehouse in the stand-in for Redshift, the serving database in PostgreSQL."""

    ROLE = "arn:aws:iam::000000000000:role/loader"
    clusters = []

    def __init__(self, var_dir, bucket=None, serving=None, warehouse=None):
        super().__init__(var_dir, bucket)
        self.warehouse = warehouse or postgres.empty_database()
        self.cluster = Redshift(self.warehouse, {self.ROLE: Bucket(ceph())}).__enter__()
        self.clusters.append(self.cluster)
        self.settings |= {"database_url": serving or postgres.empty_database(), "redshift_role": self.ROLE,
                          "warehouse_url": self.cluster.url.replace("postgresql://", "redshift://")}

    @classmethod
    def leave(cls):
        while cls.clusters:
            cls.clusters.pop().__exit__(None, None, None)

    def copy(self):
        folder = scratch_folder("var")
        shutil.copytree(self.settings["var_dir"], folder, dirs_exist_ok=True)
        return type(self)(folder, self.copy_lake(), postgres.copy_database(self.settings["database_url"]), postgres.copy_database(self.warehouse))

    def drop(self):
        super().drop()
        self.clusters.remove(self.cluster)
        self.cluster.__exit__(None, None, None)
        postgres.drop_database(self.settings["database_url"])
        postgres.drop_database(self.warehouse)

    def rows(self, database, table):
        url = self.settings["database_url"] if database == "cmmc" else self.warehouse
        path = "" if database == "cmmc" else "SET search_path = gold, silver, staging, public;"
        dropped = " ".join(f"- '{name}'" for name in sorted(TIMES))
        return sorted(postgres.sql(url, f"{path} SELECT to_jsonb(t) {dropped} FROM {table} t").splitlines())
