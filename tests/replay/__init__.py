"""Stands for the providers of data in tests: answers made up by rule, in their shapes and with their faults."""

from replay.server import Replay
from replay.world import World

__all__ = ["Replay", "World"]
