"""A throw-away Ceph with its S3 gateway (ceph.sh) shared by one test run, and botocore to look at it from outside."""

import atexit
import contextlib
import functools
import itertools
import subprocess
import threading
import unittest

from support.server import ROOT, SLOW, scratch_folder

NOT_INSTALLED = 77
KEY, SECRET, REGION = "AKTEST", "SKTEST", "us-east-1"

_lock = threading.Lock()
_ceph = None
_names = itertools.count(1)


class Ceph:
    def __init__(self):
        self.folder = scratch_folder("ceph")
        done = self._script("start")
        self.endpoint = done.stdout.strip()
        self.is_installed = done.returncode != NOT_INSTALLED
        if not self.is_installed:
            return
        if done.returncode != 0:
            raise AssertionError(f"ceph.sh start failed with {done.returncode}\n{done.stderr}")
        atexit.register(self._script, "stop")
        atexit.register(client.cache_clear)

    def _script(self, command):
        return subprocess.run(["bash", str(ROOT / "tests" / "support" / "ceph.sh"), command, self.folder],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=180 * SLOW, check=False)


def ceph():
    """The one of this run; skips where Debian's packages (make packages) are not."""
    global _ceph
    with _lock:
        if _ceph is None:
            _ceph = Ceph()
    if not _ceph.is_installed:
        raise unittest.SkipTest("Ceph is not installed: make packages")
    return _ceph


@functools.cache
def client(endpoint):
    """botocore's client for S3: one for all tests and threads."""
    import botocore.config
    import botocore.session

    return botocore.session.Session().create_client(
        "s3", region_name=REGION, endpoint_url=endpoint, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        config=botocore.config.Config(s3={"addressing_style": "path"}))


def bucket(endpoint):
    """A new bucket's name."""
    name = f"cmmc-{next(_names)}"
    client(endpoint).create_bucket(Bucket=name)
    return name


def login(key=KEY, secret=SECRET):
    """What a child's environment needs to have these keys and no others."""
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_CONFIG_FILE": "/nonexistent"}


ROLE = "arn:aws:iam:::role/lake"  # made by ceph.sh


def role_keys(endpoint):
    """Keys that end, of the role; from Ceph's own STS."""
    import botocore.session

    sts = botocore.session.Session().create_client("sts", region_name=REGION, endpoint_url=endpoint, aws_access_key_id=KEY,
                                                   aws_secret_access_key=SECRET)
    with contextlib.closing(sts):
        return sts.assume_role(RoleArn=ROLE, RoleSessionName="test", DurationSeconds=3600)["Credentials"]
