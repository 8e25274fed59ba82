"""The server's own tables against openapi.yaml, in both directions, and every operation's live answers against it."""

import functools
import json
import re
import unittest

from support import schema
from support.keys import bearer, make_key
from support.problems import PROBLEMS, ROOT
from support.server import Server, run, sample_var_dir

# Parameters without which an operation has no answer.
REQUIRED = {"/v1/prices": "?instruments=stock:US.AAPL,index:SPX", "/v1/calendars/{market}": "?date=2020-01-24",
            "/v1/calendars/{market}/next-open": "?after=2020-01-24"}
ALWAYS_READABLE = {"Cache-Control", "Content-Length", "Content-Type", "Last-Modified"}  # by pages of any origin (Fetch, 3.3.4)
NOT_FOR_PAGES = {"Content-Encoding", "Content-Security-Policy", "Trailer", "Vary"}  # the browser's own business
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
REQUEST = {"assets": [{"uid": "stock:US.AAPL", "weight": 0.6}, {"uid": "stock:US.JPM", "weight": 0.4}],
           "start": "2015-01-02", "end": "2016-12-30", "benchmark": "index:SPX", "monkeys": {"count": 20, "seed": 1}}


def examples_of(node):
    return [one["value"] if isinstance(one, dict) and "value" in one else one
            for one in (node["examples"].values() if isinstance(node.get("examples"), dict) else node.get("examples", []))] or (
                [node["example"]] if "example" in node else [])


@functools.lru_cache(maxsize=None)
def route_table():
    done = run("routes", "--json", var_dir="unused")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def with_parameter(target, parameter):
    return f"{target}{'&' if '?' in target else '?'}{parameter}"


def described():
    return {(method.upper(), path): operation for path, item in schema.openapi()["paths"].items()
            for method, operation in item.items() if method in METHODS}


SWEEP = {"base": REQUEST, "axes": [{"pointer": "/rebalance", "values": ["monthly", "never"]}]}

# What is no answer to a request: what nobody is there to read, and what the outcome of a job says.
OUTCOMES = {"source-down", "source-refused"}
ELSEWHERE = {"client-gone"} | OUTCOMES


class Tables(unittest.TestCase):
    def test_every_route_is_described_and_every_description_has_a_route(self):
        self.assertEqual({(route["method"], route["path"]) for route in route_table()}, set(described()))

    def test_summaries_are_those_of_the_route_table(self):
        operations = described()
        for route in route_table():
            with self.subTest(route["path"]):
                self.assertEqual(operations[route["method"], route["path"]]["summary"], route["summary"])

    def test_path_parameters_are_those_in_the_path(self):
        for (method, path), operation in described().items():
            with self.subTest(path):
                parameters = [schema.resolve(parameter) for parameter in operation.get("parameters", ())]
                names = [one["name"] for one in parameters if one["in"] == "path"]
                self.assertEqual(names, re.findall(r"\{(\w+)\}", path))

    def test_ops_routes_name_the_ops_listener_as_their_server(self):
        for route in route_table():
            with self.subTest(route["path"]):
                servers = schema.openapi()["paths"][route["path"]].get("servers")
                self.assertEqual(servers is not None, route["listener"] == "ops")

    def test_operation_ids_are_unique(self):
        names = [operation["operationId"] for operation in described().values()]
        self.assertEqual(len(names), len(set(names)))

    def test_the_version_is_that_of_the_program(self):
        self.assertEqual(schema.openapi()["info"]["version"], (ROOT / "VERSION").read_text().strip())

    def test_a_route_that_takes_a_body_describes_it_and_its_limit_is_stated(self):
        operations = described()
        for route in route_table():
            with self.subTest(route["path"]):
                body = operations[route["method"], route["path"]].get("requestBody")
                self.assertEqual(body is not None, route["body_max_bytes"] > 0)
                if body:
                    self.assertIn({1 << 24: "16 MiB", 1 << 23: "8 MiB", 1 << 20: "1 MiB", 4096: "4 KiB"}[route["body_max_bytes"]], body["description"])

    def test_every_parameter_has_an_example_that_fits_it(self):
        for method, path in described():
            for one in schema.operation(method, path).get("parameters", ()):
                one = schema.resolve(one)
                shape = schema.resolve(one["schema"])
                if one["name"] == "cursor":  # only what was given out means anything
                    continue
                with self.subTest(path, parameter=one["name"]):
                    given = examples_of(one) or examples_of(shape) or shape.get("enum") or [shape["const"]]
                    for example in given:
                        self.assertEqual(list(schema.errors(shape, example)), [])

    def test_every_document_that_is_read_has_an_example_that_fits_it(self):
        """All problems, and all JSON of what is read; what jobs and backtests answer is too long for one."""
        for method, path in described():
            for status, response in schema.operation(method, path)["responses"].items():
                for media_type, content in schema.resolve(response).get("content", {}).items():
                    is_read = method == "GET" and not re.match(r"/(v1/(backtests|jobs)|openapi\.|docs/postman)", path)
                    with self.subTest(path, status=status, media_type=media_type):
                        is_json = media_type.endswith(("/json", "+json"))
                        if media_type == "application/problem+json" or is_read and is_json and "pgrst" not in media_type:
                            self.assertTrue(examples_of(content))
                        for example in examples_of(content) if is_json else ():
                            self.assertEqual(list(schema.errors(content["schema"], example)), [])

    def test_problem_types_are_those_of_the_status_table(self):
        problem = schema.openapi()["components"]["schemas"]["Problem"]["properties"]
        self.assertEqual(problem["type"]["enum"], [f"/docs/problems/{slug}" for slug in PROBLEMS])
        self.assertEqual(problem["code"]["enum"], [code for _, code, _ in PROBLEMS.values()])

    def test_every_problem_that_a_response_names_exists_and_has_its_status(self):
        operations = described()
        for (method, path), operation in operations.items():
            for status, response in operation["responses"].items():
                text = schema.resolve(response)["description"]
                named = re.findall(r"[Pp]roblems?((?:,? `[a-z-]+`)+)", text)
                for slug in re.findall(r"`([a-z-]+)`", " ".join(named)):
                    with self.subTest(path=path, status=status, slug=slug):
                        self.assertEqual(str(PROBLEMS[slug][0]), status)

    def test_every_problem_that_a_client_can_see_is_named_by_a_response(self):
        texts = [response["description"] for response in schema.openapi()["components"]["responses"].values()]
        named = {slug for text in texts for slug in re.findall(r"`([a-z-]+)`", text)}
        self.assertEqual(set(PROBLEMS) - named, ELSEWHERE)

    def test_problems_of_jobs_alone_are_named_by_the_job(self):
        text = schema.openapi()["components"]["schemas"]["JobDocument"]["properties"]["data"]["properties"]["problem"]["description"]
        self.assertLessEqual({(slug, PROBLEMS[slug][1]) for slug in OUTCOMES}, set(re.findall(r"`([a-z-]+)` \((\w+)", text)))

    def test_every_status_that_a_client_can_see_is_described_somewhere(self):
        statuses = {status for operation in described().values() for status in operation["responses"]}
        seen = {str(http) for slug, (http, _, _) in PROBLEMS.items() if slug not in ELSEWHERE}
        self.assertEqual(seen - statuses, set())

    def test_reasons_of_undefined_metrics_are_those_of_the_engine(self):
        rows = re.findall(r'^REASON\(\w+, "([^"]+)"', (ROOT / "backtest" / "reasons.def").read_text(), re.MULTILINE)
        metric = schema.openapi()["components"]["schemas"]["Metric"]
        self.assertEqual(metric["properties"]["reason"]["enum"], rows)

    def test_operations_name_the_refusals_that_their_access_allows(self):
        operations = described()
        for route in route_table():
            expected = set()
            if route["listener"] == "data":
                expected = {"401", "429"} if route["access"] == "public" else {"401", "403", "429"}
            with self.subTest(route["path"], method=route["method"]):
                operation = operations[route["method"], route["path"]]
                self.assertEqual(set(operation["responses"]) & {"401", "403", "429"}, expected)
                needs_key = {} not in operation.get("security", schema.openapi()["security"])
                self.assertEqual(needs_key, route["access"] == "admin")

    def test_examples_follow_their_schemas(self):
        checked = 0
        for (_, path), operation in described().items():
            bodies = [operation.get("requestBody", {})] + [schema.resolve(one) for one in operation["responses"].values()]
            for content in [one.get("content", {}) for one in bodies]:
                for media_type, media in content.items():
                    given = [media["example"]] if "example" in media else []
                    given += [one["value"] for one in media.get("examples", {}).values()]
                    for example in given:
                        with self.subTest(path=path, media_type=media_type):
                            self.assertEqual(list(schema.errors(media["schema"], example)), [])
                            checked += 1
        self.assertGreater(checked, 5)


class Live(unittest.TestCase):
    """One server; each operation is asked for every kind of answer that can be had without breaking anything."""

    @classmethod
    def setUpClass(cls):
        var_dir = sample_var_dir()
        cls.key = bearer(make_key(var_dir=var_dir))
        cls.server = Server(var_dir=var_dir).start()
        answer = cls.server.post("/v1/backtests", REQUEST)
        cls.backtest = answer.header("Location", "").rsplit("/", 1)[-1]
        answer = cls.server.post("/v1/backtests:sweep", SWEEP, prefer="wait=30", **cls.key)
        cls.job = answer.header("Location", "").rsplit("/", 1)[-1]

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def ask(self, method, template, target=None, status=200, body=None, **headers):
        listener = self.server.ops if schema.openapi()["paths"][template].get("servers") else self.server.data
        headers = {**self.key, "x_request_id": "described", **headers} if listener is self.server.data else headers
        if method == "POST":
            answer = listener.post(target or template, body, **headers)
        else:
            answer = listener.get(target or template, **headers)
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(schema.answer_errors(method, template, answer), [])
        required = schema.resolve(schema.operation(method, template)["responses"][str(status)]).get("headers", {})
        for name in set(required) & {"X-Request-Id", "ETag", "Cache-Control", "Location", "Allow"}:
            self.assertIsNotNone(answer.header(name), (name, answer))
        return answer

    def targets(self):
        """(template, target) of every GET operation."""
        for method, template in described():
            if method == "GET":
                ids = {"/v1/indicators/": "CPILFESL:USA", "/v1/jobs/": self.job}
                yield template, (template.replace("{mart}", "mart_fx_daily").replace("{uid}", "stock:US.AAPL")
                                 .replace("{id}", next((one for start, one in ids.items() if template.startswith(start)), self.backtest))
                                 .replace("{market}", "XKRX").replace("{article_id}", "28247305436868547")
                                 .replace("{key}", "EUR,KRW,2026-10-30").replace("{column}", "quote")
                                 .replace("{slug}", "unknown-column").replace("{file}", "1.csv.gz")) + REQUIRED.get(template, "")

    def test_every_get_answers_as_described(self):
        for template, target in self.targets():
            with self.subTest(template):
                self.ask("GET", template, target)

    def test_every_validator_gives_304_as_described(self):
        for template, target in self.targets():
            if "304" in schema.operation("GET", template)["responses"]:
                with self.subTest(template):
                    tag = self.ask("GET", template, target).header("ETag")
                    self.ask("GET", template, target, 304, if_none_match=tag)

    def test_every_get_refuses_an_unknown_parameter_as_described(self):
        for template, target in self.targets():
            with self.subTest(template):
                self.ask("GET", template, with_parameter(target, "zzz=1"), 400)

    def test_every_negotiated_get_answers_406_as_described(self):
        for template, target in self.targets():
            if "406" in schema.operation("GET", template)["responses"]:
                operation = schema.operation("GET", template)
                has_choice = any(schema.resolve(one)["name"] == "format" for one in operation["parameters"]) or template.startswith("/rest/")
                with self.subTest(template):
                    self.ask("GET", template, target, 406, **({"accept": "image/png"} if has_choice else {"accept_encoding": "*;q=0"}))

    def test_every_other_representation_answers_as_described(self):
        for template, target in self.targets():
            operation = schema.operation("GET", template)
            formats = [schema.resolve(one) for one in operation.get("parameters", ())]
            for name in [name for one in formats if one["name"] == "format" for name in one["schema"]["enum"]]:
                with self.subTest(template, format=name):
                    self.ask("GET", template, with_parameter(target, f"format={name}"))

    def test_every_address_refuses_other_methods_as_described(self):
        for template, target in self.targets():
            with self.subTest(template):
                listener = self.server.ops if schema.openapi()["paths"][template].get("servers") else self.server.data
                answer = listener.request("PATCH", target)
                self.assertEqual(answer.status, 405, answer)
                self.assertEqual(schema.answer_errors("GET", template, answer), [])
                self.assertIn("GET", answer.header("Allow", ""))

    def test_pages_of_other_origins_may_send_and_read_every_header_that_is_described(self):
        sent, read = {"Authorization"}, set()
        for operation in described().values():
            parameters = [schema.resolve(parameter) for parameter in operation.get("parameters", ())]
            sent |= {one["name"] for one in parameters if one["in"] == "header"}
            for response in operation["responses"].values():
                read |= set(schema.resolve(response).get("headers", ()))
        allowed = self.server.data.options("/v1/jobs/x", origin="http://a.example", access_control_request_method="GET").header("Access-Control-Allow-Headers")
        exposed = self.server.get("/v1/marts", origin="http://a.example").header("Access-Control-Expose-Headers")
        self.assertLessEqual(sent | {"*"}, set(allowed.split(", ")))
        self.assertLessEqual(read - ALWAYS_READABLE - NOT_FOR_PAGES, set(exposed.split(", ")))

    def test_unknown_names_are_404_as_described(self):
        for template, target in [("/v1/marts/{mart}", "/v1/marts/mart_nothing"),
                                 ("/v1/marts/{mart}/rows", "/v1/marts/mart_nothing/rows"),
                                 ("/v1/instruments/{uid}", "/v1/instruments/stock:US.NONE"),
                                 ("/v1/instruments/{uid}/prices", "/v1/instruments/stock:US.NONE/prices"),
                                 ("/v1/backtests/{id}", "/v1/backtests/" + "0" * 64),
                                 ("/v1/backtests/{id}/equity", "/v1/backtests/" + "0" * 64 + "/equity"),
                                 ("/docs/problems/{slug}", "/docs/problems/nothing")]:
            with self.subTest(template):
                self.ask("GET", template, target, 404)

    def test_backtests_answer_as_described(self):
        path = "/v1/backtests"
        fresh = {**REQUEST, "capital": 12345}
        self.ask("POST", path, status=201, body=fresh)
        self.ask("POST", path, status=200, body=fresh)
        self.ask("POST", path, status=303, body=fresh, prefer="return=minimal")
        self.ask("POST", path, status=400, body=b"{")
        self.ask("POST", path, status=415, body=b"a=1", content_type="application/x-www-form-urlencoded")
        self.ask("POST", path, status=422, body={**REQUEST, "capital": -1})
        self.ask("POST", path, status=406, body=fresh, accept="text/csv")

    def test_kinds_of_backtest_answer_as_described(self):
        for change in [{"monkeys": {"count": 0}, "benchmark": None}, {"rolling": {"window": 21, "metrics": ["sharpe", "beta"]}},
                       {"attribution": {"benchmark": {"stock:US.AAPL": 1}, "by": "group"}},
                       {"capacity": [1000, 1e9], "dividend_modes": True, "prices": "raw", "assets": [{"uid": "stock:KRX.000910", "weight": 1}],
                        "currency": "KRW", "benchmark": None, "start": "2018-01-02", "end": "2018-12-28"},
                       {"rebalance": {"bands": {"absolute": 0.05}}, "destination_modes": True, "currency_modes": True},
                       {"currency": "EUR", "currency_modes": {"rates": {"EUR": 0.01, "USD": {"indicator": "indicator:FF_RF:USA:M", "per": "month"}}}},
                       {"prices": "raw", "dividends": "cash", "cash_currency": "local", "spin_offs": "keep", "benchmark": None,
                        "assets": [{"uid": "stock:KRX.000910", "weight": 1}], "start": "2018-01-02", "end": "2018-12-28"},
                       {"inflation": "indicator:CPILFESL:USA:M", "withdrawals": {"years": 1}},
                       {"assets": None, "universe": ["stock:US.AAPL", "stock:KRX.900010", "coin:SIMBTCUSDT"],
                        "currency": "KRW", "strategy": "equal", "start": "2018-01-02", "end": "2018-12-28"},
                       {"assets": [{"uid": "stock:KRX.900060"}], "start": "2018-01-02", "end": None, "strategy": "equal",
                        "benchmark": "index:VIX", "currency": "KRW"},
                       {"on_weight_sum": "cash", "assets": [{"uid": "stock:US.AAPL", "weight": 0.5}],
                        "fill": "same_close", "rebalance": "yearly"}]:
            with self.subTest(change):
                self.ask("POST", "/v1/backtests", status=201, body={**REQUEST, **change})

    def test_track_records_answer_as_described(self):
        path, table = "/v1/metrics", b"return\n0.01\n"
        for example in schema.operation("POST", path)["requestBody"]["content"]["application/json"]["examples"].values():
            self.ask("POST", path, body=example["value"])
        self.ask("POST", path, body={"returns": [0.01, -0.02, 0.03], "aggregate": "monthly", "rolling": {"window": 2},
                                     "trades": [1, -2], "factors": [{"name": "f", "returns": [0, 0, 0]}]})
        self.ask("POST", path, body={"returns": [0.01, -0.02, 0.03] * 8, "bootstrap": {"count": 20, "mean_block": "politis_white"}})
        dated = {"prices": [100, 103, 99, 104], "dates": ["2018-01-31", "2018-02-28", "2018-03-31", "2018-04-30"], "period": "monthly"}
        monkeys = {"universe": ["stock:US.AAPL", "stock:KRX.900010"], "names": 1, "count": 20, "rebalance": {"every": "quarter"}}
        self.ask("POST", path, body={**dated, "monkeys": monkeys})
        self.ask("POST", path, status=422, body={**dated, "monkeys": {**monkeys, "universe": ["stock:US.NONE"]}})
        self.ask("POST", path, f"{path}?profile=quantstats&period=monthly", body=table, content_type="text/csv")
        self.ask("POST", path, status=400, body=b"{")
        self.ask("POST", path, status=400, body=b"return\nx\n", content_type="text/csv")
        self.ask("POST", path, f"{path}?perod=monthly", 400, body=table, content_type="text/csv")
        self.ask("POST", path, status=406, body={"returns": [0.1]}, accept="text/csv")
        self.ask("POST", path, status=415, body=b"a=1", content_type="application/x-www-form-urlencoded")
        self.ask("POST", path, status=422, body={"returns": []})
        self.ask("POST", path, status=422, body={"returns": [0.1], "profile": "qs"})

    def test_an_answer_has_every_part_unless_some_are_selected(self):
        parts = schema.openapi()["components"]["schemas"]["BacktestDocument"]["properties"]["data"]["properties"]
        path = f"/v1/backtests/{self.backtest}"
        self.assertEqual(list(self.server.get(path).json["data"]), list(parts))
        for part in parts:
            cut = self.ask("GET", "/v1/backtests/{id}", f"{path}?select={part}")
            self.assertEqual(list(cut.json["data"]), list(dict.fromkeys(["id", part])))
        self.ask("GET", "/v1/backtests/{id}", f"{path}?select=nothing", 400)

    def test_requests_of_the_description_are_accepted(self):
        examples = schema.operation("POST", "/v1/backtests")["requestBody"]["content"]["application/json"]["examples"]
        for name, example in examples.items():
            with self.subTest(name):
                self.ask("POST", "/v1/backtests", status=201, body=example["value"])

    def test_an_answer_s_spec_is_a_request_of_the_description_with_the_same_answer(self):
        answer = self.server.post("/v1/backtests", REQUEST)
        spec = answer.json["data"]["spec"]
        request = schema.operation("POST", "/v1/backtests")["requestBody"]["content"]["application/json"]["schema"]
        self.assertEqual(list(schema.errors(request, spec)), [])
        self.assertEqual(self.server.post("/v1/backtests", spec).body, answer.body)

    def test_the_embedded_description_is_the_file(self):
        self.assertEqual(self.server.get("/openapi.yaml").body, (ROOT / "openapi.yaml").read_bytes())

    def test_every_problem_type_is_explained_in_words_of_its_own(self):
        pages = (ROOT / "handlers" / "problem_pages.def").read_text(encoding="utf-8")
        rows = re.findall(r'^PAGE\("([^"]+)", "(.+)",\n     "(.+)"\)$', pages, re.MULTILINE)
        self.assertEqual(len(rows), len(re.findall(r"^PAGE", pages, re.MULTILINE)), "a row that is not read")
        self.assertEqual(sorted(slug for slug, _, _ in rows), sorted(PROBLEMS))
        self.assertEqual(len({what for _, what, _ in rows}), len(rows))
        for slug, what, remedy in rows:
            page = self.server.get(f"/docs/problems/{slug}").text
            for text in (what, remedy):
                self.assertIn(text.replace('\\"', '"'), page, slug)

    def test_every_problem_type_has_a_page(self):
        for slug, (http, code, title) in PROBLEMS.items():
            with self.subTest(slug):
                page = self.server.get(f"/docs/problems/{slug}")
                self.assertEqual((page.status, page.media_type), (200, "text/html"))
                for word in (title, code, str(http)):
                    self.assertIn(word, page.text)


if __name__ == "__main__":
    unittest.main()
