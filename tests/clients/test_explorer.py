"""/docs, the API explorer, in a real browser that clicks; and /openapi.json."""

import json
import os
import pathlib
import shutil
import unittest

from support import packages, schema
from support.server import Server, sample_var_dir

CHROMIUM = os.environ.get("CMMC_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
HERE = pathlib.Path(__file__).resolve().parent

server = None


def setUpModule():
    global server
    server = Server(sample_var_dir()).start()


def tearDownModule():
    server.stop()


def as_json(value):
    """The value as JSON would carry it: YAML reads dates as dates, JSON has them as text."""
    return json.loads(json.dumps(value, default=lambda date: date.isoformat().replace("+00:00", "Z")))


class Description(unittest.TestCase):
    def test_the_json_says_what_the_yaml_says(self):
        answer = server.get("/openapi.json")
        self.assertEqual(answer.media_type, "application/json")
        self.assertEqual(answer.json, as_json(schema.openapi()))

    def test_the_entry_document_links_to_both(self):
        links = server.get("/").header("Link")
        self.assertIn('</openapi.json>; rel="service-desc"', links)
        self.assertIn('</docs>; rel="service-doc"', links)

    def test_only_marked_parameters_are_ignored_on_the_page(self):
        self.assertEqual(server.get("/docs?utm_source=mail&_ga=1").status, 200)
        answer = server.get("/docs?page=2")
        self.assertEqual((answer.status, answer.json["errors"][0]["parameter"]), (400, "page"))


@unittest.skipUnless(CHROMIUM, "chromium is not installed")
class Explorer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = packages.node_packages("playwright-core@1.65.1")
        cls.seen = json.loads(packages.run_node(folder, HERE / "explorer.js", CHROMIUM, f"http://127.0.0.1:{server.port}"))

    def test_it_lists_every_operation(self):
        described = {method.upper() + path for path, item in schema.openapi()["paths"].items()
                     for method in item if method in ("get", "post", "put", "patch", "delete")}
        self.assertEqual(set(self.seen["links"]), described)

    def test_a_form_becomes_a_request_and_its_answer_is_shown(self):
        self.assertEqual(self.seen["rows"]["status"], "200 OK")
        rows = json.loads(self.seen["rows"]["body"])["data"]
        self.assertEqual([(row["base"], row["quote"]) for row in rows], [("EUR", "USD")] * 2)

    def test_the_same_request_is_shown_for_the_shell(self):
        self.assertRegex(self.seen["command"], r"^curl -i 'http://127\.0\.0\.1:\d+/v1/marts/mart_fx_daily/rows\?.*limit=2'$")

    def test_the_filter_narrows_the_list(self):
        self.assertTrue(self.seen["filtered"])
        self.assertTrue(all("backtests" in link for link in self.seen["filtered"]))

    def test_the_example_body_works_as_it_stands(self):
        self.assertEqual(json.loads(self.seen["example"])["benchmark"], "index:SPX")
        self.assertRegex(self.seen["backtest"], r"^20[01] ")

    def test_answers_are_shown_with_the_example_of_their_own_operation(self):
        self.assertIn('"total_return"', self.seen["answers"][0])
        for text in self.seen["answers"]:
            self.assertNotIn("`", text.partition("{")[0])
        self.assertTrue(any('"code": "Q112"' in text for text in self.seen["answers"]))

    def test_operations_of_the_other_listener_cannot_be_sent(self):
        self.assertTrue(self.seen["isOpsDisabled"])

    def test_it_asks_nobody_else_and_complains_about_nothing(self):
        self.assertEqual((self.seen["outside"], self.seen["complaints"]), ([], []))


if __name__ == "__main__":
    unittest.main()
