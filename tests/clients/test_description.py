"""openapi.yaml as tools of others read it: a linter, and a generator of requests that must find nothing wrong."""

import pathlib
import re
import subprocess
import unittest

from support import backend, packages
from support.keys import make_key
from support.server import ROOT

HERE = pathlib.Path(__file__).resolve().parent
SEED = 20260101
# Cross-parameter rules (last= excludes from= and to=, a cursor belongs to its query, a column to its mart) cannot be
# written in OpenAPI, so a request that fits the description may still be a 400: that one check is off.
UNCHECKED = "positive_data_acceptance"
OPS = "^/(livez|readyz|startupz|metrics)$"


class Linted(unittest.TestCase):
    def test_a_public_linter_has_no_complaint(self):
        folder = packages.node_packages("@redocly/cli@1.34.5")
        (folder / "redocly.yaml").write_text("extends: [recommended]\n", encoding="utf-8")
        done = subprocess.run([folder / "node_modules/.bin/redocly", "lint", "--config", folder / "redocly.yaml", "--format",
                               "summary", str(ROOT / "openapi.yaml")], capture_output=True, text=True, timeout=120, check=False,
                              env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "REDOCLY_TELEMETRY": "off"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("warning", done.stdout.lower(), done.stdout)


class Generated(unittest.TestCase):
    """Requests made from the description, valid and broken, against the live server."""

    def run_against(self, database, examples):
        python = packages.python_packages("schemathesis==4.32.5")
        store = database()
        key = make_key(**store.settings)
        with store.server(rate_key=0, rate_failures=0) as server:
            address = f"http://127.0.0.1:{server.port}"
            done = subprocess.run(
                [python, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run", address + "/openapi.json", "--url", address, "--checks", "all",
                 "--exclude-checks", UNCHECKED, "--exclude-path-regex", OPS, "--exclude-operation-id", "revokeKey",
                 "-H", f"Authorization: Bearer {key}", "-n", str(examples), "--seed", str(SEED),
                 "--suppress-health-check", "all", "--no-color"],
                capture_output=True, text=True, timeout=900, check=False, cwd=packages.FOLDER)
        lines = [line[:600] for line in done.stdout.splitlines()]  # a request may be one line of 8 KiB
        self.assertEqual(done.returncode, 0, "\n".join(lines[-300:]) + done.stderr[-2000:])
        tested = re.search(r"Tested: (\d+)", done.stdout)
        self.assertIsNotNone(tested, done.stdout[-2000:])
        self.assertGreater(int(tested[1]), 10)

    def test_nothing_is_found_on_the_embedded_database(self):
        self.run_against(backend.Sqlite, 25)

    def test_nothing_is_found_on_postgresql(self):
        self.run_against(backend.Postgresql, 10)


if __name__ == "__main__":
    unittest.main()
