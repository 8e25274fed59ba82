"""A mart with every type of column and values at their edges, on either database, and a server that serves it."""

from support.backend import Postgresql, Sqlite
from support.problems import Assertions

TEXTS = ["plain", 'with "quotes"', "comma, and\ttab", "line\nbreak", "carriage\r\nreturn", "\r", "가나다 한글 😀", "", None, "005930",
         "=1+1", "+1", "-1", "@x", "\tx", "\rx", "\\", "null", '"', ",", "\x01\x1f\x7f control", "</script>", "\u2028"]
DECIMALS = ["0", "1", "-1", "12345678901234567890.123456789012345678", "-99999999999999999999.999999999999999999", "0.1", "100", "-0.5",
            "0.000000000000000001", "9007199254740993", None]
FLOATS = ["0", "-0.0", "1e30", "1e-30", "0.1", "1.7976931348623157e308", "5e-324", "123456789.125", None]
FLOAT_TEXT = ["0", "0", "1e+30", "1e-30", "0.1", "1.7976931348623157e+308", "5e-324", "123456789.125", None]


def literal(value):
    return "NULL" if value is None else str(value) if isinstance(value, (int, bool)) else "'" + value.replace("'", "''") + "'"


class EveryType(Assertions):
    """Mixed into unittest.TestCase beside one of the two databases below."""

    backend_type = None
    types = None

    @classmethod
    def setUpClass(cls):
        cls.backend = cls.backend_type(with_sample=True)
        cls.n = max(len(TEXTS), len(DECIMALS), len(FLOATS))
        cls.rows = [{"k": i, "t": TEXTS[i % len(TEXTS)], "d": DECIMALS[i % len(DECIMALS)], "f": FLOATS[i % len(FLOATS)],
                     "i": [0, 9223372036854775807, -9223372036854775808, None][i % 4], "b": [True, False, None][i % 3],
                     "day": ["2024-02-29", "1969-12-31", None][i % 3],
                     "at": ["2024-02-29T23:59:59Z", "1969-12-31T23:59:59Z", None][i % 3]} for i in range(cls.n)]
        columns = ", ".join(f"{name} {kind}" for name, kind in cls.types.items())
        values = ", ".join("(" + ", ".join(literal(value) for value in row.values()) + ")" for row in cls.rows)
        cls.backend.sql(f"CREATE TABLE mart_test_types (k BIGINT NOT NULL PRIMARY KEY, {columns}); INSERT INTO mart_test_types VALUES {values};"
                        f"CREATE TABLE mart_test_none (k BIGINT NOT NULL PRIMARY KEY, {columns});")
        cls.server = cls.backend.server(refresh_ms=100).start()
        cls.server.wait_until(lambda: cls.server.get("/v1/marts/mart_test_none").status == 200, "the marts")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def get(self, query, mart="mart_test_types", **headers):
        return self.assert_ok(self.server.get(f"/v1/marts/{mart}/rows?{query}", **headers))

    def expected(self):
        """Each value as the text that all formats agree on."""
        def text(name, value, i):
            if value is None:
                return None
            if name == "f":
                return FLOAT_TEXT[i % len(FLOATS)]
            return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        return [{name: text(name, value, i) for name, value in row.items()} for i, row in enumerate(self.rows)]


class OnSqlite:
    backend_type = Sqlite
    types = {"t": "TEXT", "d": "DECIMAL_TEXT", "f": "REAL", "i": "BIGINT", "b": "BOOLEAN", "day": "DATE_TEXT", "at": "INSTANT_TEXT"}


class OnPostgresql:
    backend_type = Postgresql
    types = {"t": "TEXT", "d": "NUMERIC", "f": "DOUBLE PRECISION", "i": "BIGINT", "b": "BOOLEAN", "day": "DATE", "at": "TIMESTAMPTZ"}
