"""Rows of mart_instrument: the real instruments by hand, the simulated ones from their specs.

Names and sectors of the real instruments are common knowledge and in none of the packages.
`market` names the calendar whose sessions a series follows, not the place of listing.
"""

from decimal import Decimal

from sim_assets import BONDS, COINS, SHARES
from tables import flag

DELISTING_RETURN = "-0.30"

# symbol, name, Korean name, sector, industry
US_STOCKS = (
    ("AAPL", "Apple Inc.", "애플", "Information Technology", "Technology Hardware"),
    ("AMD", "Advanced Micro Devices, Inc.", "AMD", "Information Technology", "Semiconductors"),
    ("BAC", "Bank of America Corporation", "뱅크오브아메리카", "Financials", "Banks"),
    ("BBY", "Best Buy Co., Inc.", "베스트바이", "Consumer Discretionary", "Specialty Retail"),
    ("CVX", "Chevron Corporation", "셰브론", "Energy", "Integrated Oil and Gas"),
    ("GE", "General Electric Company", "제너럴일렉트릭", "Industrials", "Industrial Conglomerates"),
    ("HD", "The Home Depot, Inc.", "홈디포", "Consumer Discretionary", "Specialty Retail"),
    ("JNJ", "Johnson & Johnson", "존슨앤드존슨", "Health Care", "Pharmaceuticals"),
    ("JPM", "JPMorgan Chase & Co.", "JP모건체이스", "Financials", "Banks"),
    ("KO", "The Coca-Cola Company", "코카콜라", "Consumer Staples", "Beverages"),
    ("LLY", "Eli Lilly and Company", "일라이릴리", "Health Care", "Pharmaceuticals"),
    ("MRK", "Merck & Co., Inc.", "머크", "Health Care", "Pharmaceuticals"),
    ("MSFT", "Microsoft Corporation", "마이크로소프트", "Information Technology", "Software"),
    ("PEP", "PepsiCo, Inc.", "펩시코", "Consumer Staples", "Beverages"),
    ("PFE", "Pfizer Inc.", "화이자", "Health Care", "Pharmaceuticals"),
    ("PG", "The Procter & Gamble Company", "프록터앤드갬블", "Consumer Staples",
     "Household Products"),
    ("RRC", "Range Resources Corporation", "레인지리소시스", "Energy",
     "Oil and Gas Exploration and Production"),
    ("UNH", "UnitedHealth Group Incorporated", "유나이티드헬스", "Health Care",
     "Managed Health Care"),
    ("WMT", "Walmart Inc.", "월마트", "Consumer Staples", "Consumer Staples Retail"),
    ("XOM", "Exxon Mobil Corporation", "엑슨모빌", "Energy", "Integrated Oil and Gas"),
)

# symbol, name, what it holds
US_ETFS = (
    ("MTUM", "iShares MSCI USA Momentum Factor ETF", "Momentum"),
    ("QUAL", "iShares MSCI USA Quality Factor ETF", "Quality"),
    ("SIZE", "iShares MSCI USA Size Factor ETF", "Size"),
    ("USMV", "iShares MSCI USA Min Vol Factor ETF", "Low volatility"),
    ("VLUE", "iShares MSCI USA Value Factor ETF", "Value"),
)

# uid, name, Korean name, market, unit, source, symbol at the source
LEVELS = (
    ("commodity:WTI", "Crude oil, West Texas Intermediate, Cushing, USD per barrel", "서부텍사스유",
     "XNYM", "price", "arch", "DCOILWTICO"),
    ("index:IXIC", "NASDAQ Composite", "나스닥 종합지수", "XNYS", "points", "arch", "nasdaq"),
    ("index:SPX", "S&P 500", "S&P 500 지수", "XNYS", "points", "skfolio+arch", "SP500"),
    ("index:VIX", "Cboe Volatility Index", "변동성 지수", "XNYS", "points", "arch", "vix"),
)


def row_of(uid, **fields):
    """A row whose class and symbol come from its uid."""
    asset_class, rest = uid.split(":", 1)
    return {"uid": uid, "asset_class": asset_class, "symbol": rest.split(".")[-1],
            "is_active": flag(True), "is_survivor_biased": flag(False), **fields}


def us_rows():
    """The stocks and funds known by adjusted closes alone, picked by who chose them in 2022."""
    shared = {"market": "XNYS", "country": "US", "currency": "USD", "source": "skfolio",
              "quote_unit": "price", "price_basis": "adjusted", "is_survivor_biased": flag(True)}
    stocks = [row_of(f"stock:US.{symbol}", name=name, name_local=local, sector=sector,
                     industry=industry, source_symbol=symbol, **shared)
              for symbol, name, local, sector, industry in US_STOCKS]
    funds = [row_of(f"etf:US.{symbol}", name=name, industry=style, source_symbol=symbol, **shared)
             for symbol, name, style in US_ETFS]
    return stocks + funds


def level_rows():
    return [row_of(uid, name=name, name_local=local, market=market, country="US", currency="USD",
                   source=source, source_symbol=symbol, quote_unit=unit, price_basis="price")
            for uid, name, local, market, unit, source, symbol in LEVELS]


def share_row(spec):
    """A delisted share says when its last session was and what its holders lost after it."""
    row = row_of(spec.uid, name=spec.name, name_local=spec.name_local, market="XKRX", country="KR",
                 currency="KRW", sector=spec.sector, industry=spec.industry, source="simulated",
                 source_symbol=spec.code, quote_unit="price", price_basis="raw")
    if spec.delisted_on:
        row.update(is_active=flag(False), delisted_on=spec.delisted_on.isoformat(),
                   delisting_return=DELISTING_RETURN)
    return row


def bond_row(spec, last_day):
    """A bond that matures inside the span ends at par, so leaving it costs its holder nothing."""
    row = row_of(spec.uid, name=spec.name, name_local=spec.name_local, market="XKRX", country="KR",
                 currency="KRW", sector="Bond", industry=spec.industry, source="simulated",
                 source_symbol=spec.symbol, quote_unit="pct_of_par", price_basis="raw",
                 coupon_rate=str(Decimal(str(spec.coupon)) / 100), coupons_per_year="2",
                 maturity_date=spec.matures.isoformat(), day_count="act_act_icma")
    if spec.matures <= last_day:
        row.update(is_active=flag(False), delisted_on=spec.matures.isoformat(),
                   delisting_return="0")
    return row


def coin_row(spec):
    return row_of(spec.uid, name=spec.name, name_local=spec.name_local, market="24_7",
                  currency="USD", source="simulated", source_symbol=spec.symbol,
                  quote_unit="price", price_basis="price")


def instrument_rows(last_day):
    return (us_rows() + level_rows() + [share_row(spec) for spec in SHARES]
            + [bond_row(spec, last_day) for spec in BONDS] + [coin_row(spec) for spec in COINS])
