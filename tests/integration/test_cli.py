"""The command line: help, usage, settings, migrations and loading."""

import concurrent.futures
import gzip
import hashlib
import json
import os
import pathlib
import re
import unittest

from support import postgres
from support.backend import Postgresql, Sqlite
from support.dataset import Dataset
from support.server import SAMPLE, environment, not_under_tsan, run, scratch_folder

setUpModule = not_under_tsan

COMMANDS = ("serve", "migrate", "load", "backtest", "metrics", "keys", "lake", "config", "routes", "version")
DONE, FAILED, USAGE, CONFIG = 0, 1, 2, 78
BAR = {"uid": "stock:T.1", "date": "2020-01-02", "close": "1.5", "adj_close": "1.5", "currency": "KRW", "source": "test", "quality": "0",
       "known_at": "2020-01-02T06:30:00Z"}


class Usage(unittest.TestCase):
    def test_help_lists_every_command_and_every_command_has_help(self):
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        for command in COMMANDS:
            with self.subTest(command):
                self.assertRegex(done.stdout, rf"(?m)^  {command} +\S")
                one = run(command, "--help")
                self.assertEqual((one.returncode, one.stderr), (DONE, ""))
                self.assertEqual(run(command, "-h").stdout, one.stdout)
                self.assertEqual(run(command, "anything", "--help").stdout, one.stdout)
                self.assertIn(f"usage: cmmc {command}", one.stdout)

    def test_help_has_the_names_that_people_try(self):
        for name in ("help", "-h"):
            self.assertEqual((run(name).returncode, run(name).stdout), (DONE, run("--help").stdout))

    def test_a_missing_argument_is_named_as_missing(self):
        done = run("ingest")
        self.assertEqual((done.returncode, done.stderr), (USAGE, "cmmc ingest: an argument is missing; see `cmmc ingest --help`\n"))

    def test_no_command_prints_help_to_standard_error_and_fails(self):
        done = run()
        self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
        self.assertIn("usage: cmmc COMMAND", done.stderr)

    def test_an_unknown_command_gets_a_suggestion(self):
        for given, nearest in (("serv", "serve"), ("backtests", "backtest"), ("route", "routes"), ("confg", "config")):
            done = run(given)
            self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
            self.assertIn(f'did you mean "{nearest}"?', done.stderr)

    def test_a_wrong_value_is_told_what_the_option_takes(self):
        for arguments, said in ((["keys", "create", "--scopes", "reed"], '--scopes takes read, backtest, admin, with commas between and each once, and not "reed"'),
                                (["keys", "create", "--name", "x", "--rate", "-1"], '--rate takes requests a minute, 0 or more, and not "-1"'),
                                (["keys", "create", "--name"], "--name takes a name of 1 to 64 characters"), (["keys", "create", "--name", "x"], "create needs --scopes"),
                                (["keys", "create", "--who", "x"], 'unexpected argument "--who"'), (["keys", "revoke"], "an argument is missing"),
                                (["keys", "create", "--rate=-1"], '--rate takes requests a minute, 0 or more, and not "-1"'), (["load", "--if-empty=no"], 'unexpected argument "--if-empty=no"'),
                                (["ingest", "coin", "--stages", "bronze,brass"], 'commas between and each once, and not "bronze,brass"'),
                                (["backtest", "--currency", "US"], '--currency takes three letters, as USD, and not "US"'),
                                (["migrate", "--warehouse"], "--warehouse takes sqlite, postgresql or redshift"),
                                (["ingest", "coin", "--form", "2024-01-01"], 'unexpected argument "--form"; did you mean "--from"?'), (["lake", "tidy", "--hour=3"], 'did you mean "--hours"?'), (["keys", "create", "--scopes", "read"], "create needs --name"),
                                (["lake", "tidy", "--hours"], "--hours takes 0 to 1000000 hours"), (["ingest", "us_stok"], 'there is no data set "us_stok"; did you mean "us_stock"?'),
                                (["ingest", "coin", "--from", "2024-13-01"], '--from takes a day, as 2024-12-31, and not "2024-13-01"'),
                                (["ingest", "coin", "--file"], "--file takes a file's name"),
                                (["ingest", "nothing_of_ours"], "`cmmc ingest --list` shows them")):
            with self.subTest(arguments):
                done = run(*arguments, var_dir=scratch_folder())
                self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
                self.assertIn(f"cmmc {arguments[0]}: ", done.stderr)
                self.assertIn(said, done.stderr)

    def test_wrong_arguments_exit_with_2_and_name_the_argument(self):
        for arguments in (["serve", "now"], ["serve", "--port"], ["migrate", "--fast"], ["migrate", "--status", "x"], ["migrate", "--status", "--reader", "x"], ["load", "--force"],
                          ["load", "a", "b"], ["backtest", "--fast"], ["backtest", "a", "b"], ["metrics", "a", "b"], ["metrics", "--fast"], ["config", "--xml"], ["config", "--json", "x"], ["config", "--json", "--markdown"],
                          ["routes", "x"], ["lake", "rm"], ["lake", "ls", "--day"], ["lake", "tidy", "x"], ["version", "x"]):
            with self.subTest(arguments):
                done = run(*arguments, var_dir=scratch_folder())
                self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
                self.assertRegex(done.stderr, rf'^cmmc {arguments[0]}: unexpected argument ".+"; see `cmmc {arguments[0]} --help`\n$')

    def test_version_is_that_of_the_file(self):
        version = (pathlib.Path(SAMPLE).parent.parent / "VERSION").read_text().strip()
        for arguments in (["version"], ["--version"]):
            done = run(*arguments)
            self.assertEqual(done.returncode, DONE)
            self.assertRegex(done.stdout, rf"^cmmc {re.escape(version)} \(engine \S+\)\n")

    def test_routes_come_as_text_and_as_json(self):
        routes = json.loads(run("routes", "--json").stdout)
        lines = run("routes").stdout.splitlines()
        self.assertEqual(len(lines), len(routes))
        for line, route in zip(lines, routes):
            self.assertEqual(line.split()[:4], [route["method"], route["path"], route["access"], route["lane"]])
            self.assertTrue(line.endswith(route["summary"]))


class Settings(unittest.TestCase):
    def config(self, **settings):
        return run("config", "--json", **settings)

    def settings(self, done):
        self.assertEqual(done.returncode, DONE, done.stderr)
        return {one["key"]: one for one in json.loads(done.stdout)["settings"]}

    def test_settings_come_from_the_environment_before_the_file_before_the_default(self):
        path = os.path.join(scratch_folder(), "cmmc.conf")
        pathlib.Path(path).write_text("# a comment\nport = 1234\nio_workers = 7\n\n")
        found = self.settings(self.config(config=path, port="4321"))
        self.assertEqual([(found[key]["value"], found[key]["source"]) for key in ("port", "io_workers", "db_pool")],
                         [("4321", "environment"), ("7", "file"), ("8", "default")])

    def test_a_number_outside_its_range_exits_with_78_and_names_setting_and_range(self):
        for one in self.settings(self.config()).values():
            if "max" not in one:
                continue
            bad = [str(one["max"] + 1), "-1", "x", "1.5", "", "1e3", " 5", "99999999999999999999999"]
            if one["min"] > 0:
                bad.append(str(one["min"] - 1))
            for value in bad if one["key"] in ("port", "io_workers", "backtest_cells_max") else bad[:2]:
                with self.subTest(one["key"], value=value):
                    done = self.config(**{one["key"]: value})
                    self.assertEqual((done.returncode, done.stdout), (CONFIG, ""))
                    for word in (one["key"], f'{one["min"]} to {one["max"]}'):
                        self.assertIn(word, done.stderr)
            for value in (one["min"], one["max"]):
                self.assertEqual(self.settings(self.config(**{one["key"]: value}))[one["key"]]["value"], str(value))

    def test_a_choice_lists_what_there_is_and_suggests_the_nearest(self):
        done = self.config(log_level="wran")
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("debug|info|warn|error", done.stderr)
        self.assertIn("nearest: warn", done.stderr)

    def test_an_unknown_setting_is_refused_with_the_nearest_name(self):
        done = self.config(prot="8080")
        self.assertEqual((done.returncode, done.stdout), (CONFIG, ""))
        self.assertIn("CMMC_PROT", done.stderr)
        self.assertIn("nearest: CMMC_PORT", done.stderr)

    def test_a_bad_settings_file_is_refused_with_its_line(self):
        for text, word in (("port = 1\nprt = 2\n", "Line 2"), ("port 5\n", "Line 1"), ("io_workers = 0\n", "1 to 256"), ("port = 1\nport = x\n", "0 to 65535")):
            path = os.path.join(scratch_folder(), "cmmc.conf")
            pathlib.Path(path).write_text(text)
            done = self.config(config=path)
            with self.subTest(text):
                self.assertEqual(done.returncode, CONFIG, done.stderr)
                self.assertIn(word, done.stderr)
        self.assertNotEqual(self.config(config="/nonexistent/file").returncode, DONE)

    def test_a_secret_is_never_printed(self):
        secret = "s3cr3tpassw0rd"
        url = f"postgresql://user:{secret}@127.0.0.1:1/none"
        for arguments in (["config"], ["config", "--json"], ["config", "--markdown"], ["migrate"], ["migrate", "--status"], ["load"]):
            with self.subTest(arguments):
                done = run(*arguments, var_dir=scratch_folder(), database_url=url)
                self.assertNotIn(secret, done.stdout + done.stderr)
        wrong = run("config", database_url=f"mysql://user:{secret}@h/d")
        self.assertEqual(wrong.returncode, CONFIG)
        self.assertNotIn(secret, wrong.stdout + wrong.stderr)
        for word in ("database_url", "postgresql://"):
            self.assertIn(word, wrong.stderr)

    def test_a_server_with_a_wrong_setting_does_not_start(self):
        done = run("serve", var_dir=scratch_folder(), port="65536")
        self.assertEqual((done.returncode, done.stdout), (CONFIG, ""))
        self.assertIn("0 to 65535", done.stderr)

    def test_a_folder_that_cannot_be_made_exits_with_78(self):
        path = os.path.join(scratch_folder(), "file")
        pathlib.Path(path).write_text("")
        done = run("migrate", var_dir=path + "/below")
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("CMMC_VAR_DIR", done.stderr)


class Stores:
    """Migrations and loading, on either database."""

    backend_type = None

    def setUp(self):
        self.backend = self.backend_type(with_sample=False)

    def cmmc(self, *arguments, **settings):
        return self.backend.run(*arguments, **settings)

    def test_migrations_are_listed_applied_once_and_listed_as_applied(self):
        before = self.cmmc("migrate", "--status")
        self.assertEqual(before.returncode, DONE, before.stderr)
        self.assertRegex(before.stdout, r"(?m)^0001 \S*create_marts +[0-9a-f]{12} +pending")
        applied = self.cmmc("migrate")
        self.assertEqual(applied.returncode, DONE, applied.stderr)
        self.assertRegex(applied.stdout, r"^applied \d+ migrations?\n$")
        after = self.cmmc("migrate", "--status")
        self.assertRegex(after.stdout, r"(?m)^0001 \S*create_marts +[0-9a-f]{12} +applied \d{4}-\d\d-\d\d")
        self.assertNotIn("pending", after.stdout)
        again = self.cmmc("migrate")
        self.assertEqual((again.returncode, again.stdout), (DONE, "already up to date\n"))

    def load(self, dataset, *flags, expect=DONE, **settings):
        done = self.cmmc("load", *flags, dataset.folder, **settings)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def test_loading_the_same_data_twice_makes_no_new_generation(self):
        dataset = Dataset.of(mart_price_daily=[BAR])
        self.assertRegex(self.load(dataset).stdout, r"^published generation 1: 1 row from 1 file in")
        self.assertRegex(self.load(dataset).stdout, r"^read 1 row in .*: generation 1 already holds them")
        other = Dataset.of(mart_price_daily=[{**BAR, "close": "1.50"}])
        self.assertIn("generation 1 already holds them", self.load(other).stdout)
        changed = Dataset.of(mart_price_daily=[{**BAR, "close": "1.51"}])
        self.assertIn("published generation 2", self.load(changed).stdout)

    def test_if_empty_loads_an_empty_store_only(self):
        dataset, other = Dataset.of(mart_price_daily=[BAR]), Dataset.of(mart_price_daily=[{**BAR, "close": "9"}])
        self.assertIn("published generation 1", self.load(dataset, "--if-empty").stdout)
        self.assertIn("nothing to do", self.load(other, "--if-empty").stdout)
        self.assertIn("published generation 2", self.load(other).stdout)

    def refused(self, dataset, *words):
        done = self.load(dataset, expect=FAILED)
        for word in words:
            self.assertIn(word, done.stderr)
        return done

    def test_a_value_of_the_wrong_kind_names_file_line_column_and_what_is_allowed(self):
        good = [{**BAR, "date": f"2020-01-{day:02}"} for day in range(1, 6)]
        for name, value, allowed in (("close", "abc", "number"), ("close", "NaN", "number"), ("close", "1e5", "number"), ("close", "1" * 39, "38"),
                                     ("date", "2020-02-30", "YYYY-MM-DD"), ("quality", "1.5", "integer"), ("known_at", "noon", "YYYY-MM-DDTHH:MM:SSZ"),
                                     ("currency", None, ""), ("source", None, "")):
            with self.subTest(name, value=value):
                rows = [dict(row) for row in good]
                rows[2][name] = value
                self.refused(Dataset.of(mart_price_daily=rows), "price_daily.csv:4", name, allowed)
        self.assertRegex(self.load(Dataset.of(mart_price_daily=good)).stdout, "published generation 1: 5 rows")

    def test_broken_csv_names_file_and_line(self):
        header = ",".join(BAR)
        line = ",".join(BAR.values())
        for what, text, number in (("an open quote", f'{header}\n{line}\n"stock:T.2,2020', 3), ("a field too many", f"{header}\n{line},x\n", 2),
                                   ("a field too few", f"{header}\n{line}\n{line.rsplit(',', 1)[0]}\n", 3), ("text after a quote", f'{header}\n"stock:T.1"x,{line}\n', 2),
                                   ("an unknown column", f"{header},colour\n{line},red\n", 1), ("a column twice", f"{header},uid\n{line},x\n", 1),
                                   ("a column that is missing", header.replace(",date", "") + "\n" + line.replace(",2020-01-02,", ",", 1) + "\n", 1),
                                   ("an empty file", "", 1), ("invalid UTF-8", f"{header}\n{line}\n".encode().replace(b"test", b"t\xffst"), 2),
                                   ("a NUL", f"{header}\n{line}\n".replace("test", "te\0st"), 2), ("a computed column", f"{header},gen_from\n{line},1\n", 1)):
            with self.subTest(what):
                dataset = Dataset.of(mart_price_daily=[BAR])
                manifest = dataset.manifest
                dataset.set_text("price_daily.csv", text)
                if isinstance(text, bytes) or "\0" in text:  # Python's reader does not count these
                    manifest["files"][0].update(rows=1, sha256=hashlib.sha256((dataset.folder / "price_daily.csv").read_bytes()).hexdigest())
                    (dataset.folder / "manifest.json").write_text(json.dumps(manifest))
                else:
                    dataset.save()
                self.refused(dataset, f"price_daily.csv:{number}")

    def test_the_same_key_twice_is_refused(self):
        self.refused(Dataset.of(mart_price_daily=[BAR, {**BAR, "close": "2"}]), "price_daily.csv")

    def test_a_file_that_is_not_what_the_manifest_says_is_refused(self):
        dataset = Dataset.of(mart_price_daily=[BAR])
        manifest = dataset.manifest
        for change, word in (({"sha256": "0" * 64}, "price_daily.csv"), ({"rows": 2}, "price_daily.csv"), ({"rows": 0}, "price_daily.csv"),
                             ({"path": "other.csv"}, "other.csv"), ({"path": "../price_daily.csv"}, "/files/0/path"), ({"path": "/etc/passwd"}, "/files/0/path"),
                             ({"mart": "mart_nothing"}, "mart_nothing"), ({"rows": "1"}, "/files/0/rows"), ({"colour": 1}, "/files/0/colour")):
            with self.subTest(change):
                broken = {**manifest, "files": [{**manifest["files"][0], **change}]}
                (dataset.folder / "manifest.json").write_text(json.dumps(broken))
                self.refused(dataset, word)
        (dataset.folder / "manifest.json").write_text("{")
        self.refused(dataset, "manifest.json")
        (dataset.folder / "manifest.json").unlink()
        self.refused(dataset, "manifest.json")

    def test_a_cut_gzip_file_is_refused(self):
        sample = Dataset.of(mart_price_daily=[BAR])
        data = gzip.compress(sample.text("price_daily.csv").encode())
        (sample.folder / "price_daily.csv.gz").write_bytes(data[:-9])
        file = {"path": "price_daily.csv.gz", "mart": "mart_price_daily", "rows": 1, "sha256": hashlib.sha256(data[:-9]).hexdigest()}
        (sample.folder / "manifest.json").write_text(json.dumps({"format": 1, "name": "test", "files": [file]}))
        self.refused(sample, "price_daily.csv.gz")

    def test_nothing_of_a_refused_load_stays(self):
        self.load(Dataset.of(mart_price_daily=[BAR]))
        bad = [{**BAR, "date": "2020-01-03"}, {**BAR, "date": "x"}]
        self.refused(Dataset.of(mart_price_daily=bad), "price_daily.csv:3")
        with self.backend.server() as server:
            self.assertEqual(server.get("/v1/marts").json["meta"]["generation"], 1)
            self.assertEqual([row["date"] for row in server.get("/v1/marts/mart_price_daily/rows").json["data"]], ["2020-01-02"])


class StoresOnSqlite(Stores, unittest.TestCase):
    backend_type = Sqlite


class StoresOnPostgresql(Stores, unittest.TestCase):
    backend_type = Postgresql


class Databases(unittest.TestCase):
    def test_a_database_that_does_not_answer_is_an_error_without_its_address(self):
        done = run("migrate", database_url="postgresql://someone@127.0.0.1:1/none", var_dir=scratch_folder(), timeout=20)
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertRegex(done.stderr, r"^cmmc: .+\.\n")
        self.assertNotIn("127.0.0.1", done.stderr)

    def test_the_sample_is_found_without_naming_it(self):
        folder = scratch_folder()
        done = run("load", env=environment(var_dir=folder))
        self.assertEqual(done.returncode, DONE, done.stderr)
        rows = sum(file["rows"] for file in json.loads((SAMPLE / "manifest.json").read_text())["files"])
        self.assertRegex(done.stdout, rf"^published generation 1: {rows} rows from 10 files in [\d.]+ s\n$")
        self.assertTrue((pathlib.Path(folder) / "cmmc.db").is_file())

    def test_loads_at_the_same_time_do_not_disturb_each_other(self):
        for backend in (Sqlite(with_sample=False), Postgresql(with_sample=False)):
            with self.subTest(backend.name):
                sets = [Dataset.of(mart_price_daily=[{**BAR, "uid": f"stock:T.{i}"}]) for i in range(4)]
                with concurrent.futures.ThreadPoolExecutor(4) as pool:
                    done = list(pool.map(lambda one: backend.run("load", one.folder), sets))
                self.assertEqual([one.returncode for one in done], [DONE] * 4, [one.stderr for one in done])
                generations = sorted(re.search(r"generation (\d+)", one.stdout).group(1) for one in done)
                self.assertEqual(generations, ["1", "2", "3", "4"])

    def test_the_url_of_the_database_may_need_a_password(self):
        url = postgres.empty_database()
        name = url.rsplit("/", 1)[-1]
        postgres.sql(url, f"CREATE ROLE {name}_role LOGIN PASSWORD 'p@ss w/rd'; GRANT CREATE ON SCHEMA public TO {name}_role;")
        given = url.replace("postgres@", f"{name}_role:p%40ss%20w%2Frd@")
        done = run("migrate", var_dir=scratch_folder(), database_url=given)
        self.assertEqual(done.returncode, DONE, done.stderr)


if __name__ == "__main__":
    unittest.main()
