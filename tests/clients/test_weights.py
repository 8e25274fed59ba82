"""
Weights of strategies against other implementations, on the same windows of the same prices: covariances by NumPy and
scikit-learn, optimisers by SciPy's SLSQP, trees by SciPy's linkage.

The windows are those that an answer names for its decisions (known_from to known_at), cut here from the sample's own
files; all instruments trade on one calendar, so that no price is carried forward.
"""

import functools
import json
import subprocess
import unittest

from support import packages
from support.dataset import sample_rows
from support.server import run, sample_var_dir

REQUIREMENTS = ("numpy==1.26.4", "scipy==1.13.1", "scikit-learn==1.5.2")
UNIVERSE = ["stock:US.AAPL", "stock:US.JPM", "stock:US.KO", "stock:US.WMT", "stock:US.XOM"]
BENCHMARK = "stock:US.GE"
BASE = {"universe": UNIVERSE, "start": "2005-01-03", "end": "2009-12-31", "rebalance": "quarterly", "benchmark": BENCHMARK,
        "monkeys": {"count": 0}}
PEER = r"""
import json, sys
import numpy as np
from scipy.cluster import hierarchy
from scipy.optimize import linprog, minimize
from scipy.spatial.distance import squareform
from sklearn.covariance import ledoit_wolf


def estimate(returns, how):
    if how == "ledoit_wolf":
        return ledoit_wolf(returns)[0]
    if how == "ewma":
        weights = 0.94 ** np.arange(len(returns))[::-1]
        centred = returns - returns.mean(axis=0)
        return (centred * (weights / weights.sum())[:, None]).T @ centred
    return np.cov(returns, rowvar=False)


def optimum(objective, n, most, also=()):
    best = None
    for seed in range(4):
        start = np.random.default_rng(seed).dirichlet(np.ones(n))
        found = minimize(objective, start, method="SLSQP", bounds=[(0, most)] * n,
                         constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1}, *also], options={"ftol": 1e-15, "maxiter": 1000})
        if best is None or found.fun < best.fun:
            best = found
    return best.x


# The linear program of Kapsos and others (2014): y = w / s, shortfalls u >= -x'y, sum u / T = 1, 0 <= y <= most sum y.
def omega(excess, most):
    sessions, n = excess.shape
    cap = np.hstack([np.eye(n) - most, np.zeros((n, sessions))])
    short = np.hstack([-excess, -np.eye(sessions)])
    found = linprog(np.concatenate([-excess.mean(axis=0), np.zeros(sessions)]), A_ub=np.vstack([short, cap]), b_ub=np.zeros(sessions + n),
                    A_eq=[np.concatenate([np.zeros(n), np.full(sessions, 1 / sessions)])], b_eq=[1], method="highs")
    return found.x[:n] / found.x[:n].sum()


def sortino(excess, most):
    return optimum(lambda w: -(excess @ w).mean() / np.sqrt((np.minimum(excess @ w, 0) ** 2).mean()), excess.shape[1], most)


# Ahmadi-Javid 2012, over weights and z together.
def entropic(returns, most, confidence):
    n = returns.shape[1]

    def bound(x):
        loss = -1e2 * returns @ x[:n]
        return loss.max() + x[n] * np.log(np.exp((loss - loss.max()) / x[n]).mean() / (1 - confidence))

    best = None
    for seed in range(4):
        start = np.append(np.random.default_rng(seed).dirichlet(np.ones(n)), 1)
        found = minimize(bound, start, method="SLSQP", bounds=[(0, most)] * n + [(1e-3, 1e3)],
                         constraints=[{"type": "eq", "fun": lambda x: x[:n].sum() - 1}], options={"ftol": 1e-15, "maxiter": 1000})
        if best is None or found.fun < best.fun:
            best = found
    return best.x[:n]


def parity(cov):
    n, scale = len(cov), np.trace(cov) / len(cov)
    found = minimize(lambda x: x @ cov @ x / scale / 2 - np.log(x).sum(), np.ones(n), bounds=[(1e-6, None)] * n,
                     jac=lambda x: cov @ x / scale - 1 / x, method="L-BFGS-B", options={"ftol": 1e-16, "gtol": 1e-12})
    return found.x / found.x.sum()


def linked(cov, linkage):
    deviation = np.sqrt(np.diag(cov))
    distance = np.sqrt(np.clip(1 - cov / np.outer(deviation, deviation), 0, None) / 2)
    np.fill_diagonal(distance, 0)
    return hierarchy.linkage(squareform(distance, checks=False), linkage), distance


# Clusters as arrays of assets: as many as wanted, or by the largest second difference of the dispersion within (Yue, Wang and Wei 2008).
def clusters(cov, linkage, wanted):
    links, distance = linked(cov, linkage)
    n = len(cov)
    cut = lambda k: [np.flatnonzero(row == label) for row in [hierarchy.cut_tree(links, k)[:, 0]] for label in range(k)]
    within = [sum((distance[np.ix_(c, c)] ** 2).sum() / (2 * len(c)) for c in cut(k)) for k in range(1, min(n, max(8, round(n ** 0.5))) + 1)]
    return cut(wanted or int(np.argmax(np.diff(within, 2))) + 2), hierarchy.to_tree(links)


# Raffinot 2018.
def equal_risk(cov, linkage, wanted, measure):
    parts, root = clusters(cov, linkage, wanted)
    risk = np.sqrt if measure == "volatility" else lambda variance: variance
    weights, of_part = np.zeros(len(cov)), []
    for part in parts:
        inverse = 1 / risk(np.diag(cov)[part])
        weights[part] = inverse / inverse.sum()
        of_part.append(risk(weights[part] @ cov[np.ix_(part, part)] @ weights[part]))
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if any(set(node.pre_order()) <= set(part) for part in parts):
            continue
        sides = [node.left.pre_order(), node.right.pre_order()]
        total = [sum(size for part, size in zip(parts, of_part) if set(part) <= set(side)) for side in sides]
        weights[sides[0]] *= 1 - total[0] / sum(total)
        weights[sides[1]] *= 1 - total[1] / sum(total)
        nodes += [node.left, node.right]
    return weights


# Lopez de Prado 2019, section 4.
def nested(cov, mean, linkage, wanted, objective):
    parts, _ = clusters(cov, linkage, wanted)

    def best(cov, mean):
        if objective == "maximum_sharpe" and mean.max() > 0:
            return optimum(lambda w: -(mean @ w) / np.sqrt(w @ cov @ w), len(cov), 1)
        return optimum(lambda w: w @ cov @ w / np.trace(cov) * len(cov), len(cov), 1)

    inside = np.zeros((len(cov), len(parts)))
    for k, part in enumerate(parts):
        inside[part, k] = best(cov[np.ix_(part, part)], mean[part])
    return inside @ best(inside.T @ cov @ inside, mean @ inside)


def tree(cov, linkage):
    by_variance = np.argsort(np.diag(cov), kind="stable")
    ordered = cov[np.ix_(by_variance, by_variance)]
    leaves = hierarchy.to_tree(linked(ordered, linkage)[0]).pre_order()
    weights = np.ones(len(cov))

    def variance(part):
        block = ordered[np.ix_(part, part)]
        inverse = 1 / np.diag(block)
        inverse /= inverse.sum()
        return inverse @ block @ inverse

    parts = [leaves]
    while parts:
        halves = [(p[:len(p) // 2], p[len(p) // 2:]) for p in parts if len(p) > 1]
        for left, right in halves:
            share = 1 - variance(left) / (variance(left) + variance(right))
            weights[left] *= share
            weights[right] *= 1 - share
        parts = [half for pair in halves for half in pair]
    result = np.empty(len(cov))
    result[by_variance] = weights
    return result


def weigh(job):
    returns = np.array(job["returns"])
    cov, mean, n = estimate(returns, job["covariance"]), returns.mean(axis=0), returns.shape[1]
    if job["name"] == "minimum_variance":
        scale = np.trace(cov) / n
        return optimum(lambda w: w @ cov @ w / scale, n, job["most"])
    if job["name"] == "maximum_sharpe":
        return optimum(lambda w: -(mean @ w) / np.sqrt(w @ cov @ w), n, job["most"])
    if job["name"] == "maximum_return":
        room = {"type": "ineq", "fun": lambda w: job["volatility"] - np.sqrt(252 * w @ cov @ w)}
        return optimum(lambda w: -1e3 * (mean @ w), n, job["most"], [room])
    if job["name"] in ("minimum_tracking_error", "maximum_information_ratio"):
        active = returns - np.array(job["benchmark"])[:, None]
        spread = estimate(active, job["covariance"])
        if job["name"] == "minimum_tracking_error":
            return optimum(lambda w: w @ spread @ w / np.trace(spread) * n, n, job["most"])
        return optimum(lambda w: -(active.mean(axis=0) @ w) / np.sqrt(w @ spread @ w), n, job["most"])
    if job["name"] in ("maximum_omega", "maximum_sortino"):
        excess = returns - (1.02 ** (1 / 252) - 1)
        return {"maximum_omega": omega, "maximum_sortino": sortino}[job["name"]](excess, job["most"])
    if job["name"] == "minimum_evar":
        return entropic(returns, job["most"], job["confidence"])
    if job["name"] == "equal_risk_contribution":
        return parity(cov)
    if job["name"] == "inverse_volatility":
        inverse = 1 / np.sqrt(np.diag(cov))
        return inverse / inverse.sum()
    if job["name"] == "hierarchical_equal_risk_contribution":
        return equal_risk(cov, job["linkage"], job["clusters"], job["choice"])
    if job["name"] == "nested_clustered_optimization":
        return nested(cov, mean, job["linkage"], job["clusters"], job["choice"])
    return tree(cov, job["linkage"])


json.dump([list(weigh(job)) for job in json.load(sys.stdin)], sys.stdout)
"""


@functools.lru_cache(maxsize=None)
def closes():
    """uid -> {date: adjusted close}."""
    result = {uid: {} for uid in [*UNIVERSE, BENCHMARK]}
    for row in sample_rows("prices_us_stocks.csv.gz"):
        if row["uid"] in result and row["adj_close"]:
            result[row["uid"]][row["date"]] = float(row["adj_close"])
    return result


def window(known_from, known_at, uids=UNIVERSE):
    """Returns of the instruments, one row a session."""
    dates = sorted(date for date in closes()[UNIVERSE[0]] if known_from <= date <= known_at)
    prices = [[closes()[uid][date] for uid in uids] for date in dates]
    return [[now / before - 1 for now, before in zip(*pair)] for pair in zip(prices[1:], prices)]


class Weights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.python = packages.python_packages(*REQUIREMENTS)
        cls.var_dir = sample_var_dir()

    def compare(self, strategy, tolerance, most=1, at_least=10):
        """The largest difference of a weight over all decisions is within tolerance."""
        done = run("backtest", stdin=json.dumps({**BASE, "strategy": strategy}).encode(), var_dir=self.var_dir)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [row for row in json.loads(done.stdout)["data"]["decisions"]["rows"] if row["note"] is None]
        self.assertGreater(len(rows), at_least)
        jobs = [{"name": strategy["name"], "returns": window(row["known_from"], row["known_at"]), "most": most,
                 "benchmark": [row[0] for row in window(row["known_from"], row["known_at"], [BENCHMARK])],
                 "volatility": strategy.get("most_volatility"), "covariance": strategy.get("covariance", "sample"),
                 "linkage": strategy.get("linkage", "single"), "clusters": strategy.get("clusters"), "confidence": strategy.get("confidence"),
                 "choice": strategy.get("risk_measure", strategy.get("objective"))} for row in rows]
        self.assertEqual({len(job["returns"]) for job in jobs}, {strategy["lookback"]})
        peer = subprocess.run([self.python, "-c", PEER], input=json.dumps(jobs), capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(peer.returncode, 0, peer.stderr[-2000:])
        for row, expected in zip(rows, json.loads(peer.stdout), strict=True):
            worst = max(abs(mine - theirs) for mine, theirs in zip(row["weights"], expected, strict=True))
            self.assertLess(worst, tolerance, (strategy, row["decided_at"], row["weights"], expected))

    def test_inverse_volatility_with_every_covariance(self):
        for covariance in ("sample", "ewma", "ledoit_wolf"):
            with self.subTest(covariance):
                self.compare({"name": "inverse_volatility", "lookback": 63, "lag": 1, "covariance": covariance}, 1e-10)

    def test_equal_risk_contribution(self):
        for covariance in ("sample", "ledoit_wolf"):
            with self.subTest(covariance):
                self.compare({"name": "equal_risk_contribution", "lookback": 126, "covariance": covariance}, 1e-6)

    def test_minimum_variance(self):
        self.compare({"name": "minimum_variance", "lookback": 126}, 1e-4)
        self.compare({"name": "minimum_variance", "lookback": 126, "constraints": {"max_weight": 0.35}}, 1e-4, most=0.35)

    def test_maximum_sharpe(self):
        self.compare({"name": "maximum_sharpe", "lookback": 252, "covariance": "ledoit_wolf"}, 2e-4)

    def test_most_return_for_a_volatility(self):
        self.compare({"name": "maximum_return", "lookback": 252, "most_volatility": 0.25, "covariance": "ledoit_wolf"}, 1e-4)
        self.compare({"name": "maximum_return", "lookback": 126, "lag": 3, "most_volatility": 0.3, "constraints": {"max_weight": 0.4}},
                     1e-4, most=0.4)

    def test_least_tracking_error(self):
        self.compare({"name": "minimum_tracking_error", "lookback": 126}, 1e-4)
        self.compare({"name": "minimum_tracking_error", "lookback": 252, "lag": 1, "covariance": "ewma", "constraints": {"max_weight": 0.4}},
                     1e-4, most=0.4)

    def test_highest_information_ratio(self):
        self.compare({"name": "maximum_information_ratio", "lookback": 252}, 2e-4)

    def test_highest_omega_and_sortino_ratio(self):
        for name in ("maximum_omega", "maximum_sortino"):
            for most in (1, 0.4):
                with self.subTest(name, most=most):
                    self.compare({"name": name, "lookback": 252, "acceptable_return": 0.02, "constraints": {"max_weight": most}}, 2e-4, most=most)

    def test_least_entropic_value_at_risk(self):
        for confidence, most in ((0.95, 1), (0.9, 0.4)):
            with self.subTest(confidence=confidence, most=most):
                self.compare({"name": "minimum_evar", "lookback": 252, "confidence": confidence, "constraints": {"max_weight": most}}, 5e-4, most=most)

    def test_hierarchical_risk_parity_with_every_linkage(self):
        for linkage in ("single", "complete", "average", "ward"):
            with self.subTest(linkage):
                self.compare({"name": "hierarchical_risk_parity", "lookback": 126, "linkage": linkage}, 1e-9)

    def test_clusters_of_equal_risk(self):
        for linkage, clusters, measure in (("ward", None, "variance"), ("single", None, "volatility"), ("complete", 3, "volatility"),
                                           ("average", 4, "variance"), ("ward", 5, "variance")):
            with self.subTest(linkage, clusters=clusters, measure=measure):
                self.compare({"name": "hierarchical_equal_risk_contribution", "lookback": 126, "linkage": linkage, "clusters": clusters,
                              "risk_measure": measure}, 1e-9)

    def test_nested_clusters(self):
        for linkage, clusters, objective in (("ward", None, "minimum_variance"), ("single", 2, "minimum_variance"),
                                             ("ward", None, "maximum_sharpe"), ("average", 3, "maximum_sharpe")):
            with self.subTest(linkage, clusters=clusters, objective=objective):
                self.compare({"name": "nested_clustered_optimization", "lookback": 252, "linkage": linkage, "clusters": clusters,
                              "objective": objective}, 2e-4)


if __name__ == "__main__":
    unittest.main()
