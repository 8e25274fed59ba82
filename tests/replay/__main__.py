"""python3 -m replay [--port N] [--seed N]: serves until it is stopped, for trying `cmmc ingest` by hand."""

import argparse
import threading

from replay.server import Replay
from replay.world import World

parser = argparse.ArgumentParser(prog="replay", description=__doc__)
parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
parser.add_argument("--seed", type=int, default=1)
arguments = parser.parse_args()
with Replay(World(arguments.seed), arguments.port) as replay:
    print(f"CMMC_SOURCE_BASE='*={replay.address}'", *(f"CMMC_{name.upper()}_KEY={key}" for name, key in replay.world.keys.items()),
          flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
