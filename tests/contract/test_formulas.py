"""docs/formulas.md and the tables of backtest/ name the same metrics, reasons and warnings."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def section(number):
    """The text of one numbered section of formulas.md."""
    parts = re.split(r"^## (\d+)\. .*$", read("docs/formulas.md"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))[str(number)]


def first_cells(text):
    return re.findall(r"^\| `([a-z0-9_]+)` \|", text, flags=re.M)


class Formulas(unittest.TestCase):
    def test_every_metric_is_documented_and_every_documented_one_exists(self):
        rows = re.findall(r"^METRIC\((\w+),", read("backtest/metrics.def"), flags=re.M)
        self.assertGreaterEqual(len(rows), 45)
        self.assertEqual(len(rows), len(set(rows)))
        self.assertEqual(sorted(rows), sorted(first_cells(section(5))))

    def test_every_reason_is_documented_and_every_documented_one_exists(self):
        rows = re.findall(r'^REASON\(\w+, "(\w+)", "(.*)"\)', read("backtest/reasons.def"), flags=re.M)
        self.assertEqual(sorted(code for code, _ in rows), sorted(first_cells(section(6))))

    def test_every_warning_is_documented_and_every_documented_one_exists(self):
        source = read("backtest/caveats.c")
        codes = re.findall(r'\badd\(\s*c,\s*"(\w+)"', source)
        codes += re.findall(r'\badd_flag\(\s*c,\s*\w+,\s*"(\w+)"', source)
        documented = re.findall(r"`(\w+)`", section(8))
        self.assertEqual(sorted(set(codes)), sorted(documented))

    def test_every_field_of_a_request_is_documented_and_every_documented_one_exists(self):
        keys = re.search(r"static enum status read_root.*?keys\[\] = \{(.*?)\}", read("backtest/spec.c"), flags=re.S)
        fields = re.findall(r'"(\w+)"', keys.group(1))
        documented = re.findall(r"^\| (`.*?`) \|", section(1), flags=re.M)
        documented = [name for cell in documented for name in re.findall(r"`(\w+)`", cell)]
        self.assertEqual(sorted(fields), sorted(documented))


if __name__ == "__main__":
    unittest.main()
