"""
cmmc ingest killed at its n-th write, sync, rename or send, for numbers all over the run: readers see what was served before or
the whole of what is new, and the same command, run again, ends where a run that nobody killed ends. Which numbers: die_at.points.
"""

import datetime
import os
import pathlib
import unittest
import unittest.mock

from replay import Replay, World
from support import die_at, s3
from support.ceph import ceph
from support.server import IS_SANITIZED, run, scratch_folder
from support.states import PostgresqlState, RedshiftState, S3State, SqliteState

UNIVERSE = "symbol,name,currency,yahoo\nAAPL,Apple Inc.,USD,AAPL\nMSFT,Microsoft,USD,MSFT\n"
FIRST, SECOND = ("2024-12-02", "2024-12-12"), ("2024-12-10", "2024-12-20")
MARTS = ("mart_instrument", "mart_price_daily", "mart_price_panel", "mart_stock_daily", "mart_return_period", "mart_asset_class_daily", "mart_calendar",
         "mart_corporate_action")
FACTS = ("fact_price", "fact_action", "fact_instrument", "dim_instrument", "dim_adjustment", "fact_price_measure")


class KillTests:
    """Mixed into unittest.TestCase beside one of the two kinds of state."""

    state_type, n_points = None, 0

    @classmethod
    def setUpClass(cls):
        cls.replay = Replay(World(11)).__enter__()
        universe = pathlib.Path(scratch_folder("universe"))
        (universe / "us_stock.csv").write_text(UNIVERSE)
        cls.settings = {"source_base": f"*={cls.replay.address}", "universe_dir": universe}
        cls.before = cls.state_type(scratch_folder("var"))
        cls.ingest(cls.before, FIRST)
        # What comes next has new days, a revised one, and a dividend.
        cls.replay.world.revised["AAPL", datetime.date(2024, 12, 11)] = 1.25
        cls.after = cls.before.copy()
        cls.n_calls = die_at.calls("ingest", "us_stock", "--from", SECOND[0], "--to", SECOND[1], **cls.settings, **cls.after.settings)
        cls.expected = cls.serving(cls.after), cls.warehouse(cls.after), cls.after.lake("us_stock")

    @classmethod
    def tearDownClass(cls):
        cls.replay.__exit__()

    @staticmethod
    def serving(state):
        return {mart: state.rows("cmmc", mart) for mart in MARTS}

    @staticmethod
    def warehouse(state):
        return {table: state.rows("warehouse", table) for table in FACTS}

    @classmethod
    def ingest(cls, state, window):
        done = run("ingest", "us_stock", "--from", window[0], "--to", window[1], **cls.settings, **state.settings)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_the_two_states_differ_in_every_place(self):
        serving, warehouse, lake = self.serving(self.before), self.warehouse(self.before), self.before.lake("us_stock")
        self.assertNotEqual(serving["mart_price_daily"], self.expected[0]["mart_price_daily"])
        self.assertNotEqual(warehouse["fact_price"], self.expected[1]["fact_price"])
        self.assertNotEqual(lake, self.expected[2])
        self.assertGreater(self.n_calls, 100)

    def test_a_run_that_is_killed_anywhere_is_finished_by_the_next(self):
        old, new = self.serving(self.before), self.expected[0]
        for at in die_at.points(self.id(), self.n_calls, self.n_points):
            with self.subTest(call=at, of=self.n_calls):
                state = self.before.copy()
                is_killed = die_at.killed(at, "ingest", "us_stock", "--from", SECOND[0], "--to", SECOND[1], **self.settings, **state.settings)
                # How many calls there are differs a little from run to run: the last ones may not be reached.
                self.assertTrue(is_killed or at > 0.9 * self.n_calls)
                seen = self.serving(state)
                self.assertTrue(seen in (old, new), f"partly published: {[mart for mart in MARTS if seen[mart] not in (old[mart], new[mart])]}")
                self.ingest(state, SECOND)
                self.assertEqual(self.serving(state), new)
                self.assertEqual(self.warehouse(state), self.expected[1])
                self.assertEqual(state.lake("us_stock"), self.expected[2])
                die_at.holds(self.id(), at)
                state.drop()


@unittest.skipIf(IS_SANITIZED, "a sanitizer wants to be loaded first")
class OnSqlite(KillTests, unittest.TestCase):
    state_type, n_points = SqliteState, 40


@unittest.skipIf(IS_SANITIZED, "a sanitizer wants to be loaded first")
class OnPostgresql(KillTests, unittest.TestCase):
    state_type, n_points = PostgresqlState, 15


class Keys:
    """The login of the S3 server in the environment of all children."""

    @classmethod
    def setUpClass(cls):
        keys = unittest.mock.patch.dict(os.environ, s3.login(ceph().key, ceph().secret))
        keys.start()
        cls.addClassCleanup(keys.stop)
        super().setUpClass()


@unittest.skipIf(IS_SANITIZED, "a sanitizer wants to be loaded first")
class OnS3(Keys, KillTests, unittest.TestCase):
    state_type, n_points = S3State, 12


@unittest.skipIf(IS_SANITIZED, "a sanitizer wants to be loaded first")
class OnRedshift(Keys, KillTests, unittest.TestCase):
    state_type, n_points = RedshiftState, 6

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(RedshiftState.leave)
        super().setUpClass()


if __name__ == "__main__":
    unittest.main()
