#!/usr/bin/env python3
"""
hiredis 1.2.0, the release that Ubuntu 24.04 has, with its TLS: for building against it where the distribution's is older.

    hiredis.py FOLDER    builds it into FOLDER as static libraries with pkg-config files, unless it is there

The sources are those that the Python binding of the same project carries. Exits 75 when they cannot be had.
"""

import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import packages  # noqa: E402

REQUIREMENT = "hiredis==2.3.2"
VERSION = "1.2.0"
LIBRARIES = {"hiredis": "alloc async hiredis net read sds sockcompat", "hiredis_ssl": "ssl"}
OUT_OF_REACH = 75

DESCRIPTION = """Name: {name}
Description: hiredis for tests
Version: {version}
Requires: {requires}
Libs: -L{folder} -l{name}
Cflags: -I{folder}/include
"""


def build(folder):
    folder = pathlib.Path(folder).resolve()
    if (folder / "hiredis_ssl.pc").exists():
        return
    source = packages.source_package(REQUIREMENT) / "vendor" / "hiredis"
    assert f"#define HIREDIS_MINOR {VERSION.split('.')[1]}\n" in (source / "hiredis.h").read_text("utf-8")
    headers = folder / "include" / "hiredis"
    headers.mkdir(parents=True, exist_ok=True)
    for header in source.glob("*.h"):
        (headers / header.name).write_bytes(header.read_bytes())
    for name, units in LIBRARIES.items():
        objects = []
        for unit in units.split():
            objects.append(str(folder / f"{unit}.o"))
            subprocess.run(["gcc", "-std=c99", "-O2", "-g", "-fPIE", "-pthread", "-c", "-o", objects[-1], str(source / f"{unit}.c")], check=True)
        subprocess.run(["ar", "rcs", str(folder / f"lib{name}.a"), *objects], check=True)
        requires = "hiredis libssl libcrypto" if name == "hiredis_ssl" else ""
        text = DESCRIPTION.format(name=name, version=VERSION, requires=requires, folder=folder)
        (folder / f"{name}.pc").write_text(text, "utf-8")


if __name__ == "__main__":
    try:
        build(sys.argv[1])
    except unittest.SkipTest as out_of_reach:
        print(f"hiredis: {out_of_reach}", file=sys.stderr)
        sys.exit(OUT_OF_REACH)
