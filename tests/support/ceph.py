"""A throw-away Ceph with its S3 gateway and its token service (ceph.sh), shared by one test run."""

import atexit
import contextlib
import subprocess
import threading
import unittest

from support.s3 import REGION
from support.server import ROOT, SLOW, scratch_folder

NOT_INSTALLED = 77
ROLE = "arn:aws:iam:::role/lake"  # that the user may assume

_lock = threading.Lock()
_ceph = None


class Ceph:
    key, secret = "AKTEST", "SKTEST"

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

    def _script(self, command):
        return subprocess.run(["bash", str(ROOT / "tests" / "support" / "ceph.sh"), command, self.folder],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=180 * SLOW, check=False)

    def role_keys(self):
        """Keys of the role, which end."""
        import botocore.session

        sts = botocore.session.Session().create_client("sts", region_name=REGION, endpoint_url=self.endpoint,
                                                       aws_access_key_id=self.key, aws_secret_access_key=self.secret)
        with contextlib.closing(sts):
            return sts.assume_role(RoleArn=ROLE, RoleSessionName="test", DurationSeconds=3600)["Credentials"]


def ceph():
    """The one of this run; skips where Debian's packages (make packages) are not."""
    global _ceph
    with _lock:
        if _ceph is None:
            _ceph = Ceph()
    if not _ceph.is_installed:
        raise unittest.SkipTest("Ceph is not installed: make packages")
    return _ceph
