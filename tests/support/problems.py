"""Assertions about RFC 9457 problems and other answers that many tests make."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STATUS_ROW = re.compile(r'^STATUS\((\w+), (\d+), "([^"]*)", "([^"]*)", "([^"]*)"\)', re.MULTILINE)

# slug -> (HTTP status, code, title), from the table that the server is built from.
PROBLEMS = {slug: (int(http), code, title)
            for name, http, code, slug, title in STATUS_ROW.findall((ROOT / "base" / "status.def").read_text())
            if name != "OK"}


class Assertions:
    """Mixed into unittest.TestCase."""

    def assert_problem(self, answer, slug, *, about=None, suggestion=None, allowed=None, value=None):
        """
        answer is the problem slug, well formed; its first error is about the parameter, pointer or header `about`
        and suggests, or allows text that contains, what is given.
        """
        http, code, title = PROBLEMS[slug]
        self.assertEqual((answer.status, answer.header("Content-Type")), (http, "application/problem+json"), answer)
        problem = answer.json
        self.assertEqual((problem["type"], problem["status"], problem["code"], problem["title"]),
                         (f"/docs/problems/{slug}", http, code, title), answer)
        self.assertTrue(problem["detail"].endswith((".", "?")), problem)
        self.assertEqual(problem["request_id"], answer.header("X-Request-Id"), answer)
        self.assertRegex(problem["instance"], r"^urn:uuid:[0-9a-f-]{36}$")
        if http == 503:
            self.assertRegex(answer.header("Retry-After"), r"^[1-9][0-9]*$")
        error = problem["errors"][0] if problem["errors"] else {}
        if about is not None:
            places = [error.get(place) for place in ("parameter", "pointer", "header")]
            self.assertIn(about, places, problem)
        if suggestion is not None:
            self.assertEqual(error.get("suggestion"), suggestion, problem)
        if allowed is not None:
            self.assertIn(allowed, error.get("allowed", ""), problem)
        if value is not None:
            self.assertEqual(error.get("value"), value, problem)
        self.assert_says_nothing_private(answer)
        return problem

    def assert_says_nothing_private(self, answer):
        """No SQL, no path of the machine, no name of a source file; what the client itself sent stands in quotes."""
        text = re.sub(r'"[^"]*"', "", answer.json["detail"])
        for word in ("SELECT ", "gen_", "sqlite", "postgres", ".c:", "/tmp/", "/home/", ".db"):
            self.assertNotIn(word, text)

    def assert_ok(self, answer, status=200):
        self.assertEqual(answer.status, status, answer)
        varied = [name.strip().lower() for name in (answer.header("Vary") or "").split(",")]
        self.assertEqual(len(varied), len(set(varied)), varied)
        return answer

    def assert_one(self, pattern, text):
        found = re.findall(pattern, text)
        self.assertEqual(len(found), 1, (pattern, text))
        return found[0]
