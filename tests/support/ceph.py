"""A throw-away Ceph with its S3 gateway and its token service (ceph.sh), shared by one test run."""

import contextlib
import functools
import unittest

from support import shared
from support.s3 import REGION

NOT_INSTALLED = 77
ROLE = "arn:aws:iam:::role/lake"  # that the user may assume


class Ceph:
    key, secret = "AKTEST", "SKTEST"

    def __init__(self, endpoint):
        self.endpoint = endpoint

    def role_keys(self):
        """Keys of the role, which end."""
        import botocore.session

        sts = botocore.session.Session().create_client("sts", region_name=REGION, endpoint_url=self.endpoint,
                                                       aws_access_key_id=self.key, aws_secret_access_key=self.secret)
        with contextlib.closing(sts):
            return sts.assume_role(RoleArn=ROLE, RoleSessionName="test", DurationSeconds=3600)["Credentials"]


def _start():
    done = shared.script("ceph", "start", shared.folder())
    if done.returncode not in (0, NOT_INSTALLED):
        raise AssertionError(f"ceph.sh start failed with {done.returncode}\n{done.stderr}")
    return done.stdout.strip()


@functools.cache
def _endpoint():
    return shared.once("ceph", _start)


def ceph():
    """The one of this run; skips where Debian's packages (make packages) are not."""
    if not _endpoint():
        raise unittest.SkipTest("Ceph is not installed: make packages")
    return Ceph(_endpoint())
