"""
botocore to look at servers of S3 from outside. A server is anything with endpoint, key and secret: support.ceph.ceph(),
support.swift.swift().
"""

import functools
import itertools
import os

REGION = "us-east-1"
_names = itertools.count(1)


@functools.cache
def _client(endpoint, key, secret):
    import botocore.config
    import botocore.session

    return botocore.session.Session().create_client("s3", region_name=REGION, endpoint_url=endpoint, aws_access_key_id=key,
                                                    aws_secret_access_key=secret,
                                                    config=botocore.config.Config(s3={"addressing_style": "path"}))


def client(server):
    """botocore's client: one for all tests and threads."""
    return _client(server.endpoint, server.key, server.secret)


def bucket(server):
    """A new bucket's name."""
    name = f"cmmc-{os.getpid()}-{next(_names)}"
    client(server).create_bucket(Bucket=name)
    return name


def drop_bucket(server, name):
    """The bucket and all that is in it."""
    for page in client(server).get_paginator("list_objects_v2").paginate(Bucket=name):
        for one in page.get("Contents", []):
            client(server).delete_object(Bucket=name, Key=one["Key"])
    for upload in client(server).list_multipart_uploads(Bucket=name).get("Uploads", []):
        client(server).abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    client(server).delete_bucket(Bucket=name)


def login(key, secret):
    """What a child's environment needs to have these keys and no others."""
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_CONFIG_FILE": "/nonexistent"}
