"""The lake in a folder and on a real S3 server (Ceph), by the same tests; and the S3 server with something wrong in between."""

import concurrent.futures
import datetime
import gzip
import hashlib
import pathlib
import ssl
import subprocess
import time
import unittest

from support import s3
from support.ceph import ceph
from support.s3_proxy import FaultProxy
from support.server import BIN, environment, run, scratch_folder
from support.swift import swift
from test_redis_tls import Issuer

DONE, FAILED, USAGE, CONFIG = 0, 1, 2, 78
KEY = "bronze/coin_data/ymd=2024-02-29/raw-20240301T000102Z-0123456789abcdef.json"
META = {"fetched-at": "2024-03-01T00:01:02Z", "http-status": "200", "source-url": "https://example.org/a?key=***", "schema-hash": "abc"}


def sha256(body):
    return hashlib.sha256(body).hexdigest()


class Folder:
    def __init__(self):
        self.folder = pathlib.Path(scratch_folder("lake"))
        self.environment = environment(lake=self.folder)

    def put(self, key, body, of=None):
        """Past the program; of: the bytes whose hash it claims to have."""
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        lines = {"sha256": sha256(body if of is None else of), "bytes": len(body), **META}
        (path.parent / f".{path.name}.meta").write_text("".join(f"{name}: {value}\n" for name, value in lines.items()))

    def address(self, key):
        return f"{self.folder}/{key}"


class Bucket:
    def __init__(self, server, through=None):
        self.endpoint = server.endpoint
        self.client = s3.client(server)
        self.bucket = s3.bucket(server)
        self.environment = {**environment(lake=f"s3://{self.bucket}/a/b=c", s3_endpoint=(through or server).endpoint),
                            **s3.login(server.key, server.secret)}

    def put(self, key, body, of=None):
        self.client.put_object(Bucket=self.bucket, Key=f"a/b=c/{key}", Body=body,
                               Metadata={"sha256": sha256(body if of is None else of), **META})

    def address(self, key):
        return f"s3://{self.bucket}/a/b=c/{key}"


def run_unit_tests(test, server, endpoint, only="*"):
    """The lake's own tests in C, on a server, by an address that leads to it."""
    program = BIN.parent / "tests" / "unit" / "test_lake"
    if not program.exists():
        test.skipTest("the unit tests are not built")
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=300, check=False,
                          env={**environment(), "CMMC_TEST_S3": endpoint, "CMMC_TEST_S3_KEY": server.key, "CMMC_TEST_S3_SECRET": server.secret,
                               "CMMC_TEST_ONLY": only})
    test.assertEqual(done.returncode, 0, done.stdout + done.stderr)
    test.assertRegex(done.stderr + done.stdout, r"PASSED *\] [1-9]")


class Commands:
    """What `cmmc lake` says of a lake whose objects others put there."""

    def lake(self, *arguments):
        return run("lake", *arguments, env=self.place.environment)

    def expect(self, output, *arguments):
        done = self.lake(*arguments)
        self.assertEqual((done.returncode, done.stdout), (DONE, output), done.stderr)

    def expect_failure(self, text, *arguments):
        done = self.lake(*arguments)
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""), done.stderr)
        self.assertIn(text, done.stderr)

    def test_objects_are_listed_by_prefix_and_day(self):
        keys = ["bronze/coin_data/ymd=2024-02-29/b.csv", "bronze/coin_data/ymd=2024-03-01/a-1_x.json", "bronze/fred/ymd=2024-02-29/c.csv"]
        for key in keys:
            self.place.put(key, b"12345")
        self.place.put("elsewhere/x", b"1")
        lines = [f"           5 {key}\n" for key in keys]
        self.expect("".join(lines), "ls")
        self.expect("".join(lines[:2]), "ls", "bronze/coin")
        self.expect(lines[0], "ls", "bronze/coin", "--to", "2024-02-29")
        self.expect(lines[1], "ls", "--from", "2024-03-01")
        self.expect("", "ls", "silver")

    def test_an_object_is_read_with_what_is_known_of_it(self):
        body = bytes(range(256)) * 3
        self.place.put(KEY, body)
        done = subprocess.run([str(BIN), "lake", "cat", KEY], capture_output=True, env=self.place.environment, check=True)
        self.assertEqual(done.stdout, body)
        self.expect(f"address      {self.place.address(KEY)}\nbytes        768\nsha256       {sha256(body)}\n"
                    "fetched_at   2024-03-01T00:01:02Z\nsource_url   https://example.org/a?key=***\nhttp_status  200\nschema_hash  abc\n",
                    "stat", KEY)

    def test_what_is_not_there_is_an_error(self):
        self.place.put(KEY, b"x")
        self.expect_failure("The lake has no such object.", "cat", KEY.replace("29", "28"))
        self.expect_failure("The lake has no such object.", "stat", KEY.replace("29", "28"))
        self.expect_failure("This is not the key of an object", "cat", "bronze/../etc/ymd=2024-02-29/passwd")

    def test_objects_that_are_not_as_stored_are_found(self):
        self.place.put(KEY, b"first")
        other, cut = KEY.replace("29", "27"), KEY.replace("29", "28")
        self.expect("1 object, 5 bytes, 0 bad\n", "verify")
        self.place.put(other, b"First", of=b"first")
        self.place.put(cut, b"fir", of=b"first")
        done = self.lake("verify", "bronze/coin_data/")
        self.assertEqual(done.returncode, FAILED)
        self.assertRegex(done.stdout, rf"(?s)^bad {other}: The object's bytes are .*bad {cut}: .*\n3 objects, 13 bytes, 2 bad\n$")
        self.assertEqual(self.lake("cat", other).returncode, FAILED)

    def test_wrong_arguments_are_named(self):
        for arguments, said in ((["ls", "--from", "2024-02-30"], '--from takes a day as YYYY-MM-DD, and not "2024-02-30"'), (["ls", "a", "b"], 'unexpected argument "b"'),
                                (["cat", KEY, "--from", "2024-02-29"], 'unexpected argument "--from"'), (["tidy", "--hours", "-1"], '--hours takes 0 to 1000000 hours, and not "-1"')):
            done = self.lake(*arguments)
            self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
            self.assertIn(said, done.stderr)
        self.assertIn("a key is missing", self.lake("cat").stderr)


class InFolder(Commands, unittest.TestCase):
    def setUp(self):
        self.place = Folder()

    def test_a_lake_that_was_never_written_to_is_empty(self):
        self.expect("", "ls")
        self.expect("0 unfinished writes removed\n", "tidy")

    def test_other_addresses_are_refused(self):
        done = run("lake", "ls", env=environment(lake="gs://bucket/lake"))
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("allowed: a folder, or s3://bucket/prefix", done.stderr)


class OnServer(Commands):
    """What any server of S3 has to do."""

    def setUp(self):
        self.server = self.get_server()
        self.place = Bucket(self.server)

    def with_settings(self, *arguments, **changes):
        return run("lake", *arguments, env={**self.place.environment, **changes})

    def test_listings_go_over_pages_of_a_thousand(self):
        keys = [f"bronze/coin_data/ymd=2024-{1 + i // 310:02}-{1 + i % 310 // 11:02}/{i:04}.csv" for i in range(1234)]
        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda key: self.place.put(key, b"x"), keys))
        self.assertEqual([line.split()[1] for line in self.lake("ls").stdout.splitlines()], sorted(keys))
        self.assertEqual(len(self.lake("ls", "--from", "2024-04-01").stdout.splitlines()), 1234 - 930)

    def test_wrong_keys_are_a_clear_error_without_the_secret(self):
        for changes in (s3.login(self.server.key, "not-the-secret"), s3.login("NOBODY", "not-the-secret")):
            done = self.with_settings("ls", **changes)
            self.assertEqual((done.returncode, done.stdout), (CONFIG, ""))
            self.assertRegex(done.stderr, r"The service s3 refused with 403 (SignatureDoesNotMatch|InvalidAccessKeyId|AccessDenied)")
            self.assertIn("allowed: a key that the service knows, its secret", done.stderr)
            self.assertNotIn("not-the-secret", done.stderr)
            self.assertIn("refused with 403", self.with_settings("stat", KEY, **changes).stderr)

    def test_no_keys_at_all_say_where_they_are_looked_for(self):
        done = self.with_settings("ls", AWS_ACCESS_KEY_ID="")
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("No keys for S3 were found.", done.stderr)
        self.assertIn("allowed: AWS_ACCESS_KEY_ID", done.stderr)

    def test_keys_come_from_a_profile_of_the_shared_file(self):
        path = pathlib.Path(scratch_folder("aws")) / "credentials"
        path.write_text(f"[default]\naws_access_key_id = NOBODY\naws_secret_access_key = x\n"
                        f"[lake]\naws_access_key_id={self.server.key}\naws_secret_access_key={self.server.secret}\n")
        self.place.put(KEY, b"x")
        for changes in ({"CMMC_AWS_PROFILE": "lake"}, {"AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": "lake"}):
            done = self.with_settings("ls", AWS_SHARED_CREDENTIALS_FILE=str(path), **changes)
            self.assertEqual((done.returncode, done.stdout), (DONE, f"           1 {KEY}\n"), done.stderr)
        done = self.with_settings("ls", AWS_SHARED_CREDENTIALS_FILE=str(path), CMMC_AWS_PROFILE="other")
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("no such profile", done.stderr)

    def test_a_bucket_that_is_not_there_is_a_wrong_setting(self):
        done = self.with_settings("ls", CMMC_LAKE="s3://nobody-has-this/x")
        self.assertEqual((done.returncode, done.stdout), (CONFIG, ""))
        self.assertIn("NoSuchBucket", done.stderr)

    def test_a_server_that_is_not_there_is_an_error(self):
        done = self.with_settings("ls", CMMC_S3_ENDPOINT="http://127.0.0.1:1")
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertIn("127.0.0.1", done.stderr)

    def test_what_a_killed_writer_left_is_tidied_up(self):
        self.place.client.create_multipart_upload(Bucket=self.place.bucket, Key=f"a/b=c/{KEY}")
        self.expect("0 unfinished writes removed\n", "tidy")
        while (said := self.lake("tidy", "--hours", "0").stdout) == "0 unfinished writes removed\n":
            time.sleep(0.2)  # until the second in which it began is over
        self.assertEqual(said, "1 unfinished write removed\n")


class OnCeph(OnServer, unittest.TestCase):
    @staticmethod
    def get_server():
        return ceph()

    def test_the_bucket_may_be_named_in_the_host(self):
        self.place.put(KEY, b"x")
        done = self.with_settings("verify", CMMC_S3_STYLE="virtual", CMMC_S3_ENDPOINT=self.place.endpoint.replace("127.0.0.1", "localhost"))
        self.assertEqual((done.returncode, done.stdout), (DONE, "1 object, 1 byte, 0 bad\n"), done.stderr)


class OnSwift(OnServer, unittest.TestCase):
    @staticmethod
    def get_server():
        return swift()

    def test_objects_are_written_once_in_one_piece_and_in_parts(self):
        run_unit_tests(self, self.server, self.server.endpoint, only="a*")

    def test_a_wrong_region_is_a_clear_error(self):
        done = self.with_settings("ls", CMMC_AWS_REGION="eu-west-1")
        self.assertEqual((done.returncode, done.stdout), (CONFIG, ""))
        self.assertIn("AuthorizationHeaderMalformed", done.stderr)


class InTrouble(Commands, unittest.TestCase):
    """Through a proxy that checks each request as botocore signs it, and makes trouble."""

    @classmethod
    def setUpClass(cls):
        cls.proxy = FaultProxy(ceph())
        cls.addClassCleanup(cls.proxy.stop)

    def setUp(self):
        self.place = Bucket(ceph(), self.proxy)
        self.proxy.forget()
        self.proxy.complaints.clear()
        self.addCleanup(lambda: self.assertEqual(self.proxy.complaints, []))

    def statuses(self):
        return [seen.status for seen in self.proxy.seen]

    def test_the_lakes_own_tests_send_nothing_that_aws_would_refuse(self):
        run_unit_tests(self, ceph(), self.proxy.endpoint)
        sent = {(seen.method, "uploadId" in seen.query, "x-amz-checksum-sha256" in seen.headers) for seen in self.proxy.seen}
        self.assertLessEqual({("PUT", False, True), ("PUT", True, True), ("POST", True, False), ("GET", False, False)}, sent)

    def test_a_server_that_is_too_busy_is_asked_again(self):
        self.place.put(KEY, b"x")
        self.proxy.fail("answer", status=503, code="SlowDown", times=2)
        self.expect(f"           1 {KEY}\n", "ls")
        self.assertEqual(self.statuses(), [503, 503, 200])
        self.proxy.forget()
        self.proxy.fail("answer", status=500, code="InternalError", method="GET", has=KEY.split("/")[-1])
        self.expect("1 object, 1 byte, 0 bad\n", "verify")
        self.assertEqual(self.statuses(), [200, 500, 200])

    def test_a_server_that_stays_too_busy_is_given_up(self):
        self.proxy.fail("answer", times=100)
        done = self.lake("ls")
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertIn("answered 503 SlowDown at try 5", done.stderr)
        self.assertEqual(self.statuses(), [503] * 5)

    def test_a_refusal_is_not_asked_again(self):
        self.proxy.fail("answer", status=403, code="AccessDenied")
        done = self.lake("ls")
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("403 AccessDenied", done.stderr)
        self.assertEqual(self.statuses(), [403])

    def test_a_listing_that_breaks_off_is_asked_again(self):
        self.place.put(KEY, b"x")
        for kind in ("reset", "cut", "lost"):
            self.proxy.forget()
            self.proxy.fail(kind, after=40)
            self.expect(f"           1 {KEY}\n", "ls")
            self.assertEqual(len(self.proxy.seen), 2)

    def test_a_body_that_breaks_off_is_continued_where_it_broke(self):
        body = bytes(range(251)) * 4000
        self.place.put(KEY, body)
        for kind in ("reset", "cut"):
            self.proxy.forget()
            self.proxy.fail(kind, method="GET", after=300_000)
            self.proxy.fail(kind, method="GET", after=400_000)
            done = subprocess.run([str(BIN), "lake", "cat", KEY], capture_output=True, env=self.place.environment, check=False)
            self.assertEqual((done.returncode, done.stdout == body), (DONE, True), done.stderr)
            ranges = [seen.headers.get("Range") for seen in self.proxy.seen if seen.method == "GET"]
            self.assertEqual((len(ranges), ranges[0]), (3, None))
            self.assertTrue(all(text.startswith("bytes=") for text in ranges[1:]), ranges)

    def test_a_damaged_body_is_found(self):
        body = bytes(range(251)) * 4000
        self.place.put(KEY, body)
        self.proxy.fail("corrupt", method="GET", after=500_000)
        done = subprocess.run([str(BIN), "lake", "cat", KEY], capture_output=True, text=False, env=self.place.environment, check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn(b"not those that were stored", done.stderr)
        self.expect(f"1 object, {len(body)} bytes, 0 bad\n", "verify")

    def test_a_slow_body_is_waited_for(self):
        self.place.put(KEY, bytes(20000))
        self.proxy.fail("drip", method="GET", has=KEY.split("/")[-1])
        self.expect("1 object, 20000 bytes, 0 bad\n", "verify")

    def test_a_wrong_clock_is_corrected_once(self):
        self.place.put(KEY, b"x")
        self.proxy.fail("answer", status=403, code="RequestTimeTooSkewed")
        self.expect(f"           1 {KEY}\n", "ls")
        self.proxy.fail("answer", status=403, code="RequestTimeTooSkewed", times=9)
        done = self.lake("ls")
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("RequestTimeTooSkewed", done.stderr)

    def test_writes_in_trouble_end_with_one_whole_object(self):
        for number, how in enumerate(({"kind": "answer", "status": 503}, {"kind": "answer", "status": 409, "code": "ConditionalRequestConflict"},
                                      {"kind": "answer", "status": 500, "code": "InternalError", "times": 3}, {"kind": "lost"}, {"kind": "spoil"})):
            with self.subTest(how):
                body = gzip.compress(f"base,quote,date,rate,source,fetched_at,raw_key\nEUR,KRW,2024-02-29,{number},test,2024-03-01T00:00:00Z,raw\n".encode(), mtime=0)
                self.place.put(f"bronze/set{number}/ymd=2024-02-29/rows-20240301T000000Z-0123456789abcdef.csv.gz", body)
                self.proxy.forget()
                self.proxy.fail(method="PUT", **how)
                done = self.lake("compact", f"bronze/set{number}")
                self.assertEqual(done.returncode, DONE, done.stderr)
                self.assertIn("1 object written", done.stderr)
                self.assertGreaterEqual(len([seen for seen in self.proxy.seen if seen.method == "PUT"]), 2)
                listed = self.place.client.list_objects_v2(Bucket=self.place.bucket, Prefix=f"a/b=c/silver/set{number}/")["Contents"]
                stored = self.place.client.get_object(Bucket=self.place.bucket, Key=listed[0]["Key"])
                self.assertEqual((len(listed), gzip.decompress(stored["Body"].read())), (1, gzip.decompress(body)))

    def test_uploads_in_parts_in_trouble_end_with_one_whole_object(self):
        for how in ({"kind": "inside", "method": "POST", "has": "uploadId=", "code": "InternalError"}, {"kind": "lost", "method": "POST", "has": "uploadId="},
                    {"kind": "lost", "method": "PUT", "has": "partNumber=2"}, {"kind": "answer", "method": "PUT", "has": "partNumber=", "times": 2},
                    {"kind": "spoil", "method": "PUT", "has": "partNumber=3"}, {"kind": "answer", "method": "POST", "has": "uploads="}):
            with self.subTest(how):
                self.proxy.forget()
                self.proxy.fail(**how)
                run_unit_tests(self, ceph(), self.proxy.endpoint, only="a_long*")
                self.assertEqual(self.proxy.faults[0].times, 0)

    def test_days_that_are_not_asked_for_cost_two_requests(self):
        days = [datetime.date(2021, 1, 1) + datetime.timedelta(i) for i in range(1500)]
        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda day: self.place.put(f"bronze/coin_data/ymd={day}/a.csv", b"x"), days))
        for options, n in ((["--from", days[-2]], 2), (["--to", days[1]], 2), (["--from", days[1200], "--to", days[1201]], 2), ([], 1500)):
            self.proxy.forget()
            done = self.lake("ls", *options, "bronze/coin_data/ymd=")
            self.assertEqual((len(done.stdout.splitlines()), len(self.proxy.seen)), (n, 2), options)


class OverTls(unittest.TestCase):
    def test_a_server_is_believed_by_its_certificate(self):
        folder = pathlib.Path(scratch_folder("tls"))
        authority, other = Issuer(folder, "ours"), Issuer(folder, "others")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("server", "IP:127.0.0.1"))
        proxy = FaultProxy(ceph(), context)
        self.addCleanup(proxy.stop)
        place = Bucket(ceph(), proxy)
        place.put(KEY, b"x")
        done = run("lake", "verify", env={**place.environment, "CMMC_AWS_CA_FILE": str(authority.cert)})
        self.assertEqual((done.returncode, done.stdout), (DONE, "1 object, 1 byte, 0 bad\n"), done.stderr)
        self.assertEqual(proxy.complaints, [])
        proxy.forget()
        for changes in ({"CMMC_AWS_CA_FILE": str(other.cert)}, {}, {"CMMC_AWS_CA_FILE": str(authority.cert), "CMMC_S3_ENDPOINT":
                                                                    proxy.endpoint.replace("127.0.0.1", "localhost")}):
            done = run("lake", "ls", env={**place.environment, **changes})
            self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
            self.assertIn("certificate", done.stderr)
        self.assertEqual(proxy.seen, [])


if __name__ == "__main__":
    unittest.main()
