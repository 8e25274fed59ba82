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


def titled(title):
    """The text of the section with this title, whatever its number."""
    return re.search(r"^## \d+\. " + title + r"$(.*?)(?=^## |\Z)", read("docs/formulas.md"), flags=re.M | re.S).group(1)


def first_cells(text):
    return re.findall(r"^\| `([a-z0-9_]+)` \|", text, flags=re.M)


class Formulas(unittest.TestCase):
    def test_every_metric_is_documented_and_every_documented_one_exists(self):
        rows = re.findall(r"^METRIC\((\w+),", read("backtest/metrics.def"), flags=re.M)
        self.assertGreaterEqual(len(rows), 45)
        self.assertEqual(len(rows), len(set(rows)))
        self.assertEqual(sorted(rows), sorted(first_cells(section(5))))

    def test_every_variant_profile_and_name_of_a_library_is_documented(self):
        text = re.split(r"^## (\d)\. .*$", read("docs/track-record.md"), flags=re.M)
        parts = dict(zip(text[1::2], text[2::2]))
        variants = re.findall(r"^METRIC\((\w+),", read("backtest/variants.def"), flags=re.M)
        self.assertGreaterEqual(len(variants), 90)
        self.assertEqual(sorted(variants), sorted(first_cells(parts["4"])))
        profiles = read("backtest/profiles.def")
        used = {metric for metric in re.findall(r"^USE\(\w+, (\w+), \w+\)", profiles, flags=re.M)}
        names = re.findall(r"^PROFILE\((\w+),", profiles, flags=re.M)
        self.assertEqual(sorted([*used, *names]), sorted(first_cells(parts["3"])))
        aliases = re.findall(r'^ALIAS\((\w+), "([^"]+)", (\w+)\)', read("backtest/profile_names.def"), flags=re.M)
        listed = [(library, name, row) for library, block in re.findall(r"^### (\w+)\n(.*?)(?=^###|\Z)", parts["5"], flags=re.M | re.S)
                  for name, row in re.findall(r"^\| `([^`]+)` \| `(\w+)` \|", block, flags=re.M)]
        self.assertEqual(sorted(aliases), sorted(listed))

    def test_every_member_of_a_track_record_is_documented(self):
        keys = re.search(r"static enum status read_root.*?keys\[\] = \{(.*?)\}", read("handlers/metrics_request.c"), flags=re.S)
        section_1 = re.split(r"^## \d\. .*$", read("docs/track-record.md"), flags=re.M)[1]
        documented = re.findall(r"^\| (`.*?`) \|", section_1, flags=re.M)
        documented = [name for cell in documented for name in re.findall(r"`(\w+)`", cell)]
        self.assertEqual(sorted(re.findall(r'"(\w+)"', keys.group(1))), sorted(documented))

    def test_every_reason_is_documented_and_every_documented_one_exists(self):
        rows = re.findall(r'^REASON\(\w+, "(\w+)", "(.*)"\)', read("backtest/reasons.def"), flags=re.M)
        self.assertEqual(sorted(code for code, _ in rows), sorted(first_cells(section(6))))

    def test_every_warning_is_documented_and_every_documented_one_exists(self):
        source = read("backtest/caveats.c") + read("backtest/caveats_events.c")
        codes = re.findall(r'\bcaveats_add\(\s*c,\s*"(\w+)"', source)
        codes += re.findall(r'\badd_flag\(\s*c,\s*\w+,\s*"(\w+)"', source)
        documented = re.findall(r"`(\w+)`", section(8))
        self.assertEqual(sorted(set(codes)), sorted(documented))

    def test_every_strategy_is_documented_and_every_documented_one_exists(self):
        rows = re.findall(r"^STRATEGY\(\w+, (\w+)\)", read("backtest/strategies.def"), flags=re.M)
        table = titled("Strategies").split("| Strategy |")[1]
        self.assertEqual(sorted(rows), sorted(first_cells(table)))
        names = re.search(r"^    StrategyName:.*?enum:(.*?)^    \w", read("openapi.yaml"), flags=re.M | re.S).group(1)
        self.assertEqual(rows, re.findall(r"- (\w+)", names))
        code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "backtest" / "strategies").glob("*.c"))
        for name in rows:
            self.assertRegex(code, rf'struct strategy_kind strategy_{name} =[^;]*"{name}"')

    def test_every_parameter_of_a_strategy_is_documented_and_every_documented_one_exists(self):
        source = read("backtest/spec_strategy.c")
        keys = [word for name in ("window", "estimate")
                for word in re.findall(r'"(\w+)"', re.search(name + r"\[\] = \{(.*?)\}", source, flags=re.S).group(1))]
        for path in sorted((ROOT / "backtest" / "strategies").glob("*.c")):
            keys += re.findall(r'STRATEGY_PARAM_[A-Z]+\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
        table = titled("Strategies").split("| Parameter |")[1].split("| Strategy |")[0]
        keys += re.findall(r"keys\[n\+\+\] = \"(\w+)\"", source)
        named = [name for cell in re.findall(r"^\| (`.*?`) \|", table, flags=re.M) for name in re.findall(r"`(\w+)`", cell)]
        self.assertEqual(sorted(set(keys) - {"name"}), sorted(named))

    def test_every_field_of_a_request_is_documented_and_every_documented_one_exists(self):
        keys = re.search(r"root_keys\[\] = \{(.*?)\}", read("backtest/spec.c"), flags=re.S)
        fields = re.findall(r'"(\w+)"', keys.group(1))
        documented = re.findall(r"^\| (`.*?`) \|", section(1), flags=re.M)
        documented = [name for cell in documented for name in re.findall(r"`(\w+)`", cell)]
        self.assertEqual(sorted(fields), sorted(documented))


if __name__ == "__main__":
    unittest.main()
