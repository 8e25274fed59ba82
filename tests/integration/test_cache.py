"""The caches of answers: in the process, in Redis, and what happens to answers when Redis misbehaves (nothing)."""

import concurrent.futures
import datetime
import email.utils
import gzip
import re
import socket
import subprocess
import time
import unittest

from support.problems import Assertions
from support.backend import Postgresql, Sqlite
from support.dataset import Dataset
from support.keys import bearer, make_key
from support.postgres import hold, sql
from support.redis import Proxy, Redis
from support.server import SLOW, run

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ROWS = "/v1/marts/mart_price_daily/rows?uid=eq.stock:US.AAPL&limit=40"
NEWS = "/v1/marts/mart_news_article/rows?limit=5&order=article_id"


class Case(Assertions):
    backend_type = Postgresql
    settings = {"refresh_ms": 100}

    @classmethod
    def setUpClass(cls):
        cls.backend = cls.backend_type()
        cls.admin = bearer(make_key(**cls.backend.settings))
        cls.prepare()
        cls.server = cls.start_server()

    @classmethod
    def prepare(cls):
        """Before the server starts."""

    @classmethod
    def start_server(cls, **settings):
        return cls.backend.server(**{"anonymous_read": "on", "rate_anonymous": 0, **cls.settings, **settings}).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def get(self, target, **headers):
        return self.server.get(target, **headers)

    def state(self, server=None):
        return (server or self.server).get("/v1/admin/cache", **self.admin).json["data"]

    def metric(self, name, server=None):
        text = (server or self.server).ops.get("/metrics").text
        found = re.findall(r"^cmmc_" + re.escape(name) + r" ([0-9.e+]+)$", text, re.M)
        return float(found[0]) if found else 0.0

    def queries(self, *servers):
        """How often requests took a database connection, which each query does once."""
        return sum(self.metric("pg_wait_seconds_count", server) for server in servers or [self.server])

    def together(self, n, target, servers=None):
        servers = servers or [self.server]
        with concurrent.futures.ThreadPoolExecutor(n) as pool:
            return list(pool.map(lambda i: servers[i % len(servers)].get(target), range(n)))

    def publish(self, edit, path="news_simulated.csv.gz", server=None):
        dataset = Dataset.copy_of_mart(path)
        dataset.change(path, edit)
        output = self.backend.load(dataset.folder)
        generation = int(re.search(r"generation (\d+)", output)[1])
        server = server or self.server
        server.wait_until(lambda: server.get("/v1/marts").json["meta"]["generation"] == generation, "the new generation")
        return generation


class InProcess(Case, unittest.TestCase):
    def test_the_second_answer_is_the_first_one_kept(self):
        """The in-process cache; Cache-Status and Server-Timing say so."""
        target = ROWS + "&select=date,close"
        first, second = self.assert_ok(self.get(target)), self.assert_ok(self.get(target))
        self.assertEqual(first.header("Cache-Status"), "cmmc-l1; fwd=miss; stored")
        self.assertEqual(second.header("Cache-Status"), "cmmc-l1; hit")
        self.assertEqual(first.body, second.body)
        for name in ("Content-Type", "ETag", "Cache-Control", "Vary", "Link", "Last-Modified"):
            self.assertEqual(first.header(name), second.header(name), name)
        traced = self.get(target, traceparent=TRACEPARENT)
        self.assertIn('cache;desc="l1"', traced.header("Server-Timing"))

    def raw(self, head, server=None):
        """The status line and headers, and the body, of the answer to these very bytes; Date and X-Request-Id left out."""
        with socket.create_connection(("127.0.0.1", (server or self.server).port), timeout=10 * SLOW) as connection:
            connection.sendall(head.encode())
            received = b""
            while chunk := connection.recv(1 << 16):
                received += chunk
        lines, _, body = received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").partition(b"\r\n\r\n")
        own = (b"date:", b"x-request-id:", b"server-timing:")
        return [line for line in lines.split(b"\r\n") if not line.lower().startswith(own)], body

    def recalls(self, server=None):
        return self.metric('cache_requests_total{level="head",outcome="hit"}', server)

    def test_a_head_is_recalled_word_for_word_and_no_other(self):
        """Nothing of a head that was answered before is looked at again: every byte of it has to be the same."""
        target = ROWS + "&select=date,uid,close&offset=3"
        tag = self.assert_ok(self.get(target)).header("ETag")
        page = "Host: x\r\nConnection: close\r\n"
        recalled = ((f"GET {target} HTTP/1.1\r\n{page}", 200), (f"GET {target} HTTP/1.0\r\n{page}", 200), (f"HEAD {target} HTTP/1.1\r\n{page}", 200),
                    (f"GET {target} HTTP/1.1\r\n{page}If-None-Match: {tag}\r\n", 304), (f"GET {target} HTTP/1.1\r\n{page}Accept: text/csv\r\n", 200),
                    (f"GET {target} HTTP/1.1\r\n{page}Accept-Encoding: gzip\r\n", 200), (f"GET {target}&x=1 HTTP/1.1\r\n{page}", 400))
        others = ((f"GET {target} HTTP/1.1\r\n{page}Host: x\r\n", 400), (f"GET {target} HTTP/1.1\r\nHost: x y\r\nConnection: close\r\n", 400),
                  (f"GET {target} HTTP/1.1\r\nConnection: close\r\n", 400), (f"GET {target} HTTP/1.1\r\n{page}X-Request-Id: mine\r\n", 200),
                  (f"GET {target} HTTP/1.1\r\n{page}traceparent: {TRACEPARENT}\r\n", 200), (f"GET {target} HTTP/1.1\r\n{page}Authorization: Bearer no\r\n", 401),
                  (f"GET {target} HTTP/1.1\r\n{page}Expect: 100-continue\r\n", 200), (f"GET {target} HTTP/1.1\r\n{page}Prefer: return=minimal\r\n", 200),
                  (f"get {target} HTTP/1.1\r\n{page}", 501), (f"POST {target} HTTP/1.1\r\n{page}Content-Length: 0\r\n", 405))
        for head, status in recalled + others:
            with self.subTest(head):
                answers = [self.raw(head + "\r\n") for _ in range(4)]  # made, from the cache, from the front, recalled
                before = self.recalls()
                answers.append(self.raw(head + "\r\n"))
                self.assertEqual(self.recalls() - before, (head, status) in recalled and status != 400)
                self.assertIn(b" %d " % status, answers[0][0][0])
                self.assertEqual({lines[0] for lines, _ in answers}, {answers[0][0][0]})
                if status < 400:
                    self.assertEqual(answers[-1], answers[-2])
                    self.assertEqual({body for _, body in answers}, {answers[0][1]})

    def test_a_recalled_head_forgets_what_was_purged(self):
        head = f"GET {ROWS}&select=date&offset=5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for _ in range(4):
            _, body = self.raw(head)
        before = self.recalls()
        self.raw(head)
        self.assertEqual(self.recalls(), before + 1)
        self.assert_ok(self.server.post("/v1/admin/cache/purge", {}, **self.admin))
        lines, again = self.raw(head)
        self.assertIn(b"Cache-Status: cmmc-l1; fwd=miss; stored", lines)
        self.assertEqual(again, body)

    def rapid(self, head, n=60, server=None):
        """The answers to the same bytes n times in a row on one connection, so by one thread: (lines, body) of each, but for the time."""
        with socket.create_connection(("127.0.0.1", (server or self.server).port), timeout=10 * SLOW) as connection:
            connection.sendall((head * (n - 1) + head.replace("Host: x", "Host: x\r\nConnection: close")).encode())
            received = b""
            while chunk := connection.recv(1 << 16):
                received += chunk
        answers = []
        while received:
            lines, _, received = received.partition(b"\r\n\r\n")
            lines = lines.split(b"\r\n")
            has_body = (head.startswith("GET") and b" 304 " not in lines[0]) or b" 40" in lines[0] or b" 429 " in lines[0]
            length = int(next(line for line in lines if line.lower().startswith(b"content-length:")).split(b":")[1]) if has_body else 0
            answers.append((lines, received[:length]))
            received = received[length:]
        self.assertEqual(len(answers), n)
        return answers

    def test_a_head_again_and_again_in_one_second(self):
        """Checks 32, 35, 37 and 43: ready answers of this second have what all others have, one Date, and the caller's own encoding."""
        target = ROWS + "&select=date,close&offset=7"
        tag = self.assert_ok(self.get(target)).header("ETag")
        gone = '"g1-0000000000000000"'
        own = (b"date:", b"x-request-id:", b"server-timing:", b"connection:", b"cache-status:")
        for start, status in ((f"GET {target} HTTP/1.1\r\nHost: x\r\n", 200), (f"HEAD {target} HTTP/1.1\r\nHost: x\r\n", 200),
                              (f"GET {target} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n", 304),
                              (f"HEAD {target} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n", 304),
                              (f"GET {target} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {gone}\r\n", 200),
                              (f"GET {target} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n", 200),
                              (f"GET {target} HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\n", 200)):
            with self.subTest(start):
                before, hits, since = self.recalls(), self.metric('cache_requests_total{level="l1",outcome="hit"}'), int(time.time())
                answers = self.rapid(start + "\r\n")
                bare = [[lines[0], *sorted(line for line in lines[1:] if not line.lower().startswith(own))] for lines, _ in answers]
                self.assertEqual([lines for lines in bare if lines != bare[0]], [])
                self.assertIn(b" %d " % status, bare[0][0])
                self.assertEqual({body for _, body in answers}, {answers[0][1]})
                names = [line.partition(b":")[0].lower() for line in answers[-2][0][1:]]
                self.assertEqual(len(names), len(set(names)))
                for lines, _ in answers:
                    dates = [line.partition(b":")[2].decode() for line in lines if line.startswith(b"Date:")]
                    self.assertEqual(len(dates), 1)
                    self.assertTrue(since - 1 <= email.utils.parsedate_to_datetime(dates[0]).timestamp() <= time.time() + 1, dates)
                self.assertEqual(self.state()["head"]["hits"], self.recalls())
                self.assertGreaterEqual(self.recalls() - before, 50)  # the first few, and the last with its other head, are not
                if status == 200:
                    self.assertGreaterEqual(self.metric('cache_requests_total{level="l1",outcome="hit"}') - hits, 50)

    def test_ready_answers_of_this_second_end_with_a_purge(self):
        """Each purge is seen by the very next request on every connection, whatever was ready."""
        head = f"GET {ROWS}&select=date&offset=9 HTTP/1.1\r\nHost: x\r\n\r\n"
        bodies = set()
        for _ in range(5):
            answers = self.rapid(head, 20)
            bodies |= {body for _, body in answers}
            self.assertIn(b"Cache-Status: cmmc-l1; hit", answers[-2][0])
            self.assert_ok(self.server.post("/v1/admin/cache/purge", {}, **self.admin))
            lines, _ = self.rapid(head, 1)[0]
            self.assertIn(b"Cache-Status: cmmc-l1; fwd=miss; stored", lines)
        self.assertEqual(len(bodies), 1)

    def test_ready_answers_are_for_those_who_need_no_key_and_have_no_limit(self):
        tag = self.assert_ok(self.get(ROWS)).header("ETag")
        unchanged = f"GET {ROWS} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n"
        key = make_key("read", name="soon-revoked", **self.backend.settings)
        keyed = f"{unchanged}Authorization: Bearer {key}\r\n\r\n"
        with self.start_server(rate_failures=0) as server:
            for lines, _ in self.rapid(keyed, 20, server):
                self.assertIn(b" 304 ", lines[0])
            self.assertEqual(self.recalls(server), 0)
            run("keys", "revoke", "soon-revoked", **self.backend.settings)
            server.wait_until(lambda: b" 401 " in self.rapid(keyed, 1, server)[0][0][0], "the key to be refused", timeout=20)
            for lines, _ in self.rapid(keyed, 20, server):
                self.assertIn(b" 401 ", lines[0])
        with self.start_server(rate_anonymous=10) as server:
            statuses = [int(lines[0].split()[1]) for lines, _ in self.rapid(unchanged + "\r\n", 40, server)]
            self.assertEqual(set(statuses), {304, 429})
            self.assertLessEqual(statuses.count(304), 20)  # of two windows, if one ended in between

    def test_where_requests_are_counted_no_head_is_recalled(self):
        with self.start_server(rate_anonymous=1000) as server:
            head = f"GET {ROWS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            found = [self.raw(head, server)[0] for _ in range(6)]
            left = [int(re.search(rb"r=(\d+)", b"\n".join(line for line in lines if line.startswith(b"RateLimit:")))[1]) for lines in found]
            self.assertEqual(left, list(range(left[0], left[0] - 6, -1)))
            self.assertEqual(self.recalls(server), 0)

    def test_shared_heads_hold_nothing_of_one_request(self):
        """Checks 37, 43 and 87: from the third answer on the head is shared; whoever asks for more gets its own."""
        target = ROWS + "&select=date,volume"
        first = self.assert_ok(self.get(target))
        tag = first.header("ETag")
        kept = ("Content-Type", "ETag", "Cache-Control", "Vary", "Link", "Last-Modified", "X-Content-Type-Options",
                "Access-Control-Allow-Origin")
        for _ in range(4):
            answer = self.assert_ok(self.get(target))
            self.assertEqual(answer.body, first.body)
            self.assertEqual([answer.header(name) for name in kept], [first.header(name) for name in kept])
        self.assertEqual(answer.header("Cache-Status"), "cmmc-l1; hit")
        self.assertEqual((answer.header("X-Request-Id"), answer.header("Server-Timing")), (None, None))
        head = self.server.head(target)
        self.assertEqual((head.body, head.header("Content-Length"), head.header("ETag")), (b"", str(len(first.body)), tag))
        own = self.get(target, x_request_id="mine")
        self.assertEqual((own.body, own.header("X-Request-Id")), (first.body, "mine"))
        self.assertIn("traceparent", own.header("Server-Timing"))
        closing = self.get(target, connection="close")
        self.assertEqual(closing.body, first.body)
        for _ in range(3):
            same = self.get(target, if_none_match=tag)
            self.assertEqual((same.status, same.body), (304, b""))
            for name in ("ETag", "Cache-Control", "Vary", "Last-Modified", "Access-Control-Allow-Origin"):
                self.assertEqual(same.header(name), first.header(name), name)
            self.assertIsNotNone(same.header("Date"))
            for name in ("Content-Type", "X-Content-Type-Options", "Server-Timing", "Cache-Status"):
                self.assertIsNone(same.header(name), name)
        traced = self.get(target, if_none_match=tag, traceparent=TRACEPARENT)
        self.assertEqual(traced.status, 304)
        self.assertIn("4bf92f3577b34da6a3ce929d0e0e4736", traced.header("Server-Timing"))
        self.assertIsNotNone(traced.header("X-Request-Id"))
        self.assertEqual(self.get(target, if_none_match='"other"').body, first.body)

    def test_head_has_the_headers_of_get_and_runs_no_sql(self):
        """Check 27: the validators are known without the work; Content-Length when the answer is kept."""
        target = ROWS + "&select=date,open"
        before = self.metric('cache_requests_total{level="l1",outcome="miss"}'), self.queries()
        cold = self.server.head(target)
        self.assertEqual((cold.status, cold.body), (200, b""))
        self.assertEqual((self.metric('cache_requests_total{level="l1",outcome="miss"}'), self.queries()), before)
        got = self.assert_ok(self.get(target))
        warm = self.server.head(target)
        for name in ("Content-Type", "ETag", "Cache-Control", "Vary", "Last-Modified"):
            self.assertEqual(cold.header(name), got.header(name), name)
            self.assertEqual(warm.header(name), got.header(name), name)
        self.assertEqual(warm.header("Content-Length"), str(len(got.body)))
        self.assertIn(cold.header("Content-Length"), (None, str(len(got.body))))

    def test_encodings_and_the_lack_of_one(self):
        """Checks 31, 32 and 33: each coding is chosen, its own representation, and equal to identity when decoded."""
        target = ROWS + "&select=date,high"
        plain = self.assert_ok(self.get(target))
        tags = {plain.header("ETag")}
        for accept, coding in (("gzip", "gzip"), ("zstd", "zstd"), ("gzip, zstd;q=0.9", "gzip"), ("gzip, br, zstd", "zstd"), ("br", "br")):
            for _ in range(2):  # made, then kept
                answer = self.assert_ok(self.get(target, accept_encoding=accept))
                self.assertEqual(answer.header("Content-Encoding"), coding)
                self.assertIn("Accept-Encoding", answer.header("Vary"))
                tags.add(answer.header("ETag"))
                if coding == "gzip":
                    self.assertEqual(gzip.decompress(answer.body), plain.body)
            decoded = subprocess.run(["curl", "-sS", "--compressed", "-H", f"Accept-Encoding: {coding}",
                                      f"http://127.0.0.1:{self.server.port}{target}"], stdout=subprocess.PIPE, check=True).stdout
            self.assertEqual(decoded, plain.body)
        self.assertEqual(len(tags), 4)
        for accept in ("identity;q=0", "*;q=0", "deflate, identity;q=0"):
            refused = self.get(target, accept_encoding=accept)
            self.assertEqual(refused.status, 406)
            self.assertIn("Accept-Encoding", refused.header("Vary"))
            self.assertIn("zstd", refused.json["errors"][0]["allowed"])
        self.assertIsNone(self.get(target, accept_encoding="identity").header("Content-Encoding"))

    def test_documents_are_compressed_once_and_have_a_tag_for_each_coding(self):
        """Checks 31 to 33 of what is no table."""
        for target in ("/openapi.yaml", "/openapi.json", "/docs", "/docs/postman.json", "/docs/problems/bad-value", "/", "/.well-known/api-catalog",
                       "/v1/marts", "/v1/marts/mart_fx_daily", "/v1/marts/mart_fx_daily/schema"):
            with self.subTest(target):
                plain = self.assert_ok(self.get(target, accept_encoding="identity"))
                tags = {plain.header("ETag")}
                for coding in ("gzip", "zstd", "br"):
                    answers = [self.assert_ok(self.get(target, accept_encoding=coding)) for _ in range(2)]  # made, then kept
                    for answer in answers:
                        self.assertEqual((answer.header("Content-Encoding"), answer.body), (coding, answers[0].body))
                        self.assertEqual((answer.media_type, answer.header("Content-Length")), (plain.media_type, str(len(answer.body))))
                        self.assertIn("Accept-Encoding", answer.header("Vary"))
                    tags.add(answers[0].header("ETag"))
                    self.assertEqual(self.get(target, accept_encoding=coding, if_none_match=answers[0].header("ETag")).status, 304)
                    head = self.server.head(target, accept_encoding=coding)
                    self.assertEqual((head.header("ETag"), head.header("Content-Encoding")), (answers[0].header("ETag"), coding))
                    decoded = subprocess.run(["curl", "-sS", "--compressed", "-H", f"Accept-Encoding: {coding}", f"http://127.0.0.1:{self.server.port}{target}"],
                                             stdout=subprocess.PIPE, check=True).stdout
                    self.assertEqual(decoded, plain.body)
                self.assertEqual(len(tags), 4)
                refused = self.get(target, accept_encoding="identity;q=0, *;q=0")
                self.assertEqual((refused.status, refused.header("Vary")), (406, plain.header("Vary")))
        self.assertLess(len(self.get("/openapi.json", accept_encoding="gzip").body), len(self.get("/openapi.json").body) / 4)

    def test_if_none_match_in_every_spelling(self):
        """Checks 35 and 37: exact, list, weak, star and garbage, before and after the answer is kept."""
        target = ROWS + "&select=date,low"
        tag = self.server.head(target).header("ETag")
        for kept in (False, True):
            for given in (tag, f'"x", {tag}', "W/" + tag):
                answer = self.get(target, if_none_match=given)
                self.assertEqual((answer.status, answer.body), (304, b""), (kept, given))
                for name in ("ETag", "Cache-Control", "Vary", "Date"):
                    self.assertIsNotNone(answer.header(name), name)
                self.assertIsNone(answer.header("Content-Encoding"))
            for given in ('"other"', "garbage", tag.strip('"'), '"' + "x" * 3000 + '"'):
                self.assertEqual(self.get(target, if_none_match=given).status, 200, given[:40])
        self.assertEqual(self.get(target, if_none_match="*").status, 304)

    def test_if_modified_since_only_without_a_tag(self):
        """Check 36: the time of the publish; a date to come and one that is none are ignored."""
        target = ROWS + "&select=date,volume"
        answer = self.assert_ok(self.get(target))
        modified = answer.header("Last-Modified")
        then = email.utils.parsedate_to_datetime(modified)
        self.assertLessEqual(then, datetime.datetime.now(datetime.timezone.utc))
        earlier = email.utils.format_datetime(then - datetime.timedelta(days=1), usegmt=True)
        future = email.utils.format_datetime(then + datetime.timedelta(days=9), usegmt=True)
        rfc850 = then.strftime("%A, %d-%b-%y %H:%M:%S GMT")
        asctime = then.strftime("%a %b %e %H:%M:%S %Y")
        for since, status in ((modified, 304), (rfc850, 304), (asctime, 304), (earlier, 200), (future, 200), ("soon", 200)):
            self.assertEqual(self.get(target, if_modified_since=since).status, status, since)
        self.assertEqual(self.get(target, if_modified_since=modified, if_none_match='"other"').status, 200)

    def test_cache_control_of_each_kind(self):
        """Checks 40 and 44: pinned is immutable, floating is short, administration is never stored."""
        generation = self.get("/v1/marts").json["meta"]["generation"]
        self.assertEqual(self.get(f"{ROWS}&generation={generation}").header("Cache-Control"), "public, max-age=31536000, immutable")
        floating = self.get(ROWS).header("Cache-Control")
        self.assertRegex(floating, r"^public, max-age=\d+, stale-while-revalidate=600, stale-if-error=86400$")
        for target in ("/v1/admin/cache", "/v1/admin/freshness", "/v1/me"):
            self.assertEqual(self.get(target, **self.admin).header("Cache-Control"), "no-store", target)
        for answer in (self.get(ROWS), self.get(ROWS)):  # made or kept, it was checked just now
            self.assertIsNone(answer.header("Age"))
            date = email.utils.parsedate_to_datetime(answer.header("Date"))
            self.assertLess(abs((date - datetime.datetime.now(datetime.timezone.utc)).total_seconds()), 5)

    def test_a_hundred_misses_on_one_key_are_one_query(self):
        """Check 46."""
        before = self.queries()
        answers = self.together(100, ROWS + "&select=close,date,volume")
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assertEqual(len({answer.body for answer in answers}), 1)
        self.assertEqual(self.queries() - before, 1)

    def test_a_304_and_a_hit_need_no_sql(self):
        """Check 39, for SQL."""
        answer = self.assert_ok(self.get(ROWS + "&select=date"))
        before = self.queries()
        for _ in range(20):
            self.assertEqual(self.get(ROWS + "&select=date", if_none_match=answer.header("ETag")).status, 304)
            self.assertEqual(self.get(ROWS + "&select=date").status, 200)
        self.assertEqual(self.queries(), before)

    def test_an_error_is_kept_under_its_version(self):
        """Check 55, first half: a 404 is told again without a query, and each with its own request id."""
        target = "/v1/instruments/stock:US.NOPE/prices"
        first = self.get(target)
        self.assertEqual(first.status, 404)
        before = self.metric('cache_requests_total{level="l1",outcome="miss"}')
        second = self.get(target)
        self.assertEqual(second.status, 404)
        self.assertEqual(second.json["detail"], first.json["detail"])
        self.assertNotEqual(second.json["request_id"], first.json["request_id"])
        self.assertEqual(self.metric('cache_requests_total{level="l1",outcome="miss"}'), before)

    def test_a_purge_makes_the_caches_forget_and_changes_no_answer(self):
        target = ROWS + "&select=date,close,open"
        first = self.assert_ok(self.get(target))
        self.assertEqual(self.get(target).header("Cache-Status"), "cmmc-l1; hit")
        for body in ({"marts": ["mart_price_daily"]}, {}):
            done = self.server.post("/v1/admin/cache/purge", body, **self.admin)
            self.assertEqual(done.status, 200, done)
            again = self.assert_ok(self.get(target))
            self.assertEqual(again.header("Cache-Status"), "cmmc-l1; fwd=miss; stored")
            self.assertEqual((again.body, again.header("ETag")), (first.body, first.header("ETag")))
        self.assertEqual(self.server.post("/v1/admin/cache/purge", {"marts": ["mart_news_article"]}, **self.admin).status, 200)
        self.assertEqual(self.get(target).header("Cache-Status"), "cmmc-l1; hit")
        self.assertEqual(self.server.post("/v1/admin/cache/purge", {"marts": ["mart_nope"]}, **self.admin).status, 404)
        self.assertEqual(self.server.post("/v1/admin/cache/purge", {"mart": []}, **self.admin).status, 422)
        self.assertEqual(self.server.post("/v1/admin/cache/purge", {}).status, 401)

    def test_administration_of_the_catalogue(self):
        self.assertEqual(self.server.post("/v1/admin/catalog/reload", b"", **self.admin).status, 202)
        self.assertEqual(self.get("/v1/admin/cache").status, 401)
        rows = self.assert_ok(self.get("/v1/admin/freshness?limit=3", **self.admin)).json["data"]
        self.assertTrue(all("dataset" in row for row in rows))
        state = self.state()
        self.assertGreater(state["l1"]["entries"], 0)
        self.assertLessEqual(state["l1"]["bytes"], state["l1"]["max_bytes"])
        self.assertEqual(state["redis"], {"is_configured": False})

    def test_answers_behind_a_key_are_private(self):
        """Check 45: nobody else gets what was kept for somebody with a key."""
        with self.start_server(anonymous_read="off") as server:
            target = ROWS + "&select=date,uid"
            for _ in range(2):
                answer = server.get(target, **self.admin)
                self.assertEqual(answer.status, 200)
                self.assertTrue(answer.header("Cache-Control").startswith("private, "), answer.header("Cache-Control"))
                self.assertEqual(server.get(target).status, 401)
                self.assertEqual(server.get(target, if_none_match=answer.header("ETag")).status, 401)


class Publishing(Case, unittest.TestCase):
    def test_a_publish_makes_kept_answers_vanish_and_the_hot_ones_come_back_warm(self):
        """Checks 38, 55 and warm-up: the first client after a publish finds the hot answer made."""
        other = self.assert_ok(self.get(ROWS))
        for _ in range(30):
            before = self.assert_ok(self.get(NEWS))
        warmed = self.metric("cache_warmed_total")
        self.publish(lambda text: text.replace("[Simulated]", "[Once more]"))
        self.server.wait_until(lambda: self.metric("cache_warmed_total") > warmed, "warm-up")  # of the one hot answer; kept, then counted
        after = self.assert_ok(self.get(NEWS))
        self.assertEqual(after.header("Cache-Status"), "cmmc-l1; hit")
        self.assertNotEqual(after.header("ETag"), before.header("ETag"))
        self.assertIn("[Once more]", after.text)
        self.assertEqual(self.get(ROWS).header("ETag"), other.header("ETag"))


class DatabaseBusy(Case, unittest.TestCase):
    def test_those_who_wait_get_the_error_of_the_one_at_work(self):
        """Check 48: one statement runs out of its time for all of them, and the next request asks again."""
        target = ROWS + "&select=date,close,high"
        with self.start_server(db_statement_ms=3000) as server:
            with hold(self.backend.settings["database_url"], "LOCK TABLE mart_price_daily IN ACCESS EXCLUSIVE MODE"):
                before = self.queries(server)
                answers = self.together(20, target, [server])
                self.assertEqual({(answer.status, answer.json["type"]) for answer in answers}, {(504, "/docs/problems/database-timeout")})
                self.assertEqual(len({answer.json["request_id"] for answer in answers}), 20)
                self.assertEqual(self.queries(server) - before, 1)
            self.assert_ok(server.get(target))


class DatabaseGone(Case, unittest.TestCase):
    settings = {"refresh_ms": 100, "db_acquire_ms": 200}

    def test_kept_answers_go_on_without_the_database(self):
        """Check 90's first half, and 48: without it everyone who waits gets the error once, and asks again freely."""
        kept = self.assert_ok(self.get(ROWS))
        base, _, name = self.backend.settings["database_url"].rpartition("/")
        name = name.split("?")[0]
        admin = f"{base}/postgres"
        sql(admin, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        sql(admin, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            for _ in range(3):
                answer = self.get(ROWS)
                self.assertEqual((answer.status, answer.body), (200, kept.body))
            answers = self.together(20, ROWS + "&select=uid,date")
            self.assertEqual({answer.status for answer in answers}, {503})
            self.assertTrue(all(answer.header("Retry-After") for answer in answers))
        finally:
            sql(admin, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        self.server.wait_until(lambda: self.get(ROWS + "&select=uid,date").status == 200, "recovery", timeout=20)


class WithRedis(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.redis = Redis()
        cls.settings = {**cls.settings, "redis_url": cls.redis.url, "redis_ms": 1000}  # a busy machine is not a slow Redis

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.redis.stop()

    def assert_same(self, target, expected, server=None):
        answer = (server or self.server).get(target)
        self.assertEqual((answer.status, answer.body, answer.header("ETag")), (200, expected.body, expected.header("ETag")), answer)
        return answer

    def test_another_server_finds_what_one_has_made(self):
        target = ROWS + "&select=date,close&order=close"
        first = self.assert_ok(self.get(target))
        self.assertEqual(first.header("Cache-Status"), "cmmc-l1; fwd=miss; stored, cmmc-redis; fwd=miss; stored")
        with self.start_server() as other:
            found = self.assert_same(target, first, other)
            self.assertRegex(found.header("Cache-Status"), r"^cmmc-l1; fwd=miss; stored, cmmc-redis; hit; ttl=\d+$")
            for name in ("Content-Type", "Vary", "Link", "Last-Modified", "Cache-Control"):
                self.assertEqual(found.header(name), first.header(name), name)
        for name in self.redis.values():
            self.assertGreater(self.redis.command("TTL", name), 0)

    def test_a_304_and_a_hit_need_no_redis(self):
        """Check 39, for Redis: by its own count of commands."""
        answer = self.assert_ok(self.get(ROWS))
        before = self.redis.calls()
        for _ in range(20):
            self.assertEqual(self.get(ROWS, if_none_match=answer.header("ETag")).status, 304)
            self.assertEqual(self.get(ROWS).status, 200)
        after = self.redis.calls()
        for name in ("get", "set", "eval", "hgetall"):
            self.assertEqual(after.get(name, 0), before.get(name, 0), name)

    def test_a_hundred_misses_on_two_servers_are_one_query(self):
        """Check 47."""
        with self.start_server() as other:
            self.assert_ok(other.get(ROWS + "&select=open"))  # its connection to Redis is open now
            before = self.queries(self.server, other)
            answers = self.together(100, ROWS + "&select=date,open,close", [self.server, other])
            self.assertEqual({answer.status for answer in answers}, {200})
            self.assertEqual(len({answer.body for answer in answers}), 1)
            self.assertEqual(self.queries(self.server, other) - before, 1)

    def test_what_another_server_is_making_is_waited_for(self):
        """Check 47: who finds a lease in Redis looks again for the value before it asks the database."""
        with self.start_server() as other:
            for i in range(20):  # a slow machine may take longer than the wait, which is 250 ms: then the next try counts
                target = ROWS + f"&select=date,low&offset={i}"
                known = set(self.redis.values())
                made = self.assert_ok(self.get(target))
                name, = set(self.redis.values()) - known
                value = self.redis.command("GET", name)
                self.redis.command("DEL", name)
                self.redis.command("SET", name + ":lease", "somebody", "PX", 60000)
                before, looked = self.queries(other), self.redis.calls()["get"]
                with concurrent.futures.ThreadPoolExecutor(1) as pool:
                    waiting = pool.submit(other.get, target)
                    other.wait_until(lambda: self.redis.calls()["get"] > looked, "the first look")
                    time.sleep(0.05)  # a second look at once is no wait
                    self.redis.command("SET", name, value if isinstance(value, bytes) else value.encode())
                    answer = self.assert_ok(waiting.result())
                self.assertEqual(answer.body, made.body)
                if self.queries(other) == before:
                    self.assertIn("cmmc-redis; hit", answer.header("Cache-Status"))
                    return
        self.fail("it asked the database each time")

    def test_values_that_are_not_right_are_misses(self):
        """Checks 53 and 54: damaged, cut short, empty, of another key, of another type."""
        target = ROWS + "&select=date,high,low"
        first = self.assert_ok(self.get(target))
        other = ROWS + "&select=date,high"
        self.redis.command("FLUSHALL")
        self.server.post("/v1/admin/cache/purge", {}, **self.admin)
        self.assert_ok(self.get(other))
        foreign = self.redis.command("GET", self.redis.values()[0])
        foreign = foreign if isinstance(foreign, bytes) else foreign.encode()

        def flip(value):
            return value[:-10] + bytes([value[-10] ^ 1]) + value[-9:]

        spoils = {"flipped": flip, "cut": lambda value: value[:-1], "head only": lambda value: value[:20], "empty": lambda value: b"",
                  "longer": lambda value: value + b"x", "another key's": lambda value: foreign, "text": lambda value: b"{}",
                  "huge lengths": lambda value: value[:40] + b"\xff" * 32 + value[72:]}
        for what, spoil in spoils.items():
            with self.subTest(what):
                self.redis.command("FLUSHALL")
                self.server.post("/v1/admin/cache/purge", {}, **self.admin)
                self.assert_same(target, first)
                name, = self.redis.values()
                value = self.redis.command("GET", name)
                self.redis.command("SET", name, spoil(value if isinstance(value, bytes) else value.encode()))
                with self.start_server() as fresh:
                    answer = self.assert_same(target, first, fresh)
                    self.assertIn("cmmc-redis; fwd=miss; detail=damaged", answer.header("Cache-Status"))
                    self.assertGreaterEqual(self.state(fresh)["redis"]["damaged"], 1)
        with self.subTest("a list"):
            name, = self.redis.values()
            self.redis.command("DEL", name)
            self.redis.command("LPUSH", name, "x")
            with self.start_server() as fresh:
                self.assert_same(target, first, fresh)

    def test_flushed_and_restarted_empty(self):
        """Check 51."""
        targets = [f"{ROWS}&offset={i}" for i in range(30)]
        first = [self.assert_ok(self.get(target)) for target in targets]
        with self.start_server() as fresh:
            for i, target in enumerate(targets):
                if i == 10:
                    self.redis.command("FLUSHALL")
                if i == 20:
                    self.redis.stop()
                    self.redis.start()
                self.assert_same(target, first[i], fresh)

    def test_stopped_and_back(self):
        """Check 49: the same answers at once, the breaker opens, readiness is degraded and not down; then all is well again."""
        targets = [f"{ROWS}&select=date&offset={i}" for i in range(12)]
        first = [self.assert_ok(self.get(target)) for target in targets]
        with self.start_server() as fresh:
            self.redis.stop()
            took = []
            for i, target in enumerate(targets):
                start = time.monotonic()
                self.assert_same(target, first[i], fresh)
                took.append(time.monotonic() - start)
            self.assertLess(sorted(took)[-2], 2 * SLOW)
            self.assertEqual(self.state(fresh)["redis"]["breaker"], "open")
            self.assertGreater(self.metric('breaker_state{dependency="redis"}', fresh), 0)
            ready = fresh.ops.get("/readyz?verbose")
            self.assertEqual(ready.status, 200)
            self.assertRegex(ready.text, r"\[~\] ?redis")
            state = fresh.ops.get("/readyz", accept="application/json").json
            self.assertEqual((state["ready"], {check["name"]: check["state"] for check in state["checks"]}["redis"]), (True, "degraded"))
            self.assertNotIn("redis", fresh.ops.get("/readyz?verbose&exclude=redis").text)
            self.assertIn("detail=breaker-open", fresh.get(f"{ROWS}&select=date&offset=99").header("Cache-Status"))
            self.redis.start()
            n = iter(range(100, 1000))
            fresh.wait_until(lambda: "cmmc-redis; fwd=miss; stored" in fresh.get(f"{ROWS}&select=date&offset={next(n)}").header("Cache-Status"),
                             "the breaker closes", timeout=40)
        self.server.wait_until(lambda: self.get(f"{ROWS}&offset={next(n)}").status == 200 and
                               self.state()["redis"]["breaker"] == "closed", "the other breaker closes", timeout=40)

    def test_slow_silent_or_talking_nonsense(self):
        """Check 50, and a Redis that lies in its protocol: the same answers, in time."""
        for what, change in (("slow", {"delay_s": 3}), ("silent", {"is_silent": True}), ("nonsense", {"reply": b"HTTP/1.1 400 Bad\r\n\r\n"}),
                             ("endless", {"reply": b"$1048576\r\nxxxx"}), ("an error", {"reply": b"-ERR no\r\n"})):
            with self.subTest(what), Proxy(self.redis.port) as proxy:
                targets = [f"{ROWS}&select=date,uid&offset={i}" for i in range(8)]
                first = [self.assert_ok(self.get(target)) for target in targets]
                with self.start_server(redis_url=proxy.url, redis_ms=20 * SLOW) as fresh:
                    for name, value in change.items():
                        setattr(proxy, name, value)
                    for i, target in enumerate(targets):
                        start = time.monotonic()
                        self.assert_same(target, first[i], fresh)
                        self.assertLess(time.monotonic() - start, 2 * SLOW)

    def test_a_publish_is_heard_and_seen_without_being_heard(self):
        """Check 52: with the channel the others know at once; without it, after refresh_ms at the latest."""
        with Proxy(self.redis.port) as proxy, self.start_server(redis_url=proxy.url, refresh_ms=60000) as deaf_soon:
            deaf_soon.wait_until(lambda: self.state(deaf_soon)["redis"]["is_listening"], "the channel")
            self.publish(lambda text: text.replace("[Simulated]", "[Heard]"), server=deaf_soon)
        with Proxy(self.redis.port) as proxy, self.start_server(redis_url=proxy.url, refresh_ms=500) as cut_off:
            cut_off.wait_until(lambda: self.state(cut_off)["redis"]["is_listening"], "the channel")
            self.assert_ok(cut_off.get(NEWS))
            proxy.is_silent = True
            proxy.cut()
            generation = self.publish(lambda text: text.replace("[Simulated]", "[Unheard]"))
            start = time.monotonic()
            cut_off.wait_until(lambda: "[Unheard]" in cut_off.get(NEWS).text, "the new version")
            self.assertLess(time.monotonic() - start, 3 * SLOW)
            self.assertEqual(cut_off.get(NEWS).json["meta"]["generation"], generation)

    def test_a_purge_reaches_the_other_server(self):
        target = ROWS + "&select=date,low,open"
        with self.start_server() as other:
            other.wait_until(lambda: self.state(other)["redis"]["is_listening"], "the channel")
            self.assert_ok(other.get(target))
            self.assertEqual(other.get(target).header("Cache-Status"), "cmmc-l1; hit")
            self.assertEqual(self.server.post("/v1/admin/cache/purge", {}, **self.admin).status, 200)
            other.wait_until(lambda: other.get(target).header("Cache-Status") != "cmmc-l1; hit", "the purge")

    def test_a_socket_and_a_password(self):
        with Redis("--requirepass", "p@ss:word") as locked:
            for url, is_right in ((f"redis://:p@ss:word@127.0.0.1:{locked.port}/2", True),
                                  (f"redis://default:p@ss:word@127.0.0.1:{locked.port}", True),
                                  (f"redis://:wrong@127.0.0.1:{locked.port}", False)):
                with self.subTest(url), self.start_server(redis_url=url) as server:
                    answer = self.assert_ok(server.get(ROWS + "&select=volume"))
                    self.assertEqual("cmmc-redis; fwd=bypass" not in answer.header("Cache-Status"), is_right)
                    self.assertNotIn("word", server.stderr)
        with self.start_server(redis_url=f"unix://{self.redis.folder}/socket?db=3") as server:
            self.assertIn("cmmc-redis; fwd=miss; stored", self.assert_ok(server.get(ROWS)).header("Cache-Status"))


class OnSqlite(Case, unittest.TestCase):
    backend_type = Sqlite

    def test_the_same_cache_on_the_embedded_database(self):
        first, second = self.assert_ok(self.get(ROWS)), self.assert_ok(self.get(ROWS))
        self.assertEqual((first.body, second.header("Cache-Status")), (second.body, "cmmc-l1; hit"))

    def test_nothing_is_kept_with_no_memory_for_it(self):
        with self.start_server(cache_mib=0) as server:
            first, second = server.get(ROWS), server.get(ROWS)
            self.assertEqual((first.status, first.body), (200, second.body))
            self.assertEqual(second.header("Cache-Status"), "cmmc-l1; fwd=miss")
            self.assertEqual({answer.status for answer in self.together(30, ROWS, [server])}, {200})


if __name__ == "__main__":
    unittest.main()
