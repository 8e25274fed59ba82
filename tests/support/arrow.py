"""Apache Arrow's own reader, from a package index."""

import json
import subprocess
import tempfile

from support import packages

REQUIREMENTS = ("pyarrow==26.0.1", "tzdata==2026.6")
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


class Reader:
    def __init__(self):
        self.program = packages.python_packages(*REQUIREMENTS)

    def read(self, body, kind="stream"):
        """What pyarrow finds: types by column, rows of each batch, and the rows with decimals and times as text."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            done = subprocess.run([self.program, "-c", READER, file.name, kind], capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)
