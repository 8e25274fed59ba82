"""The comparisons. Each takes the bench and its options, and gives the rows of the table it has measured.

A comparison first looks whether everybody answers 200 with the same number of rows; a peer that does not stops it.
Rounds of all parties are taken in turn (ours, peer, ours, peer ...), and the ratio is taken round by round.
"""

import json
import random
import statistics

from figures import Row, significant
from parties import Missing

ROWS_TARGET = "/v1/marts/mart_price_daily/rows"
HUNDRED_THOUSAND, MILLION, TEN_MILLION = 40, 400, 4000  # instruments


# Answers from memory depend on how connections fall to a party's threads and these to processors, which is drawn anew in
# each round: more rounds find the middle.
MEMORY_TIMES = 2
DATABASE_IDLE_US = 5  # of PostgreSQL's own housekeeping, spread over the requests


def symbol(number):
    return f"stock:US.B{number:05d}"


class Targets:
    """The same questions in our spelling and in the peers'."""

    def __init__(self, bench, database, n=400):
        days = bench.psql(database, "-c", "SELECT DISTINCT date FROM mart_price_daily WHERE uid = "
                                          f"'{symbol(1)}' ORDER BY date").split()
        pick = random.Random(7)
        keys = [(symbol(pick.randrange(1, 401)), pick.choice(days)) for _ in range(n)]
        self.one = [f"{ROWS_TARGET}?uid=eq.{uid}&date=eq.{date}" for uid, date in keys]
        self.peer_one = [f"/rows/{uid}/{date}" for uid, date in keys]
        uids = [symbol(number) for number in pick.sample(range(1, 401), 64)]
        self.uids = uids

    def page(self, limit):
        return ([f"{ROWS_TARGET}?uid=eq.{uid}&limit={limit}" for uid in self.uids],
                [f"/rows?uid={uid}&limit={limit}" for uid in self.uids])


def rows_in(body):
    data = json.loads(body)["data"]
    return 1 if isinstance(data, dict) else len(data)


def agree(parties, wanted, headers=None):
    """Everybody answers its first target 200 with `wanted` rows."""
    for party, targets in parties:
        status, _, body = party.get(targets[0], headers)
        if status != 200:
            raise Missing(f"{party.name} answers {status} to {targets[0]}: {body[:200]!r}")
        if wanted is not None and rows_in(body) != wanted:
            raise Missing(f"{party.name} answers {rows_in(body)} rows instead of {wanted} to {targets[0]}")


def sound(result, expected):
    """A round counts only when every request got its answer."""
    if result["errors"] or set(result["statuses"]) != {str(expected)}:
        raise Missing(f"answers were {result['statuses']}, {result['errors']} errors; only {expected} is right")
    return result


def rounds(bench, options, parties, headers=(), expected=200, times=1):
    """{name: [results]}; parties are measured in turn, each once per round, in options.rounds times `times` rounds."""
    results = {party.name: [] for party, _ in parties}
    for _ in range(options.rounds * times):
        for party, targets in parties:
            result = bench.load(party, targets, options.seconds, headers=headers)
            results[party.name].append(sound(result, expected))
    return results


def cpu_text(ours, theirs, *servers):
    """Own processor time and that of PostgreSQL or Redis, for ours and theirs, and how many times less ours is in all."""
    def one(results):
        parts = [statistics.median(result["cpu_us"][name] for result in results) for name in ("party", *servers)]
        return " + ".join(map(significant, parts)), sum(parts)
    (our_text, our_sum), (their_text, their_sum) = one(ours), one(theirs)
    return f"{our_text} / {their_text} µs" + (f" (x {their_sum / our_sum:.2f})" if our_sum else "")


def compare(name, results, ours, goals, *servers):
    """One row for each peer; goals is {peer's name: goal}."""
    rows = []
    for peer, measured in results.items():
        if peer == ours:
            continue
        row = Row(name, peer, goals.get(peer))
        row.compare([r["rate"] for r in results[ours]], [r["rate"] for r in measured], "req/s")
        row.cpu = cpu_text(results[ours], measured, *servers)
        rows.append(row)
    return rows


def uncached(bench):
    """Settings that switch caches off, as far as this build has any."""
    return {"cache_mib": 0} if "cache_mib" in bench.settings() else {}


# ---- Answers from memory ---------------------------------------------------------------------------------------------


def hit(bench, options):
    """A page of 10 rows from the in-process cache, beside a constant of the same bytes."""
    url = bench.database(MILLION)
    ours = bench.ours("ours", url)
    target = f"{ROWS_TARGET}?uid=eq.{symbol(7)}&limit=10"
    agree([(ours, [target])], 10)
    _, headers, body = ours.get(target)
    mhd, nginx = bench.mhd(200, headers, body), bench.nginx(body)
    parties = [(ours, [target]), (mhd, ["/constant.json"]), (nginx, ["/constant.json"])]
    for party, targets in parties:
        if party.get(targets[0])[2] != body:
            raise Missing(f"{party.name} sends another body")
    results = rounds(bench, options, parties, times=MEMORY_TIMES)
    name = f"in-process hit, {len(body):,} B"
    found = compare(name, results, "ours", {"mhd": (">=", 0.8), "nginx": (">=", 0.8)})
    for party in (ours, mhd, nginx):
        bench.stop(party)
    return found


def not_modified(bench, options):
    """304 to a known tag, beside a constant 304 with the same headers."""
    ours = bench.ours("ours", bench.database(MILLION))
    target = f"{ROWS_TARGET}?uid=eq.{symbol(7)}&limit=10"
    tag = ours.get(target)[1]["ETag"]
    status, headers, body = ours.get(target, {"If-None-Match": tag})
    if status != 304 or body:
        raise Missing(f"ours answers {status} to its own tag")
    mhd = bench.mhd(304, headers, b"")
    results = rounds(bench, options, [(ours, [target]), (mhd, [target])], headers=[f"If-None-Match: {tag}"],
                     expected=304, times=MEMORY_TIMES)
    bench.stop(ours)
    bench.stop(mhd)
    return compare("304 to a known tag", results, "ours", {"mhd": (">=", 0.9)})


# ---- Answers through Redis and from the database ----------------------------------------------------------------------


def web_peers(bench, url):
    found = []
    for start in (bench.fastapi, bench.go):
        try:
            found.append(start(url))
        except Missing as missing:
            bench.note(str(missing))
    return found


def beside_peers(bench, options, name, limit, factor, prefix="", **settings):
    """Ours beside FastAPI and Go on single rows (limit None) or pages."""
    url = bench.database(MILLION)
    ours = bench.ours("ours", url, **settings)
    targets = Targets(bench, f"bench{MILLION}")
    mine, theirs = (targets.one, targets.peer_one) if limit is None else targets.page(limit)
    peers = web_peers(bench, url)
    parties = [(ours, mine)] + [(peer, [prefix + target for target in theirs]) for peer in peers]
    wanted = 1 if limit is None else limit
    agree(parties, wanted)
    if prefix:
        for party, own in parties:  # fill Redis
            bench.load(party, own, 1, 8)
        hits = ours.get(mine[0])[1].get("Cache-Status", "")
        if "redis; hit" not in hits and "redis;hit" not in hits:
            raise Missing(f"ours did not answer from Redis: Cache-Status is \"{hits}\"")
    results = rounds(bench, options, parties)
    asked_us = statistics.median(result["cpu_us"]["postgresql"] for result in results["ours"])
    if prefix and asked_us > DATABASE_IDLE_US:
        raise Missing(f"our requests went on to PostgreSQL ({asked_us:.0f} µs each): Redis did not keep up")
    for party, _ in parties:
        bench.stop(party)
    goals = {"FastAPI": (">=", factor), "Go": (">=", 1.0)}
    return compare(name, results, "ours", goals, "redis" if prefix else "postgresql")


def one_row(bench, options):
    """A single row by its key, no cache on any side."""
    return beside_peers(bench, options, "uncached single row", None, 4, **uncached(bench))


def page_1000(bench, options):
    """1,000 rows of one instrument as JSON, no cache on any side."""
    return beside_peers(bench, options, "uncached 1,000 rows, JSON", 1000, 3, **uncached(bench))


def through_redis(bench):
    settings = bench.settings()
    if "redis_url" not in settings:
        raise Missing("this build has no redis_url")
    return {"redis_url": bench.redis(), **uncached(bench)}


def redis_row(bench, options):
    """A single row that Redis holds; our in-process cache is off."""
    return beside_peers(bench, options, "Redis hit, single row", None, 4, "/cached", **through_redis(bench))


def redis_page(bench, options):
    """100 rows that Redis holds; our in-process cache is off."""
    return beside_peers(bench, options, "Redis hit, 100 rows", 100, 4, "/cached", **through_redis(bench))
