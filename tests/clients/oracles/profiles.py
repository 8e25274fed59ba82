"""Figures of quantstats, empyrical and ffn by their own names. Reads {series: {"dates", "returns", "benchmark", "periods"}}, writes
{library: {series: {name: value}}}; what a library has no finite value for is left out. Of a series with "risk_free", in which null
is no rate, empyrical alone, under "gaps"; the returns of its calendar periods are under "periods"."""

import functools
import json
import math
import sys
import warnings

warnings.simplefilter("ignore")
QUANTSTATS = ("comp autocorr_penalty gain_to_pain_ratio max_drawdown ulcer_index upi serenity_index skew kurtosis value_at_risk cvar tail_ratio "
              "payoff_ratio win_loss_ratio profit_ratio profit_factor cpc_index common_sense_ratio outlier_win_ratio outlier_loss_ratio "
              "recovery_factor risk_return_ratio kelly_criterion risk_of_ruin win_rate avg_return avg_win avg_loss best worst "
              "consecutive_wins consecutive_losses exposure expected_return geometric_mean ghpr rar").split()
QUANTSTATS_ANNUAL = ("cagr volatility sharpe sortino adjusted_sortino smart_sharpe smart_sortino omega calmar probabilistic_sharpe_ratio "
                     "probabilistic_sortino_ratio probabilistic_adjusted_sortino_ratio").split()
EMPYRICAL = "max_drawdown stability_of_timeseries tail_ratio value_at_risk conditional_value_at_risk cum_returns_final".split()
EMPYRICAL_ANNUAL = "annual_return cagr annual_volatility calmar_ratio sharpe_ratio sortino_ratio downside_risk".split()
EMPYRICAL_PAIRS = "up_capture down_capture up_down_capture capture".split()
FFN = ("total_return cagr max_drawdown avg_drawdown avg_drawdown_days calmar mtd three_month six_month one_year three_year five_year ten_year "
       "best_month worst_month pos_month_perc avg_up_month avg_down_month win_year_perc").split()
FFN_DAYS = "daily_mean daily_vol daily_sharpe daily_skew daily_kurt best_day worst_day".split()


def of_quantstats(r, b, periods):
    import quantstats.stats as q
    rows = {name: functools.partial(getattr(q, name), r) for name in QUANTSTATS}
    rows |= {name: functools.partial(getattr(q, name), r, periods=periods) for name in QUANTSTATS_ANNUAL}
    rows |= {"treynor_ratio": lambda: q.treynor_ratio(r, b, periods=periods), "r_squared": lambda: q.r_squared(r, b),
             "information_ratio": lambda: q.information_ratio(r, b), "beta": lambda: q.greeks(r, b, periods=periods)["beta"],
             "alpha": lambda: q.greeks(r, b, periods=periods)["alpha"]}
    return rows


def of_empyrical(r, b, periods):
    import empyrical as e
    period = {252: "daily", 12: "monthly"}[periods]
    rows = {name: functools.partial(getattr(e, name), r) for name in EMPYRICAL}
    rows |= {name: functools.partial(getattr(e, name), r, period=period) for name in EMPYRICAL_ANNUAL}
    rows |= {name: functools.partial(getattr(e, name), r, b, period=period) for name in EMPYRICAL_PAIRS}
    for side, both in (("up", e.up_alpha_beta), ("down", e.down_alpha_beta)):
        rows[side + "_alpha"] = lambda both=both: both(r, b, period=period)[0]
        rows[side + "_beta"] = lambda both=both: both(r, b, period=period)[1]
    rows |= {"omega_ratio": lambda: e.omega_ratio(r, annualization=periods), "excess_sharpe": lambda: e.excess_sharpe(r, b),
             "alpha": lambda: e.alpha(r, b, period=period), "beta": lambda: e.beta(r, b),
             "batting_average": lambda: e.batting_average(r, b)["batting average"],
             "batting_average_up": lambda: e.batting_average(r, b)["up market"],
             "batting_average_down": lambda: e.batting_average(r, b)["down market"],
             "beta_fragility_heuristic": lambda: e.beta_fragility_heuristic(r, b)}
    return rows


def of_ffn(prices, periods):
    import ffn
    stats = ffn.PerformanceStats(prices)
    return {name: functools.partial(getattr, stats, name) for name in FFN + (FFN_DAYS if periods == 252 else [])}


def values(rows):
    found = {}
    for name, figure in rows.items():
        try:
            value = float(figure())
        except Exception:  # a library fails in its own ways where it has no figure
            continue
        if math.isfinite(value):
            found[name] = value
    return found


def of_gaps(r, b, rf, periods):
    """What empyrical makes of a series of rates: pandas aligns them."""
    import empyrical as e
    period = {252: "daily", 12: "monthly"}[periods]
    return {"sharpe_ratio": lambda: e.sharpe_ratio(r, rf, period=period), "omega_ratio": lambda: e.omega_ratio(r, rf, annualization=periods),
            "alpha": lambda: e.alpha(r, b, rf, period=period), "beta": lambda: e.beta(r, b, rf),
            "up_capture": lambda: e.up_capture(r, b, period=period), "down_capture": lambda: e.down_capture(r, b, period=period),
            "up_down_capture": lambda: e.up_down_capture(r, b, period=period), "capture": lambda: e.capture(r, b, period=period),
            "conditional_value_at_risk": lambda: e.conditional_value_at_risk(r), "excess_sharpe": lambda: e.excess_sharpe(r, b),
            "batting_average_up": lambda: e.batting_average(r, b)["up market"],
            "batting_average_down": lambda: e.batting_average(r, b)["down market"], "annual_return": lambda: e.annual_return(r, period=period)}


def calendar(r):
    import empyrical as e
    return {name: list(map(float, e.aggregate_returns(r, name))) for name in ("weekly", "monthly", "quarterly", "yearly")}


def main():
    import pandas
    answer = {"quantstats": {}, "empyrical": {}, "ffn": {}, "gaps": {}, "periods": {}}
    for series, job in json.load(sys.stdin).items():
        index = pandas.to_datetime(job["dates"])
        r, b = (pandas.Series(job[name], index[1:], dtype=float) for name in ("returns", "benchmark"))
        answer["periods"][series] = calendar(r)
        if "risk_free" in job:
            rf = pandas.Series(job["risk_free"], index[1:], dtype=float)
            answer["gaps"][series] = values(of_gaps(r, b, rf, job["periods"]))
            continue
        prices = pandas.Series([100.0, *(100 * (1 + r).cumprod())], index)
        answer["quantstats"][series] = values(of_quantstats(r, b, job["periods"]))
        answer["empyrical"][series] = values(of_empyrical(r, b, job["periods"]))
        answer["ffn"][series] = values(of_ffn(prices, job["periods"]))
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
