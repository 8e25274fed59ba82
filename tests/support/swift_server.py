"""
One server of a throw-away Swift: python3 swift_server.py KIND CONF, where KIND is account, container, object or proxy; or
python3 swift_server.py rings FOLDER PORT PORT PORT, which writes the rings of one device each. For swift.py.
"""

import os
import sys

sys.path.pop(0)  # the folder of this file, whose swift.py is another one
import swift.common.utils
from swift.common.ring import RingBuilder

KINDS = ("account", "container", "object")


def write_rings(folder, ports):
    for kind, port in zip(KINDS, ports):
        builder = RingBuilder(4, 1, 0)
        builder.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "disk", "weight": 1.0})
        builder.rebalance()
        builder.get_ring().save(os.path.join(folder, f"{kind}.ring.gz"))


def let_conditional_writes_through():
    """
    Swift knows `If-None-Match: *`; its S3 layer of this release answers 501 to it before Swift hears of it. Only that check is
    passed by: the header is part of what the signature is checked over.
    """
    from swift.common.middleware.s3api.s3request import S3Request

    check = S3Request._validate_headers

    def check_others(self):
        condition = self.headers.pop("If-None-Match", None)
        check(self)
        if condition is not None:
            self.headers["If-None-Match"] = condition

    S3Request._validate_headers = check_others


class NoCache:
    """In place of memcached, which the users' middleware asks for first."""

    def get(self, *_, **__):
        return None

    def set(self, *_, **__):
        pass


def do_without_memcached():
    import swift.common.middleware.tempauth

    swift.common.middleware.tempauth.cache_from_env = lambda _: NoCache()


def main(kind, where, *ports):
    if kind == "rings":
        write_rings(where, ports)
        return 0
    swift.common.utils.SWIFT_CONF_FILE = os.path.join(os.path.dirname(where), "swift.conf")
    from swift.common.wsgi import run_wsgi

    let_conditional_writes_through()
    do_without_memcached()
    return run_wsgi(where, f"{kind}-server", verbose=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
