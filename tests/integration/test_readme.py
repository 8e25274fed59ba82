"""The README's examples, run as written against the real server.

Each fenced `sh` block after the marker "examples:" is split into commands; curl is replaced by a wrapper that only
changes the two port numbers, because the documented ones may be taken on the machine that runs the tests.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from replay import Replay, World
from support.keys import bearer, make_key
from support.server import BIN, SLOW, Server, environment, sample_var_dir

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def example_commands():
    """Yields (comment, command) in document order; a command ends where its quotes do."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        text = readme.read()
    block = re.search(r"<!-- examples:.*?-->\n```sh\n(.*?)```", text, re.S).group(1)
    comment, command = "", ""
    for line in block.splitlines():
        if not command and line.startswith("#"):
            comment = line[2:]
        elif line or command:
            command += line + "\n"
            if command.count("'") % 2 == 0:
                yield comment, command
                command = ""


class ReadmeExamples(unittest.TestCase):
    """What the README promises works when pasted."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(var_dir=sample_var_dir()).start()
        cls.folder = tempfile.TemporaryDirectory()
        wrapper = os.path.join(cls.folder.name, "curl")
        real = subprocess.run(["which", "curl"], check=True, capture_output=True, text=True).stdout.strip()
        with open(wrapper, "w", encoding="utf-8") as out:
            out.write("#!/bin/bash\nargs=()\nfor a in \"$@\"; do\n"
                      f"a=${{a/localhost:8080/localhost:{cls.server.port}}}\n"
                      f"args+=(\"${{a/localhost:8081/localhost:{cls.server.ops_port}}}\")\ndone\n"
                      f"exec {real} \"${{args[@]}}\"\n")
        os.chmod(wrapper, 0o755)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        cls.server.stop()

    def run_shell(self, command):
        env = dict(os.environ, PATH=self.folder.name + ":" + os.environ["PATH"])
        done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, timeout=60, cwd=ROOT)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode("utf-8")

    def test_there_is_a_screenful_of_examples(self):
        self.assertGreaterEqual(len(list(example_commands())), 12)

    def test_every_example_answers_what_its_comment_says(self):
        for comment, command in example_commands():
            with self.subTest(command=command.strip()[:100]):
                out = self.run_shell(command)
                if "/v1/backtests" in command:
                    answer = json.loads(out)
                    self.assertEqual(answer["data"]["monkeys"]["count"], 1000)
                    self.assertLess(len(out), 20000, "an example must fit a screen or two")
                elif "clsoe" in command:
                    problem = json.loads(out)
                    self.assertEqual(problem["status"], 400)
                    self.assertEqual(problem["errors"][0]["suggestion"], "close")
                elif "format=csv" in command:
                    self.assertGreater(out.count("\r\n"), 10)
                    self.assertNotIn("problem", out)
                elif "-D -" in command:
                    self.assertRegex(out, r"(?im)^etag: \"g\d+-")
                elif "8081/readyz" in command:
                    self.assertIn("[+]", out)
                elif "8081/metrics" in command:
                    self.assertIn("cmmc_http_requests_total", out)
                elif "ndjson" in command:
                    self.assertEqual({json.loads(line)["uid"] for line in out.splitlines()}, {"index:SPX"})
                else:
                    answer = json.loads(out)
                    self.assertTrue(answer if isinstance(answer, list) else answer["data"], comment)

    def test_the_command_line_example_answers_too(self):
        command = [str(BIN), "backtest"]
        body = '{"universe": ["stock:US.AAPL", "stock:US.JPM"], "strategy": "buy_and_hold"}'
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
            self.assertIn(body, readme.read())
        env = dict(os.environ, CMMC_VAR_DIR=self.server.var_dir)
        done = subprocess.run(command, input=body, env=env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["data"]["spec"]["strategy"], "buy_and_hold")


class EveryDocument(unittest.TestCase):
    """Each command of a fenced block, in the README and in every document, that starts with curl."""

    def commands(self):
        for path in sorted([pathlib.Path(ROOT) / "README.md", *pathlib.Path(ROOT, "docs").glob("*.md")]):
            if path.name == "ingestion.md":
                continue  # below, as a whole
            for block in re.findall(r"^```[a-z]*\n(.*?)^```", path.read_text(encoding="utf-8"), re.S | re.M):
                command = ""
                for line in block.splitlines():
                    if command or line.startswith("curl "):
                        command += line + "\n"
                        if command.count("'") % 2 == 0 and not line.endswith("\\"):
                            yield path.name, command
                            command = ""

    def test_every_curl_command_gets_the_answer_it_is_there_for(self):
        var_dir = sample_var_dir()
        key = make_key(var_dir=var_dir)  # before the server looks, so that it knows it from the start
        seen = set()
        with Server(var_dir=var_dir) as server, tempfile.TemporaryDirectory() as folder:
            wrapper = os.path.join(folder, "curl")
            with open(wrapper, "w", encoding="utf-8") as out:
                out.write("#!/bin/bash\nargs=()\nfor a in \"$@\"; do\n"
                          f"a=${{a/localhost:8080/localhost:{server.port}}}\n"
                          f"args+=(\"${{a/localhost:8081/localhost:{server.ops_port}}}\")\ndone\n"
                          f"exec {shutil.which('curl')} -sS -w '%{{stderr}}%{{http_code}}' \"${{args[@]}}\"\n")
            os.chmod(wrapper, 0o755)
            env = dict(os.environ, PATH=folder + ":" + os.environ["PATH"], KEY=key)
            for name, command in self.commands():
                seen.add(name)
                with self.subTest(name, command=command[:100]):
                    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, timeout=60, cwd=folder)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertRegex(done.stderr.decode(), "^400$" if "clsoe" in command else "^(20[01]|30[23])$", done.stdout[:500])
        self.assertLessEqual({"README.md", "query.md"}, seen)


class Ingestion(unittest.TestCase):
    """Every command of docs/ingestion.md in its order, on the embedded default; the sources are those of the replay server."""

    def test_every_command_works_as_it_is_written(self):
        text = pathlib.Path(ROOT, "docs", "ingestion.md").read_text(encoding="utf-8")
        blocks = re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)
        self.assertGreaterEqual(len(blocks), 8)
        self.assertEqual(re.findall(r"^    (?:cmmc|curl) .*", text, re.M), [], "commands stand in blocks of sh")
        with Replay(World(7)) as replay, tempfile.TemporaryDirectory() as folder:
            settings = {"source_base": f"*={replay.address}"}
            os.symlink(os.path.join(ROOT, "data"), os.path.join(folder, "data"))
            with Server(**settings) as server:
                # A new key is known within CMMC_REFRESH_MS; whoever reads the page takes longer to come to its use.
                curl = (f"while out=$({shutil.which('curl')} -sS -w '\\n%{{http_code}}' \"${{@/localhost:8080/localhost:{server.port}}}\") && code=${{out##*$'\\n'}} &&"
                        " [ $code = 401 ]; do sleep 0.1; done; echo \"${out%$'\\n'*}\"; [ $code -lt 400 ]")
                for name, line in (("cmmc", f'exec {BIN} "$@"'), ("curl", curl)):
                    path = pathlib.Path(folder, "bin", name)
                    path.parent.mkdir(exist_ok=True)
                    path.write_text(f"#!/bin/bash\n{line}\n")
                    path.chmod(0o755)
                env = {**environment(server.var_dir, **settings), "PATH": f"{folder}/bin:{os.environ['PATH']}"}
                done = subprocess.run(["bash", "-euxo", "pipefail", "-c", "".join(blocks)], env=env, cwd=folder, capture_output=True, text=True, timeout=300 * SLOW)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                key = make_key(var_dir=server.var_dir)
                job = re.search(r'"id": ?"([^"]+)"', done.stdout).group(1)
                server.wait_until(lambda: server.get(f"/v1/jobs/{job}", **bearer(key)).json.get("data", {}).get("state") in ("succeeded", "failed"), "the job ends",
                                  timeout=60)
                self.assertEqual(server.get(f"/v1/jobs/{job}", **bearer(key)).json["data"]["state"], "succeeded")
                self.assertEqual([one["name"] for one in server.get("/v1/admin/schedules", **bearer(key)).json["data"]], ["coin-daily"])
                for uid, n in (("index:MINE", 2), ("stock:X.MINE", 2), ("coin:BTCUSDT", 20)):
                    rows = server.get(f"/v1/instruments/{uid}/prices?from=2026-11-01&to=2026-11-20").json["data"]
                    self.assertEqual(len(rows), n, uid)
                actions = server.get("/v1/marts/mart_corporate_action/rows").json["data"]
                told = [(row["uid"], row["pay_date"]) for row in actions]
                self.assertIn(("stock:US.AAPL", "2024-11-14"), told)
                self.assertNotIn("stock:X.MINE", [uid for uid, _ in told], "it was taken back")


if __name__ == "__main__":
    unittest.main()
