"""Hostile requests to every route of the table: refused in one shape, never a crash, never a 500, never a word of ours.

Each case runs on both databases. What is random is drawn from SEED, so that a failure comes back.
"""

import base64
import hashlib
import http.client
import json
import random
import re
import unittest
import urllib.parse

from support.backend import Postgresql, Sqlite
from support.keys import bearer, make_key
from support.problems import PROBLEMS, Assertions, values_as_sent
from support.server import IS_SANITIZED, SLOW, run

SEED = 20261122
ROUNDS = 300 if IS_SANITIZED else 2500

# A good value for each path parameter, so that what is wrong with a request is what the test put into it.
GOOD = {"mart": "mart_instrument", "uid": "stock:US.AAPL", "key": "stock:US.AAPL", "column": "uid", "file": "latest.csv.gz", "market": "KRX",
        "slug": "not-found", "id": "CPI:KOR", "article_id": "1", "dataset": "coin", "name": "coin-daily"}
# Words that no answer may hold: SQL, names of ours inside the database, paths and hosts of the machine, source files.
PRIVATE = re.compile(r"SELECT |INSERT |\bWHERE\b|\bgen_[a-z]|sqlite|postgres(?!t)|libpq|microhttpd|127\.0\.0\.1|/tmp/|/home/|/work/|\.[ch]:\d|"
                     r"\.db\b|0x[0-9a-f]{6,}|errno|Traceback", re.IGNORECASE)
SPICE = ["'", '"', "\\", ";", "'; DROP TABLE gen_instrument; --", "' OR '1'='1", "$1", "%", "_", "*", "/*", "--", "(", ")", "),(", ",", ".",
         "..", "{}", "[]", "?", "NULL", "null", "nan", "-inf", "1e999", "9" * 40, "-1", "0", "2020-02-30", "0001-01-01", "9999-12-31", "가", "😀",
         "\u0130", "\u202e", "a" * 900, "%s%n%n", "E'\\x27'", "<script>", "\x7f", "\r\nSet-Cookie: a=b", "\0", "../../etc/passwd", "pg_sleep(9)"]
OPERATORS = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "is", "isdistinct", "like", "ilike", "fts", "not.eq", "not.in", "not.is", "not.fts", "xx"]


def quote(text):
    return urllib.parse.quote(text, safe="")


class Hostile(Assertions):
    backend_type = None

    @classmethod
    def setUpClass(cls):
        cls.routes = json.loads(run("routes", "--json").stdout)
        cls.backend = cls.backend_type()
        cls.admin = bearer(make_key(**cls.backend.settings))
        cls.server = cls.backend.server(rate_failures=0, db_statement_ms=5000).start()
        cls.connection = http.client.HTTPConnection("127.0.0.1", cls.server.port, timeout=30 * SLOW)

    @classmethod
    def tearDownClass(cls):
        cls.connection.close()
        cls.server.stop()

    def address(self, route, **values):
        return re.sub(r"\{(\w+)\}", lambda found: quote(values.get(found[1], GOOD[found[1]])), route["path"])

    def templates(self, listener="data"):
        return [route for route in self.routes if route["listener"] == listener]

    def send(self, method, target, body=None, headers=None):
        """Over a connection that is kept, because thousands are sent."""
        headers = {**{name.title(): value for name, value in self.admin.items()}, **(headers or {})}
        for is_last in (False, True):
            try:
                self.connection.request(method, target, body=body, headers=headers)
                answer = self.connection.getresponse()
                text = answer.read()
                if answer.getheader("Content-Type") == "application/problem+json" and text:
                    self.assertIsNone(values_as_sent(target, headers, body, json.loads(text)), (target, body))
                return answer, text
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection.close()  # it was closed after the last answer, as that said
                if is_last:
                    raise

    def assert_refusal(self, answer, body, target, is_odd=False):
        """
        Whatever is 4xx is a problem with a type of the table, in the mount's own shape below /rest/v1/. Of 5xx only 501 may be,
        for a method that nobody has (is_odd).
        """
        said = (target[:300], answer.status, body[:600])
        self.assertTrue(answer.status < 500 or answer.status == 501 and is_odd, said)
        if answer.status < 400:
            return
        document = json.loads(body) if body else {}
        if target.startswith("/rest/v1/") and answer.getheader("Content-Type").startswith("application/json"):
            self.assertLessEqual({"code", "message", "details", "hint"}, set(document), said)
        else:
            self.assertEqual(answer.getheader("Content-Type"), "application/problem+json", said)
            http_status, code, title = PROBLEMS[document["type"].removeprefix("/docs/problems/")]
            self.assertEqual((document["status"], document["code"], document["title"]), (http_status, code, title), said)
            self.assertEqual(document["status"], answer.status, said)
        if answer.status == 405:
            self.assertTrue(answer.getheader("Allow"), said)
        if answer.status == 401:
            self.assertIn("Bearer", answer.getheader("WWW-Authenticate"), said)
        # What the client sent may be said back, in quotes or as a value; nothing else may.
        own = [urllib.parse.unquote_plus(target)] + [urllib.parse.unquote_plus(part) for part in re.split(r"[/?&=.,()]", target)]
        texts = [re.sub(r'"[^"]*"?', "", document.get("detail") or document.get("message") or "")]
        texts += [str(error.get("allowed", "")) for error in document.get("errors", [])]
        for text in texts:
            for part in own:
                text = text.replace(part, "") if len(part) > 2 else text
            self.assertIsNone(PRIVATE.search(text), said)

    # ---- 70, 72, 74: every refusal of every route -------------------------------------------------------------------

    def test_every_refusal_of_every_route_is_a_problem_with_a_page(self):
        types = set()
        for route in self.templates():
            target, method = self.address(route), route["method"]
            tries = [(method, target + "?no_such_parameter=1", None, {}), (method, target + "?limit=1&limit=2", None, {}),
                     (method, target + "?a=%zz", None, {}), (method, target + "?a=%00", None, {}), (method, target + "?=1", None, {}),
                     (method, target + "?format=nonsense", None, {}), (method, target + "?generation=99999999", None, {}),
                     (method, target, None, {"Accept": "image/png"}), (method, target, None, {"Accept-Encoding": "identity;q=0, *;q=0"}),
                     (method, target, None, {"Authorization": "Bearer cmmc_wrong"}), (method, target, None, {"Authorization": "Digest x"}),
                     (method, target, None, {"Expect": "a-miracle"}), (method, target + "/", None, {}), (method, target + "/%2e%2e", None, {})]
            tries += [(other, target, None, {}) for other in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "BREW")]
            if method == "POST":
                tries += [(method, target, body, {"Content-Type": kind}) for kind, body in
                          (("application/json", b"{"), ("application/json", b"[]"), ("application/json", b'{"a":1,"a":2}'), ("text/xml", b"<a/>"),
                           ("application/json", b'{"no_such_member":1}'), ("application/json", b"\xff\xfe"), ("application/json", b"[" * 5000),
                           ("application/json", b'"' + b"a" * 2000000 + b'"'))]
            for name in re.findall(r"\{(\w+)\}", route["path"]):
                tries += [(method, self.address(route, **{name: text}), None, {}) for text in ("nope", "'", "a" * 1200, "\0", "..", "a/b", "가")]
            for method_, address, body, headers in tries:
                with self.subTest(route=route["path"], method=method_, target=address[:120], headers=headers):
                    answer, text = self.send(method_, address, body, headers)
                    self.assert_refusal(answer, text, address, is_odd=method_ in ("get", "BREW"))
                    if answer.status >= 400 and answer.getheader("Content-Type") == "application/problem+json":
                        types.add(json.loads(text)["type"])
        self.assertGreater(len(types), 15, types)
        for page in sorted(types):
            self.assertEqual(self.send("GET", page)[0].status, 200, page)

    def test_ops_routes_refuse_in_the_same_shape(self):
        for route in self.templates("ops"):
            for method, target in (("POST", route["path"]), ("GET", route["path"] + "/x"), ("GET", route["path"] + "?no_such=1"),
                                   ("GET", route["path"] + "?a=%zz")):
                answer = self.server.ops.request(method, target)
                if answer.status >= 400:
                    self.assertEqual(answer.media_type, "application/problem+json", answer)
                    self.assertIn(answer.json["type"].removeprefix("/docs/problems/"), PROBLEMS)
                self.assertLess(answer.status, 500)

    def test_suggestions_are_names_that_anyone_may_see(self):
        """What is near to a table, a role or a column of ours is no reason to name it."""
        marts = {row["name"] for row in self.server.get("/v1/marts").json["data"]}
        for name in ("gen_instrument", "mart_gen_instrument", "api_key", "mart_api_key", "publication", "mart_publication", "mart_generation",
                     "schema_migration", "pg_class", "sqlite_master", "mart_price_dayly"):
            answer = self.server.get(f"/v1/marts/{name}/rows")
            self.assertEqual(answer.status, 404, name)
            self.assertIn(answer.json["errors"][0].get("suggestion", next(iter(marts))), marts)
        columns = {column["name"] for column in self.server.get("/v1/marts/mart_instrument").json["data"]["columns"]}
        for name in ("gen_from", "gen_to", "valid_from", "ctid", "xmin", "rowid", "oid", "tableoid"):
            for query in (f"select={name}", f"order={name}", f"{name}=eq.1"):
                answer = self.server.get(f"/v1/marts/mart_instrument/rows?{query}")
                self.assertEqual(answer.status, 400, query)
                self.assertIn(answer.json["errors"][0].get("suggestion", "uid"), columns | {"limit", "order", "select", "format"}, query)

    # ---- 71, 78: random queries -------------------------------------------------------------------------------------

    def draw_sense(self, source, path, columns):
        """A query string of which most parts mean something on this route, so that the database has work; one may be spoilt."""
        text, many = source.choice(columns), ",".join(source.sample(columns, min(len(columns), 3)))
        literal = source.choice(["stock:US.AAPL", "2024-02-29", "1", "-1.5", "true", "1e3", "0.000000001", "9" * 30, "x", "", "null"])
        parts = {"rows": [f"select={many}", f"order={text}.desc", f"order={text}.asc.nullsfirst", "limit=3", "limit=all&format=csv", "count=exact",
                          "count=estimated", "shape=arrays", "shape=columns", "numbers=string", "nulls=drop", "format=ndjson", "format=arrow", "offset=2",
                          "generation=1", "last=30d", "from=2024-01-01", f"{text}={source.choice(OPERATORS)}.{literal}",
                          f"or=({text}.{source.choice(OPERATORS)}.{literal},not.and({text}.is.null,{columns[0]}.eq.{literal}))", f"{text}=in.({literal},b)"],
                 "values": ["limit=3", "prefix=a", f"{text}=eq.{literal}"], "facets": [f"by={many}", "top=2", f"{text}=neq.{literal}"],
                 "aggregate": [f"group={text}", f"metrics=count:*,min:{text}", f"metrics=avg:{text}", "group=date:month", f"order={text}", "limit=2"],
                 "prices": ["last=30d", "interval=1w", "interval=1mo", "adjust=all", "adjust=splits", "currency=KRW", "fields=close", "transform=pch",
                            "limit=5", "format=csv", "instruments=stock:US.AAPL,index:SPX", "layout=wide&field=close"],
                 "observations": ["frequency=a", "aggregation=avg", "transform=pc1", "as_of=2024-01-01", "vintages=all", "limit=2"],
                 "mart_rest": [f"select={many}", f"{text}=eq.{literal}", "limit=2", f"order={text}.desc", f"or=({text}.is.null,{text}.gt.{literal})"]}
        kind = "mart_rest" if path.startswith("/rest/") else path.rsplit("/", 1)[1].split(":")[0]
        chosen = source.sample(parts.get(kind, parts["values"]), source.randint(1, 2 if kind not in parts else 3))
        chosen = ["=".join(quote(half) if i else half for i, half in enumerate(part.split("=", 1))) if "&" not in part else part for part in chosen]
        if source.random() < 0.2:
            chosen.append(source.choice(["limit=", "x=1", "select=" + quote(source.choice(SPICE)), text + "=" + quote(source.choice(SPICE)), "%"]))
        return "&".join(chosen)

    def draw(self, source, columns):
        """One query string, of parts that mean something somewhere, of parts that never do, or of any characters at all."""
        names = ["select", "order", "limit", "offset", "cursor", "count", "format", "shape", "numbers", "nulls", "header", "bom", "csv", "buffer",
                 "generation", "from", "to", "last", "or", "and", "q", "section", "group", "metrics", "by", "top", "prefix", "interval", "adjust",
                 "currency", "fields", "layout", "field", "transform", "frequency", "aggregation", "as_of", "vintages", "instruments", "asset_class",
                 "market", "active", "after", "with", "window", "benchmark", "", *columns]
        words = ["all", "max", "none", "exact", "estimated", "json", "csv", "ndjson", "arrow", "rows", "bare", "columns", "date:month", "avg:close",
                 "count:*", "1y", "1mo", "pch", "desc", "uid.desc.nullslast", "a:uid", *columns, *SPICE]
        parts = []
        for _ in range(source.randint(1, 4)):
            name = source.choice(names) if source.random() < 0.9 else "".join(chr(source.randint(32, 0x2ff)) for _ in range(5))
            kind = source.random()
            if kind < 0.35:
                value = source.choice(OPERATORS) + "." + source.choice(SPICE + words)
            elif kind < 0.5:
                value = "(" * source.randint(1, 6) + ",".join(f"{source.choice(columns)}.{source.choice(OPERATORS)}.{source.choice(words)}"
                                                             for _ in range(source.randint(1, 5))) + ")" * source.randint(0, 6)
            elif kind < 0.85:
                value = source.choice(words)
            else:
                value = "".join(chr(source.randint(0, 255)) for _ in range(source.randint(0, 30)))
            is_raw = source.random() < 0.05  # escapes that are none, and separators where they hurt
            safe = "%&=+;/?:@!$'()*,." if is_raw else ":(),.*"
            parts.append(urllib.parse.quote(name, safe=safe) + "=" + urllib.parse.quote(value, safe=safe))
        return "&".join(parts)

    def test_random_queries_are_answered_or_refused_and_never_500(self):
        source = random.Random(SEED)
        columns = {name: [column["name"] for column in self.server.get(f"/v1/marts/{name}").json["data"]["columns"]]
                   for name in (row["name"] for row in self.server.get("/v1/marts").json["data"])}
        routes = [route for route in self.templates() if route["method"] == "GET"]
        marts = [route for route in routes if "{mart}" in route["path"]]
        seen = {}
        for i in range(ROUNDS):
            route = source.choice(marts if i % 2 else routes)
            mart = source.choice(list(columns))
            values = {"mart": mart, "column": source.choice(columns[mart])}
            query = self.draw(source, columns[mart]) if i % 3 else self.draw_sense(source, route["path"], columns[mart])
            target = self.address(route, **values) + "?" + query
            answer, body = self.send("GET", target)
            self.assert_refusal(answer, body, target)
            seen[answer.status] = seen.get(answer.status, 0) + 1
        self.assertGreater(seen.get(200, 0), ROUNDS // 50, seen)
        self.assertGreater(seen.get(400, 0), ROUNDS // 10, seen)
        self.assertEqual(self.server.get("/v1/marts").status, 200)

    # ---- 75, 76, 77: paths and injection on every resource ----------------------------------------------------------

    def test_no_spelling_of_a_path_leads_anywhere_else(self):
        """Sent byte by byte as they are: a client library would tidy them."""
        bad = ["%2F", "%2f", "%00", "%2e%2e", "%2E%2E/%2E%2E", "..", "./x", "//", "%c0%ae%c0%ae", "%e0%80%af", "%ff", "%zz", "%", "a%5cb", "a%0d%0aX: y"]
        for route in self.templates():
            names = re.findall(r"\{(\w+)\}", route["path"])
            for name in names:
                for text in bad:
                    target = re.sub(r"\{(\w+)\}", lambda found, name=name, text=text: text if found[1] == name else quote(GOOD[found[1]]), route["path"])
                    received = self.server.data.raw(f"{route['method']} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                    with self.subTest(target):
                        self.assertEqual(len(re.findall(rb"^HTTP/1\.1 \d", received, re.M)), 1)
                        self.assertRegex(received, rb"^HTTP/1\.1 (400|401|404|405) ")
                        self.assertNotIn(b"\r\nX: y", received)

    def test_plus_is_a_space_in_a_query_and_itself_in_a_path(self):
        rows = "/v1/marts/mart_instrument/rows?select=uid&name=eq."
        found = [self.server.get(rows + name).json for name in ("Apple+Inc.", "Apple%20Inc.", "Apple%2BInc.")]
        self.assertEqual([len(one["data"]) for one in found], [1, 1, 0])
        self.assertEqual(found[0]["links"]["canonical"], found[1]["links"]["canonical"])
        self.assertEqual(self.server.get("/v1/instruments/stock:US.A+B").json["detail"].count("A+B"), 1)

    def test_text_of_clients_is_only_ever_a_value(self):
        """In each parameter of each resource: refused, or not found, and what is there afterwards is what was there."""
        before = self.server.get("/v1/marts").json["data"]
        rows = "/v1/marts/mart_price_daily"
        one = "/v1/instruments/stock:US.AAPL"
        places = [rows + "/values/{}", rows + "/values/uid?prefix={}&limit=2", rows + "/facets?by={}", rows + "/facets?by=uid&uid=eq.{}&top=1",
                  rows + "/aggregate?group={}&metrics=avg:close&uid=eq.x", rows + "/aggregate?metrics={}&uid=eq.x",
                  rows + "/aggregate?group=uid&metrics=count:*&order={}&uid=eq.x", rows + "/aggregate?metrics=count:*&uid=eq.{}",
                  rows + "/rows/{}", rows + "/rows/stock:US.AAPL,{}", rows + "/rows?select={}", rows + "/rows?select={}:uid&limit=1",
                  rows + "/rows?cursor={}", rows + "/rows?order={}", rows + "/rows?generation={}", rows + "/rows?last={}", rows + "/export/{}",
                  "/rest/v1/mart_instrument?uid=eq.{}", "/rest/v1/mart_instrument?select={}", "/rest/v1/mart_instrument?order={}",
                  "/rest/v1/mart_instrument?or=({})", "/rest/v1/{}?limit=1", one + "/prices?fields={}", one + "/prices?interval=1w&currency={}",
                  one + "/prices?interval={}", one + "/prices?transform={}", one + "/risk?benchmark={}", one + "/correlations?with={}",
                  "/v1/prices?instruments={}", "/v1/prices?instruments=stock:US.AAPL&layout=wide&field={}&last=5d", "/v1/prices/latest?asset_class={}",
                  "/v1/indicators?q={}", "/v1/indicators/{}", "/v1/indicators/{}/observations", "/v1/indicators/CPILFESL:USA/observations?as_of={}",
                  "/v1/news?q={}", "/v1/news?section={}", "/v1/news/daily?section={}", "/v1/news/keywords?section={}", "/v1/news/{}", "/v1/calendars/{}",
                  "/v1/calendars/{}/sessions", "/v1/calendars/XKRX/sessions?from={}", "/v1/calendars/XKRX/next-open?after={}",
                  "/docs/problems/{}", "/v1/backtests/{}", "/v1/backtests/{}/equity"]
        for place in places:  # the addresses are there: what is refused is the text
            asked = place.partition("?")[0]
            if "{}" not in asked and asked != "/v1/prices":
                self.assertNotEqual(self.send("GET", asked)[0].status, 404, place)
            for text in SPICE:
                target = place.format(quote(text))
                answer, body = self.send("GET", target)
                with self.subTest(target[:200]):
                    self.assert_refusal(answer, body, target)
                    self.assertNotIn("Set-Cookie", [name for name, _ in answer.getheaders()])
        for text in SPICE:
            for document in ({"instruments": [text]}, {"instruments": ["stock:US.AAPL"], "fields": [text]}, {text: 1}):
                answer, body = self.send("POST", "/v1/prices:query", json.dumps(document).encode(), {"Content-Type": "application/json"})
                self.assert_refusal(answer, body, "/v1/prices:query?" + quote(text))
        self.assertEqual(self.server.get("/v1/marts").json["data"], before)

    def test_made_up_cursors_are_refused_or_begin_a_page(self):
        """Whoever knows how a cursor is checked can make one: values that no row has, of every type of column."""
        def forge(link, value):
            cursor = re.search(r"cursor=([^&]+)", link)[1]
            plain, _, digest = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).rpartition(b"|")
            *head, values = plain.split(b"|", 3)
            rest = values[1:] if values[:1] == b"n" else values[values.index(b":") + 1 + int(values[:values.index(b":")]):]
            made = b"|".join(head) + b"|" + (b"n" if value is None else b"%d:%s" % (len(value), value)) + rest
            made += b"|" + hashlib.sha256(made).hexdigest()[:len(digest)].encode()
            return link.replace(cursor, base64.urlsafe_b64encode(made).rstrip(b"=").decode())

        for mart, column in (("mart_fx_daily", "date"), ("mart_fx_daily", "rate"), ("mart_fx_daily", "known_at"), ("mart_fx_daily", "is_cross"),
                             ("mart_news_article", "word_count"), ("mart_news_article", "headline")):
            link = self.server.get(f"/v1/marts/{mart}/rows?limit=2&order={column}").json["links"]["next"]
            self.assertNotEqual(forge(link, b"1"), link)
            for value in (b"abc", b"", b"NaN", b"infinity", b"1e5", b"9" * 300, b"2020-02-30", b"'; DROP TABLE x", b"\xff", b"\0", None):
                with self.subTest(mart, column=column, value=value):
                    answer, body = self.send("GET", forge(link, value))
                    if answer.status != 200:
                        self.assertEqual(answer.status, 400, body)
                        self.assert_refusal(answer, body, link)

    def test_nothing_sent_becomes_a_header_of_an_answer(self):
        """Line ends in an alias, a cursor, a name of a file and in headers that come back."""
        end = "%0d%0aX-Injected:%20yes"
        for target in (f"/v1/marts/mart_instrument/rows?select=a{end}:uid&format=csv", f"/v1/marts/mart_instrument/rows?cursor=abc{end}",
                       f"/v1/marts/mart_instrument/export/1.csv.gz{end}", f"/v1/marts/mart_instrument{end}/rows?format=csv",
                       f"/v1/instruments/stock:US.AAPL{end}/prices?format=csv", f"/v1/instruments?q=a{end}", f"/rest/v1/mart_instrument?select=b{end}:uid",
                       f"/v1/marts/mart_instrument/rows?uid=eq.{end}&limit=1", f"/docs/problems/a{end}"):
            received = self.server.data.raw(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            head = received.partition(b"\r\n\r\n")[0]
            self.assertNotRegex(head, rb"(?im)^X-Injected:", target)
        for header in ("X-Request-Id: a\x0bX-Injected: yes", "traceparent: 00-\x0bX-Injected: yes", "Prefer: count=exact\x0bX-Injected: yes"):
            received = self.server.data.raw(f"GET /v1/marts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n\r\n".encode())
            self.assertNotRegex(received, rb"(?im)^X-Injected:", header)

    def test_patterns_that_explode_elsewhere_end_in_time(self):
        bombs = ["*a" * 100 + "*b", "*" * 400, "%" * 400 + "x", "_%" * 150, "*" + "a" * 500 + "*" * 300]
        run = ["*a" * 15 + "*\x7f", "%e%" * 8 + "~", "*_" * 15 + "*~", "*" + "e*" * 15, "_" * 300 + "*"]  # as many wildcards as are allowed
        for bomb in bombs + run:
            for target in (f"/v1/marts/mart_news_article/rows?limit=1&abstract=like.{quote(bomb)}", f"/v1/marts/mart_news_article/rows?limit=1&headline=ilike.{quote(bomb)}",
                           f"/v1/news?q={quote(bomb[:200])}", f"/rest/v1/mart_instrument?limit=1&name=like.{quote(bomb)}"):
                with self.subTest(target[:100]):
                    self.connection.close()
                    self.connection.timeout = 10 * SLOW
                    answer, body = self.send("GET", target)
                    if bomb in run and "like" in target and "\x7f" not in bomb:
                        self.assertIn(answer.status, (200, 504), body)  # 504 is the bound, said so
                    if answer.status != 504:
                        self.assert_refusal(answer, body, target)

    # ---- 28: preflights ---------------------------------------------------------------------------------------------

    def test_every_route_answers_a_preflight_for_its_own_methods(self):
        methods = {}
        for route in self.templates():
            methods.setdefault(self.address(route), set()).add(route["method"])
        for target, own in methods.items():
            for asked in ("GET", "POST", "DELETE", "PUT"):
                for origin in ("http://a.example", "null"):
                    answer = self.server.data.request("OPTIONS", target, headers={
                        "Origin": origin, "Access-Control-Request-Method": asked, "Access-Control-Request-Headers": "authorization, if-none-match"})
                    with self.subTest(target, asked=asked, origin=origin):
                        self.assertEqual((answer.status, answer.body), (204, b""))
                        self.assertEqual(answer.header("Access-Control-Allow-Origin"), "*")
                        allowed = set(answer.header("Access-Control-Allow-Methods").split(", "))
                        self.assertLessEqual(own, allowed)
                        self.assertEqual(asked in allowed, asked in own)
                        headers = answer.header("Access-Control-Allow-Headers").lower()
                        self.assertTrue("authorization" in headers and "if-none-match" in headers, headers)
                        self.assertEqual(answer.header("Access-Control-Max-Age"), "86400")
        missing = self.server.data.request("OPTIONS", "/nowhere", headers={"Origin": "http://a.example", "Access-Control-Request-Method": "GET"})
        self.assertEqual(missing.status, 404)
        exposed = self.server.data.request("GET", "/v1/marts", headers={"Origin": "http://a.example"}).header("Access-Control-Expose-Headers")
        for name in ("ETag", "Link", "Cache-Status", "RateLimit", "Location", "Retry-After", "Preference-Applied", "Server-Timing", "X-Request-Id"):
            self.assertIn(name, exposed)


class HostileOnSqlite(Hostile, unittest.TestCase):
    backend_type = Sqlite


class HostileOnPostgresql(Hostile, unittest.TestCase):
    backend_type = Postgresql


class Origins(unittest.TestCase):
    """What cors_origin says is what browsers are told, and nothing for anybody else."""

    def test_one_origin_or_none(self):
        for setting, origin, told in (("http://a.example", "http://a.example", "http://a.example"), ("http://a.example", "http://b.example", None),
                                      ("", "http://a.example", None)):
            with Sqlite().server(cors_origin=setting) as server:
                for method, extra in (("OPTIONS", {"Access-Control-Request-Method": "GET"}), ("GET", {})):
                    answer = server.data.request(method, "/v1/marts", headers={"Origin": origin, **extra})
                    with self.subTest(setting, origin=origin, method=method):
                        said = answer.header("Access-Control-Allow-Origin")
                        self.assertIn(said, (told, "http://a.example") if setting and told is None else (told,))
                        self.assertNotEqual(said, "http://b.example")


if __name__ == "__main__":
    unittest.main()
