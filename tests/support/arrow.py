"""Apache Arrow's own reader, in a virtual environment below the build folder: it is on PyPI, not among the packages."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from support.server import ROOT


BUILD = pathlib.Path(os.environ.get("CMMC_TEST_BUILD") or ROOT / "build")
READER = """
import json, sys, pyarrow as pa
def plain(value):
    return value if value is None or isinstance(value, (bool, int, str)) else repr(value) if isinstance(value, float) else str(value)
with open(sys.argv[1], "rb") as file:
    kind = pa.ipc.open_file if sys.argv[2] == "file" else pa.ipc.open_stream
    table = kind(file).read_all()
table.validate(full=True)
json.dump({"types": {field.name: str(field.type) for field in table.schema}, "batches": [len(one) for one in table.to_batches()],
           "rows": [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]}, sys.stdout)
"""


def python():
    """The interpreter that has pyarrow; None with a reason when it cannot be installed."""
    folder = BUILD / "venv-arrow"
    program = folder / "bin" / "python"
    if not (folder / "installed").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=120)
            subprocess.run([program, "-m", "pip", "install", "--quiet", "pyarrow", "tzdata"], check=True, capture_output=True,
                           timeout=300)
        except (OSError, subprocess.SubprocessError) as error:
            return None, f"pyarrow cannot be installed: {error}"
        (folder / "installed").touch()
    return program, None


def read(body, kind="stream"):
    """What pyarrow finds: types by column, rows of each batch, and the rows with decimals and times as text."""
    program, _ = python()
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        done = subprocess.run([program, "-c", READER, file.name, kind], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)
