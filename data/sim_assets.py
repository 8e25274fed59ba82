"""The invented assets: what each one is, how it moves and what happens to it.

No name belongs to a real issuer. The codes only look like Korean ones, because a six-digit code
with leading zeros is what a reader of such data has to get right; where an exchange has given the
same digits to a real security, that is without meaning.
"""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class ShareSpec:
    """A simulated share or fund. Percentages are fractions of one, prices are whole won."""

    code: str
    name: str
    name_local: str
    sector: str
    industry: str
    listed: date
    price: int
    beta: float
    noise: float
    drift: float
    volume: int
    asset_class: str = "stock"
    dividend_yield: float = 0.0
    dividends_per_year: int = 1
    splits: dict = field(default_factory=dict)
    halt: tuple = ()
    delisted_on: date = None
    decline_from: date = None

    @property
    def uid(self):
        return f"{self.asset_class}:KRX.{self.code}"


START = date(2010, 1, 4)

SHARES = (
    ShareSpec("000910", "SIM Garam Semicon", "모의가람세미콘", "Information Technology",
              "Semiconductors", START, 182000, 1.25, 0.016, 0.00035, 420000, dividend_yield=0.012,
              splits={date(2014, 5, 7): "5"}),
    ShareSpec("000920", "SIM Narae Shipyard", "모의나래조선", "Industrials", "Shipbuilding",
              START, 64300, 1.35, 0.019, -0.00010, 310000, dividend_yield=0.015),
    ShareSpec("900010", "SIM Dasom Bio", "모의다솜바이오", "Health Care", "Biotechnology",
              START, 2150, 0.9, 0.030, -0.00045, 2600000, splits={date(2016, 9, 20): "0.1"}),
    ShareSpec("900020", "SIM Haneul Bank", "모의하늘은행", "Financials", "Banks", START, 14850,
              1.0, 0.011, 0.00015, 900000, dividend_yield=0.038),
    ShareSpec("900030", "SIM Maru Games", "모의마루게임즈", "Communication Services",
              "Entertainment", date(2011, 6, 15), 28400, 1.1, 0.024, 0.00040, 510000,
              splits={date(2020, 11, 11): "2"}, halt=(date(2015, 3, 2), date(2015, 4, 10))),
    ShareSpec("900040", "SIM Sol Power", "모의솔전력", "Utilities", "Electric Utilities", START,
              33950, 0.55, 0.009, 0.00005, 620000, dividend_yield=0.032, dividends_per_year=4),
    ShareSpec("900050", "SIM Bada Foods", "모의바다식품", "Consumer Staples", "Packaged Foods",
              date(2013, 7, 8), 45200, 0.6, 0.012, 0.00030, 150000, dividend_yield=0.018),
    ShareSpec("900060", "SIM Tteul Apparel", "모의뜰의류", "Consumer Discretionary", "Apparel",
              START, 9870, 1.0, 0.021, 0.00005, 700000, delisted_on=date(2018, 9, 14),
              decline_from=date(2017, 9, 1)),
    ShareSpec("910010", "SIM Korea Broad Market ETF", "모의코리아종합 ETF", "", "Broad market",
              START, 10000, 1.0, 0.0012, 0.00012, 3100000, asset_class="etf",
              dividend_yield=0.016),
    ShareSpec("910020", "SIM Korea Defensive ETF", "모의코리아방어 ETF", "", "Low volatility",
              date(2012, 3, 5), 20000, 0.55, 0.0020, 0.00012, 800000, asset_class="etf",
              dividend_yield=0.026, dividends_per_year=4),
)


@dataclass(frozen=True)
class BondSpec:
    """A simulated bond with half-yearly coupons, quoted clean in percent of par."""

    symbol: str
    name: str
    name_local: str
    industry: str
    issued: date
    matures: date
    coupon: float
    spread: float
    volume: int

    @property
    def uid(self):
        return f"bond:SIM.{self.symbol}"


BONDS = (
    BondSpec("KTB10Y", "SIM Treasury Bond 3.00% 2023", "모의국고채 3.00% 2023", "Government",
             date(2013, 6, 10), date(2023, 6, 10), 3.0, 0.0, 90000),
    BondSpec("CORP5Y", "SIM Corporate Bond 4.20% 2019", "모의회사채 4.20% 2019", "Corporate",
             date(2014, 9, 11), date(2019, 9, 11), 4.2, 0.013, 12000),
)


@dataclass(frozen=True)
class CoinSpec:
    """A simulated coin that trades every day of the year, quoted in dollars."""

    symbol: str
    name: str
    name_local: str
    listed: date
    price: float
    beta: float
    noise: float
    drift: float
    volume: float

    @property
    def uid(self):
        return f"coin:{self.symbol}"


COINS = (
    CoinSpec("SIMBTCUSDT", "SIM Bitcoin-like coin", "모의비트코인형", date(2013, 1, 1), 96.4, 0.9,
             0.036, 0.0018, 41000.0),
    CoinSpec("SIMETHUSDT", "SIM Ether-like coin", "모의이더형", date(2015, 8, 8), 11.2, 1.1, 0.046,
             0.0019, 260000.0),
)
