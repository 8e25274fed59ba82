"""Assertions about RFC 9457 problems and other answers that many tests make."""

import json
import pathlib
import re
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STATUS_ROW = re.compile(r'^STATUS\((\w+), (\d+), "([^"]*)", "([^"]*)", "([^"]*)"\)', re.MULTILINE)

# slug -> (HTTP status, code, title), from the table that the server is built from.
PROBLEMS = {slug: (int(http), code, title)
            for name, http, code, slug, title in STATUS_ROW.findall((ROOT / "base" / "status.def").read_text())
            if name != "OK"}


CUT = "..."
CUT_AT = 92  # bytes that are left of a longer value


def _is_part(value, sent):
    return value in sent or (value.endswith(CUT) and len(value.encode()) > CUT_AT and value.removesuffix(CUT) in sent)


def _at(document, pointer):
    """What a JSON pointer (RFC 6901) leads to, or None: a default of what was left out is at no place of the body."""
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(token)] if isinstance(document, list) else document[token]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return document


def values_as_sent(target, headers, body, problem):
    """
    What is not as it should be with the values of a problem, or None. A value is what was sent: of a parameter (or a part
    of the path) and of a header the text or an item of it, of a place in a JSON body its JSON text, of a line its field.
    """
    for error in problem["errors"]:
        value = error.get("value")
        if value is None:
            continue
        if "pointer" in error:
            if value.endswith(CUT) and len(value.encode()) > CUT_AT:
                continue  # the beginning of a JSON text is none
            try:
                read = json.loads(value)
                sent = _at(json.loads(body), error["pointer"])
            except (ValueError, TypeError, RecursionError):
                return error
            if sent is not None and sent != read:
                return error
        elif "parameter" in error:
            spellings = (urllib.parse.unquote_plus(target), urllib.parse.unquote(target), target)  # as it is where it cannot be decoded
            if not any(_is_part(value, sent) for sent in spellings) and value != "(not UTF-8)":
                return error
        elif "header" in error:
            sent = [text for name, text in headers.items() if name.lower() == error["header"].lower()]
            if not any(_is_part(value, text if isinstance(text, str) else text.decode("latin-1")) for text in sent):
                return error
        elif "line" in error and isinstance(body, bytes) and not body.startswith(b"\x1f\x8b"):
            if not _is_part(value, body.decode(errors="replace")):
                return error
    return None


ONE_OF_MANY = re.compile(r"(?<![\w.,:/%-])1 (?!is |was |has |less |this )[a-z]+s\b")


def bad_english(answer):
    """The sentence of a JSON answer, about what was refused or what to know of it, that has one of several; or None."""
    if answer.media_type not in ("application/json", "application/problem+json") or not (b'"warnings"' in answer.body or b'"detail"' in answer.body):
        return None
    document = answer.json
    if not isinstance(document, dict):
        return None
    warnings = document.get("meta", {}).get("warnings", []) if isinstance(document.get("meta"), dict) else []
    texts = [warning.get("detail", "") for warning in warnings] + [document.get("detail")]
    texts += [error.get("allowed") for error in document.get("errors", []) if isinstance(error, dict)]
    return next((text for text in texts if isinstance(text, str) and ONE_OF_MANY.search(text)), None)


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
            places = [error.get(place) for place in ("parameter", "pointer", "header", "line")]
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
