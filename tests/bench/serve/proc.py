"""What /proc says about processes: processor time of a tree, resident memory and its peak."""

import os
import re

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def cpu_s(pid):
    """Seconds of processor time of a process and all below it, those included that have ended and been waited for."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) * TICK_S + sum(cpu_s(child) for child in children(pid))


def status_kib(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(name + r":\s+(\d+)", file.read()).group(1))


def reset_peak(pid):
    """VmHWM starts again from what is resident now."""
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


class Cpu:
    """Processor time used between start and now, by named process trees."""

    def __init__(self, **pids):
        self.pids = pids
        self.before = {name: cpu_s(pid) for name, pid in pids.items()}

    def used(self):
        return {name: cpu_s(pid) - self.before[name] for name, pid in self.pids.items()}
