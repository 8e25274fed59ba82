"""Trading sessions: which days each market is open, when it closes, and the calendar mart's rows.

Real markets take their open days from the dates of the real data, so calendar and prices can not
disagree. Only closing hours and a few days beyond the data come from rules, named below.
"""

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from tables import flag

NEW_YORK = ZoneInfo("America/New_York")
SEOUL = ZoneInfo("Asia/Seoul")
BERLIN = ZoneInfo("Europe/Berlin")
ONE_DAY = timedelta(days=1)

# Half days that follow no yearly rule: the Fridays after Christmas 1997 and 2003, and the eve of
# the year 2000.
XNYS_ODD_HALF_DAYS = {date(1997, 12, 26), date(1999, 12, 31), date(2003, 12, 26)}
# The stock data stop on 2022-12-28. The two sessions left in that year and the nearest sessions
# outside the calendar's span are known, and make the month and year ends come out right.
XNYS_KNOWN_SESSIONS = {date(1989, 12, 29), date(2022, 12, 29), date(2022, 12, 30),
                       date(2023, 1, 3)}
XNYM_KNOWN_SESSIONS = {date(2019, 1, 4)}
ECB_KNOWN_SESSIONS = {date(2026, 11, 2)}
XKRX_HOLIDAYS = {(1, 1), (3, 1), (5, 5), (6, 6), (8, 15), (10, 3), (10, 9), (12, 25), (12, 31)}
SIM_FIRST = date(2010, 1, 1)
SIM_LAST = date(2022, 12, 31)


def stamp(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_stamp(day, hour, minute, zone):
    """A wall-clock moment of a market, in UTC."""
    return stamp(datetime.combine(day, time(hour, minute), tzinfo=zone))


def days_between(first, last):
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def thanksgiving_friday(year):
    first = date(year, 11, 1)
    fourth_thursday = first + timedelta(days=(3 - first.weekday()) % 7 + 21)
    return fourth_thursday + ONE_DAY


def is_independence_half_day(day):
    """3 July on a Monday, Tuesday or Thursday since 1995, on a Wednesday since 2013; 5 July on a
    Friday until 2012."""
    if (day.month, day.day) == (7, 3):
        return (day.year >= 1995 and day.weekday() in (0, 1, 3)) or (
            day.year >= 2013 and day.weekday() == 2)
    return (day.month, day.day) == (7, 5) and day.weekday() == 4 and 1995 <= day.year <= 2012


def is_xnys_half_day(day):
    if day in XNYS_ODD_HALF_DAYS or is_independence_half_day(day):
        return True
    if day.year >= 1992 and day == thanksgiving_friday(day.year):
        return True
    return (day.month, day.day) == (12, 24) and day.weekday() <= 3


def xnys_close(day):
    """16:00 in New York; half days end at 13:00, until 1992 at 14:00."""
    hour = 16
    if is_xnys_half_day(day):
        hour = 13 if day.year >= 1993 else 14
    return local_stamp(day, hour, 0, NEW_YORK)


def vix_known(day):
    """The volatility index goes on for a quarter of an hour after the stock market's close."""
    return xnys_close(day).replace(":00:00Z", ":15:00Z")


def xnym_close(day):
    return local_stamp(day, 16, 0, NEW_YORK)


def xkrx_close(day):
    return local_stamp(day, 15, 30, SEOUL)


def ecb_close(day):
    return local_stamp(day, 16, 0, BERLIN)


def coin_close(day):
    """A coin's day ends at midnight UTC, which is already the next date."""
    return stamp(datetime.combine(day + ONE_DAY, time(), tzinfo=timezone.utc))


def xkrx_sessions(first=SIM_FIRST, last=SIM_LAST):
    """Weekdays without the fixed-date holidays; lunar and one-off holidays are not modelled."""
    return [day for day in days_between(first, last)
            if day.weekday() < 5 and (day.month, day.day) not in XKRX_HOLIDAYS]


def period_ends(open_days, period_of):
    """The last open day of every period that is over, told by the next open day's period."""
    return {day for day, after in zip(open_days, open_days[1:])
            if period_of(day) != period_of(after)}


def week_of(day):
    return day.isocalendar()[:2]


def month_of(day):
    return day.year, day.month


def quarter_of(day):
    return day.year, (day.month - 1) // 3


def year_of(day):
    return day.year


def calendar_rows(market, open_days, span, close_at, source, is_half_day=lambda day: False):
    """One row for each day of the span. `open_days` may reach beyond it: the days outside give the
    edges their neighbours and are not written."""
    open_days = sorted(open_days)
    is_open = set(open_days)
    ends = [period_ends(open_days, period) for period in (week_of, month_of, quarter_of, year_of)]
    rows, position = [], 0
    for day in days_between(*span):
        while position < len(open_days) and open_days[position] < day:
            position += 1
        after = position + (day in is_open)
        rows.append({
            "market": market, "date": day.isoformat(), "is_open": flag(day in is_open),
            "is_half_day": flag(day in is_open and is_half_day(day)),
            "prev_open": open_days[position - 1].isoformat() if position else "",
            "next_open": open_days[after].isoformat() if after < len(open_days) else "",
            "is_week_end": flag(day in ends[0]), "is_month_end": flag(day in ends[1]),
            "is_quarter_end": flag(day in ends[2]), "is_year_end": flag(day in ends[3]),
            "close_at": close_at(day) if day in is_open else "", "source": source,
        })
    return rows


def to_days(texts):
    return {date.fromisoformat(text) for text in texts}


def all_calendars(stock_dates, wti_dates, ecb_dates):
    """The calendars of every market the sample's prices and rates are dated by."""
    wti, ecb = to_days(wti_dates), to_days(ecb_dates)
    margin = timedelta(days=14)
    return (
        calendar_rows("24_7", days_between(SIM_FIRST - margin, SIM_LAST + margin),
                      (SIM_FIRST, SIM_LAST), coin_close, "derived")
        + calendar_rows("ECB", ecb | ECB_KNOWN_SESSIONS, (date(1999, 1, 1), max(ecb)),
                        ecb_close, "derived")
        + calendar_rows("XKRX", xkrx_sessions(SIM_FIRST - margin, SIM_LAST + margin),
                        (SIM_FIRST, SIM_LAST), xkrx_close, "simulated")
        + calendar_rows("XNYM", wti | XNYM_KNOWN_SESSIONS, (date(1986, 1, 1), max(wti)),
                        xnym_close, "derived")
        + calendar_rows("XNYS", to_days(stock_dates) | XNYS_KNOWN_SESSIONS,
                        (date(1990, 1, 1), date(2022, 12, 31)), xnys_close, "derived",
                        is_xnys_half_day))
