"""Figures of one equity line from other people's libraries. Reads {"dates", "equity", "benchmark", "rf"}, writes {library: {metric: value}}."""

import json
import sys
import warnings

warnings.simplefilter("ignore")


def of_empyrical(r, b):
    import empyrical as e
    return {"total_return": e.cum_returns_final(r), "cagr_periods": e.annual_return(r), "volatility": e.annual_volatility(r),
            "sharpe": e.sharpe_ratio(r), "max_drawdown": e.max_drawdown(r), "stability": e.stability_of_timeseries(r),
            "tail_ratio": e.tail_ratio(r), "var_95": e.value_at_risk(r), "cvar_95": e.conditional_value_at_risk(r),
            "downside_deviation": e.downside_risk(r), "sortino": e.sortino_ratio(r), "omega": e.omega_ratio(r), "beta": e.beta(r, b)}


def of_quantstats(r):
    import quantstats.stats as q
    return {"volatility": q.volatility(r), "sharpe": q.sharpe(r), "sortino": q.sortino(r), "max_drawdown": q.max_drawdown(r),
            "var_95_normal": q.value_at_risk(r), "tail_ratio": q.tail_ratio(r), "gain_to_pain": q.gain_to_pain_ratio(r),
            "payoff": q.payoff_ratio(r), "profit_factor": q.profit_factor(r), "win_rate": q.win_rate(r), "best_day": q.best(r),
            "worst_day": q.worst(r), "kelly": q.kelly_criterion(r), "skewness": q.skew(r), "kurtosis_excess": q.kurtosis(r)}


def of_ffn(prices):
    import ffn
    s = ffn.PerformanceStats(prices)
    return {"total_return": s.total_return, "max_drawdown": s.max_drawdown, "volatility": s.daily_vol, "sharpe": s.daily_sharpe,
            "skewness": s.daily_skew, "kurtosis_excess": s.daily_kurt, "best_day": s.best_day, "worst_day": s.worst_day,
            "best_month": s.best_month, "worst_month": s.worst_month}


def main():
    import pandas
    job = json.load(sys.stdin)
    index = pandas.to_datetime(job["dates"])
    prices, benchmark = pandas.Series(job["equity"], index), pandas.Series(job["benchmark"], index)
    r, b = prices.pct_change().dropna(), benchmark.pct_change().dropna()
    found = {"empyrical": of_empyrical(r, b), "quantstats": of_quantstats(r), "ffn": of_ffn(prices)}
    json.dump({library: {name: float(value) for name, value in rows.items()} for library, rows in found.items()}, sys.stdout)


if __name__ == "__main__":
    main()
