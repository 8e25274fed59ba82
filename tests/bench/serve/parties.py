"""Who takes part in a comparison: our server, its peers, PostgreSQL and Redis; each started on a free port in the
bench's folder and stopped with it. A peer that cannot be had here raises Missing, which says why."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from proc import Cpu

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("CMMC_BIN") or ROOT / "build" / "cmmc")
PEERS = ROOT / "tests" / "bench" / "peers"
SESSIONS = 2500  # bars of each instrument


class Missing(Exception):
    """Something that a scenario needs is not here."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*words, env=None, cwd=None, timeout=600):
    done = subprocess.run([str(word) for word in words], env=env, cwd=cwd, timeout=timeout, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Missing(f"{words[0]} failed: {done.stdout.strip()[-300:]}")
    return done.stdout


def need(program, package):
    found = shutil.which(program) or next(map(str, pathlib.Path("/usr/sbin").glob(program)), None)
    if found is None:
        raise Missing(f"{program} is not installed (Debian package {package})")
    return found


def clean_environment(**more):
    env = {key: value for key, value in os.environ.items() if not key.startswith("CMMC_")}
    return dict(env, **more)


class Party:
    """A child process that answers HTTP on self.port."""

    def __init__(self, name, words, port, log, env=None, ready="/", cwd=None):
        self.name, self.port = name, port
        with open(log, "ab") as out:
            self.process = subprocess.Popen([str(word) for word in words], env=env, stdin=subprocess.PIPE, stdout=out,
                                            stderr=out, cwd=cwd)
        self.pid = self.process.pid
        deadline = time.monotonic() + 30
        while not self._answers(ready):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Missing(f"{name} did not start: " + pathlib.Path(log).read_text("utf-8", "replace")[-300:])
            time.sleep(0.05)

    def _answers(self, target):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}{target}", timeout=5).close()
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False
        return True

    def get(self, target, headers=None, timeout=120):
        """(status, headers, body), whatever the status."""
        call = urllib.request.Request(f"http://127.0.0.1:{self.port}{target}", headers=headers or {})
        try:
            with urllib.request.urlopen(call, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()


class Bench:
    """The folder, the servers and what has been built so far."""

    def __init__(self, folder, build, data=None):
        self.folder, self.build = pathlib.Path(folder), pathlib.Path(build)
        self.keep = data is not None
        self.cluster = pathlib.Path(data) if data else self.folder / "pg"
        self.parties, self.databases = [], {}
        self.url = self.redis_url = None

    def close(self):
        for party in reversed(self.parties):
            party.stop()
        if self.url is not None:
            self._pg("halt" if self.keep else "stop")

    def stop(self, party):
        party.stop()
        self.parties.remove(party)

    def _start(self, *arguments, **more):
        party = Party(*arguments, **more)
        self.parties.append(party)
        return party

    def log(self, name):
        return self.folder / f"{name}.log"

    # -- PostgreSQL ---------------------------------------------------------------------------------------------

    def _pg(self, command):
        env = clean_environment(PG_SH_OPTIONS="-c shared_buffers=1GB -c max_wal_size=8GB")
        script = ROOT / "tests" / "support" / "pg.sh"
        return run("bash", script, command, self.cluster, env=env).strip()

    def psql(self, database, *words):
        return run(need("psql", "postgresql-client"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *words,
                   self.url_of(database))

    def url_of(self, database):
        return self.url.rpartition("/")[0] + "/" + database

    def postgres_pid(self):
        return int((self.cluster / "data" / "postmaster.pid").read_text("ascii").split()[0])

    def database(self, instruments):
        """The URL of a database with `instruments` times SESSIONS rows of mart_price_daily."""
        if self.url is None:
            self.url = self._pg("restart" if (self.cluster / "port").exists() else "start")
        name = f"bench{instruments}"
        if name not in self.databases:
            known = self.psql("postgres", "-c", "SELECT datname FROM pg_database").split()
            if "sample" not in known:
                self.psql("postgres", "-c", "CREATE DATABASE sample")
                env = clean_environment(CMMC_DATABASE_URL=self.url_of("sample"), CMMC_VAR_DIR=str(self.folder))
                run(BIN, "load", ROOT / "data" / "sample", env=env)
            if name not in known:
                self.psql("postgres", "-c", f"CREATE DATABASE {name} TEMPLATE sample")
                self.psql(name, "-v", f"instruments={instruments}", "-v", f"sessions={SESSIONS}", "-f",
                          ROOT / "tests" / "bench" / "serve" / "fill.sql")
            self.databases[name] = self.url_of(name)
        return self.databases[name]

    # -- ours ---------------------------------------------------------------------------------------------------

    def settings(self):
        """Names of the settings that this build has."""
        listing = json.loads(run(BIN, "config", "--json", env=clean_environment()))
        return {entry["key"] for entry in listing["settings"]}

    def ours(self, name, database_url, **settings):
        """Our server: no access log and no keys, as no peer has them either."""
        port = free_port()
        env = clean_environment(CMMC_DATABASE_URL=database_url, CMMC_VAR_DIR=str(self.folder), CMMC_PORT=str(port),
                                CMMC_OPS_PORT="0", CMMC_LOG_LEVEL="warn", CMMC_ANONYMOUS_READ="on",
                                CMMC_ANONYMOUS_BACKTEST="on", CMMC_RATE_ANONYMOUS="0")
        env.update({f"CMMC_{key.upper()}": str(value) for key, value in settings.items()})
        return self._start(name, [BIN, "serve"], port, self.log(name), env=env, ready="/v1/marts", cwd=ROOT)

    # -- peers --------------------------------------------------------------------------------------------------

    def redis_program(self):
        """Debian's redis-tools carries the server as redis-check-rdb, which is a server by its other name."""
        found = shutil.which("redis-server")
        if found is None:
            found = self.folder / "redis-server"
            found.symlink_to(need("redis-check-rdb", "redis-server"))
        return found

    def redis(self):
        if self.redis_url is None:
            port = free_port()
            program = self.redis_program()
            log = open(self.log("redis"), "ab")
            self.redis_process = subprocess.Popen(
                [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
                 str(self.folder)], stdout=log, stderr=log, stdin=subprocess.PIPE)
            log.close()
            stopper = Party.__new__(Party)
            stopper.name, stopper.port, stopper.process = "redis", port, self.redis_process
            stopper.pid = self.redis_process.pid
            self.parties.append(stopper)
            self.redis_pid = stopper.pid
            self.redis_url = f"redis://127.0.0.1:{port}/0"
            deadline = time.monotonic() + 10
            while socket.socket().connect_ex(("127.0.0.1", port)) != 0 and time.monotonic() < deadline:
                time.sleep(0.05)
        return self.redis_url

    def mhd(self, status, headers, body):
        """The libmicrohttpd constant, with the headers and body of an answer of ours."""
        program = self.compiled("mhd_constant", PEERS / "mhd_constant.c", "-lmicrohttpd")
        own = ("date", "content-length", "connection", "transfer-encoding")
        lines = [f"{key}: {value}" for key, value in headers.items() if key.lower() not in own]
        port = free_port()
        files = [self.folder / f"mhd{port}.headers", self.folder / f"mhd{port}.body"]
        files[0].write_text("\n".join(lines) + "\n", "utf-8")
        files[1].write_bytes(body)
        return self._start("mhd", [program, port, status, *files], port, self.log("mhd"))

    def compiled(self, name, source, *libraries):
        program = self.build / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            run(os.environ.get("CC", "cc"), "-std=c17", "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-o", program,
                source, *libraries)
        return program

    def nginx(self, body):
        """nginx with one file, /constant.json. The program comes from Debian's package, unpacked and not installed:
        an installed one would bring a service that listens on port 80."""
        program = shutil.which("nginx") or self.build / "nginx/usr/sbin/nginx"
        if not pathlib.Path(program).exists():
            unpacked = self.build / "nginx"
            unpacked.mkdir(parents=True, exist_ok=True)
            run(need("apt-get", "apt"), "download", "nginx", cwd=unpacked)
            run(need("dpkg-deb", "dpkg"), "-x", *unpacked.glob("nginx_*.deb"), unpacked)
        folder, port = self.folder / "nginx", free_port()
        (folder / "www").mkdir(parents=True)
        (folder / "www" / "constant.json").write_bytes(body)
        for path in (self.folder, folder, folder / "www"):
            path.chmod(0o755)  # its workers give up root's rights
        text = (PEERS / "nginx.conf").read_text("utf-8")
        (folder / "nginx.conf").write_text(text.replace("{folder}", str(folder)).replace("{port}", str(port)), "utf-8")
        return self._start("nginx", [program, "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf"], port,
                           self.log("nginx"))

    def fastapi(self, database_url):
        python = self.build / "venv" / "bin" / "python"
        wanted = PEERS / "requirements.txt"
        stamp = self.build / "venv" / "installed.txt"
        if not stamp.exists() or stamp.read_text("utf-8") != wanted.read_text("utf-8"):
            run("/usr/bin/python3", "-m", "venv", self.build / "venv")
            run(python, "-m", "pip", "install", "-q", "-r", wanted)
            stamp.write_text(wanted.read_text("utf-8"), "utf-8")
        port = free_port()
        env = clean_environment(DATABASE_URL=database_url, REDIS_URL=self.redis())
        return self._start("FastAPI", [python, "-m", "uvicorn", "fastapi_app:app", "--port", port, "--workers", 2,
                                       "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level",
                                       "warning"], port, self.log("fastapi"), env=env, cwd=PEERS)

    def go(self, database_url):
        program = self.build / "go_peer"
        source = PEERS / "go"
        if not program.exists() or program.stat().st_mtime < (source / "main.go").stat().st_mtime:
            run(need("go", "golang"), "build", "-o", program, ".", cwd=source)
        port = free_port()
        env = clean_environment(DATABASE_URL=database_url, REDIS_URL=self.redis())
        return self._start("Go", [program, port], port, self.log("go"), env=env)

    # -- load ---------------------------------------------------------------------------------------------------

    def load(self, party, targets, seconds, connections=64, rate=None, headers=(), warm=0.2):
        """One round of loadgen against a party: what it printed, and the processor time that everybody used."""
        program = self.compiled("loadgen", ROOT / "tests" / "bench" / "serve" / "loadgen.c")
        listing = self.folder / "targets.txt"
        listing.write_text("\n".join(targets) + "\n", "utf-8")
        words = [program, "-c", connections, "-d", seconds, "-w", warm]
        words += ["-r", rate] if rate else []
        for header in headers:
            words += ["-H", header]
        pids = {"party": party.pid}
        if self.url is not None:
            pids["postgresql"] = self.postgres_pid()
        if self.redis_url is not None:
            pids["redis"] = self.redis_pid
        cpu = Cpu(**pids)
        result = json.loads(run(*words, party.port, listing, timeout=seconds + 60))
        used = cpu.used()
        share = seconds / (seconds + warm)  # processor time covers the warm-up too
        n = max(1, result["requests"])
        result["cpu_us"] = {name: used[name] * share * 1e6 / n for name in used}
        return result
