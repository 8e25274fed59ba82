"""The setting `kernels`: other instructions, the same figures to the last byte."""

import json
import unittest

from support.backend import Sqlite
from support.server import run, sample_var_dir

REQUESTS = [
    {"assets": [{"uid": "stock:US.AAPL", "weight": 0.6}, {"uid": "stock:US.JPM", "weight": 0.4}], "start": "2000-01-03",
     "end": "2019-12-31", "capital": 100000, "rebalance": "monthly", "costs": {"commission_bps": 5, "slippage_bps": 5},
     "benchmark": "index:SPX", "monkeys": {"count": 50, "seed": 7}},
    {"universe": ["stock:US.JNJ", "stock:US.KO", "stock:US.PG", "stock:US.WMT"], "strategy": "equal", "start": "2005-01-03",
     "end": "2020-12-31", "capital": 10000000, "currency": "KRW", "rebalance": "quarterly"},
]


def variants():
    """Those that this processor has, the slowest first."""
    with open("/proc/cpuinfo", encoding="ascii") as lines:
        flags = next((set(line.split()) for line in lines if line.startswith("flags")), set())
    return ["ref"] + ["avx2"] * ("avx2" in flags) + ["avx512"] * ({"avx512f", "avx512dq", "avx512vl"} <= flags)


class Kernels(unittest.TestCase):
    def answer(self, kernels, request):
        # A store of its own each time: an answer must be computed, not found.
        done = run("backtest", stdin=json.dumps(request).encode(), var_dir=sample_var_dir(), kernels=kernels)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    @unittest.skipUnless(len(variants()) > 1, "this processor has one variant")
    def test_answers_are_the_same_bytes_with_every_variant(self):
        for request in REQUESTS:
            with self.subTest(request=request):
                plain, *others = (self.answer(name, request) for name in variants())
                self.assertGreater(len(plain), 100000)
                self.assertEqual(json.loads(plain)["meta"]["kernels"], "ref")
                for name, other in zip(variants()[1:], others, strict=True):
                    self.assertEqual(plain, other.replace(f'"kernels":"{name}"', '"kernels":"ref"'))
                self.assertEqual(self.answer("auto", request), others[-1])

    def test_the_entry_document_names_what_runs(self):
        for kernels in ("ref", "auto"):
            server = Sqlite().server(kernels=kernels).start()
            try:
                engine = server.get("/?format=json").json["engine"]
            finally:
                server.stop()
            self.assertEqual(engine["kernels"], variants()[-1] if kernels == "auto" else "ref")
            self.assertRegex(engine["version"], "^[0-9]+$")

    def test_variant_that_does_not_exist_is_refused_with_the_choices(self):
        done = run("backtest", stdin=b"{}", kernels="sse9")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("auto|ref|avx2|avx512", done.stderr)


if __name__ == "__main__":
    unittest.main()
