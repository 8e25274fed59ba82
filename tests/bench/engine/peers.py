"""The peers on the portfolios of driver.c: peers.py NAME CSV, prints {"seconds", "terminal", "portfolios", "figures"}; run by a Python that has them.

All hold weights 1 to 7 in turn, rebalanced in every month; seconds are processor time without imports, data frames and compilation.
"""

import json
import math
import sys
import time
import warnings

warnings.simplefilter("ignore")
FEE = 0.001  # 5 + 5 bps


def weights_of(columns):
    total = sum(i % 7 + 1 for i in range(len(columns)))
    return [(i % 7 + 1) / total for i in range(len(columns))]


def timed(function):
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def numbers(figures):
    """Those of the figures that are finite numbers."""
    return {name: float(value) for name, value in figures.items() if isinstance(value, (int, float)) and math.isfinite(value)}


def run_bt(prices):
    import bt
    strategy = bt.Strategy("s", [bt.algos.RunMonthly(run_on_first_date=True), bt.algos.SelectAll(),
                                 bt.algos.WeighSpecified(**dict(zip(prices.columns, weights_of(prices.columns)))), bt.algos.Rebalance()])
    test = bt.Backtest(strategy, prices, initial_capital=1e6, integer_positions=False, progress_bar=False,
                       commissions=lambda quantity, price: abs(quantity) * price * FEE)
    seconds, stats = timed(lambda: bt.run(test).stats)
    return seconds, float(test.strategy.values.iloc[-1] / 1e6), 1, numbers(stats["s"].to_dict())


def run_backtrader(prices):
    import backtrader
    import pandas
    import quantstats.stats as qs
    months = [f"{day:%Y-%m}" for day in prices.index]
    wanted = weights_of(prices.columns)
    equity = []

    class Monthly(backtrader.Strategy):
        def next(self):
            equity.append(self.broker.getvalue())
            at = len(self) - 1
            if at > 0 and months[at] == months[at - 1]:
                return
            for data, weight in zip(self.datas, wanted):
                self.order_target_percent(data, weight * 0.999)

    cerebro = backtrader.Cerebro(stdstats=False)
    cerebro.broker.setcash(1e6)
    cerebro.broker.setcommission(commission=FEE)
    for name in prices.columns:
        line = prices[name]
        bars = pandas.DataFrame({"open": line, "high": line, "low": line, "close": line, "volume": 1e12})
        cerebro.adddata(backtrader.feeds.PandasData(dataname=bars, openinterest=None), name=name)
    cerebro.addstrategy(Monthly)

    def play():
        cerebro.run()
        r = pandas.Series(equity, prices.index).pct_change().dropna()
        for name in ("sharpe", "sortino", "max_drawdown", "volatility", "calmar", "cagr", "ulcer_index", "tail_ratio", "var", "cvar",
                     "skew", "kurtosis", "kelly_criterion", "profit_factor", "payoff_ratio", "win_rate", "gain_to_pain_ratio", "omega"):
            getattr(qs, name)(r)

    seconds, _ = timed(play)
    return seconds, equity[-1] / 1e6, 1


def run_vectorbt(prices):
    """Its fastest path: one call for many portfolios in groups of columns, compiled before it is timed."""
    import numpy
    import pandas
    import vectorbt
    many, names = 8, len(prices.columns)
    monthly = numpy.array([i == 0 or a.month != b.month for i, (a, b) in enumerate(zip(prices.index, prices.index[:1].append(prices.index[:-1])))])
    close = pandas.concat([prices] * many, axis=1)
    close.columns = range(many * names)
    size = numpy.full(close.shape, numpy.nan)
    size[monthly] = weights_of(prices.columns) * many

    def play():
        portfolio = vectorbt.Portfolio.from_orders(close, size=size, size_type="targetpercent", group_by=numpy.repeat(range(many), names),
                                                   cash_sharing=True, call_seq="auto", fees=FEE, init_cash=1.0, freq="1D")
        for figure in ("total_return", "annualized_return", "annualized_volatility", "sharpe_ratio", "sortino_ratio", "max_drawdown",
                       "calmar_ratio", "omega_ratio", "downside_risk", "value_at_risk", "tail_ratio"):
            getattr(portfolio, figure)()
        return portfolio.value()

    play()
    seconds, value = timed(play)
    return seconds, float(value.iloc[-1, 0]), many


def main():
    import pandas
    prices = pandas.read_csv(sys.argv[2], index_col="date", parse_dates=["date"])
    run = {"bt": run_bt, "backtrader": run_backtrader, "vectorbt": run_vectorbt}[sys.argv[1]]
    seconds, terminal, portfolios, *figures = run(prices)
    print(json.dumps({"seconds": seconds, "terminal": terminal, "portfolios": portfolios, "figures": figures[0] if figures else {}}))


if __name__ == "__main__":
    main()
