"""
Keys of a role, a machine and a container, and secrets kept elsewhere. The role is assumed at Ceph's own token service, and the keys
that a stand-in for the metadata services gives are such keys, so that a real server checks what is signed with them.
"""

import datetime
import json
import pathlib
import unittest

from support import s3
from support.aws import KEY_ID, SECRET, TOKEN, Aws
from support.ceph import ROLE, ceph
from support.s3_proxy import FaultProxy
from support.server import environment, not_under_tsan, run, scratch_folder
from test_lake import CONFIG, DONE, FAILED, KEY, Bucket

setUpModule = not_under_tsan

LISTED = f"           1 {KEY}\n"


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Bucket(ceph())
        cls.place.put(KEY, b"x")
        cls.keys = ceph().role_keys()

    def stand_in(self, *keys):
        aws = Aws([*keys] or [self.keys])
        self.addCleanup(aws.stop)
        return aws

    def ls(self, own_keys=False, **changes):
        names = () if own_keys else ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        kept = {name: value for name, value in self.place.environment.items() if name not in names}
        return run("lake", "ls", env={**kept, **changes})

    def expect(self, done):
        self.assertEqual((done.returncode, done.stdout), (DONE, LISTED), done.stderr)

    def test_a_role_is_assumed(self):
        self.expect(self.ls(own_keys=True, CMMC_AWS_ROLE=ROLE, CMMC_AWS_STS_ENDPOINT=self.place.endpoint))

    def test_a_role_of_another_account_is_asked_for_with_its_external_id(self):
        aws = self.stand_in()
        role, external = "arn:aws:iam::210987654321:role/a/lake+x", "of us = 7/&"
        done = self.ls(own_keys=True, AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET, CMMC_AWS_REGION="eu-west-1", CMMC_AWS_ROLE=role,
                       CMMC_AWS_EXTERNAL_ID=external, CMMC_AWS_STS_ENDPOINT=aws.endpoint)
        self.expect(done)  # Ceph takes any region
        self.assertEqual(aws.complaints, [])
        self.assertEqual(aws.roles, [{"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role, "RoleSessionName": "cmmc",
                                      "DurationSeconds": "3600", "ExternalId": external}])

    def test_a_role_that_may_not_be_assumed_is_a_clear_error(self):
        done = self.ls(own_keys=True, CMMC_AWS_ROLE="arn:aws:iam:::role/other", CMMC_AWS_STS_ENDPOINT=self.place.endpoint)
        self.assertEqual((done.returncode, done.stdout), (CONFIG, ""))
        self.assertIn("The service sts refused with 404 NoSuchEntity", done.stderr)
        self.assertIn("aws_role = arn:aws:iam:::role/other", done.stderr)

    def test_roles_are_not_asked_for_over_open_networks(self):
        done = self.ls(own_keys=True, CMMC_AWS_ROLE=ROLE, CMMC_AWS_STS_ENDPOINT="http://192.0.2.1")
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("has to start with https", done.stderr)

    def test_the_machine_has_keys(self):
        aws = self.stand_in()
        self.expect(self.ls(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=aws.endpoint))
        roles = "/latest/meta-data/iam/security-credentials/"
        self.assertEqual(aws.asked, ["PUT /latest/api/token", f"GET {roles}", f"GET {roles}lake-reader"])

    def test_the_container_has_keys_before_the_machine(self):
        aws = self.stand_in()
        file = pathlib.Path(scratch_folder("token")) / "token"
        file.write_text(TOKEN + "\n")
        where = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{aws.endpoint}/v2/credentials/1", "AWS_EC2_METADATA_DISABLED": "false",
                 "AWS_EC2_METADATA_SERVICE_ENDPOINT": aws.endpoint}
        self.expect(self.ls(AWS_CONTAINER_AUTHORIZATION_TOKEN=TOKEN, **where))
        self.expect(self.ls(AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(file), **where))
        self.assertEqual(aws.asked, ["GET /v2/credentials/1"] * 2)
        done = self.ls(**where)
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertIn("The container's metadata service gave no keys (status 403)", done.stderr)

    def test_a_container_is_not_sent_elsewhere_for_keys(self):
        done = self.ls(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://192.0.2.1/keys")
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("cannot be used", done.stderr)

    def test_keys_that_have_ended_are_got_again_once(self):
        proxy = FaultProxy(ceph())
        self.addCleanup(proxy.stop)
        where = {"AWS_EC2_METADATA_DISABLED": "false", "CMMC_S3_ENDPOINT": proxy.endpoint}
        for times, code in ((1, DONE), (2, CONFIG)):
            aws = self.stand_in()
            proxy.forget()
            proxy.fail("answer", status=400, code="ExpiredToken", times=times)
            done = self.ls(AWS_EC2_METADATA_SERVICE_ENDPOINT=aws.endpoint, **where)
            self.assertEqual((done.returncode, len(proxy.seen)), (code, 2), done.stderr)
            self.assertEqual(aws.asked.count("PUT /latest/api/token"), 2)

    def test_keys_that_end_soon_are_renewed_before(self):
        soon = {**self.keys, "Expiration": datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=120)}
        aws = self.stand_in(soon, self.keys)
        done = run("lake", "verify", env={**{name: value for name, value in self.place.environment.items() if not name.startswith("AWS_ACCESS")},
                                          "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": aws.endpoint})
        self.assertEqual((done.returncode, done.stdout), (DONE, "1 object, 1 byte, 0 bad\n"), done.stderr)
        self.assertEqual(aws.asked.count("PUT /latest/api/token"), 2)


class Secrets(unittest.TestCase):
    """Settings whose value is kept in Secrets Manager."""

    NAME = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cmmc/serving-AbCdEf"

    def setUp(self):
        self.aws = Aws(secrets={self.NAME: json.dumps({"url": "unix:///hidden", "n": 1}), "redis": "unix:///elsewhere", "other": "http://x",
                                "again": "secretsmanager:redis"})
        self.addCleanup(self.aws.stop)
        self.addCleanup(lambda: self.assertEqual(self.aws.complaints, []))

    def config(self, value, **settings):
        settings = {"redis_url": value, "aws_region": "eu-west-1", "aws_secrets_endpoint": self.aws.endpoint, **settings}
        return run("config", "--json", env={**environment(**settings), **s3.login(KEY_ID, SECRET)})

    def expect_failure(self, text, value, **settings):
        done = self.config(value, **settings)
        self.assertEqual((done.returncode, done.stdout), (CONFIG, ""))
        self.assertIn(text, done.stderr)
        self.assertNotIn(SECRET, done.stderr)
        return done.stderr

    def test_a_field_or_the_whole_of_a_secret_is_a_setting(self):
        for value in (f"secretsmanager:{self.NAME}#url", "secretsmanager:redis"):
            done = self.config(value)
            self.assertEqual(done.returncode, DONE, done.stderr)
            self.assertNotIn("hidden", done.stdout)
        self.assertEqual(self.aws.asked, ["POST /"] * 2)

    def test_nobody_is_asked_without_such_a_setting(self):
        self.assertEqual(self.config("unix:///hidden").returncode, DONE)
        self.assertEqual(self.aws.asked, [])

    def test_what_a_secret_holds_is_checked_as_a_setting(self):
        text = self.expect_failure('Setting "redis_url"', "secretsmanager:other")
        self.assertNotIn("http://x", text)
        self.expect_failure("itself kept elsewhere", "secretsmanager:again")

    def test_what_is_wrong_with_a_secret_is_said_with_its_setting(self):
        for value, text in (("secretsmanager:none", "there is none of this name"), (f"secretsmanager:{self.NAME}#no", "no JSON object with that field"),
                            (f"secretsmanager:{self.NAME}#n", "no JSON object with that field"), ("secretsmanager:redis#url", "no JSON object with that field"),
                            ("secretsmanager:", "has no name"), ("secretsmanager:a#", "has no name")):
            self.assertIn(f"at:      redis_url = {value}", self.expect_failure(text, value))

    def test_passing_trouble_is_asked_again(self):
        self.aws.trouble = [(400, "ThrottlingException"), (500, "InternalServiceError")]
        self.assertEqual(self.config("secretsmanager:redis").returncode, DONE)
        self.assertEqual(self.aws.asked, ["POST /"] * 3)

    def test_refusals_are_not_asked_again(self):
        self.aws.trouble = [(400, "AccessDeniedException")] * 2
        self.expect_failure("this key may not read it", "secretsmanager:redis")
        self.assertEqual(self.aws.asked, ["POST /"])

    def test_secrets_are_not_read_over_open_networks(self):
        self.expect_failure("https", "secretsmanager:redis", aws_secrets_endpoint="http://192.0.2.1")


if __name__ == "__main__":
    unittest.main()
