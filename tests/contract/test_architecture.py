"""docs/architecture.md against the tree: who may include whom, and where the locks are."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("base", "backtest", "store", "cache", "jobs", "ingest", "server", "handlers", "cli")


def table_after(heading, document):
    """The rows of the first table below a heading, as lists of cells."""
    lines = document[document.index(f"\n## {heading}\n"):].splitlines()
    rows = [line for line in lines if line.startswith("|")]
    first = lines.index(rows[0])
    table = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table[2:]


class Architecture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    def test_the_rooms_may_include_what_the_script_allows(self):
        script = (ROOT / "scripts" / "check_layers.sh").read_text(encoding="utf-8")
        allowed = {room: set(others.split()) | {room} for room, others in re.findall(r'allow\("(\w+)", "([\w ]+)"\)', script)}
        self.assertEqual(set(allowed), {*ROOMS, "tests"})
        rows = {row[0].strip("`"): row[2] for row in table_after("Rooms", self.document)}
        self.assertEqual(list(rows), list(ROOMS))
        for room, others in rows.items():
            with self.subTest(room):
                said = set(ROOMS) if others == "everything of ours" else set(others.split(", ")) | {room}
                self.assertEqual(said, allowed[room])

    def test_every_lock_has_a_row_that_names_its_file(self):
        holders = set()
        for room in ROOMS:
            for path in (ROOT / room).rglob("*.[ch]"):
                if re.search(r"^ +(alignas\(\w+\) )?struct lock \w+;", path.read_text(encoding="utf-8"), re.M):
                    holders.add(path.relative_to(ROOT).as_posix())
        named = {row[1].strip("`") for row in table_after("Threads and locks", self.document)}
        self.assertGreater(len(named), 20)
        self.assertEqual(named, holders)


if __name__ == "__main__":
    unittest.main()
