"""Keys, scopes, what anyone may do without a key, and quotas; on both databases."""

import concurrent.futures
import datetime
import functools
import json
import re
import time
import unittest

from support.backend import Postgresql, Sqlite
from support.keys import basic, bearer, make_key
from support.problems import Assertions
from support.redis import Redis
from support.server import SLOW, Server, run, sample_var_dir

CHALLENGE = 'Bearer realm="cmmc", Basic realm="cmmc"'
CLOSED = {"anonymous_read": "off", "anonymous_backtest": "off", "refresh_ms": 200, "rate_failures": 0}
REQUEST = {"assets": [{"uid": "stock:US.AAPL", "weight": 1}], "start": "2016-01-04", "end": "2016-06-30", "monkeys": {"count": 0}}
RATE = re.compile(r'^"(\w+)";r=(\d+);t=(\d+)$')


@functools.lru_cache(maxsize=None)
def route_table():
    return json.loads(run("routes", "--json", var_dir="unused").stdout)


def target_of(template):
    values = {"mart": "mart_fx_daily", "uid": "stock:US.AAPL", "id": "999999", "slug": "unauthorized", "column": "base"}
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match.group(1), "x"), template)


def rate_of(answer):
    """(policy, remaining, seconds) of an answer."""
    name, remaining, seconds = RATE.match(answer.header("RateLimit")).groups()
    return name, int(remaining), int(seconds)


class Secrets:
    """Keys made here must never be in a log."""

    server = None

    @classmethod
    def key(cls, *args, **options):
        """A new key; the server of the class, if it runs, knows it."""
        key = make_key(*args, **options, **cls.backend.settings)
        cls.secrets.append(key)
        if cls.server is not None:
            cls.server.wait_until(lambda: cls.server.get("/v1/me", **bearer(key)).status == 200, "the key holds", timeout=2)
        return key

    @classmethod
    def assert_log_is_clean(cls, server):
        for key in cls.secrets:
            secret = key.rsplit("_", 1)[1]
            assert secret not in server.stderr and secret[:20] not in server.stderr, "a key is in the log"


class KeyTests(Assertions, Secrets):
    """One server that lets nobody in without a key; each subclass has a database."""

    @classmethod
    def setUpClass(cls):
        cls.secrets = []
        cls.backend = cls.make_backend()
        cls.all = cls.key(name="everything")
        cls.server = cls.backend.server(**CLOSED).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.assert_log_is_clean(cls.server)

    def listed(self):
        return {key["name"]: key for key in self.server.get("/v1/admin/keys", **bearer(self.all)).json["data"]}

    def wait_for(self, status, key, seconds=1.5):
        """The time until the key gets that status."""
        start = time.monotonic()
        while self.server.get("/v1/marts", **bearer(key)).status != status:
            self.assertLess(time.monotonic() - start, seconds * SLOW)
            time.sleep(0.02)
        return time.monotonic() - start

    def assert_unauthorized(self, answer):
        problem = self.assert_problem(answer, "unauthorized", about="Authorization")
        self.assertEqual(answer.header("WWW-Authenticate"), CHALLENGE)
        return {name: value for name, value in problem.items() if name not in ("instance", "request_id", "trace_id")}

    # ---- Scopes

    def test_every_route_asks_for_its_scope(self):
        keys = {scope: self.key(scope) for scope in ("read", "backtest", "admin")}
        for route in route_table():
            if route["listener"] == "ops":
                continue
            with self.subTest(method=route["method"], path=route["path"]):
                ask = functools.partial(self.server.data.request, route["method"], target_of(route["path"]), b"{}" if route["body_max_bytes"] else None)
                nobody = ask(headers={"Content-Type": "application/json"})
                if route["access"] == "public":
                    self.assertNotIn(nobody.status, (401, 403), nobody)
                    continue
                self.assert_unauthorized(nobody)
                for scope, key in keys.items():
                    answer = ask(headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
                    if scope == route["access"]:
                        self.assertNotIn(answer.status, (401, 403), answer)
                    else:
                        problem = self.assert_problem(answer, "forbidden")
                        self.assertIn(f'"{route["access"]}"', problem["detail"])

    def test_head_asks_for_what_get_does_and_options_for_nothing(self):
        self.assertEqual(self.server.head("/v1/marts").status, 401)
        self.assertEqual(self.server.head("/v1/marts", **bearer(self.all)).status, 200)
        self.assertEqual(self.server.data.options("/v1/admin/keys").status, 204)

    def test_a_preflight_passes_without_a_key_and_lets_pages_send_one(self):
        answer = self.server.data.options("/v1/marts", origin="https://example.org", access_control_request_method="GET",
                                          access_control_request_headers="authorization")
        self.assertEqual(answer.status, 204)
        self.assertIn("authorization", answer.header("Access-Control-Allow-Headers").lower())
        refused = self.server.get("/v1/marts", origin="https://example.org")
        exposed = refused.header("Access-Control-Expose-Headers").lower()
        for name in ("ratelimit", "ratelimit-policy", "www-authenticate", "retry-after"):
            self.assertIn(name, exposed)
        self.assertEqual(refused.header("X-Content-Type-Options"), "nosniff")

    # ---- Ways to send a key

    def test_bearer_and_basic_with_any_user(self):
        for headers in (bearer(self.all), {"authorization": "bearer  " + self.all}, basic(self.all), basic(self.all, ""), basic(self.all, "me")):
            self.assert_ok(self.server.get("/v1/marts", **headers))

    def test_bad_keys_get_one_text_whatever_is_wrong(self):
        revoked = self.key("read")
        run("keys", "revoke", self.listed_name_of(revoked), **self.backend.settings)
        self.wait_for(401, revoked)
        wrong = make_key("read", var_dir=sample_var_dir())  # of another database, with a number that exists here
        mistyped = self.all[:-1] + ("a" if self.all[-1] != "a" else "b")
        texts = [self.assert_unauthorized(self.server.get("/v1/marts"))]
        for header in ("Bearer", "Bearer nonsense", "Bearer " + wrong, "Bearer " + mistyped, "Bearer " + revoked, "Digest x", "Basic !!!!",
                       f"Bearer {self.all}, Bearer {self.all}", "Basic " + "A" * 3000, "Bearer " + re.sub(r"^cmmc_\d+", "cmmc_77", self.all)):
            texts.append(self.assert_unauthorized(self.server.get("/v1/marts", authorization=header)))
        for text in texts:
            self.assertEqual(text, texts[0])

    def listed_name_of(self, key):
        number = int(key.split("_")[1])
        return next(one["name"] for one in self.listed().values() if one["id"] == number)

    def test_a_bad_key_is_refused_on_public_addresses_too(self):
        self.assert_unauthorized(self.server.get("/v1/me", authorization="Bearer nonsense"))
        self.assert_ok(self.server.get("/v1/me"))

    def test_a_key_in_an_address_is_refused_and_not_repeated(self):
        for target in (f"/v1/marts?api_key={self.all}", f"/v1/marts?token={self.all}", f"/v1/marts?key={self.all}", f"/v1/marts?access_token={self.all}",
                       "/v1/marts?apikey=whatever", f"/v1/marts?q={self.all}", "/v1/me?%61pi_key=x", f"/v1/marts?key={self.all.replace('_', '%5F')}"):
            with self.subTest(target):
                answer = self.server.get(target, **bearer(self.all))
                problem = self.assert_problem(answer, "key-in-address", allowed="Bearer")
                self.assertNotIn(self.all.rsplit("_", 1)[1], answer.text)
                self.assertIn("revoked", problem["detail"])
        # A column may have such a name.
        self.assert_problem(self.server.get("/v1/marts/mart_fx_daily/rows?token=eq.BTC", **bearer(self.all)), "unknown-parameter")
        self.server.wait_until(lambda: any("api_key=***" in (event["target"] or "") for event in self.server.events("request")), "the line is logged")

    # ---- Making, listing, revoking

    def test_a_key_made_over_http_holds_at_once_and_is_shown_once(self):
        answer = self.server.post("/v1/admin/keys", {"name": "by-http", "scopes": ["read"], "rate": 100}, **bearer(self.all))
        self.assert_ok(answer, 201)
        self.assertEqual(answer.header("Cache-Control"), "no-store")
        made = answer.json["data"]
        self.secrets.append(made["key"])
        self.assertEqual(answer.header("Location"), f"/v1/admin/keys/{made['id']}")
        me = self.assert_ok(self.server.get("/v1/me", **bearer(made["key"])))
        self.assertEqual(me.header("Cache-Control"), "no-store")
        self.assertEqual(me.json["data"], {"principal": "key", "name": "by-http", "id": made["id"], "scopes": ["read"], "expires_at": None})
        self.assertEqual(me.header("RateLimit-Policy"), '"key";q=100;w=60')
        listing = self.server.get("/v1/admin/keys", **bearer(self.all))
        self.assertEqual(listing.header("Cache-Control"), "no-store")
        self.assertNotIn(made["key"].rsplit("_", 1)[1], listing.text)
        self.assertNotIn("key", self.listed()["by-http"])
        self.assertEqual(self.listed()["by-http"]["last_used_at"] is not None, True)

        gone = self.server.data.request("DELETE", f"/v1/admin/keys/{made['id']}", headers={"Authorization": f"Bearer {self.all}"})
        self.assertEqual((gone.status, gone.body), (204, b""))
        self.assert_unauthorized(self.server.get("/v1/me", **bearer(made["key"])))
        self.assertIsNotNone(self.listed()["by-http"]["revoked_at"])
        self.assert_problem(self.server.post("/v1/admin/keys", {"name": "by-http", "scopes": ["read"]}, **bearer(self.all)), "key-exists", about="/name")

    def test_keys_of_the_command_line_hold_and_end_within_a_second(self):
        key = self.key("read", name="by-cli")
        used = lambda: json.loads(run("keys", "list", "--json", **self.backend.settings).stdout)  # noqa: E731
        self.server.wait_until(lambda: [one["last_used_at"] for one in used() if one["name"] == "by-cli"] != [None], "its use is written down")
        done = run("keys", "revoke", "by-cli", **self.backend.settings)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(self.wait_for(401, key), SLOW)
        self.assertRegex(run("keys", "list", **self.backend.settings).stdout, r"(?m)^\d+ +by-cli +read +revoked ")

    def test_an_expired_key_ends_by_itself(self):
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3 * SLOW)
        key = self.key("read", expires=moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.assertEqual(self.server.get("/v1/me", **bearer(key)).json["data"]["expires_at"], moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.wait_for(401, key, seconds=5)

    def test_keys_that_cannot_be_are_refused_with_their_place(self):
        good = {"name": "x", "scopes": ["read"]}
        for change, slug, about in (({"name": "a b"}, "out-of-range", "/name"), ({"name": ""}, "out-of-range", "/name"), ({"name": 5}, "wrong-type", "/name"),
                                    ({"scopes": []}, "out-of-range", "/scopes"), ({"scopes": ["reed"]}, "out-of-range", "/scopes/0"),
                                    ({"scopes": "read"}, "wrong-type", "/scopes"), ({"rate": -1}, "out-of-range", "/rate"),
                                    ({"expires_at": "2001-01-01"}, "out-of-range", "/expires_at"), ({"expires_at": "soon"}, "out-of-range", "/expires_at"),
                                    ({"nmae": 1}, "unknown-field", "/nmae")):
            with self.subTest(change):
                answer = self.server.post("/v1/admin/keys", {**good, **change}, **bearer(self.all))
                self.assert_problem(answer, slug, about=about)
        self.assert_problem(self.server.post("/v1/admin/keys", b"{", **bearer(self.all)), "malformed-json")
        for number in ("999999", "nobody", "-1", "0"):
            gone = self.server.data.request("DELETE", f"/v1/admin/keys/{number}", headers={"Authorization": f"Bearer {self.all}"})
            self.assert_problem(gone, "unknown-key")

    def test_a_second_server_takes_changes_over(self):
        with self.backend.server(**CLOSED) as other:
            made = self.server.post("/v1/admin/keys", {"name": "two-servers", "scopes": ["read"]}, **bearer(self.all)).json["data"]
            self.secrets.append(made["key"])
            other.wait_until(lambda: other.get("/v1/marts", **bearer(made["key"])).status == 200, "the key holds there", timeout=2)
            self.server.data.request("DELETE", f"/v1/admin/keys/{made['id']}", headers={"Authorization": f"Bearer {self.all}"})
            other.wait_until(lambda: other.get("/v1/marts", **bearer(made["key"])).status == 401, "it is revoked there", timeout=2)
        self.assert_log_is_clean(other)

    # ---- What shared caches may keep

    def test_answers_for_those_with_a_key_are_private_and_the_rest_is_public(self):
        for target in ("/v1/marts", "/v1/marts/mart_fx_daily", "/v1/marts/mart_fx_daily/rows?limit=2", "/v1/instruments/stock:US.AAPL"):
            with self.subTest(target):
                answer = self.assert_ok(self.server.get(target, **bearer(self.all)))
                self.assertRegex(answer.header("Cache-Control"), r"^(private|no-store)\b")
                self.assertNotIn("public", answer.header("Cache-Control"))
                tag = answer.header("ETag")
                if tag:
                    unchanged = self.server.get(target, if_none_match=tag, **bearer(self.all))
                    self.assertEqual(unchanged.status, 304)
                    self.assertNotIn("public", unchanged.header("Cache-Control"))
                    self.assert_unauthorized(self.server.get(target, if_none_match=tag))
        self.assertIn("public", self.server.get("/openapi.yaml").header("Cache-Control"))

    def test_log_lines_name_the_key_by_its_number(self):
        self.assert_ok(self.server.get("/v1/marts?x_mark=1", **bearer(self.all)), 400)
        number = int(self.all.split("_")[1])
        self.server.wait_until(lambda: any(event["key"] == number and "x_mark" in event["target"] for event in self.server.events("request")), "logged")


class KeysOnSqlite(KeyTests, unittest.TestCase):
    make_backend = Sqlite


class KeysOnPostgresql(KeyTests, unittest.TestCase):
    make_backend = Postgresql


class AnonymousRules(Assertions, unittest.TestCase):
    """What the setting auto means, and that nobody is an administrator without a key."""

    def access_of(self, server):
        read = server.get("/v1/marts").status
        run_one = server.post("/v1/backtests", REQUEST).status
        admin = server.get("/v1/admin/keys").status
        return read == 200, run_one in (200, 201), admin == 200

    def test_the_embedded_default_on_loopback_is_open_but_for_administration(self):
        for bind in ("127.0.0.1", "127.0.0.2"):
            with Server(var_dir=sample_var_dir(), anonymous_read="auto", anonymous_backtest="auto", bind=bind) as server:
                server.data.host = bind
                self.assertEqual(self.access_of(server), (True, True, False))
                self.assertEqual(server.get("/v1/me").json["data"]["scopes"], ["read", "backtest"])
                self.assertIn("public", server.get("/v1/marts").header("Cache-Control"))

    def test_anything_that_others_can_reach_is_closed(self):
        with Server(var_dir=sample_var_dir(), anonymous_read="auto", anonymous_backtest="auto", bind="0.0.0.0") as server:
            self.assertEqual(self.access_of(server), (False, False, False))
        backend = Postgresql()
        with backend.server(anonymous_read="auto", anonymous_backtest="auto") as server:
            self.assertEqual(self.access_of(server), (False, False, False))
            self.assertEqual(server.get("/v1/me").json["data"], {"principal": "anonymous", "name": None, "id": None, "scopes": [], "expires_at": None})

    def test_what_is_set_holds_anywhere(self):
        with Server(var_dir=sample_var_dir(), anonymous_read="on", anonymous_backtest="off", bind="0.0.0.0") as server:
            self.assertEqual(self.access_of(server), (True, False, False))
        with Server(var_dir=sample_var_dir(), anonymous_read="off", anonymous_backtest="auto") as server:
            self.assertEqual(self.access_of(server), (False, True, False))

    def test_a_key_can_do_what_anyone_can(self):
        var_dir = sample_var_dir()
        key = make_key("admin", var_dir=var_dir)
        with Server(var_dir=var_dir) as server:
            self.assert_ok(server.get("/v1/marts", **bearer(key)))
            self.assert_ok(server.get("/v1/admin/keys", **bearer(key)))

    def test_unsure_is_not_no(self):
        """Without its database from the start, a server cannot tell an unknown key from a good one."""
        key = make_key("read", var_dir=sample_var_dir())
        with_nothing = Server(database_url="postgresql://nobody@127.0.0.1:9/none", anonymous_read="off", db_acquire_ms=100)
        with_nothing.wait_until = lambda *_, **__: None  # it will not be ready
        try:
            with_nothing.start()
            answer = with_nothing.get("/v1/marts", **bearer(key))
            self.assert_problem(answer, "database-unavailable")
            self.assertEqual(with_nothing.get("/v1/marts").status, 401)
        finally:
            with_nothing.stop()


class Quotas(Assertions, Secrets, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.secrets = []
        cls.backend = Sqlite()
        cls.admin = cls.key("admin")
        cls.server = cls.backend.server(**{**CLOSED, "rate_failures": 5}, rate_key=300).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.assert_log_is_clean(cls.server)

    def fresh(self, rate, least=8, scopes="read,backtest"):
        """A key whose window lasts at least that many seconds more, nothing of it used but one request."""
        while True:
            key = self.key(scopes, rate=rate)
            name, remaining, seconds = rate_of(self.server.get("/v1/me", **bearer(key)))
            if seconds >= least:
                return key, remaining

    def test_the_boundary_is_exact_under_concurrency(self):
        key, remaining = self.fresh(rate=60)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: self.server.get("/v1/me", **bearer(key)), range(160)))
        self.assertEqual([answer.status for answer in answers].count(200), remaining)
        self.assertEqual([answer.status for answer in answers].count(429), 160 - remaining)
        left = sorted(rate_of(answer)[1] for answer in answers if answer.status == 200)
        self.assertEqual(left, list(range(remaining)))  # each got a number of its own

    def test_a_refusal_says_when_to_come_back_and_then_the_quota_is_whole(self):
        keys = [self.key("read", rate=3) for _ in range(12)]
        first = {key: rate_of(self.server.get("/v1/me", **bearer(key))) for key in keys}
        key = min((one for one in keys if first[one][2] >= 2), key=lambda one: first[one][2])  # windows of keys end at different times
        answers = [self.server.get("/v1/marts", **bearer(key)) for _ in range(4)]
        problem = self.assert_problem(answers[-1], "rate-limited", allowed='"key"')
        self.assertTrue(problem["retryable"])
        name, remaining, seconds = rate_of(answers[-1])
        self.assertEqual((name, remaining), ("key", 0))
        self.assertEqual(answers[-1].header("RateLimit-Policy"), '"key";q=3;w=60')
        self.assertEqual(int(answers[-1].header("Retry-After")), seconds)
        time.sleep(seconds)
        again = self.assert_ok(self.server.get("/v1/marts", **bearer(key)))
        self.assertEqual(rate_of(again)[1], 2)
        self.assertGreaterEqual(rate_of(again)[2], 58)

    def test_every_answer_says_what_is_left(self):
        key, remaining = self.fresh(rate=100)
        tag = self.server.get("/v1/marts", **bearer(key)).header("ETag")
        for ask, status in ((lambda: self.server.get("/v1/marts", if_none_match=tag, **bearer(key)), 304),
                            (lambda: self.server.get("/v1/marts?zzz=1", **bearer(key)), 400),
                            (lambda: self.server.get("/v1/marts/nothing", **bearer(key)), 404),
                            (lambda: self.server.get("/v1/admin/keys", **bearer(key)), 403),
                            (lambda: self.server.head("/v1/marts/mart_fx_daily/rows?limit=1", **bearer(key)), 200),
                            (lambda: self.server.get("/v1/marts/mart_fx_daily/rows?limit=1", **bearer(key)), 200)):
            before = rate_of(self.server.get("/v1/me", **bearer(key)))[1]
            answer = ask()
            self.assertEqual(answer.status, status, answer)
            self.assertEqual(rate_of(answer)[1], before - 1)

    def test_a_backtest_counts_ten_times(self):
        key, remaining = self.fresh(rate=25)
        answer = self.server.post("/v1/backtests", REQUEST, **bearer(key))
        self.assertIn(answer.status, (200, 201))
        self.assertEqual(rate_of(answer)[1], remaining - 10)
        self.server.post("/v1/backtests", REQUEST, **bearer(key))
        self.assert_problem(self.server.post("/v1/backtests", REQUEST, **bearer(key)), "rate-limited")
        self.assert_ok(self.server.get("/v1/marts", **bearer(key)))  # what is left is enough for this

    def test_limits_are_published_and_looking_takes_no_more_than_a_request(self):
        key, remaining = self.fresh(rate=40)
        data = self.assert_ok(self.server.get("/v1/limits", **bearer(key))).json["data"]
        self.assertEqual((data["quota"]["policy"], data["quota"]["limit"], data["quota"]["remaining"]), ("key", 40, remaining - 1))
        self.assertEqual(data["rows"]["max"], 50000)
        self.assertIn({"path": "/v1/backtests", "cost": 10, "body_max_bytes": 1 << 20, "deadline_ms": 60000}, data["routes"])
        self.assertIsNone(self.server.get("/v1/limits").json["data"]["quota"])  # without a key nothing is counted here

    def test_rates_of_keys_go_before_the_setting_and_0_is_no_limit(self):
        free, plain = self.key("read", rate=0), self.key("read")
        self.assertIsNone(self.server.get("/v1/me", **bearer(free)).header("RateLimit"))
        self.assertEqual(self.server.get("/v1/me", **bearer(plain)).header("RateLimit-Policy"), '"key";q=300;w=60')

    def test_bad_keys_are_limited_by_address_and_good_ones_still_come_in(self):
        with self.backend.server(**{**CLOSED, "rate_failures": 5}, trusted_proxies="127.0.0.1") as server:
            guess = lambda address: server.get("/v1/marts", authorization="Bearer guess", x_forwarded_for=address)  # noqa: E731
            statuses = [guess("198.51.100.1").status for _ in range(12)]
            self.assertEqual(statuses[:5], [401] * 5)
            self.assertIn(429, statuses[5:])
            if statuses[5:] == [429] * 7:  # unless the minute ended in between
                self.assert_problem(guess("198.51.100.1"), "rate-limited", allowed='"failures"')
            self.assertEqual(guess("198.51.100.2").status, 401)
            self.assert_ok(server.get("/v1/me", x_forwarded_for="198.51.100.1", **bearer(self.admin)))
            metrics = server.ops.get("/metrics").text
            self.assertIn('cmmc_rate_limited_total{policy="failures"}', metrics)
            self.assertIn('cmmc_auth_failures_total{reason="malformed"}', metrics)

    def count_allowed(self, server, n, **headers):
        return [server.get("/v1/marts", **headers).status for _ in range(n)].count(200)

    def test_without_a_key_addresses_are_counted_and_only_proxies_are_believed(self):
        for settings, header, expected in (({"trusted_proxies": "127.0.0.0/8"}, "X-Forwarded-For", 2), ({}, "X-Forwarded-For", 1),
                                           ({"trusted_proxies": "10.0.0.0/8"}, "X-Forwarded-For", 1),
                                           ({"trusted_proxies": "127.0.0.1,::1", "proxy_header": "forwarded"}, "Forwarded", 2),
                                           ({"trusted_proxies": "127.0.0.1", "proxy_header": "forwarded"}, "X-Forwarded-For", 1)):
            with self.subTest(settings, header=header), Server(var_dir=sample_var_dir(), rate_anonymous=20, **settings) as server:
                form = "for={}" if header == "Forwarded" else "{}"
                asked = [server.get("/v1/marts", **{header: form.format(address)}) for address in ["203.0.113.5"] * 25 + ["203.0.113.6"] * 25]
                allowed = [answer.status for answer in asked].count(200)
                self.assertIn(allowed, range(20 * expected, 20 * expected * 2 + 1))
                if max(rate_of(answer)[2] for answer in asked) - min(rate_of(answer)[2] for answer in asked) < 50 and expected == 1:
                    self.assertEqual(allowed, 20)
                self.assertEqual(rate_of(asked[0])[0], "anonymous")
                seen = {event["client"] for event in server.events("request") if event["route"] == "/v1/marts"}
                self.assertLessEqual(seen, {"203.0.113.5", "203.0.113.6"} if expected == 2 else {"127.0.0.1"})

    def test_the_open_default_has_no_quota_unless_one_is_set(self):
        with Server(var_dir=sample_var_dir(), anonymous_read="auto", anonymous_backtest="auto", rate_anonymous=7) as server:
            self.assertEqual(server.get("/v1/marts").header("RateLimit-Policy"), '"anonymous";q=7;w=60')
        plain = Server(var_dir=sample_var_dir(), anonymous_read="auto", anonymous_backtest="auto")
        del plain.settings["rate_anonymous"]
        with plain as server:
            self.assertIsNone(server.get("/v1/marts").header("RateLimit"))
            self.assertIsNone(server.get("/v1/limits").json["data"]["quota"])

    def test_networks_that_are_none_stop_the_start(self):
        done = run("serve", var_dir=sample_var_dir(), trusted_proxies="10.0.0.0/33", port=0, ops_port=0)
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("CMMC_TRUSTED_PROXIES", done.stderr)


class SharedQuotas(Assertions, Secrets, unittest.TestCase):
    """Two servers over one database and one Redis."""

    @classmethod
    def setUpClass(cls):
        cls.secrets = []
        cls.backend = Sqlite()
        cls.redis = Redis()
        cls.server, cls.other = [cls.backend.server(**CLOSED, redis_url=cls.redis.url, redis_ms=200).start() for _ in range(2)]

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.other.stop()
        cls.redis.stop()

    def key_with_time(self, rate, least):
        """A key whose window, a minute, lasts that many seconds more, known to both servers, used once on this one."""
        least = min(least * SLOW, 45)
        while True:
            key = self.key("read", rate=rate)
            self.other.wait_until(lambda: self.other.get("/v1/marts", **bearer(key)).status != 401, "the key holds there")
            if rate_of(self.server.get("/v1/me", **bearer(key)))[2] >= least:
                return key

    def remaining(self, server, key):
        return server.get("/v1/limits", **bearer(key)).json["data"]["quota"]["remaining"]

    def test_what_one_server_gave_out_is_gone_on_the_other(self):
        key = self.key_with_time(rate=100, least=15)
        for _ in range(30):
            self.server.get("/v1/me", **bearer(key))
        before = self.remaining(self.server, key)
        self.other.wait_until(lambda: self.remaining(self.other, key) < before, "the other server knows", timeout=2)
        self.assertNotEqual(self.redis.command("KEYS", "cmmc:rate:1:*"), [])

    def test_two_servers_give_out_little_more_than_one_quota(self):
        key = self.key_with_time(rate=100, least=15)
        allowed = 0
        for i in range(400):  # about 2 ms each, so some 75 go to each server between two exchanges; paced to some 20
            server = self.server if i % 2 else self.other
            allowed += server.get("/v1/me", **bearer(key)).status == 200
            time.sleep(0.005)
        self.assertGreaterEqual(allowed, 90)
        self.assertLess(allowed, 140)
        for server in (self.server, self.other):
            self.assert_problem(server.get("/v1/me", **bearer(key)), "rate-limited")

    def test_without_redis_each_server_counts_alone_and_shares_again_afterwards(self):
        self.redis.stop()
        try:
            key = self.key_with_time(rate=20, least=15)
            counts = [[server.get("/v1/me", **bearer(key)).status for _ in range(30)].count(200) for server in (self.server, self.other)]
            self.assertTrue(all(15 <= count <= 20 for count in counts), counts)
        finally:
            self.redis.start()
        key = self.key_with_time(rate=100, least=30)
        for _ in range(30):
            self.server.get("/v1/me", **bearer(key))
        self.other.wait_until(lambda: self.remaining(self.other, key) < 80, "they share again", timeout=10)

    def test_damaged_and_lost_counts_let_nobody_out_and_nobody_in(self):
        key = self.key_with_time(rate=50, least=20)
        number = int(key.split("_")[1])
        for _ in range(10):
            self.server.get("/v1/me", **bearer(key))
        written = functools.partial(self.redis.command, "KEYS", f"cmmc:rate:1:{number:x}:*")
        self.server.wait_until(written, "the counts in Redis")
        name = written()[0]
        before = self.remaining(self.server, key)
        for damage in (f"SET {name} nonsense", f"SET {name} 999999999999", f"SET {name} -5", f"DEL {name}", "FLUSHALL"):
            with self.subTest(damage):
                self.redis.command(*damage.split())
                time.sleep(0.4)
                now = self.remaining(self.server, key)
                self.assertGreater(now, 0)
                self.assertLess(now, before)
                before = now


if __name__ == "__main__":
    unittest.main()
