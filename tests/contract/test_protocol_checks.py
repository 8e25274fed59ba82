"""docs/protocol-checks.md against the tests it names: every check once, every test where it is said to be, and run."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$", re.MULTILINE)
LATER = "Not part of reading."


def names_in(path):
    """The tests of a file that its runner would find."""
    text = path.read_text(encoding="utf-8")
    if path.name == "Makefile":
        return set(re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE))
    if path.suffix == ".py":
        return set(re.findall(r"^    def (test_\w+)\(self", text, re.MULTILINE))
    if path.parent.name == "fuzz":
        return {"LLVMFuzzerTestOneInput"} if "LLVMFuzzerTestOneInput" in text else set()
    defined = set(re.findall(r"^static void (\w+)\(void \*\*state\)", text, re.MULTILINE))
    listed = set(re.findall(r"\b(?:[A-Z_]*TEST[A-Z_]*|cmocka_unit_test\w*)\(\s*(\w+)", text))
    return defined & listed


class ProtocolChecks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = (ROOT / "docs" / "protocol-checks.md").read_text(encoding="utf-8")
        cls.rows = ROW.findall(cls.text)
        cls.files = {}
        for path in [*(ROOT / "tests").glob("*/*.py"), *(ROOT / "tests").glob("*/*.c"), ROOT / "Makefile"]:
            cls.files.setdefault(path.name, []).append(path)

    def test_every_number_is_there_once_and_in_order(self):
        self.assertEqual([int(number) for number, *_ in self.rows], list(range(1, 105)))
        self.assertEqual(len(re.findall(r"^\| \d", self.text, re.MULTILINE)), 104, "a row that is not read")

    def test_every_check_names_its_tests_or_is_not_part_of_reading(self):
        for number, _, tests, remarks in self.rows:
            with self.subTest(number):
                self.assertEqual(tests == "–", remarks == LATER)

    def test_every_named_test_is_in_the_file_it_is_said_to_be_in(self):
        for number, _, tests, _ in self.rows:
            for part in tests.split("; ") if tests != "–" else []:
                found = re.fullmatch(r"`([\w.]+)`: ((?:`\w+`(?:, )?)+)", part)
                with self.subTest(number, part=part):
                    self.assertIsNotNone(found)
                    self.assertEqual(len(self.files.get(found[1], [])), 1, found[1])
                    self.assertLessEqual(set(re.findall(r"`(\w+)`", found[2])), names_in(self.files[found[1]][0]))

    def test_what_the_library_makes_impossible_has_a_remedy(self):
        impossible = [(number, remarks) for number, _, _, remarks in self.rows if "mpossible" in remarks]
        self.assertTrue(impossible)
        for number, remarks in impossible:
            self.assertTrue("Remedy" in remarks or re.search(r"see \d", remarks), number)


if __name__ == "__main__":
    unittest.main()
