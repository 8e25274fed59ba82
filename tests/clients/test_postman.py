"""/docs/postman.json, run by newman, Postman's own runner."""

import json
import os
import subprocess
import unittest

from support import backend, packages
from support.keys import make_key
from support.server import run


class Postman(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = packages.node_packages("newman@6.2.2")
        database = backend.Sqlite()
        key = make_key(**database.settings)
        with database.server() as server:
            answer = server.get("/docs/postman.json")
            cls.collection = answer.json
            (folder / "collection.json").write_bytes(answer.body)
            done = subprocess.run(
                [folder / "node_modules/.bin/newman", "run", "collection.json", "--reporters", "json", "--reporter-json-export",
                 "run.json", "--env-var", f"base=http://127.0.0.1:{server.port}", "--env-var", f"key={key}"],
                cwd=folder, capture_output=True, text=True, timeout=120, check=False,
                env={**os.environ, "HOME": str(folder)})
        if not (folder / "run.json").exists():
            raise AssertionError(done.stdout + done.stderr)
        cls.run_of = json.loads((folder / "run.json").read_text(encoding="utf-8"))["run"]

    def test_it_holds_every_route_once(self):
        routes = [(route["method"], route["path"]) for route in json.loads(run("routes", "--json", var_dir="unused").stdout)
                  if route["listener"] == "data"]
        held = [(item["request"]["method"],
                 "/" + "/".join("{" + part[1:] + "}" if part.startswith(":") else part for part in item["request"]["url"]["path"]))
                for folder in self.collection["item"] for item in folder["item"]]
        self.assertEqual(sorted(held), sorted(routes))

    def test_every_request_succeeds_as_it_stands(self):
        answers = {one["item"]["name"]: (one.get("response") or {}).get("code") for one in self.run_of["executions"]}
        failed = {name: code for name, code in answers.items() if code is None or code >= 400}
        # The job that is done again may not have ended yet.
        self.assertIn(failed.pop("Do a job of ingestion again", 409), (202, 409))
        self.assertEqual(failed, {})

    def test_no_script_fails(self):
        self.assertEqual(self.run_of["failures"], [])


if __name__ == "__main__":
    unittest.main()
