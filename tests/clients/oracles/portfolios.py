"""Portfolios played by other people's backtesters. Reads one JSON job from standard input, writes JSON; run by a Python that has them.

The job: {"engine": "bt" | "vectorbt" | "backtrader", "dates": [...], "prices": {name: [...]}, "weights": {name: w}, "rate": fee}.
The answer: {"equity": [...]} for a start of 1.0, one value a session.
"""

import json
import sys
import warnings

warnings.simplefilter("ignore")


def frame(job):
    import pandas
    return pandas.DataFrame(job["prices"], index=pandas.to_datetime(job["dates"]))


def starts_of_months(dates):
    """Which sessions are the first of all, or the first of a calendar month."""
    return [i == 0 or dates[i][:7] != dates[i - 1][:7] for i in range(len(dates))]


def play_bt(job):
    import bt
    prices = frame(job)
    strategy = bt.Strategy("s", [bt.algos.RunMonthly(run_on_first_date=True), bt.algos.SelectAll(),
                                 bt.algos.WeighSpecified(**job["weights"]), bt.algos.Rebalance()])
    test = bt.Backtest(strategy, prices, initial_capital=1e6, integer_positions=False, progress_bar=False)
    test.run()
    return list(test.strategy.values.loc[prices.index] / 1e6)


def play_vectorbt(job):
    import numpy
    import vectorbt
    prices = frame(job)
    size = numpy.full(prices.shape, numpy.nan)
    monthly = starts_of_months(job["dates"]) if job["monthly"] else [True] + [False] * (len(prices) - 1)
    size[monthly] = [job["weights"][name] for name in prices.columns]
    portfolio = vectorbt.Portfolio.from_orders(prices, size=size, size_type="targetpercent", group_by=True, cash_sharing=True,
                                               call_seq="auto", fees=job["rate"], init_cash=1.0, freq="1D")
    return list(portfolio.value().to_numpy())


def value_after(budget, held, weights, rate):
    """The value left after paying rate on everything traded, by bisection: the engine solves the same in closed form."""
    low, high = 0.0, budget
    for _ in range(200):
        middle = (low + high) / 2
        if middle + rate * sum(abs(weights[k] * middle - held[k]) for k in weights) > budget:
            high = middle
        else:
            low = middle
    return low


def play_backtrader(job):
    """A decision at a month's first close is carried out at the next bar, whose open is its close (cheat-on-open)."""
    import backtrader
    prices, due = frame(job), starts_of_months(job["dates"])
    equity = []

    class Monthly(backtrader.Strategy):
        def next_open(self):
            at = len(self.data) - 1  # the strategy itself is one behind in here
            if at == 0 or not due[at - 1]:
                return
            held = {d._name: self.getposition(d).size * d.open[0] for d in self.datas}
            after = value_after(self.broker.get_cash() + sum(held.values()), held, job["weights"], job["rate"])
            trades = [(job["weights"][d._name] * after - held[d._name], d) for d in self.datas]
            for change, data in sorted(trades, key=lambda one: one[0]):  # sales first: they pay for the purchases
                if change < 0:
                    self.sell(data=data, size=-change / data.open[0])
                elif change > 0:
                    self.buy(data=data, size=change / data.open[0])

        def next(self):
            equity.append(self.broker.getvalue())

    import pandas
    cerebro = backtrader.Cerebro(cheat_on_open=True, stdstats=False)
    cerebro.broker.set_coo(True)
    cerebro.broker.set_checksubmit(False)
    cerebro.broker.setcash(1e6)
    cerebro.broker.setcommission(commission=job["rate"])
    for name in prices.columns:
        line = prices[name]
        bars = pandas.DataFrame({"open": line, "high": line, "low": line, "close": line, "volume": 1e12})
        cerebro.adddata(backtrader.feeds.PandasData(dataname=bars, openinterest=None), name=name)
    cerebro.addstrategy(Monthly)
    cerebro.run(runonce=False)
    return [value / 1e6 for value in equity]


def main():
    job = json.load(sys.stdin)
    play = {"bt": play_bt, "vectorbt": play_vectorbt, "backtrader": play_backtrader}[job["engine"]]
    json.dump({"equity": [float(value) for value in play(job)]}, sys.stdout)


if __name__ == "__main__":
    main()
