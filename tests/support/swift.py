"""A throw-away OpenStack Swift with its S3 layer: a second server that verifies signatures, region and service among them."""

import atexit
import getpass
import http.client
import os
import pathlib
import subprocess
import threading
import time
import unittest

from support.redis import free_port
from support.server import SLOW, scratch_folder

KEY, SECRET = "test:tester", "testing"
PYTHON = "/usr/bin/python3"
KINDS = ("account", "container", "object")
STORAGE = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
devices = {folder}/devices
mount_check = false
swift_dir = {folder}
workers = 0
user = {user}
fallocate_reserve = 0
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
PROXY = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {folder}
workers = 0
user = {user}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats s3api tempauth slo symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
[filter:symlink]
use = egg:swift#symlink
"""

_lock = threading.Lock()
_swift = None


class Swift:
    key, secret = KEY, SECRET

    def __init__(self):
        self.folder = pathlib.Path(scratch_folder("swift"))
        self.processes = []
        (self.folder / "devices" / "disk").mkdir(parents=True)
        (self.folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_prefix = a\nswift_hash_path_suffix = b\n")
        try:
            os.setxattr(self.folder, "user.swift", b"x")
        except OSError:
            raise unittest.SkipTest("this file system has no extended attributes, which Swift needs") from None
        ports = [free_port() for _ in KINDS]
        program = str(pathlib.Path(__file__).with_name("swift_server.py"))
        subprocess.run([PYTHON, program, "rings", str(self.folder), *map(str, ports)], check=True, capture_output=True)
        atexit.register(self.stop)
        for kind, port in zip((*KINDS, "proxy"), (*ports, free_port())):
            text = PROXY if kind == "proxy" else STORAGE
            conf = self.folder / f"{kind}.conf"
            conf.write_text(text.format(kind=kind, port=port, folder=self.folder, user=getpass.getuser()))
            with open(self.folder / f"{kind}.out", "wb") as out:
                self.processes.append(subprocess.Popen([PYTHON, "-W", "ignore", program, kind, str(conf)], stdout=out, stderr=out))
        self.endpoint = f"http://127.0.0.1:{port}"
        for each in (*ports, port):
            self.await_answer(each)

    def await_answer(self, port):
        """Storage servers answer with an error; what counts is that they do before the proxy asks them."""
        deadline = time.monotonic() + 60 * SLOW
        while time.monotonic() < deadline and all(process.poll() is None for process in self.processes):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/healthcheck")
                connection.getresponse()
                return
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
            finally:
                connection.close()
        raise AssertionError("Swift does not start\n" + "".join(path.read_text()[-2000:] for path in self.folder.glob("*.out")))

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()


def swift():
    """The one of this run; skips where Debian's package (make packages) is not."""
    global _swift
    if subprocess.run([PYTHON, "-c", "import swift.common.middleware.s3api"], capture_output=True, check=False).returncode != 0:
        raise unittest.SkipTest("Swift is not installed: make packages")
    with _lock:
        if _swift is None:
            _swift = Swift()
    return _swift
