"""What each source answers: answer(world, source, ask) gives (status, body, content type). Names are those of sources.def."""

import datetime
import html
import struct
import urllib.parse

from replay.world import EPOCH, ETFS, STOCKS, days

DAY = 86400
XML = "application/xml; charset=utf-8"
HTML = "text/html; charset=utf-8"


class Ask:
    def __init__(self, path, query, form, headers):
        self.path, self.query, self.form, self.headers = path, query, form, headers
        self.parts = [part for part in path.split("/") if part]


def day_of(seconds):
    return EPOCH + datetime.timedelta(seconds // DAY)


def compact(text):
    return datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def widened(value):
    """As a 32-bit float that was widened: 189.41 comes as 189.41000366210938."""
    return struct.unpack("f", struct.pack("f", value))[0]


def yesterday(last):
    """No provider knows what is to come; the day of today is not over."""
    return min(last, datetime.datetime.now(datetime.timezone.utc).date())


def is_summer_in_new_york(day):
    def sunday(month, n):
        first = datetime.date(day.year, month, 1)
        return first + datetime.timedelta((6 - first.weekday()) % 7 + 7 * (n - 1))
    return sunday(3, 2) <= day < sunday(11, 1)


def session(name, day):
    """When the day's bar begins, in seconds: midnight in London for currencies, 9:00 in Seoul, 9:30 in New York."""
    start = (day - EPOCH).days * DAY
    if name.endswith((".KS", ".KQ")):
        return start
    if name.endswith("=X"):
        return start
    return start + (13 * 3600 + 1800 if is_summer_in_new_york(day) else 14 * 3600 + 1800)


def yahoo(world, ask):
    name = urllib.parse.unquote(ask.path.rsplit("/", 1)[1])
    if name in world.unknown:
        return 404, {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}}
    first, last = day_of(int(ask.query["period1"])), yesterday(day_of(int(ask.query["period2"]) - 1))
    bars = world.bars(name, first, last)
    offset = 32400 if name.endswith((".KS", ".KQ")) else 0 if name.endswith("=X") else -18000
    result = {"meta": {"currency": "KRW" if offset == 32400 or name.endswith("KRW=X") else "USD", "symbol": name, "gmtoffset": offset,
                       "exchangeTimezoneName": "UTC", "dataGranularity": "1d"}}
    if bars:
        result["timestamp"] = [session(name, day) for day, _ in bars]
    quote = {member: [bar[member] if member == "volume" else widened(bar[member]) for _, bar in bars]
             for member in ("open", "high", "low", "close", "volume")} if bars else {}
    result["indicators"] = {"quote": [quote], "adjclose": [{"adjclose": [widened(bar["close"] * 0.98) for _, bar in bars]} if bars else {}]}
    events = {}
    if name.isalpha():
        paid = world.dividends(name, first, last)
        if paid:
            events["dividends"] = {str(session(name, day)): {"amount": amount, "date": session(name, day)} for day, amount in paid}
    split = {day: ratio for (one, day), ratio in world.splits.items() if one == name and first <= day <= last}
    if split:
        events["splits"] = {str(session(name, day)): {"date": session(name, day), "numerator": a, "denominator": b, "splitRatio": f"{a}:{b}"}
                            for day, (a, b) in split.items()}
    if events:
        result["events"] = events
    return 200, {"chart": {"result": [result], "error": None}}


def binance(world, ask):
    name, limit = ask.query["symbol"], int(ask.query.get("limit", 500))
    if name in world.unknown:
        return 400, {"code": -1121, "msg": "Invalid symbol."}
    first, last = day_of(int(ask.query["startTime"]) // 1000), yesterday(day_of(int(ask.query["endTime"]) // 1000))
    rows = []
    for day, bar in world.bars(name, first, last)[:limit]:
        opened = (day - EPOCH).days * DAY * 1000
        text = [f"{bar[member]:.8f}" for member in ("open", "high", "low", "close")]
        rows.append([opened, *text, f"{bar['volume']}.50000000", opened + DAY * 1000 - 1, f"{bar['volume'] * bar['close']:.8f}", 1000,
                     f"{bar['volume'] / 2:.8f}", "1.00000000", "0"])
    return 200, rows


AREAS = {"902Y006": [("KR", "한국"), ("US", "미국"), ("JP", "일본"), ("GB", "영국"), ("XM", "유로 지역")],
         "902Y015": [("KOR", "한국"), ("USA", "미국"), ("JPN", "일본")]}


def periods(cycle, first, last):
    """The periods from first to last, in the spelling of ECOS."""
    if cycle == "D":
        return [f"{day:%Y%m%d}" for day in days(compact(first), compact(last)) if day.weekday() < 5]
    if cycle == "A":
        return [str(year) for year in range(int(first), int(last) + 1)]
    size, mark = {"M": (12, ""), "Q": (4, "Q"), "S": (2, "S")}[cycle]
    def number(text):
        return int(text[:4]) * size + int(text[4:].lstrip("QS")) - 1
    return [f"{n // size}{mark}{n % size + 1:0{2 if cycle == 'M' else 1}d}" for n in range(number(first), number(last) + 1)]


def ecos(world, ask):
    _, _, key, _, _, row_first, row_last, table, cycle, first, last, *items = ask.parts
    if key != world.keys["ecos"]:
        return 200, {"RESULT": {"CODE": "INFO-100", "MESSAGE": "인증키가 유효하지 않습니다."}}
    areas = [(items[0], "")] if items else AREAS.get(table, [])
    rows = [{"STAT_CODE": table, "STAT_NAME": f"표 {table}", "ITEM_CODE1": code, "ITEM_NAME1": name or None, "ITEM_CODE2": None,
             "UNIT_NAME": "% ", "WGT": None, "TIME": time,
             "DATA_VALUE": f"{1 + 4 * world.share(table, code, time):.3f}"}
            for time in periods(cycle, first, last) for code, name in areas if (f"{table}/{code}", time) not in world.hidden]
    if not rows:
        return 200, {"RESULT": {"CODE": "INFO-200", "MESSAGE": "해당하는 데이터가 없습니다."}}
    return 200, {"StatisticSearch": {"list_total_count": len(rows), "row": rows[int(row_first) - 1:int(row_last)]}}


FREQUENCIES = {"GDP": "Q", "GDPC1": "Q", "CPIAUCSL": "M", "UNRATE": "M", "FEDFUNDS": "M", "M2SL": "M"}


def fred(world, ask):
    name, query = ask.query["series_id"], ask.query
    if query.get("api_key") != world.keys["fred"]:
        return 400, {"error_code": 400, "error_message": "Bad Request.  The value for variable api_key is not registered."}
    if name in world.unknown:
        return 400, {"error_code": 400, "error_message": "Bad Request.  The series does not exist."}
    first, last = (datetime.date.fromisoformat(query[part]) for part in ("observation_start", "observation_end"))
    frequency = FREQUENCIES.get(name, "D")
    kept = [day for day in days(first, yesterday(last)) if {"D": day.weekday() < 5, "M": day.day == 1,
                                                            "Q": day.day == 1 and day.month % 3 == 1}[frequency]]
    rows = [{"realtime_start": "2026-03-02", "realtime_end": "2026-03-02", "date": str(day),
             "value": "." if (day.month, day.day) == (12, 25) else f"{world.close(name, day):.2f}"} for day in kept if world.has(name, day)]
    offset, limit = int(query["offset"]), int(query["limit"])
    return 200, {"count": len(rows), "offset": offset, "limit": limit, "observations": rows[offset:offset + limit]}


def frankfurter(world, ask):
    first, _, last = ask.parts[1].partition("..")
    names = ask.query["symbols"].split(",")
    rates = {}
    for day in days(datetime.date.fromisoformat(first), yesterday(datetime.date.fromisoformat(last or first))):
        found = {name: round(world.close("EUR" + name, day), 4) for name in names
                 if day.weekday() < 5 and world.has("EUR" + name, day)}
        if found:
            rates[str(day)] = found
    if any(name in world.unknown for name in names):
        return 404, {"message": "not found"}
    return 200, {"amount": 1.0, "base": "EUR", "start_date": first, "end_date": last, "rates": rates}


def ecb(world, ask):
    """All days or the last 90, newest first, in single quotes as today's files are."""
    last = datetime.datetime.now(datetime.timezone.utc).date()
    first = last - datetime.timedelta(90) if "90d" in ask.path else datetime.date(2015, 1, 1)
    cubes = []
    for day in reversed(days(first, last)):
        found = [(name, round(world.close("EUR" + name, day), 4)) for name in ("USD", "KRW", "JPY")
                 if day.weekday() < 5 and world.has("EUR" + name, day)]
        if found:
            cubes.append(f"<Cube time='{day}'>" + "".join(f"<Cube currency='{name}' rate='{rate}'/>" for name, rate in found) + "</Cube>")
    return 200, "<?xml version='1.0'?><gesmes:Envelope xmlns='x'><gesmes:subject>Reference rates</gesmes:subject><Cube>" + "\n".join(cubes) \
        + "</Cube></gesmes:Envelope>", XML


def nyt_key(world, ask):
    return ask.query.get("api-key") == world.keys["nyt"]


BAD_NYT_KEY = (401, {"fault": {"faultstring": "Invalid ApiKey", "detail": {"errorcode": "oauth.v2.InvalidApiKey"}}})


def nyt_archive(world, ask):
    if not nyt_key(world, ask):
        return BAD_NYT_KEY
    first = datetime.date(int(ask.parts[-2]), int(ask.parts[-1].removesuffix(".json")), 1)
    last = (first + datetime.timedelta(31)).replace(day=1) - datetime.timedelta(1)
    docs = [article for day in days(first, yesterday(last)) for article in world.articles(day)]
    return 200, {"copyright": "none", "response": {"docs": docs, "meta": {"hits": len(docs), "offset": 0}}}


def nyt_search(world, ask):
    if not nyt_key(world, ask):
        return BAD_NYT_KEY
    page = int(ask.query["page"])
    docs = [article for day in days(compact(ask.query["begin_date"]), yesterday(compact(ask.query["end_date"])))
            for article in world.articles(day)]
    return 200, {"status": "OK", "response": {"docs": docs[page * 10:page * 10 + 10] or None, "metadata": {"hits": len(docs)}}}


def portal_error(words, code):
    return ("<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg>"
            f"<returnAuthMsg>{words}</returnAuthMsg><returnReasonCode>{code}</returnReasonCode></cmmMsgHeader></OpenAPI_ServiceResponse>")


def portal(world, ask, items):
    if ask.query.get("serviceKey") != world.keys["datagokr"]:
        return 200, portal_error("SERVICE_KEY_IS_NOT_REGISTERED_ERROR", 30), XML
    page, size = int(ask.query["pageNo"]), int(ask.query["numOfRows"])
    part = items[(page - 1) * size:page * size]
    return 200, {"response": {"header": {"resultCode": "00", "resultMsg": "NORMAL SERVICE."}, "body": {
        "numOfRows": size, "pageNo": page, "totalCount": len(items),
        "items": "" if not items else {"item": part[0] if len(part) == 1 else part}}}}


def portal_days(ask):
    return days(compact(ask.query["beginBasDt"]), yesterday(compact(ask.query["endBasDt"]) - datetime.timedelta(1)))


def won(bar):
    return {part: str(round(bar[part])) for part in ("open", "high", "low", "close")}


def korean_bar(world, name, day):
    """The exchange tells what nobody may trade with its last price and 0 for the session's."""
    bar = world.bar(name, day)
    return {**bar, "open": 0, "high": 0, "low": 0, "volume": 0} if bar is not None and name in world.suspended else bar


def korean_item(world, name, day, is_fund):
    bar = korean_bar(world, name, day)
    if bar is None:
        return None
    price = won(bar)
    item = {"basDt": f"{day:%Y%m%d}", "srtnCd": name, "isinCd": f"KR7{name}000", "itmsNm": f"종목 {name}", "clpr": price["close"], "vs": "-10",
            "fltRt": "-.36", "mkp": price["open"], "hipr": price["high"], "lopr": price["low"], "trqu": str(bar["volume"]),
            "trPrc": str(bar["volume"] * round(bar["close"])), "mrktTotAmt": str(round(bar["close"]) * 1000000)}
    if is_fund:
        item |= {"nav": f"{bar['close']:.2f}", "nPptTotAmt": str(round(bar["close"]) * 999000), "stLstgCnt": "1000000",
                 "bssIdxIdxNm": "코스피 200", "bssIdxClpr": "325.11"}
    else:
        item |= {"mrktCtg": "KOSDAQ" if name[0] in "16" else "KOSPI", "lstgStCnt": "1000000"}
    return item


def datagokr_etf(world, ask):
    made = [korean_item(world, name, day, True) for day in portal_days(ask) for name in ETFS]
    return portal(world, ask, [item for item in made if item])


def datagokr_stock(world, ask):
    made = [korean_item(world, name, day, False) for day in portal_days(ask) for name in STOCKS]
    return portal(world, ask, [item for item in made if item])


def datagokr_holiday(world, ask):
    year = int(ask.query["solYear"])
    items = [{"dateKind": "01", "dateName": "1월1일", "isHoliday": "Y", "locdate": year * 10000 + 101, "seq": 1},
             {"dateKind": "01", "dateName": "기독탄신일", "isHoliday": "Y", "locdate": year * 10000 + 1225, "seq": 1}]
    return portal(world, Ask(ask.path, {**ask.query, "pageNo": "1"}, {}, {}), items)


def krx(world, ask, names, is_fund):
    if ask.headers.get("AUTH_KEY") != world.keys["krx"]:
        return 401, {"respMsg": "Unauthorized API Call", "respCode": "401"}
    day, rows = compact(ask.query["basDd"]), []
    for name in names:
        bar = korean_bar(world, name, day)
        if bar is None or day > yesterday(day):
            continue
        price = won(bar)
        row = {"BAS_DD": f"{day:%Y%m%d}", "ISU_CD": name, "ISU_NM": f"종목 {name}", "TDD_CLSPRC": price["close"], "TDD_OPNPRC": price["open"],
               "TDD_HGPRC": price["high"], "TDD_LWPRC": price["low"], "ACC_TRDVOL": f"{bar['volume']:,}",
               "ACC_TRDVAL": str(bar["volume"] * round(bar["close"])), "MKTCAP": str(round(bar["close"]) * 1000000), "LIST_SHRS": "1000000"}
        row |= {"NAV": f"{bar['close']:.2f}", "INVSTASST_NETASST_TOTAMT": "-", "IDX_IND_NM": "코스피 200", "OBJ_STKPRC_IDX": "325.11"} if is_fund \
            else {"MKT_NM": "KOSDAQ" if name[0] in "16" else "KOSPI"}
        rows.append(row)
    return 200, {"OutBlock_1": rows}


def krx_etf(world, ask):
    return krx(world, ask, ETFS, True)


def krx_kospi(world, ask):
    return krx(world, ask, [name for name in STOCKS if name[0] not in "16"], False)


def krx_kosdaq(world, ask):
    return krx(world, ask, [name for name in STOCKS if name[0] in "16"], False)


def krx_holiday(world, ask):
    if ask.form.get("code") != world.keys["krx_web"]:
        return 200, {"block1": []}
    year = int(ask.form["search_bas_yy"])
    shut = [(datetime.date(year, 1, 1), "New Year's Day"), (datetime.date(year, 12, 25), "Christmas Day"),
            (datetime.date(year, 12, 31), "Year-end closing")]
    return 200, {"block1": [{"calnd_dd": str(day), "dy_tp_cd": f"{day:%a}".upper(), "calnd_dd_dy": f"{day} ({day:%a})", "kr_dy_tp": "요일",
                             "holdy_eng_nm": name} for day, name in shut]}


def krx_web_industry(world, ask):
    names = [name for name in STOCKS if (name[0] in "16") == (ask.form["mktId"] == "KSQ")]
    return 200, {"block1": [{"ISU_SRT_CD": name, "ISU_ABBRV": f"종목 {name}", "MKT_TP_NM": "KOSDAQ" if name[0] in "16" else "KOSPI",
                             "IDX_IND_NM": "전기전자", "TDD_CLSPRC": "53,600"} for name in names], "CURRENT_DATETIME": "2024.12.02 PM 06:30:10"}


def krx_web_etf(world, ask):
    day = compact(ask.form["trdDd"])
    rows = []
    for name in ETFS:
        bar = world.bar(name, day)
        if bar is not None:
            price = {part: f"{int(value):,}" for part, value in won(bar).items()}
            rows.append({"ISU_SRT_CD": name, "ISU_CD": f"KR7{name}000", "ISU_ABBRV": f"종목 {name}", "TDD_CLSPRC": price["close"],
                         "NAV": f"{bar['close']:,.2f}", "TDD_OPNPRC": price["open"], "TDD_HGPRC": price["high"], "TDD_LWPRC": price["low"],
                         "ACC_TRDVOL": f"{bar['volume']:,}", "ACC_TRDVAL": "-", "MKTCAP": "5,432,100,000,000", "LIST_SHRS": "164,050,000",
                         "INVSTASST_NETASST_TOTAMT": "5,434,269,000,000", "IDX_IND_NM": "코스피 200", "OBJ_STKPRC_IDX": "325.11"})
    return 200, {"output": rows, "CURRENT_DATETIME": "2024.12.02 PM 06:30:10"}


def bi_bond(world, ask):
    name = ask.query["tkData"]
    if name in world.unknown:
        return 200, []
    first, last = compact(ask.query["from"]), yesterday(compact(ask.query["to"]))
    return 200, [{"Close": round(90 + 10 * world.share(name, day), 3), "Open": 98.31, "High": 101.0, "Low": 89.0, "Volume": 0, "Estimate": None,
                  "Date": f"{day} 00:00"} for day in days(first, last) if day.weekday() < 5 and world.has(name, day)]


def bi_bond_meta(world, ask):
    slug = ask.parts[-1]
    if slug in world.unknown:
        return 404, "<html><body>404</body></html>", HTML
    table = [("ISIN", slug.upper()), ("Name", f"Bond {html.escape('& Co. ' + slug)}"), ("Country", "USA"), ("Issuer", "United States of America"),
             ("Issue Volume", "39,000,000,000"), ("Currency", "USD"), ("Issue Price", "99.95"), ("Issue Date", "2/15/2018"),
             ("Coupon", "2.875%"), ("Denomination", "100"), ("Payment Type", "regular interest"), ("Maturity Date", "2/15/2028"),
             ("Coupon Payment Date", "2/15/2025"), ("No. of Payments per Year", "2.0"), ("Coupon Start Date", "2/15/2018"),
             ("Final Coupon Date", "2/14/2028"), ("Floater", "No")]
    rows = "".join(f'<tr class="table__tr"><td class="table__td"> {key} </td>\n<td>{value}&nbsp;</td></tr>' for key, value in table)
    return 200, f"<!doctype html><html><head><title>Bond</title></head><body><table class='t'><tbody>{rows}</tbody></table></body></html>", HTML


def bi_msci(world, ask):
    valor, window = ask.parts[2], urllib.parse.unquote(ask.parts[3])
    first, last = (datetime.datetime.strptime(part, "%b. %d %Y").date() for part in window.split("_"))
    bars = reversed(world.bars(f"MSCI{valor}", first, yesterday(last)))
    return 200, [{"Date": f"{day:%m/%d/%y}", **{part.capitalize(): f"{bar[part]:,.2f}" for part in ("open", "high", "low", "close")},
                  "Volume": "0"} for day, bar in bars]


def investing(world, ask):
    name = ask.parts[-1]
    first, last = (datetime.date.fromisoformat(ask.query[part]) for part in ("start-date", "end-date"))
    rows = [{"rowDate": f"{day:%b %d, %Y}", "rowDateTimestamp": f"{day}T00:00:00Z", "last_close": f"{bar['close']:,.2f}",
             "last_closeRaw": str(widened(bar["close"])), "last_openRaw": widened(bar["open"]), "last_maxRaw": str(bar["high"]),
             "last_minRaw": bar["low"], "volume": "", "volumeRaw": bar["volume"], "change_precent": "0.24"}
            for day, bar in reversed(world.bars("I" + name, first, yesterday(last)))]
    return 200, {"data": rows or None}


GICS = {"10": "Energy", "1010": "Energy", "101010": "Energy Equipment & Services", "10101010": "Oil & Gas Drilling", "15": "Materials",
        "1510": "Materials", "151010": "Chemicals", "15101010": "Commodity Chemicals"}


def wikipedia(world, ask):
    cells = "".join(f'<td rowspan="2">{code}</td>\n<td><a href="/wiki/X">{html.escape(name)}</a><sup>[1]</sup></td>' for code, name in GICS.items())
    return 200, f"<!DOCTYPE html><html><body><table class=\"wikitable\"><tr>{cells}</tr></table><td>note</td></body></html>", HTML


SOURCES = {name: made for name, made in globals().items() if callable(made)}


def answer(world, source, ask):
    status, body, *kind = SOURCES[source](world, ask)
    return (status, body, *kind)
