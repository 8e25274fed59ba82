"""
Clients and tools that come from package indexes, for tests only: kept below the build folder, made once.

A test that cannot have one because no index answers says so and is skipped; one that is there but fails is a failure.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = pathlib.Path(os.environ.get("CMMC_TEST_BUILD", ROOT / "build")) / "packages"
INSTALL_S = 600


def _make(folder, commands, key):
    """Runs commands into folder unless they made it before with the same key; skips when an index is out of reach.

    Several test programs may want the same folder at once: the first makes it, the others wait."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(folder.name + ".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _make_alone(folder, commands, key)


def _make_alone(folder, commands, key):
    stamp = folder / ".made-from"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == key:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for command in commands:
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False)
        except FileNotFoundError as missing:
            raise unittest.SkipTest(f"{missing.filename} is not installed") from None
        except subprocess.TimeoutExpired:
            raise unittest.SkipTest("the package index does not answer") from None
        if done.returncode != 0:
            raise unittest.SkipTest("the packages cannot be installed: " + (done.stderr or done.stdout).strip()[-300:])
    stamp.write_text(key, encoding="utf-8")
    return folder


def python_packages(*requirements):
    """Path of a Python interpreter that has these requirements ("name==version")."""
    key = " ".join(sorted(requirements))
    folder = FOLDER / ("python-" + hashlib.sha256(key.encode()).hexdigest()[:12])
    python = shutil.which("python3", path="/usr/bin") or shutil.which("python3")
    _make(folder, [[python, "-m", "venv", str(folder / "venv")],
                   [str(folder / "venv/bin/pip"), "install", "--quiet", "--disable-pip-version-check", *requirements]], key)
    return str(folder / "venv/bin/python")


def source_package(requirement):
    """The folder of a Python package's sources ("name==version")."""
    folder = FOLDER / ("source-" + hashlib.sha256(requirement.encode()).hexdigest()[:12])
    python = shutil.which("python3", path="/usr/bin") or shutil.which("python3")
    _make(folder, [[python, "-m", "venv", str(folder / "venv")],
                   [str(folder / "venv/bin/pip"), "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                    "--no-binary", ":all:", requirement],
                   ["sh", "-c", "tar xzf *.tar.gz && rm *.tar.gz"]], requirement)
    return folder / requirement.replace("==", "-")


def node_packages(*requirements):
    """A folder whose node_modules has these packages ("name@version")."""
    key = " ".join(sorted(requirements))
    folder = FOLDER / ("node-" + hashlib.sha256(key.encode()).hexdigest()[:12])
    return _make(folder, [["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder),
                           *requirements]], key)


def run_node(folder, script, *arguments, timeout=120):
    """Runs a script with the packages of folder; gives its standard output, or raises with its standard error."""
    environment = {**os.environ, "NODE_PATH": str(folder / "node_modules")}
    done = subprocess.run(["node", str(script), *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          env=environment, cwd=folder, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{script} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout
