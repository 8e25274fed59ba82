"""The page at /: what a browser is given, what it refers to, and what it shows in a real browser."""

import html.parser
import json
import os
import re
import shutil
import subprocess
import unittest

from support.server import SLOW, Server, sample_var_dir, scratch_folder

BROWSER_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PAGE_BYTES_MAX = 62_000
CHROMIUM = os.environ.get("CMMC_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
# Headless, with a profile of its own, and silent: the page must work without any network.
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run
    --no-default-browser-check --disable-background-networking --disable-component-update --disable-sync
    --disable-extensions --enable-logging=stderr""".split()

server = None


def setUpModule():
    global server
    server = Server(sample_var_dir()).start()


def tearDownModule():
    server.stop()


class Document(html.parser.HTMLParser):
    """The elements of a page, each with its attributes and the text inside it."""

    VOID = {"meta", "link", "input", "br", "hr", "img"}

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_endtag(self, tag):
        while self._open and tag in [element["tag"] for element in self._open]:
            if self._open.pop()["tag"] == tag:
                break

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def find(self, **wanted):
        return [e for e in self.elements if all(e.get(key.rstrip("_")) == value for key, value in wanted.items())]


class PageTest(unittest.TestCase):
    def test_a_browser_gets_the_page(self):
        answer = server.get("/", accept=BROWSER_ACCEPT)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.media_type, "text/html")
        self.assertIn("Accept", answer.header("Vary"))
        self.assertIn("<title>Catch Me My Capital</title>", answer.text)

    def test_its_policy_allows_this_server_only(self):
        policy = server.get("/", accept=BROWSER_ACCEPT).header("Content-Security-Policy")
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        self.assertEqual(rules["default-src"], "'self'")
        self.assertNotRegex(policy, r"https?:|\*|unsafe-eval")

    def test_it_refers_to_nothing_outside(self):
        text = server.get("/", accept=BROWSER_ACCEPT).text
        self.assertEqual(re.findall(r"(?:https?|wss?|ftp):|@import|url\(", text, re.IGNORECASE), [])
        for element in Document(text).elements:
            for name in ("src", "href", "action", "srcset"):
                self.assertRegex(element.get(name) or "", r"^$|^/(?!/)|^#|^data:", element["tag"])

    def test_it_never_builds_markup_from_text(self):
        text = server.get("/", accept=BROWSER_ACCEPT).text
        self.assertEqual(re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), [])

    def test_it_is_small(self):
        self.assertLessEqual(len(server.get("/", accept=BROWSER_ACCEPT).body), PAGE_BYTES_MAX)

    def test_every_field_has_a_label(self):
        page = Document(server.get("/", accept=BROWSER_ACCEPT).text)
        labelled = {label["for"] for label in page.find(tag="label")}
        for field in page.find(tag="input") + page.find(tag="select"):
            self.assertTrue(field["id"] in labelled or field.get("aria-label"), field)

    def test_everyone_else_gets_json(self):
        for accept in ("application/json", "*/*", ""):
            answer = server.get("/", accept=accept)
            self.assertEqual(answer.media_type, "application/json", accept)
            self.assertEqual(answer.json["name"], "Catch Me My Capital")
            self.assertIsNone(answer.header("Content-Security-Policy"))


@unittest.skipUnless(CHROMIUM, "chromium is not installed")
class BrowserTest(unittest.TestCase):
    """One run of the prefilled request, shared by the tests."""

    @classmethod
    def setUpClass(cls):
        cls.page, cls.log = cls.visit("/#run")

    @classmethod
    def visit(cls, target):
        """The document after the page has settled, and what it wrote to the console."""
        profile = scratch_folder("chromium")
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", f"--virtual-time-budget={20_000 * SLOW}", "--dump-dom",
                   f"http://127.0.0.1:{server.port}{target}"]
        environment = {**os.environ, "HOME": profile}
        done = subprocess.run(command, capture_output=True, timeout=120 * SLOW, env=environment, check=False)
        text, log = done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace")
        if "</html>" not in text:
            raise AssertionError(f"chromium gave no document (code {done.returncode})\n{log[-4000:]}")
        return Document(text), [line for line in log.splitlines() if "CONSOLE" in line]

    def one(self, **wanted):
        found = self.page.find(**wanted)
        self.assertEqual(len(found), 1, wanted)
        return found[0]

    def test_the_console_stays_empty(self):
        self.assertEqual(self.log, [])

    def test_the_verdict_is_there(self):
        verdict = self.one(id="verdict")
        self.assertEqual(verdict["data-state"], "done", verdict["text"])
        text = verdict["text"].replace("\u00a0", " ")
        self.assertRegex(text, r"(Better than|Worse than) .*1,000 monkeys \(CAGR\), p = [01]\.\d+")
        self.assertRegex(text, r"That is .*(evidence|hint)")

    def test_the_verdict_says_what_the_server_computed(self):
        found = re.search(r"/v1/backtests/([0-9a-f]{64})\?format=json", str([e.get("href") for e in self.page.elements]))
        self.assertIsNotNone(found, "no link to the answer")
        rank = server.get(f"/v1/backtests/{found[1]}").json["data"]["monkeys"]["statistics"]["cagr"]
        shown = re.search(r"p\s=\s([01]\.\d+)", self.one(id="verdict")["text"])
        self.assertAlmostEqual(float(shown[1]), rank["p_value"], delta=0.0051)

    def test_the_chart_is_drawn(self):
        for name in ("equity", "bench", "fall"):
            path = self.page.find(tag="path", class_=name)
            self.assertEqual(len(path), 1, name)
            self.assertGreater(path[0]["d"].count("L"), 300, name)
            self.assertNotIn("NaN", path[0]["d"])

    def test_every_statistic_of_the_monkeys_is_drawn(self):
        self.assertEqual(len(self.page.find(class_="strip")), 4)
        self.assertEqual(len(self.page.find(class_="you")), 4)

    def test_warnings_metrics_and_months_are_shown(self):
        self.assertIn("survivor", self.one(class_="card warnings")["text"])
        self.assertIn("CAGR", self.one(id="report")["text"])
        self.assertEqual(len(self.one(class_="months")["text"].split("Year")), 3)
        self.assertNotIn("undefined", self.one(id="report")["text"])
        self.assertNotIn("NaN", self.one(id="report")["text"])

    def test_the_marts_are_listed(self):
        links = [e["href"] for e in self.page.find(tag="a") if e.get("href", "").startswith("/v1/marts/")]
        self.assertGreaterEqual(len(links), 3)
        for link in links:
            self.assertEqual(server.get(link).status, 200, link)

    def test_a_finished_backtest_opens_by_its_address(self):
        found = re.search(r"/v1/backtests/([0-9a-f]{64})", str([e.get("href") for e in self.page.elements]))
        page, log = self.visit(f"/#backtest={found[1]}")
        self.assertEqual(log, [])
        self.assertEqual(page.find(id="verdict")[0]["text"], self.one(id="verdict")["text"])

    def test_an_opened_backtest_is_the_request_that_runs_again(self):
        """What the form has no field for, and what it has one for but cannot show, goes along: the same request, the same id."""
        window = {"start": "2000-01-03", "end": "2005-12-30", "monkeys": {"count": 20, "seed": 3}}
        requests = [
            {"assets": [{"uid": "stock:US.AAPL", "weight": 1.5}, {"uid": "stock:US.JPM", "weight": -0.5, "group": "banks"}], "leverage": {"max_gross": 2},
             "rebalance": {"every": "month", "bands": {"absolute": 0.05}}, "flows": [{"every": "month", "amount": 100}],
             "costs": {"commission": {"percent": 0.1, "minimum": 1}, "slippage_bps": 2, "sell_tax": [{"from": "2000-01-01", "percent": 0.2}]}},
            {"assets": [{"uid": "stock:US.AAPL", "max_weight": 0.7}, {"uid": "stock:US.JPM"}], "strategy": {"name": "minimum_variance"}}]
        for request in requests:
            answer = server.post("/v1/backtests", {**window, **request})
            self.assertIn(answer.status, (200, 201), answer)
            page, log = self.visit(f"/#backtest={answer.json['data']['id']}")
            self.assertEqual(log, [])
            shown = re.search(r"-d '(.*)'", page.find(id="curl")[0]["text"], re.DOTALL)[1]
            again = server.post("/v1/backtests", json.loads(shown))
            self.assertEqual((again.status, again.json.get("data", {}).get("id")), (200, answer.json["data"]["id"]), (shown, again))
            self.assertIn(next(name for name in ("leverage", "strategy") if name in request), page.find(id="more-names")[0]["text"])

    def test_without_monkeys_nothing_is_claimed(self):
        answer = server.post("/v1/backtests", {"assets": [{"uid": "stock:US.KO"}], "monkeys": {"count": 0}})
        page, log = self.visit(f"/#backtest={answer.json['data']['id']}")
        self.assertEqual(log, [])
        self.assertIn("No monkeys were asked", page.find(id="verdict")[0]["text"])
        self.assertEqual(page.find(class_="strip"), [])

    def test_one_instrument_leaves_monkeys_no_choice(self):
        answer = server.post("/v1/backtests", {"assets": [{"uid": "stock:US.KO"}], "monkeys": {"count": 10}})
        page, _ = self.visit(f"/#backtest={answer.json['data']['id']}")
        self.assertIn("Every monkey got the same result", page.find(id="verdict")[0]["text"])

    def test_a_refusal_is_shown_in_the_servers_words(self):
        page, _ = self.visit(f"/#backtest={'0' * 64}")
        detail = server.get(f"/v1/backtests/{'0' * 64}").json["detail"]
        self.assertEqual(page.find(id="verdict")[0]["data-state"], "failed")
        self.assertIn(detail, page.find(id="failure")[0]["text"])
        self.assertIn("hidden", page.find(id="report")[0])


if __name__ == "__main__":
    unittest.main()
