"""Invented news: every headline names itself as simulated, in English or in Korean (모의).

A few headlines carry what breaks careless readers: commas, quotes, line breaks in an abstract,
Korean text, and a leading `=` or `-` that a spreadsheet would take for a formula.
"""

import hashlib
from datetime import datetime, timedelta, timezone

from sim_assets import COINS, SHARES
from sessions import stamp
from simulate import Stream

ARTICLES = 400
FIRST = datetime(2019, 1, 2, tzinfo=timezone.utc)
SPAN_MINUTES = 4 * 365 * 24 * 60
SECTIONS = ("Business", "Economy", "Markets", "Technology", "World")
BYLINES = ("By A. Sample", "By B. Placeholder", "By C. Example and D. Example", "모의 기자", "")
VERBS = ("rises", "falls", "is flat", "swings", "recovers")
REASONS = ("after made-up results", "on an invented forecast", "in thin imaginary trading",
           "as fictional orders grow", "before a holiday that does not exist")
ODD_HEADLINES = (
    '=1+1 is not a formula but a simulated headline',
    '-3% in a simulated hour, then +3%, then nothing',
    'Simulated quote: "nobody said this", nobody said',
    '=HYPERLINK("https://example.com","simulated") must stay plain text',
    '모의 뉴스: 지어낸 회사, "지어낸 실적" 발표',
    '- 모의 속보 - 실제 사건이 아님',
    'Simulated list: apples, pears, and "quoted, commas"',
    "모의 시황: 코스피가 아닌 가상 지수, 3% 상승",
)


def pick(stream, choices):
    return choices[int(stream.uniform() * len(choices))]


def headline_of(stream, number, name, local):
    """Most headlines follow a pattern; every fiftieth is an odd one, every seventh is Korean."""
    if number % 50 == 0:
        return ODD_HEADLINES[number // 50 % len(ODD_HEADLINES)]
    if number % 7 == 0:
        return f"[모의] {local}, 가상 거래에서 {1 + number % 9}% 변동"
    return f"[Simulated] {name} {pick(stream, VERBS)} {pick(stream, REASONS)}"


def article(stream, number):
    subject = pick(stream, SHARES + COINS)
    moment = FIRST + timedelta(minutes=int(stream.uniform() * SPAN_MINUTES))
    url = f"https://example.com/simulated/{moment:%Y/%m/%d}/article-{number:04d}.html"
    # The top bit is dropped so that the id fits a signed 64-bit integer.
    article_id = int.from_bytes(hashlib.sha256(url.encode()).digest()[:8], "big") >> 1
    section = pick(stream, SECTIONS)
    break_or_space = "\n" if number % 100 == 1 else " "
    return {
        "article_id": str(article_id), "pub_date": stamp(moment),
        "pub_day": moment.date().isoformat(), "section": section,
        "headline": headline_of(stream, number, subject.name, subject.name_local),
        "abstract": f"Simulated text no. {number}.{break_or_space}Nothing in it happened, and"
                    f" {subject.name} does not exist.",
        "byline": pick(stream, BYLINES), "web_url": url,
        "word_count": str(80 + int(stream.uniform() * 1100)),
        "keywords": ";".join(("simulated", section.lower(), subject.name)),
        "source": "simulated",
    }


def news_rows():
    stream = Stream("news")
    return [article(stream, number) for number in range(ARTICLES)]
